/* Owns the look at the first two lines of a table, which nothing has been split in yet. */
#include "data/csv_form.h"

#include <string.h>

#include "base/text.h"

static const char delimiters[] = ";\t,| ";

/* The second line; the end where there is none.  Line ends in quotes count: this is for messages. */
static const char *second_line(const sn_csv *csv) {
    const char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    return end ? end + 1 : csv->end;
}

/* How often a line has `c` outside of quotes. */
static size_t count(const char *line, const char *end, char c) {
    size_t n = 0;
    bool in_quotes = false;
    for (const char *p = line; p < end && *p != '\n'; p++) {
        if (*p == '"') in_quotes = !in_quotes;
        n += !in_quotes && *p == c;
    }
    return n;
}

sn_status sn_csv_check_delimiter(const sn_csv *csv, sn_error *error) {
    const char *first = csv->at, *second = second_line(csv), *found = delimiters;
    if (count(first, csv->end, csv->delimiter) > 0) return SN_OK;
    while (*found &&
           (count(first, csv->end, *found) == 0 || (second < csv->end && count(second, csv->end, *found) == 0)))
        found++;
    if (!*found) return SN_OK;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add_json(&text, (const char[]){csv->delimiter, '\0'});
    sn_text_add(&text, ", which data.delimiter is");
    sn_csv_ask_delimiter(*found, &text);
    sn_error_set(error, SN_INVALID, "%s: row 1: no %s", csv->path, sn_text_string(&text));
    sn_text_free(&text);
    return SN_INVALID;
}

char sn_csv_other_delimiter(const sn_csv *csv) {
    const char *first = csv->at, *second = second_line(csv);
    if (count(first, csv->end, csv->delimiter) == count(second, csv->end, csv->delimiter)) return '\0';
    const char *found = delimiters;
    while (*found &&
           (count(first, csv->end, *found) == 0 || count(first, csv->end, *found) != count(second, csv->end, *found)))
        found++;
    return *found;
}

void sn_csv_ask_delimiter(char delimiter, sn_text *text) {
    if (!delimiter) return;
    sn_text wanted = SN_TEXT_EMPTY;
    sn_text_add_json(&wanted, (const char[]){delimiter, '\0'});
    sn_text_addf(text, " (are the cells separated by %s? set data.delimiter to %s)", sn_text_string(&wanted),
                 sn_text_string(&wanted));
    sn_text_free(&wanted);
}

/* Digits, one comma, digits, and what else a number may have. */
static bool has_decimal_comma(const char *cell) {
    const char *comma = strchr(cell, ',');
    return comma && cell[strspn(cell, "+-0123456789,eE")] == '\0' && !strchr(comma + 1, ',');
}

bool sn_csv_advise_cell(const sn_csv *csv, const char *cell, sn_text *text) {
    const char *other = strpbrk(cell, ";\t|");
    if (other) {
        sn_csv_ask_delimiter(*other, text);
    } else if (has_decimal_comma(cell)) {
        sn_text_addf(text, " (a number has a point, not a comma%s)",
                     csv->delimiter == ';' ? ": sed 's/,/./g' FILE >NEW" : "");
    }
    return other || has_decimal_comma(cell);
}

size_t sn_csv_second_width(const sn_csv *csv) {
    const char *second = second_line(csv);
    return second < csv->end ? count(second, csv->end, csv->delimiter) + 1 : 0;
}
