/* The gradient of a bias: the sum over samples and positions of that of each output.  For the kernels of ops. */
#ifndef SN_OPS_BIAS_GRADIENT_H
#define SN_OPS_BIAS_GRADIENT_H

#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "kernels/wide.h"
#include "network/op.h"

/* One output over the batch, in double: lane by lane, then over the lanes.  `wanted` are the lanes of a block of the
 * last panel, where that is short. */
static inline real sn_sum_of_output(const sn_gradient_call *call, size_t i, const sn_wide_bits wanted[SN_CHAINS]) {
    size_t positions = call->node->positions, whole = call->samples / SN_PANEL * positions;
    size_t blocks = sn_panels(call->samples) * positions;
    sn_wide sums[SN_CHAINS] = {{0}};
    for (size_t b = 0; b < whole; b++) {
        const real *dy = sn_lanes_of(call->dy, b, i);
#pragma GCC unroll 8
        for (int k = 0; k < SN_CHAINS; k++)
            sums[k] += sn_wide_load(dy + (size_t)k * SN_LANES);
    }
    for (size_t b = whole; b < blocks; b++) {
        const real *dy = sn_lanes_of(call->dy, b, i);
#pragma GCC unroll 8
        for (int k = 0; k < SN_CHAINS; k++)
            sums[k] += (sn_wide)((sn_wide_bits)sn_wide_load(dy + (size_t)k * SN_LANES) & wanted[k]);
    }
    return (real)sn_chains_sum(sums);
}

/* db, a tile of it; whether all of it is finite. */
static inline bool sn_bias_gradient(const sn_gradient_call *call) {
    real *gradient = call->gradient.data;
    sn_wide_bits wanted[SN_CHAINS];
    for (size_t l = 0; l < SN_PANEL; l++)
        wanted[l / SN_LANES][l % SN_LANES] = l < call->samples % SN_PANEL ? -1 : 0;
    for (size_t i = 0; i < call->cols; i++)
        gradient[i] = sn_sum_of_output(call, call->col + i, wanted);
    return SN_V(sn_all_finite)(call->gradient, 1, call->cols);
}

#endif
