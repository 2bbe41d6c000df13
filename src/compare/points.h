/* Grid points: runs, or pairs of runs, that agree in all varied keys but the seed. */
#ifndef SN_COMPARE_POINTS_H
#define SN_COMPARE_POINTS_H

#include "base/error.h"
#include "compare/statistics.h"
#include "compare/varied.h"
#include "report/figures.h"

/* A run, or the difference of two. */
typedef struct sn_sample {
    const uint32_t *cells; /* (n_columns) of the varied keys */
    size_t run;            /* its number; of a difference: of the minuend */
    bool is_finished, is_diverged, is_missing, is_failed, is_running;
    const sn_measure *figures; /* (SN_N_RUN_FIGURES) */
} sn_sample;

typedef struct sn_point {
    const uint32_t *cells;     /* (n_columns), that of the seed without meaning */
    size_t run;                /* one of its runs */
    size_t n_samples;          /* unfinished ones too */
    size_t n_runs, n_diverged; /* finished ones; of them, diverged ones */
    size_t n_missing;          /* cells of a sweep that have no run and did not fail */
    size_t n_failed, n_running;
    sn_figure figures[SN_N_RUN_FIGURES];
} sn_point;

typedef struct sn_points {
    sn_point *items; /* sorted by the cells, as sn_varied_order has them */
    size_t n;
    uint32_t *cells; /* what the points' cells point into */
} sn_points;

/* Groups the samples, which are sorted by their cells for it (by run where these are equal). */
sn_status sn_points_build(sn_points *points, const sn_varied *varied, sn_sample *samples, size_t n_samples,
                          sn_error *error);

void sn_points_reset(sn_points *points);

/* Appends what a message calls a point: "network.depth=50, network.skip.kind=none", or "all runs" without keys. */
void sn_point_name(const sn_point *point, const sn_varied *varied, sn_text *text);

/* The differences between skip kinds: a pair is two finished runs that differ in network.skip.kind and agree in the
 * seed and in all varied keys that runs of both kinds have.  The cell of the kind then reads "add - none", the later
 * kind of the table minus the earlier one; keys that runs of one kind have keep their value.  No points where the kind
 * is not varied. */
sn_status sn_differences_build(sn_points *points, sn_varied *varied, const sn_sample *samples, size_t n_samples,
                               sn_error *error);

/* The varied key that differences are taken over. */
#define SN_DIFFERENCE_KEY "network.skip.kind"

#endif
