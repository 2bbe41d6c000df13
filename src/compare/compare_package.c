/* Owns the data package of a comparison. */
#include <stdlib.h>

#include "compare/compare.h"
#include "compare/sheets.h"
#include "report/package.h"

/* Frees the sheet's columns. */
static void add_sheet(sn_text *text, sn_column *columns, const sn_sheet *like, bool is_first) {
    text->failed |= !columns;
    if (columns) sn_package_sheet(text, &(sn_sheet){like->name, like->help, like->key, columns}, is_first);
    free(columns);
}

static void add_points(sn_text *text, const sn_varied *varied, const char *name, const char *help) {
    sn_text key = SN_TEXT_EMPTY;
    for (size_t c = 0; c < varied->n_grid; c++) {
        sn_text_add_json(&key, sn_varied_name(varied, c));
        sn_text_add(&key, ", ");
    }
    sn_text_add_json(&key, "metric");
    add_sheet(text, sn_points_columns(varied), &(sn_sheet){name, help, sn_text_string(&key), NULL}, false);
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
    add_sheet(text, sn_runs_columns(varied), &(sn_sheet){"runs", "One row per run.", "\"run\"", NULL}, true);
    add_sheet(text, sn_profiles_columns(varied),
              &(sn_sheet){"profiles",
                          "The rows of the runs' gradients.csv at step 0 and at the last update, in their order.",
                          "\"run\", \"step\", \"label\"", NULL},
              false);
    add_points(text, varied, "summary",
               "One row per grid point (the varied keys but the seed) and metric, over its finished runs.");
    add_points(text, varied, "differences",
               "One row per metric and grid point of differences between two skip kinds, runs paired by seed and all "
               "other keys.");
    sn_package_close(text);
    text->failed |= title.failed;
    sn_text_free(&title);
}
