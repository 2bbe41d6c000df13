/* What all activations share: one input, one output of the same shape, y = phi(x), dx = dy phi'(x).
 *
 * A file of an activation describes its row by one call of SN_ACTIVATION, and gives its kernels by three inline
 * functions of one element and one call of SN_ACTIVATION_KERNELS (see ops/row.h):
 *     real NAME_value(real x, real p)            phi
 *     real NAME_slope(real x, real y, real p)    phi', from x or from y as `reads` says
 *     bool NAME_flat(real x, real y, real p)     saturated: |phi'| < 0.05 max |phi'|, relu kinds: on the flat side
 * p is the op's one parameter (a slope), from the first of its own keys, else 0.  Kernels that only some activations
 * have (`wake`) follow the name in SN_ACTIVATION_KERNELS. */
#ifndef SN_OPS_ACTIVATION_H
#define SN_OPS_ACTIVATION_H

#include "ops/row.h"

#if SN_DESCRIBES

/* Shared `build`: the shape of the input; attributes hold p. */
sn_status sn_activation_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error);

#define SN_ACTIVATION(name_, reads_, keys_, help_, formula_, source_)                                                  \
    const sn_op sn_op_##name_ = {                                                                                      \
        .kind = {.name = #name_, .help = help_, .keys = keys_, .formula = formula_, .source = source_},                \
        .min_inputs = 1,                                                                                               \
        .max_inputs = 1,                                                                                               \
        .is_activation = true,                                                                                         \
        .backward_reads = reads_,                                                                                      \
        .build = sn_activation_build,                                                                                  \
    }

#else

/* What to loop over in x and y and, backward, dy, dx and base. */
static inline sn_lane_rows sn_activation_rows(const sn_op_call *call, bool is_backward) {
    size_t width = call->width;
    bool is_contiguous = sn_is_contiguous(call->x[0], width) && sn_is_contiguous(call->y, width);
    if (is_backward) {
        is_contiguous = is_contiguous && sn_is_contiguous(call->dy, width) && sn_is_contiguous(call->dx[0], width);
        if (call->flow[0] == SN_FLOW_ADD) is_contiguous = is_contiguous && sn_is_contiguous(call->base[0], width);
    }
    return sn_lane_rows_of(call->blocks, width, call->lanes, is_contiguous);
}

/* A row of a block in the backward pass; base NULL: dx = dy phi', else on top of that. */
typedef struct sn_activation_row {
    const real *x, *y, *dy, *base;
    real *dx;
} sn_activation_row;

static inline sn_activation_row sn_activation_row_of(const sn_op_call *call, size_t b, size_t r) {
    return (sn_activation_row){.x = sn_lanes_of(call->x[0], b, r),
                               .y = sn_lanes_of(call->y, b, r),
                               .dy = sn_lanes_of(call->dy, b, r),
                               .base = call->flow[0] == SN_FLOW_ADD ? sn_lanes_of(call->base[0], b, r) : NULL,
                               .dx = sn_lanes_of(call->dx[0], b, r)};
}

static inline real sn_activation_parameter(const sn_op_call *call) {
    return (real) * (const double *)call->node->attributes;
}

#define SN_ACTIVATION_KERNELS(name_, ...)                                                                              \
    SN_ALWAYS_INLINE void name_##_forward_row(real *y, const real *x, size_t n, real p) {                              \
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = name_##_value(x[c], p);                                          \
    }                                                                                                                  \
    static void name_##_forward(const sn_op_call *call) {                                                              \
        real p = sn_activation_parameter(call);                                                                        \
        sn_lane_rows e = sn_activation_rows(call, false);                                                              \
        SN_FOR_ROWS(e) {                                                                                               \
            const real *x = sn_lanes_of(call->x[0], b, r);                                                             \
            if (e.cols == SN_LANE_STEP) {                                                                              \
                name_##_forward_row(sn_lanes_of(call->y, b, r), x, SN_LANE_STEP, p);                                   \
            } else {                                                                                                   \
                name_##_forward_row(sn_lanes_of(call->y, b, r), x, e.cols, p);                                         \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    SN_ALWAYS_INLINE void name_##_backward_row(const sn_activation_row *row, size_t n, real p) {                       \
        const real *x = row->x, *y = row->y, *dy = row->dy, *base = row->base;                                         \
        real *dx = row->dx;                                                                                            \
        if (base) {                                                                                                    \
            SN_SIMD for (size_t c = 0; c < n; c++) dx[c] = base[c] + dy[c] * name_##_slope(x[c], y[c], p);             \
        } else {                                                                                                       \
            SN_SIMD for (size_t c = 0; c < n; c++) dx[c] = dy[c] * name_##_slope(x[c], y[c], p);                       \
        }                                                                                                              \
    }                                                                                                                  \
    static void name_##_backward(const sn_op_call *call) {                                                             \
        if (call->flow[0] == SN_FLOW_NONE) return;                                                                     \
        real p = sn_activation_parameter(call);                                                                        \
        sn_lane_rows e = sn_activation_rows(call, true);                                                               \
        SN_FOR_ROWS(e) {                                                                                               \
            sn_activation_row row = sn_activation_row_of(call, b, r);                                                  \
            if (e.cols == SN_LANE_STEP) {                                                                              \
                name_##_backward_row(&row, SN_LANE_STEP, p);                                                           \
            } else {                                                                                                   \
                name_##_backward_row(&row, e.cols, p);                                                                 \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void name_##_push(const sn_push_call *call) {                                                               \
        sn_push_symmetric(call, name_##_backward);                                                                     \
    }                                                                                                                  \
    static size_t name_##_saturated(const sn_op_call *call) {                                                          \
        real p = sn_activation_parameter(call);                                                                        \
        size_t count = 0;                                                                                              \
        sn_lane_rows e = sn_activation_rows(call, false);                                                              \
        SN_FOR_ROWS(e) {                                                                                               \
            const real *x = sn_lanes_of(call->x[0], b, r), *y = sn_lanes_of(call->y, b, r);                            \
            sn_count flat = 0;                                                                                         \
            SN_SIMD_SUM(flat) for (size_t c = 0; c < e.cols; c++) flat += name_##_flat(x[c], y[c], p);                 \
            count += flat;                                                                                             \
        }                                                                                                              \
        return count;                                                                                                  \
    }                                                                                                                  \
    const sn_op_kernels SN_V(sn_kernels_##name_) = {.forward = name_##_forward,                                        \
                                                    .backward = name_##_backward,                                      \
                                                    .push = name_##_push,                                              \
                                                    .saturated = name_##_saturated,                                    \
                                                    __VA_ARGS__}

#endif

#endif
