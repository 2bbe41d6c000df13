/* Owns aligned tables.  Widths count characters, not bytes, of UTF-8. */
#include "compare/grid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

sn_grid sn_grid_make(size_t n_columns, size_t n_left) {
    return (sn_grid){.cells = SN_TEXT_EMPTY, .n_columns = n_columns, .n_left = n_left};
}

void sn_grid_add(sn_grid *grid, const char *cell) {
    sn_text_add_visible_line(&grid->cells, cell);
    sn_text_add_bytes(&grid->cells, "", 1);
    grid->n_cells++;
}

static size_t width_of(const char *cell) {
    return sn_text_columns(cell, strlen(cell));
}

/* The widths of the columns (free()); NULL when out of memory. */
static size_t *measure(const sn_grid *grid) {
    size_t *widths = calloc(grid->n_columns + 1, sizeof *widths);
    const char *cell = sn_text_string(&grid->cells);
    for (size_t i = 0; i < grid->n_cells && widths; i++, cell += strlen(cell) + 1) {
        size_t width = width_of(cell), column = i % grid->n_columns;
        if (width > widths[column]) widths[column] = width;
    }
    return widths;
}

/* ---- fitting ---- */

enum { GAP = 2, LEAST_WIDTH = 16 }; /* between columns; of the first column where it is cut */

static bool stays(const sn_grid_fit *fit, size_t column) {
    bool is_kept = column < fit->n_first;
    for (size_t i = 0; i < sizeof fit->kept / sizeof *fit->kept; i++)
        is_kept = is_kept || fit->kept[i] == column;
    return is_kept;
}

/* Appends the end of a cell that is to be at most `width` wide. */
static void add_cut(sn_text *cells, const char *cell, size_t width) {
    size_t over = width_of(cell) > width ? width_of(cell) - width + 3 : 0;
    if (over > 0) sn_text_add(cells, "...");
    for (; over > 0 && *cell; over--) {
        for (cell++; sn_utf8_continues(*cell);)
            cell++;
    }
    sn_text_add_bytes(cells, cell, strlen(cell) + 1);
}

/* Writes the cells anew without the columns of width SIZE_MAX, those of the first at most `first` wide. */
static void rebuild(sn_grid *grid, const size_t *widths, size_t first, sn_text *left_out) {
    sn_text cells = SN_TEXT_EMPTY;
    const char *cell = sn_text_string(&grid->cells);
    size_t n_cells = 0, n_columns = 0;
    for (size_t i = 0; i < grid->n_cells; i++, cell += strlen(cell) + 1) {
        size_t column = i % grid->n_columns;
        bool is_out = widths[column] == SIZE_MAX;
        if (is_out && i < grid->n_columns) sn_text_addf(left_out, "%s%s", left_out->length ? ", " : "", cell);
        if (is_out) continue;
        n_columns += i < grid->n_columns;
        n_cells++;
        add_cut(&cells, cell, column == 0 ? first : SIZE_MAX);
    }
    cells.failed |= grid->cells.failed;
    sn_text_free(&grid->cells);
    grid->cells = cells;
    grid->n_cells = n_cells;
    grid->n_columns = n_columns;
}

void sn_grid_shrink(sn_grid *grid, const sn_grid_fit *fit, sn_text *left_out) {
    size_t *widths = fit->width > 0 ? measure(grid) : NULL, total = 0;
    grid->cells.failed |= fit->width > 0 && !widths;
    for (size_t c = 0; c < grid->n_columns && widths; c++)
        total += widths[c] + (c > 0 ? GAP : 0);
    bool is_over = widths && total > fit->width;
    for (size_t c = grid->n_columns; is_over && c-- > 1 && total > fit->width;) {
        if (stays(fit, c)) continue;
        total -= widths[c] + GAP;
        widths[c] = SIZE_MAX;
    }
    if (is_over) {
        size_t over = total > fit->width ? total - fit->width : 0;
        size_t first = widths[0] > over + LEAST_WIDTH ? widths[0] - over : LEAST_WIDTH;
        rebuild(grid, widths, over > 0 && grid->n_left > 0 ? first : SIZE_MAX, left_out);
    }
    free(widths);
}

/* ---- writing ---- */

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
    size_t *widths = measure(grid);
    bool failed = grid->cells.failed || !widths;
    const char *cell = sn_text_string(&grid->cells);
    for (size_t i = 0; i < grid->n_cells && !failed; i++, cell += strlen(cell) + 1) {
        size_t column = i % grid->n_columns;
        if (column > 0) sn_text_add(text, "  "); /* GAP */
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
