/* The gradient check: parameter gradients of a whole network against differences of its loss, in double.
 *
 * The loss L is that of one batch in training mode.  For one coordinate w of a parameter, steps h = 2^-6, 2^-8, ...
 * 2^-30 are tried, coarse ones first.  Each gives a central difference, and two neighbours the fourth-order one
 * (Richardson; that neighbours tell how well it has converged is Ridders's way, Adv. Eng. Softw. 4, 1982):
 *
 *     D(h) = (L(w + h) - L(w - h)) / 2h,    R(h) = (16 D(h) - D(4h)) / 15 = dL/dw + O(h^4)
 *
 * The noise s of the loss, its scatter by rounding, is measured at the start, so what R(h) cannot resolve is known:
 * about s/h.  The first step that settles the matter decides:
 *
 *     agrees      R(h) is the gradient within the limit, and what R(h) cannot resolve is a small part of the limit; or
 *                 the gradient is exactly 0, and no bit of the loss changes at three steps
 *     disagrees   it is not; R(h), R(4h) and R(16h) tell the same by a small part of that error; and the engine's own
 *                 derivative is steady about w: at the steps between which the differences are taken, at finer ones,
 *                 and under changes of all weights in their last digits it changes by a small part of the error
 *     kink        differences at different steps tell different things down to the step that noise allows, or the
 *                 slopes to the left and to the right of w differ however small the step: L bends sharply here (relu),
 *                 and no derivative can be verified.  Among these are counted, as unsure, coordinates where the
 *                 differences converged but the derivative is not steady: norms over features that hardly differ have
 *                 structure narrower than the steps, or magnify rounding until the derivative is off by it
 *     below       the gradient is too small for the loss to show it at any step, or the noise of an ill-conditioned
 *                 loss too large
 *
 * Kinks and what is below the resolution are counted apart: they verify nothing. */
#ifndef SN_STUDY_GRADCHECK_H
#define SN_STUDY_GRADCHECK_H

#include "base/error.h"
#include "config/config.h"
#include "engine/engine.h"

/* The limit of |R - g| / max(|R|, |g|), the only one.  R errs by less than 1e-8 in smooth networks and the gradient by
 * some 1e-13, so any limit between that and the smallest error of interest would do: a wrong formula is off by 1e-3 and
 * more, single precision that slipped in by 1e-7 to 1e-4.  But a coordinate is only verifiable where limit * |g| stands
 * out of the noise, so each decade that the limit is tighter loses a decade of small gradients. */
#define SN_GRADCHECK_LIMIT 1e-5

enum { SN_GRADCHECK_SAMPLES = 20 }; /* coordinates of a tensor where nothing else is asked for */

/* What became of one tensor. */
typedef struct sn_gradcheck_row {
    sn_tensor tensor; /* name and shape; valid as long as the engine */
    size_t elements, checked;
    size_t agreeing, disagreeing, kinks, below; /* these add up to `checked` */
    size_t unsure;                              /* of the kinks, those where the engine's derivative is not steady */
    double worst;                               /* greatest relative error of those that could be verified; NAN: none */
    size_t worst_at;                            /* its element */
    double worst_gradient, worst_difference;
} sn_gradcheck_row;

/* Told of a tensor while it is checked: `wanted` is what row->checked comes to. */
typedef void sn_gradcheck_progress(void *context, const sn_gradcheck_row *row, size_t wanted);

typedef struct sn_gradcheck_request {
    sn_engine *engine;   /* of double precision, with keeps_gradients, at the weights to check */
    const sn_loss *loss; /* of the engine */
    sn_batch batch;
    uint64_t seed;  /* of the draw of coordinates */
    size_t samples; /* coordinates of a tensor: half of them those of largest gradient, half drawn; 0: all */
    const double *const *gradients;  /* what is checked, for each tensor of the engine; NULL: the engine's own */
    sn_gradcheck_progress *progress; /* called after each coordinate; NULL: not */
    void *context;                   /* handed to it */
} sn_gradcheck_request;

typedef struct sn_gradcheck {
    sn_gradcheck_request request;
    double loss;
    double noise;   /* standard deviation of the loss under changes of the weights in their last bits */
    bool has_bends; /* there are activations with a bend, as relu, or the loss has one */
} sn_gradcheck;

typedef enum sn_gradcheck_verdict {
    SN_GRADCHECK_PASS,       /* some agree, none disagrees */
    SN_GRADCHECK_FAIL,       /* some disagree */
    SN_GRADCHECK_UNVERIFIED, /* nothing could be verified: no pass */
} sn_gradcheck_verdict;

/* Takes the gradients of the batch and measures the noise of its loss.  SN_DIVERGED: a value is not finite; `graph` is
 * for its name. */
sn_status sn_gradcheck_open(sn_gradcheck *check, const sn_gradcheck_request *request, const sn_graph *graph,
                            sn_error *error);

/* Checks tensor `i`; the weights are afterwards as before. */
sn_status sn_gradcheck_tensor(const sn_gradcheck *check, size_t i, sn_gradcheck_row *row, sn_error *error);

sn_gradcheck_verdict sn_gradcheck_judge(const sn_gradcheck_row *row);

/* Whether the noise of the loss is far more than the rounding of its value: the network magnifies rounding. */
bool sn_gradcheck_is_noisy(const sn_gradcheck *check);

/* Why nothing of a tensor could be verified, from what became of most of its coordinates. */
const char *sn_gradcheck_reason(const sn_gradcheck *check, const sn_gradcheck_row *row);

/* Tensors of each verdict and coordinates of each kind. */
typedef struct sn_gradcheck_totals {
    size_t tensors, passing, failing, unverified;
    size_t checked, agreeing, disagreeing, kinks, unsure, below;
} sn_gradcheck_totals;

void sn_gradcheck_count(sn_gradcheck_totals *totals, const sn_gradcheck_row *row);

/* SN_FAILED where a tensor fails, and where no tensor passes: then nothing was shown. */
sn_status sn_gradcheck_conclude(const sn_gradcheck_totals *totals, sn_error *error);

/* Whether there are activations with a bend. */
bool sn_gradcheck_bends(const sn_graph *graph);

/* Appends paragraphs that say what in this config could be changed to verify more; none where nothing was left. */
void sn_gradcheck_advise(const sn_gradcheck *check, const sn_gradcheck_totals *totals, const sn_config *config,
                         const sn_graph *graph, sn_text *text);

#endif
