/* 64-bit hashes (XXH3 by libxxhash): for checksums and for keys of random streams, not for security. */
#ifndef SN_BASE_HASH_H
#define SN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of `size` bytes; pass an earlier hash as `seed` to chain pieces. */
uint64_t sn_hash(const void *data, size_t size, uint64_t seed);

#endif
