/* Owns plain work on matrices: copies, transposes, checks, sums of partials. */
#include <math.h>
#include <string.h>

#include "ops/elementary.h"
#include "ops/kernels.h"

void SN_V(sn_copy)(sn_view to, sn_view from, size_t rows, size_t cols) {
    for (size_t r = 0; r < rows; r++)
        memcpy(sn_row(to, r), sn_row(from, r), cols * sizeof(real));
}

/* In squares that stay in the first cache. */
void SN_V(sn_transpose)(sn_view to, sn_view from, size_t rows, size_t cols) {
    enum { BLOCK = 16 };
    for (size_t r0 = 0; r0 < rows; r0 += BLOCK) {
        size_t r1 = r0 + BLOCK < rows ? r0 + BLOCK : rows;
        for (size_t c = 0; c < cols; c++) {
            real *target = sn_row(to, c);
            for (size_t r = r0; r < r1; r++)
                target[r] = sn_row(from, r)[c];
        }
    }
}

/* Infinities and NaN have all bits of the exponent set.  Integer work: its chain over the elements is short. */
bool SN_V(sn_all_finite)(sn_view view, size_t rows, size_t cols) {
    const sn_bits infinity = sn_to_bits((real)INFINITY) << 1; /* without the sign */
    sn_bits found = 0;
    for (size_t r = 0; r < rows; r++) {
        const real *x = sn_row(view, r);
        _Pragma("omp simd reduction(| : found)") for (size_t c = 0; c < cols; c++) {
            found |= sn_to_bits(x[c]) << 1 >= infinity ? 1 : 0;
        }
    }
    return found == 0;
}

void SN_V(sn_add_partials)(sn_view gradient, const double *partials, size_t n, size_t n_tiles, size_t stride) {
    real *g = gradient.data;
    for (size_t c = 0; c < n; c++) {
        double sum = 0;
        for (size_t t = 0; t < n_tiles; t++)
            sum += partials[t * stride + c];
        g[c] = (real)sum;
    }
}

void SN_V(sn_from_double)(void *to, const double *from, size_t n) {
    real *values = to;
    for (size_t i = 0; i < n; i++)
        values[i] = (real)from[i];
}
