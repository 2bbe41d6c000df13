/* Aligned text in columns. */
#ifndef SN_CONFIG_COLUMNS_H
#define SN_CONFIG_COLUMNS_H

#include "base/pool.h"
#include "base/text.h"

enum { SN_COLUMNS = 4 };

typedef struct sn_columns {
    struct sn_columns_row *first, *last;
    sn_pool pool;
    bool failed; /* out of memory */
} sn_columns;

/* Adds a row; the cells are copied, NULL is an empty one. */
void sn_columns_add(sn_columns *columns, const char *const cells[SN_COLUMNS]);

/* Appends the rows to `text`, each column as wide as its widest usual cell (a very long one only pushes its own row),
 * and releases them. */
void sn_columns_write(sn_columns *columns, sn_text *text);

#endif
