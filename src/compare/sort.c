/* Owns the order of the tables' rows. */
#include "compare/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/sheets.h"
#include "config/suggest.h"

/* A row as it is compared: by one of the three. */
typedef struct entry {
    size_t row;
    const char *text;
    uint32_t cell;
    sn_measure figure;
} entry;

typedef struct sorter {
    const sn_sort *sort;
    const sn_varied *varied;
} sorter;

/* ---- the column ---- */

static sn_sort_kind kind_of(const sn_column *column) {
    if (column->value == sn_run_key_cell) return SN_SORT_KEY;
    if (column->value == sn_run_figure_cell) return SN_SORT_FIGURE;
    return column->value == sn_run_path_cell ? SN_SORT_RUN : SN_SORT_STATUS;
}

/* Names before titles: train.steps has the title of the figure steps. */
static const sn_column *find(const sn_column *columns, const char *name) {
    const sn_column *found = sn_column_find(columns, name);
    for (; !found && columns->name; columns++) {
        if (columns->title && strcmp(columns->title, name) == 0) found = columns;
    }
    return found;
}

static sn_status refuse(const sn_column *columns, const char *name, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY, names = SN_TEXT_EMPTY;
    sn_suggestion suggestion = sn_suggestion_for(name, NULL);
    for (const sn_column *column = columns; column->name; column++) {
        sn_suggestion_offer(&suggestion, column->name);
        if (column->title) sn_suggestion_offer(&suggestion, column->title);
        sn_text_addf(&names, "%s%s", column == columns ? "" : ", ", column->name);
    }
    sn_suggestion_write(&suggestion, &text);
    sn_error_set(error, SN_INVALID, "--sort: no column \"%s\"%s (one of: %s)", name, sn_text_string(&text),
                 sn_text_string(&names));
    sn_text_free(&text);
    sn_text_free(&names);
    return error->status;
}

sn_status sn_sort_find(sn_sort *sort, const sn_comparison *comparison, const char *name, sn_error *error) {
    *sort = (sn_sort){.kind = SN_SORT_NOT};
    if (!name) return SN_OK;
    sort->is_descending = *name == '-';
    name += sort->is_descending;
    sn_column *columns = sn_shown_columns(&comparison->varied);
    if (!columns) return sn_error_memory(error, sizeof *columns, "the columns");
    const sn_column *found = find(columns, name);
    if (found) *sort = (sn_sort){kind_of(found), sort->is_descending, found->place};
    sn_status status = found ? SN_OK : refuse(columns, name, error);
    free(columns);
    return status;
}

bool sn_sort_is_by(const sn_sort *sort, const sn_column *column) {
    return kind_of(column) == sort->kind && column->place == sort->column;
}

/* ---- the order ---- */

static bool has_value(const sorter *s, const entry *e) {
    if (s->sort->kind == SN_SORT_KEY) return e->cell != SN_NO_STRING;
    if (s->sort->kind == SN_SORT_FIGURE) return e->figure.is_measured && !isnan(e->figure.value);
    return e->text != NULL;
}

static int compare_values(const sorter *s, const entry *a, const entry *b) {
    if (s->sort->kind == SN_SORT_KEY) return sn_varied_order(s->varied, a->cell, b->cell);
    if (s->sort->kind == SN_SORT_FIGURE)
        return (a->figure.value > b->figure.value) - (a->figure.value < b->figure.value);
    return strverscmp(a->text, b->text);
}

static int by_entry(const void *left, const void *right, void *context) {
    const sorter *s = context;
    const entry *a = left, *b = right;
    bool has_a = has_value(s, a), has_b = has_value(s, b);
    int order = has_a != has_b ? has_b - has_a : 0;
    if (has_a && has_b) order = s->sort->is_descending ? compare_values(s, b, a) : compare_values(s, a, b);
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

/* Sorts and frees the entries. */
static size_t *order_of(const sn_sort *sort, const sn_comparison *comparison, entry *entries, size_t n) {
    sorter s = {sort, &comparison->varied};
    size_t *order = malloc((n + 1) * sizeof *order);
    if (entries && order && sort->kind != SN_SORT_NOT) qsort_r(entries, n, sizeof *entries, by_entry, &s);
    for (size_t i = 0; i < n && entries && order; i++)
        order[i] = entries[i].row;
    if (!entries) {
        free(order);
        order = NULL;
    }
    free(entries);
    return order;
}

size_t *sn_sort_runs(const sn_sort *sort, const sn_comparison *comparison) {
    entry *entries = calloc(comparison->n + 1, sizeof *entries);
    for (size_t i = 0; i < comparison->n && entries; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        entries[i] = (entry){i, sort->kind == SN_SORT_STATUS ? run->status : run->path, SN_NO_STRING, SN_NOT_MEASURED};
        if (sort->kind == SN_SORT_KEY) entries[i].cell = sn_varied_cells(&comparison->varied, i)[sort->column];
        if (sort->kind == SN_SORT_FIGURE) entries[i].figure = run->figures[sort->column];
    }
    return order_of(sort, comparison, entries, comparison->n);
}

size_t *sn_sort_points(const sn_sort *sort, const sn_comparison *comparison) {
    const sn_points *points = &comparison->points;
    entry *entries = calloc(points->n + 1, sizeof *entries);
    for (size_t i = 0; i < points->n && entries; i++) {
        const sn_point *point = &points->items[i];
        entries[i] = (entry){i, NULL, SN_NO_STRING, SN_NOT_MEASURED};
        bool is_key = sort->kind == SN_SORT_KEY && sort->column < comparison->varied.n_grid;
        if (is_key) entries[i].cell = point->cells[sort->column];
        if (sort->kind != SN_SORT_FIGURE) continue;
        const sn_figure *figure = &point->figures[sort->column];
        entries[i].figure = figure->mean.is_measured ? figure->mean : figure->median;
    }
    return order_of(sort, comparison, entries, points->n);
}
