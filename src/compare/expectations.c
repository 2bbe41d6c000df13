/* Owns the reading and checking of expectations. */
#include "compare/expectations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/expectation.h"
#include "config/suggest.h"

/* ---- reading ---- */

enum { N_FIXED = 4 };
static const char *const fixed_names[N_FIXED] = {"metric", "statistic", "op", "value"};

static sn_status read_header(struct sn_expectations_file *file, sn_error *error) {
    const char *path = file->csv.path;
    size_t n = file->csv.n_cells;
    bool is_right = n >= N_FIXED;
    for (size_t i = 0; i < N_FIXED && is_right; i++)
        is_right = strcmp(file->csv.cells[n - N_FIXED + i], fixed_names[i]) == 0;
    if (!is_right) {
        return sn_error_set(error, SN_INVALID,
                            "%s:1: the header should be keys of the configs, then metric,statistic,op,value", path);
    }
    file->n_keys = n - N_FIXED;
    file->keys = calloc(file->n_keys + 1, sizeof *file->keys);
    if (!file->keys) return sn_error_memory(error, n, path);
    for (size_t i = 0; i < file->n_keys; i++)
        file->keys[i] = file->csv.cells[i];
    return SN_OK;
}

static void refuse_word(const char *path, size_t line, const char *what, const sn_suggestion *suggestion,
                        sn_error *error) {
    sn_text meant = SN_TEXT_EMPTY;
    sn_suggestion_write(suggestion, &meant);
    sn_error_add(error, SN_INVALID, "%s:%zu: unknown %s \"%s\"%s", path, line, what, suggestion->word,
                 sn_text_string(&meant));
    sn_text_free(&meant);
}

/* The number of the metric's column; -1, with a message, where there is none. */
static int find_metric(const char *path, size_t line, const char *name, sn_error *error) {
    int metrics[SN_N_RUN_FIGURES], n = sn_metric_figures(metrics);
    sn_suggestion suggestion = sn_suggestion_for(name, NULL);
    for (int m = 0; m < n; m++) {
        if (strcmp(sn_run_figures[metrics[m]].column.name, name) == 0) return metrics[m];
        sn_suggestion_offer(&suggestion, sn_run_figures[metrics[m]].column.name);
    }
    refuse_word(path, line, "metric", &suggestion, error);
    return -1;
}

static int find_statistic(const char *path, size_t line, const char *name, sn_error *error) {
    sn_suggestion suggestion = sn_suggestion_for(name, NULL);
    for (int s = 0; sn_statistics[s].name; s++) {
        if (strcmp(sn_statistics[s].name, name) == 0) return s;
        sn_suggestion_offer(&suggestion, sn_statistics[s].name);
    }
    refuse_word(path, line, "statistic", &suggestion, error);
    return -1;
}

/* inf is a number here, nan is not: nothing compares with it. */
static bool read_number(const char *text, double *value) {
    char *end = NULL;
    *value = strtod(text, &end);
    return end != text && !*end && !isnan(*value);
}

static sn_status read_row(struct sn_expectations_file *file, sn_expectation *row, sn_error *error) {
    const char *path = file->csv.path;
    char *const *cells = file->csv.cells, *const *fixed = cells + file->n_keys;
    size_t line = file->csv.row;
    *row = (sn_expectation){.line = line};
    if (file->csv.n_cells != file->n_keys + N_FIXED) {
        return sn_error_add(error, SN_INVALID, "%s:%zu: %zu cells, the header has %zu", path, line, file->csv.n_cells,
                            file->n_keys + N_FIXED);
    }
    row->cells = calloc(file->n_keys + 1, sizeof *row->cells);
    if (!row->cells) return sn_error_memory(error, file->n_keys, path);
    memcpy(row->cells, cells, file->n_keys * sizeof *row->cells);
    row->metric = find_metric(path, line, fixed[0], error);
    row->statistic = find_statistic(path, line, fixed[1], error);
    row->op = fixed[2];
    if (!sn_op_is_known(fixed[2])) {
        sn_error_add(error, SN_INVALID, "%s:%zu: unknown op \"%s\" (one of: %s)", path, line, fixed[2], SN_OP_NAMES);
    }
    row->value_text = fixed[3];
    if (!read_number(fixed[3], &row->value)) {
        sn_error_add(error, SN_INVALID, "%s:%zu: the value \"%s\" is not a number", path, line, fixed[3]);
    }
    return SN_OK;
}

static sn_status read_rows(sn_expectations *expectations, sn_error *error) {
    struct sn_expectations_file *file = expectations->file;
    size_t most = sn_csv_rows_left(&file->csv, file->n_keys + N_FIXED);
    file->rows = calloc(most + 2, sizeof *file->rows);
    if (!file->rows) return sn_error_memory(error, most * sizeof *file->rows, file->csv.path);
    for (;;) {
        bool is_end = false;
        sn_error broken;
        sn_error_clear(&broken);
        sn_status status = sn_csv_next(&file->csv, &is_end, &broken);
        if (status) return sn_error_add(error, status, "%s", broken.text);
        if (is_end) break;
        status = read_row(file, &file->rows[expectations->n], error);
        expectations->n += file->rows[expectations->n].cells != NULL;
        if (status == SN_FAILED) return status;
    }
    if (expectations->n == 0 && error->status == SN_OK) {
        sn_error_set(error, SN_INVALID, "%s:1: nothing but a header: there is nothing to expect", file->csv.path);
    }
    return error->status;
}

sn_status sn_expectations_read(sn_expectations *expectations, const char *path, sn_error *error) {
    *expectations = (sn_expectations){.file = calloc(1, sizeof *expectations->file)};
    if (!expectations->file) return sn_error_memory(error, sizeof *expectations->file, path);
    bool is_end = false;
    sn_status status = sn_csv_open(&expectations->file->csv, path, ',', error);
    if (!status) status = sn_csv_next(&expectations->file->csv, &is_end, error);
    if (!status) status = read_header(expectations->file, error);
    if (!status) status = read_rows(expectations, error);
    if (status) sn_expectations_reset(expectations);
    return status;
}

void sn_expectations_reset(sn_expectations *expectations) {
    struct sn_expectations_file *file = expectations->file;
    for (size_t i = 0; file && i < expectations->n; i++)
        free(file->rows[i].cells);
    if (file) {
        free(file->rows);
        free(file->keys);
        sn_csv_close(&file->csv);
    }
    free(file);
    *expectations = (sn_expectations){0};
}
