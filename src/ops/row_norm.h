/* What the norms of a row share, that is of a vector, or of one position of an image (its channels):
 *
 *     y = g (x - mean) / sqrt(spread + eps) + b
 *
 * layer_norm centers: its spread is the (biased) variance.  rms_norm does not: its mean is 0, its spread the mean
 * square, and there is no b.  Not for other rooms.
 *
 * Mean and spread are formed in double, and formed again in the backward pass: cheaper than a place to keep them.
 * What is done to every element is in the backend's precision, with the mean in two parts, so that a large mean costs
 * no digits.  Every lane of a block is a row of its own, summed in the order of its features.
 *
 * `centers` is a constant of the caller, so that of an rms_norm the mean is no work, and so is `lanes` where all lanes
 * are computed. */
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

/* Those of the lanes of a block in the backend's precision; the mean is `mean` + `rest`, and 0 where nothing centers.
 */
typedef struct moments {
    real mean[SN_PANEL], rest[SN_PANEL], rstd[SN_PANEL];
} moments;

/* Around the row's first element: it is one of those that are summed, so the squares around the mean keep their digits.
 */
SN_ALWAYS_INLINE void set_centered(double *mean, double *spread, const real *x, size_t n, size_t lanes) {
    double first[SN_PANEL], sum[SN_PANEL] = {0}, squares[SN_PANEL] = {0}, count = (double)n;
    SN_SIMD for (size_t l = 0; l < lanes; l++) first[l] = (double)x[l];
    for (size_t c = 1; c < n; c++) {
        const real *own = x + c * SN_PANEL;
        SN_SIMD for (size_t l = 0; l < lanes; l++) {
            double d = (double)own[l] - first[l];
            sum[l] += d;
            squares[l] += d * d;
        }
    }
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        double offset = sum[l] / count, variance = squares[l] / count - offset * offset;
        mean[l] = first[l] + offset;
        spread[l] = variance < 0 ? 0 : variance; /* NaN stays */
    }
}

SN_ALWAYS_INLINE void set_plain(double *spread, const real *x, size_t n, size_t lanes) {
    double squares[SN_PANEL] = {0}, count = (double)n;
    for (size_t c = 0; c < n; c++) {
        const real *own = x + c * SN_PANEL;
        SN_SIMD for (size_t l = 0; l < lanes; l++) squares[l] += (double)own[l] * (double)own[l];
    }
    SN_SIMD for (size_t l = 0; l < lanes; l++) spread[l] = squares[l] / count;
}

SN_ALWAYS_INLINE void set_moments(moments *m, const sn_op_call *call, size_t block, bool centers, size_t lanes) {
    double eps = ((const sn_row_norm *)call->node->attributes)->eps, mean[SN_PANEL] = {0}, spread[SN_PANEL];
    const real *x = sn_lanes_of(call->x[0], block, 0);
    if (eps == 0) eps = sizeof(real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
    if (centers) {
        set_centered(mean, spread, x, call->node->width, lanes);
    } else {
        set_plain(spread, x, call->node->width, lanes);
    }
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        m->mean[l] = (real)mean[l];
        m->rest[l] = (real)(mean[l] - (double)m->mean[l]);
        m->rstd[l] = (real)(1 / sqrt(spread[l] + eps));
    }
}

/* (x - mean) / sqrt(spread + eps) of lane l. */
SN_ALWAYS_INLINE real normalized(real x, const moments *m, size_t l, bool centers) {
    return (centers ? x - m->mean[l] - m->rest[l] : x) * m->rstd[l];
}

SN_ALWAYS_INLINE void forward_block(const sn_op_call *call, size_t block, bool centers, size_t lanes) {
    const sn_node *node = call->node;
    const real *gain = node->n_params ? call->params[0] : NULL;
    const real *bias = node->n_params && centers ? call->params[1] : NULL;
    moments m;
    set_moments(&m, call, block, centers, lanes);
    for (size_t c = 0; c < node->width; c++) {
        const real *x = sn_lanes_of(call->x[0], block, c);
        real *y = sn_lanes_of(call->y, block, c), g = gain ? gain[c] : 1, b = bias ? bias[c] : 0;
        if (bias) {
            SN_SIMD for (size_t l = 0; l < lanes; l++) y[l] = g * normalized(x[l], &m, l, centers) + b;
        } else {
            SN_SIMD for (size_t l = 0; l < lanes; l++) y[l] = g * normalized(x[l], &m, l, centers);
        }
    }
}

SN_ALWAYS_INLINE void sn_row_norm_forward(const sn_op_call *call, bool centers) {
    for (size_t b = 0; b < call->blocks; b++) {
        if (call->lanes == SN_PANEL) {
            forward_block(call, b, centers, SN_PANEL);
        } else {
            forward_block(call, b, centers, call->lanes);
        }
    }
}

/* One block: its input, and a gradient by the norm's output or a tangent of the input. */
typedef struct norm_block {
    const real *x, *d;
    size_t n, lanes;
    bool centers;
} norm_block;

/* Means over the rows of g d, which only what centers takes off, and of g d xhat. */
typedef struct row_means {
    real d[SN_PANEL], product[SN_PANEL];
} row_means;

/* `gain` NULL: g is 1.  With `partials` dg += d xhat, db += d, too. */
SN_ALWAYS_INLINE void set_means(row_means *means, const moments *m, norm_block k, const real *gain,
                                double *const *partials) {
    double sum[SN_PANEL] = {0}, product[SN_PANEL] = {0}, count = (double)k.n;
    for (size_t c = 0; c < k.n; c++) {
        const real *x = k.x + c * SN_PANEL, *d = k.d + c * SN_PANEL;
        double g = gain ? (double)gain[c] : 1, by_gain[SN_PANEL] = {0}, by_bias[SN_PANEL] = {0};
        SN_SIMD for (size_t l = 0; l < k.lanes; l++) {
            by_bias[l] = (double)d[l];
            by_gain[l] = by_bias[l] * (double)normalized(x[l], m, l, k.centers);
            sum[l] += by_bias[l] * g;
            product[l] += by_gain[l] * g;
        }
        if (partials) partials[0][c] += sn_sum_lanes(by_gain);
        if (partials && k.centers) partials[1][c] += sn_sum_lanes(by_bias);
    }
    SN_SIMD for (size_t l = 0; l < k.lanes; l++) {
        means->d[l] = k.centers ? (real)(sum[l] / count) : 0;
        means->product[l] = (real)(product[l] / count);
    }
}

/* dx = rstd (g dy - mean(g dy) - xhat mean(g dy xhat)) */
SN_ALWAYS_INLINE void set_dx(const sn_op_call *call, size_t block, norm_block k, const moments *m,
                             const row_means *means) {
    const real *gain = call->node->n_params ? call->params[0] : NULL;
    bool adds = call->flow[0] == SN_FLOW_ADD;
    for (size_t c = 0; c < k.n; c++) {
        const real *x = k.x + c * SN_PANEL, *dy = k.d + c * SN_PANEL;
        const real *base = adds ? sn_lanes_of(call->base[0], block, c) : NULL;
        real *dx = sn_lanes_of(call->dx[0], block, c), g = gain ? gain[c] : 1, own[SN_PANEL];
        SN_SIMD for (size_t l = 0; l < k.lanes; l++) own[l] =
            g * dy[l] - means->d[l] - normalized(x[l], m, l, k.centers) * means->product[l];
        if (adds) {
            SN_SIMD for (size_t l = 0; l < k.lanes; l++) dx[l] = base[l] + m->rstd[l] * own[l];
        } else {
            SN_SIMD for (size_t l = 0; l < k.lanes; l++) dx[l] = m->rstd[l] * own[l];
        }
    }
}

SN_ALWAYS_INLINE norm_block block_of(const sn_op_call *call, size_t block, sn_view d, bool centers, size_t lanes) {
    const real *x = sn_lanes_of(call->x[0], block, 0);
    return (norm_block){x, sn_lanes_of(d, block, 0), call->node->width, lanes, centers};
}

SN_ALWAYS_INLINE void backward_block(const sn_op_call *call, size_t block, bool centers, size_t lanes) {
    norm_block k = block_of(call, block, call->dy, centers, lanes);
    moments m;
    row_means means;
    set_moments(&m, call, block, centers, lanes);
    if (call->node->n_params) {
        set_means(&means, &m, k, call->params[0], call->partials);
    } else {
        set_means(&means, &m, k, NULL, NULL);
    }
    if (call->flow[0] != SN_FLOW_NONE) set_dx(call, block, k, &m, &means);
}

SN_ALWAYS_INLINE void sn_row_norm_backward(const sn_op_call *call, bool centers) {
    for (int k = 0; k < call->node->n_params; k++) {
        for (size_t c = 0; c < call->node->width; c++)
            call->partials[k][c] = 0;
    }
    for (size_t b = 0; b < call->blocks; b++) {
        if (call->lanes == SN_PANEL) {
            backward_block(call, b, centers, SN_PANEL);
        } else {
            backward_block(call, b, centers, call->lanes);
        }
    }
}

/* ty = g rstd (tx - mean(tx) - xhat mean(tx xhat)) */
SN_ALWAYS_INLINE void push_block(const sn_push_call *call, size_t block, bool centers) {
    const sn_op_call *at = call->at;
    const real *gain = at->node->n_params ? at->params[0] : NULL;
    norm_block k = block_of(at, block, call->tx[0], centers, at->lanes);
    moments m;
    row_means means;
    set_moments(&m, at, block, centers, at->lanes);
    set_means(&means, &m, k, NULL, NULL);
    for (size_t c = 0; c < k.n; c++) {
        const real *x = k.x + c * SN_PANEL, *tx = k.d + c * SN_PANEL;
        real *ty = sn_lanes_of(call->ty, block, c), g = gain ? gain[c] : 1;
        for (size_t l = 0; l < k.lanes; l++)
            ty[l] = g * (m.rstd[l] * (tx[l] - means.d[l] - normalized(x[l], &m, l, centers) * means.product[l]));
    }
}

SN_ALWAYS_INLINE void sn_row_norm_push(const sn_push_call *call, bool centers) {
    for (size_t b = 0; b < call->at->blocks; b++)
        push_block(call, b, centers);
}
#endif

#endif
