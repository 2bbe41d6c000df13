/* CSV text, row by row (RFC 4180): quoted cells with doubled quotes, LF or CRLF, an UTF-8 byte order mark skipped.
 *
 * Beyond the RFC: blanks around an unquoted cell and around the quotes of a quoted one do not count; blank lines at the
 * end of the file are passed over.  Blank lines between rows, quotes inside unquoted cells, text after a closing quote
 * and lone carriage returns are errors. */
#ifndef SN_BASE_CSV_H
#define SN_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* No larger file is read. */
#define SN_CSV_MAX_BYTES ((size_t)1 << 31)

typedef struct sn_csv {
    const char *path;
    char delimiter;
    size_t row;   /* the current one, from 1, a header included; 0 before the first */
    char **cells; /* (n_cells) of the current row; the strings live in `data` until sn_csv_close */
    size_t n_cells;
    size_t capacity; /* of cells */
    char *data;      /* the file; cells are unquoted and ended in place */
    char *at, *end;
    bool stops[256]; /* bytes that may end an unquoted cell */
} sn_csv;

/* Reads the file.  SN_IO: cannot read; SN_INVALID: empty, not a text, too large.  `path` must outlive the reader. */
sn_status sn_csv_open(sn_csv *csv, const char *path, char delimiter, sn_error *error);

/* Moves to the next row; *is_end instead where there is none.  SN_INVALID: "PATH: row N: ...". */
sn_status sn_csv_next(sn_csv *csv, bool *is_end, sn_error *error);

/* Fine on a zeroed record. */
void sn_csv_close(sn_csv *csv);

/* At most how many rows with n_cells cells each can still come. */
size_t sn_csv_rows_left(const sn_csv *csv, size_t n_cells);

typedef enum sn_cell { SN_CELL_NUMBER, SN_CELL_EMPTY, SN_CELL_TEXT, SN_CELL_NOT_FINITE } sn_cell;

/* What a cell is; *value is the nearest double of a decimal number.  Hexadecimal numbers are text; nan, inf and
 * numbers beyond the doubles are not finite. */
sn_cell sn_csv_number(const char *cell, double *value);

/* Whether a cell is what programs write for a value that is not there: nothing, NA, nan, null, ?, ... */
bool sn_csv_is_missing(const char *cell);

#endif
