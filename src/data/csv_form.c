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
    sn_text is = SN_TEXT_EMPTY, wanted = SN_TEXT_EMPTY;
    sn_text_add_json(&is, (const char[]){csv->delimiter, '\0'});
    sn_text_add_json(&wanted, (const char[]){*found, '\0'});
    sn_error_set(error, SN_INVALID,
                 "%s: row 1: no %s, which data.delimiter is; are the cells separated by %s?"
                 " (set data.delimiter to %s)",
                 csv->path, sn_text_string(&is), sn_text_string(&wanted), sn_text_string(&wanted));
    sn_text_free(&is);
    sn_text_free(&wanted);
    return SN_INVALID;
}

size_t sn_csv_second_width(const sn_csv *csv) {
    const char *second = second_line(csv);
    return second < csv->end ? count(second, csv->end, csv->delimiter) + 1 : 0;
}
