/* Vectors of doubles whatever the precision of the data: what sums of statistics are gathered in.  The sum of a matrix
 * runs through CHAINS vectors, so that an addition need not wait for the one before it, in a fixed order. */
#ifndef SN_KERNELS_WIDE_H
#define SN_KERNELS_WIDE_H

#include <stdint.h>
#include <string.h>

#include "kernels/variant.h"

#ifdef SN_VECTOR_BYTES
#define SN_WIDE_BYTES SN_VECTOR_BYTES
#else
#define SN_WIDE_BYTES 16
#endif

enum {
    SN_LANES = SN_WIDE_BYTES / sizeof(double),
    SN_REAL_LANES = SN_WIDE_BYTES / sizeof(real),
    SN_CHAINS = 4,
    SN_CHUNK = SN_CHAINS * SN_LANES
};

typedef double sn_wide __attribute__((vector_size(SN_WIDE_BYTES)));
typedef int64_t sn_wide_bits __attribute__((vector_size(SN_WIDE_BYTES)));

/* Bits of values in the data's own lanes, as signed numbers: without the sign they are in the order of the magnitudes,
 * NaN above infinity. */
#if SN_IS_DOUBLE
typedef int64_t sn_magnitude;
#define SN_MAGNITUDE INT64_MAX
#else
typedef int32_t sn_magnitude;
#define SN_MAGNITUDE INT32_MAX
#endif
typedef sn_magnitude sn_lanes __attribute__((vector_size(SN_WIDE_BYTES)));

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

/* The sum over all lanes, by halves. */
SN_ALWAYS_INLINE double sn_wide_sum(sn_wide x) {
    double lanes[SN_LANES];
    memcpy(lanes, &x, sizeof lanes);
    for (int half = SN_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

SN_ALWAYS_INLINE double sn_chains_sum(const sn_wide chains[SN_CHAINS]) {
    return sn_wide_sum((chains[0] + chains[1]) + (chains[2] + chains[3]));
}

#endif
