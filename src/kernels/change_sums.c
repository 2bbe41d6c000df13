/* Owns the sums over what an update did to a tensor, against what it was meant to do. */
#include "kernels/kernels.h"
#include "kernels/tensor_sums.h"

/* What is counted against the intended update. */
typedef struct intent {
    double sum_abs, intended, stalled;
} intent;

/* Elements that did not change, and whose gradient is zero. */
static sn_count count_unchanged_zeros(const sn_change_call *call) {
    const sn_update_call *u = call->update;
    size_t rows = u->rows, cols = u->cols;
    sn_count count = 0;
    sn_flatten(&rows, &cols, u->weight.ld == cols && u->gradient.ld == cols && call->old_weight.ld == cols);
    for (size_t r = 0; r < rows; r++) {
        const real *before = sn_row(call->old_weight, r), *after = sn_row(u->weight, r), *g = sn_row(u->gradient, r);
        SN_SIMD_SUM(count) for (size_t c = 0; c < cols; c++) {
            bool is_same = sn_bits_of(before[c]) == sn_bits_of(after[c]);
            count += is_same & ((sn_bits_of(g[c]) & SN_MAGNITUDE) == 0);
        }
    }
    return count;
}

/* Where what was meant is a factor times the gradient, its sums are known. */
static intent intent_of_gradient(const sn_change_call *call, double factor, sn_count unchanged) {
    const sn_tensor_sums *g = call->gradient;
    sn_count zeros = g->zeros > 0 && unchanged > 0 ? count_unchanged_zeros(call) : 0;
    return (intent){factor * g->sum_abs, g->n - g->zeros, (double)(unchanged - zeros)};
}

typedef struct tile_rows {
    const real *before, *after, *gradient, *velocity; /* velocity NULL: none */
} tile_rows;

typedef struct wide_intent {
    sn_wide sum_abs;
    sn_wide_bits intended, stalled; /* minus the counts */
} wide_intent;

SN_ALWAYS_INLINE sn_wide load(const real *x, size_t n) {
    return n >= SN_LANES ? sn_wide_load(x) : sn_wide_load_part(x, n);
}

/* Elements from `c` on, `n` or a vector of them.  The lanes after the last one are zeros, not meant to change.  What
 * was meant is worked out in double: see sn_sgd. */
SN_ALWAYS_INLINE void add_intent(wide_intent *sums, const sn_sgd *sgd, const tile_rows *row, size_t c, size_t n,
                                 bool counts_stalled) {
    sn_wide before = load(row->before + c, n);
    sn_wide own = sgd->clip * load(row->gradient + c, n) + sgd->weight_decay * before, meant = own;
    if (row->velocity) {
        sn_wide velocity = sgd->momentum * load(row->velocity + c, n) + own;
        meant = sgd->nesterov ? own + sgd->momentum * velocity : velocity;
    }
    meant *= sgd->lr;
    sums->sum_abs += sn_wide_abs(meant);
    sn_wide_bits is_meant = meant != 0;
    sums->intended += is_meant;
    if (counts_stalled) sums->stalled += is_meant & ((sn_wide_bits)before == (sn_wide_bits)load(row->after + c, n));
}

SN_ALWAYS_INLINE void add_row(wide_intent *sums, const sn_sgd *sgd, const tile_rows *row, size_t cols,
                              bool counts_stalled) {
    size_t c = 0;
    for (; c + SN_LANES <= cols; c += SN_LANES)
        add_intent(sums, sgd, row, c, SN_LANES, counts_stalled);
    if (c < cols) add_intent(sums, sgd, row, c, cols - c, counts_stalled);
}

/* A loop of its own for every rule: the compiler sees which of the rows there are. */
SN_ALWAYS_INLINE wide_intent add_rows(const sn_change_call *call, bool counts_stalled) {
    const sn_update_call *u = call->update;
    sn_sgd sgd = u->sgd;
    wide_intent sums = {0};
    for (size_t r = 0; r < u->rows; r++) {
        tile_rows row = {sn_row(call->old_weight, r), sn_row(u->weight, r), sn_row(u->gradient, r), NULL};
        if (!call->old_velocity.data) {
            add_row(&sums, &sgd, &row, u->cols, counts_stalled);
            continue;
        }
        row.velocity = sn_row(call->old_velocity, r);
        sgd.nesterov = true;
        if (u->sgd.nesterov) add_row(&sums, &sgd, &row, u->cols, counts_stalled);
        sgd.nesterov = false;
        if (!u->sgd.nesterov) add_row(&sums, &sgd, &row, u->cols, counts_stalled);
    }
    return sums;
}

static double count_lanes(sn_wide_bits minus) {
    int64_t count = 0;
    for (int i = 0; i < SN_LANES; i++)
        count -= minus[i];
    return (double)count;
}

/* Where all elements or none were meant to change, it is known how many of the unchanged ones were. */
static intent intent_of_update(const sn_change_call *call, sn_count unchanged) {
    wide_intent sums = add_rows(call, false);
    intent found = {sn_wide_sum(sums.sum_abs), count_lanes(sums.intended), (double)unchanged};
    if (found.intended == 0) found.stalled = 0;
    bool is_known = unchanged == 0 || found.intended == 0 || found.intended == call->gradient->n;
    if (!is_known) found.stalled = count_lanes(add_rows(call, true).stalled);
    return found;
}

/* A float times a factor in this range is a normal double, unless it is zero. */
static bool is_gradient_times(const sn_change_call *call, double factor) {
    bool is_plain = !call->old_velocity.data && call->update->sgd.weight_decay == 0;
    return !SN_IS_DOUBLE && is_plain && factor > 0x1p-800 && factor < 0x1p800;
}

sn_change_sums SN_V(sn_change_sums_of)(const sn_change_call *call) {
    const sn_update_call *u = call->update;
    sn_difference d = {.x = u->weight, .minus = call->old_weight, .rows = u->rows, .cols = u->cols};
    sn_difference old = {.x = call->old_weight, .rows = u->rows, .cols = u->cols};
    double factor = u->sgd.lr * u->sgd.clip;
    sn_moments change = sn_moments_of(&d, SN_OF_CHANGE);
    intent meant = is_gradient_times(call, factor) ? intent_of_gradient(call, factor, change.same)
                                                   : intent_of_update(call, change.same);
    *call->old_squares = SN_V(sn_sumsq_of)(&old, change.minus_squares);
    return (sn_change_sums){.n = (double)u->rows * (double)u->cols,
                            .change = SN_V(sn_sumsq_of)(&d, change.squares),
                            .sum_abs_change = change.sum,
                            .sum_abs_intended = meant.sum_abs,
                            .unchanged = (double)change.same,
                            .intended = meant.intended,
                            .stalled = meant.stalled};
}
