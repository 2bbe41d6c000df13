/* Owns what a comparison shows on a terminal. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "compare/grid.h"
#include "compare/sheets.h"
#include "compare/sort.h"

/* The cells "run" and "status", the keys, then figures. */
enum { N_FIRST = 2 };

/* Digits of a mean at most, what repeats a float. */
enum { MOST_DIGITS = 9 };

static void write_grid(sn_grid *grid, const sn_grid_fit *fit, sn_text *text) {
    sn_text left_out = SN_TEXT_EMPTY;
    sn_grid_shrink(grid, fit, &left_out);
    sn_grid_write(grid, text);
    if (left_out.length > 0)
        sn_text_addf(text, "(too wide for the terminal, left out: %s; a pipe and the files of --out have all)\n",
                     sn_text_string(&left_out));
    text->failed |= left_out.failed;
    sn_text_free(&left_out);
}

static void add_measure(sn_grid *grid, sn_text *cell, sn_measure measure, int digits) {
    sn_text_clear(cell);
    if (measure.is_measured) sn_text_add_number(cell, measure.value, digits);
    sn_grid_add(grid, measure.is_measured ? sn_text_string(cell) : "-");
}

static void add_keys(sn_grid *grid, const sn_varied *varied, const uint32_t *cells, size_t n_columns) {
    for (size_t c = 0; c < n_columns; c++)
        sn_grid_add(grid, cells[c] == SN_NO_STRING ? "-" : sn_varied_text(varied, cells[c]));
}

/* ---- a row per run ---- */

static size_t count_listed(const sn_comparison *comparison) {
    size_t n = 0;
    for (size_t i = 0; i < comparison->n; i++)
        n += sn_compared_run_is_listed(&comparison->runs[i]);
    return n;
}

static bool is_shown(const sn_compared_run *run, bool is_many) {
    return sn_compared_run_is_listed(run) && (!is_many || strcmp(run->status, "done") != 0);
}

/* What stands in the table; a number is written into `number`. */
static const char *shown_cell(const sn_cell_value *cell, int digits, sn_text *number) {
    if (cell->kind == SN_CELL_OF_NOTHING) return "-";
    if (cell->kind == SN_CELL_OF_TEXT) return cell->text;
    sn_text_clear(number);
    sn_text_add_number(number, cell->number, digits);
    return sn_text_string(number);
}

static void add_run_row(sn_grid *grid, sn_text *number, const sn_column *columns, const sn_run_row *row) {
    for (const sn_column *column = columns; column->name; column++) {
        if (!column->title) continue;
        sn_cell_value cell = column->value(column, row);
        sn_grid_add(grid, shown_cell(&cell, column->digits, number));
    }
}

/* The place of the column that the rows are sorted by in the table of runs; SIZE_MAX: it has none. */
static size_t sorted_column(const sn_sort *sort, const sn_column *columns) {
    size_t place = 0;
    for (const sn_column *column = columns; column->name; column++) {
        if (sn_sort_is_by(sort, column)) return column->title ? place : SIZE_MAX;
        place += column->title != NULL;
    }
    return SIZE_MAX;
}

static void add_run_rows(const sn_comparison *comparison, const sn_table_style *style, const sn_column *columns,
                         sn_grid *grid, sn_text *text) {
    bool is_many = count_listed(comparison) > SN_MANY_RUNS;
    size_t n_rows = 0, *order = sn_sort_runs(style->sort, comparison);
    sn_text cell = SN_TEXT_EMPTY;
    for (size_t i = 0; i < comparison->n && order; i++) {
        if (is_shown(&comparison->runs[order[i]], is_many) && n_rows++ < SN_MANY_RUNS)
            add_run_row(grid, &cell, columns, &(sn_run_row){comparison, order[i]});
    }
    text->failed |= cell.failed || !order;
    if (n_rows == 0) {
        sn_text_free(&grid->cells);
    } else {
        size_t sorted = sorted_column(style->sort, columns);
        write_grid(grid, &(sn_grid_fit){style->width, N_FIRST, {sorted, SIZE_MAX, SIZE_MAX}}, text);
    }
    if (n_rows > SN_MANY_RUNS) sn_text_addf(text, "(%zu more that are not done)\n", n_rows - SN_MANY_RUNS);
    sn_text_free(&cell);
    free(order);
}

static void add_runs(const sn_comparison *comparison, const sn_table_style *style, sn_text *text) {
    sn_column *columns = sn_shown_columns(&comparison->varied);
    size_t n_titled = 0;
    text->failed |= !columns;
    if (!columns) return;
    for (const sn_column *column = columns; column->name; column++)
        n_titled += column->title != NULL;
    sn_grid grid = sn_grid_make(n_titled, N_FIRST);
    for (const sn_column *column = columns; column->name; column++) {
        if (column->title) sn_grid_add(&grid, column->title);
    }
    add_run_rows(comparison, style, columns, &grid, text);
    free(columns);
}

/* "10000 runs: 9990 done, 10 running", in the order in which the words are met; whether all are done. */
static bool add_counts(const sn_comparison *comparison, sn_text *text) {
    sn_intern words = {0};
    size_t *counts = calloc(comparison->n + 1, sizeof *counts), n = count_listed(comparison);
    for (size_t i = 0; i < comparison->n && counts; i++) {
        if (!sn_compared_run_is_listed(&comparison->runs[i])) continue;
        uint32_t word = sn_intern_add(&words, comparison->runs[i].status);
        text->failed |= word == SN_NO_STRING;
        if (word != SN_NO_STRING) counts[word]++;
    }
    text->failed |= !counts;
    sn_text_addf(text, "%zu run%s:", n, n == 1 ? "" : "s");
    for (size_t w = 0; w < words.n && counts; w++)
        sn_text_addf(text, "%s %zu %s", w ? "," : "", counts[w], words.strings[w]);
    bool all_done = words.n == 1 && strcmp(words.strings[0], "done") == 0;
    free(counts);
    sn_intern_reset(&words);
    return all_done;
}

/* Whether something is still to come: a cell that is missing, failed or at work. */
static bool is_awaited(const sn_compared_run *run) {
    return sn_compared_run_is_listed(run) &&
           (run->is_missing || strcmp(run->status, "failed") == 0 || strcmp(run->status, "running") == 0);
}

/* What is missing of a sweep, and why. */
static void add_awaited(const sn_comparison *comparison, bool is_counted, sn_text *text) {
    size_t n_awaited = 0, n_failed = 0;
    for (size_t i = 0; i < comparison->n; i++)
        n_awaited += is_awaited(&comparison->runs[i]);
    if (n_awaited > 0 && !is_counted) {
        add_counts(comparison, text);
        sn_text_add(text, "\n");
    }
    for (size_t i = 0; i < comparison->n; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        bool has_failed = is_awaited(run) && strcmp(run->status, "failed") == 0 && run->reason;
        if (has_failed && n_failed++ < SN_MOST_REASONS) sn_text_addf(text, "failed: %s: %s\n", run->path, run->reason);
    }
    if (n_failed > SN_MOST_REASONS) sn_text_addf(text, "(%zu more that failed)\n", n_failed - SN_MOST_REASONS);
}

/* ---- a row per grid point ---- */

/* Columns that would hold nothing but "-" are left out. */
static int choose_metrics(const sn_points *points, int chosen[SN_N_RUN_FIGURES]) {
    int metrics[SN_N_RUN_FIGURES], n = 0;
    int n_metrics = sn_metric_figures(metrics);
    for (int m = 0; m < n_metrics; m++) {
        const sn_run_figure *figure = &sn_run_figures[metrics[m]];
        bool is_there = false;
        for (size_t i = 0; i < points->n && !is_there; i++)
            is_there = points->items[i].figures[metrics[m]].n_measured > 0;
        if (is_there && figure->column.title && figure->metric == SN_METRIC) chosen[n++] = metrics[m];
    }
    return n;
}

/* A mean and half its interval to the second digit of the latter: 37.3 and 1.4, 37.0 and 1.4, 1234 and 150; with
 * exponents, 1.23e-19 and 4.5e-21, where there would be many zeros. */
static void add_matched(sn_text *cell, double mean, double half) {
    double place = floor(log10(half)), top = floor(log10(fmax(fabs(mean), half)));
    if (place >= -6 && top <= 8) {
        int decimals = place < 1 ? 1 - (int)place : 0;
        sn_text_addf(cell, "%.*f +- %.*f", decimals, mean, decimals, half);
    } else {
        int digits = top - place + 2 < MOST_DIGITS ? (int)(top - place) + 2 : MOST_DIGITS;
        sn_text_addf(cell, "%#.*g +- %#.2g", digits, mean, half);
    }
}

/* "37.3 +- 1.4"; of a single run its figure. */
static void add_mean(sn_grid *grid, sn_text *cell, const sn_figure *figure, int digits) {
    if (!figure->mean.is_measured) {
        add_measure(grid, cell, figure->n_runs == 1 ? figure->median : SN_NOT_MEASURED, digits);
        return;
    }
    double mean = figure->mean.value, half = figure->ci95_high.value - mean;
    sn_text_clear(cell);
    if (isfinite(mean) && isfinite(half) && half > 0) {
        add_matched(cell, mean, half);
    } else {
        sn_text_add_number(cell, mean, digits);
        sn_text_add(cell, " +- ");
        sn_text_add_number(cell, half, 2);
    }
    sn_grid_add(grid, sn_text_string(cell));
}

/* Why a row has no means. */
static void add_word(sn_grid *grid, sn_text *cell, const sn_point *point) {
    size_t n_rest = point->n_samples - point->n_runs - point->n_missing - point->n_failed - point->n_running;
    sn_text_clear(cell);
    if (point->n_diverged > 0) sn_text_addf(cell, "%zu of %zu diverged", point->n_diverged, point->n_runs);
    if (point->n_runs == 1 && point->n_diverged == 0) sn_text_add(cell, "one run");
    if (n_rest > 0) sn_text_addf(cell, "%s%zu unfinished", cell->length ? ", " : "", n_rest);
    if (point->n_running > 0) sn_text_addf(cell, "%s%zu running", cell->length ? ", " : "", point->n_running);
    if (point->n_failed > 0) sn_text_addf(cell, "%s%zu failed", cell->length ? ", " : "", point->n_failed);
    if (point->n_missing > 0) sn_text_addf(cell, "%s%zu missing", cell->length ? ", " : "", point->n_missing);
    sn_grid_add(grid, sn_text_string(cell));
}

static void add_point(sn_grid *grid, sn_text *cell, const sn_comparison *comparison, const sn_point *point) {
    int metrics[SN_N_RUN_FIGURES], n_metrics = choose_metrics(&comparison->points, metrics);
    add_keys(grid, &comparison->varied, point->cells, comparison->varied.n_grid);
    add_measure(grid, cell, sn_measured((double)point->n_runs), 9);
    for (int m = 0; m < n_metrics; m++)
        add_mean(grid, cell, &point->figures[metrics[m]], sn_run_figures[metrics[m]].column.digits);
    add_word(grid, cell, point);
}

/* The place of the column that the rows are sorted by among the points' columns; SIZE_MAX: it has none. */
static size_t sorted_metric(const sn_sort *sort, const int *metrics, int n_metrics, size_t n_grid) {
    if (sort->kind == SN_SORT_KEY && sort->column < n_grid) return sort->column;
    for (int m = 0; m < n_metrics && sort->kind == SN_SORT_FIGURE; m++) {
        if ((size_t)metrics[m] == sort->column) return n_grid + 1 + (size_t)m;
    }
    return SIZE_MAX;
}

static void add_points(const sn_comparison *comparison, const sn_table_style *style, sn_text *text) {
    const sn_varied *varied = &comparison->varied;
    const sn_points *points = &comparison->points;
    if (points->n > SN_MOST_ROWS) {
        sn_text_addf(text, "%zu grid points: too many for a table here; --out DIR writes them to summary.csv\n",
                     points->n);
        return;
    }
    sn_text cell = SN_TEXT_EMPTY;
    int metrics[SN_N_RUN_FIGURES], n_metrics = choose_metrics(points, metrics);
    size_t n_columns = varied->n_grid + (size_t)n_metrics + 2, *order = sn_sort_points(style->sort, comparison);
    sn_grid grid = sn_grid_make(n_columns, 0);
    for (size_t c = 0; c < varied->n_grid; c++)
        sn_grid_add(&grid, sn_key_title(varied, c));
    sn_grid_add(&grid, "n");
    for (int m = 0; m < n_metrics; m++)
        sn_grid_add(&grid, sn_run_figures[metrics[m]].column.title);
    sn_grid_add(&grid, "");
    for (size_t i = 0; i < points->n && order; i++)
        add_point(&grid, &cell, comparison, &points->items[order[i]]);
    sn_text_add(text, "mean over the seeds +- half the 95% interval (Student's t); n finished runs:\n");
    size_t sorted = sorted_metric(style->sort, metrics, n_metrics, varied->n_grid);
    write_grid(&grid, &(sn_grid_fit){style->width, 0, {varied->n_grid, n_columns - 1, sorted}}, text);
    text->failed |= cell.failed || !order;
    sn_text_free(&cell);
    free(order);
}

/* Whether there is a point to take a mean over. */
static bool has_seeds(const sn_comparison *comparison) {
    const sn_points *points = &comparison->points;
    if (comparison->varied.n_grid == comparison->varied.n_columns) return false;
    for (size_t i = 0; i < points->n; i++) {
        if (points->items[i].n_samples > 1) return true;
    }
    return false;
}

void sn_comparison_table(const sn_comparison *comparison, const sn_table_style *style, sn_text *text) {
    bool is_many = count_listed(comparison) > SN_MANY_RUNS;
    if (is_many) sn_text_add(text, add_counts(comparison, text) ? "\n" : "; those that are not done:\n");
    add_runs(comparison, style, text);
    add_awaited(comparison, is_many, text);
    if (!is_many && !has_seeds(comparison)) return;
    sn_text_add(text, "\n");
    add_points(comparison, style, text);
}
