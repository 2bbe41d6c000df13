/* A backend: all that is built once per precision and instruction set, behind one table of entry points. */
#ifndef SN_OPS_BACKEND_H
#define SN_OPS_BACKEND_H

#include "base/safetensors.h"
#include "kernels/calls.h"
#include "network/op.h"
#include "ops/loss.h"
#include "ops/optimizer.h"

typedef struct sn_backend {
    const char *simd; /* "generic", "avx2", "avx512" */
    sn_dtype dtype;
    bool has_fma;     /* a multiply-add is one rounding: no bit depends on the width of the vectors, see gemm.h */
    size_t lane_step; /* lanes that a vector computes, at most SN_PANEL */
    const sn_op_kernels *const *ops;               /* those of sn_ops, in that order */
    const sn_loss_kernels *const *losses;          /* those of sn_losses, in that order */
    const sn_optimizer_kernels *const *optimizers; /* those of sn_optimizers, in that order */

    void (*gather)(const sn_gather_call *call);
    void (*copy)(sn_view to, sn_view from, size_t rows, size_t cols);
    bool (*multiply)(const sn_product_call *call); /* whether all of C is finite */
    bool (*all_finite)(sn_view view, size_t rows, size_t cols);
    void (*add_partials)(sn_view gradient, const double *partials, size_t n, size_t n_panels, size_t stride);
    bool (*merge_parts)(const sn_merge_parts_call *call); /* whether all of the gradient is finite */
    sn_signal_sums (*signal_sums)(sn_view view, size_t rows, size_t cols);
    sn_tensor_sums (*tensor_sums)(sn_view view, size_t rows, size_t cols);
    void (*count_exponents)(const sn_exponents_call *call);
    size_t (*count_less)(sn_view view, size_t rows, size_t cols, double limit); /* elements below the limit */
    size_t (*count_nonfinite)(sn_view view, size_t rows, size_t cols);
    void (*from_double)(void *to, const double *from, size_t n);
} sn_backend;

#endif
