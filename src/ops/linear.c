/* y = x W^T + b, W (out, in) as PyTorch has it; of an image at every position.
 *
 * The forward product reads a copy, W^T (in, out): products whose right factor lies row by row are a good third faster.
 */
#include "ops/row.h"

#if SN_DESCRIBES
#include <string.h>

#include "network/init.h"

static sn_status linear_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    (void)pool;
    const sn_node *input = &nodes[node->inputs[0]];
    int64_t units = sn_value_integer(node->config, "units");
    const sn_value *init = sn_value_get(node->config, "init"), *bias_init = sn_value_get(node->config, "bias_init");
    sn_param *weight = sn_node_add_param(node, "weight", (size_t)units, input->width, init);
    weight->kind = SN_PARAM_WEIGHT;
    weight->decays = true;
    weight->copy_size = weight->count;
    weight->in_parts = input->positions > 1;
    if (sn_value_bool(node->config, "bias")) {
        bool own = strcmp(sn_value_text(init, "kind"), "pytorch") == 0;
        sn_param *bias = sn_node_add_param(node, "bias", 0, (size_t)units, bias_init ? bias_init : own ? init : NULL);
        bias->kind = SN_PARAM_BIAS;
        bias->in_parts = weight->in_parts;
        bias->fan_in = weight->fan_in;
        bias->fan_out = weight->fan_out;
    }
    sn_shape shape = sn_shape_with_features(&input->shape, units);
    sn_node_set_shape(node, &shape);
    sn_status status = sn_init_check(node->origin, init, error), own = sn_init_check(node->origin, bias_init, error);
    return status ? status : own;
}

static double linear_flops(const sn_node *node) {
    return 2.0 * (double)node->params[0].count * (double)node->positions;
}

static const sn_ruler without_bias[] = {{.key = "bias", .value = "false"}, {.key = "network.weights"}, {0}};

static const sn_key linear_keys[] = {
    {.name = "units", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1e6, .help = "outputs"},
    {.name = "bias", .types = SN_BOOL, .fallback = "true", .help = "whether b is there"},
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
#include "kernels/kernels.h"

enum { BIAS_CHUNK = 32 }; /* outputs whose bias gradients are summed at a time */

/* y (rows, out) = x (rows, in) W^T (in, out) + b */
static void linear_forward(const sn_op_call *call) {
    const sn_node *node = call->node;
    sn_product product = {.m = call->rows,
                          .n = node->width,
                          .k = node->params[0].cols,
                          .a = call->x[0].data,
                          .a_row = call->x[0].ld,
                          .a_step = 1,
                          .b = call->copies[0],
                          .b_ld = node->width,
                          .c = call->y.data,
                          .c_ld = call->y.ld,
                          .start = node->n_params > 1 ? call->params[1] : NULL,
                          .ahead = call->ahead,
                          .n_ahead = call->ahead && call->ahead->data};
    *call->is_finite = SN_V(sn_gemm)(&product);
}

/* dx (rows, in) = dy (rows, out) W (out, in) */
static void linear_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    const sn_node *node = call->node;
    bool adds = call->flow[0] == SN_FLOW_ADD;
    sn_product product = {.m = call->rows,
                          .n = node->params[0].cols,
                          .k = node->width,
                          .a = call->dy.data,
                          .a_row = call->dy.ld,
                          .a_step = 1,
                          .b = call->params[0],
                          .b_ld = node->params[0].cols,
                          .c = call->dx[0].data,
                          .c_ld = call->dx[0].ld,
                          .start = adds ? call->base[0].data : NULL,
                          .start_ld = adds ? call->base[0].ld : 0,
                          .ahead = call->ahead,
                          .n_ahead = call->ahead && call->ahead->data};
    SN_V(sn_gemm)(&product);
}

/* ty (rows, out) = tx (rows, in) W^T (in, out) */
static void linear_push(const sn_push_call *call) {
    const sn_node *node = call->at->node;
    sn_product product = {.m = call->at->rows,
                          .n = node->width,
                          .k = node->params[0].cols,
                          .a = call->tx[0].data,
                          .a_row = call->tx[0].ld,
                          .a_step = 1,
                          .b = call->at->copies[0],
                          .b_ld = node->width,
                          .c = call->ty.data,
                          .c_ld = call->ty.ld};
    SN_V(sn_gemm)(&product);
}

/* Column sums in double, in the order of the rows; `n` is a constant where this is inlined, so that the sums stay in
 * registers. */
static inline __attribute__((always_inline)) void sum_columns(real *sums, sn_view dy, size_t column, size_t rows,
                                                              size_t n) {
    double sum[BIAS_CHUNK] = {0};
    for (size_t r = 0; r < rows; r++) {
        const real *row = sn_row(dy, r) + column;
        SN_SIMD for (size_t c = 0; c < n; c++) sum[c] += (double)row[c];
    }
    for (size_t c = 0; c < n; c++)
        sums[c] = (real)sum[c];
}

/* db = column sums of dy */
static bool bias_gradient(const sn_gradient_call *call) {
    real *gradient = call->gradient.data;
    size_t begin = 0, rows = call->samples * call->node->positions;
    for (; begin + BIAS_CHUNK <= call->cols; begin += BIAS_CHUNK)
        sum_columns(gradient + begin, call->dy, call->col + begin, rows, BIAS_CHUNK);
    if (begin < call->cols) {
        sum_columns(gradient + begin, call->dy, call->col + begin, rows, call->cols - begin);
    }
    return SN_V(sn_all_finite)(call->gradient, 1, call->cols);
}

/* dW (out, in) = dy^T (out, rows) x (rows, in), a tile of it */
static bool linear_param_gradient(const sn_gradient_call *call) {
    if (call->param == 1) return bias_gradient(call);
    sn_product product = {.m = call->rows,
                          .n = call->cols,
                          .k = call->samples * call->node->positions,
                          .a = (const real *)call->dy.data + call->row,
                          .a_row = 1,
                          .a_step = call->dy.ld,
                          .b = (const real *)call->x.data + call->col,
                          .b_ld = call->x.ld,
                          .c = call->gradient.data,
                          .c_ld = call->gradient.ld,
                          .ahead = call->ahead,
                          .n_ahead = call->ahead ? SN_MAX_AHEAD : 0};
    return SN_V(sn_gemm)(&product);
}

/* W^T */
static void linear_derive(const sn_derive_call *call) {
    size_t out = call->node->params[call->param].rows;
    sn_view to = {(real *)call->copy + call->col * out + call->row, out};
    SN_V(sn_transpose)(to, call->tensor, call->rows, call->cols);
}

const sn_op_kernels SN_V(sn_kernels_linear) = {
    .forward = linear_forward,
    .backward = linear_backward,
    .push = linear_push,
    .param_gradient = linear_param_gradient,
    .derive = linear_derive,
};
#endif
