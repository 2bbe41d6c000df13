/* Owns the gradients by layer over the runs of a point, and layers.csv. */
#include "compare/profiles.h"

#include <stdlib.h>

#include "compare/sheets.h"

enum { DIGITS = 17 };

/* ---- taking ---- */

typedef struct taking {
    sn_profiles *profiles;
    size_t run;
} taking;

static void take_layer(void *context, const sn_profile_layer *layer) {
    const taking *at = context;
    sn_profiles *profiles = at->profiles;
    if (!layer->depth_frac.is_measured || !layer->log10_delta.is_measured || profiles->failed) return;
    if (profiles->n == profiles->capacity) {
        size_t capacity = profiles->capacity ? 2 * profiles->capacity : 1024;
        sn_profile_value *values = realloc(profiles->values, capacity * sizeof *values);
        profiles->failed = !values;
        if (!values) return;
        profiles->values = values;
        profiles->capacity = capacity;
    }
    profiles->values[profiles->n++] = (sn_profile_value){(uint32_t)at->run, layer->layer, layer->is_last,
                                                         layer->depth_frac.value, layer->log10_delta.value};
}

sn_status sn_profiles_take(sn_profiles *profiles, size_t run, const sn_run_profile_reader *reader, sn_error *error) {
    taking at = {profiles, run};
    sn_run_profile_layers(reader, take_layer, &at);
    return profiles->failed ? sn_error_memory(error, profiles->n * sizeof *profiles->values, "the layers of all runs")
                            : SN_OK;
}

void sn_profiles_reset(sn_profiles *profiles) {
    free(profiles->values);
    *profiles = (sn_profiles){0};
}

/* ---- layers.csv ---- */

/* By point, step 0 first, then layer; runs in their order. */
static int compare_layers(const sn_comparison *comparison, const sn_profile_value *a, const sn_profile_value *b) {
    size_t p = comparison->runs[a->run].point, q = comparison->runs[b->run].point;
    if (p != q) return p < q ? -1 : 1;
    if (a->is_last != b->is_last) return a->is_last ? 1 : -1;
    return (a->layer > b->layer) - (a->layer < b->layer);
}

static int by_layer(const void *left, const void *right, void *context) {
    const sn_profile_value *a = left, *b = right;
    int order = compare_layers(context, a, b);
    return order ? order : (a->run > b->run) - (a->run < b->run);
}

/* The values of one layer of one point at one time: (n) from `first` on. */
static void add_layer(const sn_comparison *comparison, const sn_profile_value *first, size_t n, double *values,
                      const sn_column *columns, sn_text *text) {
    const sn_point *point = &comparison->points.items[comparison->runs[first->run].point];
    sn_layer_row row = {
        .at = {.varied = &comparison->varied, .point = point}, .layer = first->layer, .depth_frac = first->depth_frac};
    for (size_t i = 0; i < n; i++) {
        int64_t step = comparison->runs[first[i].run].last_step;
        values[i] = first[i].log10_delta;
        if (first->is_last && step > row.step) row.step = step;
    }
    sn_figure_compute(&row.at.figure, values, n, point->n_runs, point->n_diverged);
    sn_csv_row(text, columns, &row, DIGITS);
}

/* `sorted` and `values` have room for all layers and all runs. */
static void add_layers(const sn_comparison *comparison, sn_profile_value *sorted, double *values,
                       const sn_column *columns, sn_text *text) {
    const sn_profiles *profiles = &comparison->by_layer;
    size_t n = 0;
    for (size_t i = 0; i < profiles->n; i++) {
        if (comparison->runs[profiles->values[i].run].twin == SN_NO_TWIN) sorted[n++] = profiles->values[i];
    }
    qsort_r(sorted, n, sizeof *sorted, by_layer, (void *)comparison);
    sn_csv_header(text, columns);
    for (size_t begin = 0, end = 0; begin < n && !text->failed; begin = end) {
        for (end = begin + 1; end < n && compare_layers(comparison, &sorted[begin], &sorted[end]) == 0;)
            end++;
        add_layer(comparison, sorted + begin, end - begin, values, columns, text);
    }
}

void sn_comparison_layers_csv(const sn_comparison *comparison, sn_text *text) {
    sn_column *columns = sn_layers_columns(&comparison->varied);
    sn_profile_value *sorted = malloc((comparison->by_layer.n + 1) * sizeof *sorted);
    double *values = malloc((comparison->n + 1) * sizeof *values);
    if (columns && sorted && values) {
        add_layers(comparison, sorted, values, columns, text);
    } else {
        text->failed = true;
    }
    free(columns);
    free(sorted);
    free(values);
}
