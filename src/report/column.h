/* Columns: a column of any table that the program writes is one record, which header, rows, data package, lists and
 * tables for people loop over.  A sheet is a CSV file as its columns. */
#ifndef SN_REPORT_COLUMN_H
#define SN_REPORT_COLUMN_H

#include "base/text.h"
#include "report/record.h"

typedef enum sn_cell_kind { SN_CELL_OF_NOTHING, SN_CELL_OF_INTEGER, SN_CELL_OF_NUMBER, SN_CELL_OF_TEXT } sn_cell_kind;

typedef struct sn_cell_value {
    sn_cell_kind kind;
    int64_t integer;
    double number;
    const char *text;
} sn_cell_value;

typedef struct sn_column {
    const char *name;        /* in the CSV */
    const char *type;        /* of Frictionless: integer, number, boolean, string */
    const char *unit, *help; /* a unit of "": it has none */
    sn_cell_value (*value)(const struct sn_column *column, const void *record);
    size_t place;      /* what `value` finds it by: where it stands in the record, or its number in a list */
    const char *title; /* in tables for people; NULL: it is not there */
    int digits;        /* significant ones, in these tables */
} sn_column;

typedef struct sn_sheet {
    const char *name, *help;  /* the file is NAME.csv; what a row is */
    const char *key;          /* the columns that tell rows apart: JSON strings separated by commas */
    const sn_column *columns; /* name NULL ends */
} sn_sheet;

static inline sn_cell_value sn_cell_integer(int64_t integer) {
    return (sn_cell_value){.kind = SN_CELL_OF_INTEGER, .integer = integer};
}

static inline sn_cell_value sn_cell_number(double number) {
    return (sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = number};
}

/* NULL: empty. */
static inline sn_cell_value sn_cell_text(const char *text) {
    return (sn_cell_value){.kind = text ? SN_CELL_OF_TEXT : SN_CELL_OF_NOTHING, .text = text};
}

static inline sn_cell_value sn_cell_measure(sn_measure measure) {
    return measure.is_measured ? sn_cell_number(measure.value) : (sn_cell_value){.kind = SN_CELL_OF_NOTHING};
}

/* Values of columns whose `place` is an offset in the record: of an int64_t, a double, an sn_measure, and of one that
 * counts (in double, which is exact far beyond any number of weights). */
sn_cell_value sn_column_integer(const sn_column *column, const void *record);
sn_cell_value sn_column_number(const sn_column *column, const void *record);
sn_cell_value sn_column_measure(const sn_column *column, const void *record);
sn_cell_value sn_column_count(const sn_column *column, const void *record);

/* The column of that name; NULL: there is none. */
const sn_column *sn_column_find(const sn_column *columns, const char *name);

size_t sn_column_total(const sn_column *columns);

/* One cell (RFC 4180); text quoted where that wants it.  `digits` of numbers: 9 give every float32 back, 17 every
 * float64. */
void sn_csv_cell(sn_text *text, const sn_cell_value *cell, int digits);

/* Header and row, each with its LF; name NULL ends the columns.  `record` is what their `value` reads. */
void sn_csv_header(sn_text *text, const sn_column *columns);
void sn_csv_row(sn_text *text, const sn_column *columns, const void *record, int digits);

#endif
