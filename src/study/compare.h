/* Comparison of runs: reads what run directories say of themselves and sets it side by side. */
#ifndef SN_STUDY_COMPARE_H
#define SN_STUDY_COMPARE_H

#include "base/error.h"
#include "base/text.h"
#include "report/summary.h"

/* One run directory. */
typedef struct sn_compared_run {
    char *path;
    char status[32];  /* of run.json; "unreadable" where that is broken */
    bool has_summary; /* an unfinished run has none */
    sn_summary summary;
    sn_summary_layer *layers;
    struct sn_config *manifest; /* owns the summary's texts */
} sn_compared_run;

typedef struct sn_comparison {
    sn_compared_run *runs; /* in the order of the paths, below a directory by name */
    size_t n, capacity;
} sn_comparison;

/* Collects the run at `path` (it holds a run.json), or all runs below it; later calls add.  SN_IO: cannot read the
 * directory.  SN_INVALID: no run there. */
sn_status sn_comparison_add(sn_comparison *comparison, const char *path, sn_error *error);

void sn_comparison_reset(sn_comparison *comparison);

/* An aligned table: run, status, steps, final losses and accuracies, log10 delta ratio, decades per layer, frozen
 * hidden layers at the start and the end. */
void sn_comparison_table(const sn_comparison *comparison, sn_text *text);

/* runs.csv: the same columns, a row per run, header first; empty = not measured. */
void sn_comparison_csv(const sn_comparison *comparison, sn_text *text);

#endif
