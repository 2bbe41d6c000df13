/* Owns the columns of a comparison's sheets. */
#include "compare/sheets.h"

#include <stdlib.h>
#include <string.h>

#include "report/metrics.h"

/* ---- cells ---- */

static const sn_compared_run *run_of(const void *record) {
    const sn_run_row *row = record;
    return &row->comparison->runs[row->run];
}

sn_cell_value sn_run_path_cell(const sn_column *column, const void *row) {
    (void)column;
    return sn_cell_text(run_of(row)->path);
}

sn_cell_value sn_run_status_cell(const sn_column *column, const void *row) {
    (void)column;
    return sn_cell_text(run_of(row)->status);
}

static sn_cell_value key_cell(const sn_varied *varied, uint32_t cell) {
    return sn_cell_text(cell == SN_NO_STRING ? NULL : sn_varied_text(varied, cell));
}

sn_cell_value sn_run_key_cell(const sn_column *column, const void *row) {
    const sn_run_row *r = row;
    const sn_varied *varied = &r->comparison->varied;
    return key_cell(varied, sn_varied_cells(varied, r->run)[column->place]);
}

sn_cell_value sn_run_figure_cell(const sn_column *column, const void *row) {
    return sn_cell_measure(run_of(row)->figures[column->place]);
}

static sn_cell_value reason_cell(const sn_column *column, const void *row) {
    (void)column;
    return sn_cell_text(run_of(row)->reason);
}

static sn_cell_value equal_cell(const sn_column *column, const void *row) {
    const sn_run_row *r = row;
    size_t twin = run_of(row)->twin;
    (void)column;
    return sn_cell_text(twin == SN_NO_TWIN ? NULL : r->comparison->runs[twin].path);
}

static sn_cell_value point_key_cell(const sn_column *column, const void *row) {
    const sn_metric_row *r = row;
    return key_cell(r->varied, r->point->cells[column->place]);
}

static sn_cell_value metric_cell(const sn_column *column, const void *row) {
    (void)column;
    return sn_cell_text(((const sn_metric_row *)row)->metric);
}

/* ---- columns ---- */

static const sn_column run_column = {"run",         "string", "", "the run's directory", .value = sn_run_path_cell,
                                     .title = "run"};
static const sn_column status_column = {"status",
                                        "string",
                                        "",
                                        "done, diverged, running, interrupted, failed, missing or unreadable",
                                        .value = sn_run_status_cell,
                                        .title = "status"};
static const sn_column reason_column = {"reason", "string", "", "why the run failed or diverged", .value = reason_cell};
static const sn_column equal_column = {
    "equal_to", "string", "", "the run with the same config hash that counts in the means in place of this one",
    .value = equal_cell};
static const sn_column metric_column = {"metric", "string", "", "the column of runs.csv that the row is about",
                                        .value = metric_cell};

static const sn_column layer_columns[] = {
    {"step", "integer", "updates", "0, or the last update that was measured, of the run that came furthest",
     .value = sn_column_integer, .place = offsetof(sn_layer_row, step)},
    {"layer", "integer", "", "the hidden layer, 1 = nearest the input", .value = sn_column_integer,
     .place = offsetof(sn_layer_row, layer)},
    {"depth_frac", "number", "1", "0 = first hidden layer, 1 = last", .value = sn_column_number,
     .place = offsetof(sn_layer_row, depth_frac)},
    {.name = NULL},
};

const char *sn_key_title(const sn_varied *varied, size_t key) {
    const char *title = sn_varied_title(varied, key);
    for (int f = 0; f < SN_N_RUN_FIGURES; f++) {
        const char *taken = sn_run_figures[f].column.title;
        if (taken && strcmp(taken, title) == 0) return sn_varied_name(varied, key);
    }
    return title;
}

static sn_column *new_columns(const sn_varied *varied) {
    enum { FIRST_AND_LAST = 4, END = 1 };
    size_t n_keys = varied ? varied->n_columns : 1;
    size_t n_most = sn_column_total(sn_gradients_sheet.columns) + sn_column_total(sn_statistics) + SN_N_RUN_FIGURES;
    return calloc(n_keys + n_most + FIRST_AND_LAST + END, sizeof(sn_column));
}

/* These add columns and return where the next one goes. */

static sn_column *add_keys(sn_column *to, const sn_varied *varied, size_t n_keys) {
    if (!varied) {
        *to++ = (sn_column){.name = "KEY...", .help = "the varied keys, by their dotted names"};
        return to;
    }
    for (size_t c = 0; c < n_keys; c++) {
        *to++ = (sn_column){.name = sn_varied_name(varied, c),
                            .type = sn_varied_type(varied, c),
                            .unit = "",
                            .help = "the key of the config; empty: the config does not have it",
                            .value = sn_run_key_cell,
                            .place = c,
                            .title = sn_key_title(varied, c)};
    }
    return to;
}

static sn_column *add_figures(sn_column *to) {
    for (size_t f = 0; f < SN_N_RUN_FIGURES; f++) {
        *to = sn_run_figures[f].column;
        to->value = sn_run_figure_cell;
        to++->place = f;
    }
    return to;
}

static sn_column *add_all(sn_column *to, const sn_column *columns) {
    while (columns->name)
        *to++ = *columns++;
    return to;
}

sn_column *sn_runs_columns(const sn_varied *varied) {
    sn_column *columns = new_columns(varied), *to = columns;
    if (!columns) return NULL;
    *to++ = run_column;
    to = add_keys(to, varied, varied ? varied->n_columns : 0);
    *to++ = status_column;
    to = add_figures(to);
    *to++ = reason_column;
    *to = equal_column;
    return columns;
}

sn_column *sn_shown_columns(const sn_varied *varied) {
    sn_column *columns = new_columns(varied), *to = columns;
    if (!columns) return NULL;
    *to++ = run_column;
    *to++ = status_column;
    to = add_keys(to, varied, varied ? varied->n_columns : 0);
    add_figures(to);
    return columns;
}

sn_column *sn_profiles_columns(const sn_varied *varied) {
    sn_column *columns = new_columns(varied), *to = columns;
    if (!columns) return NULL;
    *to++ = run_column;
    to = add_keys(to, varied, varied ? varied->n_columns : 0);
    add_all(to, sn_gradients_sheet.columns);
    return columns;
}

static sn_column *add_point_keys(sn_column *columns, const sn_varied *varied) {
    sn_column *to = add_keys(columns, varied, varied ? varied->n_grid : 0);
    for (sn_column *key = columns; key < to; key++)
        key->value = point_key_cell;
    if (!varied) columns->help = "the varied keys but the seed";
    return to;
}

sn_column *sn_layers_columns(const sn_varied *varied) {
    sn_column *columns = new_columns(varied), *to = columns;
    if (!columns) return NULL;
    to = add_point_keys(to, varied);
    to = add_all(to, layer_columns);
    add_all(to, sn_statistics);
    return columns;
}

sn_column *sn_points_columns(const sn_varied *varied) {
    sn_column *columns = new_columns(varied), *to = columns;
    if (!columns) return NULL;
    to = add_point_keys(to, varied);
    *to++ = metric_column;
    add_all(to, sn_statistics);
    return columns;
}
