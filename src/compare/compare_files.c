/* Owns the CSV files of a comparison, but for the rows of profiles.csv (run_profile.c). */
#include <stdlib.h>

#include "compare/compare.h"
#include "compare/sheets.h"

enum { DIGITS = 17 };

void sn_comparison_runs_csv(const sn_comparison *comparison, sn_text *text) {
    sn_column *columns = sn_runs_columns(&comparison->varied);
    text->failed |= !columns;
    if (columns) sn_csv_header(text, columns);
    for (size_t i = 0; i < comparison->n && columns; i++) {
        if (sn_compared_run_is_listed(&comparison->runs[i]))
            sn_csv_row(text, columns, &(sn_run_row){comparison, i}, DIGITS);
    }
    free(columns);
}

static void add_point(const sn_varied *varied, const sn_point *point, const sn_column *columns, sn_text *text) {
    int metrics[SN_N_RUN_FIGURES], n_metrics = sn_metric_figures(metrics);
    for (int m = 0; m < n_metrics; m++) {
        const sn_metric_row row = {point->figures[metrics[m]], varied, point, sn_run_figures[metrics[m]].column.name};
        sn_csv_row(text, columns, &row, DIGITS);
    }
}

void sn_comparison_points_csv(const sn_comparison *comparison, const sn_points *points, sn_text *text) {
    sn_column *columns = sn_points_columns(&comparison->varied);
    text->failed |= !columns;
    if (columns) sn_csv_header(text, columns);
    for (size_t i = 0; i < points->n && columns; i++)
        add_point(&comparison->varied, &points->items[i], columns, text);
    free(columns);
}

void sn_comparison_profiles_header(const sn_comparison *comparison, sn_text *text) {
    sn_column *columns = sn_profiles_columns(&comparison->varied);
    text->failed |= !columns;
    if (columns) sn_csv_header(text, columns);
    free(columns);
}

void sn_comparison_profiles_prefix(const sn_comparison *comparison, size_t run, sn_text *text) {
    const sn_run_row row = {comparison, run};
    sn_cell_value cell = sn_run_path_cell(NULL, &row);
    sn_csv_cell(text, &cell, DIGITS);
    sn_text_add(text, ",");
    for (size_t c = 0; c < comparison->varied.n_columns; c++) {
        cell = sn_run_key_cell(&(sn_column){.place = c}, &row);
        sn_csv_cell(text, &cell, DIGITS);
        sn_text_add(text, ",");
    }
}

/* Frees the columns. */
static void add_column_lines(sn_text *text, sn_column *columns) {
    text->failed |= !columns;
    for (const sn_column *column = columns; column && column->name; column++)
        sn_text_addf(text, "  %-23s  %s\n", column->name, column->help);
    free(columns);
}

void sn_comparison_columns_text(sn_text *text) {
    sn_text_add(text, "runs.csv, a row per run:\n");
    add_column_lines(text, sn_runs_columns(NULL));
    sn_text_add(text, "\nprofiles.csv, a row per run, step and node: run, KEY..., then the columns of gradients.csv, "
                      "at\nstep 0 and at the last update.\n"
                      "\nsummary.csv, a row per grid point and metric; differences.csv, the same paired by seed "
                      "between\nskip kinds (network.skip.kind reads \"add - none\"):\n");
    add_column_lines(text, sn_points_columns(NULL));
    sn_text_add(text,
                "\nlayers.csv, a row per grid point, step and hidden layer, over its finished runs; the statistics "
                "are\nthose of log10 delta_rms (-inf: exactly zero):\n");
    add_column_lines(text, sn_layers_columns(NULL));
}
