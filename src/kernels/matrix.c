/* Owns plain work on matrices: copies, transposes, checks, sums of partials. */
#include <math.h>
#include <string.h>

#include "kernels/elementary.h"
#include "kernels/kernels.h"
#include "kernels/square.h"

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

static void transpose_square(real *to, size_t to_ld, const real *from, size_t from_ld) {
    sn_vector rows[SN_SQUARE];
    for (size_t r = 0; r < SN_SQUARE; r++)
        rows[r] = *(const sn_vector *)(from + r * from_ld);
    sn_turn_square(rows);
    for (size_t r = 0; r < SN_SQUARE; r++)
        *(sn_vector *)(to + r * to_ld) = rows[r];
}

void SN_V(sn_transpose)(sn_view to, sn_view from, size_t rows, size_t cols) {
    size_t whole_rows = rows - rows % SN_SQUARE, whole_cols = cols - cols % SN_SQUARE;
    for (size_t r = 0; r < whole_rows; r += SN_SQUARE) {
        for (size_t c = 0; c < whole_cols; c += SN_SQUARE)
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
