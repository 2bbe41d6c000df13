/* Owns the reading of a CSV file into arrays.  How many rows can come is bounded by the size of the file before any
 * array is taken. */
#include "data/csv_table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "data/csv_form.h"

void sn_table_add_column(const sn_table *table, size_t column, sn_text *text) {
    if (table->names && table->names[column][0]) {
        sn_text_add(text, "column ");
        sn_table_add_cell(table->names[column], text);
    } else {
        sn_text_addf(text, "column index %zu", column);
    }
}

void sn_table_add_cell(const char *cell, sn_text *text) {
    enum { MOST = 40 };
    char start[MOST + sizeof "..."];
    size_t n = sn_utf8_cut(cell, MOST);
    snprintf(start, sizeof start, "%.*s%s", (int)n, cell, cell[n] ? "..." : "");
    sn_text_add_json(text, start);
}

/* "PATH: row N, column "width": "abc" WHAT"; cell NULL: only WHAT. */
static sn_status fault_cell(const sn_table *table, size_t row, size_t column, const char *cell, const char *what,
                            sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    sn_table_add_column(table, column, &text);
    sn_text_add(&text, ": ");
    if (cell) sn_table_add_cell(cell, &text);
    sn_error_set(error, SN_INVALID, "%s: row %zu, %s%s%s", table->csv.path, row, sn_text_string(&text), cell ? " " : "",
                 what);
    sn_text_free(&text);
    return SN_INVALID;
}

/* Whether row 1 can be of the table, going by its number of cells. */
static bool fits_second(const sn_table *table) {
    return table->second_width == 0 || table->second_width == table->n_columns;
}

/* A line of counts, or a title, before the table; with and without a header the way out is the same. */
#define NO_ROW_OF_TABLE "row 1 has %zu cell%s, row 2 has %zu: if row 1 is no row of the table, take it out of the file"

#define SEVERAL_BLANKS                                                                                                 \
    " (blanks at the start of a line, or several in a row: write one between cells, as sed 's/^ *//' FILE | tr -s ' "  \
    "' "                                                                                                               \
    ">NEW does)"

static sn_status fault_first_row(const sn_table *table, sn_error *error) {
    sn_text hint = SN_TEXT_EMPTY;
    sn_csv_ask_delimiter(table->other_delimiter, &hint);
    sn_error_set(error, SN_INVALID, "%s: " NO_ROW_OF_TABLE "%s", table->csv.path, table->n_columns,
                 table->n_columns == 1 ? "" : "s", table->second_width, sn_text_string(&hint));
    sn_text_free(&hint);
    return SN_INVALID;
}

/* A header of numbers is a row of data that would be lost; but 0,1,2,... is what pandas calls columns without names. */
static sn_status check_header(const sn_table *table, sn_error *error) {
    bool is_count = true;
    for (size_t i = 0; i < table->n_columns; i++) {
        double number = 0;
        if (sn_csv_number(table->csv.cells[i], &number) != SN_CELL_NUMBER) return SN_OK;
        is_count = is_count && number == (double)i;
    }
    if (is_count) return SN_OK;
    if (!fits_second(table)) return fault_first_row(table, error);
    return sn_error_set(error, SN_INVALID,
                        "%s: row 1: only numbers where the header should be; set data.header to false if it is data",
                        table->csv.path);
}

/* The names, and room for one that a short header lacks. */
static sn_status take_names(sn_table *table, sn_error *error) {
    size_t n = table->csv.n_cells, size = (n + 1) * sizeof *table->names;
    table->names = malloc(size);
    if (!table->names) return sn_error_memory(error, size, table->csv.path);
    memcpy(table->names, table->csv.cells, n * sizeof *table->names);
    return SN_OK;
}

/* A header without numbers among its names. */
static bool is_plain_header(const sn_table *table) {
    double number = 0;
    for (size_t i = 0; table->names && i < table->n_columns; i++) {
        if (sn_csv_number(table->names[i], &number) == SN_CELL_NUMBER) return false;
    }
    return table->names;
}

/* No number is a name in R's tables: a row of other things that has a cell less is none of its headers. */
static bool is_short_header(const sn_table *table) {
    if (!is_plain_header(table)) return false;
    const sn_csv *row = &table->csv;
    return row->n_cells == table->n_columns + 1 && row->cells[table->n_columns][0]; /* no comma at the end */
}

/* Takes row 1 as the header, and goes on to row 2, which shows whether the first column is row names. */
static sn_status take_header(sn_table *table, sn_error *error) {
    static char no_name[] = "";
    bool is_end = false;
    sn_status status = check_header(table, error);
    if (status == SN_OK) status = take_names(table, error);
    if (status == SN_OK) status = sn_csv_next(&table->csv, &is_end, error);
    if (status != SN_OK) return status;
    if (is_end) return sn_error_set(error, SN_INVALID, "%s: a header, but no rows of data", table->csv.path);
    table->has_short_header = is_short_header(table);
    if (table->has_short_header) {
        memmove(table->names + 1, table->names, table->n_columns++ * sizeof *table->names);
        table->names[0] = no_name;
    }
    double number = 0;
    bool is_text = sn_csv_number(table->csv.cells[0], &number) == SN_CELL_TEXT;
    table->has_row_names = table->has_short_header || (!table->names[0][0] && is_text);
    return SN_OK;
}

sn_status sn_table_open(sn_table *table, const char *path, char delimiter, bool has_header, sn_error *error) {
    *table = (sn_table){0};
    bool is_end = false;
    sn_status status = sn_csv_open(&table->csv, path, delimiter, error);
    if (status == SN_OK) status = sn_csv_check_delimiter(&table->csv, error);
    if (status == SN_OK) table->other_delimiter = sn_csv_other_delimiter(&table->csv);
    if (status == SN_OK) table->second_width = sn_csv_second_width(&table->csv);
    if (status == SN_OK) status = sn_csv_next(&table->csv, &is_end, error);
    if (status == SN_OK) {
        table->n_columns = table->csv.n_cells;
        if (table->n_columns == 1 && !fits_second(table)) {
            status = fault_first_row(table, error);
        } else if (has_header) {
            status = take_header(table, error);
        }
    }
    if (status != SN_OK) sn_table_close(table);
    return status;
}

void sn_table_close(sn_table *table) {
    sn_csv_close(&table->csv);
    free(table->names);
    free(table->features);
    free(table->targets);
    free(table->labels);
    free(table->missing);
    *table = (sn_table){0};
}

size_t sn_table_row(const sn_table *table, size_t i) {
    return i + 1 + (table->names != NULL);
}

static sn_status make_room(sn_table *table, const sn_table_columns *columns, size_t n_rows, sn_error *error) {
    sn_status status = sn_memory_check(n_rows * columns->n * sizeof *table->features, table->csv.path, error);
    if (status) return status;
    table->room = n_rows;
    table->features = malloc(n_rows * columns->n_features * sizeof *table->features);
    if (columns->is_classes) {
        table->labels = malloc(n_rows * sizeof *table->labels);
    } else {
        table->targets = malloc(n_rows * columns->n_targets * sizeof *table->targets);
    }
    if (table->features && (table->labels || table->targets)) return SN_OK;
    return sn_error_memory(error, n_rows * columns->n * sizeof *table->features, table->csv.path);
}

/* How many cells of the current row that have to be numbers are some. */
static size_t count_numbers(const sn_table *table, const sn_table_columns *columns) {
    size_t n = 0;
    double number = 0;
    for (size_t i = 0; i < columns->n && i < table->csv.n_cells; i++) {
        bool is_wanted =
            columns->target[i] != SN_LEFT_OUT && (columns->target[i] == SN_FEATURE || !columns->is_classes);
        n += is_wanted && sn_csv_number(table->csv.cells[i], &number) == SN_CELL_NUMBER;
    }
    return n;
}

/* Reads on past what is at fault, since nothing comes after it; false at the end, and where a row is at fault. */
static bool look_on(sn_table *table) {
    bool is_end = false;
    sn_error ignored;
    sn_error_clear(&ignored);
    return sn_csv_next(&table->csv, &is_end, &ignored) == SN_OK && !is_end;
}

/* Whether the next row has words, too, in a column; told if so. */
static bool advise_on_words(const sn_table *table, const sn_table_columns *columns, size_t column, sn_text *text) {
    double number = 0;
    const char *below = column < table->csv.n_cells ? table->csv.cells[column] : "";
    if (sn_csv_number(below, &number) != SN_CELL_TEXT) return false;
    sn_text_add(text, ", nor is ");
    sn_table_add_cell(below, text);
    sn_text_addf(text, " in row %zu (%s)", table->csv.row,
                 columns->target[column] != SN_FEATURE ? "for labels set data.task to \"classes\""
                                                       : "words are no feature: take the column out of the file, or "
                                                         "write a column of 0 and 1 for each word");
    return true;
}

/* Text in the first row of data: a header, a title before one, a column of words, or a slip.  The next rows show. */
static void advise_on_first(sn_table *table, const sn_table_columns *columns, size_t column, sn_text *text) {
    size_t first = table->csv.row;
    bool has_numbers = count_numbers(table, columns) > 0, has_second = look_on(table);
    bool is_header = !has_numbers && (!has_second || count_numbers(table, columns) > 0);
    if (is_header && first == 1) {
        sn_text_add(text, " (if this is a header: set data.header to true)");
    } else if (is_header) {
        sn_text_add(text, " (if this is the header: take the row before it out of the file)");
    } else {
        size_t before = text->length;
        bool are_words = has_second && advise_on_words(table, columns, column, text);
        bool is_title = are_words && !has_numbers && count_numbers(table, columns) == 0 && look_on(table) &&
                        count_numbers(table, columns) > 0;
        if (is_title) {
            text->length = before;
            sn_text_addf(text, " (if row %zu is the header: take what stands before it out of the file%s)", first + 1,
                         first == 1 ? " and set data.header to true" : "");
        }
        if (!are_words) sn_text_add(text, " (correct it, or take its row or its column out of the file)");
    }
}

/* A row of words between a row of numbers, as of counts, and one that has some: the header, where none was expected. */
static void advise_on_second(sn_table *table, const sn_table_columns *columns, sn_text *text) {
    bool is_header =
        !table->names && count_numbers(table, columns) == 0 && look_on(table) && count_numbers(table, columns) > 0;
    if (is_header)
        sn_text_add(text, " (if this is the header: take the row before it out of the file and set data.header to "
                          "true)");
}

static sn_status fault_text(sn_table *table, const sn_table_columns *columns, size_t column, sn_error *error) {
    const char *cell = table->csv.cells[column];
    size_t row = table->csv.row;
    if (row == 1 && !fits_second(table)) return fault_first_row(table, error);
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "is not a number");
    bool is_told = sn_csv_advise_cell(&table->csv, cell, &text);
    if (!is_told && table->n == 0) advise_on_first(table, columns, column, &text);
    if (!is_told && table->n == 1) advise_on_second(table, columns, &text);
    sn_status status = fault_cell(table, row, column, cell, sn_text_string(&text), error);
    sn_text_free(&text);
    return status;
}

static sn_status fault_empty(const sn_table *table, size_t column, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "empty cell%s", table->csv.delimiter == ' ' ? SEVERAL_BLANKS : "");
    sn_status status = fault_cell(table, table->csv.row, column, NULL, sn_text_string(&text), error);
    sn_text_free(&text);
    return status;
}

static sn_status read_number(sn_table *table, const sn_table_columns *columns, size_t column, double *value,
                             sn_error *error) {
    const char *cell = table->csv.cells[column];
    switch (sn_csv_number(cell, value)) {
    case SN_CELL_NUMBER:
        return SN_OK;
    case SN_CELL_EMPTY:
        return fault_empty(table, column, error);
    case SN_CELL_NOT_FINITE:
        return fault_cell(table, table->csv.row, column, cell, "is not a finite number", error);
    case SN_CELL_TEXT:
        break;
    }
    return fault_text(table, columns, column, error);
}

/* A target, or that it is missing: all such are told together. */
static sn_status read_target(sn_table *table, const sn_table_columns *columns, size_t column, sn_error *error) {
    size_t at = table->n * columns->n_targets + columns->target[column], n = table->room * columns->n_targets;
    if (!sn_csv_is_missing(table->csv.cells[column]))
        return read_number(table, columns, column, &table->targets[at], error);
    if (!table->missing) table->missing = calloc(n, sizeof *table->missing);
    if (!table->missing) return sn_error_memory(error, n * sizeof *table->missing, table->csv.path);
    table->missing[at] = table->csv.cells[column];
    return SN_OK;
}

static sn_status fault_width(const sn_table *table, sn_error *error) {
    const sn_csv *csv = &table->csv;
    if (csv->row == 2 && csv->n_cells == table->second_width && !is_plain_header(table))
        return fault_first_row(table, error);
    sn_text hint = SN_TEXT_EMPTY;
    sn_csv_ask_delimiter(table->other_delimiter, &hint);
    if (csv->delimiter == ' ' && hint.length == 0) sn_text_add(&hint, SEVERAL_BLANKS);
    sn_status status = sn_error_set(error, SN_INVALID, "%s: row %zu: %zu cell%s, expected %zu as in row %d%s",
                                    csv->path, csv->row, csv->n_cells, csv->n_cells == 1 ? "" : "s", table->n_columns,
                                    table->has_short_header ? 2 : 1, sn_text_string(&hint));
    sn_text_free(&hint);
    return status;
}

/* The current row becomes data row table->n. */
static sn_status take_row(sn_table *table, const sn_table_columns *columns, sn_error *error) {
    const sn_csv *csv = &table->csv;
    if (csv->n_cells != table->n_columns) return fault_width(table, error);
    double *feature = table->features + table->n * columns->n_features;
    sn_status status = SN_OK;
    for (size_t i = 0; i < columns->n && status == SN_OK; i++) {
        size_t target = columns->target[i];
        if (target == SN_FEATURE) {
            status = read_number(table, columns, i, feature++, error);
        } else if (target == SN_LEFT_OUT) {
            continue;
        } else if (columns->is_classes) {
            table->labels[table->n] = csv->cells[i];
        } else {
            status = read_target(table, columns, i, error);
        }
    }
    table->n++;
    return status;
}

sn_status sn_table_read(sn_table *table, const sn_table_columns *columns, sn_error *error) {
    sn_status status = make_room(table, columns, 1 + sn_csv_rows_left(&table->csv, columns->n), error);
    bool is_end = false; /* the first row has been read when the file was opened */
    while (status == SN_OK && !is_end) {
        status = take_row(table, columns, error);
        if (status == SN_OK) status = sn_csv_next(&table->csv, &is_end, error);
    }
    return status;
}
