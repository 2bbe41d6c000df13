/* Owns the sums over what an update did to a tensor, against what it was meant to do. */
#include <math.h>

#include "ops/elementary.h"
#include "ops/kernels.h"
#include "ops/tensor_sums.h"

/* What is counted against the intended update. */
typedef struct intent {
    double sum_abs, intended, unchanged, stalled;
} intent;

/* Where what was meant is a factor times the gradient, its sums are known; the rest is integer work. */
static intent intent_of_gradient(const sn_change_call *call, double factor) {
    const sn_update_call *u = call->update;
    sn_bits unchanged = 0, stalled = 0;
    size_t rows = u->rows, cols = u->cols;
    sn_flatten(&rows, &cols, u->weight.ld == cols && u->gradient.ld == cols && call->old_weight.ld == cols);
    for (size_t r = 0; r < rows; r++) {
        const real *before = sn_row(call->old_weight, r), *after = sn_row(u->weight, r), *g = sn_row(u->gradient, r);
        _Pragma("omp simd reduction(+ : unchanged, stalled)") for (size_t c = 0; c < cols; c++) {
            bool same = sn_to_bits(before[c]) == sn_to_bits(after[c]);
            unchanged += same;
            stalled += same & ((sn_to_bits(g[c]) & ~SN_SIGN) != 0);
        }
    }
    return (intent){factor * call->gradient->sum_abs, call->gradient->n - call->gradient->zeros, (double)unchanged,
                    (double)stalled};
}

typedef struct tile_rows {
    const real *before, *after, *gradient, *velocity;
} tile_rows;

typedef struct wide_intent {
    sn_wide sum_abs;
    sn_wide_bits intended, unchanged, stalled; /* minus the counts */
} wide_intent;

/* The update that was meant, in double: see sn_sgd. */
SN_ALWAYS_INLINE void add_intent(wide_intent *sums, const sn_sgd *sgd, const sn_wide v[4], bool has_velocity,
                                 bool is_nesterov) {
    sn_wide before = v[0], after = v[1], own = sgd->clip * v[2] + sgd->weight_decay * before, meant = own;
    if (has_velocity) {
        sn_wide velocity = sgd->momentum * v[3] + own;
        meant = is_nesterov ? own + sgd->momentum * velocity : velocity;
    }
    meant *= sgd->lr;
    sn_wide_bits same = (sn_wide_bits)before == (sn_wide_bits)after, is_meant = meant != 0;
    sums->sum_abs += sn_wide_abs(meant);
    sums->intended += is_meant;
    sums->unchanged += same;
    sums->stalled += same & is_meant;
}

/* The lanes after the last element are zeros in all matrices: not meant to change, and unchanged. */
SN_ALWAYS_INLINE void add_row(wide_intent *sums, const sn_update_call *u, const tile_rows *row, size_t cols,
                              bool has_velocity, bool is_nesterov) {
    size_t c = 0;
    for (; c + SN_LANES <= cols; c += SN_LANES) {
        sn_wide v[4] = {sn_wide_load(row->before + c), sn_wide_load(row->after + c), sn_wide_load(row->gradient + c)};
        if (has_velocity) v[3] = sn_wide_load(row->velocity + c);
        add_intent(sums, &u->sgd, v, has_velocity, is_nesterov);
    }
    size_t rest = cols - c;
    if (rest == 0) return;
    sn_wide v[4] = {sn_wide_load_part(row->before + c, rest), sn_wide_load_part(row->after + c, rest),
                    sn_wide_load_part(row->gradient + c, rest)};
    if (has_velocity) v[3] = sn_wide_load_part(row->velocity + c, rest);
    add_intent(sums, &u->sgd, v, has_velocity, is_nesterov);
    sums->unchanged[0] += (int64_t)(SN_LANES - rest);
}

static double count_of(sn_wide_bits minus) {
    int64_t count = 0;
    for (int i = 0; i < SN_LANES; i++)
        count -= minus[i];
    return (double)count;
}

static intent intent_of_update(const sn_change_call *call) {
    const sn_update_call *u = call->update;
    wide_intent sums = {0};
    for (size_t r = 0; r < u->rows; r++) {
        tile_rows row = {sn_row(call->old_weight, r), sn_row(u->weight, r), sn_row(u->gradient, r), NULL};
        if (!call->old_velocity.data) {
            add_row(&sums, u, &row, u->cols, false, false);
            continue;
        }
        row.velocity = sn_row(call->old_velocity, r);
        if (u->sgd.nesterov) {
            add_row(&sums, u, &row, u->cols, true, true);
        } else {
            add_row(&sums, u, &row, u->cols, true, false);
        }
    }
    return (intent){sn_wide_sum(sums.sum_abs), count_of(sums.intended), count_of(sums.unchanged),
                    count_of(sums.stalled)};
}

/* A float times a factor in this range is a normal double, unless it is zero. */
static bool is_gradient_times(const sn_change_call *call, double factor) {
    bool is_plain = !call->old_velocity.data && call->update->sgd.weight_decay == 0;
    return !SN_IS_DOUBLE && is_plain && factor > 0x1p-800 && factor < 0x1p800;
}

sn_change_sums SN_V(sn_change_sums_of)(const sn_change_call *call) {
    const sn_update_call *u = call->update;
    sn_difference d = {.x = u->weight, .minus = call->old_weight, .rows = u->rows, .cols = u->cols};
    double factor = u->sgd.lr * u->sgd.clip;
    sn_moments change = sn_moments_of(&d, true, true);
    intent meant = is_gradient_times(call, factor) ? intent_of_gradient(call, factor) : intent_of_update(call);
    *call->old_squares = SN_V(sn_sumsq_of)(&(sn_difference){.x = call->old_weight, .rows = u->rows, .cols = u->cols},
                                           change.minus_squares);
    return (sn_change_sums){.n = (double)u->rows * (double)u->cols,
                            .change = SN_V(sn_sumsq_of)(&d, change.squares),
                            .sum_abs_change = change.sum,
                            .sum_abs_intended = meant.sum_abs,
                            .unchanged = meant.unchanged,
                            .intended = meant.intended,
                            .stalled = meant.stalled};
}
