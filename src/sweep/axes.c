/* Owns the reading of axes.  See axes.h for the contract. */
#include "sweep/axes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/hash.h"
#include "base/text.h"

/* ---- values that are there twice ---- */

typedef struct fingerprint {
    uint64_t hash;
    size_t value;
} fingerprint;

static int by_hash(const void *left, const void *right) {
    const fingerprint *a = left, *b = right;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

static bool are_equal(const sn_axis *axis, size_t a, size_t b) {
    for (size_t k = 0; k < axis->n_keys; k++) {
        if (strcmp(axis->sets[a * axis->n_keys + k], axis->sets[b * axis->n_keys + k]) != 0) return false;
    }
    return true;
}

/* Finds the first value that repeats an earlier one; n_values where none does. */
static sn_status find_repeated(const sn_axis *axis, size_t *value, size_t *earlier, sn_error *error) {
    size_t n = axis->n_values;
    fingerprint *prints = calloc(n + 1, sizeof *prints);
    if (!prints) return sn_error_memory(error, n * sizeof *prints, "the values of an axis");
    for (size_t i = 0; i < n; i++) {
        prints[i].value = i;
        for (size_t k = 0; k < axis->n_keys; k++) {
            const char *set = axis->sets[i * axis->n_keys + k];
            prints[i].hash = sn_hash(set, strlen(set) + 1, prints[i].hash);
        }
    }
    qsort(prints, n, sizeof *prints, by_hash);
    *value = n;
    for (size_t i = 1; i < n; i++) {
        const fingerprint *a = &prints[i - 1], *b = &prints[i];
        if (a->hash != b->hash || b->value > *value || !are_equal(axis, a->value, b->value)) continue;
        *value = b->value;
        *earlier = a->value;
    }
    free(prints);
    return SN_OK;
}

/* ---- grids ---- */

/* The end of a value: the comma behind it, or the end of the text; NULL where a bracket or quote is not closed. */
static const char *end_of_value(const char *value) {
    if (!*value || !strchr("{[\"", *value)) return value + strcspn(value, ",");
    int depth = 0;
    bool in_string = false;
    const char *p = value;
    for (; *p && (*p != ',' || depth > 0 || in_string); p++) {
        if (in_string && *p == '\\' && p[1]) {
            p++;
        } else if (*p == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        }
    }
    return depth > 0 || in_string ? NULL : p;
}

static sn_status add_value(sn_axis *axis, sn_pool *pool, const char *value, size_t length, sn_error *error) {
    size_t n_key = strlen(axis->keys[0]);
    char *set = sn_pool_alloc(pool, n_key + length + 2);
    if (!set) return sn_error_memory(error, length, "the values of --grid");
    memcpy(set, axis->keys[0], n_key);
    set[n_key] = '=';
    memcpy(set + n_key + 1, value, length);
    axis->origins[axis->n_values] = "--grid";
    axis->sets[axis->n_values++] = set;
    return SN_OK;
}

static sn_status read_values(sn_axis *axis, sn_pool *pool, const char *grid, const char *values, sn_error *error) {
    const char *value = values;
    for (;;) {
        const char *end = end_of_value(value);
        if (!end) {
            return sn_error_set(error, SN_INVALID, "--grid %s: the value %s is not closed", grid, value);
        }
        if (end == value) {
            return sn_error_set(error, SN_INVALID, "--grid %s: an empty value (an empty text is written \"\")", grid);
        }
        sn_status status = add_value(axis, pool, value, (size_t)(end - value), error);
        if (status || !*end) return status;
        value = end + 1;
    }
}

sn_status sn_axis_grid(sn_axis *axis, sn_pool *pool, const char *grid, sn_error *error) {
    const char *equals = strchr(grid, '=');
    if (!equals || equals == grid) {
        return sn_error_set(error, SN_INVALID, "--grid %s: no %s, expected KEY=VALUE,VALUE...", grid,
                            equals ? "key before the \"=\"" : "\"=\"");
    }
    size_t most = 2;
    for (const char *p = equals; *p; p++)
        most += *p == ',';
    char *key = sn_pool_alloc(pool, (size_t)(equals - grid) + 1);
    *axis = (sn_axis){.n_keys = 1,
                      .keys = sn_pool_alloc(pool, sizeof *axis->keys),
                      .sets = sn_pool_alloc(pool, most * sizeof *axis->sets),
                      .origins = sn_pool_alloc(pool, most * sizeof *axis->origins)};
    if (!key || !axis->keys || !axis->sets || !axis->origins)
        return sn_error_memory(error, most * sizeof *axis->sets, "the values of --grid");
    memcpy(key, grid, (size_t)(equals - grid));
    axis->keys[0] = key;
    size_t value = 0, earlier = 0;
    sn_status status = read_values(axis, pool, grid, equals + 1, error);
    if (!status) status = find_repeated(axis, &value, &earlier, error);
    if (status || value == axis->n_values) return status;
    return sn_error_set(error, SN_INVALID, "--grid %s: the value %s is there twice", grid,
                        strchr(axis->sets[value], '=') + 1);
}

/* ---- points ---- */

typedef struct reading {
    sn_axis *axis;
    sn_pool *pool;
    sn_csv csv;
    sn_error *error;
} reading;

static sn_status take_header(reading *r) {
    sn_csv *csv = &r->csv;
    sn_axis *axis = r->axis;
    size_t n = csv->n_cells, most = sn_csv_rows_left(csv, n) + 1;
    *axis = (sn_axis){.n_keys = n,
                      .keys = sn_pool_alloc(r->pool, n * sizeof *axis->keys),
                      .sets = sn_pool_alloc(r->pool, most * n * sizeof *axis->sets),
                      .origins = sn_pool_alloc(r->pool, most * sizeof *axis->origins)};
    if (!axis->keys || !axis->sets || !axis->origins) return sn_error_memory(r->error, most * n, csv->path);
    for (size_t k = 0; k < n; k++) {
        axis->keys[k] = sn_pool_string(r->pool, csv->cells[k]);
        if (!axis->keys[k]) return sn_error_memory(r->error, strlen(csv->cells[k]), csv->path);
        if (!*axis->keys[k])
            return sn_error_set(r->error, SN_INVALID,
                                "--points %s: row 1: cell %zu is empty, expected a key such as network.depth",
                                csv->path, k + 1);
        if (strchr(axis->keys[k], '='))
            return sn_error_set(r->error, SN_INVALID,
                                "--points %s: row 1: %s is no key (the header names the keys, the rows give values)",
                                csv->path, axis->keys[k]);
    }
    return SN_OK;
}

static sn_status take_row(reading *r) {
    const sn_csv *csv = &r->csv;
    sn_axis *axis = r->axis;
    if (csv->n_cells != axis->n_keys) {
        return sn_error_set(r->error, SN_INVALID, "--points %s: row %zu: %zu cells, the header has %zu keys", csv->path,
                            csv->row, csv->n_cells, axis->n_keys);
    }
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "--points %s: row %zu:", csv->path, csv->row);
    const char *origin = text.failed ? NULL : sn_pool_string(r->pool, sn_text_string(&text));
    sn_status status = origin ? SN_OK : sn_error_memory(r->error, strlen(csv->path), csv->path);
    for (size_t k = 0; k < axis->n_keys && !status; k++) {
        sn_text_clear(&text);
        sn_text_addf(&text, "%s=%s", axis->keys[k], csv->cells[k]);
        const char *set = text.failed ? NULL : sn_pool_string(r->pool, sn_text_string(&text));
        axis->sets[axis->n_values * axis->n_keys + k] = set;
        if (!set) status = sn_error_memory(r->error, strlen(csv->cells[k]), csv->path);
        if (!status && !csv->cells[k][0]) {
            status = sn_error_set(r->error, SN_INVALID,
                                  "%s an empty cell under %s (write the value that the config has, or \"\"\"\"\"\" for "
                                  "an empty text)",
                                  origin, axis->keys[k]);
        }
    }
    axis->origins[axis->n_values++] = origin;
    sn_text_free(&text);
    return status;
}

static sn_status read_rows(reading *r) {
    bool is_end = false;
    sn_status status = sn_csv_next(&r->csv, &is_end, r->error);
    if (!status) status = take_header(r);
    while (!status && !is_end) {
        status = sn_csv_next(&r->csv, &is_end, r->error);
        if (!status && !is_end) status = take_row(r);
    }
    if (!status && r->axis->n_values == 0)
        status = sn_error_set(r->error, SN_INVALID, "--points %s: a header and no rows", r->csv.path);
    return status;
}

sn_status sn_axis_points(sn_axis *axis, sn_pool *pool, const char *path, sn_error *error) {
    reading r = {.axis = axis, .pool = pool, .error = error};
    sn_status status = sn_csv_open(&r.csv, path, ',', error);
    if (status) return status;
    size_t value = 0, earlier = 0;
    status = read_rows(&r);
    if (!status) status = find_repeated(axis, &value, &earlier, error);
    if (!status && value < axis->n_values) { /* the header is row 1, and rows are counted from there */
        status = sn_error_set(error, SN_INVALID, "--points %s: row %zu repeats row %zu", path, value + 2, earlier + 2);
    }
    sn_csv_close(&r.csv);
    return status;
}

/* ---- all axes ---- */

/* Whether `key` holds `below`: "network.skip" holds "network.skip.kind". */
static bool holds(const char *key, const char *below) {
    size_t n = strlen(key);
    return strncmp(key, below, n) == 0 && below[n] == '.';
}

static sn_status check_pair(const char *before, const char *origin, const char *key, const char *key_origin,
                            sn_error *error) {
    if (strcmp(before, key) == 0) {
        return sn_error_set(error, SN_INVALID, "%s %s: the key is also given by %s: give it once", key_origin, key,
                            origin);
    }
    if (holds(key, before)) {
        return sn_error_set(error, SN_INVALID,
                            "%s %s: it would replace %s, which %s sets before it (sweep keys below it instead)",
                            key_origin, key, before, origin);
    }
    return SN_OK;
}

static const char *name_of(const sn_axis *axis) {
    return strncmp(axis->origins[0], "--points", 8) == 0 ? "--points" : axis->origins[0];
}

static sn_status check_sets(const char *key, const char *origin, const char *const *sets, size_t n_sets,
                            sn_error *error) {
    sn_status status = SN_OK;
    for (size_t i = 0; i < n_sets && !status; i++) {
        char *set = sn_string_copy(sets[i]);
        if (!set) return sn_error_memory(error, strlen(sets[i]), "a key");
        set[strcspn(set, "=")] = '\0';
        status = check_pair(set, "--set", key, origin, error);
        free(set);
    }
    return status;
}

/* A key against all before it: the sets, the axes before, its own axis up to it. */
static sn_status check_key(const sn_axis *axes, size_t axis, size_t k, sn_error *error) {
    const char *key = axes[axis].keys[k], *origin = name_of(&axes[axis]);
    sn_status status = SN_OK;
    for (size_t a = 0; a <= axis && !status; a++) {
        size_t n = a < axis ? axes[a].n_keys : k;
        for (size_t b = 0; b < n && !status; b++)
            status = check_pair(axes[a].keys[b], name_of(&axes[a]), key, origin, error);
    }
    return status;
}

sn_status sn_axes_check(const sn_axis *axes, size_t n_axes, const char *const *sets, size_t n_sets, sn_error *error) {
    sn_status status = SN_OK;
    for (size_t a = 0; a < n_axes; a++) {
        for (size_t k = 0; k < axes[a].n_keys && !status; k++) {
            status = check_key(axes, a, k, error);
            if (!status) status = check_sets(axes[a].keys[k], name_of(&axes[a]), sets, n_sets, error);
        }
    }
    return status;
}
