/* What the weight layers share: keys of weights and biases, the bias, and its gradient.  Not for other rooms. */
#ifndef SN_OPS_WEIGHTS_H
#define SN_OPS_WEIGHTS_H

#include "ops/row.h"

#if SN_DESCRIBES
#include <string.h>

#include "network/init.h"

static const sn_ruler sn_without_bias[] = {{.key = "bias", .value = "false"}, {.key = "network.weights"}, {0}};

/* Rows of the tables of keys. */
#define SN_WEIGHTS_BIAS                                                                                                \
    { .name = "bias", .types = SN_BOOL, .fallback = "true", .help = "whether b is there" }
#define SN_WEIGHTS_INITS                                                                                               \
    {.name = "init",                                                                                                   \
     .types = SN_KIND,                                                                                                 \
     .fallback = "\"pytorch\"",                                                                                        \
     .choice = &sn_init_choice,                                                                                        \
     .ruled_by = sn_ruled_by_weights,                                                                                  \
     .help = "initial weights"},                                                                                       \
    {                                                                                                                  \
        .name = "bias_init", .types = SN_KIND | SN_NULL, .fallback = "null", .choice = &sn_init_choice,                \
        .ruled_by = sn_without_bias,                                                                                   \
        .help = "initial biases; null: what belongs to the init (pytorch: its own, others: zeros)"                     \
    }

/* Adds the bias of `n` outputs, where the entry has one: what a weight that is there already has told holds for it. */
static inline void sn_weights_add_bias(sn_node *node, size_t n) {
    const sn_value *init = sn_value_get(node->config, "init"), *bias_init = sn_value_get(node->config, "bias_init");
    if (!sn_value_bool(node->config, "bias")) return;
    bool own = strcmp(sn_value_text(init, "kind"), "pytorch") == 0;
    sn_param *bias = sn_node_add_param(node, "bias", 0, n, bias_init ? bias_init : own ? init : NULL);
    bias->kind = SN_PARAM_BIAS;
    bias->in_parts = node->params[0].in_parts;
    bias->fan_in = node->params[0].fan_in;
    bias->fan_out = node->params[0].fan_out;
}

/* The faults of the inits' keys. */
static inline sn_status sn_weights_check(const sn_node *node, sn_error *error) {
    sn_status status = sn_init_check(node->origin, sn_value_get(node->config, "init"), error);
    sn_status own = sn_init_check(node->origin, sn_value_get(node->config, "bias_init"), error);
    return status ? status : own;
}
#else
#include "kernels/kernels.h"
#include "kernels/wide.h"

/* One output over the batch, in double: lane by lane, then over the lanes.  `wanted` are the lanes of a block of the
 * last panel, where that is short. */
static inline real sn_sum_of_output(const sn_gradient_call *call, size_t i, const sn_wide_bits wanted[SN_CHAINS]) {
    size_t positions = call->node->positions, whole = call->samples / SN_PANEL * positions;
    size_t blocks = sn_panels(call->samples) * positions;
    sn_wide sums[SN_CHAINS] = {{0}};
    for (size_t b = 0; b < whole; b++) {
        const real *dy = sn_lanes_of(call->dy, b, i);
#pragma GCC unroll 8
        for (int k = 0; k < SN_CHAINS; k++)
            sums[k] += sn_wide_load(dy + (size_t)k * SN_LANES);
    }
    for (size_t b = whole; b < blocks; b++) {
        const real *dy = sn_lanes_of(call->dy, b, i);
#pragma GCC unroll 8
        for (int k = 0; k < SN_CHAINS; k++)
            sums[k] += (sn_wide)((sn_wide_bits)sn_wide_load(dy + (size_t)k * SN_LANES) & wanted[k]);
    }
    return (real)sn_chains_sum(sums);
}

/* db, a tile of it; whether all of it is finite. */
static inline bool sn_bias_gradient(const sn_gradient_call *call) {
    real *gradient = call->gradient.data;
    sn_wide_bits wanted[SN_CHAINS];
    for (size_t l = 0; l < SN_PANEL; l++)
        wanted[l / SN_LANES][l % SN_LANES] = l < call->samples % SN_PANEL ? -1 : 0;
    for (size_t i = 0; i < call->cols; i++)
        gradient[i] = sn_sum_of_output(call, call->col + i, wanted);
    return SN_V(sn_all_finite)(call->gradient, 1, call->cols);
}
#endif

#endif
