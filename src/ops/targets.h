/* What kernels of losses share: targets of a row, and whether it is right. */
#ifndef SN_OPS_TARGETS_H
#define SN_OPS_TARGETS_H

#include "ops/row.h"

/* The first largest of n values. */
static inline size_t sn_largest(const real *z, size_t n) {
    size_t best = 0;
    for (size_t j = 1; j < n; j++) {
        if (z[j] > z[best]) best = j;
    }
    return best;
}

/* (width) What a row is held to: the targets of its sample, or 1 at its label and 0 elsewhere. */
static inline const double *sn_target_of(const sn_loss_call *call, size_t r) {
    size_t sample = call->indices[r], width = call->width;
    if (call->one_hot) return call->one_hot + (width - 1 - call->samples->labels[sample]);
    return call->samples->targets + sample * width;
}

/* Whether a row's largest output is its label; never where its loss is NaN. */
static inline bool sn_is_right(const sn_loss_call *call, size_t r, double loss) {
    return call->samples->labels && loss == loss &&
           sn_largest(sn_row(call->y, r), call->width) == call->samples->labels[call->indices[r]];
}

#endif
