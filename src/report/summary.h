/* The summary of a run: what it shows, as text for people and as JSON; and the progress line. */
#ifndef SN_REPORT_SUMMARY_H
#define SN_REPORT_SUMMARY_H

#include "base/text.h"
#include "report/record.h"

/* Hidden layers only, nearest the input first. */
typedef struct sn_summary_layer {
    int layer;
    bool is_frozen;
    sn_measure delta_rms, grad_rms, stalled_frac;
} sn_summary_layer;

typedef struct sn_summary {
    const char *name, *status; /* "done", "diverged", "interrupted" */
    const char *fault;         /* what was not finite, NULL if nothing was */
    int64_t steps;
    double wall_seconds;
    sn_measure train_loss, train_accuracy, test_loss, test_accuracy; /* of the last evaluation */
    sn_measure log10_delta_ratio, decades_per_layer;                 /* of the last observed update (row N-1) */
    int64_t profile_step; /* the step that the layers below were measured at */
    int n_hidden;
    sn_summary_layer *layers;     /* (n_hidden) */
    int frozen_start, frozen_end; /* frozen hidden layers at step 0 and at profile_step; -1: not measured */
} sn_summary;

/* One sentence with its evidence, such as
 *     layers 1-37 of 50 are frozen: at least 99.8% of their weights that were meant to change did not in step 468
 *     (gradient rms 1.1e-14 at layer 1, 2.3e-4 at layer 50)
 * also "no layer of 50 is frozen: ..." and "all 50 layers are frozen: ...".  Several ranges are listed with commas, the
 * first eight of them.  The shares are bounds over the layers: "at least" is rounded down, "at most" up. */
void sn_summary_sentence(const sn_summary *summary, sn_text *text);

/* The whole summary for a terminal of `columns` characters: final losses and accuracies, a log-scale bar chart by layer
 * (delta and weight gradient side by side; layers are grouped evenly into at most 25 rows when there are more; an exact
 * zero is marked as 0, not drawn as a tiny bar), stalled share, decades per layer, the sentence.  `colour`: ANSI
 * colours may be used.  Plain ASCII but for the block characters when `unicode`.  Terminals of fewer than 70
 * columns get lines of up to 70: the figures have to stand somewhere. */
typedef struct sn_summary_style {
    int columns;
    bool colour, unicode;
} sn_summary_style;

void sn_summary_text(const sn_summary *summary, const sn_summary_style *style, sn_text *text);

/* The same as one JSON object (indented by 2, trailing newline); numbers with 17 digits, null where not measured, the
 * strings "nan", "inf", "-inf" where measured and not finite. */
void sn_summary_json(const sn_summary *summary, sn_text *text);

/* The progress line, without control characters, at most `columns` wide:
 *     epoch 1/1  step 312/469  1043/s  ETA 0:01  loss 2.3031  acc 0.102  ratio -11.9
 * (steps a second, log10_delta_ratio).  Absent values are left out. */
typedef struct sn_progress {
    double epoch, epochs; /* epochs 0: a run by steps */
    int64_t step, steps;
    double steps_per_second, eta_seconds;
    sn_measure loss, accuracy, log10_delta_ratio;
} sn_progress;

void sn_progress_line(const sn_progress *progress, int columns, sn_text *text);

#endif
