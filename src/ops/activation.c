/* Owns what activations share at build time. */
#include "ops/activation.h"

sn_status sn_activation_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    double *parameter = sn_pool_alloc(pool, sizeof *parameter);
    if (!parameter) return sn_error_memory(error, sizeof *parameter, "an activation");
    const sn_key *key = node->op->kind.keys;
    *parameter = key ? sn_value_number(node->config, key->name) : 0;
    node->attributes = parameter;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    return SN_OK;
}
