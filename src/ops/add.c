/* y = sum_k f_k x_k: the residual connection, n inputs with a factor each. */
#include "ops/row.h"

#if SN_DESCRIBES
static sn_status add_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *first = &nodes[node->inputs[0]];
    char a[SN_SHAPE_TEXT], b[SN_SHAPE_TEXT];
    for (int k = 1; k < node->n_inputs; k++) {
        const sn_node *other = &nodes[node->inputs[k]];
        if (sn_shape_equal(&first->shape, &other->shape)) continue;
        sn_node_fault(node, error, "cannot add \"%s\" (%s) and \"%s\" (%s): all inputs need the same shape",
                      first->label, sn_shape_text(&first->shape, a), other->label, sn_shape_text(&other->shape, b));
    }
    const sn_value *factors = sn_value_get(node->config, "factors");
    if (factors && (int)sn_value_count(factors) != node->n_inputs) {
        sn_node_fault(node, error, "%zu factors for %d inputs (give one per input)", sn_value_count(factors),
                      node->n_inputs);
    }
    double *values = sn_pool_alloc(pool, (size_t)node->n_inputs * sizeof *values);
    if (!values) return sn_error_memory(error, (size_t)node->n_inputs * sizeof *values, "factors");
    const sn_value *factor = sn_value_first(factors);
    for (int k = 0; k < node->n_inputs; k++) {
        values[k] = factor ? sn_value_number(factor, "") : 1;
        factor = factor ? sn_value_next(factor) : NULL;
    }
    node->attributes = values;
    sn_node_set_shape(node, &first->shape);
    return error->status;
}

static double add_pass_factor(const sn_node *node, int k) {
    return ((const double *)node->attributes)[k];
}

static const sn_key factor_key = {.types = SN_NUMBER, .help = "factor of one input"};
static const sn_key add_keys[] = {
    {.name = "factors",
     .types = SN_LIST,
     .flags = SN_NOT_EMPTY,
     .element = &factor_key,
     .help = "a factor per input; else all 1"},
    {0},
};

const sn_op sn_op_add = {
    .kind = {.name = "add",
             .help = "weighted sum of its inputs: the residual connection",
             .keys = add_keys,
             .formula = "y = sum_k f_k x_k",
             .source = "He et al. 2015, arXiv 1512.03385"},
    .min_inputs = 2,
    .max_inputs = 1 << 20,
    .join = SN_JOIN_ADD,
    .checks_output = true,
    .build = add_build,
    .pass_factor = add_pass_factor,
};
#else
#include "kernels/elementary.h"

/* y += f x, for the inputs behind the first two; sn_overflow_bits of all sums. */
static sn_bits add_rest(const sn_op_call *call, size_t r) {
    const double *factors = call->node->attributes;
    sn_bits found = 0;
    real *y = sn_row(call->y, r);
    for (int k = 2; k < call->node->n_inputs; k++) {
        real f = (real)factors[k];
        const real *x = sn_row(call->x[k], r);
        SN_SIMD_OR(found) for (size_t c = 0; c < call->node->width; c++) {
            y[c] += f * x[c];
            found |= sn_overflow_bits(y[c]);
        }
    }
    return found;
}

static void add_forward(const sn_op_call *call) {
    const double *factors = call->node->attributes;
    real f0 = (real)factors[0], f1 = (real)factors[1];
    size_t width = call->node->width, rows = call->rows;
    bool is_contiguous = call->y.ld == width && call->x[0].ld == width && call->x[1].ld == width;
    sn_bits found = 0;
    sn_flatten(&rows, &width, is_contiguous && call->node->n_inputs == 2);
    for (size_t r = 0; r < rows; r++) {
        const real *a = sn_row(call->x[0], r), *b = sn_row(call->x[1], r);
        real *y = sn_row(call->y, r);
        SN_SIMD_OR(found) for (size_t c = 0; c < width; c++) {
            y[c] = f0 * a[c] + f1 * b[c];
            found |= sn_overflow_bits(y[c]);
        }
        found |= add_rest(call, r);
    }
    *call->is_finite = !(found & SN_SIGN); /* a part that is not finite makes the sum so */
}

static void add_backward_input(const sn_op_call *call, int k) {
    real f = (real)((const double *)call->node->attributes)[k];
    size_t width = call->node->width;
    for (size_t r = 0; r < call->rows; r++) {
        const real *dy = sn_row(call->dy, r);
        real *dx = sn_row(call->dx[k], r);
        if (call->flow[k] == SN_FLOW_WRITE) {
            SN_SIMD for (size_t c = 0; c < width; c++) dx[c] = f * dy[c];
        } else {
            const real *base = sn_row(call->base[k], r);
            SN_SIMD for (size_t c = 0; c < width; c++) dx[c] = base[c] + f * dy[c];
        }
    }
}

static void add_backward(const sn_op_call *call) {
    for (int k = 0; k < call->node->n_inputs; k++) {
        if (call->flow[k] != SN_FLOW_NONE) add_backward_input(call, k);
    }
}

static void add_push(const sn_push_call *call) {
    const sn_node *node = call->at->node;
    const double *factors = node->attributes;
    for (size_t r = 0; r < call->at->rows; r++) {
        real *ty = sn_row(call->ty, r);
        for (int k = 0; k < node->n_inputs; k++) {
            const real *tx = sn_row(call->tx[k], r);
            for (size_t c = 0; c < node->width; c++)
                ty[c] = (k ? ty[c] : 0) + (real)factors[k] * tx[c];
        }
    }
}

const sn_op_kernels SN_V(sn_kernels_add) = {
    .forward = add_forward,
    .backward = add_backward,
    .push = add_push,
};
#endif
