/* Owns what a comparison shows on a terminal. */
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "compare/grid.h"

/* The cells "run" and "status", the keys, then figures. */
enum { N_FIRST = 2 };

static void add_measure(sn_grid *grid, sn_text *cell, sn_measure measure, int digits) {
    sn_text_clear(cell);
    if (measure.is_measured) sn_text_add_number(cell, measure.value, digits);
    sn_grid_add(grid, measure.is_measured ? sn_text_string(cell) : "-");
}

static bool is_figure_title(const char *title) {
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
        if (sn_run_columns[c].title && strcmp(sn_run_columns[c].title, title) == 0) return true;
    }
    return false;
}

/* A key such as train.steps has its full name, since there is a figure of that title. */
static void add_titles(sn_grid *grid, sn_text *cell, const sn_varied *varied, size_t n_columns) {
    for (size_t c = 0; c < n_columns; c++) {
        sn_text_clear(cell);
        sn_varied_title(varied, c, cell);
        bool is_taken = is_figure_title(sn_text_string(cell));
        sn_grid_add(grid, is_taken ? sn_varied_name(varied, c) : sn_text_string(cell));
    }
}

static void add_keys(sn_grid *grid, const sn_varied *varied, const uint32_t *cells, size_t n_columns) {
    for (size_t c = 0; c < n_columns; c++)
        sn_grid_add(grid, cells[c] == SN_NO_STRING ? "-" : sn_varied_text(varied, cells[c]));
}

/* ---- a row per run ---- */

static bool is_shown(const sn_comparison *comparison, size_t run) {
    return comparison->n <= SN_MANY_RUNS || strcmp(comparison->runs[run].status, "done") != 0;
}

static void add_run_row(sn_grid *grid, sn_text *cell, const sn_comparison *comparison, size_t i) {
    const sn_compared_run *run = &comparison->runs[i];
    sn_grid_add(grid, run->path);
    sn_grid_add(grid, run->status);
    add_keys(grid, &comparison->varied, sn_varied_cells(&comparison->varied, i), comparison->varied.n_columns);
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
        if (sn_run_columns[c].title) add_measure(grid, cell, run->figures[c], sn_run_columns[c].digits);
    }
}

static size_t n_titled(void) {
    size_t n = 0;
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++)
        n += sn_run_columns[c].title != NULL;
    return n;
}

static void add_runs(const sn_comparison *comparison, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    sn_text cell = SN_TEXT_EMPTY;
    sn_grid grid = sn_grid_make(N_FIRST + varied->n_columns + n_titled(), N_FIRST);
    size_t n_rows = 0;
    sn_grid_add(&grid, "run");
    sn_grid_add(&grid, "status");
    add_titles(&grid, &cell, varied, varied->n_columns);
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
        if (sn_run_columns[c].title) sn_grid_add(&grid, sn_run_columns[c].title);
    }
    for (size_t i = 0; i < comparison->n; i++) {
        if (is_shown(comparison, i) && n_rows++ < SN_MANY_RUNS) add_run_row(&grid, &cell, comparison, i);
    }
    if (n_rows == 0) {
        sn_text_free(&grid.cells);
    } else {
        sn_grid_write(&grid, text);
    }
    if (n_rows > SN_MANY_RUNS) sn_text_addf(text, "(%zu more that are not done)\n", n_rows - SN_MANY_RUNS);
    text->failed |= cell.failed;
    sn_text_free(&cell);
}

/* "10000 runs: 9990 done, 10 running; those that are not done:", in the order in which the words are met. */
static void add_counts(const sn_comparison *comparison, sn_text *text) {
    sn_intern words = {0};
    size_t *counts = calloc(comparison->n + 1, sizeof *counts);
    for (size_t i = 0; i < comparison->n && counts; i++) {
        uint32_t word = sn_intern_add(&words, comparison->runs[i].status);
        text->failed |= word == SN_NO_STRING;
        if (word != SN_NO_STRING) counts[word]++;
    }
    text->failed |= !counts;
    sn_text_addf(text, "%zu runs:", comparison->n);
    for (size_t w = 0; w < words.n && counts; w++)
        sn_text_addf(text, "%s %zu %s", w ? "," : "", counts[w], words.strings[w]);
    bool all_done = words.n == 1 && strcmp(words.strings[0], "done") == 0;
    sn_text_add(text, all_done ? "\n" : "; those that are not done:\n");
    free(counts);
    sn_intern_reset(&words);
}

/* ---- a row per grid point ---- */

/* Columns that would hold nothing but "-" are left out. */
static int choose_metrics(const sn_points *points, int chosen[SN_N_RUN_COLUMNS]) {
    int metrics[SN_N_RUN_COLUMNS], n = 0;
    int n_metrics = sn_metric_columns(metrics);
    for (int m = 0; m < n_metrics; m++) {
        const sn_run_column *column = &sn_run_columns[metrics[m]];
        bool is_there = false;
        for (size_t i = 0; i < points->n && !is_there; i++)
            is_there = points->items[i].figures[metrics[m]].n_measured > 0;
        if (is_there && column->title && column->metric == SN_METRIC) chosen[n++] = metrics[m];
    }
    return n;
}

/* "0.8123 +- 0.004"; of a single run its figure. */
static void add_mean(sn_grid *grid, sn_text *cell, const sn_figure *figure, int digits) {
    if (!figure->mean.is_measured) {
        add_measure(grid, cell, figure->n_runs == 1 ? figure->median : SN_NOT_MEASURED, digits);
        return;
    }
    sn_text_clear(cell);
    sn_text_add_number(cell, figure->mean.value, digits);
    sn_text_add(cell, " +- ");
    sn_text_add_number(cell, figure->ci95_high.value - figure->mean.value, 2);
    sn_grid_add(grid, sn_text_string(cell));
}

/* Why a row has no means. */
static void add_word(sn_grid *grid, sn_text *cell, const sn_point *point) {
    size_t n_unfinished = point->n_samples - point->n_runs;
    sn_text_clear(cell);
    if (point->n_diverged > 0) sn_text_addf(cell, "%zu of %zu diverged", point->n_diverged, point->n_runs);
    if (point->n_runs == 1 && point->n_diverged == 0) sn_text_add(cell, "one run");
    if (n_unfinished > 0) sn_text_addf(cell, "%s%zu unfinished", cell->length ? ", " : "", n_unfinished);
    sn_grid_add(grid, sn_text_string(cell));
}

static void add_point(sn_grid *grid, sn_text *cell, const sn_comparison *comparison, const sn_point *point) {
    int metrics[SN_N_RUN_COLUMNS], n_metrics = choose_metrics(&comparison->points, metrics);
    add_keys(grid, &comparison->varied, point->cells, comparison->varied.n_grid);
    add_measure(grid, cell, sn_measured((double)point->n_runs), 9);
    for (int m = 0; m < n_metrics; m++)
        add_mean(grid, cell, &point->figures[metrics[m]], sn_run_columns[metrics[m]].digits);
    add_word(grid, cell, point);
}

static void add_points(const sn_comparison *comparison, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    const sn_points *points = &comparison->points;
    if (points->n > SN_MOST_ROWS) {
        sn_text_addf(text, "%zu grid points: too many for a table here; --out DIR writes them to summary.csv\n",
                     points->n);
        return;
    }
    sn_text cell = SN_TEXT_EMPTY;
    int metrics[SN_N_RUN_COLUMNS], n_metrics = choose_metrics(points, metrics);
    sn_grid grid = sn_grid_make(varied->n_grid + (size_t)n_metrics + 2, 0);
    add_titles(&grid, &cell, varied, varied->n_grid);
    sn_grid_add(&grid, "n");
    for (int m = 0; m < n_metrics; m++)
        sn_grid_add(&grid, sn_run_columns[metrics[m]].title);
    sn_grid_add(&grid, "");
    for (size_t i = 0; i < points->n; i++)
        add_point(&grid, &cell, comparison, &points->items[i]);
    sn_text_add(text, "mean over the seeds +- half the 95% interval (Student's t); n finished runs:\n");
    sn_grid_write(&grid, text);
    text->failed |= cell.failed;
    sn_text_free(&cell);
}

/* Whether there is a point to take a mean over. */
static bool has_seeds(const sn_comparison *comparison) {
    const sn_points *points = &comparison->points;
    if (comparison->varied.n_grid == comparison->varied.n_columns) return false;
    for (size_t i = 0; i < points->n; i++) {
        if (points->items[i].n_runs > 1) return true;
    }
    return false;
}

void sn_comparison_table(const sn_comparison *comparison, sn_text *text) {
    bool is_many = comparison->n > SN_MANY_RUNS;
    if (is_many) add_counts(comparison, text);
    add_runs(comparison, text);
    if (!is_many && !has_seeds(comparison)) return;
    sn_text_add(text, "\n");
    add_points(comparison, text);
}
