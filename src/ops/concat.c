/* y = [x_0, x_1, ...] along the last axis (features, channels): the dense connection.
 *
 * The planner puts inputs into their columns of y where it can; then there is nothing to copy, neither values nor
 * gradients.  An image is rows of channels, so its copy walks pixels. */
#include <string.h>

#include "ops/variant.h"

static int64_t channels(const sn_shape *shape) {
    return shape->dim[shape->rank - 1];
}

static bool same_but_channels(const sn_shape *a, const sn_shape *b) {
    if (a->rank != b->rank) return false;
    for (int i = 0; i + 1 < a->rank; i++) {
        if (a->dim[i] != b->dim[i]) return false;
    }
    return true;
}

static sn_status concat_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    (void)pool;
    const sn_node *first = &nodes[node->inputs[0]];
    sn_shape shape = first->shape;
    char a[SN_SHAPE_TEXT], b[SN_SHAPE_TEXT];
    for (int k = 1; k < node->n_inputs; k++) {
        const sn_node *other = &nodes[node->inputs[k]];
        if (!same_but_channels(&shape, &other->shape)) {
            sn_node_fault(node, error,
                          "cannot join \"%s\" (%s) and \"%s\" (%s): all dimensions but the last need to be equal",
                          first->label, sn_shape_text(&first->shape, a), other->label, sn_shape_text(&other->shape, b));
            continue;
        }
        shape.dim[shape.rank - 1] += channels(&other->shape);
    }
    sn_node_set_shape(node, &shape);
    return error->status;
}

static double concat_flops(const sn_node *node) {
    (void)node;
    return 0;
}

static void concat_forward(const sn_op_call *call) {
    size_t n_inputs = (size_t)call->node->n_inputs, column = 0;
    size_t total = (size_t)channels(&call->node->shape), pixels = call->node->width / total;
    for (size_t k = 0; k < n_inputs; k++) {
        size_t width = call->widths[k] / pixels;
        real *target = (real *)call->y.data + column;
        for (size_t r = 0; r < call->rows && target != call->x[k].data; r++) {
            for (size_t p = 0; p < pixels; p++) {
                memcpy(sn_row(call->y, r) + p * total + column, sn_row(call->x[k], r) + p * width,
                       width * sizeof(real));
            }
        }
        column += width;
    }
}

static void concat_backward_row(const real *dy, const real *base, real *dx, size_t n) {
    if (base) {
        SN_SIMD for (size_t c = 0; c < n; c++) dx[c] = base[c] + dy[c];
    } else {
        memcpy(dx, dy, n * sizeof(real));
    }
}

static void concat_backward(const sn_op_call *call) {
    size_t n_inputs = (size_t)call->node->n_inputs, column = 0;
    size_t total = (size_t)channels(&call->node->shape), pixels = call->node->width / total;
    for (size_t k = 0; k < n_inputs; k++) {
        size_t width = call->widths[k] / pixels;
        for (size_t r = 0; r < call->rows && call->flow[k] != SN_FLOW_NONE; r++) {
            for (size_t p = 0; p < pixels; p++) {
                const real *base = call->flow[k] == SN_FLOW_ADD ? sn_row(call->base[k], r) + p * width : NULL;
                concat_backward_row(sn_row(call->dy, r) + p * total + column, base, sn_row(call->dx[k], r) + p * width,
                                    width);
            }
        }
        column += width;
    }
}

const sn_op SN_V(sn_op_concat) = {
    .kind = {.name = "concat",
             .help = "its inputs side by side: the dense connection",
             .formula = "y = [x_0, x_1, ...]",
             .source = "Huang et al. 2016, arXiv 1608.06993"},
    .min_inputs = 2,
    .max_inputs = 1 << 20,
    .join = SN_JOIN_CONCAT,
    .build = concat_build,
    .flops = concat_flops,
    .forward = concat_forward,
    .backward = concat_backward,
};
