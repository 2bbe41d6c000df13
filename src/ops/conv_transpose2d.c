/* The transpose of a convolution: what a convolution sends back from its output to its input, here sent forward.  W
 * (in, out, height, width) as PyTorch has it: that convolution's own weights. */
#include "ops/conv.h"

#if SN_DESCRIBES
static sn_conv_axis axis_of(const sn_node *node, int64_t in, int64_t out) {
    return (sn_conv_axis){.in = (size_t)out,
                          .out = (size_t)in,
                          .kernel = (size_t)sn_value_integer(node->config, "kernel"),
                          .stride = (size_t)sn_value_integer(node->config, "stride"),
                          .padding = (size_t)sn_value_integer(node->config, "padding")};
}

static int64_t length_of(const sn_node *node, int64_t in) {
    return (in - 1) * sn_value_integer(node->config, "stride") + sn_value_integer(node->config, "kernel") -
           2 * sn_value_integer(node->config, "padding");
}

static sn_status conv_transpose2d_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    int64_t channels = sn_value_integer(node->config, "channels");
    sn_conv_axes *axes = sn_pool_alloc(pool, sizeof *axes);
    if (!axes) return sn_error_memory(error, sizeof *axes, "a conv_transpose2d");
    node->attributes = axes;
    sn_status status = sn_conv_check(node, input, error);
    if (status) return status;
    sn_shape shape = {3, {length_of(node, input->shape.dim[0]), length_of(node, input->shape.dim[1]), channels}};
    if (shape.dim[0] < 1 || shape.dim[1] < 1)
        return sn_node_fault(node, error, "a padding of %lld leaves nothing of its output",
                             (long long)sn_value_integer(node->config, "padding"));
    axes->y = axis_of(node, input->shape.dim[0], shape.dim[0]);
    axes->x = axis_of(node, input->shape.dim[1], shape.dim[1]);
    sn_conv_add_params(node, input->width, (size_t)channels, axes->y.kernel * axes->x.kernel);
    sn_node_set_shape(node, &shape);
    return SN_OK;
}

static double conv_transpose2d_flops(const sn_node *node) {
    const sn_conv_axes *axes = node->attributes;
    return sn_conv_flops(node, axes->y.out * axes->x.out);
}

static const sn_key conv_transpose2d_keys[] = {
    SN_CONV_CHANNELS,
    {SN_CONV_KERNEL, .fallback = "2"},
    {.name = "stride",
     .types = SN_INTEGER,
     .fallback = "2",
     .min = 1,
     .max = 16,
     .help = "positions of the output from one position of the input to the next"},
    {.name = "padding",
     .types = SN_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = SN_CONV_MOST_KERNEL - 1,
     .help = "positions that are cut off the output on every side"},
    SN_CONV_WEIGHTS,
    {0},
};

const sn_op sn_op_conv_transpose2d = {
    .kind = {.name = "conv_transpose2d",
             .help = "transposed convolution of an image: makes it larger by its stride",
             .keys = conv_transpose2d_keys,
             .formula =
                 "y[i, stride p + t - padding] = sum over channels j, positions p and taps t of W[j, i, t] x[j, p]"
                 " + b[i]",
             .source = "Zeiler et al. 2010; as torch.nn.ConvTranspose2d"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 2,
    .role = SN_ROLE_HIDDEN,
    .reads_image = true,
    .checks_output = true,
    .build = conv_transpose2d_build,
    .flops = conv_transpose2d_flops,
    .gradient_room = sn_conv_room,
};
#else
#include "kernels/conv.h"
#include "ops/bias_gradient.h"

/* y = W^T x, without b */
static sn_convolution forward_of(const sn_op_call *call, sn_view x, sn_view y) {
    const sn_conv_axes *axes = call->node->attributes;
    const sn_param *weight = &call->node->params[0];
    return (sn_convolution){.y = axes->y,
                            .x = axes->x,
                            .is_transposed = true,
                            .panels = sn_panels(call->samples),
                            .lanes = call->lanes,
                            .from_features = weight->rows,
                            .to_features = (size_t)weight->dim[1],
                            .weight = call->params[0],
                            .to_step = weight->unit,
                            .from_step = weight->cols,
                            .from = x,
                            .to = y};
}

static void conv_transpose2d_forward(const sn_op_call *call) {
    sn_convolution c = forward_of(call, call->x[0], call->y);
    if (call->node->n_params > 1) c.bias = call->params[1];
    *call->is_finite = SN_V(sn_convolve)(&c);
}

/* dx = W dy: the convolution */
static void conv_transpose2d_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    sn_convolution back = forward_of(call, call->dy, call->dx[0]), c = back;
    c.is_transposed = false;
    c.from_features = back.to_features;
    c.to_features = back.from_features;
    c.to_step = back.from_step;
    c.from_step = back.to_step;
    if (call->flow[0] == SN_FLOW_ADD) c.base = call->base[0];
    SN_V(sn_convolve)(&c);
}

static void conv_transpose2d_push(const sn_push_call *call) {
    sn_convolution c = forward_of(call->at, call->tx[0], call->ty);
    SN_V(sn_convolve)(&c);
}

/* That of the convolution whose input is y and whose output is x. */
static bool conv_transpose2d_param_gradient(const sn_gradient_call *call) {
    if (call->param == 1) return sn_bias_gradient(call);
    const sn_conv_axes *axes = call->node->attributes;
    size_t taps = call->node->params[0].unit;
    call->stripe->holds = NULL;
    return SN_V(sn_conv_gradient_of)(
        &(sn_conv_gradient){.y = axes->y,
                            .x = axes->x,
                            .samples = call->samples,
                            .in = {sn_lanes_of(call->dy, 0, call->col / taps), call->dy.ld},
                            .dy = {sn_lanes_of(call->x, 0, call->row), call->x.ld},
                            .rows = call->rows,
                            .cols = call->cols / taps,
                            .gradient = call->gradient,
                            .room = call->stripe->data});
}

const sn_op_kernels SN_V(sn_kernels_conv_transpose2d) = {
    .forward = conv_transpose2d_forward,
    .backward = conv_transpose2d_backward,
    .push = conv_transpose2d_push,
    .param_gradient = conv_transpose2d_param_gradient,
};
#endif
