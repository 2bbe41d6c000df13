/* The one place that calls libxxhash. */
#include "base/hash.h"

#include <xxhash.h>

uint64_t sn_hash(const void *data, size_t size, uint64_t seed) {
    return XXH3_64bits_withSeed(data, size, seed);
}
