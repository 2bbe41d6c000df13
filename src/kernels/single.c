/* Owns products with one sample, of which a vector along the samples would have one lane in use: vectors run along the
 * rows of C instead.  Where A has them side by side it is read as it lies, else in squares that are turned around in
 * registers.  Every element is the same chain of multiply-adds as in gemm.c. */
#include <string.h>

#include "kernels/gemm.h"
#include "kernels/square.h"

enum { MOST_VECTORS = 4 };

/* acc += A b, for the rows from i on; rows of A lie side by side. */
SN_ALWAYS_INLINE void add_beside(sn_vector acc[MOST_VECTORS], const sn_product *g, size_t i, size_t vectors) {
    const real *a = g->a + i, *b = g->b;
    for (size_t p = 0; p < g->k; p++, a += g->a_step, b += g->b_ld) {
        for (size_t v = 0; v < vectors; v++)
            acc[v] += b[0] * *(const sn_vector *)(a + v * SN_SQUARE);
    }
}

/* The same where the steps do. */
SN_ALWAYS_INLINE void add_turned(sn_vector acc[MOST_VECTORS], const sn_product *g, size_t i, size_t vectors) {
    const real *a = g->a + i * g->a_row, *b = g->b;
    size_t p = 0;
    for (; p + SN_SQUARE <= g->k; p += SN_SQUARE, a += SN_SQUARE, b += SN_SQUARE * g->b_ld) {
        for (size_t v = 0; v < vectors; v++) {
            sn_vector square[SN_SQUARE];
            for (size_t r = 0; r < SN_SQUARE; r++)
                square[r] = *(const sn_vector *)(a + (v * SN_SQUARE + r) * g->a_row);
            sn_turn_square(square);
            for (size_t s = 0; s < SN_SQUARE; s++)
                acc[v] += b[s * g->b_ld] * square[s];
        }
    }
    for (; p < g->k; p++, a++, b += g->b_ld) {
        for (size_t v = 0; v < vectors; v++) {
            sn_vector column;
            for (size_t r = 0; r < SN_SQUARE; r++)
                column[r] = a[(v * SN_SQUARE + r) * g->a_row];
            acc[v] += b[0] * column;
        }
    }
}

static real start_of(const sn_product *g, size_t i) {
    if (g->start) return g->start[i * g->start_ld];
    return g->bias ? g->bias[i] : 0;
}

/* Element i of C, and the columns beside it. */
static inline void put(const sn_product *g, size_t i, real value, bool repeats) {
    sn_vector others = (sn_vector){0} + (repeats ? value : 0), first = others;
    first[0] = value;
    *(sn_vector *)(g->c + i * g->c_ld) = first;
    for (size_t l = SN_SQUARE; l < g->last_cols; l += SN_SQUARE)
        *(sn_vector *)(g->c + i * g->c_ld + l) = others;
}

/* The rows from i on, as many as so many vectors have; the first `done` are there already, and C may be what they
 * started from.  Whether all is finite. */
SN_ALWAYS_INLINE bool multiply_rows(const sn_product *g, size_t i, size_t done, size_t vectors, bool repeats) {
    sn_vector acc[MOST_VECTORS], found = {0};
    real row[MOST_VECTORS * SN_SQUARE];
    size_t n = vectors * SN_SQUARE;
    for (size_t r = 0; r < n; r++)
        row[r] = start_of(g, i + r);
    for (size_t v = 0; v < vectors; v++)
        acc[v] = *(const sn_vector *)(row + v * SN_SQUARE);
    if (g->a_step == 1) {
        add_turned(acc, g, i, vectors);
    } else {
        add_beside(acc, g, i, vectors);
    }
    for (size_t v = 0; v < vectors; v++)
        *(sn_vector *)(row + v * SN_SQUARE) = acc[v];
    memset(row, 0, done * sizeof(real));
    for (size_t v = 0; v < vectors; v++)
        found += *(const sn_vector *)(row + v * SN_SQUARE) * 0;
    for (size_t r = done; r < n; r++)
        put(g, i + r, row[r], repeats);
    bool is_finite = true;
    for (int lane = 0; lane < SN_SQUARE; lane++)
        is_finite = is_finite && found[lane] == 0;
    return is_finite;
}

/* The last vector may begin among rows that are done already. */
bool SN_V(sn_gemm_single)(const sn_product *g, bool repeats) {
    enum { VECTORS = 4, ROWS = VECTORS * SN_SQUARE };
    bool is_finite = true;
    size_t i = 0;
    if (g->by_openblas || g->m < SN_SQUARE) return SN_V(sn_gemm)(g);
    for (; i + ROWS <= g->m; i += ROWS)
        is_finite &= multiply_rows(g, i, 0, VECTORS, repeats);
    for (; i < g->m; i += SN_SQUARE) {
        size_t done = i + SN_SQUARE > g->m ? i + SN_SQUARE - g->m : 0;
        is_finite &= multiply_rows(g, i - done, done, 1, repeats);
    }
    return is_finite;
}
