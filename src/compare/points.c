/* Owns the grouping into grid points: sort, then cut where the cells change. */
#include "compare/points.h"

#include <stdlib.h>
#include <string.h>

static int compare_columns(const sn_varied *varied, const uint32_t *a, const uint32_t *b, size_t n_columns) {
    int order = 0;
    for (size_t c = 0; c < n_columns && order == 0; c++)
        order = sn_varied_order(varied, a[c], b[c]);
    return order;
}

static int by_cells(const void *left, const void *right, void *context) {
    const sn_varied *varied = context;
    const sn_sample *a = left, *b = right;
    int order = compare_columns(varied, a->cells, b->cells, varied->n_columns);
    return order ? order : (a->run > b->run) - (a->run < b->run);
}

static void compute_figures(sn_point *point, const sn_sample *samples, double *values) {
    for (size_t i = 0; i < point->n_samples; i++) {
        point->n_runs += samples[i].is_finished;
        point->n_diverged += samples[i].is_finished && samples[i].is_diverged;
        point->n_missing += samples[i].is_missing;
        point->n_failed += samples[i].is_failed;
        point->n_running += samples[i].is_running;
    }
    for (int c = 0; c < SN_N_RUN_FIGURES; c++) {
        size_t n = 0;
        for (size_t i = 0; i < point->n_samples; i++) {
            sn_measure figure = samples[i].figures[c];
            if (samples[i].is_finished && figure.is_measured) values[n++] = figure.value;
        }
        sn_figure_compute(&point->figures[c], values, n, point->n_runs, point->n_diverged);
        point->figures[c].n_unfinished = point->n_samples - point->n_runs;
        point->figures[c].n_missing = point->n_missing;
        point->figures[c].n_failed = point->n_failed;
        point->figures[c].n_running = point->n_running;
    }
}

static size_t end_of_point(const sn_varied *varied, const sn_sample *samples, size_t begin, size_t n) {
    size_t end = begin + 1;
    while (end < n && compare_columns(varied, samples[begin].cells, samples[end].cells, varied->n_grid) == 0)
        end++;
    return end;
}

sn_status sn_points_build(sn_points *points, const sn_varied *varied, sn_sample *samples, size_t n_samples,
                          sn_error *error) {
    size_t n_columns = varied->n_columns, n_points = 0;
    *points = (sn_points){0};
    if (n_samples > 0) qsort_r(samples, n_samples, sizeof *samples, by_cells, (void *)varied);
    for (size_t begin = 0; begin < n_samples; begin = end_of_point(varied, samples, begin, n_samples))
        n_points++;
    points->items = calloc(n_points + 1, sizeof *points->items);
    points->cells = calloc(n_points * n_columns + 1, sizeof *points->cells);
    double *values = malloc((n_samples + 1) * sizeof *values);
    if (!points->items || !points->cells || !values) {
        free(values);
        sn_points_reset(points);
        return sn_error_memory(error, n_points * sizeof *points->items, "the grid points");
    }
    for (size_t begin = 0, end = 0; begin < n_samples; begin = end, points->n++) {
        end = end_of_point(varied, samples, begin, n_samples);
        uint32_t *cells = points->cells + points->n * n_columns;
        memcpy(cells, samples[begin].cells, n_columns * sizeof *cells);
        sn_point *point = &points->items[points->n];
        *point = (sn_point){.cells = cells, .run = samples[begin].run, .n_samples = end - begin};
        compute_figures(point, samples + begin, values);
    }
    free(values);
    return SN_OK;
}

void sn_points_reset(sn_points *points) {
    free(points->items);
    free(points->cells);
    *points = (sn_points){0};
}

void sn_point_name(const sn_point *point, const sn_varied *varied, sn_text *text) {
    const char *comma = "";
    for (size_t c = 0; c < varied->n_grid; c++) {
        if (point->cells[c] == SN_NO_STRING) continue;
        sn_text_addf(text, "%s%s=%s", comma, sn_varied_name(varied, c), sn_varied_text(varied, point->cells[c]));
        comma = ", ";
    }
    if (!*comma) sn_text_add(text, "all runs");
}
