/* What the norms of a row share, that is of a vector, or of one position of an image (its channels):
 *
 *     y = g (x - mean) / sqrt(spread + eps) + b
 *
 * layer_norm centers: its spread is the (biased) variance.  rms_norm does not: its mean is 0, its spread the mean
 * square, and there is no b.  Not for other rooms.
 *
 * Mean and spread are formed in double, and formed again in the backward pass: cheaper than a place to keep them.
 * What is done to every element is in the backend's precision, with the mean in two parts, so that a large mean costs
 * no digits.  `centers` is a constant of the caller, so that of an rms_norm the mean is no work. */
#ifndef SN_OPS_ROW_NORM_H
#define SN_OPS_ROW_NORM_H

#include "ops/row.h"

typedef struct sn_row_norm {
    double eps; /* 0: the machine epsilon of the precision */
} sn_row_norm;

#if SN_DESCRIBES
static inline void sn_row_norm_add_param(sn_node *node, const char *name, sn_param_kind kind, double start) {
    sn_param *param = sn_node_add_param(node, name, 0, node->width, NULL);
    param->kind = kind;
    param->route = SN_FROM_PARTIALS;
    param->start = start;
}

static inline sn_status sn_row_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, bool centers,
                                          sn_error *error) {
    sn_row_norm *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a norm");
    const sn_value *eps = sn_value_get(node->config, "eps");
    attributes->eps = eps ? sn_value_number(eps, "") : 0;
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    bool is_affine = sn_value_bool(node->config, "affine");
    if (is_affine) sn_row_norm_add_param(node, "weight", SN_PARAM_WEIGHT, 1);
    if (is_affine && centers) sn_row_norm_add_param(node, "bias", SN_PARAM_BIAS, 0);
    return SN_OK;
}
#else
#include <float.h>
#include <math.h>

enum { BLOCK = 16 }; /* rows whose moments are formed together */

typedef struct moments {
    double mean[BLOCK], rstd[BLOCK]; /* rstd: the spread first, then 1 / sqrt(spread + eps) */
} moments;

/* Those of one row, in the backend's precision; the mean is `mean` + `rest`. */
typedef struct row_moments {
    real mean, rest, rstd;
} row_moments;

/* Around the row's first element: it is one of those that are summed, so the squares around the mean keep their digits.
 */
static inline void set_centered_row(moments *m, size_t r, const real *x, size_t n) {
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

static inline void set_plain_row(moments *m, size_t r, const real *x, size_t n) {
    double squares = 0;
    _Pragma("omp simd reduction(+ : squares)") for (size_t c = 0; c < n; c++) {
        double d = (double)x[c];
        squares += d * d;
    }
    m->mean[r] = 0;
    m->rstd[r] = squares / (double)n;
}

/* The moments of the rows from `begin` on; how many rows that are. */
static inline size_t set_moments(moments *m, const sn_op_call *call, size_t begin, bool centers) {
    double eps = ((const sn_row_norm *)call->node->attributes)->eps;
    if (eps == 0) eps = sizeof(real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
    size_t rows = call->rows - begin < BLOCK ? call->rows - begin : BLOCK;
    for (size_t r = 0; r < rows; r++)
        (centers ? set_centered_row : set_plain_row)(m, r, sn_row(call->x[0], begin + r), call->node->width);
    SN_SIMD for (size_t r = 0; r < rows; r++) m->rstd[r] = 1 / sqrt(m->rstd[r] + eps);
    return rows;
}

static inline row_moments moments_of(const moments *m, size_t r, bool centers) {
    real mean = (real)m->mean[r];
    if (!centers) return (row_moments){0, 0, (real)m->rstd[r]};
    return (row_moments){mean, (real)(m->mean[r] - (double)mean), (real)m->rstd[r]};
}

static inline real normalized(real x, row_moments m) {
    return (x - m.mean - m.rest) * m.rstd;
}

static inline void forward_row(const sn_op_call *call, size_t r, row_moments m, bool centers) {
    size_t n = call->node->width;
    const real *x = sn_row(call->x[0], r);
    real *y = sn_row(call->y, r);
    if (call->node->n_params && centers) {
        const real *gain = call->params[0], *bias = call->params[1];
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = gain[c] * normalized(x[c], m) + bias[c];
    } else if (call->node->n_params) {
        const real *gain = call->params[0];
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = gain[c] * normalized(x[c], m);
    } else {
        SN_SIMD for (size_t c = 0; c < n; c++) y[c] = normalized(x[c], m);
    }
}

static inline void sn_row_norm_forward(const sn_op_call *call, bool centers) {
    moments m;
    for (size_t begin = 0, rows; begin < call->rows; begin += rows) {
        rows = set_moments(&m, call, begin, centers);
        for (size_t r = 0; r < rows; r++)
            forward_row(call, begin + r, moments_of(&m, r, centers), centers);
    }
}

/* Means over the row of d = g dy, which only what centers takes off, and of d xhat. */
typedef struct row_means {
    real d, product;
} row_means;

/* The means, and dg += dy xhat, db += dy. */
static inline row_means affine_means(const sn_op_call *call, size_t r, row_moments m) {
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

/* The same without b. */
static inline row_means scaled_means(const sn_op_call *call, size_t r, row_moments m) {
    size_t n = call->node->width;
    const real *x = sn_row(call->x[0], r), *dy = sn_row(call->dy, r), *gain = call->params[0];
    double *gain_sum = call->partials[0], product = 0;
    _Pragma("omp simd reduction(+ : product)") for (size_t c = 0; c < n; c++) {
        double by_gain = (double)dy[c] * (double)normalized(x[c], m);
        gain_sum[c] += by_gain;
        product += by_gain * (double)gain[c];
    }
    return (row_means){0, (real)(product / (double)n)};
}

static inline row_means plain_means(const real *x, const real *d, size_t n, row_moments m, bool centers) {
    double sum = 0, product = 0;
    _Pragma("omp simd reduction(+ : sum, product)") for (size_t c = 0; c < n; c++) {
        sum += (double)d[c];
        product += (double)d[c] * (double)normalized(x[c], m);
    }
    return (row_means){centers ? (real)(sum / (double)n) : 0, (real)(product / (double)n)};
}

static inline row_means means_of(const sn_op_call *call, size_t r, row_moments m, bool centers) {
    if (call->node->n_params == 0)
        return plain_means(sn_row(call->x[0], r), sn_row(call->dy, r), call->node->width, m, centers);
    return centers ? affine_means(call, r, m) : scaled_means(call, r, m);
}

/* dx = rstd (d - mean(d) - xhat mean(d xhat)) */
static inline void backward_row(const sn_op_call *call, size_t r, row_moments m, row_means means) {
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

static inline void sn_row_norm_backward(const sn_op_call *call, bool centers) {
    moments m;
    for (int k = 0; k < call->node->n_params; k++) {
        for (size_t c = 0; c < call->node->width; c++)
            call->partials[k][c] = 0;
    }
    for (size_t begin = 0, rows; begin < call->rows; begin += rows) {
        rows = set_moments(&m, call, begin, centers);
        for (size_t r = 0; r < rows; r++) {
            row_moments own = moments_of(&m, r, centers);
            row_means means = means_of(call, begin + r, own, centers);
            if (call->flow[0] != SN_FLOW_NONE) backward_row(call, begin + r, own, means);
        }
    }
}

/* ty = g rstd (tx - mean(tx) - xhat mean(tx xhat)) */
static inline void push_row(const sn_push_call *call, size_t r, row_moments m, bool centers) {
    size_t n = call->at->node->width;
    const real *x = sn_row(call->at->x[0], r), *tx = sn_row(call->tx[0], r);
    const real *gain = call->at->node->n_params ? call->at->params[0] : NULL;
    real *ty = sn_row(call->ty, r);
    row_means means = plain_means(x, tx, n, m, centers);
    for (size_t c = 0; c < n; c++) {
        real d = m.rstd * (tx[c] - means.d - normalized(x[c], m) * means.product);
        ty[c] = gain ? gain[c] * d : d;
    }
}

static inline void sn_row_norm_push(const sn_push_call *call, bool centers) {
    moments m;
    for (size_t begin = 0, rows; begin < call->at->rows; begin += rows) {
        rows = set_moments(&m, call->at, begin, centers);
        for (size_t r = 0; r < rows; r++)
            push_row(call, begin + r, moments_of(&m, r, centers), centers);
    }
}
#endif

#endif
