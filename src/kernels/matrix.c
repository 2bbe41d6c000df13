/* Owns plain work on matrices: copies, transposes, checks, sums of partials. */
#include <math.h>
#include <string.h>

#include "kernels/elementary.h"
#include "kernels/kernels.h"

void SN_V(sn_copy)(sn_view to, sn_view from, size_t rows, size_t cols) {
    sn_flatten(&rows, &cols, to.ld == cols && from.ld == cols);
    for (size_t r = 0; r < rows; r++)
        memcpy(sn_row(to, r), sn_row(from, r), cols * sizeof(real));
}

/* to[c][r] = from[r][c] for the rows and columns from (r0, c0) up to (r1, c1). */
static void transpose_rest(sn_view to, sn_view from, size_t r0, size_t r1, size_t c0, size_t c1) {
    for (size_t c = c0; c < c1; c++) {
        real *target = sn_row(to, c);
        for (size_t r = r0; r < r1; r++)
            target[r] = sn_row(from, r)[c];
    }
}

/* Squares of one vector's width, by exchanging halves, quarters ... between registers; clang 14 has no shuffle with
 * indices that are computed. */
#if defined(SN_VECTOR_BYTES) && !defined(__clang__)
enum { SQUARE = SN_VECTOR_BYTES / sizeof(real) };

typedef real vector __attribute__((vector_size(SN_VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef sn_bits indices __attribute__((vector_size(SN_VECTOR_BYTES)));

static void transpose_square(real *to, size_t to_ld, const real *from, size_t from_ld) {
    vector rows[SQUARE];
    for (size_t r = 0; r < SQUARE; r++)
        rows[r] = *(const vector *)(from + r * from_ld);
#pragma GCC unroll 4
    for (unsigned half = SQUARE / 2; half > 0; half /= 2) {
        indices low = {0}, high = {0}; /* all are set below; gcc does not see it at -O2 under TSan */
        for (unsigned c = 0; c < SQUARE; c++) {
            low[c] = c & half ? SQUARE + (c & ~half) : c;
            high[c] = c & half ? SQUARE + c : c | half;
        }
#pragma GCC unroll 16
        for (unsigned r = 0; r < SQUARE; r++) {
            if (r & half) continue;
            vector a = rows[r], b = rows[r | half];
            rows[r] = __builtin_shuffle(a, b, low);
            rows[r | half] = __builtin_shuffle(a, b, high);
        }
    }
    for (size_t r = 0; r < SQUARE; r++)
        *(vector *)(to + r * to_ld) = rows[r];
}
#else
enum { SQUARE = 16 };

static void transpose_square(real *to, size_t to_ld, const real *from, size_t from_ld) {
    for (size_t c = 0; c < SQUARE; c++) {
        for (size_t r = 0; r < SQUARE; r++)
            to[c * to_ld + r] = from[r * from_ld + c];
    }
}
#endif

void SN_V(sn_transpose)(sn_view to, sn_view from, size_t rows, size_t cols) {
    size_t whole_rows = rows - rows % SQUARE, whole_cols = cols - cols % SQUARE;
    for (size_t r = 0; r < whole_rows; r += SQUARE) {
        for (size_t c = 0; c < whole_cols; c += SQUARE)
            transpose_square(sn_row(to, c) + r, to.ld, sn_row(from, r) + c, from.ld);
    }
    transpose_rest(to, from, 0, whole_rows, whole_cols, cols);
    transpose_rest(to, from, whole_rows, rows, 0, cols);
}

bool SN_V(sn_all_finite)(sn_view view, size_t rows, size_t cols) {
    sn_bits found = 0;
    sn_flatten(&rows, &cols, view.ld == cols);
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(view, r);
        SN_SIMD_OR(found) for (size_t c = 0; c < cols; c++) found |= sn_overflow_bits(x[c]);
    }
    return !(found & SN_SIGN);
}

void SN_V(sn_add_partials)(sn_view gradient, const double *partials, size_t n, size_t n_panels, size_t stride) {
    real *g = gradient.data;
    for (size_t c = 0; c < n; c++) {
        double sum = 0;
        for (size_t p = 0; p < n_panels; p++)
            sum += partials[p * stride + c];
        g[c] = (real)sum;
    }
}

void SN_V(sn_from_double)(void *to, const double *from, size_t n) {
    real *values = to;
    for (size_t i = 0; i < n; i++)
        values[i] = (real)from[i];
}

/* In double, in the order of the parts. */
bool SN_V(sn_merge_parts)(const sn_merge_parts_call *call) {
    const real *parts = call->parts;
    sn_bits found = 0;
    for (size_t r = 0; r < call->rows; r++) {
        real *g = sn_row(call->gradient, r);
        for (size_t c = 0; c < call->cols; c++) {
            double sum = 0;
            for (size_t k = 0; k < call->n_parts; k++)
                sum += (double)parts[k * call->stride + r * call->cols + c];
            g[c] = (real)sum;
            found |= sn_overflow_bits(g[c]);
        }
    }
    return !(found & SN_SIGN);
}
