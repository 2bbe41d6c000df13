/* Owns the table of one variant: the kernels of its ops, losses and optimizers, and those that all share. */
#include "ops/backend.h"

#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "ops/list.h"

#define SN_DECLARE_OP(name)        extern const sn_op_kernels SN_V(sn_kernels_##name);
#define SN_DECLARE_LOSS(name)      extern const sn_loss_kernels SN_V(sn_kernels_##name);
#define SN_DECLARE_OPTIMIZER(name) extern const sn_optimizer_kernels SN_V(sn_kernels_##name);
#define SN_LIST(name)              &SN_V(sn_kernels_##name),

SN_OPS(SN_DECLARE_OP)
SN_LOSSES(SN_DECLARE_LOSS)
SN_OPTIMIZERS(SN_DECLARE_OPTIMIZER)

static const sn_op_kernels *const ops[] = {SN_OPS(SN_LIST)};
static const sn_loss_kernels *const losses[] = {SN_LOSSES(SN_LIST)};
static const sn_optimizer_kernels *const optimizers[] = {SN_OPTIMIZERS(SN_LIST)};

const sn_backend SN_V(sn_backend) = {
    .simd = SN_SIMD_NAME,
    .dtype = SN_IS_DOUBLE ? SN_F64 : SN_F32,
    .has_fma = SN_HAS_FMA,
    .lane_step = SN_LANE_STEP,
    .ops = ops,
    .losses = losses,
    .optimizers = optimizers,
    .gather = SN_V(sn_gather),
    .copy = SN_V(sn_copy),
    .multiply = SN_V(sn_multiply),
    .all_finite = SN_V(sn_all_finite),
    .add_partials = SN_V(sn_add_partials),
    .merge_parts = SN_V(sn_merge_parts),
    .signal_sums = SN_V(sn_signal_sums_of),
    .tensor_sums = SN_V(sn_tensor_sums_of),
    .count_exponents = SN_V(sn_count_exponents),
    .count_less = SN_V(sn_count_less),
    .count_nonfinite = SN_V(sn_count_nonfinite),
    .from_double = SN_V(sn_from_double),
};
