/* A pool: many small allocations that live and die together. */
#ifndef SN_BASE_POOL_H
#define SN_BASE_POOL_H

#include <stddef.h>

typedef struct sn_pool {
    struct sn_pool_chunk *chunks;
} sn_pool;

/* Zeroed memory of `size` bytes, aligned for any type, owned by the pool; NULL when out of memory. */
void *sn_pool_alloc(sn_pool *pool, size_t size);

/* A copy of `string`, owned by the pool; NULL when out of memory. */
char *sn_pool_string(sn_pool *pool, const char *string);

/* Releases everything; the pool is empty and usable afterwards. */
void sn_pool_free(sn_pool *pool);

#endif
