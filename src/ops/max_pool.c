/* y = the maximum of each channel over a window; of equal values the first, row by row, as PyTorch has it.
 *
 * Which place had it is found again in the backward pass: the window is in the cache by then, and a place to keep the
 * answer would be as large as y. */
#include "ops/pooling.h"

#if SN_DESCRIBES
static sn_status max_pool_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    sn_pooling *window = sn_pool_alloc(pool, sizeof *window);
    if (!window) return sn_error_memory(error, sizeof *window, "a max_pool");
    node->attributes = window;
    return sn_pooling_build(window, node, &nodes[node->inputs[0]], error);
}

static const sn_key max_pool_keys[] = {SN_POOL_KEYS, {0}};

const sn_op sn_op_max_pool = {
    .kind = {.name = "max_pool",
             .help = "the maximum of each channel over a square window; places outside of the image do not count, and "
                     "of equal values the first has the gradient",
             .keys = max_pool_keys,
             .formula = "y_ijc = max over the window of x_.c, out = floor((in + 2 padding - kernel) / stride) + 1",
             .source = "as torch.nn.MaxPool2d"},
    .min_inputs = 1,
    .max_inputs = 1,
    .reads_image = true,
    .backward_reads = SN_READS_X,
    .build = max_pool_build,
};
#else
/* What a window of a panel sees: the block of its first place, rows and columns from there on. */
typedef struct seen {
    size_t block, rows, cols, width;
} seen;

/* Of the window that block `block` of the output is. */
static seen seen_at(const sn_pooling *w, size_t block) {
    sn_image in = w->images.in, out = w->images.out;
    size_t oy = block / out.width % out.height, ox = block % out.width, panel = block / sn_image_positions(out);
    sn_span rows = sn_pooling_sees(w, oy, in.height), cols = sn_pooling_sees(w, ox, in.width);
    return (seen){(panel * in.height + rows.begin) * in.width + cols.begin, rows.end - rows.begin,
                  cols.end - cols.begin, in.width};
}

/* Element by element: whether x comes in the place of the greatest before it; a NaN stays. */
static inline bool is_greater(real x, real most) {
    return x > most || x != x;
}

/* The greatest of feature c in a window, lane by lane. */
SN_ALWAYS_INLINE void set_most(real most[SN_PANEL], const sn_op_call *call, seen s, size_t c, size_t lanes) {
    const real *first = sn_lanes_of(call->x[0], s.block, c);
    SN_SIMD for (size_t l = 0; l < lanes; l++) most[l] = first[l];
    for (size_t i = 0; i < s.rows; i++) {
        for (size_t j = 0; j < s.cols; j++) {
            const real *x = sn_lanes_of(call->x[0], s.block + i * s.width + j, c);
            SN_SIMD for (size_t l = 0; l < lanes; l++) most[l] = is_greater(x[l], most[l]) ? x[l] : most[l];
        }
    }
}

SN_ALWAYS_INLINE void forward_window(const sn_op_call *call, size_t block, seen s, size_t lanes) {
    for (size_t c = 0; c < call->node->width; c++) {
        real most[SN_PANEL], *y = sn_lanes_of(call->y, block, c);
        set_most(most, call, s, c, lanes);
        SN_SIMD for (size_t l = 0; l < lanes; l++) y[l] = most[l];
    }
}

static void max_pool_forward(const sn_op_call *call) {
    const sn_pooling *w = call->node->attributes;
    for (size_t b = 0; b < call->blocks; b++) {
        seen s = seen_at(w, b);
        if (call->lanes == SN_PANEL) {
            forward_window(call, b, s, SN_PANEL);
        } else {
            forward_window(call, b, s, call->lanes);
        }
    }
}

/* Adds what is left of a gradient to a place that has the greatest value; nothing is left then. */
SN_ALWAYS_INLINE void give(real *dx, const real *x, const real most[SN_PANEL], real rest[SN_PANEL], size_t lanes) {
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        bool has_it = x[l] == most[l];
        dx[l] += has_it ? rest[l] : 0;
        rest[l] = has_it ? 0 : rest[l];
    }
}

/* Adds the gradient of feature c of a window to the place that had its value. */
SN_ALWAYS_INLINE void add_gradient(const sn_op_call *call, size_t block, seen s, size_t c, size_t lanes) {
    const real *dy = sn_lanes_of(call->dy, block, c);
    real most[SN_PANEL], rest[SN_PANEL];
    set_most(most, call, s, c, lanes);
    SN_SIMD for (size_t l = 0; l < lanes; l++) rest[l] = dy[l];
    for (size_t i = 0; i < s.rows; i++) {
        for (size_t j = 0; j < s.cols; j++) {
            const real *x = sn_lanes_of(call->x[0], s.block + i * s.width + j, c);
            give(sn_lanes_of(call->dx[0], s.block + i * s.width + j, c), x, most, rest, lanes);
        }
    }
}

static void backward_window(const sn_op_call *call, size_t block, seen s) {
    for (size_t c = 0; c < call->node->width; c++) {
        if (call->lanes == SN_PANEL) {
            add_gradient(call, block, s, c, SN_PANEL);
        } else {
            add_gradient(call, block, s, c, call->lanes);
        }
    }
}

/* What gradients of windows are added to, in blocks of the input from `begin` up to, not with, `end`. */
static void start_blocks(const sn_op_call *call, size_t begin, size_t end) {
    for (size_t b = begin; b < end; b++)
        sn_set_features(sn_lanes_of(call->dx[0], b, 0), sn_base_of(call, b, 0), NULL, 0, call->node->width,
                        call->lanes);
}

/* Rows of the input are started when the first window sees them, so that they are still in the cache. */
static void backward_panel(const sn_op_call *call, const sn_pooling *w, size_t panel) {
    sn_image in = w->images.in, out = w->images.out;
    size_t first = panel * sn_image_positions(in), started = 0;
    for (size_t oy = 0; oy < out.height; oy++) {
        sn_span rows = sn_pooling_sees(w, oy, in.height);
        start_blocks(call, first + started * in.width, first + rows.end * in.width);
        if (rows.end > started) started = rows.end;
        for (size_t b = (panel * out.height + oy) * out.width, end = b + out.width; b < end; b++)
            backward_window(call, b, seen_at(w, b));
    }
    start_blocks(call, first + started * in.width, first + in.height * in.width);
}

static void max_pool_backward(const sn_op_call *call) {
    for (size_t p = 0; p < sn_panels(call->samples) && call->flow[0] != SN_FLOW_NONE; p++)
        backward_panel(call, call->node->attributes, p);
}

/* ty = tx at the place that had the value: the first, so that it comes last here. */
static void push_window(const sn_push_call *call, size_t block, seen s, size_t c) {
    real most[SN_PANEL], *ty = sn_lanes_of(call->ty, block, c);
    set_most(most, call->at, s, c, call->at->lanes);
    for (size_t l = 0; l < call->at->lanes; l++)
        ty[l] = 0;
    for (size_t k = s.rows * s.cols; k-- > 0;) {
        size_t place = s.block + k / s.cols * s.width + k % s.cols;
        const real *x = sn_lanes_of(call->at->x[0], place, c), *tx = sn_lanes_of(call->tx[0], place, c);
        for (size_t l = 0; l < call->at->lanes; l++)
            ty[l] = x[l] == most[l] ? tx[l] : ty[l];
    }
}

static void max_pool_push(const sn_push_call *call) {
    const sn_pooling *w = call->at->node->attributes;
    for (size_t b = 0; b < call->at->blocks; b++) {
        seen s = seen_at(w, b);
        for (size_t c = 0; c < call->at->node->width; c++)
            push_window(call, b, s, c);
    }
}

const sn_op_kernels SN_V(sn_kernels_max_pool) = {
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .push = max_pool_push,
};
#endif
