/* Owns the sums over what an update did to a tensor, against what it was meant to do. */
#include "kernels/kernels.h"
#include "kernels/tensor_sums.h"
#include "kernels/update.h"

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

static double count_lanes(sn_wide_bits minus) {
    int64_t count = 0;
    for (int i = 0; i < SN_LANES; i++)
        count -= minus[i];
    return (double)count;
}

static intent intent_of_update(const sn_change_call *call, sn_intent_row_kernel *add_row) {
    const sn_update_call *u = call->update;
    sn_intent_sums sums = {0};
    size_t rows = u->rows, cols = u->cols;
    bool is_contiguous = u->weight.ld == cols && u->gradient.ld == cols && call->old_weight.ld == cols;
    for (int k = 0; k < SN_MAX_SLOTS; k++)
        is_contiguous = is_contiguous && (!call->old_slots[k].data || call->old_slots[k].ld == cols);
    sn_flatten(&rows, &cols, is_contiguous);
    for (size_t r = 0; r < rows; r++) {
        sn_change_row row = {.before = sn_row(call->old_weight, r),
                             .after = sn_row(u->weight, r),
                             .gradient = sn_row(u->gradient, r),
                             .cols = cols};
        for (int k = 0; k < SN_MAX_SLOTS; k++)
            row.slots[k] = call->old_slots[k].data ? sn_row(call->old_slots[k], r) : NULL;
        add_row(&row, &u->numbers, &sums);
    }
    return (intent){sn_chains_sum(sums.sum_abs), count_lanes(sums.intended), count_lanes(sums.stalled)};
}

sn_change_sums SN_V(sn_change_sums_of)(const sn_change_call *call, sn_intent_row_kernel *add_row, double factor) {
    const sn_update_call *u = call->update;
    sn_difference d = {.x = u->weight, .minus = call->old_weight, .rows = u->rows, .cols = u->cols};
    sn_difference old = {.x = call->old_weight, .rows = u->rows, .cols = u->cols};
    sn_moments change = sn_moments_of(&d, SN_OF_CHANGE);
    /* A float times a factor in this range is a normal double, unless it is zero. */
    bool is_of_gradient = !SN_IS_DOUBLE && factor > 0x1p-800 && factor < 0x1p800;
    intent meant = is_of_gradient ? intent_of_gradient(call, factor, change.same) : intent_of_update(call, add_row);
    *call->old_squares = SN_V(sn_sumsq_of)(&old, change.minus_squares);
    return (sn_change_sums){.n = (double)u->rows * (double)u->cols,
                            .change = SN_V(sn_sumsq_of)(&d, change.squares),
                            .sum_abs_change = change.sum,
                            .sum_abs_intended = meant.sum_abs,
                            .unchanged = (double)change.same,
                            .intended = meant.intended,
                            .stalled = meant.stalled};
}
