/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011).  A stream is a key; value i of a stream is a pure function of (key, i), so nothing has to be
 * drawn in order, by one thread, or stored in order to resume. */
#ifndef SN_BASE_RNG_H
#define SN_BASE_RNG_H

#include <stdint.h>

typedef struct sn_rng {
    uint64_t key;
} sn_rng;

/* The stream of (seed, purpose, label, step): equal arguments give equal streams, different ones independent streams.
 * `purpose` is what the numbers are for ("init", "order", "data"), `label` whom they are for (a tensor's name). */
sn_rng sn_rng_stream(uint64_t seed, const char *purpose, const char *label, uint64_t step);

/* Value `i` of the stream: 64 random bits. */
uint64_t sn_rng_bits(sn_rng rng, uint64_t i);

/* Value `i`, uniform on [0, 1) with 53 bits. */
double sn_rng_uniform(sn_rng rng, uint64_t i);

/* Value `i`, standard normal (Box-Muller). */
double sn_rng_normal(sn_rng rng, uint64_t i);

/* Value `i`, uniform on 0 .. n-1, n >= 1 (Lemire's multiply-shift; bias below n / 2^64). */
uint64_t sn_rng_below(sn_rng rng, uint64_t i, uint64_t n);

/* Fills items[0..n) with a uniformly drawn permutation of 0 .. n-1 (Fisher-Yates, Durstenfeld's form). */
void sn_rng_permutation(sn_rng rng, uint32_t *items, uint32_t n);

#endif
