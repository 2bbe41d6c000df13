/* Update rules: a formula for one element, written once, and the loops that are made of it: the update itself, in the
 * precision of the data, and the sums of what was meant, in double, before rounding.  There is one loop for steps with
 * and without statistics, so the bits of the weights are the same. */
#ifndef SN_KERNELS_UPDATE_H
#define SN_KERNELS_UPDATE_H

#include <math.h>

#include "kernels/calls.h"
#include "kernels/elementary.h"
#include "kernels/wide.h"

/* sn_update_numbers in the precision of the data. */
typedef struct sn_rule_numbers {
    real lr, clip, weight_decay, own[SN_MAX_NUMBERS];
} sn_rule_numbers;

/* A row of a tile in an update. */
typedef struct sn_update_row {
    real *weight, *slots[SN_MAX_SLOTS]; /* a slot that is not there: NULL */
    const real *gradient;
    size_t cols;
} sn_update_row;

/* Updates a row; sn_overflow_bits of all its weights. */
typedef sn_bits sn_update_row_kernel(const sn_update_row *row, const sn_rule_numbers *numbers);

/* Updates a tile row by row, or at once where its rows follow each other without gaps.  Whether all is finite. */
bool SN_V(sn_update_tile)(const sn_update_call *call, sn_update_row_kernel *update_row);

/* What updates were meant to do. */
typedef struct sn_intent_sums {
    sn_wide sum_abs[SN_CHAINS];
    sn_wide_bits intended, stalled; /* minus the counts */
} sn_intent_sums;

/* The same row before the update, and its weights after it. */
typedef struct sn_change_row {
    const real *before, *after, *gradient, *slots[SN_MAX_SLOTS];
    size_t cols;
} sn_change_row;

/* Adds a row's sums. */
typedef void sn_intent_row_kernel(const sn_change_row *row, const sn_update_numbers *numbers, sn_intent_sums *sums);

/* The sums over what an update did to a tile, against what it was meant to do.  `factor`: where it is not 0, what was
 * meant is that times the gradient. */
sn_change_sums SN_V(sn_change_sums_of)(const sn_change_call *call, sn_intent_row_kernel *add_row, double factor);

/* What formulas may call, on reals and on vectors of doubles. */

SN_ALWAYS_INLINE real sn_root_real(real x) {
    return SN_IS_DOUBLE ? (real)sqrt((double)x) : (real)sqrtf((float)x);
}

SN_ALWAYS_INLINE sn_wide sn_root_wide(sn_wide x) {
    for (int i = 0; i < SN_LANES; i++)
        x[i] = sqrt(x[i]);
    return x;
}

/* NaN is larger than all else. */
SN_ALWAYS_INLINE real sn_larger_real(real a, real b) {
    return a > b || a != a ? a : b;
}

SN_ALWAYS_INLINE sn_wide sn_larger_wide(sn_wide a, sn_wide b) {
    for (int i = 0; i < SN_LANES; i++)
        a[i] = a[i] > b[i] || a[i] != a[i] ? a[i] : b[i];
    return a;
}

/* -1, 0, 1; NaN stays. */
SN_ALWAYS_INLINE real sn_direction_real(real x) {
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

SN_ALWAYS_INLINE sn_wide sn_direction_wide(sn_wide x) {
    for (int i = 0; i < SN_LANES; i++)
        x[i] = x[i] > 0 ? 1 : x[i] < 0 ? -1 : x[i];
    return x;
}

#define SN_ROOT(x)      _Generic((x), real : sn_root_real, sn_wide : sn_root_wide)(x)
#define SN_LARGER(a, b) _Generic((a), real : sn_larger_real, sn_wide : sn_larger_wide)(a, b)
#define SN_DIRECTION(x) _Generic((x), real : sn_direction_real, sn_wide : sn_direction_wide)(x)

/* SN_RULE(NAME, { ... }) defines the formula of an element: from weight w, gradient g, state s[0] ... and numbers n->
 * (lr, clip, weight_decay, own[]), all of type T or for T, what is taken off the weight; state is brought up to date.
 * State that a form does not keep reads as 0. */
#define SN_RULE(rule, ...)                                                                                             \
    SN_ALWAYS_INLINE real rule##_real(const sn_rule_numbers *n, real w, real g, real *s) {                             \
        __attribute__((unused)) typedef real T;                                                                        \
        (void)w, (void)s;                                                                                              \
        __VA_ARGS__                                                                                                    \
    }                                                                                                                  \
    SN_ALWAYS_INLINE sn_wide rule##_wide(const sn_update_numbers *n, sn_wide w, sn_wide g, sn_wide *s) {               \
        __attribute__((unused)) typedef sn_wide T;                                                                     \
        (void)w, (void)s;                                                                                              \
        __VA_ARGS__                                                                                                    \
    }

#define SN_HAS_SLOT(slots, k) ((slots) >> (k)&1U)

/* The first n of SN_LANES values, then zeros. */
SN_ALWAYS_INLINE sn_wide sn_load_lanes(const real *x, size_t n) {
    return n >= SN_LANES ? sn_wide_load(x) : sn_wide_load_part(x, n);
}

/* How many of the first n elements of a chunk lie in its vector k. */
SN_ALWAYS_INLINE size_t sn_lanes_in(size_t n, size_t k) {
    size_t before = k * SN_LANES;
    if (n <= before) return 0;
    return n - before < SN_LANES ? n - before : SN_LANES;
}

/* What was meant for the first n lanes of vector k of a chunk, and the weights there before and after. */
SN_ALWAYS_INLINE void sn_intent_add(sn_intent_sums *sums, size_t k, size_t n, sn_wide meant, sn_wide before,
                                    sn_wide after) {
    for (size_t i = n; i < SN_LANES; i++)
        meant[i] = 0;
    sn_wide_bits is_meant = meant != 0;
    sums->sum_abs[k] += sn_wide_abs(meant);
    sums->intended += is_meant;
    sums->stalled += is_meant & ((sn_wide_bits)before == (sn_wide_bits)after);
}

/* The loop is left to the compiler's vectorizer: under `omp simd` it would keep `s` in memory.
 *
 * SN_FORM(NAME, RULE, SLOTS, FACTOR) defines the kernels NAME_update and NAME_change_sums of a rule that keeps the
 * slots whose bits are set.  FACTOR: see sn_change_sums_of; it may look at `n`. */
#define SN_FORM(form, rule, slots_, factor)                                                                            \
    static sn_bits form##_update_row(const sn_update_row *row, const sn_rule_numbers *numbers) {                       \
        const sn_rule_numbers own = *numbers;                                                                          \
        real *restrict w = row->weight, *restrict s0 = row->slots[0], *restrict s1 = row->slots[1];                    \
        real *restrict s2 = row->slots[2];                                                                             \
        const real *restrict g = row->gradient;                                                                        \
        sn_bits found = 0;                                                                                             \
        for (size_t c = 0; c < row->cols; c++) {                                                                       \
            real s[SN_MAX_SLOTS] = {SN_HAS_SLOT(slots_, 0) ? s0[c] : 0, SN_HAS_SLOT(slots_, 1) ? s1[c] : 0,            \
                                    SN_HAS_SLOT(slots_, 2) ? s2[c] : 0};                                               \
            w[c] -= rule##_real(&own, w[c], g[c], s);                                                                  \
            if (SN_HAS_SLOT(slots_, 0)) s0[c] = s[0];                                                                  \
            if (SN_HAS_SLOT(slots_, 1)) s1[c] = s[1];                                                                  \
            if (SN_HAS_SLOT(slots_, 2)) s2[c] = s[2];                                                                  \
            found |= sn_overflow_bits(w[c]);                                                                           \
        }                                                                                                              \
        return found;                                                                                                  \
    }                                                                                                                  \
    static bool form##_update(const sn_update_call *call) {                                                            \
        return SN_V(sn_update_tile)(call, form##_update_row);                                                          \
    }                                                                                                                  \
    SN_ALWAYS_INLINE void form##_add_chunk(sn_intent_sums *sums, const sn_change_row *row,                             \
                                           const sn_update_numbers *numbers, size_t c, size_t n) {                     \
        _Pragma("GCC unroll 8") for (size_t k = 0; k < SN_CHAINS; k++, c += SN_LANES) {                                \
            size_t in = sn_lanes_in(n, k);                                                                             \
            if (in == 0) break;                                                                                        \
            sn_wide before = sn_load_lanes(row->before + c, in), s[SN_MAX_SLOTS] = {{0}};                              \
            if (SN_HAS_SLOT(slots_, 0)) s[0] = sn_load_lanes(row->slots[0] + c, in);                                   \
            if (SN_HAS_SLOT(slots_, 1)) s[1] = sn_load_lanes(row->slots[1] + c, in);                                   \
            if (SN_HAS_SLOT(slots_, 2)) s[2] = sn_load_lanes(row->slots[2] + c, in);                                   \
            sn_wide meant = rule##_wide(numbers, before, sn_load_lanes(row->gradient + c, in), s);                     \
            sn_intent_add(sums, k, in, meant, before, sn_load_lanes(row->after + c, in));                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void form##_add_row(const sn_change_row *row, const sn_update_numbers *numbers, sn_intent_sums *to) {       \
        sn_intent_sums sums = *to;                                                                                     \
        size_t c = 0;                                                                                                  \
        for (; c + SN_CHUNK <= row->cols; c += SN_CHUNK)                                                               \
            form##_add_chunk(&sums, row, numbers, c, SN_CHUNK);                                                        \
        if (c < row->cols) form##_add_chunk(&sums, row, numbers, c, row->cols - c);                                    \
        *to = sums;                                                                                                    \
    }                                                                                                                  \
    static sn_change_sums form##_change_sums(const sn_change_call *call) {                                             \
        const sn_update_numbers *n = &call->update->numbers;                                                           \
        (void)n;                                                                                                       \
        return SN_V(sn_change_sums_of)(call, form##_add_row, factor);                                                  \
    }

#endif
