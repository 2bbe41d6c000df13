/* The convolution of an image with a bank of kernels, W (out, in, height, width) as PyTorch has it. */
#include "ops/conv.h"

#if SN_DESCRIBES
/* Sets the axis; false where the kernel does not fit into it. */
static bool set_axis(const sn_node *node, int64_t in, sn_conv_axis *axis) {
    int64_t kernel = sn_value_integer(node->config, "kernel"), stride = sn_value_integer(node->config, "stride");
    const sn_value *given = sn_value_get(node->config, "padding");
    int64_t padding = given ? sn_value_integer(given, "") : (kernel - 1) / 2;
    if (in + 2 * padding < kernel) return false;
    *axis = (sn_conv_axis){.in = (size_t)in,
                           .out = (size_t)((in + 2 * padding - kernel) / stride + 1),
                           .kernel = (size_t)kernel,
                           .stride = (size_t)stride,
                           .padding = (size_t)padding};
    return true;
}

static sn_status conv2d_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    int64_t channels = sn_value_integer(node->config, "channels");
    char text[SN_SHAPE_TEXT];
    sn_conv_axes *axes = sn_pool_alloc(pool, sizeof *axes);
    if (!axes) return sn_error_memory(error, sizeof *axes, "a conv2d");
    node->attributes = axes;
    sn_status status = sn_conv_check(node, input, error);
    if (status) return status;
    if (!set_axis(node, input->shape.dim[0], &axes->y) || !set_axis(node, input->shape.dim[1], &axes->x))
        return sn_node_fault(node, error, "its kernel of %lld is larger than the padded image \"%s\", %s",
                             (long long)sn_value_integer(node->config, "kernel"), input->label,
                             sn_shape_text(&input->shape, text));
    sn_conv_add_params(node, (size_t)channels, input->width, axes->y.kernel * axes->x.kernel);
    sn_shape shape = {.rank = 3, .dim = {(int64_t)axes->y.out, (int64_t)axes->x.out, channels}};
    sn_node_set_shape(node, &shape);
    return SN_OK;
}

static double conv2d_flops(const sn_node *node) {
    return sn_conv_flops(node, node->positions);
}

static const sn_key conv2d_keys[] = {
    SN_CONV_CHANNELS,
    {SN_CONV_KERNEL, .fallback = "3"},
    {.name = "stride",
     .types = SN_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 16,
     .help = "positions from one window to the next"},
    {.name = "padding",
     .types = SN_INTEGER | SN_NULL,
     .fallback = "null",
     .min = 0,
     .max = SN_CONV_MOST_KERNEL - 1,
     .help = "zeros around the image; null: (kernel - 1) / 2, which keeps its size where kernel is odd and stride 1"},
    SN_CONV_WEIGHTS,
    {0},
};

const sn_op sn_op_conv2d = {
    .kind = {.name = "conv2d",
             .help = "convolution of an image",
             .keys = conv2d_keys,
             .formula = "y[i, p] = sum over channels j and taps t of W[i, j, t] x[j, stride p + t - padding] + b[i]",
             .source = "LeCun et al. 1989; as torch.nn.Conv2d"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 2,
    .role = SN_ROLE_HIDDEN,
    .reads_image = true,
    .checks_output = true,
    .build = conv2d_build,
    .flops = conv2d_flops,
    .gradient_room = sn_conv_room,
};
#else
#include "kernels/conv.h"
#include "ops/bias_gradient.h"

static sn_convolution convolution_of(const sn_op_call *call, sn_view from, sn_view to) {
    const sn_conv_axes *a = call->node->attributes;
    return (sn_convolution){.y = a->y,
                            .x = a->x,
                            .panels = sn_panels(call->samples),
                            .lanes = call->lanes,
                            .weight = call->params[0],
                            .from = from,
                            .to = to};
}

/* y = W * x, without b */
static sn_convolution forward_of(const sn_op_call *call, sn_view x, sn_view y) {
    const sn_param *weight = &call->node->params[0];
    sn_convolution c = convolution_of(call, x, y);
    c.from_features = (size_t)weight->dim[1];
    c.to_features = weight->rows;
    c.to_step = weight->cols;
    c.from_step = weight->unit;
    return c;
}

static void conv2d_forward(const sn_op_call *call) {
    sn_convolution c = forward_of(call, call->x[0], call->y);
    if (call->node->n_params > 1) c.bias = call->params[1];
    *call->is_finite = SN_V(sn_convolve)(&c);
}

static void conv2d_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    const sn_param *weight = &call->node->params[0];
    sn_convolution c = convolution_of(call, call->dy, call->dx[0]);
    c.is_transposed = true;
    c.from_features = weight->rows;
    c.to_features = (size_t)weight->dim[1];
    c.to_step = weight->unit;
    c.from_step = weight->cols;
    if (call->flow[0] == SN_FLOW_ADD) c.base = call->base[0];
    SN_V(sn_convolve)(&c);
}

static void conv2d_push(const sn_push_call *call) {
    sn_convolution c = forward_of(call->at, call->tx[0], call->ty);
    SN_V(sn_convolve)(&c);
}

static bool conv2d_param_gradient(const sn_gradient_call *call) {
    if (call->param == 1) return sn_bias_gradient(call);
    const sn_conv_axes *a = call->node->attributes;
    size_t taps = call->node->params[0].unit;
    call->stripe->holds = NULL;
    return SN_V(sn_conv_gradient_of)(&(sn_conv_gradient){.y = a->y,
                                                         .x = a->x,
                                                         .samples = call->samples,
                                                         .in = {sn_lanes_of(call->x, 0, call->col / taps), call->x.ld},
                                                         .dy = {sn_lanes_of(call->dy, 0, call->row), call->dy.ld},
                                                         .rows = call->rows,
                                                         .cols = call->cols / taps,
                                                         .gradient = call->gradient,
                                                         .room = call->stripe->data});
}

const sn_op_kernels SN_V(sn_kernels_conv2d) = {
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .push = conv2d_push,
    .param_gradient = conv2d_param_gradient,
};
#endif
