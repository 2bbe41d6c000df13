/* 64-bit hashes (XXH3 by libxxhash): for checksums and for keys of random streams, not for security. */
#ifndef SN_BASE_HASH_H
#define SN_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hash of `size` bytes; pass an earlier hash as `seed` to chain pieces. */
uint64_t sn_hash(const void *data, size_t size, uint64_t seed);

/* The hash of bytes that come in pieces: that of all of them in a row, wherever they were cut (seed 0). */
typedef struct sn_hasher {
    struct XXH3_state_s *state;
} sn_hasher;

/* False when out of memory. */
bool sn_hasher_init(sn_hasher *hasher);
void sn_hasher_add(sn_hasher *hasher, const void *data, size_t size);
/* The hash of what has been added; more may follow. */
uint64_t sn_hasher_digest(const sn_hasher *hasher);
/* Fine on a zeroed record. */
void sn_hasher_reset(sn_hasher *hasher);

#endif
