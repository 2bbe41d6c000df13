/* One CSV file as a table of features and targets. */
#ifndef SN_DATA_CSV_TABLE_H
#define SN_DATA_CSV_TABLE_H

#include <stdint.h>

#include "base/csv.h"
#include "base/text.h"

/* What the columns are.  The features are all columns that are no targets and not left out, in the order of the file.
 */
typedef struct sn_table_columns {
    size_t n;          /* columns */
    size_t n_targets;  /* 1 for classes */
    size_t n_features; /* 1 or more */
    size_t *target;    /* (n): which target a column is, else SN_FEATURE or SN_LEFT_OUT */
    bool is_classes;
} sn_table_columns;

#define SN_FEATURE  SIZE_MAX
#define SN_LEFT_OUT (SIZE_MAX - 1)

typedef struct sn_table {
    sn_csv csv;   /* keeps the text that names and labels point into */
    char **names; /* (n_columns) the header; NULL: none */
    size_t n_columns;
    char other_delimiter;  /* with which the first two lines have as many cells each, as with data.delimiter they have
                              not; NUL: there is none */
    size_t second_width;   /* how many cells the second line has, as far as its text tells; 0: there is none */
    bool has_short_header; /* without a name for the first column, as R writes tables with row names */
    bool has_row_names;    /* the first column, which has no name, is R's row names: a short header, or text */
    size_t n;              /* rows of data */
    size_t room;           /* rows that there is room for */
    double *features;      /* (n, n_features) */
    double *targets;       /* (n, n_targets); NULL for classes */
    const char **missing;  /* (n, n_targets) the cells of targets that are no numbers but missing, else NULL; NULL: none
                              is missing */
    const char **labels;   /* (n); NULL for regression */
} sn_table;

/* Opens the file and reads its header and its first row of data, so that n_columns and names are known. */
sn_status sn_table_open(sn_table *table, const char *path, char delimiter, bool has_header, sn_error *error);

/* Reads the rest, once.  SN_INVALID with file, row and column for a cell that is empty or no finite number, a row with
 * another number of cells.  Labels may be any text, empty ones too, and targets may be missing. */
sn_status sn_table_read(sn_table *table, const sn_table_columns *columns, sn_error *error);

/* Fine on a zeroed record. */
void sn_table_close(sn_table *table);

/* The row of the file (from 1, a header included) that data row i came from. */
size_t sn_table_row(const sn_table *table, size_t i);

/* Appends what a message calls a column: `column "width"`, or `column index 3` (from 0) where it has no name. */
void sn_table_add_column(const sn_table *table, size_t column, sn_text *text);

/* Appends a cell in quotes, escaped and cut where it is long. */
void sn_table_add_cell(const char *cell, sn_text *text);

#endif
