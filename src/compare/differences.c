/* Owns the pairing of runs of two skip kinds.
 *
 * For each two kinds the runs of one are sorted by what both kinds have (common keys and seed), and those of the other
 * look their partners up: n log n, however many runs there are. */
#include <stdlib.h>
#include <string.h>

#include "compare/points.h"

typedef struct pairing {
    sn_varied *varied;
    size_t kind_column;
    bool *is_common;          /* (n_columns) both kinds have the key */
    const sn_sample **a, **b; /* finished runs of the two kinds; b sorted */
    size_t n_a, n_b;
    uint32_t label; /* "add - none" */

    sn_sample *pairs; /* cells and figures NULL until the arrays below have their size */
    size_t n_pairs, capacity;
    uint32_t *cells;     /* (n_pairs, n_columns) */
    sn_measure *figures; /* (n_pairs, SN_N_RUN_FIGURES) */
} pairing;

static int compare_common(const pairing *p, const sn_sample *a, const sn_sample *b) {
    for (size_t c = 0; c < p->varied->n_columns; c++) {
        if (p->is_common[c] && a->cells[c] != b->cells[c]) return a->cells[c] < b->cells[c] ? -1 : 1;
    }
    return 0;
}

static int by_common(const void *left, const void *right, void *context) {
    return compare_common(context, *(const sn_sample *const *)left, *(const sn_sample *const *)right);
}

static bool has_value(const sn_sample *const *runs, size_t n, size_t column) {
    for (size_t i = 0; i < n; i++) {
        if (runs[i]->cells[column] != SN_NO_STRING) return true;
    }
    return false;
}

static size_t collect(const sn_sample **out, const pairing *p, const sn_sample *samples, size_t n, uint32_t kind) {
    size_t n_out = 0;
    for (size_t i = 0; i < n; i++) {
        if (samples[i].is_finished && samples[i].cells[p->kind_column] == kind) out[n_out++] = &samples[i];
    }
    return n_out;
}

static bool reserve_pair(pairing *p) {
    size_t n_columns = p->varied->n_columns;
    if (p->n_pairs < p->capacity) return true;
    size_t capacity = p->capacity ? 2 * p->capacity : 256;
    sn_sample *pairs = realloc(p->pairs, capacity * sizeof *pairs);
    if (pairs) p->pairs = pairs;
    uint32_t *cells = realloc(p->cells, capacity * (n_columns + 1) * sizeof *cells);
    if (cells) p->cells = cells;
    sn_measure *figures = realloc(p->figures, capacity * SN_N_RUN_FIGURES * sizeof *figures);
    if (figures) p->figures = figures;
    if (!pairs || !cells || !figures) return false;
    p->capacity = capacity;
    return true;
}

static bool add_pair(pairing *p, const sn_sample *a, const sn_sample *b) {
    if (!reserve_pair(p)) return false;
    uint32_t *cells = p->cells + p->n_pairs * p->varied->n_columns;
    sn_measure *figures = p->figures + p->n_pairs * SN_N_RUN_FIGURES;
    for (size_t c = 0; c < p->varied->n_columns; c++)
        cells[c] = a->cells[c] != SN_NO_STRING ? a->cells[c] : b->cells[c];
    cells[p->kind_column] = p->label;
    for (int c = 0; c < SN_N_RUN_FIGURES; c++) {
        sn_measure x = a->figures[c], y = b->figures[c];
        figures[c] = x.is_measured && y.is_measured ? sn_measured(x.value - y.value) : SN_NOT_MEASURED;
    }
    bool is_diverged = a->is_diverged || b->is_diverged;
    p->pairs[p->n_pairs++] = (sn_sample){.run = a->run, .is_finished = true, .is_diverged = is_diverged};
    return true;
}

/* The first of the b that is not before `run`. */
static size_t lower_bound(const pairing *p, const sn_sample *run) {
    size_t low = 0, high = p->n_b;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_common(p, p->b[middle], run) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool pair_kinds(pairing *p) {
    sn_varied *v = p->varied;
    for (size_t c = 0; c < v->n_columns; c++)
        p->is_common[c] = c != p->kind_column && has_value(p->a, p->n_a, c) && has_value(p->b, p->n_b, c);
    qsort_r(p->b, p->n_b, sizeof *p->b, by_common, p);
    for (size_t i = 0; i < p->n_a; i++) {
        for (size_t j = lower_bound(p, p->a[i]); j < p->n_b && compare_common(p, p->a[i], p->b[j]) == 0; j++) {
            if (!add_pair(p, p->a[i], p->b[j])) return false;
        }
    }
    return true;
}

/* Skip kinds have the first numbers among the words, in the order of their table. */
static bool pair_all(pairing *p, const sn_sample *samples, size_t n, const uint32_t *kinds, size_t n_kinds) {
    sn_text label = SN_TEXT_EMPTY;
    bool ok = true;
    for (size_t i = 1; i < n_kinds && ok; i++) {
        for (size_t j = 0; j < i && ok; j++) {
            p->n_a = collect(p->a, p, samples, n, kinds[i]);
            p->n_b = collect(p->b, p, samples, n, kinds[j]);
            sn_text_clear(&label);
            sn_text_addf(&label, "%s - %s", sn_varied_text(p->varied, kinds[i]), sn_varied_text(p->varied, kinds[j]));
            p->label = label.failed ? SN_NO_STRING : sn_varied_word(p->varied, sn_text_string(&label));
            ok = p->label != SN_NO_STRING && pair_kinds(p);
        }
    }
    sn_text_free(&label);
    return ok;
}

/* The kinds that finished runs have, ascending; NULL when out of memory. */
static uint32_t *list_kinds(const pairing *p, const sn_sample *samples, size_t n, size_t *n_kinds) {
    size_t n_values = p->varied->values.n;
    uint32_t *kinds = malloc((n_values + 1) * sizeof *kinds);
    bool *is_there = calloc(n_values + 1, sizeof *is_there);
    for (size_t i = 0; i < n && is_there; i++) {
        uint32_t cell = samples[i].cells[p->kind_column];
        if (cell != SN_NO_STRING && samples[i].is_finished) is_there[cell] = true;
    }
    *n_kinds = 0;
    for (uint32_t k = 0; k < n_values && kinds && is_there; k++) {
        if (is_there[k]) kinds[(*n_kinds)++] = k;
    }
    if (!is_there) {
        free(kinds);
        kinds = NULL;
    }
    free(is_there);
    return kinds;
}

sn_status sn_differences_build(sn_points *points, sn_varied *varied, const sn_sample *samples, size_t n_samples,
                               sn_error *error) {
    pairing p = {.varied = varied, .kind_column = sn_varied_find(varied, SN_DIFFERENCE_KEY)};
    *points = (sn_points){0};
    if (p.kind_column == varied->n_columns) return SN_OK;
    size_t n_kinds = 0;
    uint32_t *kinds = list_kinds(&p, samples, n_samples, &n_kinds);
    p.is_common = calloc(varied->n_columns, sizeof *p.is_common);
    p.a = malloc((n_samples + 1) * sizeof *p.a);
    p.b = malloc((n_samples + 1) * sizeof *p.b);
    bool ok = kinds && p.is_common && p.a && p.b && pair_all(&p, samples, n_samples, kinds, n_kinds);
    for (size_t i = 0; i < p.n_pairs; i++) {
        p.pairs[i].cells = p.cells + i * varied->n_columns;
        p.pairs[i].figures = p.figures + i * SN_N_RUN_FIGURES;
    }
    sn_status status = ok ? sn_points_build(points, varied, p.pairs, p.n_pairs, error)
                          : sn_error_memory(error, n_samples * sizeof *p.a, "the pairs of runs");
    free(kinds);
    free(p.is_common);
    free(p.a);
    free(p.b);
    free(p.pairs);
    free(p.cells);
    free(p.figures);
    return status;
}
