/* Owns the statistics over runs, and their columns. */
#include "compare/statistics.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* A(t|df) = P(|T| <= t) as a finite sum of positive terms in theta = atan(t / sqrt(df)): Abramowitz & Stegun, Handbook
 * of Mathematical Functions (1964), 26.7.3 for odd and 26.7.4 for even df. */
static double probability_within(double theta, size_t df) {
    double cosine = cos(theta), square = cosine * cosine;
    bool is_odd = df % 2 == 1;
    double term = is_odd ? cosine : 1, sum = df == 1 ? 0 : term;
    for (size_t k = is_odd ? 3 : 2; k + 1 < df; k += 2) {
        term *= square * (double)(k - 1) / (double)k;
        sum += term;
    }
    return is_odd ? 2 / pi * (theta + sin(theta) * sum) : sin(theta) * sum;
}

/* Bisection in theta: A grows with it, and 100 halvings of (0, pi/2) leave nothing to choose between. */
double sn_student_t_quantile(double p, size_t df) {
    double wanted = fabs(2 * p - 1), low = 0, high = pi / 2;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (probability_within(middle, df) < wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double t = sqrt((double)df) * tan((low + high) / 2);
    return p < 0.5 ? -t : t;
}

/* nan stands behind all numbers. */
static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static void order_statistics(sn_figure *figure, double *values, size_t n) {
    if (n == 0) return;
    qsort(values, n, sizeof *values, by_value);
    while (n > 1 && isnan(values[n - 1]))
        n--;
    bool is_odd = n % 2 == 1;
    double low = values[(n - 1) / 2], high = values[n / 2];
    figure->median = sn_measured(is_odd || low == high ? low : low / 2 + high / 2);
    figure->min = sn_measured(values[0]);
    figure->max = sn_measured(values[n - 1]);
}

/* `values` in order: those that are all equal have no rounding of their sum in their mean. */
static void moments(sn_figure *figure, const double *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    double mean = values[0] == values[n - 1] ? values[0] : sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    double sd = sqrt(squares / (double)(n - 1));
    double half = sn_student_t_quantile(0.975, n - 1) * sd / sqrt((double)n);
    figure->mean = sn_measured(mean);
    figure->sd = sn_measured(sd);
    figure->ci95_low = sn_measured(mean - half);
    figure->ci95_high = sn_measured(mean + half);
}

void sn_figure_compute(sn_figure *figure, double *values, size_t n_measured, size_t n_runs, size_t n_diverged) {
    *figure = (sn_figure){.n_runs = n_runs, .n_diverged = n_diverged, .n_measured = n_measured};
    order_statistics(figure, values, n_measured);
    if (n_runs >= 2 && n_diverged == 0 && n_measured == n_runs) moments(figure, values, n_measured);
}

static sn_cell_value count_of(const sn_column *column, const void *record) {
    return sn_cell_number((double)*(const size_t *)(const void *)((const char *)record + column->place));
}

#define COUNT(member)   .value = count_of, .place = offsetof(sn_figure, member)
#define MEASURE(member) .value = sn_column_measure, .place = offsetof(sn_figure, member)

const sn_column sn_statistics[] = {
    {"n_runs", "integer", "runs", "finished runs of the point, or pairs of them", COUNT(n_runs)},
    {"n_diverged", "integer", "runs", "those of them that diverged, or pairs with one that did", COUNT(n_diverged)},
    {"mean", "number", "unit of the metric",
     "mean over the runs; empty, as sd and interval, with fewer than 2 runs, where one diverged or lacks the metric",
     MEASURE(mean)},
    {"sd", "number", "unit of the metric", "standard deviation over the runs, with n - 1", MEASURE(sd)},
    {"median", "number", "unit of the metric", "median of the runs that have the metric, nan left out; so min and max",
     MEASURE(median)},
    {"min", "number", "unit of the metric", "least of them", MEASURE(min)},
    {"max", "number", "unit of the metric", "greatest of them", MEASURE(max)},
    {"ci95_low", "number", "unit of the metric", "lower end of the 95% interval of the mean, by Student's t",
     MEASURE(ci95_low)},
    {"ci95_high", "number", "unit of the metric", "upper end of the 95% interval of the mean", MEASURE(ci95_high)},
    {"n_unfinished", "integer", "runs",
     "runs of the point that are not finished: missing cells of a sweep, running, interrupted and failed ones",
     COUNT(n_unfinished)},
    {"n_missing", "integer", "runs", "cells of a sweep that have no run yet", COUNT(n_missing)},
    {"n_failed", "integer", "runs", "cells that failed", COUNT(n_failed)},
    {"n_running", "integer", "runs", "runs at work", COUNT(n_running)},
    {.name = NULL},
};
