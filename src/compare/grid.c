/* Owns aligned tables.  Widths count characters, not bytes, of UTF-8. */
#include "compare/grid.h"

#include <stdlib.h>
#include <string.h>

sn_grid sn_grid_make(size_t n_columns, size_t n_left) {
    return (sn_grid){.cells = SN_TEXT_EMPTY, .n_columns = n_columns, .n_left = n_left};
}

void sn_grid_add(sn_grid *grid, const char *cell) {
    sn_text_add_bytes(&grid->cells, cell, strlen(cell) + 1);
    grid->n_cells++;
}

static size_t width_of(const char *cell) {
    return sn_text_columns(cell, strlen(cell));
}

static void write_cell(sn_text *text, const char *cell, size_t width, bool is_left) {
    size_t blanks = width - width_of(cell);
    if (is_left) sn_text_add(text, cell);
    for (size_t i = 0; i < blanks; i++)
        sn_text_add(text, " ");
    if (!is_left) sn_text_add(text, cell);
}

static void trim(sn_text *text) {
    while (text->length > 0 && text->data[text->length - 1] == ' ')
        text->data[--text->length] = '\0';
}

void sn_grid_write(sn_grid *grid, sn_text *text) {
    size_t *widths = calloc(grid->n_columns + 1, sizeof *widths);
    bool failed = grid->cells.failed || !widths;
    const char *cell = sn_text_string(&grid->cells);
    for (size_t i = 0; i < grid->n_cells && !failed; i++, cell += strlen(cell) + 1) {
        size_t width = width_of(cell), column = i % grid->n_columns;
        if (width > widths[column]) widths[column] = width;
    }
    cell = sn_text_string(&grid->cells);
    for (size_t i = 0; i < grid->n_cells && !failed; i++, cell += strlen(cell) + 1) {
        size_t column = i % grid->n_columns;
        if (column > 0) sn_text_add(text, "  ");
        write_cell(text, cell, widths[column], column < grid->n_left);
        if (column + 1 < grid->n_columns) continue;
        trim(text);
        sn_text_add(text, "\n");
    }
    text->failed |= failed;
    free(widths);
    sn_text_free(&grid->cells);
    grid->n_cells = 0;
}
