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
} sn_moments;

/* The squares of `d`, from their plain sum; summed again, scaled, where that is out of range. */
sn_sumsq SN_V(sn_sumsq_of)(const sn_difference *d, double squares);

/* The moments of `d`, or of the magnitudes; the flags have to be constants. */
SN_ALWAYS_INLINE sn_moments sn_moments_of(const sn_difference *d, bool has_minus, bool of_magnitudes) {
    sn_wide sums[SN_CHAINS] = {{0}}, squares[SN_CHAINS] = {{0}};
    sn_moments rest = {0, 0};
    size_t rows = d->rows, cols = d->cols;
    sn_flatten(&rows, &cols, d->x.ld == cols && (!has_minus || d->minus.ld == cols));
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(d->x, r), *y = has_minus ? sn_row(d->minus, r) : NULL;
        size_t c = 0;
        for (; c + SN_CHAINS * SN_LANES <= cols; c += SN_CHAINS * SN_LANES) {
#pragma GCC unroll 4
            for (size_t k = 0; k < SN_CHAINS; k++) {
                size_t at = c + k * SN_LANES;
                sn_wide v = sn_wide_load(x + at);
                if (has_minus) v -= sn_wide_load(y + at);
                sums[k] += of_magnitudes ? sn_wide_abs(v) : v;
                squares[k] += v * v;
            }
        }
        for (; c < cols; c++) {
            double v = has_minus ? (double)x[c] - (double)y[c] : (double)x[c];
            rest.sum += of_magnitudes ? __builtin_fabs(v) : v;
            rest.squares += v * v;
        }
    }
    sn_wide sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    sn_wide square = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    return (sn_moments){rest.sum + sn_wide_sum(sum), rest.squares + sn_wide_sum(square)};
}

#endif
