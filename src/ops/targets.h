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

/* What a row is held to: the targets of its sample, or 1 at its label and 0 elsewhere. */
typedef struct sn_row_target {
    const double *values; /* NULL: there is a label */
    size_t label;
} sn_row_target;

static inline sn_row_target sn_target_of(const sn_loss_call *call, size_t r) {
    size_t sample = call->indices[r];
    if (call->samples->targets) return (sn_row_target){.values = call->samples->targets + sample * call->width};
    return (sn_row_target){.label = call->samples->labels[sample]};
}

static inline double sn_target_at(const sn_row_target *target, size_t j) {
    return target->values ? target->values[j] : j == target->label;
}

/* Whether a row's largest output is its label; never where its loss is NaN. */
static inline bool sn_is_right(const sn_loss_call *call, size_t r, double loss) {
    return call->samples->labels && loss == loss &&
           sn_largest(sn_row(call->y, r), call->width) == call->samples->labels[call->indices[r]];
}

#endif
