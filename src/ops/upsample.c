/* y = every position of x, factor x factor times (nearest neighbour). */
#include "ops/image.h"

typedef struct upsample_attributes {
    sn_images images;
    size_t factor;
} upsample_attributes;

#if SN_DESCRIBES
static sn_status upsample_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    upsample_attributes *a = sn_pool_alloc(pool, sizeof *a);
    if (!a) return sn_error_memory(error, sizeof *a, "an upsample");
    node->attributes = a;
    a->factor = (size_t)sn_value_integer(node->config, "factor");
    sn_image in = sn_image_of(&input->shape);
    a->images = (sn_images){in, {in.height * a->factor, in.width * a->factor, in.channels}};
    sn_node_set_image(node, input, a->images.out);
    return SN_OK;
}

static const sn_key upsample_keys[] = {
    {.name = "factor",
     .types = SN_INTEGER,
     .fallback = "2",
     .min = 1,
     .max = 1000,
     .help = "by which height and width grow"},
    {0},
};

const sn_op sn_op_upsample = {
    .kind = {.name = "upsample",
             .help = "makes an image larger by a whole factor: every position becomes a square of equal ones (nearest)",
             .keys = upsample_keys,
             .formula = "y_ijc = x_(i / factor)(j / factor)c, rounded down",
             .source = "as torch.nn.Upsample, mode nearest"},
    .min_inputs = 1,
    .max_inputs = 1,
    .reads_image = true,
    .build = upsample_build,
};
#else
static void upsample_forward(const sn_op_call *call) {
    const upsample_attributes *a = call->node->attributes;
    sn_image in = a->images.in, out = a->images.out;
    for (size_t b = 0; b < call->blocks; b++) {
        size_t panel = b / sn_image_positions(out), oy = b / out.width % out.height, ox = b % out.width;
        size_t from = (panel * in.height + oy / a->factor) * in.width + ox / a->factor;
        sn_set_features(sn_lanes_of(call->y, b, 0), NULL, sn_lanes_of(call->x[0], from, 0), 1, in.channels,
                        call->lanes);
    }
}

/* The gradients of the square, row by row, one after the other. */
static void backward_block(const sn_op_call *call, size_t block) {
    const upsample_attributes *a = call->node->attributes;
    size_t width = a->images.out.width, row = block / a->images.in.width, col = block % a->images.in.width;
    real *dx = sn_lanes_of(call->dx[0], block, 0);
    const real *base = sn_base_of(call, block, 0);
    for (size_t k = 0; k < a->factor * a->factor; k++, base = dx) {
        size_t at = (row * a->factor + k / a->factor) * width + col * a->factor + k % a->factor;
        sn_set_features(dx, base, sn_lanes_of(call->dy, at, 0), 1, a->images.in.channels, call->lanes);
    }
}

static void upsample_backward(const sn_op_call *call) {
    const upsample_attributes *a = call->node->attributes;
    size_t blocks = sn_panels(call->samples) * sn_image_positions(a->images.in);
    for (size_t b = 0; b < blocks && call->flow[0] != SN_FLOW_NONE; b++)
        backward_block(call, b);
}

static void upsample_push(const sn_push_call *call) {
    sn_push_linear(call, upsample_forward);
}

const sn_op_kernels SN_V(sn_kernels_upsample) = {
    .forward = upsample_forward,
    .backward = upsample_backward,
    .push = upsample_push,
};
#endif
