/* What the norms of a row share.  A row is a vector, or one position of an image (its channels); of group_norm a group
 * of channels at all positions:
 *
 *     y = g (x - mean) / sqrt(spread + eps) + b
 *
 * layer_norm and group_norm center: their spread is the (biased) variance.  rms_norm does not: its mean is 0, its
 * spread the mean square, and there is no b.  Not for other rooms.
 *
 * Mean and spread are formed in double, and formed again in the backward pass: cheaper than a place to keep them.
 * What is done to every element is in the backend's precision, with the mean in two parts, so that a large mean costs
 * no digits.  Every lane of a block is in a row of its own, summed in the order of its positions and features.
 *
 * What a norm does is a constant of the caller (sn_norm), so that of an rms_norm the mean is no work, and so is `lanes`
 * where all lanes are computed. */
#ifndef SN_OPS_ROW_NORM_H
#define SN_OPS_ROW_NORM_H

#include "ops/row.h"

typedef struct sn_row_norm {
    double eps;    /* 0: the machine epsilon of the precision */
    size_t groups; /* rows that the features are cut into: 1, but for group_norm */
} sn_row_norm;

/* What a norm does. */
typedef struct sn_norm {
    bool centers, has_groups;
} sn_norm;

#if SN_DESCRIBES
/* The keys of norms that center. */
#define SN_NORM_KEYS                                                                                                   \
    {.name = "eps",                                                                                                    \
     .types = SN_NUMBER,                                                                                               \
     .flags = SN_ABOVE_MIN,                                                                                            \
     .fallback = "1e-5",                                                                                               \
     .min = 0,                                                                                                         \
     .max = 1,                                                                                                         \
     .help = "added to the variance"},                                                                                 \
    {                                                                                                                  \
        .name = "affine", .types = SN_BOOL, .fallback = "true", .help = "whether g and b are learned (else 1 and 0)"   \
    }

static inline void sn_row_norm_add_param(sn_node *node, const char *name, sn_param_kind kind, double start) {
    sn_param *param = sn_node_add_param(node, name, 0, node->width, NULL);
    param->kind = kind;
    param->route = SN_FROM_PARTIALS;
    param->start = start;
}

static inline sn_status sn_row_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_norm norm,
                                          sn_error *error) {
    sn_row_norm *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a norm");
    const sn_value *eps = sn_value_get(node->config, "eps");
    attributes->eps = eps ? sn_value_number(eps, "") : 0;
    attributes->groups = 1;
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    bool is_affine = sn_value_bool(node->config, "affine");
    if (is_affine) sn_row_norm_add_param(node, "weight", SN_PARAM_WEIGHT, 1);
    if (is_affine && norm.centers) sn_row_norm_add_param(node, "bias", SN_PARAM_BIAS, 0);
    return SN_OK;
}
#else
#include <float.h>
#include <math.h>

/* A row: some features of some blocks that follow each other, of the input or of what goes with it. */
typedef struct row {
    size_t block, blocks, feature, features;
} row;

/* The row that begins with a feature of a block. */
SN_ALWAYS_INLINE row row_at(const sn_op_call *call, size_t block, size_t feature, sn_norm norm) {
    const sn_row_norm *attributes = call->node->attributes;
    size_t width = call->node->width;
    return (row){block, norm.has_groups ? call->node->positions : 1, feature,
                 norm.has_groups ? width / attributes->groups : width};
}

SN_ALWAYS_INLINE double count_of(row r) {
    return (double)(r.blocks * r.features);
}

/* Every block `b` and feature `c` of a row. */
#define FOR_ROW(r)                                                                                                     \
    for (size_t b = (r).block; b < (r).block + (r).blocks; b++)                                                        \
        for (size_t c = (r).feature; c < (r).feature + (r).features; c++)

/* Those of the lanes of a row in the backend's precision; the mean is `mean` + `rest`, and 0 where nothing centers. */
typedef struct moments {
    real mean[SN_PANEL], rest[SN_PANEL], rstd[SN_PANEL];
} moments;

/* Around the row's first element: it is one of those that are summed, so the squares around the mean keep their digits.
 */
SN_ALWAYS_INLINE void set_centered(double *mean, double *spread, sn_view x, row r, size_t lanes) {
    double first[SN_PANEL], sum[SN_PANEL] = {0}, squares[SN_PANEL] = {0}, count = count_of(r);
    const real *start = sn_lanes_of(x, r.block, r.feature);
    SN_SIMD for (size_t l = 0; l < lanes; l++) first[l] = (double)start[l];
    FOR_ROW(r) {
        const real *own = sn_lanes_of(x, b, c);
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

SN_ALWAYS_INLINE void set_plain(double *spread, sn_view x, row r, size_t lanes) {
    double squares[SN_PANEL] = {0}, count = count_of(r);
    FOR_ROW(r) {
        const real *own = sn_lanes_of(x, b, c);
        SN_SIMD for (size_t l = 0; l < lanes; l++) squares[l] += (double)own[l] * (double)own[l];
    }
    SN_SIMD for (size_t l = 0; l < lanes; l++) spread[l] = squares[l] / count;
}

SN_ALWAYS_INLINE void set_moments(moments *m, const sn_op_call *call, row r, sn_norm norm, size_t lanes) {
    double eps = ((const sn_row_norm *)call->node->attributes)->eps, mean[SN_PANEL] = {0}, spread[SN_PANEL];
    if (eps == 0) eps = sizeof(real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
    if (norm.centers) {
        set_centered(mean, spread, call->x[0], r, lanes);
    } else {
        set_plain(spread, call->x[0], r, lanes);
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

SN_ALWAYS_INLINE void forward_row(const sn_op_call *call, row r, sn_norm norm, size_t lanes) {
    const sn_node *node = call->node;
    const real *gain = node->n_params ? call->params[0] : NULL;
    const real *bias = node->n_params && norm.centers ? call->params[1] : NULL;
    moments m;
    set_moments(&m, call, r, norm, lanes);
    FOR_ROW(r) {
        const real *x = sn_lanes_of(call->x[0], b, c);
        real *y = sn_lanes_of(call->y, b, c), g = gain ? gain[c] : 1, shift = bias ? bias[c] : 0;
        if (bias) {
            SN_SIMD for (size_t l = 0; l < lanes; l++) y[l] = g * normalized(x[l], &m, l, norm.centers) + shift;
        } else {
            SN_SIMD for (size_t l = 0; l < lanes; l++) y[l] = g * normalized(x[l], &m, l, norm.centers);
        }
    }
}

/* What is done to a row of a call, of its forward or of its backward pass. */
typedef void row_pass(const sn_op_call *call, row r, sn_norm norm, size_t lanes);

SN_ALWAYS_INLINE void pass_row(const sn_op_call *call, row r, sn_norm norm, row_pass *pass) {
    if (call->lanes == SN_PANEL) {
        pass(call, r, norm, SN_PANEL);
    } else {
        pass(call, r, norm, call->lanes);
    }
}

SN_ALWAYS_INLINE void pass_rows(const sn_op_call *call, sn_norm norm, row_pass *pass) {
    row r = row_at(call, 0, 0, norm);
    for (r.block = 0; r.block < call->blocks; r.block += r.blocks) {
        for (r.feature = 0; r.feature < call->node->width; r.feature += r.features)
            pass_row(call, r, norm, pass);
    }
}

SN_ALWAYS_INLINE void sn_row_norm_forward(const sn_op_call *call, sn_norm norm) {
    pass_rows(call, norm, forward_row);
}

/* Means over the rows of g d, which only what centers takes off, and of g d xhat; `d` is a gradient by the norm's
 * output or a tangent of the input. */
typedef struct row_means {
    real d[SN_PANEL], product[SN_PANEL];
} row_means;

/* What the means are taken of.  `gain` NULL: g is 1.  With `partials` dg += d xhat, db += d, too. */
typedef struct weighed {
    sn_view x, d;
    const real *gain;
    double *const *partials;
    size_t lanes;
} weighed;

SN_ALWAYS_INLINE void set_means(row_means *means, const moments *m, weighed w, row r, sn_norm norm) {
    double sum[SN_PANEL] = {0}, product[SN_PANEL] = {0}, count = count_of(r);
    FOR_ROW(r) {
        const real *x = sn_lanes_of(w.x, b, c), *own = sn_lanes_of(w.d, b, c);
        double g = w.gain ? (double)w.gain[c] : 1, by_gain[SN_PANEL] = {0}, by_bias[SN_PANEL] = {0};
        SN_SIMD for (size_t l = 0; l < w.lanes; l++) {
            by_bias[l] = (double)own[l];
            by_gain[l] = by_bias[l] * (double)normalized(x[l], m, l, norm.centers);
            sum[l] += by_bias[l] * g;
            product[l] += by_gain[l] * g;
        }
        if (w.partials) w.partials[0][c] += sn_sum_lanes(by_gain);
        if (w.partials && norm.centers) w.partials[1][c] += sn_sum_lanes(by_bias);
    }
    SN_SIMD for (size_t l = 0; l < w.lanes; l++) {
        means->d[l] = norm.centers ? (real)(sum[l] / count) : 0;
        means->product[l] = (real)(product[l] / count);
    }
}

/* dx = rstd (g dy - mean(g dy) - xhat mean(g dy xhat)) */
SN_ALWAYS_INLINE void set_dx(const sn_op_call *call, row r, sn_norm norm, const moments *m, const row_means *means,
                             size_t lanes) {
    const real *gain = call->node->n_params ? call->params[0] : NULL;
    bool adds = call->flow[0] == SN_FLOW_ADD;
    FOR_ROW(r) {
        const real *x = sn_lanes_of(call->x[0], b, c), *dy = sn_lanes_of(call->dy, b, c);
        const real *base = adds ? sn_lanes_of(call->base[0], b, c) : NULL;
        real *dx = sn_lanes_of(call->dx[0], b, c), g = gain ? gain[c] : 1, own[SN_PANEL];
        SN_SIMD for (size_t l = 0; l < lanes; l++) own[l] =
            g * dy[l] - means->d[l] - normalized(x[l], m, l, norm.centers) * means->product[l];
        if (adds) {
            SN_SIMD for (size_t l = 0; l < lanes; l++) dx[l] = base[l] + m->rstd[l] * own[l];
        } else {
            SN_SIMD for (size_t l = 0; l < lanes; l++) dx[l] = m->rstd[l] * own[l];
        }
    }
}

SN_ALWAYS_INLINE void backward_row(const sn_op_call *call, row r, sn_norm norm, size_t lanes) {
    bool has_gain = call->node->n_params > 0;
    moments m;
    row_means means;
    set_moments(&m, call, r, norm, lanes);
    if (has_gain) {
        set_means(&means, &m, (weighed){call->x[0], call->dy, call->params[0], call->partials, lanes}, r, norm);
    } else {
        set_means(&means, &m, (weighed){.x = call->x[0], .d = call->dy, .lanes = lanes}, r, norm);
    }
    if (call->flow[0] != SN_FLOW_NONE) set_dx(call, r, norm, &m, &means, lanes);
}

SN_ALWAYS_INLINE void sn_row_norm_backward(const sn_op_call *call, sn_norm norm) {
    for (int k = 0; k < call->node->n_params; k++) {
        for (size_t c = 0; c < call->node->width; c++)
            call->partials[k][c] = 0;
    }
    pass_rows(call, norm, backward_row);
}

/* ty = g rstd (tx - mean(tx) - xhat mean(tx xhat)) */
SN_ALWAYS_INLINE void push_row(const sn_push_call *call, row r, sn_norm norm) {
    const sn_op_call *at = call->at;
    const real *gain = at->node->n_params ? at->params[0] : NULL;
    moments m;
    row_means means;
    set_moments(&m, at, r, norm, at->lanes);
    set_means(&means, &m, (weighed){.x = at->x[0], .d = call->tx[0], .lanes = at->lanes}, r, norm);
    FOR_ROW(r) {
        const real *x = sn_lanes_of(at->x[0], b, c), *tx = sn_lanes_of(call->tx[0], b, c);
        real *ty = sn_lanes_of(call->ty, b, c), g = gain ? gain[c] : 1;
        for (size_t l = 0; l < at->lanes; l++)
            ty[l] = g * (m.rstd[l] * (tx[l] - means.d[l] - normalized(x[l], &m, l, norm.centers) * means.product[l]));
    }
}

SN_ALWAYS_INLINE void sn_row_norm_push(const sn_push_call *call, sn_norm norm) {
    row r = row_at(call->at, 0, 0, norm);
    for (r.block = 0; r.block < call->at->blocks; r.block += r.blocks) {
        for (r.feature = 0; r.feature < call->at->node->width; r.feature += r.features)
            push_row(call, r, norm);
    }
}

/* The kernels of a norm, and their table. */
#define SN_ROW_NORM_KERNELS(op, norm)                                                                                  \
    static void op##_forward(const sn_op_call *call) {                                                                 \
        sn_row_norm_forward(call, norm);                                                                               \
    }                                                                                                                  \
    static void op##_backward(const sn_op_call *call) {                                                                \
        sn_row_norm_backward(call, norm);                                                                              \
    }                                                                                                                  \
    static void op##_push(const sn_push_call *call) {                                                                  \
        sn_row_norm_push(call, norm);                                                                                  \
    }                                                                                                                  \
    const sn_op_kernels SN_V(sn_kernels_##op) = {                                                                      \
        .forward = op##_forward,                                                                                       \
        .backward = op##_backward,                                                                                     \
        .push = op##_push,                                                                                             \
    }
#endif

#endif
