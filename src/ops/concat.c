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

/* To the columns of y from `column` on. */
static void copy_input(const sn_op_call *call, size_t k, size_t column) {
    for (size_t r = 0; r < call->rows; r++)
        memcpy(sn_row(call->y, r) + column, sn_row(call->x[k], r), call->widths[k] * sizeof(real));
}

static void concat_forward(const sn_op_call *call) {
    size_t column = 0;
    for (size_t k = 0; k < (size_t)call->node->n_inputs; k++) {
        bool is_in_place = (real *)call->y.data + column == call->x[k].data;
        if (!is_in_place) copy_input(call, k, column);
        column += call->widths[k];
    }
}

static void write_gradient(const sn_op_call *call, size_t k, size_t column) {
    for (size_t r = 0; r < call->rows; r++)
        memcpy(sn_row(call->dx[k], r), sn_row(call->dy, r) + column, call->widths[k] * sizeof(real));
}

static void add_gradient(const sn_op_call *call, size_t k, size_t column) {
    size_t width = call->widths[k];
    for (size_t r = 0; r < call->rows; r++) {
        const real *base = sn_row(call->base[k], r), *dy = sn_row(call->dy, r) + column;
        real *dx = sn_row(call->dx[k], r);
        SN_SIMD for (size_t c = 0; c < width; c++) dx[c] = base[c] + dy[c];
    }
}

static void concat_backward(const sn_op_call *call) {
    size_t column = 0;
    for (size_t k = 0; k < (size_t)call->node->n_inputs; k++) {
        if (call->flow[k] == SN_FLOW_WRITE) write_gradient(call, k, column);
        if (call->flow[k] == SN_FLOW_ADD) add_gradient(call, k, column);
        column += call->widths[k];
    }
}

static void concat_push(const sn_push_call *call) {
    for (size_t r = 0; r < call->at->rows; r++) {
        real *ty = sn_row(call->ty, r);
        for (size_t k = 0; k < (size_t)call->at->node->n_inputs; ty += call->at->widths[k++])
            memcpy(ty, sn_row(call->tx[k], r), call->at->widths[k] * sizeof(real));
    }
}

const sn_op_kernels SN_V(sn_kernels_concat) = {
    .forward = concat_forward,
    .backward = concat_backward,
    .push = concat_push,
};
#endif
