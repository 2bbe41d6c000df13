/* Statistics over a few runs: what a row of summary.csv says. */
#ifndef SN_COMPARE_STATISTICS_H
#define SN_COMPARE_STATISTICS_H

#include <stddef.h>

#include "report/column.h"

/* One metric at one grid point. */
typedef struct sn_figure {
    size_t n_runs, n_diverged, n_measured; /* finished runs; diverged ones among them; those with the metric */
    size_t n_unfinished;                   /* runs of the point that are not finished, cells without a run too */
    size_t n_missing, n_failed, n_running; /* of those; the others were interrupted or cannot be read */
    sn_measure mean, sd, median, min, max, ci95_low, ci95_high;
} sn_figure;

/* The figures of `n_measured` values, which are sorted in place, of `n_runs` runs of which `n_diverged` diverged.
 *
 * Mean, standard deviation (n - 1) and the 95% interval of the mean (Student's t) are measured only where they speak
 * for all runs: two or more, none diverged, each with a value.  Median, least and greatest are those of the values that
 * are numbers (nan where there are values and none is a number). */
void sn_figure_compute(sn_figure *figure, double *values, size_t n_measured, size_t n_runs, size_t n_diverged);

/* The quantile of Student's t: t with P(T <= t) = p, for 0 < p < 1 and df >= 1 degrees of freedom. */
double sn_student_t_quantile(double p, size_t df);

/* The numeric columns of summary.csv, of sn_figure; name NULL ends. */
extern const sn_column sn_statistics[];

#endif
