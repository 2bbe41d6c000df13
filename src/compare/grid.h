/* A table of text cells, written with aligned columns. */
#ifndef SN_COMPARE_GRID_H
#define SN_COMPARE_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

typedef struct sn_grid {
    sn_text cells; /* NUL-ended, row after row */
    size_t n_cells, n_columns;
    size_t n_left; /* the first so many columns are aligned to the left, the others to the right */
} sn_grid;

/* An empty table of n_columns columns. */
sn_grid sn_grid_make(size_t n_columns, size_t n_left);

/* Appends the next cell; rows are n_columns cells each. */
void sn_grid_add(sn_grid *grid, const char *cell);

/* Which columns stay where not all fit. */
typedef struct sn_grid_fit {
    size_t width;   /* characters of a line; 0: all columns fit */
    size_t n_first; /* the first so many columns stay */
    size_t kept[3]; /* and these; SIZE_MAX: none */
} sn_grid_fit;

/* Leaves out columns, the rightmost first, until the lines fit; where that is not enough, the cells of the first column
 * lose their beginnings.  The titles (first row) of what was left out are appended to `left_out`, parted by commas. */
void sn_grid_shrink(sn_grid *grid, const sn_grid_fit *fit, sn_text *left_out);

/* Writes the whole rows, columns two blanks apart, no blanks at the end of a line, and releases the cells. */
void sn_grid_write(sn_grid *grid, sn_text *text);

#endif
