/* Owns the choice of the varied keys. */
#include <stdlib.h>
#include <string.h>

#include "compare/settings.h"

/* Elements of a list that are keys of their own at most; more differences make the list one value. */
enum { MAX_ELEMENTS = 8 };

/* ---- which keys can be varied at all ---- */

static size_t count_known(const sn_varied *v) {
    size_t n = 0;
    for (size_t i = 0; i < v->n_runs; i++)
        n += sn_varied_knows(v, i);
    return n;
}

/* A list or its elements, not both. */
static bool is_whole(const struct sn_key_facts *list, size_t n_known) {
    return list->is_ragged || list->n_many > MAX_ELEMENTS || list->n_runs < n_known;
}

static void rule_out(sn_varied *v, bool data_differ) {
    size_t n_keys = v->paths.n, n_known = count_known(v);
    for (size_t k = 0; k < n_keys; k++) {
        const struct sn_key_facts *key = &v->keys[k];
        if (key->list == SN_NO_STRING) continue;
        struct sn_key_facts *list = &v->keys[key->list];
        list->n_many += key->is_many;
        list->is_ragged = list->is_ragged || key->n_runs != list->n_runs;
    }
    for (size_t k = 0; k < n_keys; k++) {
        struct sn_key_facts *key = &v->keys[k];
        bool in_list = key->list != SN_NO_STRING;
        key->is_out = (key->is_path && !data_differ) || (key->is_list && !is_whole(key, n_known)) ||
                      (in_list && is_whole(&v->keys[key->list], n_known));
        key->is_varied = key->is_many && !key->is_out;
    }
}

/* ---- the table of cells ---- */

static bool is_seed(const sn_varied *v, uint32_t key) {
    return strcmp(v->paths.strings[key], "seed") == 0;
}

static void list_columns(sn_varied *v) {
    v->n_columns = v->n_grid = 0;
    uint32_t seed = SN_NO_STRING;
    for (uint32_t k = v->first; k != SN_NO_STRING; k = v->keys[k].next) {
        if (!v->keys[k].is_varied) continue;
        if (is_seed(v, k)) {
            seed = k;
        } else {
            v->columns[v->n_columns++] = k;
        }
    }
    v->n_grid = v->n_columns;
    if (seed != SN_NO_STRING) v->columns[v->n_columns++] = seed;
}

/* `where` (n_keys) is a key's column. */
static bool fill_cells(sn_varied *v, uint32_t *where) {
    list_columns(v);
    size_t n = v->n_runs * v->n_columns;
    uint32_t *cells = realloc(v->cells, (n + 1) * sizeof *cells);
    if (!cells) return false;
    v->cells = cells;
    memset(cells, 0xff, n * sizeof *cells); /* SN_NO_STRING */
    memset(where, 0xff, v->paths.n * sizeof *where);
    for (size_t c = 0; c < v->n_columns; c++)
        where[v->columns[c]] = (uint32_t)c;
    for (size_t i = 0; i < v->n_runs; i++) {
        for (size_t s = 0; s < v->runs[i].n; s++) {
            const struct sn_setting *setting = &v->settings[v->runs[i].first + s];
            if (where[setting->key] != SN_NO_STRING) cells[i * v->n_columns + where[setting->key]] = setting->value;
        }
    }
    return true;
}

/* ---- keys that only some runs have ---- */

static int compare_cells(const void *left, const void *right, void *context) {
    const sn_varied *v = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return memcmp(sn_varied_cells(v, a), sn_varied_cells(v, b), v->n_columns * sizeof *v->cells);
}

/* Marks the keys that some runs of the group have and others do not. */
static void examine_group(sn_varied *v, const size_t *group, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct sn_run_settings *run = &v->runs[group[i]];
        for (size_t s = 0; s < run->n; s++)
            v->keys[v->settings[run->first + s].key].n_in_group++;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sn_run_settings *run = &v->runs[group[i]];
        for (size_t s = 0; s < run->n; s++) {
            struct sn_key_facts *key = &v->keys[v->settings[run->first + s].key];
            if (key->n_in_group > 0 && key->n_in_group < n) key->is_unexplained = true;
            key->n_in_group = 0;
        }
    }
}

/* The first key whose presence the varied ones do not explain becomes varied itself; false: there is none. */
static bool add_unexplained(sn_varied *v, size_t *order) {
    size_t n = 0;
    for (size_t i = 0; i < v->n_runs; i++) {
        if (sn_varied_knows(v, i)) order[n++] = i;
    }
    qsort_r(order, n, sizeof *order, compare_cells, v);
    for (size_t k = 0; k < v->paths.n; k++)
        v->keys[k].is_unexplained = false;
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        for (end = begin + 1; end < n && compare_cells(&order[begin], &order[end], v) == 0;)
            end++;
        examine_group(v, order + begin, end - begin);
    }
    for (uint32_t k = v->first; k != SN_NO_STRING; k = v->keys[k].next) {
        if (v->keys[k].is_out || v->keys[k].is_varied || !v->keys[k].is_unexplained) continue;
        v->keys[k].is_varied = true;
        return true;
    }
    return false;
}

sn_status sn_varied_select(sn_varied *varied, bool data_differ, sn_error *error) {
    sn_varied *v = varied;
    size_t n_keys = v->paths.n, n_runs = v->n_runs;
    uint32_t *where = malloc((n_keys + 1) * sizeof *where);
    size_t *order = malloc((n_runs + 1) * sizeof *order);
    free(v->columns);
    v->columns = malloc((n_keys + 1) * sizeof *v->columns);
    bool ok = where && order && v->columns;
    if (ok) rule_out(v, data_differ);
    do {
        ok = ok && fill_cells(v, where);
    } while (ok && add_unexplained(v, order));
    free(where);
    free(order);
    return ok ? SN_OK : sn_error_memory(error, (n_runs + n_keys) * sizeof *order, "the varied keys");
}
