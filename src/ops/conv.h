/* What the convolution and its transpose share: geometry, parameters, keys.  Not for other rooms. */
#ifndef SN_OPS_CONV_H
#define SN_OPS_CONV_H

#include "kernels/conv_axis.h"
#include "ops/weights.h"

/* Along height and width; of the transpose `in` is its output, `out` its input. */
typedef struct sn_conv_axes {
    sn_conv_axis y, x;
} sn_conv_axes;

#if SN_DESCRIBES
/* The weights (rows, cols, kernel, kernel) as PyTorch has them, and the bias of the node's channels; fan_in and fan_out
 * are those of a convolution with as many taps. */
static inline void sn_conv_add_params(sn_node *node, size_t rows, size_t cols, size_t taps) {
    const sn_value *init = sn_value_get(node->config, "init");
    sn_param *weight = sn_node_add_param(node, "weight", rows, cols * taps, init);
    weight->kind = SN_PARAM_WEIGHT;
    weight->rank = 4;
    weight->dim[1] = (int64_t)cols;
    weight->dim[2] = weight->dim[3] = sn_value_integer(node->config, "kernel");
    weight->unit = taps;
    weight->fan_out = (int64_t)(rows * taps);
    weight->decays = weight->in_parts = true;
    sn_weights_add_bias(node, (size_t)sn_value_integer(node->config, "channels"));
}

/* The faults of the inits' keys, and of an input that is no image. */
static inline sn_status sn_conv_check(const sn_node *node, const sn_node *input, sn_error *error) {
    sn_status status = sn_weights_check(node, error);
    if (input->shape.rank == 3) return status;
    return sn_node_fault(node, error, "its input \"%s\" is a vector of %zu, a convolution needs an image", input->label,
                         input->width);
}

static inline double sn_conv_flops(const sn_node *node, size_t positions) {
    return 2.0 * (double)node->params[0].count * (double)positions;
}

static inline size_t sn_conv_room(const sn_node *node, size_t rows, size_t cols) {
    const sn_conv_axes *a = node->attributes;
    return sn_conv_gradient_room(&a->y, &a->x, rows, cols / node->params[0].unit);
}

/* Rows of the tables of keys; kernel and stride want a fallback besides. */
#define SN_CONV_CHANNELS                                                                                               \
    { .name = "channels", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1e5, .help = "of the output" }
#define SN_CONV_KERNEL                                                                                                 \
    .name = "kernel", .types = SN_INTEGER, .min = 1, .max = SN_CONV_MOST_KERNEL,                                       \
    .help = "height and width of the kernels"
#define SN_CONV_WEIGHTS                                                                                                \
    SN_WEIGHTS_BIAS,                                                                                                   \
        {.name = "conv",                                                                                               \
         .types = SN_WORD,                                                                                             \
         .fallback = "\"auto\"",                                                                                       \
         .words = sn_conv_words,                                                                                       \
         .help = "how it is computed: " SN_CONV_HELP},                                                                 \
        SN_WEIGHTS_INITS
#else
#include "kernels/conv.h"

/* A walk over the weights from a signal to another: that of the convolution, from its input to its output, or its
 * transpose, the way back. */
static inline sn_convolution sn_conv_of(const sn_op_call *call, sn_view from, sn_view to, bool is_transposed) {
    const sn_conv_axes *axes = call->node->attributes;
    const sn_param *weight = &call->node->params[0];
    size_t outs = weight->rows, ins = (size_t)weight->dim[1];
    return (sn_convolution){.y = axes->y,
                            .x = axes->x,
                            .is_transposed = is_transposed,
                            .panels = sn_panels(call->samples),
                            .lanes = call->lanes,
                            .from_features = is_transposed ? outs : ins,
                            .to_features = is_transposed ? ins : outs,
                            .weight = call->params[0],
                            .to_step = is_transposed ? weight->unit : weight->cols,
                            .from_step = is_transposed ? weight->cols : weight->unit,
                            .from = from,
                            .to = to};
}

/* What an op does whose forward is the convolution, or is its transpose. */
static inline void sn_conv_forward(const sn_op_call *call, bool is_transposed) {
    sn_convolution c = sn_conv_of(call, call->x[0], call->y, is_transposed);
    if (call->node->n_params > 1) c.bias = call->params[1];
    *call->is_finite = SN_V(sn_convolve)(&c);
}

static inline void sn_conv_backward(const sn_op_call *call, bool is_transposed) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    sn_convolution c = sn_conv_of(call, call->dy, call->dx[0], !is_transposed);
    if (call->flow[0] == SN_FLOW_ADD) c.base = call->base[0];
    SN_V(sn_convolve)(&c);
}

static inline void sn_conv_push(const sn_push_call *call, bool is_transposed) {
    sn_convolution c = sn_conv_of(call->at, call->tx[0], call->ty, is_transposed);
    SN_V(sn_convolve)(&c);
}

/* Of the transpose x is the convolution's output and dy by its input. */
static inline bool sn_conv_param_gradient(const sn_gradient_call *call, bool is_transposed) {
    if (call->param == 1) return sn_bias_gradient(call);
    const sn_conv_axes *axes = call->node->attributes;
    size_t taps = call->node->params[0].unit;
    sn_view in = is_transposed ? call->dy : call->x, out = is_transposed ? call->x : call->dy;
    call->stripe->holds = NULL;
    return SN_V(sn_conv_gradient_of)(&(sn_conv_gradient){.y = axes->y,
                                                         .x = axes->x,
                                                         .samples = call->samples,
                                                         .in = {sn_lanes_of(in, 0, call->col / taps), in.ld},
                                                         .dy = {sn_lanes_of(out, 0, call->row), out.ld},
                                                         .rows = call->rows,
                                                         .cols = call->cols / taps,
                                                         .gradient = call->gradient,
                                                         .room = call->stripe->data});
}

/* The kernels of the op, and their table. */
#define SN_CONV_KERNELS(op, is_transposed)                                                                             \
    static void op##_forward(const sn_op_call *call) {                                                                 \
        sn_conv_forward(call, is_transposed);                                                                          \
    }                                                                                                                  \
    static void op##_backward(const sn_op_call *call) {                                                                \
        sn_conv_backward(call, is_transposed);                                                                         \
    }                                                                                                                  \
    static void op##_push(const sn_push_call *call) {                                                                  \
        sn_conv_push(call, is_transposed);                                                                             \
    }                                                                                                                  \
    static bool op##_param_gradient(const sn_gradient_call *call) {                                                    \
        return sn_conv_param_gradient(call, is_transposed);                                                            \
    }                                                                                                                  \
    const sn_op_kernels SN_V(sn_kernels_##op) = {                                                                      \
        .forward = op##_forward,                                                                                       \
        .backward = op##_backward,                                                                                     \
        .push = op##_push,                                                                                             \
        .param_gradient = op##_param_gradient,                                                                         \
    }
#endif

#endif
