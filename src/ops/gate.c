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

/* What to loop over in all inputs and some other signals. */
static sn_lane_rows extent_of(const sn_op_call *call, const sn_view *others, int n) {
    bool is_contiguous = true;
    for (int k = T; k <= B; k++)
        is_contiguous = is_contiguous && sn_is_contiguous(call->x[k], call->width);
    for (int k = 0; k < n; k++)
        is_contiguous = is_contiguous && sn_is_contiguous(others[k], call->width);
    return sn_lane_rows_of(call->blocks, call->width, call->lanes, is_contiguous);
}

static void gate_forward(const sn_op_call *call) {
    sn_lane_rows e = extent_of(call, &call->y, 1);
    sn_bits found = 0;
    SN_FOR_ROWS(e) {
        const real *t = sn_lanes_of(call->x[T], b, r), *a0 = sn_lanes_of(call->x[A], b, r);
        const real *a1 = sn_lanes_of(call->x[B], b, r);
        real *y = sn_lanes_of(call->y, b, r);
        SN_SIMD_OR(found) for (size_t c = 0; c < e.cols; c++) {
            y[c] = t[c] * a0[c] + (1 - t[c]) * a1[c];
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
    bool adds = call->flow[k] == SN_FLOW_ADD;
    sn_view others[] = {call->dy, call->dx[k], adds ? call->base[k] : call->dy};
    sn_lane_rows e = extent_of(call, others, 3);
    SN_FOR_ROWS(e) {
        const real *t = sn_lanes_of(call->x[T], b, r), *a0 = sn_lanes_of(call->x[A], b, r);
        const real *a1 = sn_lanes_of(call->x[B], b, r), *dy = sn_lanes_of(call->dy, b, r);
        real *dx = sn_lanes_of(call->dx[k], b, r);
        if (!adds) {
            SN_SIMD for (size_t c = 0; c < e.cols; c++) dx[c] = contribution(k, t[c], a0[c], a1[c], dy[c]);
        } else {
            const real *base = sn_lanes_of(call->base[k], b, r);
            SN_SIMD for (size_t c = 0; c < e.cols; c++) dx[c] = base[c] + contribution(k, t[c], a0[c], a1[c], dy[c]);
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
    sn_lane_rows e = sn_lane_rows_of(at->blocks, at->width, at->lanes, false);
    SN_FOR_ROWS(e) {
        const real *t = sn_lanes_of(at->x[T], b, r), *a0 = sn_lanes_of(at->x[A], b, r);
        const real *a1 = sn_lanes_of(at->x[B], b, r), *tt = sn_lanes_of(call->tx[T], b, r);
        const real *ta0 = sn_lanes_of(call->tx[A], b, r), *ta1 = sn_lanes_of(call->tx[B], b, r);
        real *ty = sn_lanes_of(call->ty, b, r);
        for (size_t c = 0; c < e.cols; c++)
            ty[c] = tt[c] * (a0[c] - a1[c]) + t[c] * ta0[c] + (1 - t[c]) * ta1[c];
    }
}

const sn_op_kernels SN_V(sn_kernels_gate) = {
    .forward = gate_forward,
    .backward = gate_backward,
    .push = gate_push,
};
#endif
