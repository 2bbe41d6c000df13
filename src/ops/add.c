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

/* What to loop over in y and the first inputs: all of an add of two at once, of more inputs row by row. */
static sn_lane_rows forward_extent(const sn_op_call *call) {
    size_t width = call->width;
    bool is_contiguous = call->node->n_inputs == 2 && sn_is_contiguous(call->y, width) &&
                         sn_is_contiguous(call->x[0], width) && sn_is_contiguous(call->x[1], width);
    return sn_lane_rows_of(call->blocks, width, call->lanes, is_contiguous);
}

/* y += f x, for the inputs behind the first two; sn_overflow_bits of all sums. */
static sn_bits add_rest(const sn_op_call *call, size_t b, size_t r, size_t cols) {
    const double *factors = call->node->attributes;
    sn_bits found = 0;
    real *y = sn_lanes_of(call->y, b, r);
    for (int k = 2; k < call->node->n_inputs; k++) {
        real f = (real)factors[k];
        const real *x = sn_lanes_of(call->x[k], b, r);
        SN_SIMD_OR(found) for (size_t c = 0; c < cols; c++) {
            y[c] += f * x[c];
            found |= sn_overflow_bits(y[c]);
        }
    }
    return found;
}

SN_ALWAYS_INLINE sn_bits add_two(real *y, const real *x0, const real *x1, real f0, real f1, size_t n) {
    sn_bits found = 0;
    SN_SIMD_OR(found) for (size_t c = 0; c < n; c++) {
        y[c] = f0 * x0[c] + f1 * x1[c];
        found |= sn_overflow_bits(y[c]);
    }
    return found;
}

/* Of a row of lanes that are computed at once the compiler knows the length. */
static void add_forward(const sn_op_call *call) {
    const double *factors = call->node->attributes;
    real f0 = (real)factors[0], f1 = (real)factors[1];
    sn_lane_rows e = forward_extent(call);
    sn_bits found = 0;
    SN_FOR_ROWS(e) {
        const real *x0 = sn_lanes_of(call->x[0], b, r), *x1 = sn_lanes_of(call->x[1], b, r);
        real *y = sn_lanes_of(call->y, b, r);
        found |= e.cols == SN_LANE_STEP ? add_two(y, x0, x1, f0, f1, SN_LANE_STEP) : add_two(y, x0, x1, f0, f1, e.cols);
        if (call->node->n_inputs > 2) found |= add_rest(call, b, r, e.cols);
    }
    *call->is_finite = !(found & SN_SIGN); /* a part that is not finite makes the sum so */
}

static void add_backward_input(const sn_op_call *call, int k) {
    real f = (real)((const double *)call->node->attributes)[k];
    bool adds = call->flow[k] == SN_FLOW_ADD;
    bool is_contiguous = sn_is_contiguous(call->dy, call->width) && sn_is_contiguous(call->dx[k], call->width) &&
                         (!adds || sn_is_contiguous(call->base[k], call->width));
    sn_lane_rows e = sn_lane_rows_of(call->blocks, call->width, call->lanes, is_contiguous);
    SN_FOR_ROWS(e) {
        const real *dy = sn_lanes_of(call->dy, b, r), *base = adds ? sn_lanes_of(call->base[k], b, r) : NULL;
        real *dx = sn_lanes_of(call->dx[k], b, r);
        SN_SIMD for (size_t c = 0; c < e.cols; c++) dx[c] = base ? base[c] + f * dy[c] : f * dy[c];
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
    sn_lane_rows e = sn_lane_rows_of(call->at->blocks, call->at->width, call->at->lanes, false);
    SN_FOR_ROWS(e) {
        real *ty = sn_lanes_of(call->ty, b, r);
        for (int k = 0; k < node->n_inputs; k++) {
            const real *tx = sn_lanes_of(call->tx[k], b, r);
            for (size_t c = 0; c < e.cols; c++)
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
