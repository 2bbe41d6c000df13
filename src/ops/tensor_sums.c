/* Owns the sums over tensors that statistics are made of: all in double, squares scaled where they would underflow. */
#include <math.h>

#include "ops/elementary.h"
#include "ops/kernels.h"

enum { SAFE_EXPONENT = 400 }; /* squares of 2^-400 .. 2^400, and sums of 2^200 of them, are normal doubles */

/* The exponent e for which x / 2^e can be squared; 0 for all values of everyday size. */
static int square_exponent(double max) {
    if (max == 0 || !isfinite(max)) return 0;
    int e = ilogb(max);
    return e < -SAFE_EXPONENT || e > SAFE_EXPONENT ? e : 0;
}

/* The squares again, of x / 2^e. */
static double scaled_squares(sn_view view, size_t rows, size_t cols, int e) {
    double half = ldexp(1, -e / 2), rest = ldexp(1, -e - -e / 2), sum = 0;
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(view, r);
        _Pragma("omp simd reduction(+ : sum)") for (size_t c = 0; c < cols; c++) {
            double scaled = (double)x[c] * half * rest;
            sum += scaled * scaled;
        }
    }
    return sum;
}

void SN_V(sn_tensor_sums)(sn_tensor_sums *sums, sn_view view, size_t rows, size_t cols) {
    double sum = 0, sum_abs = 0, squares = 0, max = 0, zeros = 0, small = 0, nonfinite = 0;
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(view, r);
        _Pragma("omp simd reduction(+ : sum, sum_abs, squares, zeros, small, nonfinite) reduction(max : max)") for (
            size_t c = 0; c < cols; c++) {
            double value = (double)x[c], a = fabs(value);
            sum += value;
            sum_abs += a;
            squares += value * value;
            max = a > max ? a : max;
            zeros += a == 0 ? 1 : 0;
            small += a < (double)SN_REAL_MIN ? 1 : 0;
            nonfinite += a <= 0x1.fffffffffffffp1023 ? 0 : 1;
        }
    }
    int e = square_exponent(max);
    sn_tensor_sums tile = {.n = (double)rows * (double)cols,
                           .sum = sum,
                           .sum_abs = sum_abs,
                           .max_abs = isnan(sum_abs) ? (double)NAN : max,
                           .squares = {e ? scaled_squares(view, rows, cols, e) : squares, e},
                           .zeros = zeros,
                           .denormals = small - zeros,
                           .nonfinite = nonfinite};
    sn_tensor_sums_merge(sums, &tile);
}

/* The update that was meant, in double: see sn_sgd. */
static double intended_update(const sn_sgd *sgd, double w, double v, double g) {
    double own = sgd->clip * g + sgd->weight_decay * w;
    double velocity = sgd->momentum * v + own;
    return sgd->lr * (sgd->nesterov ? own + sgd->momentum * velocity : velocity);
}

static void change_of_row(sn_change_sums *sums, const sn_change_call *call, size_t r) {
    const sn_update_call *update = call->update;
    const real *before = sn_row(call->old_weight, r), *after = sn_row(update->weight, r);
    const real *g = sn_row(update->gradient, r);
    const real *v = call->old_velocity.data ? sn_row(call->old_velocity, r) : NULL;
    for (size_t c = 0; c < update->cols; c++) {
        double meant = intended_update(&update->sgd, (double)before[c], v ? (double)v[c] : 0, (double)g[c]);
        bool same = sn_to_bits(before[c]) == sn_to_bits(after[c]);
        sums->unchanged += same;
        sums->intended += meant != 0;
        sums->stalled += meant != 0 && same;
        sums->sum_abs_intended += fabs(meant);
        sums->sum_abs_change += fabs((double)after[c] - (double)before[c]);
    }
}

static double change_of(const sn_change_call *call, size_t r, size_t c) {
    return (double)sn_row(call->update->weight, r)[c] - (double)sn_row(call->old_weight, r)[c];
}

static double largest_change(const sn_change_call *call) {
    double max = 0;
    for (size_t r = 0; r < call->update->rows; r++) {
        for (size_t c = 0; c < call->update->cols; c++) {
            double change = fabs(change_of(call, r, c));
            max = change > max ? change : max;
        }
    }
    return max;
}

static sn_sumsq change_squares(const sn_change_call *call) {
    sn_sumsq squares = {0, square_exponent(largest_change(call))};
    for (size_t r = 0; r < call->update->rows; r++) {
        for (size_t c = 0; c < call->update->cols; c++) {
            double change = change_of(call, r, c);
            if (squares.exponent) change = ldexp(change, -squares.exponent);
            squares.sum += change * change;
        }
    }
    return squares;
}

void SN_V(sn_change_sums)(sn_change_sums *sums, const sn_change_call *call) {
    sn_change_sums tile = {.n = (double)call->update->rows * (double)call->update->cols};
    for (size_t r = 0; r < call->update->rows; r++)
        change_of_row(&tile, call, r);
    tile.change = change_squares(call);
    sn_change_sums_merge(sums, &tile);
}
