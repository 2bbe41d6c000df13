/* y = x W^T + b, W (out, in) as PyTorch has it; of an image at every position.
 *
 * Signals have their samples innermost, so of a block W enters as it is: y = W x + b, dx = W^T dy.  Only dW = dy x^T
 * has the samples inside: it reads x with its features innermost, a stripe of them at a time. */
#include "ops/weights.h"

#if SN_DESCRIBES
static sn_status linear_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    (void)pool;
    const sn_node *input = &nodes[node->inputs[0]];
    int64_t units = sn_value_integer(node->config, "units");
    const sn_value *init = sn_value_get(node->config, "init");
    sn_param *weight = sn_node_add_param(node, "weight", (size_t)units, input->width, init);
    weight->kind = SN_PARAM_WEIGHT;
    weight->decays = true;
    weight->in_parts = input->positions > 1;
    sn_weights_add_bias(node, (size_t)units);
    sn_shape shape = sn_shape_with_features(&input->shape, units);
    sn_node_set_shape(node, &shape);
    return sn_weights_check(node, error);
}

static double linear_flops(const sn_node *node) {
    return 2.0 * (double)node->params[0].count * (double)node->positions;
}

static const sn_key linear_keys[] = {
    {.name = "units", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1e6, .help = "outputs"},
    SN_WEIGHTS_BIAS,
    SN_WEIGHTS_INITS,
    {0},
};

const sn_op sn_op_linear = {
    .kind = {.name = "linear", .help = "dense weight layer", .keys = linear_keys, .formula = "y = x W^T + b"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 2,
    .role = SN_ROLE_HIDDEN,
    .checks_output = true,
    .build = linear_build,
    .flops = linear_flops,
};
#else
#include "kernels/gemm.h"

/* What products with W have in common: x to y, of blocks of signals. */
static sn_product product_of(const sn_op_call *call, sn_view x, sn_view y) {
    return (sn_product){.bands = call->blocks,
                        .cols = call->lanes,
                        .last_cols = call->lanes,
                        .a = call->params[0],
                        .b = x.data,
                        .b_ld = SN_PANEL,
                        .b_band = x.ld,
                        .c = y.data,
                        .c_ld = SN_PANEL,
                        .c_band = y.ld,
                        .ahead = call->ahead,
                        .n_ahead = call->ahead && call->ahead->data,
                        .by_openblas = call->by_openblas};
}

/* (out, lanes) = W (out, in) x (in, lanes), without b */
static sn_product forward_product(const sn_op_call *call, sn_view x, sn_view y) {
    const sn_param *weight = &call->node->params[0];
    sn_product product = product_of(call, x, y);
    product.m = weight->rows;
    product.k = product.a_row = weight->cols;
    product.a_step = 1;
    return product;
}

static bool is_single(const sn_op_call *call) {
    return call->samples == 1 && call->blocks == 1;
}

/* y = W x + b */
static void linear_forward(const sn_op_call *call) {
    sn_product product = forward_product(call, call->x[0], call->y);
    if (call->node->n_params > 1) product.bias = call->params[1];
    *call->is_finite = is_single(call) ? SN_V(sn_gemm_single)(&product, true) : SN_V(sn_gemm)(&product);
}

/* dx (in, lanes) = W^T (in, out) dy (out, lanes) */
static void linear_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    const sn_param *weight = &call->node->params[0];
    sn_product product = product_of(call, call->dy, call->dx[0]);
    product.m = product.a_step = weight->cols;
    product.k = weight->rows;
    product.a_row = 1;
    if (call->flow[0] == SN_FLOW_ADD) {
        product.start = call->base[0].data;
        product.start_ld = SN_PANEL;
        product.start_band = call->base[0].ld;
    }
    if (is_single(call)) {
        SN_V(sn_gemm_single)(&product, false);
    } else {
        SN_V(sn_gemm)(&product);
    }
}

/* ty = W tx */
static void linear_push(const sn_push_call *call) {
    sn_product product = forward_product(call->at, call->tx[0], call->ty);
    SN_V(sn_gemm)(&product);
}

/* Blocks whose part of a weight's gradient is computed at once.  All but the last one are whole, so that the samples
 * follow each other; of a short panel with several positions every block is by itself. */
typedef struct run {
    size_t block, blocks, samples; /* samples: of the last block */
} run;

static run run_from(const sn_gradient_call *call, size_t block) {
    enum { MOST = SN_STRIPE_ROWS / SN_PANEL };
    size_t positions = call->node->positions, whole = call->samples / SN_PANEL * positions;
    size_t rest = call->samples % SN_PANEL;
    if (block >= whole) return (run){block, 1, rest};
    size_t blocks = whole - block;
    if (blocks < MOST && rest > 0 && positions == 1) return (run){block, blocks + 1, rest};
    return (run){block, blocks < MOST ? blocks : MOST, SN_PANEL};
}

/* The tile's features of x in the blocks of the run, with a row per sample. */
static const real *take_stripe(const sn_gradient_call *call, run r) {
    sn_stripe *stripe = call->stripe;
    const real *from = sn_lanes_of(call->x, r.block, call->col);
    if (stripe->holds == from && stripe->cols >= call->cols) return stripe->data;
    for (size_t b = 0; b < r.blocks; b++) {
        sn_view to = {(real *)stripe->data + b * SN_PANEL * SN_STRIPE_COLS, SN_STRIPE_COLS};
        SN_V(sn_transpose)
        (to, (sn_view){(real *)sn_lanes_of(call->x, r.block + b, call->col), SN_PANEL}, call->cols, SN_PANEL);
    }
    stripe->holds = from;
    stripe->cols = call->cols;
    return stripe->data;
}

/* gradient (+)= dy (out, samples) x (samples, in) over a run of blocks */
static bool add_run(const sn_gradient_call *call, run r) {
    bool has_rows = call->by_sample.data != NULL;
    size_t last = call->cols % SN_PANEL;
    const real *rows = (const real *)call->by_sample.data + r.block * SN_PANEL * call->by_sample.ld + call->col;
    sn_product product = {.m = call->rows,
                          .k = (r.blocks - 1) * SN_PANEL + r.samples,
                          .bands = (call->cols + SN_PANEL - 1) / SN_PANEL,
                          .cols = SN_PANEL,
                          .last_cols = last ? last : SN_PANEL,
                          .a = sn_lanes_of(call->dy, r.block, call->row),
                          .a_row = SN_PANEL,
                          .a_step = 1,
                          .a_block = call->dy.ld,
                          .b = has_rows ? rows : take_stripe(call, r),
                          .b_ld = has_rows ? call->by_sample.ld : SN_STRIPE_COLS,
                          .b_band = SN_PANEL,
                          .c = call->gradient.data,
                          .c_ld = call->gradient.ld,
                          .c_band = SN_PANEL,
                          .start = r.block > 0 ? call->gradient.data : NULL,
                          .start_ld = call->gradient.ld,
                          .start_band = SN_PANEL,
                          .ahead = call->ahead,
                          .n_ahead = call->ahead ? SN_MAX_AHEAD : 0,
                          .by_openblas = call->by_openblas};
    return SN_V(sn_gemm)(&product);
}

/* dW (out, in), a tile of it */
static bool linear_param_gradient(const sn_gradient_call *call) {
    if (call->param == 1) return sn_bias_gradient(call);
    size_t blocks = sn_panels(call->samples) * call->node->positions;
    bool is_finite = true;
    for (run r = {0}; r.block < blocks; r.block += r.blocks) {
        r = run_from(call, r.block);
        is_finite = add_run(call, r); /* what is not finite stays so */
    }
    return is_finite;
}

const sn_op_kernels SN_V(sn_kernels_linear) = {
    .forward = linear_forward,
    .backward = linear_backward,
    .push = linear_push,
    .param_gradient = linear_param_gradient,
};
#endif
