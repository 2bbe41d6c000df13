/* Expectations: a CSV of what a comparison should find, for lab sheets and regression tests.
 *
 *     network.depth,network.skip.kind,metric,statistic,op,value
 *     50,none,log10_delta_ratio,mean,<,-8
 *     ,add - none,test_accuracy,mean,>=,0
 *
 * The first columns are keys of the configs (an empty cell: every point); metric, statistic: a metric and a numeric
 * column of summary.csv; op: < <= > >= == !=.  Where the cell of network.skip.kind names a difference, differences are
 * meant. */
#ifndef SN_COMPARE_EXPECTATIONS_H
#define SN_COMPARE_EXPECTATIONS_H

#include "compare/compare.h"

typedef struct sn_expectations {
    struct sn_expectations_file *file;
    size_t n;          /* rows */
    size_t n_compared; /* by sn_expectations_check: figures that were looked at */
} sn_expectations;

/* Reads the file.  SN_IO: cannot read; SN_INVALID: all that is wrong in it, named by FILE:LINE. */
sn_status sn_expectations_read(sn_expectations *expectations, const char *path, sn_error *error);

/* Checks what needs no figures, so that it can be known before the runs: SN_INVALID: unknown keys, rows that match no
 * grid point and no difference of the comparison, all of them told. */
sn_status sn_expectations_match(const sn_expectations *expectations, const sn_comparison *comparison, sn_error *error);

/* The same, and all rows against a finished comparison.  SN_FAILED: a line for each figure that is not as expected,
 * with point, metric, statistic, figure and what was wanted. */
sn_status sn_expectations_check(sn_expectations *expectations, const sn_comparison *comparison, sn_error *error);

void sn_expectations_reset(sn_expectations *expectations);

#endif
