/* Evaluation of a run: loss, accuracy and outputs of its weights on a split of its data. */
#ifndef SN_STUDY_EVALUATE_H
#define SN_STUDY_EVALUATE_H

#include "base/error.h"
#include "base/text.h"
#include "run/finished.h"

typedef struct sn_evaluation_request {
    sn_finished_request run;
    bool on_train; /* the training split, else the test split */
    size_t limit;  /* only the first samples of it; 0: all */
} sn_evaluation_request;

#define SN_NO_CLASS UINT32_MAX /* predicted where an output is not a number */

/* What became of the samples of one class. */
typedef struct sn_class_tally {
    size_t samples, correct;
    size_t predicted; /* samples of any class that were taken for this one */
    uint32_t rival;   /* what its samples were most often wrongly taken for, the first of several; SN_NO_CLASS: none */
    size_t rival_count;
} sn_class_tally;

typedef struct sn_evaluation {
    sn_finished_run run;
    const sn_samples *samples;
    size_t n;                /* samples evaluated */
    sn_step_result result;   /* loss and accuracy, by the same pass as the trainer's: equal to the last bit */
    double *outputs;         /* (n, out_dim) */
    double *probabilities;   /* (out_dim), room for those of a sample; NULL: the loss takes outputs for none */
    uint32_t *predicted;     /* (n), the class of the largest output, the first of several; NULL for targets */
    sn_class_tally *tallies; /* (out_dim); NULL for targets */
    double *rmse;            /* (out_dim), root of the mean squared error of an output; NULL for classes */
} sn_evaluation;

/* Opens the run and evaluates it; for sn_evaluation_reset, also after a failure.  Fails as the opening does (see
 * run/finished.h), and SN_INVALID: no samples.  The notes of the run's experiment are to be told, also after a failure:
 * among them is which checkpoint it is, where it is one. */
sn_status sn_evaluation_open(sn_evaluation *evaluation, const sn_evaluation_request *request, sn_error *error);
void sn_evaluation_reset(sn_evaluation *evaluation);

/* Appends the name of a class, or its index where it has none. */
void sn_evaluation_add_class(const sn_evaluation *evaluation, size_t class, sn_text *text);

/* Significant digits of numbers of the run's precision: 9 or 17. */
int sn_evaluation_digits(const sn_evaluation *evaluation);

/* A row for each sample.  Classes: index, label, predicted (empty: an output is not a number), p0, p1, ... (what the
 * loss takes the outputs for: softmax or sigmoid), or y0, y1, ... (outputs).  Targets: index, t0, t1, ..., y0, y1, ...
 * Data of a CSV file: row at the end, that of the file. */
void sn_evaluation_csv(const sn_evaluation *evaluation, sn_text *text);

#endif
