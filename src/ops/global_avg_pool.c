/* y = the mean of each channel over all positions: a vector. */
#include "ops/image.h"

#if SN_DESCRIBES
static sn_status global_avg_pool_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    sn_image *image = sn_pool_alloc(pool, sizeof *image);
    if (!image) return sn_error_memory(error, sizeof *image, "a global_avg_pool");
    *image = sn_image_of(&input->shape);
    node->attributes = image;
    sn_shape shape = sn_shape_vector((int64_t)image->channels);
    sn_node_set_shape(node, &shape);
    return SN_OK;
}

const sn_op sn_op_global_avg_pool = {
    .kind = {.name = "global_avg_pool",
             .help = "the mean of each channel over all positions of an image: a vector",
             .formula = "y_c = mean over i, j of x_ijc",
             .source = "Lin, Chen & Yan 2013, arXiv 1312.4400; as torch.nn.AdaptiveAvgPool2d(1) and a flatten"},
    .min_inputs = 1,
    .max_inputs = 1,
    .reads_image = true,
    .build = global_avg_pool_build,
};
#else
enum { CHUNK = 16 }; /* channels whose sums are held at a time */

static size_t positions_of(const sn_op_call *call) {
    return sn_image_positions(*(const sn_image *)call->node->attributes);
}

/* The means of `n` channels of a panel, whose first position is `block`: sums in double, in the order of the positions.
 */
SN_ALWAYS_INLINE void mean_chunk(const sn_op_call *call, size_t block, size_t n, real *y, const real *x, size_t lanes) {
    size_t positions = positions_of(call);
    double sums[CHUNK * SN_PANEL] = {0}, count = (double)positions;
    for (size_t p = 0; p < positions; p++) {
        const real *from = x + (block + p) * call->x[0].ld;
        for (size_t c = 0; c < n * SN_PANEL; c += SN_PANEL) {
            SN_SIMD for (size_t l = c; l < c + lanes; l++) sums[l] += (double)from[l];
        }
    }
    for (size_t c = 0; c < n * SN_PANEL; c += SN_PANEL) {
        SN_SIMD for (size_t l = c; l < c + lanes; l++) y[l] = (real)(sums[l] / count);
    }
}

/* `n` features of a panel from feature c on. */
static void mean_features(const sn_op_call *call, size_t panel, size_t c, size_t n) {
    const real *x = sn_lanes_of(call->x[0], 0, c);
    real *y = sn_lanes_of(call->y, panel, c);
    if (call->lanes == SN_PANEL) {
        mean_chunk(call, panel * positions_of(call), n, y, x, SN_PANEL);
    } else {
        mean_chunk(call, panel * positions_of(call), n, y, x, call->lanes);
    }
}

static void global_avg_pool_forward(const sn_op_call *call) {
    size_t width = call->node->width;
    for (size_t panel = 0; panel < call->blocks; panel++) {
        for (size_t c = 0; c < width; c += CHUNK)
            mean_features(call, panel, c, width - c < CHUNK ? width - c : CHUNK);
    }
}

static void global_avg_pool_backward(const sn_op_call *call) {
    size_t positions = positions_of(call);
    real share = (real)(1 / (double)positions);
    if (call->flow[0] == SN_FLOW_NONE) return;
    for (size_t b = 0; b < call->blocks * positions; b++)
        sn_set_features(sn_lanes_of(call->dx[0], b, 0), sn_base_of(call, b, 0), sn_lanes_of(call->dy, b / positions, 0),
                        share, call->node->width, call->lanes);
}

static void global_avg_pool_push(const sn_push_call *call) {
    sn_push_linear(call, global_avg_pool_forward);
}

const sn_op_kernels SN_V(sn_kernels_global_avg_pool) = {
    .forward = global_avg_pool_forward,
    .backward = global_avg_pool_backward,
    .push = global_avg_pool_push,
};
#endif
