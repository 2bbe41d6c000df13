/* Owns the checking of expectations against a comparison. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/expectation.h"
#include "config/show.h"
#include "config/suggest.h"

bool sn_op_is_known(const char *op) {
    static const char *const ops[] = {"<", "<=", ">", ">=", "==", "!="};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(ops[i], op) == 0) return true;
    }
    return false;
}

bool sn_op_holds(const char *op, double figure, double value) {
    bool or_equal = op[1] == '=';
    if (isnan(figure)) return false;
    if (op[0] == '<') return figure < value || (or_equal && figure == value);
    if (op[0] == '>') return figure > value || (or_equal && figure == value);
    return (op[0] == '=') == (figure == value);
}

/* Where a key of the header is found. */
typedef struct place {
    size_t column; /* of the varied keys; n_columns: it is not varied */
    uint32_t key;  /* then this one, of all keys */
} place;

typedef struct checker {
    const sn_comparison *comparison;
    const struct sn_expectations_file *file;
    place *places; /* (n_keys) */
    sn_error *error;
} checker;

/* ---- keys ---- */

/* Whether `key` is `name` with parts before or behind: network.skip.kind of network.skip, network.depth of depth. */
static bool completes(const char *key, const char *name) {
    size_t n_key = strlen(key), n = strlen(name);
    if (n == 0 || n_key <= n + 1) return false;
    if (key[n] == '.' && memcmp(key, name, n) == 0) return true;
    return key[n_key - n - 1] == '.' && strcmp(key + n_key - n, name) == 0;
}

/* Offers the keys that vary, then all: of equals the first wins.  If only_complete, those that complete the word. */
static void offer_keys(const sn_varied *varied, bool only_complete, sn_suggestion *suggestion) {
    for (size_t i = 0; i < varied->n_grid + varied->paths.n; i++) {
        const char *key = i < varied->n_grid ? sn_varied_name(varied, i) : varied->paths.strings[i - varied->n_grid];
        if (!only_complete) {
            sn_suggestion_offer(suggestion, key);
        } else if (!suggestion->best && completes(key, suggestion->word)) {
            suggestion->best = key;
        }
    }
}

static void refuse_key(const checker *c, const char *name) {
    const sn_varied *varied = &c->comparison->varied;
    sn_suggestion suggestion = sn_suggestion_for(name, NULL);
    sn_text meant = SN_TEXT_EMPTY;
    offer_keys(varied, true, &suggestion);
    if (!suggestion.best) offer_keys(varied, false, &suggestion);
    sn_suggestion_write(&suggestion, &meant);
    sn_error_add(c->error, SN_INVALID, "%s:1: no run has a key \"%s\"%s", c->file->csv.path, name,
                 sn_text_string(&meant));
    sn_text_free(&meant);
}

static void find_keys(const checker *c) {
    const sn_varied *varied = &c->comparison->varied;
    for (size_t i = 0; i < c->file->n_keys; i++) {
        const char *name = c->file->keys[i];
        c->places[i] = (place){sn_varied_find(varied, name), sn_intern_find(&varied->paths, name)};
        if (strcmp(name, "seed") == 0) {
            sn_error_add(c->error, SN_INVALID, "%s:1: seed cannot be chosen: figures are over the seeds",
                         c->file->csv.path);
        } else if (c->places[i].key == SN_NO_STRING) {
            refuse_key(c, name);
        }
    }
}

static uint32_t cell_of(const checker *c, const sn_point *point, size_t i) {
    const sn_varied *varied = &c->comparison->varied;
    place at = c->places[i];
    return at.column < varied->n_columns ? point->cells[at.column] : sn_varied_value(varied, point->run, at.key);
}

/* ---- points ---- */

static bool means_differences(const checker *c, const sn_expectation *row) {
    for (size_t i = 0; i < c->file->n_keys; i++) {
        if (strcmp(c->file->keys[i], SN_DIFFERENCE_KEY) == 0) return strstr(row->cells[i], " - ") != NULL;
    }
    return false;
}

static const sn_points *points_of(const checker *c, const sn_expectation *row) {
    return means_differences(c, row) ? &c->comparison->differences : &c->comparison->points;
}

static bool matches_key(const checker *c, const sn_expectation *row, const sn_point *point, size_t i) {
    return !*row->cells[i] || sn_varied_means(&c->comparison->varied, cell_of(c, point, i), row->cells[i]);
}

static bool matches(const checker *c, const sn_expectation *row, const sn_point *point) {
    bool all = true;
    for (size_t i = 0; i < c->file->n_keys && all; i++)
        all = matches_key(c, row, point, i);
    return all;
}

static bool matches_any(const checker *c, const sn_expectation *row) {
    const sn_points *points = points_of(c, row);
    for (size_t p = 0; p < points->n; p++) {
        if (matches(c, row, &points->items[p])) return true;
    }
    return false;
}

/* "(there are: 10, 20, 50)": the values that the points have of a key, the first few. */
static void add_values(const checker *c, const sn_points *points, size_t i, sn_text *text) {
    enum { FEW = 12 };
    uint32_t seen[FEW];
    int n = 0;
    for (size_t p = 0; p < points->n && n < FEW; p++) {
        uint32_t cell = cell_of(c, &points->items[p], i);
        bool is_new = cell != SN_NO_STRING;
        for (int s = 0; s < n && is_new; s++)
            is_new = seen[s] != cell;
        if (!is_new) continue;
        sn_text_addf(text, "%s%s", n ? ", " : " (there are: ", sn_varied_text(&c->comparison->varied, cell));
        seen[n++] = cell;
    }
    if (n > 0) sn_text_add(text, n == FEW ? ", ...)" : ")");
}

/* Names the first key that no point has this value of, if there is one. */
static void refuse_row(const checker *c, const sn_expectation *row) {
    const sn_points *points = points_of(c, row);
    sn_text why = SN_TEXT_EMPTY;
    if (points->n == 0) sn_text_add(&why, "there is none");
    for (size_t i = 0; i < c->file->n_keys && why.length == 0; i++) {
        bool is_there = false;
        for (size_t p = 0; p < points->n && !is_there; p++)
            is_there = matches_key(c, row, &points->items[p], i);
        if (is_there) continue;
        sn_text_addf(&why, "none has %s=%s", c->file->keys[i], row->cells[i]);
        add_values(c, points, i, &why);
    }
    sn_error_add(c->error, SN_INVALID, "%s:%zu: matches no %s: %s", c->file->csv.path, row->line,
                 means_differences(c, row) ? "difference" : "grid point",
                 why.length ? sn_text_string(&why) : "no point has all these keys");
    sn_text_free(&why);
}

/* ---- figures ---- */

static void add_number(double value, sn_text *text) {
    char number[SN_NUMBER_TEXT];
    if (isfinite(value)) {
        sn_text_add(text, sn_number_text(value, number));
    } else {
        sn_text_add_number(text, value, 17);
    }
}

/* Why a figure was not measured. */
static void add_reason(const sn_figure *figure, bool is_difference, sn_text *text) {
    const char *what = is_difference ? "pairs" : "runs";
    if (figure->n_runs == 0) {
        sn_text_add(text, "no run is finished");
    } else if (figure->n_diverged > 0) {
        sn_text_addf(text, "%zu of %zu %s diverged", figure->n_diverged, figure->n_runs, what);
    } else if (figure->n_measured < figure->n_runs) {
        sn_text_addf(text, "%zu of %zu %s have it", figure->n_measured, figure->n_runs, what);
    } else {
        sn_text_addf(text, "there is one %s", is_difference ? "pair" : "run");
    }
}

static void check_point(const checker *c, const sn_expectation *row, const sn_point *point) {
    const sn_figure *figure = &point->figures[row->metric];
    const sn_column *statistic = &sn_statistics[row->statistic];
    sn_cell_value cell = statistic->value(statistic, figure);
    bool is_measured = cell.kind == SN_CELL_OF_NUMBER;
    if (is_measured && sn_op_holds(row->op, cell.number, row->value)) return;
    sn_text text = SN_TEXT_EMPTY;
    sn_point_name(point, &c->comparison->varied, &text);
    sn_text_addf(&text, ": %s of %s is ", statistic->name, sn_run_figures[row->metric].column.name);
    if (is_measured) {
        add_number(cell.number, &text);
    } else {
        sn_text_add(&text, "empty (");
        add_reason(figure, means_differences(c, row), &text);
        sn_text_add(&text, ")");
    }
    sn_error_add(c->error, SN_FAILED, "%s:%zu: %s, expected %s %s", c->file->csv.path, row->line, sn_text_string(&text),
                 row->op, row->value_text);
    sn_text_free(&text);
}

static size_t check_row(const checker *c, const sn_expectation *row) {
    const sn_points *points = points_of(c, row);
    size_t n = 0;
    for (size_t p = 0; p < points->n; p++) {
        if (!matches(c, row, &points->items[p])) continue;
        check_point(c, row, &points->items[p]);
        n++;
    }
    return n;
}

/* ---- all rows ---- */

/* The places of the keys are released by the caller, whatever is returned. */
static sn_status match_rows(checker *c, const sn_expectations *expectations) {
    const sn_expectation *rows = c->file->rows;
    c->places = calloc(c->file->n_keys + 1, sizeof *c->places);
    if (!c->places) return sn_error_memory(c->error, c->file->n_keys, c->file->csv.path);
    find_keys(c);
    bool are_known = c->error->status == SN_OK;
    for (size_t i = 0; i < expectations->n && are_known; i++) {
        if (!matches_any(c, &rows[i])) refuse_row(c, &rows[i]);
    }
    return c->error->status;
}

sn_status sn_expectations_match(const sn_expectations *expectations, const sn_comparison *comparison, sn_error *error) {
    checker c = {.comparison = comparison, .file = expectations->file, .error = error};
    sn_status status = match_rows(&c, expectations);
    free(c.places);
    return status;
}

sn_status sn_expectations_check(sn_expectations *expectations, const sn_comparison *comparison, sn_error *error) {
    checker c = {.comparison = comparison, .file = expectations->file, .error = error};
    sn_status status = match_rows(&c, expectations);
    expectations->n_compared = 0;
    for (size_t i = 0; i < expectations->n && !status; i++)
        expectations->n_compared += check_row(&c, &c.file->rows[i]);
    free(c.places);
    return error->status;
}
