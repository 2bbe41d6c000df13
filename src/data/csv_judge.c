/* Owns the judgement of a table.  A guess that can be wrong is told in one line, with the key or the edit that settles
 * it; only a missing label is an error. */
#include "data/csv_judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* ---- missing labels and targets ---- */

/* Beside "+" a "-" is a class. */
static bool has_plus(const sn_table *table) {
    for (size_t i = 0; i < table->n; i++) {
        if (strcmp(table->labels[i], "+") == 0) return true;
    }
    return false;
}

/* Rows where something is missing, the first of them in full. */
typedef struct missing {
    size_t n;
    sn_text rows;
} missing;

static void add_missing(missing *m, const sn_table *table, size_t i, const char *cell) {
    enum { SHOWN = 5 };
    if (m->n++ >= SHOWN) {
        if (m->n == SHOWN + 1) sn_text_add(&m->rows, ", ...");
        return;
    }
    sn_text_addf(&m->rows, "%srow %zu: ", m->n > 1 ? ", " : "", sn_table_row(table, i));
    sn_table_add_cell(cell, &m->rows);
}

/* Tells and forgets what is missing in a column, if anything is. */
static sn_status fault_missing(missing *m, const sn_table *table, size_t column, const char *what, const char *remedy,
                               sn_error *error) {
    sn_text name = SN_TEXT_EMPTY;
    sn_table_add_column(table, column, &name);
    sn_status status = SN_OK;
    if (m->n > 0) {
        status =
            sn_error_add(error, SN_INVALID, "%s: %s: the %s is missing in %zu of %zu rows (%s); %s", table->csv.path,
                         sn_text_string(&name), what, m->n, table->n, sn_text_string(&m->rows), remedy);
    }
    sn_text_free(&m->rows);
    sn_text_free(&name);
    return status;
}

static size_t column_of(const sn_table_columns *columns, size_t target) {
    size_t column = 0;
    while (columns->target[column] != target)
        column++;
    return column;
}

static sn_status check_targets(const sn_table *table, const sn_table_columns *columns, sn_error *error) {
    sn_status status = SN_OK;
    for (size_t t = 0; t < columns->n_targets && table->missing; t++) {
        missing m = {.rows = SN_TEXT_EMPTY};
        for (size_t i = 0; i < table->n; i++) {
            const char *cell = table->missing[i * columns->n_targets + t];
            if (cell) add_missing(&m, table, i, cell);
        }
        if (fault_missing(&m, table, column_of(columns, t), "target",
                          "give these rows a number or take them out of the file", error))
            status = SN_INVALID;
    }
    return status;
}

static sn_status check_labels(const sn_table *table, const sn_table_columns *columns, sn_error *error) {
    bool knows_minus = has_plus(table);
    missing m = {.rows = SN_TEXT_EMPTY};
    for (size_t i = 0; i < table->n; i++) {
        const char *label = table->labels[i];
        if (sn_csv_is_missing(label) && !(knows_minus && strcmp(label, "-") == 0)) add_missing(&m, table, i, label);
    }
    return fault_missing(&m, table, column_of(columns, 0), "label",
                         "give these rows a label or take them out of the file (a class that is called so needs "
                         "another name)",
                         error);
}

sn_status sn_table_check_targets(const sn_table *table, const sn_table_columns *columns, sn_error *error) {
    return columns->is_classes ? check_labels(table, columns, error) : check_targets(table, columns, error);
}

/* ---- columns ---- */

void sn_table_note_header(const sn_table *table, sn_notes *notes) {
    size_t n_numbers = 0;
    double number = 0;
    for (size_t i = 0; table->names && i < table->n_columns; i++)
        n_numbers += sn_csv_number(table->names[i], &number) == SN_CELL_NUMBER;
    if (n_numbers == 0) return;
    sn_note_always(notes,
                   "%s: row 1 is taken as a header though %zu of its %zu cells %s: set data.header to false if it is "
                   "data (true says that it is none)",
                   table->csv.path, n_numbers, table->n_columns, n_numbers == 1 ? "is a number" : "are numbers");
}

/* Whether feature j is one more from row to row. */
static bool is_counting(const sn_table *table, const sn_table_columns *columns, size_t j) {
    enum { FEWEST = 3 };
    const double *feature = table->features + j;
    for (size_t i = 1; i < table->n; i++) {
        if (feature[i * columns->n_features] != feature[0] + (double)i) return false;
    }
    return table->n >= FEWEST && feature[0] == floor(feature[0]);
}

/* Whether feature j has the numbers of that many rows, each once, in any order: a table that was shuffled. */
static bool is_shuffled_count(const sn_table *table, const sn_table_columns *columns, size_t j) {
    enum { FEWEST = 10 };
    const double *feature = table->features + j;
    double least = feature[0];
    for (size_t i = 1; i < table->n; i++)
        least = fmin(least, feature[i * columns->n_features]);
    bool *is_seen = table->n >= FEWEST ? calloc(table->n, sizeof *is_seen) : NULL;
    size_t n = 0;
    for (; is_seen && n < table->n; n++) {
        double number = feature[n * columns->n_features] - least;
        if (number != floor(number) || number >= (double)table->n || is_seen[(size_t)number]) break;
        is_seen[(size_t)number] = true;
    }
    free(is_seen);
    return n == table->n && least == floor(least);
}

/* What R and pandas call a column of row names once they have read it as any other. */
static bool names_rows(const char *name) {
    static const char *const names[] = {"", "rownames", "row.names", "row_names", "Unnamed: 0", NULL};
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(name, names[i]) == 0) return true;
    }
    return false;
}

static void note_left_out(const sn_table *table, sn_notes *notes) {
    sn_note_always(notes, "%s: %s, as R writes row names: column index 0 is left out", table->csv.path,
                   table->has_short_header ? "row 1 has one cell less than the other rows"
                                           : "the first column has no name and holds text");
}

/* Column `column` is feature j. */
static void note_feature(const sn_table *table, const sn_table_columns *columns, size_t column, size_t j,
                         sn_notes *notes) {
    bool is_index = column == 0 && table->names && names_rows(table->names[0]);
    bool counts = is_counting(table, columns, j) || is_shuffled_count(table, columns, j);
    if (!is_index && !counts) return;
    sn_text text = SN_TEXT_EMPTY;
    sn_table_add_column(table, column, &text);
    if (is_index) {
        sn_text_add(&text, table->names[0][0] ? " is called as the row names of R or the index of pandas"
                                              : " has no name, as row names of R and the index of pandas");
    }
    if (counts) {
        sn_text_addf(&text, "%s counts the rows (", is_index ? ", and" : "");
        for (size_t i = 0; i < 3; i++) {
            sn_text_add_number(&text, table->features[j + i * columns->n_features], 17);
            sn_text_add(&text, ", ");
        }
        sn_text_add(&text, "...)");
    }
    sn_note_always(notes, "%s: %s: it is taken as a feature; take it out of the file if it tells nothing",
                   table->csv.path, sn_text_string(&text));
    sn_text_free(&text);
}

void sn_table_note_columns(const sn_table *table, const sn_table_columns *columns, sn_notes *notes) {
    size_t j = 0;
    for (size_t column = 0; column < columns->n; column++) {
        if (columns->target[column] == SN_LEFT_OUT) note_left_out(table, notes);
        if (columns->target[column] == SN_FEATURE) note_feature(table, columns, column, j++, notes);
    }
}

/* ---- classes ---- */

/* `PATH: column "species"`, for the target of classes. */
static void add_target(const sn_table *table, const sn_table_columns *columns, sn_text *text) {
    sn_text_addf(text, "%s: ", table->csv.path);
    sn_table_add_column(table, column_of(columns, 0), text);
}

static double value_of(const sn_labels *labels, size_t i) {
    return labels->kind == SN_LABELS_INTEGERS ? (double)labels->sorted[i].integer : labels->sorted[i].number;
}

static bool are_whole(const sn_labels *labels) {
    for (size_t i = 0; i < labels->n; i++) {
        if (value_of(labels, i) != floor(value_of(labels, i))) return false;
    }
    return true;
}

/* Whole numbers from 0 or 1 on without a gap are most often the codes of classes. */
static bool are_codes(const sn_labels *labels) {
    double first = value_of(labels, 0), last = value_of(labels, labels->n - 1);
    return (first == 0 || first == 1) && last - first + 1 == (double)labels->n;
}

/* More classes than names usually are, by their number or by the rows that each has. */
static bool are_many(const sn_labels *labels, size_t n_rows) {
    enum { MOST_NAMES = 100, MOST_NUMBERS = 20 };
    size_t n = labels->n, most = labels->kind == SN_LABELS_TEXT || are_codes(labels) ? MOST_NAMES : MOST_NUMBERS;
    return n > most || (n > 10 && n_rows < 5 * n) || (n > 5 && n_rows < 2 * n);
}

void sn_labels_note_numbers(const sn_labels *labels, const sn_table *table, const sn_table_columns *columns,
                            sn_notes *notes) {
    bool is_text = labels->kind == SN_LABELS_TEXT, is_real = !is_text && !are_whole(labels);
    if (!is_real && !are_many(labels, table->n)) return;
    sn_text text = SN_TEXT_EMPTY;
    add_target(table, columns, &text);
    sn_note_always(notes,
                   "%s: %zu different %s in %zu rows are taken as classes: set data.task to \"classes\" if they "
                   "are, %s",
                   sn_text_string(&text), labels->n,
                   is_text   ? "labels"
                   : is_real ? "numbers, not all of them whole,"
                             : "whole numbers",
                   table->n,
                   is_text ? "else data.target to another column" : "to \"regression\" if numbers are to be predicted");
    sn_text_free(&text);
}

/* A label as it would be without blanks and capitals, of ASCII and Latin-1, and its class. */
typedef struct folded {
    char *text;
    size_t class;
} folded;

static int by_text(const void *a, const void *b) {
    const folded *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->class > y->class) - (x->class < y->class);
}

static bool is_blank(uint32_t code) {
    enum { NO_BREAK_SPACE = 0xA0 };
    return code == ' ' || code == '\t' || code == '\r' || code == '\n' || code == NO_BREAK_SPACE;
}

/* The capitals of Latin-1 are U+00C0 to U+00DE, among them the sign of multiplication. */
static uint32_t lower(uint32_t code) {
    bool is_capital = (code >= 'A' && code <= 'Z') || (code >= 0xC0 && code <= 0xDE && code != 0xD7);
    return is_capital ? code + 0x20 : code;
}

/* Bytes that are no UTF-8 stay what they are. */
static void fold(const char *text, char *out) {
    uint32_t code;
    for (size_t n = 1; *text; text += n > 0 ? n : 1) {
        n = sn_utf8_length(text, SIZE_MAX, &code);
        if (n == 0) *out++ = *text;
        if (n > 0 && !is_blank(code)) out += sn_utf8_write(out, lower(code));
    }
    *out = '\0';
}

/* The labels of each group of equals as `"a" and "A"`, the first groups in full. */
static size_t add_groups(const sn_labels *labels, const folded *all, sn_text *text) {
    enum { SHOWN = 5 };
    size_t n_groups = 0;
    for (size_t i = 0, end = 0; i < labels->n; i = end) {
        for (end = i + 1; end < labels->n && strcmp(all[i].text, all[end].text) == 0;)
            end++;
        if (end - i < 2 || n_groups++ >= SHOWN) continue;
        for (size_t k = i; k < end; k++) {
            sn_text_add(text, k > i ? " and " : n_groups > 1 ? ", " : "");
            sn_table_add_cell(labels->sorted[all[k].class].text, text);
        }
    }
    if (n_groups > SHOWN) sn_text_addf(text, ", ... (%zu such groups)", n_groups);
    return n_groups;
}

void sn_labels_note_twins(const sn_labels *labels, const sn_table *table, const sn_table_columns *columns,
                          sn_notes *notes) {
    size_t size = 0;
    for (size_t i = 0; i < labels->n; i++)
        size += strlen(labels->sorted[i].text) + 1;
    folded *all = malloc(labels->n * sizeof *all);
    char *texts = malloc(size), *at = texts;
    if (all && texts) {
        for (size_t i = 0; i < labels->n; i++) {
            all[i] = (folded){at, i};
            fold(labels->sorted[i].text, at);
            at += strlen(at) + 1;
        }
        qsort(all, labels->n, sizeof *all, by_text);
        sn_text target = SN_TEXT_EMPTY, groups = SN_TEXT_EMPTY;
        add_target(table, columns, &target);
        if (add_groups(labels, all, &groups) > 0) {
            sn_note_always(notes, "%s: labels that differ in blanks or case only are different classes: %s",
                           sn_text_string(&target), sn_text_string(&groups));
        }
        sn_text_free(&target);
        sn_text_free(&groups);
    }
    free(all);
    free(texts);
}
