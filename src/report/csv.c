/* Owns CSV as text (RFC 4180 with LF): cells, header lines, rows.  A row ends with its LF and nothing else
 * does, so whole lines are whole rows. */
#include <string.h>

#include "report/metrics.h"

/* RFC 4180, section 2: line breaks, quotes and commas want quotes around, quotes inside are doubled. */
static void add_text_cell(sn_text *text, const char *cell) {
    if (!strpbrk(cell, ",\"\r\n")) {
        sn_text_add(text, cell);
        return;
    }
    sn_text_add(text, "\"");
    for (const char *p = cell; *p; p++)
        sn_text_add_bytes(text, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    sn_text_add(text, "\"");
}

void sn_csv_cell(sn_text *text, const sn_cell_value *cell, int digits) {
    switch (cell->kind) {
    case SN_CELL_OF_NOTHING:
        break;
    case SN_CELL_OF_INTEGER:
        sn_text_add_integer(text, cell->integer);
        break;
    case SN_CELL_OF_NUMBER:
        sn_text_add_number(text, cell->number, digits);
        break;
    case SN_CELL_OF_TEXT:
        add_text_cell(text, cell->text);
        break;
    }
}

void sn_csv_header(sn_text *text, const sn_column *columns) {
    for (const sn_column *column = columns; column->name; column++) {
        if (column != columns) sn_text_add(text, ",");
        add_text_cell(text, column->name);
    }
    sn_text_add(text, "\n");
}

void sn_csv_row(sn_text *text, const sn_column *columns, const void *record, int digits) {
    for (const sn_column *column = columns; column->name; column++) {
        if (column != columns) sn_text_add(text, ",");
        sn_cell_value cell = column->value(column, record);
        sn_csv_cell(text, &cell, digits);
    }
    sn_text_add(text, "\n");
}

void sn_gradients_csv_rows(sn_text *text, const sn_records *records, int digits) {
    for (int k = 0; k < records->n_layers; k++)
        sn_csv_row(text, sn_gradients_sheet.columns, &records->layers[k], digits);
}
