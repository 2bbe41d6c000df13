/* Vectors of doubles whatever the precision of the data: what sums of statistics are gathered in.
 *
 * A sum runs through SN_CHUNK accumulators, element c of a row through number c mod SN_CHUNK, and these are added by
 * halves: the order does not depend on the width of the vectors, whose SN_CHAINS make up the accumulators, and an
 * addition need not wait for the one before it. */
#ifndef SN_KERNELS_WIDE_H
#define SN_KERNELS_WIDE_H

#include <stdint.h>
#include <string.h>

#include "kernels/variant.h"

enum {
    SN_CHUNK = 16,
    SN_LANES = SN_VECTOR_BYTES / sizeof(double),
    SN_REAL_LANES = SN_VECTOR_BYTES / sizeof(real),
    SN_CHAINS = SN_CHUNK / SN_LANES
};

typedef double sn_wide __attribute__((vector_size(SN_VECTOR_BYTES)));
typedef int64_t sn_wide_bits __attribute__((vector_size(SN_VECTOR_BYTES)));

/* Bits of values in the data's own lanes, as signed numbers: without the sign they are in the order of the magnitudes,
 * NaN above infinity. */
#if SN_IS_DOUBLE
typedef int64_t sn_magnitude;
#define SN_MAGNITUDE INT64_MAX
#else
typedef int32_t sn_magnitude;
#define SN_MAGNITUDE INT32_MAX
#endif
typedef sn_magnitude sn_lanes __attribute__((vector_size(SN_VECTOR_BYTES)));

/* SN_LANES values from x on.  Written lane by lane: gcc 12 makes one conversion of it, and three instructions of
 * __builtin_convertvector. */
SN_ALWAYS_INLINE sn_wide sn_wide_load(const real *x) {
    sn_wide v;
    for (int i = 0; i < SN_LANES; i++)
        v[i] = (double)x[i];
    return v;
}

/* The first `n` of them, then zeros. */
SN_ALWAYS_INLINE sn_wide sn_wide_load_part(const real *x, size_t n) {
    sn_wide v = {0};
    for (size_t i = 0; i < n; i++)
        v[i] = (double)x[i];
    return v;
}

SN_ALWAYS_INLINE sn_wide sn_wide_abs(sn_wide x) {
    return (sn_wide)((sn_wide_bits)x & INT64_MAX);
}

static inline sn_magnitude sn_bits_of(real x) {
    sn_magnitude bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SN_ALWAYS_INLINE sn_lanes sn_lanes_load(const real *x) {
    sn_lanes v;
    memcpy(&v, x, sizeof v);
    return v;
}

SN_ALWAYS_INLINE sn_lanes sn_lanes_min(sn_lanes a, sn_lanes b) {
    sn_lanes least;
    for (int i = 0; i < SN_REAL_LANES; i++)
        least[i] = a[i] < b[i] ? a[i] : b[i];
    return least;
}

SN_ALWAYS_INLINE sn_lanes sn_lanes_max(sn_lanes a, sn_lanes b) {
    sn_lanes most;
    for (int i = 0; i < SN_REAL_LANES; i++)
        most[i] = a[i] > b[i] ? a[i] : b[i];
    return most;
}

/* The sum over all accumulators, by halves: of the vectors, then of one vector's lanes. */
SN_ALWAYS_INLINE double sn_chains_sum(const sn_wide chains[SN_CHAINS]) {
    sn_wide sums[SN_CHAINS];
    double lanes[SN_LANES];
#pragma GCC unroll 8
    for (int k = 0; k < SN_CHAINS; k++)
        sums[k] = chains[k];
#pragma GCC unroll 4
    for (int half = SN_CHAINS / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
        for (int k = 0; k < half; k++)
            sums[k] += sums[k + half];
    }
#pragma GCC unroll 8
    for (int i = 0; i < SN_LANES; i++)
        lanes[i] = sums[0][i];
#pragma GCC unroll 4
    for (int half = SN_LANES / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

#endif
