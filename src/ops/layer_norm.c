/* Layer normalization over all features of a sample: y = g (x - mean) / sqrt(var + eps) + b, biased variance.
 *
 * Mean and variance are formed in double, two passes, and formed again in the backward pass: cheaper than a place to
 * keep them. */
#include <math.h>

#include "ops/variant.h"

typedef struct layer_norm_attributes {
    double eps;
} layer_norm_attributes;

typedef struct moments {
    double mean, rstd; /* 1 / sqrt(var + eps) */
} moments;

static sn_status layer_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    layer_norm_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a layer_norm");
    attributes->eps = sn_value_number(node->config, "eps");
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    if (sn_value_bool(node->config, "affine")) {
        sn_param *gain = sn_node_add_param(node, "weight", 0, node->width, NULL);
        gain->route = SN_FROM_PARTIALS;
        gain->start = 1;
        sn_node_add_param(node, "bias", 0, node->width, NULL)->route = SN_FROM_PARTIALS;
    }
    return SN_OK;
}

static moments row_moments(const real *x, size_t n, double eps) {
    double sum = 0, squares = 0;
    _Pragma("omp simd reduction(+ : sum)") for (size_t c = 0; c < n; c++) sum += (double)x[c];
    double mean = sum / (double)n;
    _Pragma("omp simd reduction(+ : squares)") for (size_t c = 0; c < n; c++) {
        squares += ((double)x[c] - mean) * ((double)x[c] - mean);
    }
    return (moments){mean, 1 / sqrt(squares / (double)n + eps)};
}

static void layer_norm_forward(const sn_op_call *call) {
    const layer_norm_attributes *attributes = call->node->attributes;
    size_t n = call->node->width;
    const real *gain = call->node->n_params ? call->params[0] : NULL;
    const real *bias = call->node->n_params ? call->params[1] : NULL;
    for (size_t r = 0; r < call->rows; r++) {
        const real *x = sn_row(call->x[0], r);
        real *y = sn_row(call->y, r);
        moments m = row_moments(x, n, attributes->eps);
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = (real)(((double)x[c] - m.mean) * m.rstd);
        if (!gain) continue;
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = gain[c] * y[c] + bias[c];
    }
}

/* dg += dy xhat, db += dy, for one row */
static void add_partials(const sn_op_call *call, const real *x, const real *dy, moments m) {
    double *gain_sum = call->partials[0], *bias_sum = call->partials[1];
    SN_SIMD for (size_t c = 0; c < call->node->width; c++) {
        gain_sum[c] += (double)dy[c] * (((double)x[c] - m.mean) * m.rstd);
        bias_sum[c] += (double)dy[c];
    }
}

/* With d = g dy and xhat = (x - mean) rstd: dx = rstd (d - mean(d) - xhat mean(d xhat)). */
static void layer_norm_row(const sn_op_call *call, size_t r, moments m) {
    size_t n = call->node->width;
    const real *x = sn_row(call->x[0], r), *dy = sn_row(call->dy, r);
    const real *gain = call->node->n_params ? call->params[0] : NULL;
    const real *base = call->flow[0] == SN_FLOW_ADD ? sn_row(call->base[0], r) : NULL;
    real *dx = sn_row(call->dx[0], r);
    double sum = 0, product = 0;
    _Pragma("omp simd reduction(+ : sum, product)") for (size_t c = 0; c < n; c++) {
        double d = (double)dy[c] * (gain ? (double)gain[c] : 1);
        sum += d;
        product += d * (((double)x[c] - m.mean) * m.rstd);
    }
    double mean_d = sum / (double)n, mean_product = product / (double)n;
    SN_SIMD for (size_t c = 0; c < n; c++) {
        double d = (double)dy[c] * (gain ? (double)gain[c] : 1);
        double xhat = ((double)x[c] - m.mean) * m.rstd;
        double contribution = m.rstd * (d - mean_d - xhat * mean_product);
        dx[c] = (real)(contribution + (base ? (double)base[c] : 0));
    }
}

static void layer_norm_backward(const sn_op_call *call) {
    const layer_norm_attributes *attributes = call->node->attributes;
    size_t n = call->node->width;
    for (size_t c = 0; c < n && call->node->n_params; c++)
        call->partials[0][c] = call->partials[1][c] = 0;
    for (size_t r = 0; r < call->rows; r++) {
        moments m = row_moments(sn_row(call->x[0], r), n, attributes->eps);
        if (call->node->n_params) add_partials(call, sn_row(call->x[0], r), sn_row(call->dy, r), m);
        if (call->flow[0] != SN_FLOW_NONE) layer_norm_row(call, r, m);
    }
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

const sn_op SN_V(sn_op_layer_norm) = {
    .kind = {.name = "layer_norm",
             .help = "normalizes each sample over its features",
             .keys = layer_norm_keys,
             .formula = "y = g (x - mean(x)) / sqrt(var(x) + eps) + b",
             .source = "Ba, Kiros & Hinton 2016, arXiv 1607.06450"},
    .min_inputs = 1,
    .max_inputs = 1,
    .role = SN_ROLE_NORM,
    .backward_reads = SN_READS_X,
    .build = layer_norm_build,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
};
