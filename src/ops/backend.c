/* Owns the table of one variant: its ops, losses and kernels. */
#include "ops/backend.h"

#include "ops/kernels.h"
#include "ops/list.h"
#include "ops/variant.h"

#define SN_DECLARE_OP(name)   extern const sn_op SN_V(sn_op_##name);
#define SN_DECLARE_LOSS(name) extern const sn_loss SN_V(sn_loss_##name);
#define SN_LIST_OP(name)      &SN_V(sn_op_##name),
#define SN_LIST_LOSS(name)    &SN_V(sn_loss_##name),

SN_OPS(SN_DECLARE_OP)
SN_LOSSES(SN_DECLARE_LOSS)

static const sn_op *const ops[] = {SN_OPS(SN_LIST_OP) NULL};
static const sn_loss *const losses[] = {SN_LOSSES(SN_LIST_LOSS) NULL};

const sn_backend SN_V(sn_backend) = {
    .simd = SN_SIMD_NAME,
    .dtype = SN_IS_DOUBLE ? SN_F64 : SN_F32,
#ifdef SN_VECTOR_BYTES
    .has_own_products = true,
#endif
    .ops = ops,
    .losses = losses,
    .gather = SN_V(sn_gather),
    .update = SN_V(sn_sgd_update),
    .copy = SN_V(sn_copy),
    .transpose = SN_V(sn_transpose),
    .multiply = SN_V(sn_multiply),
    .all_finite = SN_V(sn_all_finite),
    .add_partials = SN_V(sn_add_partials),
    .signal_sums = SN_V(sn_signal_sums_of),
    .tensor_sums = SN_V(sn_tensor_sums_of),
    .change_sums = SN_V(sn_change_sums_of),
    .count_nonfinite = SN_V(sn_count_nonfinite),
    .from_double = SN_V(sn_from_double),
};
