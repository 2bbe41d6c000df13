/* Matrices in memory, as kernels see them: plain records, free of precision. */
#ifndef SN_BASE_VIEW_H
#define SN_BASE_VIEW_H

#include <stddef.h>

/* A matrix in memory: element (r, c) at data[r * ld + c], of the backend's precision. */
typedef struct sn_view {
    void *data;
    size_t ld;
} sn_view;

/* Memory that is wanted next: `rows` rows of `row_bytes`, `ld_bytes` apart.  Products ask the caches for it little by
 * little while they compute. */
typedef struct sn_ahead {
    const unsigned char *data;
    size_t rows, row_bytes, ld_bytes;
} sn_ahead;

enum { SN_MAX_AHEAD = 2 };

#endif
