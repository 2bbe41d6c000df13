/* y = t a + (1 - t) b: what a highway block ends in. */
#include "ops/row.h"

enum { T, A, B };

#if SN_DESCRIBES
static sn_status gate_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    (void)pool;
    static const char *const names[] = {"t", "a", "b"};
    const sn_node *first = &nodes[node->inputs[T]];
    char a[SN_SHAPE_TEXT], b[SN_SHAPE_TEXT];
    for (int k = A; k <= B; k++) {
        const sn_node *other = &nodes[node->inputs[k]];
        if (sn_shape_equal(&first->shape, &other->shape)) continue;
        sn_node_fault(node, error, "t is \"%s\" (%s) and %s is \"%s\" (%s): all three inputs need the same shape",
                      first->label, sn_shape_text(&first->shape, a), names[k], other->label,
                      sn_shape_text(&other->shape, b));
    }
    sn_node_set_shape(node, &first->shape);
    return error->status;
}

const sn_op sn_op_gate = {
    .kind = {.name = "gate",
             .help = "mixes two inputs by a third, inputs [t, a, b]: the highway connection",
             .formula = "y = t a + (1 - t) b",
             .source = "Srivastava, Greff & Schmidhuber 2015, arXiv 1505.00387"},
    .min_inputs = 3,
    .max_inputs = 3,
    .join = SN_JOIN_GATE,
    .backward_reads = SN_READS_X,
    .checks_output = true,
    .build = gate_build,
};
#else
#include "kernels/elementary.h"

/* Whether rows of all inputs and of one other matrix follow each other without gaps. */
static bool is_contiguous(const sn_op_call *call, sn_view other) {
    size_t width = call->node->width;
    return call->x[T].ld == width && call->x[A].ld == width && call->x[B].ld == width && other.ld == width;
}

static void gate_forward(const sn_op_call *call) {
    size_t rows = call->rows, width = call->node->width;
    sn_bits found = 0;
    sn_flatten(&rows, &width, is_contiguous(call, call->y));
    for (size_t r = 0; r < rows; r++) {
        const real *t = sn_row(call->x[T], r), *a = sn_row(call->x[A], r), *b = sn_row(call->x[B], r);
        real *y = sn_row(call->y, r);
        SN_SIMD_OR(found) for (size_t c = 0; c < width; c++) {
            y[c] = t[c] * a[c] + (1 - t[c]) * b[c];
            found |= sn_overflow_bits(y[c]);
        }
    }
    *call->is_finite = !(found & SN_SIGN);
}

/* dt = dy (a - b), da = dy t, db = dy (1 - t) */
static inline real contribution(int k, real t, real a, real b, real dy) {
    if (k == T) return dy * (a - b);
    return dy * (k == A ? t : 1 - t);
}

static inline void backward_input(const sn_op_call *call, int k) {
    size_t rows = call->rows, width = call->node->width;
    bool is_whole = is_contiguous(call, call->dy) && call->dx[k].ld == width;
    if (call->flow[k] == SN_FLOW_ADD) is_whole = is_whole && call->base[k].ld == width;
    sn_flatten(&rows, &width, is_whole);
    for (size_t r = 0; r < rows; r++) {
        const real *t = sn_row(call->x[T], r), *a = sn_row(call->x[A], r), *b = sn_row(call->x[B], r);
        const real *dy = sn_row(call->dy, r);
        real *dx = sn_row(call->dx[k], r);
        if (call->flow[k] == SN_FLOW_WRITE) {
            SN_SIMD for (size_t c = 0; c < width; c++) dx[c] = contribution(k, t[c], a[c], b[c], dy[c]);
        } else {
            const real *base = sn_row(call->base[k], r);
            SN_SIMD for (size_t c = 0; c < width; c++) dx[c] = base[c] + contribution(k, t[c], a[c], b[c], dy[c]);
        }
    }
}

/* One input after the other: where two are the same node, the second adds to what the first wrote. */
static void gate_backward(const sn_op_call *call) {
    if (call->flow[T] != SN_FLOW_NONE) backward_input(call, T);
    if (call->flow[A] != SN_FLOW_NONE) backward_input(call, A);
    if (call->flow[B] != SN_FLOW_NONE) backward_input(call, B);
}

static void gate_push(const sn_push_call *call) {
    const sn_op_call *at = call->at;
    for (size_t r = 0; r < at->rows; r++) {
        const real *t = sn_row(at->x[T], r), *a = sn_row(at->x[A], r), *b = sn_row(at->x[B], r);
        const real *tt = sn_row(call->tx[T], r), *ta = sn_row(call->tx[A], r), *tb = sn_row(call->tx[B], r);
        real *ty = sn_row(call->ty, r);
        for (size_t c = 0; c < at->node->width; c++)
            ty[c] = tt[c] * (a[c] - b[c]) + t[c] * ta[c] + (1 - t[c]) * tb[c];
    }
}

const sn_op_kernels SN_V(sn_kernels_gate) = {
    .forward = gate_forward,
    .backward = gate_backward,
    .push = gate_push,
};
#endif
