/* Group normalization: y = g (x - mean) / sqrt(var + eps) + b, of each sample over the channels of a group at all
 * positions, biased variance. */
#include "ops/row_norm.h"

static const sn_norm norm = {.centers = true, .has_groups = true};

#if SN_DESCRIBES
static sn_status group_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    size_t groups = (size_t)sn_value_integer(node->config, "groups");
    sn_status status = sn_row_norm_build(node, nodes, pool, norm, error);
    if (status) return status;
    ((sn_row_norm *)node->attributes)->groups = groups;
    if (node->width % groups == 0) return SN_OK;
    return sn_node_fault(node, error, "its %zu channels cannot be cut into %zu equal groups", node->width, groups);
}

static const sn_key group_norm_keys[] = {
    {.name = "groups",
     .types = SN_INTEGER,
     .flags = SN_REQUIRED,
     .min = 1,
     .max = 1e6,
     .help = "into which the channels are cut; 1: all of a sample together, as many as channels: each by itself"},
    SN_NORM_KEYS,
    {0},
};

const sn_op sn_op_group_norm = {
    .kind = {.name = "group_norm",
             .help = "normalizes each sample over groups of its channels, at all positions of an image",
             .keys = group_norm_keys,
             .formula = "y = g (x - mean) / sqrt(var + eps) + b",
             .source = "Wu & He 2018, arXiv 1803.08494; as torch.nn.GroupNorm"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 2,
    .role = SN_ROLE_NORM,
    .backward_reads = SN_READS_X,
    .build = group_norm_build,
};
#else
SN_ROW_NORM_KERNELS(group_norm, norm);
#endif
