/* Owns the search for equal runs: sort by the varied keys, then look within what agrees in them.  A cell that has no
 * run has no hash either: its keys say which it would be. */
#include "compare/twins.h"

#include <stdlib.h>
#include <string.h>

bool sn_compared_run_is_listed(const sn_compared_run *run) {
    return !run->is_missing || run->twin == SN_NO_TWIN;
}

static int compare_cells(const sn_varied *v, size_t a, size_t b) {
    return memcmp(sn_varied_cells(v, a), sn_varied_cells(v, b), v->n_columns * sizeof *v->cells);
}

/* The best to count first: finished, then found first. */
static int by_cells(const void *left, const void *right, void *context) {
    const sn_comparison *comparison = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    const sn_compared_run *x = &comparison->runs[a], *y = &comparison->runs[b];
    int order = compare_cells(&comparison->varied, a, b);
    if (order) return order;
    if (x->is_missing != y->is_missing) return x->is_missing - y->is_missing;
    if (x->is_finished != y->is_finished) return y->is_finished - x->is_finished;
    return (a > b) - (a < b);
}

static bool are_equal(const sn_compared_run *a, const sn_compared_run *b) {
    return b->is_missing || (a->config_hash != 0 && a->config_hash == b->config_hash);
}

/* Of runs with equal cells, in the order of by_cells. */
static void mark_group(sn_comparison *comparison, const size_t *group, size_t n) {
    for (size_t i = 1; i < n; i++) {
        sn_compared_run *run = &comparison->runs[group[i]];
        for (size_t j = 0; j < i && run->twin == SN_NO_TWIN; j++) {
            const sn_compared_run *other = &comparison->runs[group[j]];
            if (other->twin == SN_NO_TWIN && are_equal(other, run)) run->twin = group[j];
        }
    }
}

static void note_twins(sn_comparison *comparison) {
    const sn_compared_run *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < comparison->n; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        if (run->twin == SN_NO_TWIN || run->is_missing) continue;
        if (n++ == 0) first = run;
    }
    if (!first) return;
    const char *twin = comparison->runs[first->twin].path;
    if (n == 1) {
        sn_note_always(&comparison->notes, "%s is the same run as %s (equal config hash): it counts once", first->path,
                       twin);
    } else {
        sn_note_always(&comparison->notes,
                       "%zu runs are the same as others (equal config hash), %s as %s and so on: each counts once", n,
                       first->path, twin);
    }
}

sn_status sn_twins_find(sn_comparison *comparison, sn_error *error) {
    const sn_varied *varied = &comparison->varied;
    size_t *order = malloc((comparison->n + 1) * sizeof *order), n = 0;
    if (!order) return sn_error_memory(error, comparison->n * sizeof *order, "the runs");
    for (size_t i = 0; i < comparison->n; i++) {
        if (sn_varied_knows(varied, i)) order[n++] = i;
    }
    qsort_r(order, n, sizeof *order, by_cells, comparison);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        for (end = begin + 1; end < n && compare_cells(varied, order[begin], order[end]) == 0;)
            end++;
        mark_group(comparison, order + begin, end - begin);
    }
    free(order);
    note_twins(comparison);
    return SN_OK;
}
