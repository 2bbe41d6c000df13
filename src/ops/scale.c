/* y = s x: a constant, or one learned scalar (SkipInit, ReZero). */
#include "ops/row.h"

typedef struct scale_attributes {
    double factor;
    bool is_learned;
} scale_attributes;

#if SN_DESCRIBES
static sn_status scale_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    scale_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a scale");
    const sn_value *factor = sn_value_get(node->config, "factor");
    attributes->is_learned = sn_value_is_object(factor);
    attributes->factor = attributes->is_learned ? sn_value_number(factor, "learned") : sn_value_number(factor, "");
    node->attributes = attributes;
    if (attributes->is_learned) {
        sn_param *param = sn_node_add_param(node, "weight", 0, 1, NULL);
        param->kind = SN_PARAM_WEIGHT;
        param->route = SN_FROM_PARTIALS;
        param->start = attributes->factor;
    }
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    return SN_OK;
}

static double scale_pass_factor(const sn_node *node, int k) {
    (void)k;
    const scale_attributes *attributes = node->attributes;
    return attributes->is_learned ? 0 : attributes->factor;
}

static const sn_key learned_keys[] = {
    {.name = "learned", .types = SN_NUMBER, .flags = SN_REQUIRED, .help = "start value of a learned scalar"},
    {0},
};
static const sn_kind learned_kind = {
    .name = "learned", .help = "a scalar, trained with the rest", .keys = learned_keys, .chosen_by = "learned"};
static const sn_kind *const factor_kinds[] = {&learned_kind, NULL};
static const sn_choice factor_choice = {.what = "factor", .discriminator = "kind", .kinds = factor_kinds};
static const sn_key scale_keys[] = {
    {.name = "factor",
     .types = SN_NUMBER | SN_KIND,
     .flags = SN_REQUIRED,
     .choice = &factor_choice,
     .help = "a number, or {\"learned\": start}"},
    {0},
};

const sn_op sn_op_scale = {
    .kind = {.name = "scale",
             .help = "multiplies by a constant or by one learned scalar",
             .keys = scale_keys,
             .formula = "y = s x",
             .source = "De & Smith 2020, arXiv 2002.10444; Bachlechner et al. 2020, arXiv 2003.04887"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 1,
    .role = SN_ROLE_SCALE,
    .backward_reads = SN_READS_X,
    .checks_output = true,
    .build = scale_build,
    .pass_factor = scale_pass_factor,
};
#else
#include "kernels/elementary.h"

static real factor_of(const sn_op_call *call) {
    const scale_attributes *attributes = call->node->attributes;
    return attributes->is_learned ? *(const real *)call->params[0] : (real)attributes->factor;
}

static void scale_forward(const sn_op_call *call) {
    real s = factor_of(call);
    bool is_contiguous = sn_is_contiguous(call->x[0], call->width) && sn_is_contiguous(call->y, call->width);
    sn_lane_rows e = sn_lane_rows_of(call->blocks, call->width, call->lanes, is_contiguous);
    sn_bits found = 0;
    SN_FOR_ROWS(e) {
        const real *x = sn_lanes_of(call->x[0], b, r);
        real *y = sn_lanes_of(call->y, b, r);
        SN_SIMD_OR(found) for (size_t c = 0; c < e.cols; c++) {
            y[c] = s * x[c];
            found |= sn_overflow_bits(y[c]);
        }
    }
    *call->is_finite = !(found & SN_SIGN);
}

/* ds = sum dy x: lane by lane in the order of the features, then over the lanes. */
static double scale_gradient(const sn_op_call *call) {
    double sums[SN_PANEL] = {0};
    sn_lane_rows e = {call->blocks, call->width, call->lanes};
    SN_FOR_ROWS(e) {
        const real *x = sn_lanes_of(call->x[0], b, r), *dy = sn_lanes_of(call->dy, b, r);
        SN_SIMD for (size_t l = 0; l < e.cols; l++) sums[l] += (double)dy[l] * (double)x[l];
    }
    return sn_sum_lanes(sums);
}

static void scale_backward(const sn_op_call *call) {
    real s = factor_of(call);
    bool adds = call->flow[0] == SN_FLOW_ADD;
    if (call->node->n_params > 0) call->partials[0][0] = scale_gradient(call);
    if (call->flow[0] == SN_FLOW_NONE) return;
    sn_lane_rows e = sn_lane_rows_of(call->blocks, call->width, call->lanes, false);
    SN_FOR_ROWS(e) {
        const real *dy = sn_lanes_of(call->dy, b, r), *base = adds ? sn_lanes_of(call->base[0], b, r) : NULL;
        real *dx = sn_lanes_of(call->dx[0], b, r);
        SN_SIMD for (size_t c = 0; c < e.cols; c++) dx[c] = base ? base[c] + s * dy[c] : s * dy[c];
    }
}

static void scale_push(const sn_push_call *call) {
    sn_push_symmetric(call, scale_backward);
}

const sn_op_kernels SN_V(sn_kernels_scale) = {
    .forward = scale_forward,
    .backward = scale_backward,
    .push = scale_push,
};
#endif
