/* The convolution of an image with a bank of kernels, W (out, in, height, width) as PyTorch has it. */
#include "ops/row.h"

#include "kernels/conv_axis.h"

typedef struct conv2d_attributes {
    sn_conv_axis y, x;
} conv2d_attributes;

#if SN_DESCRIBES
#include <string.h>

#include "network/init.h"

/* Sets the axis; false where the kernel does not fit into it. */
static bool set_axis(const sn_node *node, int64_t in, sn_conv_axis *axis) {
    int64_t kernel = sn_value_integer(node->config, "kernel"), stride = sn_value_integer(node->config, "stride");
    bool is_given = sn_value_is_number(sn_value_get(node->config, "padding"));
    int64_t padding = is_given ? sn_value_integer(node->config, "padding") : (kernel - 1) / 2;
    if (in + 2 * padding < kernel) return false;
    *axis = (sn_conv_axis){.in = (size_t)in,
                           .out = (size_t)((in + 2 * padding - kernel) / stride + 1),
                           .kernel = (size_t)kernel,
                           .stride = (size_t)stride,
                           .padding = (size_t)padding};
    return true;
}

static void add_params(sn_node *node, const sn_node *input, size_t taps) {
    int64_t channels = sn_value_integer(node->config, "channels");
    int64_t kernel = sn_value_integer(node->config, "kernel");
    const sn_value *init = sn_value_get(node->config, "init"), *bias_init = sn_value_get(node->config, "bias_init");
    sn_param *weight = sn_node_add_param(node, "weight", (size_t)channels, input->width * taps, init);
    weight->kind = SN_PARAM_WEIGHT;
    weight->rank = 4;
    weight->dim[1] = (int64_t)input->width;
    weight->dim[2] = weight->dim[3] = kernel;
    weight->unit = taps;
    weight->fan_out = channels * (int64_t)taps;
    weight->decays = weight->in_parts = true;
    if (!sn_value_bool(node->config, "bias")) return;
    bool own = strcmp(sn_value_text(init, "kind"), "pytorch") == 0;
    sn_param *bias = sn_node_add_param(node, "bias", 0, (size_t)channels, bias_init ? bias_init : own ? init : NULL);
    bias->kind = SN_PARAM_BIAS;
    bias->in_parts = true;
    bias->fan_in = weight->fan_in;
    bias->fan_out = weight->fan_out;
}

static sn_status conv2d_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    char text[SN_SHAPE_TEXT];
    conv2d_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a conv2d");
    if (input->shape.rank != 3)
        return sn_node_fault(node, error, "its input %s is a vector of %lld, a convolution needs an image",
                             input->label, (long long)input->width);
    if (!set_axis(node, input->shape.dim[0], &attributes->y) || !set_axis(node, input->shape.dim[1], &attributes->x))
        return sn_node_fault(node, error, "its kernel of %lld is larger than the padded image %s",
                             (long long)sn_value_integer(node->config, "kernel"), sn_shape_text(&input->shape, text));
    node->attributes = attributes;
    add_params(node, input, attributes->y.kernel * attributes->x.kernel);
    sn_shape shape = {.rank = 3,
                      .dim = {(int64_t)attributes->y.out, (int64_t)attributes->x.out, node->params[0].dim[0]}};
    sn_node_set_shape(node, &shape);
    sn_status status = sn_init_check(node->origin, sn_value_get(node->config, "init"), error);
    sn_status own = sn_init_check(node->origin, sn_value_get(node->config, "bias_init"), error);
    return status ? status : own;
}

static double conv2d_flops(const sn_node *node) {
    return 2.0 * (double)node->params[0].count * (double)node->positions;
}

static size_t conv2d_gradient_room(const sn_node *node, size_t rows, size_t cols) {
    const conv2d_attributes *a = node->attributes;
    return sn_conv_gradient_room(&a->y, &a->x, rows, cols / (a->y.kernel * a->x.kernel));
}

static const sn_ruler without_bias[] = {{.key = "bias", .value = "false"}, {.key = "network.weights"}, {0}};

static const sn_key conv2d_keys[] = {
    {.name = "channels", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1e5, .help = "of the output"},
    {.name = "kernel",
     .types = SN_INTEGER,
     .fallback = "3",
     .min = 1,
     .max = SN_CONV_MOST_KERNEL,
     .help = "height and width of the kernels"},
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
    {.name = "bias", .types = SN_BOOL, .fallback = "true", .help = "whether b is there"},
    {.name = "conv",
     .types = SN_WORD,
     .fallback = "\"auto\"",
     .words = sn_conv_words,
     .help = "how it is computed: " SN_CONV_HELP},
    {.name = "init",
     .types = SN_KIND,
     .fallback = "\"pytorch\"",
     .choice = &sn_init_choice,
     .ruled_by = sn_ruled_by_weights,
     .help = "initial weights"},
    {.name = "bias_init",
     .types = SN_KIND | SN_NULL,
     .fallback = "null",
     .choice = &sn_init_choice,
     .ruled_by = without_bias,
     .help = "initial biases; null: what belongs to the init (pytorch: its own, others: zeros)"},
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
    .gradient_room = conv2d_gradient_room,
};
#else
#include "kernels/conv.h"
#include "ops/bias_gradient.h"

static sn_convolution convolution_of(const sn_op_call *call, sn_view from, sn_view to) {
    const conv2d_attributes *a = call->node->attributes;
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
    const conv2d_attributes *a = call->node->attributes;
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
