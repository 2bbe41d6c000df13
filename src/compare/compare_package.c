/* Owns the data package of a comparison: its fields are the rows of the column tables. */
#include "compare/compare.h"
#include "report/metrics.h"
#include "report/package.h"

static void add_field(sn_text *text, const sn_column_text *column, bool *is_first) {
    sn_package_field(text, &(sn_package_column){column->name, column->type, column->unit, column->help}, *is_first);
    *is_first = false;
}

static void add_key_fields(sn_text *text, const sn_varied *varied, size_t n_columns, bool *is_first) {
    for (size_t c = 0; c < n_columns; c++) {
        sn_column_text column = {sn_varied_name(varied, c), sn_varied_type(varied, c), "",
                                 "the key of the config; empty: the config does not have it"};
        add_field(text, &column, is_first);
    }
}

static void add_runs(sn_text *text, const sn_varied *varied) {
    bool is_first = true;
    sn_package_resource_open(text, "runs", "One row per run.", true);
    add_field(text, &sn_run_path_column, &is_first);
    add_key_fields(text, varied, varied->n_columns, &is_first);
    add_field(text, &sn_status_column, &is_first);
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
        const sn_run_column *column = &sn_run_columns[c];
        add_field(text, &(sn_column_text){column->name, column->type, column->unit, column->help}, &is_first);
    }
    add_field(text, &sn_reason_column, &is_first);
    add_field(text, &sn_equal_column, &is_first);
    sn_package_resource_close(text, "\"run\"");
}

static void add_profiles(sn_text *text, const sn_varied *varied) {
    bool is_first = true;
    sn_package_resource_open(text, "profiles",
                             "The rows of the runs' gradients.csv at step 0 and at the last update, in their order.",
                             false);
    add_field(text, &sn_run_path_column, &is_first);
    add_key_fields(text, varied, varied->n_columns, &is_first);
    for (const sn_layer_metric *metric = sn_layer_metrics; metric->name; metric++)
        add_field(text, &(sn_column_text){metric->name, metric->type, metric->unit, metric->help}, &is_first);
    sn_package_resource_close(text, "\"run\", \"step\", \"label\"");
}

static void add_points(sn_text *text, const sn_varied *varied, const char *name, const char *description) {
    bool is_first = true;
    sn_text key = SN_TEXT_EMPTY;
    sn_package_resource_open(text, name, description, false);
    add_key_fields(text, varied, varied->n_grid, &is_first);
    add_field(text, &sn_metric_column, &is_first);
    for (int s = 0; s < SN_N_STATISTICS; s++) {
        sn_column_text column = sn_statistics[s].column;
        if (!*column.unit) column.unit = "unit of the metric";
        add_field(text, &column, &is_first);
    }
    for (size_t c = 0; c < varied->n_grid; c++) {
        sn_text_add_json(&key, sn_varied_name(varied, c));
        sn_text_add(&key, ", ");
    }
    sn_text_add_json(&key, sn_metric_column.name);
    sn_package_resource_close(text, sn_text_string(&key));
    text->failed |= key.failed;
    sn_text_free(&key);
}

void sn_comparison_package(const sn_comparison *comparison, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    sn_text title = SN_TEXT_EMPTY;
    sn_text_addf(&title, "comparison of %zu runs", comparison->n);
    sn_package_open(
        text, sn_text_string(&title),
        SN_COMPARISON_MARK
        ": by run, by grid point over the seeds, and between skip kinds. An empty cell was "
        "not "
        "measured, or is a key that the config does not have; nan, inf and -inf in a number column were measured and "
        "are not finite (Table Schema reads them as NaN, INF and -INF). Unit 1 is a pure number.");
    add_runs(text, varied);
    add_profiles(text, varied);
    add_points(text, varied, "summary",
               "One row per grid point (the varied keys but the seed) and metric, over its finished runs.");
    add_points(text, varied, "differences",
               "One row per metric and grid point of differences between two skip kinds, runs paired by seed and all "
               "other keys.");
    sn_package_close(text);
    text->failed |= title.failed;
    sn_text_free(&title);
}
