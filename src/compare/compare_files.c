/* Owns the CSV files of a comparison, but for the rows of profiles.csv (run_profile.c). */
#include <string.h>

#include "compare/compare.h"
#include "report/metrics.h"

static void add_key_names(const sn_varied *varied, size_t n_columns, sn_text *text) {
    for (size_t c = 0; c < n_columns; c++) {
        sn_text_cell(text, sn_varied_name(varied, c));
        sn_text_add(text, ",");
    }
}

static void add_key_cells(const sn_varied *varied, const uint32_t *cells, size_t n_columns, sn_text *text) {
    for (size_t c = 0; c < n_columns; c++) {
        sn_text_cell(text, sn_varied_text(varied, cells[c]));
        sn_text_add(text, ",");
    }
}

void sn_comparison_runs_csv(const sn_comparison *comparison, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    sn_text_addf(text, "%s,", sn_run_path_column.name);
    add_key_names(varied, varied->n_columns, text);
    sn_text_add(text, sn_status_column.name);
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++)
        sn_text_addf(text, ",%s", sn_run_columns[c].name);
    sn_text_addf(text, ",%s,%s\n", sn_reason_column.name, sn_equal_column.name);
    for (size_t i = 0; i < comparison->n; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        if (!sn_compared_run_is_listed(run)) continue;
        sn_comparison_profiles_prefix(comparison, i, text);
        sn_text_cell(text, run->status);
        for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
            sn_text_add(text, ",");
            sn_measure_cell(text, run->figures[c]);
        }
        sn_text_add(text, ",");
        if (run->reason) sn_text_cell(text, run->reason);
        sn_text_add(text, ",");
        if (run->twin != SN_NO_TWIN) sn_text_cell(text, comparison->runs[run->twin].path);
        sn_text_add(text, "\n");
    }
}

static void add_metric_row(const sn_varied *varied, const sn_point *point, int metric, sn_text *text) {
    add_key_cells(varied, point->cells, varied->n_grid, text);
    sn_text_add(text, sn_run_columns[metric].name);
    for (int s = 0; s < SN_N_STATISTICS; s++) {
        sn_text_add(text, ",");
        sn_measure_cell(text, sn_statistics[s].value(&point->figures[metric]));
    }
    sn_text_add(text, "\n");
}

void sn_comparison_points_csv(const sn_comparison *comparison, const sn_points *points, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    int metrics[SN_N_RUN_COLUMNS], n_metrics = sn_metric_columns(metrics);
    add_key_names(varied, varied->n_grid, text);
    sn_text_add(text, sn_metric_column.name);
    for (int s = 0; s < SN_N_STATISTICS; s++)
        sn_text_addf(text, ",%s", sn_statistics[s].column.name);
    sn_text_add(text, "\n");
    for (size_t i = 0; i < points->n; i++) {
        for (int m = 0; m < n_metrics; m++)
            add_metric_row(varied, &points->items[i], metrics[m], text);
    }
}

void sn_comparison_profiles_header(const sn_comparison *comparison, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    sn_text_addf(text, "%s,", sn_run_path_column.name);
    add_key_names(varied, varied->n_columns, text);
    sn_gradients_csv_header(text);
}

void sn_comparison_profiles_prefix(const sn_comparison *comparison, size_t run, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    sn_text_cell(text, comparison->runs[run].path);
    sn_text_add(text, ",");
    add_key_cells(varied, sn_varied_cells(varied, run), varied->n_columns, text);
}

static void add_column_line(sn_text *text, const char *name, const char *help) {
    sn_text_addf(text, "  %-23s  %s\n", name, help);
}

void sn_comparison_columns_text(sn_text *text) {
    sn_text_add(text, "runs.csv, a row per run:\n");
    add_column_line(text, sn_run_path_column.name, sn_run_path_column.help);
    add_column_line(text, "KEY...", "the varied keys, by their dotted names");
    add_column_line(text, sn_status_column.name, sn_status_column.help);
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++)
        add_column_line(text, sn_run_columns[c].name, sn_run_columns[c].help);
    add_column_line(text, sn_reason_column.name, sn_reason_column.help);
    add_column_line(text, sn_equal_column.name, sn_equal_column.help);
    sn_text_add(text, "\nprofiles.csv, a row per run, step and node: run, KEY..., then the columns of gradients.csv, "
                      "at\nstep 0 and at the last update.\n"
                      "\nsummary.csv, a row per grid point and metric; differences.csv, the same paired by seed "
                      "between\nskip kinds (network.skip.kind reads \"add - none\"):\n");
    add_column_line(text, "KEY...", "the varied keys but the seed");
    add_column_line(text, sn_metric_column.name, sn_metric_column.help);
    for (int s = 0; s < SN_N_STATISTICS; s++)
        add_column_line(text, sn_statistics[s].column.name, sn_statistics[s].column.help);
}
