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
SN_CONV_KERNELS(conv2d, false);
#endif
