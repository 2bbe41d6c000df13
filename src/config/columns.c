/* Owns the alignment of columns.  See columns.h for the contract. */
#include "config/columns.h"

#include <string.h>

struct sn_columns_row {
    struct sn_columns_row *next;
    const char *cells[SN_COLUMNS];
};

enum { MAX_WIDTH = 48, GAP = 2 };

void sn_columns_add(sn_columns *columns, const char *const cells[SN_COLUMNS]) {
    struct sn_columns_row *row = sn_pool_alloc(&columns->pool, sizeof *row);
    for (int i = 0; row && i < SN_COLUMNS; i++) {
        row->cells[i] = sn_pool_string(&columns->pool, cells[i] ? cells[i] : "");
        if (!row->cells[i]) row = NULL;
    }
    if (!row) {
        columns->failed = true;
    } else if (columns->last) {
        columns->last = columns->last->next = row;
    } else {
        columns->first = columns->last = row;
    }
}

static int width_of(const char *cell) {
    return (int)sn_text_columns(cell, strlen(cell));
}

static int last_cell(const struct sn_columns_row *row) {
    int last = SN_COLUMNS - 1;
    while (last > 0 && !row->cells[last][0])
        last--;
    return last;
}

void sn_columns_write(sn_columns *columns, sn_text *text) {
    int widths[SN_COLUMNS] = {0};
    for (const struct sn_columns_row *row = columns->first; row; row = row->next) {
        for (int i = 0; i < SN_COLUMNS; i++) {
            int width = width_of(row->cells[i]);
            if (width > widths[i] && width <= MAX_WIDTH) widths[i] = width;
        }
    }
    for (const struct sn_columns_row *row = columns->first; row; row = row->next) {
        int last = last_cell(row);
        for (int i = 0; i <= last; i++) {
            int pad = widths[i] - width_of(row->cells[i]);
            sn_text_addf(text, "%s%*s", row->cells[i], i == last ? 0 : (pad > 0 ? pad : 0) + GAP, "");
        }
        sn_text_add(text, "\n");
    }
    if (columns->failed) text->failed = true;
    sn_pool_free(&columns->pool);
    *columns = (sn_columns){0};
}
