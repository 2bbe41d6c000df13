/* Root mean square normalization over the features of a row: y = g x / sqrt(mean(x^2) + eps).
 *
 * The default of eps is that of layer_norm, so that the two can be compared, and so that a network is the same one in
 * both precisions; PyTorch's own depends on them. */
#include "ops/row_norm.h"

static const sn_norm norm = {.centers = false};

#if SN_DESCRIBES
static sn_status rms_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    return sn_row_norm_build(node, nodes, pool, norm, error);
}

static const sn_key rms_norm_keys[] = {
    {.name = "eps",
     .types = SN_NUMBER | SN_NULL,
     .flags = SN_ABOVE_MIN,
     .fallback = "1e-5",
     .min = 0,
     .max = 1,
     .help = "added to the mean square; null: the machine epsilon of the precision, the default of torch.nn.RMSNorm"},
    {.name = "affine", .types = SN_BOOL, .fallback = "true", .help = "whether g is learned (else 1)"},
    {0},
};

const sn_op sn_op_rms_norm = {
    .kind = {.name = "rms_norm",
             .help = "as layer_norm, but neither centred nor shifted",
             .keys = rms_norm_keys,
             .formula = "y = g x / sqrt(mean(x^2) + eps)",
             .source = "Zhang & Sennrich 2019, arXiv 1910.07467"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 1,
    .role = SN_ROLE_NORM,
    .backward_reads = SN_READS_X,
    .build = rms_norm_build,
};
#else
SN_ROW_NORM_KERNELS(rms_norm, norm);
#endif
