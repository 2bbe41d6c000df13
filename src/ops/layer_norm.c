/* Layer normalization over the features of a row, that is of a vector, or of one position of an image (its channels):
 * y = g (x - mean) / sqrt(var + eps) + b, biased variance.
 *
 * Mean and variance are formed in double, and formed again in the backward pass: cheaper than a place to keep them.
 * What is done to every element is in the backend's precision, with the mean in two parts, so that a large mean costs
 * no digits. */
#include "ops/row.h"

typedef struct layer_norm_attributes {
    double eps;
} layer_norm_attributes;

#if SN_DESCRIBES
static sn_status layer_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    layer_norm_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a layer_norm");
    attributes->eps = sn_value_number(node->config, "eps");
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    if (sn_value_bool(node->config, "affine")) {
        sn_param *gain = sn_node_add_param(node, "weight", 0, node->width, NULL);
        gain->kind = SN_PARAM_WEIGHT;
        gain->route = SN_FROM_PARTIALS;
        gain->start = 1;
        sn_param *bias = sn_node_add_param(node, "bias", 0, node->width, NULL);
        bias->kind = SN_PARAM_BIAS;
        bias->route = SN_FROM_PARTIALS;
    }
    return SN_OK;
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
#include <math.h>

enum { BLOCK = 16 }; /* rows whose moments are formed together */

typedef struct moments {
    double mean[BLOCK], rstd[BLOCK]; /* rstd: the variance first, then 1 / sqrt(var + eps) */
} moments;

/* Those of one row, in the backend's precision; the mean is `mean` + `rest`. */
typedef struct row_moments {
    real mean, rest, rstd;
} row_moments;

/* Around the row's first element: it is one of those that are summed, so the squares around the mean keep their digits.
 */
static void set_row(moments *m, size_t r, const real *x, size_t n) {
    double sum = 0, squares = 0, first = (double)x[0];
    _Pragma("omp simd reduction(+ : sum, squares)") for (size_t c = 0; c < n; c++) {
        double d = (double)x[c] - first;
        sum += d;
        squares += d * d;
    }
    double mean = sum / (double)n, variance = squares / (double)n - mean * mean;
    m->mean[r] = first + mean;
    m->rstd[r] = variance < 0 ? 0 : variance; /* NaN stays */
}

/* The moments of the rows from `begin` on; how many rows that are. */
static size_t set_moments(moments *m, const sn_op_call *call, size_t begin) {
    double eps = ((const layer_norm_attributes *)call->node->attributes)->eps;
    size_t rows = call->rows - begin < BLOCK ? call->rows - begin : BLOCK;
    for (size_t r = 0; r < rows; r++)
        set_row(m, r, sn_row(call->x[0], begin + r), call->node->width);
    SN_SIMD for (size_t r = 0; r < rows; r++) m->rstd[r] = 1 / sqrt(m->rstd[r] + eps);
    return rows;
}

static row_moments moments_of(const moments *m, size_t r) {
    real mean = (real)m->mean[r];
    return (row_moments){mean, (real)(m->mean[r] - (double)mean), (real)m->rstd[r]};
}

static inline real normalized(real x, row_moments m) {
    return (x - m.mean - m.rest) * m.rstd;
}

static void forward_row(const sn_op_call *call, size_t r, row_moments m) {
    size_t n = call->node->width;
    const real *x = sn_row(call->x[0], r);
    real *y = sn_row(call->y, r);
    if (call->node->n_params) {
        const real *gain = call->params[0], *bias = call->params[1];
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = gain[c] * normalized(x[c], m) + bias[c];
    } else {
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = normalized(x[c], m);
    }
}

static void layer_norm_forward(const sn_op_call *call) {
    moments m;
    for (size_t begin = 0, rows; begin < call->rows; begin += rows) {
        rows = set_moments(&m, call, begin);
        for (size_t r = 0; r < rows; r++)
            forward_row(call, begin + r, moments_of(&m, r));
    }
}

/* Means over the row of d = g dy and of d xhat. */
typedef struct row_means {
    real d, product;
} row_means;

/* The means, and dg += dy xhat, db += dy. */
static row_means affine_means(const sn_op_call *call, size_t r, row_moments m) {
    size_t n = call->node->width;
    const real *x = sn_row(call->x[0], r), *dy = sn_row(call->dy, r), *gain = call->params[0];
    double *gain_sum = call->partials[0], *bias_sum = call->partials[1], sum = 0, product = 0;
    _Pragma("omp simd reduction(+ : sum, product)") for (size_t c = 0; c < n; c++) {
        double xhat = (double)normalized(x[c], m), own = (double)dy[c], d = own * (double)gain[c];
        gain_sum[c] += own * xhat;
        bias_sum[c] += own;
        sum += d;
        product += d * xhat;
    }
    return (row_means){(real)(sum / (double)n), (real)(product / (double)n)};
}

static row_means plain_means(const real *x, const real *d, size_t n, row_moments m) {
    double sum = 0, product = 0;
    _Pragma("omp simd reduction(+ : sum, product)") for (size_t c = 0; c < n; c++) {
        sum += (double)d[c];
        product += (double)d[c] * (double)normalized(x[c], m);
    }
    return (row_means){(real)(sum / (double)n), (real)(product / (double)n)};
}

/* dx = rstd (d - mean(d) - xhat mean(d xhat)) */
static void backward_row(const sn_op_call *call, size_t r, row_moments m, row_means means) {
    size_t n = call->node->width;
    const real *x = sn_row(call->x[0], r), *dy = sn_row(call->dy, r);
    const real *gain = call->node->n_params ? call->params[0] : NULL;
    const real *base = call->flow[0] == SN_FLOW_ADD ? sn_row(call->base[0], r) : NULL;
    real *dx = sn_row(call->dx[0], r);
    SN_SIMD for (size_t c = 0; c < n; c++) {
        real d = gain ? gain[c] * dy[c] : dy[c];
        real contribution = m.rstd * (d - means.d - normalized(x[c], m) * means.product);
        dx[c] = base ? base[c] + contribution : contribution;
    }
}

static void layer_norm_backward(const sn_op_call *call) {
    moments m;
    bool is_affine = call->node->n_params > 0;
    for (size_t c = 0; c < call->node->width && is_affine; c++)
        call->partials[0][c] = call->partials[1][c] = 0;
    for (size_t begin = 0, rows; begin < call->rows; begin += rows) {
        rows = set_moments(&m, call, begin);
        for (size_t r = 0; r < rows; r++) {
            row_moments own = moments_of(&m, r);
            const real *x = sn_row(call->x[0], begin + r), *dy = sn_row(call->dy, begin + r);
            row_means means =
                is_affine ? affine_means(call, begin + r, own) : plain_means(x, dy, call->node->width, own);
            if (call->flow[0] != SN_FLOW_NONE) backward_row(call, begin + r, own, means);
        }
    }
}

/* ty = g rstd (tx - mean(tx) - xhat mean(tx xhat)) */
static void push_row(const sn_push_call *call, size_t r, row_moments m) {
    size_t n = call->at->node->width;
    const real *x = sn_row(call->at->x[0], r), *tx = sn_row(call->tx[0], r);
    const real *gain = call->at->node->n_params ? call->at->params[0] : NULL;
    real *ty = sn_row(call->ty, r);
    row_means means = plain_means(x, tx, n, m);
    for (size_t c = 0; c < n; c++) {
        real d = m.rstd * (tx[c] - means.d - normalized(x[c], m) * means.product);
        ty[c] = gain ? gain[c] * d : d;
    }
}

static void layer_norm_push(const sn_push_call *call) {
    moments m;
    for (size_t begin = 0, rows; begin < call->at->rows; begin += rows) {
        rows = set_moments(&m, call->at, begin);
        for (size_t r = 0; r < rows; r++)
            push_row(call, begin + r, moments_of(&m, r));
    }
}

const sn_op_kernels SN_V(sn_kernels_layer_norm) = {
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .push = layer_norm_push,
};
#endif
