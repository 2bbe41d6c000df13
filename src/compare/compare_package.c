/* Owns the data package of a comparison. */
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "compare/sheets.h"
#include "report/package.h"

/* ---- sheets ---- */

/* Frees the sheet's columns. */
static void add_sheet(sn_text *text, sn_column *columns, const sn_sheet *like, bool is_first) {
    text->failed |= !columns;
    if (columns) sn_package_sheet(text, &(sn_sheet){like->name, like->help, like->key, columns}, is_first);
    free(columns);
}

/* A sheet whose rows are told apart by the keys of a point and the key of `like`. */
static void add_points(sn_text *text, const sn_varied *varied, sn_column *columns, const sn_sheet *like) {
    sn_text key = SN_TEXT_EMPTY;
    for (size_t c = 0; c < varied->n_grid; c++) {
        sn_text_add_json(&key, sn_varied_name(varied, c));
        sn_text_add(&key, ", ");
    }
    sn_text_add(&key, like->key);
    add_sheet(text, columns, &(sn_sheet){like->name, like->help, sn_text_string(&key), NULL}, false);
    text->failed |= key.failed;
    sn_text_free(&key);
}

/* ---- values and axes ---- */

static int by_order(const void *left, const void *right, void *context) {
    return sn_varied_order(context, *(const uint32_t *)left, *(const uint32_t *)right);
}

/* The values that runs have in a column, in order, each once; how many. */
static size_t list_values(const sn_varied *varied, size_t column, uint32_t *cells) {
    size_t n_cells = 0, n = 0;
    for (size_t i = 0; i < varied->n_runs; i++) {
        if (sn_varied_knows(varied, i)) cells[n_cells++] = sn_varied_cells(varied, i)[column];
    }
    if (n_cells > 0) qsort_r(cells, n_cells, sizeof *cells, by_order, (void *)varied);
    for (size_t i = 0; i < n_cells; i++) {
        if (n == 0 || cells[i] != cells[n - 1]) cells[n++] = cells[i];
    }
    return n;
}

/* Appends the member of a key; returns how many of its values are numbers, 0 where one is none. */
static size_t add_values_of(sn_text *text, const sn_varied *varied, size_t column, uint32_t *cells) {
    size_t n = list_values(varied, column, cells), n_set = 0;
    sn_text_add(text, column ? ",\n    " : "\n    ");
    sn_text_add_json(text, sn_varied_name(varied, column));
    sn_text_add(text, ": [");
    for (size_t i = 0; i < n; i++) {
        sn_text_add(text, i ? ", " : "");
        if (cells[i] == SN_NO_STRING) {
            sn_text_add(text, "null");
        } else {
            sn_text_add_json(text, sn_varied_text(varied, cells[i]));
            n_set++;
        }
    }
    sn_text_add(text, "]");
    const char *type = sn_varied_type(varied, column);
    return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0 ? n_set : 0;
}

/* The keys with two or more numbers, `counts` (n_grid) of them, best first; clears the counts. */
static void add_axes(sn_text *text, const sn_varied *varied, size_t *counts) {
    size_t depth = sn_varied_find(varied, "network.depth");
    if (depth < varied->n_grid && counts[depth] > 1) counts[depth] = SIZE_MAX;
    sn_text_add(text, ",\n  \"axes\": [");
    for (size_t k = 0; k < varied->n_grid; k++) {
        size_t best = 0;
        for (size_t c = 1; c < varied->n_grid; c++) {
            if (counts[c] > counts[best]) best = c;
        }
        if (counts[best] < 2) break;
        sn_text_add(text, k ? ", " : "");
        sn_text_add_json(text, sn_varied_name(varied, best));
        counts[best] = 0;
    }
    sn_text_add(text, "]");
}

static void add_members(sn_text *text, const sn_varied *varied) {
    uint32_t *cells = malloc((varied->n_runs + 1) * sizeof *cells);
    size_t *counts = calloc(varied->n_columns + 1, sizeof *counts);
    if (cells && counts) {
        sn_text_add(text, ",\n  \"values\": {");
        for (size_t c = 0; c < varied->n_columns; c++)
            counts[c] = add_values_of(text, varied, c, cells);
        sn_text_add(text, "\n  }");
        add_axes(text, varied, counts);
    } else {
        text->failed = true;
    }
    free(cells);
    free(counts);
}

void sn_comparison_package(const sn_comparison *comparison, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    sn_text title = SN_TEXT_EMPTY, members = SN_TEXT_EMPTY;
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
    add_points(text, varied, sn_points_columns(varied),
               &(sn_sheet){"summary",
                           "One row per grid point (the varied keys but the seed) and metric, over its finished runs.",
                           "\"metric\"", NULL});
    add_points(text, varied, sn_points_columns(varied),
               &(sn_sheet){"differences",
                           "One row per metric and grid point of differences between two skip kinds, runs paired by "
                           "seed and all other keys.",
                           "\"metric\"", NULL});
    add_points(text, varied, sn_layers_columns(varied),
               &(sn_sheet){"layers",
                           "One row per grid point, step (0 and the last update) and hidden layer: statistics of log10 "
                           "delta_rms over its finished runs.",
                           "\"step\", \"layer\"", NULL});
    add_members(&members, varied);
    sn_package_close(text, sn_text_string(&members));
    text->failed |= title.failed || members.failed;
    sn_text_free(&title);
    sn_text_free(&members);
}
