/* Layer normalization over the features of a row: y = g (x - mean) / sqrt(var + eps) + b, biased variance. */
#include "ops/row_norm.h"

static const sn_norm norm = {.centers = true};

#if SN_DESCRIBES
static sn_status layer_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    return sn_row_norm_build(node, nodes, pool, norm, error);
}

static const sn_key layer_norm_keys[] = {
    {.name = "eps",
     .types = SN_NUMBER,
     .flags = SN_ABOVE_MIN,
     .fallback = "1e-5",
     .min = 0,
     .max = 1,
     .help = "added to the variance"},
    {.name = "affine", .types = SN_BOOL, .fallback = "true", .help = "whether g and b are learned (else 1 and 0)"},
    {0},
};

const sn_op sn_op_layer_norm = {
    .kind = {.name = "layer_norm",
             .help = "normalizes each sample over its features (an image at every position over its channels)",
             .keys = layer_norm_keys,
             .formula = "y = g (x - mean(x)) / sqrt(var(x) + eps) + b",
             .source = "Ba, Kiros & Hinton 2016, arXiv 1607.06450"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 2,
    .role = SN_ROLE_NORM,
    .backward_reads = SN_READS_X,
    .build = layer_norm_build,
};
#else
static void layer_norm_forward(const sn_op_call *call) {
    sn_row_norm_forward(call, norm);
}

static void layer_norm_backward(const sn_op_call *call) {
    sn_row_norm_backward(call, norm);
}

static void layer_norm_push(const sn_push_call *call) {
    sn_row_norm_push(call, norm);
}

const sn_op_kernels SN_V(sn_kernels_layer_norm) = {
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .push = layer_norm_push,
};
#endif
