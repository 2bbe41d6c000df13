/* What the convolution and its transpose share: geometry, parameters, keys.  Not for other rooms. */
#ifndef SN_OPS_CONV_H
#define SN_OPS_CONV_H

#include "kernels/conv_axis.h"
#include "ops/row.h"

/* Along height and width; of the transpose `in` is its output, `out` its input. */
typedef struct sn_conv_axes {
    sn_conv_axis y, x;
} sn_conv_axes;

#if SN_DESCRIBES
#include <string.h>

#include "network/init.h"

/* The weights (rows, cols, kernel, kernel) as PyTorch has them, and the bias of the node's channels; fan_in and fan_out
 * are those of a convolution with as many taps. */
static inline void sn_conv_add_params(sn_node *node, size_t rows, size_t cols, size_t taps) {
    int64_t kernel = sn_value_integer(node->config, "kernel"), channels = sn_value_integer(node->config, "channels");
    const sn_value *init = sn_value_get(node->config, "init"), *bias_init = sn_value_get(node->config, "bias_init");
    sn_param *weight = sn_node_add_param(node, "weight", rows, cols * taps, init);
    weight->kind = SN_PARAM_WEIGHT;
    weight->rank = 4;
    weight->dim[1] = (int64_t)cols;
    weight->dim[2] = weight->dim[3] = kernel;
    weight->unit = taps;
    weight->fan_out = (int64_t)(rows * taps);
    weight->decays = weight->in_parts = true;
    if (!sn_value_bool(node->config, "bias")) return;
    bool own = strcmp(sn_value_text(init, "kind"), "pytorch") == 0;
    sn_param *bias = sn_node_add_param(node, "bias", 0, (size_t)channels, bias_init ? bias_init : own ? init : NULL);
    bias->kind = SN_PARAM_BIAS;
    bias->in_parts = true;
    bias->fan_in = weight->fan_in;
    bias->fan_out = weight->fan_out;
}

/* The faults of the inits' keys, and of an input that is no image. */
static inline sn_status sn_conv_check(const sn_node *node, const sn_node *input, sn_error *error) {
    sn_status status = sn_init_check(node->origin, sn_value_get(node->config, "init"), error);
    sn_status own = sn_init_check(node->origin, sn_value_get(node->config, "bias_init"), error);
    if (input->shape.rank == 3) return status ? status : own;
    return sn_node_fault(node, error, "its input \"%s\" is a vector of %zu, a convolution needs an image", input->label,
                         input->width);
}

static inline double sn_conv_flops(const sn_node *node, size_t positions) {
    return 2.0 * (double)node->params[0].count * (double)positions;
}

static inline size_t sn_conv_room(const sn_node *node, size_t rows, size_t cols) {
    const sn_conv_axes *a = node->attributes;
    return sn_conv_gradient_room(&a->y, &a->x, rows, cols / node->params[0].unit);
}

static const sn_ruler sn_without_bias[] = {{.key = "bias", .value = "false"}, {.key = "network.weights"}, {0}};

/* Rows of the tables of keys; kernel and stride want a fallback besides. */
#define SN_CONV_CHANNELS                                                                                               \
    { .name = "channels", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1e5, .help = "of the output" }
#define SN_CONV_KERNEL                                                                                                 \
    .name = "kernel", .types = SN_INTEGER, .min = 1, .max = SN_CONV_MOST_KERNEL,                                       \
    .help = "height and width of the kernels"
#define SN_CONV_WEIGHTS                                                                                                \
    {.name = "bias", .types = SN_BOOL, .fallback = "true", .help = "whether b is there"},                              \
        {.name = "conv",                                                                                               \
         .types = SN_WORD,                                                                                             \
         .fallback = "\"auto\"",                                                                                       \
         .words = sn_conv_words,                                                                                       \
         .help = "how it is computed: " SN_CONV_HELP},                                                                 \
        {.name = "init",                                                                                               \
         .types = SN_KIND,                                                                                             \
         .fallback = "\"pytorch\"",                                                                                    \
         .choice = &sn_init_choice,                                                                                    \
         .ruled_by = sn_ruled_by_weights,                                                                              \
         .help = "initial weights"},                                                                                   \
    {                                                                                                                  \
        .name = "bias_init", .types = SN_KIND | SN_NULL, .fallback = "null", .choice = &sn_init_choice,                \
        .ruled_by = sn_without_bias,                                                                                   \
        .help = "initial biases; null: what belongs to the init (pytorch: its own, others: zeros)"                     \
    }
#endif

#endif
