/* y = [x_0, x_1, ...] along the last axis (features, channels): the dense connection.
 *
 * The planner puts inputs into their columns of y where it can; then there is nothing to copy, neither values nor
 * gradients. */
#include "ops/row.h"

#if SN_DESCRIBES
#define MOST_FEATURES ((int64_t)1 << 31)

static sn_status concat_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    (void)pool;
    const sn_node *first = &nodes[node->inputs[0]];
    int64_t features = sn_shape_features(&first->shape);
    char a[SN_SHAPE_TEXT], b[SN_SHAPE_TEXT];
    for (int k = 1; k < node->n_inputs; k++) {
        const sn_node *other = &nodes[node->inputs[k]];
        if (!sn_shape_same_positions(&first->shape, &other->shape)) {
            sn_node_fault(node, error,
                          "cannot join \"%s\" (%s) and \"%s\" (%s): all dimensions but the last need to be equal",
                          first->label, sn_shape_text(&first->shape, a), other->label, sn_shape_text(&other->shape, b));
            continue;
        }
        int64_t more = sn_shape_features(&other->shape);
        if (more > MOST_FEATURES - features) {
            return sn_node_fault(node, error, "more than %lld features (join fewer or smaller inputs)",
                                 (long long)MOST_FEATURES);
        }
        features += more;
    }
    sn_shape shape = sn_shape_with_features(&first->shape, features);
    sn_node_set_shape(node, &shape);
    return error->status;
}

const sn_op sn_op_concat = {
    .kind = {.name = "concat",
             .help = "its inputs side by side: the dense connection",
             .formula = "y = [x_0, x_1, ...]",
             .source = "Huang et al. 2016, arXiv 1608.06993"},
    .min_inputs = 2,
    .max_inputs = 1 << 20,
    .join = SN_JOIN_CONCAT,
    .build = concat_build,
};
#else
#include <string.h>

/* to = from, `width` features of every block. */
static void copy(const sn_op_call *call, sn_view to, sn_view from, size_t width) {
    sn_lane_rows e = sn_lane_rows_of(call->blocks, width, call->lanes, false);
    SN_FOR_ROWS(e) {
        memcpy(sn_lanes_of(to, b, r), sn_lanes_of(from, b, r), e.cols * sizeof(real));
    }
}

/* The features of a signal from `column` on. */
static sn_view columns_from(sn_view view, size_t column) {
    return (sn_view){sn_lanes_of(view, 0, column), view.ld};
}

static void concat_forward(const sn_op_call *call) {
    size_t column = 0;
    for (size_t k = 0; k < (size_t)call->node->n_inputs; k++) {
        sn_view to = columns_from(call->y, column);
        if (to.data != call->x[k].data) copy(call, to, call->x[k], call->widths[k]); /* else it is in its place */
        column += call->widths[k];
    }
}

static void add_gradient(const sn_op_call *call, size_t k, sn_view from) {
    sn_lane_rows e = sn_lane_rows_of(call->blocks, call->widths[k], call->lanes, false);
    SN_FOR_ROWS(e) {
        const real *base = sn_lanes_of(call->base[k], b, r), *dy = sn_lanes_of(from, b, r);
        real *dx = sn_lanes_of(call->dx[k], b, r);
        SN_SIMD for (size_t c = 0; c < e.cols; c++) dx[c] = base[c] + dy[c];
    }
}

static void concat_backward(const sn_op_call *call) {
    size_t column = 0;
    for (size_t k = 0; k < (size_t)call->node->n_inputs; k++) {
        sn_view from = columns_from(call->dy, column);
        if (call->flow[k] == SN_FLOW_WRITE) copy(call, call->dx[k], from, call->widths[k]);
        if (call->flow[k] == SN_FLOW_ADD) add_gradient(call, k, from);
        column += call->widths[k];
    }
}

static void concat_push(const sn_push_call *call) {
    size_t column = 0;
    for (size_t k = 0; k < (size_t)call->at->node->n_inputs; k++) {
        copy(call->at, columns_from(call->ty, column), call->tx[k], call->at->widths[k]);
        column += call->at->widths[k];
    }
}

const sn_op_kernels SN_V(sn_kernels_concat) = {
    .forward = concat_forward,
    .backward = concat_backward,
    .push = concat_push,
};
#endif
