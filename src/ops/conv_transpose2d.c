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
SN_CONV_KERNELS(conv_transpose2d, true);
#endif
