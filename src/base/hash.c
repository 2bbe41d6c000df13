/* The one place that calls libxxhash. */
#include "base/hash.h"

#include <xxhash.h>

uint64_t sn_hash(const void *data, size_t size, uint64_t seed) {
    return XXH3_64bits_withSeed(data, size, seed);
}

bool sn_hasher_init(sn_hasher *hasher) {
    hasher->state = XXH3_createState();
    return hasher->state && XXH3_64bits_reset(hasher->state) == XXH_OK;
}

void sn_hasher_add(sn_hasher *hasher, const void *data, size_t size) {
    if (size > 0) XXH3_64bits_update(hasher->state, data, size);
}

uint64_t sn_hasher_digest(const sn_hasher *hasher) {
    return XXH3_64bits_digest(hasher->state);
}

void sn_hasher_reset(sn_hasher *hasher) {
    XXH3_freeState(hasher->state);
    *hasher = (sn_hasher){NULL};
}
