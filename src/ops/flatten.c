/* An image as a vector, in PyTorch's order: channel by channel, a channel row by row, so that the weights of a linear
 * layer behind it are PyTorch's. */
#include "ops/image.h"

#if SN_DESCRIBES
static sn_status flatten_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    sn_image *image = sn_pool_alloc(pool, sizeof *image);
    if (!image) return sn_error_memory(error, sizeof *image, "a flatten");
    *image = sn_image_of(&input->shape);
    node->attributes = image;
    sn_shape shape = sn_shape_vector((int64_t)sn_shape_size(&input->shape));
    sn_node_set_shape(node, &shape);
    return SN_OK;
}

const sn_op sn_op_flatten = {
    .kind = {.name = "flatten",
             .help = "an image as a vector in the order (channel, height, width), as a linear layer of PyTorch's has "
                     "its weights",
             .formula = "y_k = x_ijc, k = (c height + i) width + j",
             .source = "as torch.nn.Flatten of (channels, height, width)"},
    .min_inputs = 1,
    .max_inputs = 1,
    .reads_image = true,
    .build = flatten_build,
};
#else
/* The feature of the vector that channel c of position p is. */
static inline size_t feature_of(size_t positions, size_t p, size_t c) {
    return c * positions + p;
}

SN_ALWAYS_INLINE void forward_block(const sn_op_call *call, size_t block, size_t lanes) {
    const sn_image *image = call->node->attributes;
    size_t positions = sn_image_positions(*image), panel = block / positions, p = block % positions;
    for (size_t c = 0; c < image->channels; c++)
        sn_set_features(sn_lanes_of(call->y, panel, feature_of(positions, p, c)), NULL,
                        sn_lanes_of(call->x[0], block, c), 1, 1, lanes);
}

static void flatten_forward(const sn_op_call *call) {
    size_t blocks = call->blocks * sn_image_positions(*(const sn_image *)call->node->attributes);
    for (size_t b = 0; b < blocks; b++) {
        if (call->lanes == SN_PANEL) {
            forward_block(call, b, SN_PANEL);
        } else {
            forward_block(call, b, call->lanes);
        }
    }
}

SN_ALWAYS_INLINE void backward_block(const sn_op_call *call, size_t block, size_t lanes) {
    const sn_image *image = call->node->attributes;
    size_t positions = sn_image_positions(*image), panel = block / positions, p = block % positions;
    for (size_t c = 0; c < image->channels; c++)
        sn_set_features(sn_lanes_of(call->dx[0], block, c), sn_base_of(call, block, c),
                        sn_lanes_of(call->dy, panel, feature_of(positions, p, c)), 1, 1, lanes);
}

static void flatten_backward(const sn_op_call *call) {
    size_t blocks = call->blocks * sn_image_positions(*(const sn_image *)call->node->attributes);
    for (size_t b = 0; b < blocks && call->flow[0] != SN_FLOW_NONE; b++) {
        if (call->lanes == SN_PANEL) {
            backward_block(call, b, SN_PANEL);
        } else {
            backward_block(call, b, call->lanes);
        }
    }
}

static void flatten_push(const sn_push_call *call) {
    sn_push_linear(call, flatten_forward);
}

const sn_op_kernels SN_V(sn_kernels_flatten) = {
    .forward = flatten_forward,
    .backward = flatten_backward,
    .push = flatten_push,
};
#endif
