/* Squares of vectors, turned around in registers. */
#ifndef SN_KERNELS_SQUARE_H
#define SN_KERNELS_SQUARE_H

#include "kernels/elementary.h"
#include "kernels/variant.h"

enum { SN_SQUARE = SN_VECTOR_BYTES / sizeof(real) };

typedef real sn_vector __attribute__((vector_size(SN_VECTOR_BYTES), aligned(sizeof(real)), may_alias));

/* rows[r][c] becomes rows[c][r], by exchanging halves, quarters ...; clang 14 has no shuffle with indices that are
 * computed. */
#if !defined(__clang__)
SN_ALWAYS_INLINE void sn_turn_square(sn_vector rows[SN_SQUARE]) {
    typedef sn_bits indices __attribute__((vector_size(SN_VECTOR_BYTES)));
#pragma GCC unroll 4
    for (unsigned half = SN_SQUARE / 2; half > 0; half /= 2) {
        indices low = {0}, high = {0}; /* all are set below; gcc does not see it at -O2 under TSan */
        for (unsigned c = 0; c < SN_SQUARE; c++) {
            low[c] = c & half ? SN_SQUARE + (c & ~half) : c;
            high[c] = c & half ? SN_SQUARE + c : c | half;
        }
#pragma GCC unroll 16
        for (unsigned r = 0; r < SN_SQUARE; r++) {
            if (r & half) continue;
            sn_vector a = rows[r], b = rows[r | half];
            rows[r] = __builtin_shuffle(a, b, low);
            rows[r | half] = __builtin_shuffle(a, b, high);
        }
    }
}
#else
SN_ALWAYS_INLINE void sn_turn_square(sn_vector rows[SN_SQUARE]) {
    for (int r = 0; r < SN_SQUARE; r++) {
        for (int c = r + 1; c < SN_SQUARE; c++) {
            real kept = rows[r][c];
            rows[r][c] = rows[c][r];
            rows[c][r] = kept;
        }
    }
}
#endif

#endif
