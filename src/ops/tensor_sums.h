/* The sum and the sum of squares of a matrix or of the difference of two: the loop that all statistics share. */
#ifndef SN_OPS_TENSOR_SUMS_H
#define SN_OPS_TENSOR_SUMS_H

#include "base/sums.h"
#include "ops/wide.h"

/* x - minus, both (rows, cols); minus.data NULL: x. */
typedef struct sn_difference {
    sn_view x, minus;
    size_t rows, cols;
} sn_difference;

typedef struct sn_moments {
    double sum, squares;
    double minus_squares; /* of what is subtracted */
} sn_moments;

/* The squares of `d`, from their plain sum; summed again, scaled, where that is out of range. */
sn_sumsq SN_V(sn_sumsq_of)(const sn_difference *d, double squares);

/* The moments of `d`, or of the magnitudes; the flags have to be constants. */
SN_ALWAYS_INLINE sn_moments sn_moments_of(const sn_difference *d, bool has_minus, bool of_magnitudes) {
    sn_wide sums[SN_CHAINS] = {{0}}, squares[SN_CHAINS] = {{0}}, minus_squares[SN_CHAINS] = {{0}};
    sn_moments rest = {0, 0, 0};
    size_t rows = d->rows, cols = d->cols;
    sn_flatten(&rows, &cols, d->x.ld == cols && (!has_minus || d->minus.ld == cols));
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(d->x, r), *y = has_minus ? sn_row(d->minus, r) : NULL;
        size_t c = 0;
        for (; c + SN_CHAINS * SN_LANES <= cols; c += SN_CHAINS * SN_LANES) {
#pragma GCC unroll 4
            for (size_t k = 0; k < SN_CHAINS; k++) {
                size_t at = c + k * SN_LANES;
                sn_wide v = sn_wide_load(x + at), minus = has_minus ? sn_wide_load(y + at) : v;
                if (has_minus) v -= minus;
                if (has_minus) minus_squares[k] += minus * minus;
                sums[k] += of_magnitudes ? sn_wide_abs(v) : v;
                squares[k] += v * v;
            }
        }
        for (; c < cols; c++) {
            double minus = has_minus ? (double)y[c] : 0, v = (double)x[c] - minus;
            rest.minus_squares += minus * minus;
            rest.sum += of_magnitudes ? __builtin_fabs(v) : v;
            rest.squares += v * v;
        }
    }
    rest.sum += sn_chains_sum(sums);
    rest.squares += sn_chains_sum(squares);
    if (has_minus) rest.minus_squares += sn_chains_sum(minus_squares);
    return rest;
}

#endif
