/* Owns the order of the tables' rows. */
#include "compare/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_title(const sn_varied *varied, size_t column, const char *name) {
    sn_text title = SN_TEXT_EMPTY;
    sn_varied_title(varied, column, &title);
    bool is_equal = strcmp(sn_text_string(&title), name) == 0;
    sn_text_free(&title);
    return is_equal;
}

/* Names before titles: train.steps has the title of the figure steps. */
static bool find(sn_sort *sort, const sn_varied *varied, const char *name) {
    sort->column = sn_varied_find(varied, name);
    sort->kind = SN_SORT_KEY;
    if (sort->column < varied->n_columns) return true;
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
        const sn_run_column *column = &sn_run_columns[c];
        bool is_it = strcmp(column->name, name) == 0 || (column->title && strcmp(column->title, name) == 0);
        if (is_it) *sort = (sn_sort){SN_SORT_FIGURE, sort->is_descending, (size_t)c};
        if (is_it) return true;
    }
    for (size_t c = 0; c < varied->n_columns; c++) {
        sort->column = c;
        if (is_title(varied, c, name)) return true;
    }
    sort->kind = strcmp(name, sn_run_path_column.name) == 0 ? SN_SORT_RUN : SN_SORT_STATUS;
    return sort->kind == SN_SORT_RUN || strcmp(name, sn_status_column.name) == 0;
}

/* The title where it is the end of the key's name, else the whole name: it lives as long as the key. */
static const char *short_name(const sn_varied *varied, size_t column) {
    sn_text title = SN_TEXT_EMPTY;
    sn_varied_title(varied, column, &title);
    const char *name = sn_varied_name(varied, column), *end = name + strlen(name);
    bool is_end = title.length < strlen(name) && strcmp(end - title.length, sn_text_string(&title)) == 0;
    const char *found = is_end ? end - title.length : name;
    sn_text_free(&title);
    return found;
}

static sn_status refuse(const sn_varied *varied, const char *name, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY, names = SN_TEXT_EMPTY;
    sn_suggestion suggestion = sn_suggestion_for(name, NULL);
    sn_text_addf(&names, "%s, %s", sn_run_path_column.name, sn_status_column.name);
    sn_suggestion_offer(&suggestion, sn_run_path_column.name);
    sn_suggestion_offer(&suggestion, sn_status_column.name);
    for (size_t c = 0; c < varied->n_columns; c++) {
        sn_suggestion_offer(&suggestion, sn_varied_name(varied, c));
        sn_suggestion_offer(&suggestion, short_name(varied, c));
        sn_text_addf(&names, ", %s", sn_varied_name(varied, c));
    }
    for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
        sn_suggestion_offer(&suggestion, sn_run_columns[c].name);
        sn_text_addf(&names, ", %s", sn_run_columns[c].name);
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
    return find(sort, &comparison->varied, name) ? SN_OK : refuse(&comparison->varied, name, error);
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
