/* Owns the sums over signals and tensors that statistics are made of: sums in double over exact values, counts in
 * integers.  Squares are scaled where they would leave the range of double, which those of floats never do. */
#include "kernels/tensor_sums.h"

#include <math.h>

#include "kernels/elementary.h"
#include "kernels/kernels.h"

/* Outside of these, squares may have underflowed or overflowed; within, what underflowed is nothing beside the sum. */
static const double LEAST_SQUARES = 0x1p-800, MOST_SQUARES = 0x1p1000;

static double value_at(const sn_difference *d, size_t r, size_t c) {
    double x = (double)sn_row(d->x, r)[c];
    return d->minus.data ? x - (double)sn_row(d->minus, r)[c] : x;
}

static double largest(const sn_difference *d) {
    double max = 0;
    for (size_t r = 0; r < d->rows; r++) {
        for (size_t c = 0; c < d->cols; c++)
            max = fmax(max, fabs(value_at(d, r, c)));
    }
    return max;
}

/* By name: of a loop over products the compiler may round some once and others twice. */
static double add_square(double sum, double x) {
    return SN_HAS_FMA ? fma(x, x, sum) : sum + x * x;
}

sn_sumsq SN_V(sn_sumsq_of)(const sn_difference *d, double squares) {
    if (!SN_IS_DOUBLE || (squares >= LEAST_SQUARES && squares < MOST_SQUARES) || isnan(squares)) {
        return (sn_sumsq){squares, 0};
    }
    double max = largest(d);
    if (max == 0 || isinf(max)) return (sn_sumsq){squares, 0};
    sn_sumsq scaled = {0, ilogb(max)};
    double half = ldexp(1, -scaled.exponent / 2), rest = ldexp(1, -scaled.exponent - -scaled.exponent / 2);
    for (size_t r = 0; r < d->rows; r++) {
        for (size_t c = 0; c < d->cols; c++) {
            double value = value_at(d, r, c) * half * rest;
            scaled.sum = add_square(scaled.sum, value);
        }
    }
    return scaled;
}

sn_signal_sums SN_V(sn_signal_sums_of)(sn_view view, size_t rows, size_t cols) {
    sn_difference d = {.x = view, .rows = rows, .cols = cols};
    sn_moments m = sn_moments_of(&d, SN_OF_SIGNAL);
    return (sn_signal_sums){(double)rows * (double)cols, m.sum, SN_V(sn_sumsq_of)(&d, m.squares)};
}

static sn_count count_below(sn_view view, size_t rows, size_t cols, sn_magnitude limit) {
    sn_count count = 0;
    sn_flatten(&rows, &cols, view.ld == cols);
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(view, r);
        SN_SIMD_SUM(count) for (size_t c = 0; c < cols; c++) count += (sn_bits_of(x[c]) & SN_MAGNITUDE) < limit;
    }
    return count;
}

sn_tensor_sums SN_V(sn_tensor_sums_of)(sn_view view, size_t rows, size_t cols) {
    sn_difference d = {.x = view, .rows = rows, .cols = cols};
    sn_moments m = sn_moments_of(&d, SN_OF_TENSOR);
    sn_magnitude normal = (sn_magnitude)SN_LEAST_NORMAL;
    sn_count zeros = m.least == 0 ? count_below(view, rows, cols, 1) : 0;
    sn_count small = m.least < normal ? count_below(view, rows, cols, normal) : 0;
    return (sn_tensor_sums){.n = (double)rows * (double)cols,
                            .sum_abs = m.sum,
                            .max_abs = (double)sn_from_bits((sn_bits)m.most),
                            .squares = SN_V(sn_sumsq_of)(&d, m.squares),
                            .zeros = (double)zeros,
                            .denormals = (double)(small - zeros)};
}

size_t SN_V(sn_count_less)(sn_view view, size_t rows, size_t cols, double limit) {
    size_t count = 0;
    sn_flatten(&rows, &cols, view.ld == cols);
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(view, r);
        sn_count less = 0;
        SN_SIMD_SUM(less) for (size_t c = 0; c < cols; c++) less += (double)x[c] < limit;
        count += less;
    }
    return count;
}

size_t SN_V(sn_count_nonfinite)(sn_view view, size_t rows, size_t cols) {
    size_t count = 0;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++)
            count += isfinite(sn_row(view, r)[c]) ? 0 : 1;
    }
    return count;
}
