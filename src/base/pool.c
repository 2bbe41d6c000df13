/* Owns pools: a list of chunks, filled from the front of the newest. */
#include "base/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 16 };

struct sn_pool_chunk {
    struct sn_pool_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static struct sn_pool_chunk *add_chunk(sn_pool *pool, size_t size) {
    if (size < CHUNK_BYTES) size = CHUNK_BYTES;
    struct sn_pool_chunk *chunk = calloc(1, sizeof *chunk + size);
    if (!chunk) return NULL;
    chunk->size = size;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    return chunk;
}

void *sn_pool_alloc(sn_pool *pool, size_t size) {
    size_t step = alignof(max_align_t);
    size = (size + step - 1) / step * step;
    struct sn_pool_chunk *chunk = pool->chunks;
    if (!chunk || chunk->size - chunk->used < size) chunk = add_chunk(pool, size);
    if (!chunk) return NULL;
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    return memory;
}

char *sn_pool_string(sn_pool *pool, const char *string) {
    size_t n = strlen(string) + 1;
    char *copy = sn_pool_alloc(pool, n);
    if (copy) memcpy(copy, string, n);
    return copy;
}

void sn_pool_free(sn_pool *pool) {
    for (struct sn_pool_chunk *chunk = pool->chunks; chunk;) {
        struct sn_pool_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    pool->chunks = NULL;
}
