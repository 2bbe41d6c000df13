/* Layer normalization over the features of a row: y = g (x - mean) / sqrt(var + eps) + b, biased variance. */
#include "ops/row_norm.h"

static const sn_norm norm = {.centers = true};

#if SN_DESCRIBES
static sn_status layer_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    return sn_row_norm_build(node, nodes, pool, norm, error);
}

static const sn_key layer_norm_keys[] = {
    SN_NORM_KEYS,
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
SN_ROW_NORM_KERNELS(layer_norm, norm);
#endif
