/* y = [x_0, x_1, ...] along the last axis (features, channels): the dense connection.
 *
 * The planner puts inputs into their columns of y where it can; then there is nothing to copy, neither values nor
 * gradients.  An image is rows of channels, so its copy walks pixels. */
#include "ops/row.h"

static int64_t channels(const sn_shape *shape) {
    return shape->dim[shape->rank - 1];
}

#if SN_DESCRIBES
#define MOST_FEATURES ((int64_t)1 << 31)

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
        if (channels(&other->shape) > MOST_FEATURES - channels(&shape)) {
            return sn_node_fault(node, error, "more than %lld features (join fewer or smaller inputs)",
                                 (long long)MOST_FEATURES);
        }
        shape.dim[shape.rank - 1] += channels(&other->shape);
    }
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

/* Where one input stands in y: `pixels` pieces of `width` channels, from `column` on in every `total`. */
typedef struct piece {
    size_t pixels, total, column, width;
} piece;

static piece first_piece(const sn_op_call *call) {
    size_t total = (size_t)channels(&call->node->shape), pixels = call->node->width / total;
    return (piece){pixels, total, 0, call->widths[0] / pixels};
}

static void next_piece(const sn_op_call *call, size_t k, piece *p) {
    p->column += p->width;
    if (k + 1 < (size_t)call->node->n_inputs) p->width = call->widths[k + 1] / p->pixels;
}

static void copy_input(const sn_op_call *call, size_t k, const piece *p) {
    for (size_t r = 0; r < call->rows; r++) {
        real *y = sn_row(call->y, r) + p->column;
        const real *x = sn_row(call->x[k], r);
        for (size_t i = 0; i < p->pixels; i++)
            memcpy(y + i * p->total, x + i * p->width, p->width * sizeof(real));
    }
}

static void concat_forward(const sn_op_call *call) {
    piece p = first_piece(call);
    for (size_t k = 0; k < (size_t)call->node->n_inputs; k++) {
        bool is_in_place = (real *)call->y.data + p.column == call->x[k].data;
        if (!is_in_place) copy_input(call, k, &p);
        next_piece(call, k, &p);
    }
}

static void write_gradient(const sn_op_call *call, size_t k, const piece *p) {
    for (size_t r = 0; r < call->rows; r++) {
        const real *dy = sn_row(call->dy, r) + p->column;
        real *dx = sn_row(call->dx[k], r);
        for (size_t i = 0; i < p->pixels; i++)
            memcpy(dx + i * p->width, dy + i * p->total, p->width * sizeof(real));
    }
}

static void add_gradient(const sn_op_call *call, size_t k, const piece *p) {
    for (size_t r = 0; r < call->rows; r++) {
        const real *base = sn_row(call->base[k], r), *dy = sn_row(call->dy, r) + p->column;
        real *dx = sn_row(call->dx[k], r);
        for (size_t i = 0; i < p->pixels * p->width; i++)
            dx[i] = base[i] + dy[i / p->width * p->total + i % p->width];
    }
}

static void concat_backward(const sn_op_call *call) {
    piece p = first_piece(call);
    for (size_t k = 0; k < (size_t)call->node->n_inputs; k++) {
        if (call->flow[k] == SN_FLOW_WRITE) write_gradient(call, k, &p);
        if (call->flow[k] == SN_FLOW_ADD) add_gradient(call, k, &p);
        next_piece(call, k, &p);
    }
}

const sn_op_kernels SN_V(sn_kernels_concat) = {
    .forward = concat_forward,
    .backward = concat_backward,
};
#endif
