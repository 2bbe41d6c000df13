/* Owns the splitting of CSV text into cells, in place: a cell ends in a NUL byte where its delimiter was. */
#include "base/csv.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/magic.h"

static sn_status fault(const sn_csv *csv, sn_error *error, const char *message) {
    return sn_error_set(error, SN_INVALID, "%s: row %zu: %s", csv->path, csv->row, message);
}

static bool is_blank(const sn_csv *csv, char c) {
    return (c == ' ' || c == '\t') && c != csv->delimiter;
}

/* Moves over the end of a line, if one is here. */
static bool skip_line_end(sn_csv *csv) {
    size_t n = csv->at[0] == '\n' ? 1 : csv->at[0] == '\r' && csv->at[1] == '\n' ? 2 : 0;
    csv->at += n;
    return n > 0;
}

/* Moves over blank lines; true if there were any.  Blanks at the start of a row with cells are left alone. */
static bool skip_blank_lines(sn_csv *csv) {
    char *start = csv->at;
    for (;;) {
        char *line = csv->at;
        while (is_blank(csv, *csv->at))
            csv->at++;
        if (csv->at == csv->end) break;
        if (!skip_line_end(csv)) {
            csv->at = line;
            break;
        }
    }
    return csv->at > start;
}

sn_status sn_csv_open(sn_csv *csv, const char *path, char delimiter, sn_error *error) {
    *csv = (sn_csv){.path = path, .delimiter = delimiter};
    size_t size = 0;
    sn_status status = sn_file_read(path, SN_CSV_MAX_BYTES, &csv->data, &size, error);
    if (status != SN_OK) return status;
    csv->at = csv->data;
    csv->end = csv->data + size;
    if (size >= 3 && memcmp(csv->data, "\xEF\xBB\xBF", 3) == 0) csv->at += 3;
    for (const char *c = "\"\r\n"; *c; c++)
        csv->stops[(unsigned char)*c] = true;
    csv->stops[(unsigned char)delimiter] = true;
    csv->stops[0] = true; /* the end of the file: no NUL byte is left in it */

    const char *nul = memchr(csv->data, '\0', size);
    const char *format = sn_magic_describe(csv->data, size);
    if (format) {
        status = sn_error_set(error, SN_INVALID, "%s: %s", path, format);
    } else if (nul) {
        status = sn_error_set(error, SN_INVALID, "%s: byte offset %zu: a NUL byte, so this is no CSV text in UTF-8",
                              path, (size_t)(nul - csv->data));
    } else {
        char *start = csv->at;
        skip_blank_lines(csv);
        if (csv->at == csv->end) status = sn_error_set(error, SN_INVALID, "%s: the file is empty", path);
        csv->at = start;
    }
    if (status != SN_OK) sn_csv_close(csv);
    return status;
}

void sn_csv_close(sn_csv *csv) {
    free(csv->data);
    free(csv->cells);
    *csv = (sn_csv){0};
}

/* The end of a cell is at `at`: moves over the delimiter or the end of the line. */
static sn_status end_cell(sn_csv *csv, bool is_quoted, bool *is_last, sn_error *error) {
    *is_last = csv->at == csv->end;
    if (*is_last) return SN_OK;
    if (*csv->at == csv->delimiter) {
        csv->at++;
        return SN_OK;
    }
    *is_last = skip_line_end(csv);
    if (*is_last) return SN_OK;
    if (*csv->at == '\r') return fault(csv, error, "a carriage return without a line feed");
    return fault(csv, error, is_quoted ? "text after a closing quote" : "a quote inside an unquoted cell");
}

/* Unquotes in place; `at` is behind the opening quote, and afterwards behind the closing one and blanks.  *end is the
 * end of the cell's text. */
static sn_status read_quoted(sn_csv *csv, char **end, sn_error *error) {
    char *out = csv->at;
    for (;;) {
        char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (!quote) return fault(csv, error, "a quoted cell is not closed before the end of the file");
        size_t n = (size_t)(quote - csv->at);
        bool is_doubled = quote[1] == '"';
        memmove(out, csv->at, n + is_doubled);
        out += n + is_doubled;
        csv->at = quote + 1 + is_doubled;
        if (!is_doubled) break;
    }
    while (is_blank(csv, *csv->at))
        csv->at++;
    *end = out;
    return SN_OK;
}

static sn_status read_cell(sn_csv *csv, char **cell, bool *is_last, sn_error *error) {
    while (is_blank(csv, *csv->at))
        csv->at++;
    bool is_quoted = *csv->at == '"';
    char *end = csv->at;
    if (is_quoted) {
        *cell = ++csv->at;
        sn_status status = read_quoted(csv, &end, error);
        if (status != SN_OK) return status;
    } else {
        *cell = csv->at;
        while (!csv->stops[(unsigned char)*csv->at])
            csv->at++;
        end = csv->at;
        while (end > *cell && is_blank(csv, end[-1]))
            end--;
    }
    sn_status status = end_cell(csv, is_quoted, is_last, error);
    *end = '\0'; /* only now: it may be the delimiter that end_cell looks at */
    return status;
}

static sn_status add_cell(sn_csv *csv, char *cell, sn_error *error) {
    if (csv->n_cells == csv->capacity) {
        size_t capacity = csv->capacity > 0 ? 2 * csv->capacity : 64;
        char **cells = realloc(csv->cells, capacity * sizeof *cells);
        if (!cells) return sn_error_memory(error, capacity * sizeof *cells, csv->path);
        csv->cells = cells;
        csv->capacity = capacity;
    }
    csv->cells[csv->n_cells++] = cell;
    return SN_OK;
}

sn_status sn_csv_next(sn_csv *csv, bool *is_end, sn_error *error) {
    csv->n_cells = 0;
    csv->row++;
    bool was_blank = skip_blank_lines(csv);
    *is_end = csv->at == csv->end;
    if (*is_end) return SN_OK;
    if (was_blank) return fault(csv, error, "a blank line");

    bool is_last = false;
    sn_status status = SN_OK;
    while (!is_last && status == SN_OK) {
        char *cell = NULL;
        status = read_cell(csv, &cell, &is_last, error);
        if (status == SN_OK) status = add_cell(csv, cell, error);
    }
    return status;
}

/* A cell takes at least its delimiter or line end, the last one of the file excepted. */
size_t sn_csv_rows_left(const sn_csv *csv, size_t n_cells) {
    size_t n_lines = 1;
    for (const char *at = csv->at; (at = memchr(at, '\n', (size_t)(csv->end - at))) != NULL; at++)
        n_lines++;
    size_t most = ((size_t)(csv->end - csv->at) + 1) / (n_cells > 0 ? n_cells : 1);
    return n_lines < most ? n_lines : most;
}

/* The parts of a decimal number: digits * 10^exponent; `is_exact` where 64 bits hold the digits. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
    bool is_exact;
} decimal;

/* Reads digits; returns how many. */
static int scan_digits(const char **at, decimal *d, int exponent_step) {
    int n = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, n++) {
        if (d->digits > (UINT64_MAX - 9) / 10) d->is_exact = false;
        if (!d->is_exact) continue;
        d->digits = 10 * d->digits + (uint64_t)(**at - '0');
        d->exponent -= exponent_step;
    }
    return n;
}

/* Reads [e[+-]digits]; false where there is an e without digits. */
static bool scan_exponent(const char **at, decimal *d) {
    if (**at != 'e' && **at != 'E') return true;
    (*at)++;
    bool is_negative = **at == '-';
    if (**at == '-' || **at == '+') (*at)++;
    decimal power = {.is_exact = true};
    if (scan_digits(at, &power, 0) == 0) return false;
    if (!power.is_exact || power.digits > 1000) {
        d->is_exact = false;
    } else {
        d->exponent += is_negative ? -(int)power.digits : (int)power.digits;
    }
    return true;
}

/* Digits and power both exact as doubles: then one rounding gives the nearest double (Clinger 1990). */
static bool convert_exactly(const decimal *d, double *value) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (!d->is_exact || d->digits > (uint64_t)1 << 53 || d->exponent < -22 || d->exponent > 22) return false;
    double digits = (double)d->digits;
    *value = d->exponent < 0 ? digits / powers[-d->exponent] : digits * powers[d->exponent];
    return true;
}

static bool is_nonfinite_word(const char *word) {
    return strcasecmp(word, "nan") == 0 || strcasecmp(word, "inf") == 0 || strcasecmp(word, "infinity") == 0;
}

sn_cell sn_csv_number(const char *cell, double *value) {
    if (!*cell) return SN_CELL_EMPTY;
    const char *at = cell;
    bool is_negative = *at == '-';
    if (*at == '-' || *at == '+') at++;
    if (is_nonfinite_word(at)) return SN_CELL_NOT_FINITE;

    decimal d = {.is_exact = true};
    int n_digits = scan_digits(&at, &d, 0);
    if (*at == '.') {
        at++;
        n_digits += scan_digits(&at, &d, 1);
    }
    if (n_digits == 0 || !scan_exponent(&at, &d) || *at) return SN_CELL_TEXT;
    if (convert_exactly(&d, value)) {
        if (is_negative) *value = -*value;
        return SN_CELL_NUMBER;
    }
    *value = strtod(cell, NULL);
    return isfinite(*value) ? SN_CELL_NUMBER : SN_CELL_NOT_FINITE;
}

bool sn_csv_is_missing(const char *cell) {
    /* What R, pandas, spreadsheets, databases and the UCI repository write. */
    static const char *const words[] = {"",     "NA",   "N/A",  "#N/A", "#NA", "<NA>", "nan",
                                        "-nan", "null", "NULL", "?",    "-",   ".",    NULL};
    const char *text = cell + strspn(cell, " \t");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    for (size_t i = 0; words[i]; i++) {
        if (strlen(words[i]) == n && strncasecmp(text, words[i], n) == 0) return true;
    }
    return false;
}
