/* Owns the random streams.  Lanes: 0 for bits, 1 for normal values; dropout draws its masks from lane 2. */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/philox.h"

typedef struct block {
    uint32_t word[4];
} block;

static block philox(uint64_t key, uint64_t counter, uint32_t lane) {
    block b = {{(uint32_t)counter, (uint32_t)(counter >> 32), lane, 0}};
    sn_philox(b.word, 1, key);
    return b;
}

static uint64_t low_half(block b) {
    return (uint64_t)b.word[1] << 32 | b.word[0];
}

static uint64_t high_half(block b) {
    return (uint64_t)b.word[3] << 32 | b.word[2];
}

sn_rng sn_rng_stream(uint64_t seed, const char *purpose, const char *label, uint64_t step) {
    uint64_t key = sn_hash(&seed, sizeof seed, 0);
    key = sn_hash(purpose, strlen(purpose) + 1, key);
    key = sn_hash(label, strlen(label) + 1, key);
    key = sn_hash(&step, sizeof step, key);
    return (sn_rng){key};
}

uint64_t sn_rng_bits(sn_rng rng, uint64_t i) {
    return low_half(philox(rng.key, i, 0));
}

static double to_unit(uint64_t bits) {
    return (double)(bits >> 11) * 0x1p-53;
}

double sn_rng_uniform(sn_rng rng, uint64_t i) {
    return to_unit(sn_rng_bits(rng, i));
}

double sn_rng_normal(sn_rng rng, uint64_t i) {
    block b = philox(rng.key, i, 1);
    double radius = sqrt(-2.0 * log1p(-to_unit(low_half(b))));
    return radius * cos(6.283185307179586476925 * to_unit(high_half(b)));
}

uint64_t sn_rng_below(sn_rng rng, uint64_t i, uint64_t n) {
    return (uint64_t)(((unsigned __int128)sn_rng_bits(rng, i) * n) >> 64);
}

void sn_rng_permutation(sn_rng rng, uint32_t *items, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        items[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)sn_rng_below(rng, i, i);
        uint32_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}
