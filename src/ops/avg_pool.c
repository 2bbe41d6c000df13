/* y = the mean of each channel over a window.
 *
 * The divisor is PyTorch's: all places of the window, or with count_include_pad false those inside the image. */
#include "ops/pooling.h"

typedef struct avg_pool_attributes {
    sn_pooling window;
    bool counts_padding;
} avg_pool_attributes;

#if SN_DESCRIBES
static sn_status avg_pool_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    avg_pool_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "an avg_pool");
    attributes->counts_padding = sn_value_bool(node->config, "count_include_pad");
    node->attributes = attributes;
    return sn_pooling_build(&attributes->window, node, &nodes[node->inputs[0]], error);
}

static const sn_key avg_pool_keys[] = {
    SN_POOL_KEYS,
    {.name = "count_include_pad",
     .types = SN_BOOL,
     .fallback = "true",
     .help = "whether the mean is over all places of a window, those outside of the image as zeros; else over those "
             "inside"},
    {0},
};

const sn_op sn_op_avg_pool = {
    .kind = {.name = "avg_pool",
             .help = "the mean of each channel over a square window",
             .keys = avg_pool_keys,
             .formula = "y_ijc = mean over the window of x_.c, out = floor((in + 2 padding - kernel) / stride) + 1",
             .source = "as torch.nn.AvgPool2d"},
    .min_inputs = 1,
    .max_inputs = 1,
    .reads_image = true,
    .build = avg_pool_build,
};
#else
/* One over the divisor of the window at (oy, ox). */
static real factor_of(const sn_op_call *call, size_t oy, size_t ox) {
    const avg_pool_attributes *a = call->node->attributes;
    sn_span y = sn_pooling_sees(&a->window, oy, a->window.images.in.height);
    sn_span x = sn_pooling_sees(&a->window, ox, a->window.images.in.width);
    size_t inside = (y.end - y.begin) * (x.end - x.begin), all = a->window.kernel * a->window.kernel;
    return (real)(1 / (double)(a->counts_padding ? all : inside));
}

/* The mean of the window at (oy, ox) of a panel: its places one after the other are added to y. */
static void forward_window(const sn_op_call *call, size_t panel, size_t oy, size_t ox) {
    const sn_pooling *w = &((const avg_pool_attributes *)call->node->attributes)->window;
    sn_image in = w->images.in, out = w->images.out;
    sn_span rows = sn_pooling_sees(w, oy, in.height), cols = sn_pooling_sees(w, ox, in.width);
    real *y = sn_lanes_of(call->y, (panel * out.height + oy) * out.width + ox, 0), factor = factor_of(call, oy, ox);
    const real *base = NULL;
    for (size_t iy = rows.begin; iy < rows.end; iy++) {
        for (size_t ix = cols.begin; ix < cols.end; ix++, base = y) {
            const real *x = sn_lanes_of(call->x[0], (panel * in.height + iy) * in.width + ix, 0);
            sn_set_features(y, base, x, factor, in.channels, call->lanes);
        }
    }
}

static void avg_pool_forward(const sn_op_call *call) {
    sn_image out = ((const avg_pool_attributes *)call->node->attributes)->window.images.out;
    for (size_t b = 0; b < call->blocks; b++)
        forward_window(call, b / (out.height * out.width), b / out.width % out.height, b % out.width);
}

/* The gradient at (iy, ix) of a panel: that of every window that sees it, in their order. */
static void backward_position(const sn_op_call *call, size_t panel, size_t iy, size_t ix) {
    const sn_pooling *w = &((const avg_pool_attributes *)call->node->attributes)->window;
    sn_image in = w->images.in, out = w->images.out;
    sn_span rows = sn_pooling_seeing(w, iy, out.height), cols = sn_pooling_seeing(w, ix, out.width);
    size_t block = (panel * in.height + iy) * in.width + ix;
    real *dx = sn_lanes_of(call->dx[0], block, 0);
    const real *base = sn_base_of(call, block, 0);
    if (rows.begin >= rows.end || cols.begin >= cols.end) sn_set_features(dx, base, NULL, 0, in.channels, call->lanes);
    for (size_t oy = rows.begin; oy < rows.end; oy++) {
        for (size_t ox = cols.begin; ox < cols.end; ox++, base = dx) {
            const real *dy = sn_lanes_of(call->dy, (panel * out.height + oy) * out.width + ox, 0);
            sn_set_features(dx, base, dy, factor_of(call, oy, ox), in.channels, call->lanes);
        }
    }
}

static void avg_pool_backward(const sn_op_call *call) {
    sn_image in = ((const avg_pool_attributes *)call->node->attributes)->window.images.in;
    size_t positions = sn_image_positions(in), blocks = sn_panels(call->samples) * positions;
    for (size_t b = 0; b < blocks && call->flow[0] != SN_FLOW_NONE; b++)
        backward_position(call, b / positions, b / in.width % in.height, b % in.width);
}

static void avg_pool_push(const sn_push_call *call) {
    sn_push_linear(call, avg_pool_forward);
}

const sn_op_kernels SN_V(sn_kernels_avg_pool) = {
    .forward = avg_pool_forward,
    .backward = avg_pool_backward,
    .push = avg_pool_push,
};
#endif
