/* Owns what is asked around a single weight: the noise of the loss, the ladder of steps, and how sure the engine's own
 * derivative is. */
#include "study/coordinate.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Of the limit, what noise and what the disagreement of two steps may each take: a gradient that is right stays within
 * the limit with both of them. */
static const double SHARE = SN_GRADCHECK_LIMIT / 4;

/* R scatters by 0.75 noise/h, a difference of one-sided slopes by 2.4 noise/h. */
static const double SURE = 4, SURE_OF_BEND = 12;

/* A gradient is wrong by an error that three differences tell alike up to this part of it. */
static const double STEADY = 1e-3;

/* Of such an error, what the engine's own derivative may change by within the steps, and by rounding: its greatest
 * change in a few draws may be a small part of the rounding that it has. */
static const double WITHIN_STEPS = 0.25, BY_ROUNDING = 0.05;

enum { N_RUNGS = 13, COARSEST = -6, N_NOISE = 16, N_PROBES = 6 };

/* The ladder at one coordinate. */
typedef struct ladder {
    double gradient;        /* under check */
    double h[N_RUNGS];      /* the step */
    double slope[N_RUNGS];  /* D */
    double bend[N_RUNGS];   /* the slope to the right less the slope to the left */
    double fourth[N_RUNGS]; /* R, from rung 1 on */
    int n;
} ladder;

/* ---- weights, and the noise of the loss ---- */

size_t sn_weights_count(const sn_tensor *tensor) {
    size_t count = 1;
    for (int d = 0; d < tensor->rank; d++)
        count *= (size_t)tensor->shape[d];
    return count;
}

/* Copies the weights of all tensors to `values`, where that is not NULL; how many they are. */
static size_t copy_weights(const sn_engine *engine, double *values) {
    size_t total = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(engine, i, &tensor);
        if (values) memcpy(values + total, tensor.data, sn_weights_count(&tensor) * sizeof *values);
        total += sn_weights_count(&tensor);
    }
    return total;
}

sn_status sn_weights_take(sn_weights *weights, const sn_engine *engine, sn_error *error) {
    size_t total = copy_weights(engine, NULL), bytes = 2 * (total + 1) * sizeof(double);
    *weights = (sn_weights){.total = total, .values = malloc(bytes)};
    if (!weights->values) return sn_error_memory(error, bytes, "weights");
    weights->nudged = weights->values + total;
    copy_weights(engine, weights->values);
    return SN_OK;
}

void sn_weights_reset(sn_weights *weights) {
    free(weights->values);
    *weights = (sn_weights){0};
}

/* Moves tensor `i` by `times` a few of its last bits, up or down; `values` are its weights, `nudged` is room. */
static void nudge(sn_engine *engine, size_t i, const double *values, double *nudged, int times) {
    sn_tensor tensor;
    sn_engine_tensor(engine, i, &tensor);
    size_t count = sn_weights_count(&tensor);
    double largest = 0;
    for (size_t k = 0; k < count; k++)
        largest = fmax(largest, fabs(values[k]));
    double unit = 4 * DBL_EPSILON * (largest > 0 ? largest : 1);
    sn_rng rng = sn_rng_stream(0, "gradcheck noise", tensor.name, 0);
    for (size_t k = 0; k < count; k++)
        nudged[k] = values[k] + (sn_rng_bits(rng, k) & 1 ? times : -times) * unit;
    sn_engine_set_tensor(engine, i, nudged);
}

/* 0 times: the weights as they were. */
static void nudge_all(sn_engine *engine, const sn_weights *weights, int times) {
    const double *values = weights->values;
    for (size_t i = 0; i < sn_engine_tensor_count(engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(engine, i, &tensor);
        nudge(engine, i, values, weights->nudged, times);
        values += sn_weights_count(&tensor);
    }
}

/* NAN where the loss is not finite. */
static double loss_of(const sn_gradcheck *check) {
    sn_step step = {.batch = check->request.batch, .only_loss = true};
    sn_step_result result;
    return sn_engine_step(check->request.engine, &step, &result) == SN_OK ? result.loss : (double)NAN;
}

static double scatter_of(double *losses, int n) {
    double squares = 0;
    for (int order = 0; order < 4; order++, n--) {
        for (int k = 0; k + 1 < n; k++)
            losses[k] = losses[k + 1] - losses[k];
    }
    for (int k = 0; k < n; k++)
        squares += losses[k] * losses[k];
    return sqrt(squares / n / 70); /* 70 = 1 + 16 + 36 + 16 + 1 */
}

double sn_coordinate_noise(const sn_gradcheck *check, const sn_weights *weights) {
    double losses[N_NOISE];
    for (int k = 0; k < N_NOISE; k++) {
        nudge_all(check->request.engine, weights, k);
        losses[k] = loss_of(check);
    }
    nudge_all(check->request.engine, weights, 0);
    return fmax(scatter_of(losses, N_NOISE), DBL_EPSILON * fabs(check->loss));
}

/* ---- the ladder ---- */

static void set_shifted(const sn_coordinate_subject *s, size_t at, double value) {
    double kept = s->values[at];
    s->values[at] = value;
    sn_engine_set_tensor(s->check->request.engine, s->tensor, s->values);
    s->values[at] = kept;
}

static double shifted_loss(const sn_coordinate_subject *s, size_t at, double value) {
    set_shifted(s, at, value);
    return loss_of(s->check);
}

/* The next step of the ladder.  What w + h really is decides, not what it was meant to be. */
static void climb(const sn_coordinate_subject *s, size_t at, ladder *l) {
    int k = l->n++;
    double w = s->values[at], middle = s->check->loss;
    l->h[k] = ldexp(1, COARSEST - 2 * k);
    double right = w + l->h[k], left = w - l->h[k];
    double above = shifted_loss(s, at, right), below = shifted_loss(s, at, left);
    l->slope[k] = (above - below) / (right - left);
    l->bend[k] = (above - middle) / (right - w) - (middle - below) / (w - left);
    l->fourth[k] = k > 0 ? (16 * l->slope[k] - l->slope[k - 1]) / 15 : (double)NAN;
}

static double scale_of(const ladder *l) {
    return fmax(fabs(l->gradient), fabs(l->fourth[l->n - 1]));
}

static double error_of(const ladder *l) {
    return fabs(l->fourth[l->n - 1] - l->gradient);
}

/* Whether the gradient is exactly 0 and the last three steps change no bit of the loss. */
static bool is_exactly_zero(const ladder *l) {
    if (l->n < 3 || l->gradient != 0) return false;
    for (int k = l->n - 3; k < l->n; k++) {
        if (l->slope[k] != 0 || l->bend[k] != 0) return false;
    }
    return true;
}

/* Whether the slopes beside w differ by what a smaller step does not make smaller: by h f'' they would differ by a
 * quarter of what they did at the step before. */
static bool is_bent(const ladder *l, double noise) {
    int k = l->n - 1;
    double bend = fabs(l->bend[k]);
    bool stands_out = bend > SURE_OF_BEND * noise / l->h[k] && bend > SN_GRADCHECK_LIMIT * scale_of(l);
    return stands_out && bend > 0.5 * fabs(l->bend[k - 1]);
}

/* Whether the differences stay away from the gradient by `error` whatever the step.  Those of a smooth loss come 256
 * times closer to each other at each step.  Kinks between the points scatter them, and one at w bends the loss: that of
 * a sample by twice the error, that of a batch by a sum in which terms may cancel. */
static bool is_settled(const ladder *l, double error, double noise) {
    int k = l->n - 1;
    if (k < 3 || is_bent(l, noise)) return false;
    double near = fabs(l->fourth[k] - l->fourth[k - 1]), before = fabs(l->fourth[k - 1] - l->fourth[k - 2]);
    return near <= error * STEADY && before <= error * STEADY && fabs(l->bend[k]) <= error / 2;
}

/* What is left to say when no finer step can tell more: with a loss that is smooth at the coarsest steps, could the
 * gradient have been verified there? */
static sn_coordinate_outcome unverified(const ladder *l, double noise) {
    return SHARE * scale_of(l) > SURE * noise / l->h[1] ? SN_COORDINATE_KINK : SN_COORDINATE_BELOW;
}

static sn_coordinate_outcome judge(const ladder *l, double noise) {
    int k = l->n - 1;
    if (k < 1) return SN_COORDINATE_PENDING;
    if (is_exactly_zero(l)) return SN_COORDINATE_AGREES;
    double scale = scale_of(l), error = error_of(l), unresolved = SURE * noise / l->h[k];
    if (SHARE * scale > unresolved && error <= SN_GRADCHECK_LIMIT * scale) {
        return is_bent(l, noise) ? SN_COORDINATE_PENDING : SN_COORDINATE_AGREES;
    }
    bool shows_errors = STEADY * error > unresolved, may_be_zero = l->gradient == 0 && l->slope[k] == 0 && k < 2;
    if (shows_errors && is_settled(l, error, noise)) return SN_COORDINATE_DISAGREES;
    bool goes_on = shows_errors || may_be_zero || SHARE * scale > unresolved;
    return goes_on ? SN_COORDINATE_PENDING : unverified(l, noise);
}

/* ---- the engine's own derivative ---- */

/* With the weights as they are set; NAN where it is not finite. */
static double own_gradient(const sn_coordinate_subject *s, size_t at) {
    sn_step step = {.batch = s->check->request.batch};
    sn_step_result result;
    if (sn_engine_step(s->check->request.engine, &step, &result) != SN_OK) return (double)NAN;
    return ((const double *)sn_engine_gradient(s->check->request.engine, s->tensor))[at];
}

static double shifted_gradient(const sn_coordinate_subject *s, size_t at, double value) {
    set_shifted(s, at, value);
    return own_gradient(s, at);
}

static double nudged_gradient(const sn_coordinate_subject *s, size_t at, int times) {
    nudge_all(s->check->request.engine, s->weights, times);
    return own_gradient(s, at);
}

/* The greater of two changes; NAN is greater than all. */
static double greater(double a, double b) {
    return a <= b ? b : a;
}

/* The greatest change of the derivative within the steps that the last differences rest upon, and finer ones.  The mean
 * of both sides is taken, as D takes it. */
static double change_within_steps(const sn_coordinate_subject *s, size_t at, const ladder *l, double middle) {
    double w = s->values[at], change = 0;
    for (int k = 0; k < N_PROBES; k++) {
        double h = ldexp(l->h[l->n - 3], -2 * k);
        double mean = (shifted_gradient(s, at, w + h) + shifted_gradient(s, at, w - h)) / 2;
        change = greater(fabs(mean - middle), change);
    }
    return change;
}

/* The greatest change of the derivative when all weights change a little, from their last bits to a millionth:
 * features that hardly differ stand on a coarse grid, and feel no less.  The mean of both directions is taken, so that
 * what is smooth does not count. */
static double change_by_rounding(const sn_coordinate_subject *s, size_t at, double middle) {
    double change = 0;
    for (int k = 0; k < N_PROBES; k++) {
        double mean = (nudged_gradient(s, at, 1 << 6 * k) + nudged_gradient(s, at, -(1 << 6 * k))) / 2;
        change = greater(fabs(mean - middle), change);
    }
    nudge_all(s->check->request.engine, s->weights, 0);
    return change;
}

/* Whether the engine's derivative is steady about w, so that no part of the error that counts lies in that.  A right
 * one may change within the steps (a norm over features that hardly differ, units at their bend whose terms cancel in
 * the loss): then differences settle on another value; and where rounding is magnified it is off by as much.  A wrong
 * formula is wrong all around. */
static bool is_steady(const sn_coordinate_subject *s, size_t at, const ladder *l) {
    double error = error_of(l), middle = shifted_gradient(s, at, s->values[at]);
    bool steady = change_within_steps(s, at, l, middle) <= error * WITHIN_STEPS &&
                  change_by_rounding(s, at, middle) <= error * BY_ROUNDING;
    shifted_gradient(s, at, s->values[at]); /* the engine's gradients are those of the weights again */
    return steady;
}

sn_coordinate_finding sn_coordinate_check(const sn_coordinate_subject *s, size_t at, double gradient) {
    double noise = s->check->noise;
    ladder l = {.gradient = gradient};
    bool was_unsure = false;
    sn_coordinate_outcome found = SN_COORDINATE_PENDING;
    while (found == SN_COORDINATE_PENDING && l.n < N_RUNGS) {
        climb(s, at, &l);
        found = judge(&l, noise);
        if (found != SN_COORDINATE_DISAGREES || is_steady(s, at, &l)) continue;
        found = SN_COORDINATE_PENDING;
        was_unsure = true;
    }
    if (found == SN_COORDINATE_PENDING) found = unverified(&l, noise);
    if (found == SN_COORDINATE_KINK && was_unsure) found = SN_COORDINATE_UNSURE;
    double error = error_of(&l);
    return (sn_coordinate_finding){found, l.fourth[l.n - 1], error > 0 ? error / scale_of(&l) : 0};
}
