/* The loop that all statistics share: sums and counts over a matrix, or over the difference of two. */
#ifndef SN_KERNELS_TENSOR_SUMS_H
#define SN_KERNELS_TENSOR_SUMS_H

#include "base/sums.h"
#include "kernels/wide.h"

/* x - minus, both (rows, cols); minus.data NULL: x. */
typedef struct sn_difference {
    sn_view x, minus;
    size_t rows, cols;
} sn_difference;

typedef enum sn_sums_of {
    SN_OF_SIGNAL, /* sum, squares */
    SN_OF_TENSOR, /* sum of magnitudes, squares, least and most */
    SN_OF_CHANGE, /* sum of magnitudes and squares of the difference, minus_squares, same */
} sn_sums_of;

typedef struct sn_moments {
    double sum, squares;
    double minus_squares; /* of what is subtracted */
    sn_magnitude least, most;
    sn_count same; /* elements of x whose bits are those of what is subtracted */
} sn_moments;

/* The squares of `d`, from their plain sum; summed again, scaled, where that is out of range. */
sn_sumsq SN_V(sn_sumsq_of)(const sn_difference *d, double squares);

/* The sums on their way. */
typedef struct sn_chains {
    sn_wide sum[SN_CHAINS], squares[SN_CHAINS], minus_squares[SN_CHAINS];
    sn_lanes least, most, same; /* same: minus the count */
} sn_chains;

/* SN_CHUNK elements: their values. */
SN_ALWAYS_INLINE void sn_add_values(sn_chains *sums, const real *x, const real *minus, sn_sums_of what) {
#pragma GCC unroll 8
    for (size_t k = 0; k < SN_CHAINS; k++) {
        sn_wide v = sn_wide_load(x + k * SN_LANES);
        if (what == SN_OF_CHANGE) {
            sn_wide m = sn_wide_load(minus + k * SN_LANES);
            sums->minus_squares[k] += m * m;
            v -= m;
        }
        sums->sum[k] += what == SN_OF_SIGNAL ? v : sn_wide_abs(v);
        sums->squares[k] += v * v;
    }
}

/* SN_CHUNK elements: their bits. */
SN_ALWAYS_INLINE void sn_add_bits(sn_chains *sums, const real *x, const real *minus, sn_sums_of what) {
#pragma GCC unroll 8
    for (size_t at = 0; at < SN_CHUNK; at += SN_REAL_LANES) {
        if (what == SN_OF_CHANGE) sums->same += sn_lanes_load(x + at) == sn_lanes_load(minus + at);
        if (what != SN_OF_TENSOR) continue;
        sn_lanes magnitude = sn_lanes_load(x + at) & SN_MAGNITUDE;
        sums->least = sn_lanes_min(sums->least, magnitude);
        sums->most = sn_lanes_max(sums->most, magnitude);
    }
}

/* The last `n` elements of a row, fewer than a chunk.  Their values go through the accumulators too: the compiler would
 * round products of a plain loop's vectors and those of its rest in different ways. */
SN_ALWAYS_INLINE void sn_add_rest(sn_chains *sums, sn_moments *rest, const real *x, const real *minus, size_t n,
                                  sn_sums_of what) {
    real values[SN_CHUNK] = {0}, minus_values[SN_CHUNK] = {0};
    memcpy(values, x, n * sizeof *x);
    if (what == SN_OF_CHANGE) memcpy(minus_values, minus, n * sizeof *minus);
    sn_add_values(sums, values, minus_values, what);
    for (size_t i = 0; i < n; i++) {
        if (what == SN_OF_CHANGE) rest->same += sn_bits_of(x[i]) == sn_bits_of(minus[i]);
        if (what != SN_OF_TENSOR) continue;
        sn_magnitude magnitude = sn_bits_of(x[i]) & SN_MAGNITUDE;
        rest->least = magnitude < rest->least ? magnitude : rest->least;
        rest->most = magnitude > rest->most ? magnitude : rest->most;
    }
}

SN_ALWAYS_INLINE void sn_close_chains(sn_moments *moments, const sn_chains *sums, sn_sums_of what) {
    moments->sum = sn_chains_sum(sums->sum);
    moments->squares = sn_chains_sum(sums->squares);
    if (what == SN_OF_CHANGE) moments->minus_squares = sn_chains_sum(sums->minus_squares);
    for (int i = 0; i < SN_REAL_LANES; i++) {
        if (what == SN_OF_CHANGE) moments->same -= (sn_count)sums->same[i];
        if (what != SN_OF_TENSOR) continue;
        moments->least = sums->least[i] < moments->least ? sums->least[i] : moments->least;
        moments->most = sums->most[i] > moments->most ? sums->most[i] : moments->most;
    }
}

/* `what` has to be a constant. */
SN_ALWAYS_INLINE sn_moments sn_moments_of(const sn_difference *d, sn_sums_of what) {
    bool has_minus = what == SN_OF_CHANGE;
    sn_chains sums = {.least = (sn_lanes){0} + SN_MAGNITUDE};
    sn_moments moments = {.least = SN_MAGNITUDE};
    size_t rows = d->rows, cols = d->cols;
    sn_flatten(&rows, &cols, d->x.ld == cols && (!has_minus || d->minus.ld == cols));
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(d->x, r), *minus = has_minus ? sn_row(d->minus, r) : NULL;
        size_t c = 0;
        for (; c + SN_CHUNK <= cols; c += SN_CHUNK) {
            sn_add_values(&sums, x + c, has_minus ? minus + c : NULL, what);
            sn_add_bits(&sums, x + c, has_minus ? minus + c : NULL, what);
        }
        if (c < cols) sn_add_rest(&sums, &moments, x + c, has_minus ? minus + c : NULL, cols - c, what);
    }
    sn_close_chains(&moments, &sums, what);
    return moments;
}

#endif
