/* Batch normalization: y = g (x - mean) / sqrt(var + eps) + b for every feature, in training with mean and (biased)
 * variance over the whole batch, of images over all positions, in evaluations with running averages.
 *
 * A panel leaves its own mean and its sum of squares around it; they are merged by the formula of Chan, Golub &
 * LeVeque 1979.  Sums are in double, what is done to every element is in the backend's precision.
 *
 * In a batch of one row the variance is 0, so y is b, no gradient gets past, and the running averages stay as they are
 * (the variance that they average, with n - 1, has no value). */
#include "ops/row.h"

typedef struct batch_norm_attributes {
    double eps, momentum;
} batch_norm_attributes;

#if SN_DESCRIBES
static sn_status batch_norm_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    batch_norm_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a batch_norm");
    attributes->eps = sn_value_number(node->config, "eps");
    attributes->momentum = sn_value_number(node->config, "momentum");
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    sn_node_add_state(node, "running_mean", node->width, 0);
    sn_node_add_state(node, "running_var", node->width, 1);
    if (sn_value_bool(node->config, "affine")) {
        sn_param *gain = sn_node_add_param(node, "weight", 0, node->width, NULL);
        gain->kind = SN_PARAM_WEIGHT;
        gain->route = SN_FROM_REDUCTION;
        gain->start = 1;
        sn_param *bias = sn_node_add_param(node, "bias", 0, node->width, NULL);
        bias->kind = SN_PARAM_BIAS;
        bias->route = SN_FROM_REDUCTION;
    }
    return SN_OK;
}

static const sn_key batch_norm_keys[] = {
    {.name = "eps",
     .types = SN_NUMBER,
     .flags = SN_ABOVE_MIN,
     .fallback = "1e-5",
     .min = 0,
     .max = 1,
     .help = "added to the variance"},
    {.name = "momentum",
     .types = SN_NUMBER,
     .fallback = "0.1",
     .min = 0,
     .max = 1,
     .help = "weight of a step's batch in the running averages"},
    {.name = "affine", .types = SN_BOOL, .fallback = "true", .help = "whether g and b are learned (else 1 and 0)"},
    {0},
};

const sn_op sn_op_batch_norm = {
    .kind = {.name = "batch_norm",
             .help = "normalizes each feature over the batch (each channel of an image over the batch and all "
                     "positions), in evaluations by running averages; a batch of one row gives b, passes no gradient "
                     "on and leaves the averages as they are",
             .keys = batch_norm_keys,
             .formula = "y = g (x - mean) / sqrt(var + eps) + b, averages with the variance of n - 1",
             .source = "Ioffe & Szegedy 2015, arXiv 1502.03167; as torch.nn.BatchNorm1d and BatchNorm2d"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = 2,
    .most_states = 2,
    .role = SN_ROLE_NORM,
    .backward_reads = SN_READS_X,
    .build = batch_norm_build,
    .forward_reduction = {.part_size = 2, .total_size = 3},
    .backward_reduction = {.part_size = 2, .total_size = 2},
};
#else
#include <math.h>

enum { CHUNK = 64 }; /* features whose constants are held in the backend's precision at a time */

static size_t chunk_size(const sn_op_call *call, size_t begin) {
    return call->node->width - begin < CHUNK ? call->node->width - begin : CHUNK;
}

/* ---- sums over the batch ---- */

/* Lanes of a block that hold samples. */
static size_t samples_of(const sn_op_call *call, size_t block) {
    return sn_panel_samples(call->samples, block / call->node->positions);
}

/* Whether all panels are full: a constant of what follows, so that sums of lanes stay in registers. */
static bool is_full(const sn_op_call *call) {
    return call->samples % SN_PANEL == 0;
}

/* Around the first sample: it is one of those that are summed, so the squares around the mean keep their digits. */
SN_ALWAYS_INLINE void forward_part_feature(const sn_op_call *call, size_t c, bool full) {
    double sums[SN_PANEL] = {0}, squares[SN_PANEL] = {0}, first = (double)*sn_lanes_of(call->x[0], 0, c);
    for (size_t b = 0; b < call->blocks; b++) {
        const real *x = sn_lanes_of(call->x[0], b, c);
        size_t n = full ? SN_PANEL : samples_of(call, b);
        SN_SIMD for (size_t l = 0; l < n; l++) {
            double d = (double)x[l] - first;
            sums[l] += d;
            squares[l] += d * d;
        }
    }
    double rows = (double)(call->samples * call->node->positions), sum = sn_sum_lanes(sums);
    double rest = sn_sum_lanes(squares) - sum * sum / rows;
    call->part[c] = first + sum / rows;
    call->part[call->node->width + c] = rest < 0 ? 0 : rest; /* NaN stays */
}

/* part: mean, sum of squares around it */
static void forward_part(const sn_op_call *call) {
    bool full = is_full(call);
    for (size_t c = 0; c < call->node->width; c++) {
        if (full) {
            forward_part_feature(call, c, true);
        } else {
            forward_part_feature(call, c, false);
        }
    }
}

/* total: mean, biased variance, 1 / sqrt(var + eps) */
static void forward_merge(const sn_merge_call *call) {
    size_t width = call->node->width;
    double *mean = call->total, *spread = mean + width, *rstd = spread + width;
    double eps = ((const batch_norm_attributes *)call->node->attributes)->eps, rows = (double)call->rows;
    SN_SIMD for (size_t c = 0; c < 2 * width; c++) mean[c] = call->parts[c];
    for (size_t begin = call->part_rows, p = 1; begin < call->rows; begin += call->part_rows, p++) {
        const double *part_mean = call->parts + p * call->stride, *part_spread = part_mean + width;
        double n = (double)(call->rows - begin < call->part_rows ? call->rows - begin : call->part_rows);
        double share = n / ((double)begin + n), weight = (double)begin * share;
        SN_SIMD for (size_t c = 0; c < width; c++) {
            double d = part_mean[c] - mean[c];
            mean[c] += d * share;
            spread[c] += part_spread[c] + d * d * weight;
        }
    }
    SN_SIMD for (size_t c = 0; c < width; c++) {
        spread[c] /= rows;
        rstd[c] = 1 / sqrt(spread[c] + eps);
    }
}

SN_ALWAYS_INLINE void backward_part_feature(const sn_op_call *call, size_t c, bool full) {
    size_t width = call->node->width;
    double mean = call->forward_total[c], rstd = call->forward_total[2 * width + c];
    double products[SN_PANEL] = {0}, sums[SN_PANEL] = {0};
    for (size_t b = 0; b < call->blocks; b++) {
        const real *x = sn_lanes_of(call->x[0], b, c), *dy = sn_lanes_of(call->dy, b, c);
        size_t n = full ? SN_PANEL : samples_of(call, b);
        SN_SIMD for (size_t l = 0; l < n; l++) {
            products[l] += (double)dy[l] * ((double)x[l] - mean);
            sums[l] += (double)dy[l];
        }
    }
    call->part[c] = sn_sum_lanes(products) * rstd;
    call->part[width + c] = sn_sum_lanes(sums);
}

/* part: dg = sum dy xhat, db = sum dy, the gradients of weight and bias */
static void backward_part(const sn_op_call *call) {
    bool full = is_full(call);
    for (size_t c = 0; c < call->node->width; c++) {
        if (full) {
            backward_part_feature(call, c, true);
        } else {
            backward_part_feature(call, c, false);
        }
    }
}

/* total: the sums of both */
static void backward_merge(const sn_merge_call *call) {
    size_t n = 2 * call->node->width;
    SN_SIMD for (size_t c = 0; c < n; c++) call->total[c] = call->parts[c];
    for (size_t begin = call->part_rows, p = 1; begin < call->rows; begin += call->part_rows, p++) {
        const double *part = call->parts + p * call->stride;
        SN_SIMD for (size_t c = 0; c < n; c++) call->total[c] += part[c];
    }
}

/* ---- elements ---- */

/* The gain of feature c, 1 where there is none. */
static inline double gain_of(const sn_op_call *call, size_t c) {
    return call->node->n_params ? (double)((const real *)call->params[0])[c] : 1;
}

/* y = (x - mean - rest) factor + shift; the mean is in two parts, so that a large one costs no digits */
typedef struct forward_constants {
    real mean[CHUNK], rest[CHUNK], factor[CHUNK], shift[CHUNK];
} forward_constants;

static void set_forward(const sn_op_call *call, size_t begin, size_t n, forward_constants *k) {
    const batch_norm_attributes *attributes = call->node->attributes;
    const real *running_mean = call->states[0], *running_var = call->states[1];
    const double *mean = call->forward_total, *rstd = mean + 2 * call->node->width;
    const real *bias = call->node->n_params ? call->params[1] : NULL;
    for (size_t c = 0; c < n; c++) {
        size_t at = begin + c;
        bool trains = call->pass->is_training;
        double r = trains ? rstd[at] : 1 / sqrt((double)running_var[at] + attributes->eps);
        k->mean[c] = trains ? (real)mean[at] : running_mean[at];
        k->rest[c] = trains ? (real)(mean[at] - (double)k->mean[c]) : 0;
        k->factor[c] = (real)(gain_of(call, at) * r);
        k->shift[c] = bias ? bias[at] : 0;
    }
}

/* `lanes` lanes of `n` features of a block from `begin` on. */
SN_ALWAYS_INLINE void forward_lanes(const sn_op_call *call, size_t block, size_t begin, size_t n,
                                    const forward_constants *k, size_t lanes) {
    for (size_t c = 0; c < n; c++) {
        const real *x = sn_lanes_of(call->x[0], block, begin + c);
        real *y = sn_lanes_of(call->y, block, begin + c);
        real mean = k->mean[c], rest = k->rest[c], factor = k->factor[c], shift = k->shift[c];
        SN_SIMD for (size_t l = 0; l < lanes; l++) y[l] = (x[l] - mean - rest) * factor + shift;
    }
}

static void forward_chunk(const sn_op_call *call, size_t begin) {
    size_t n = chunk_size(call, begin);
    forward_constants k;
    set_forward(call, begin, n, &k);
    for (size_t b = 0; b < call->blocks; b++) {
        if (call->lanes == SN_PANEL) {
            forward_lanes(call, b, begin, n, &k, SN_PANEL);
        } else {
            forward_lanes(call, b, begin, n, &k, call->lanes);
        }
    }
}

static void batch_norm_forward(const sn_op_call *call) {
    for (size_t begin = 0; begin < call->node->width; begin += CHUNK)
        forward_chunk(call, begin);
}

/* dx = factor (dy - mean_dy - (x - mean - rest) slope), slope = mean(dy xhat) rstd */
typedef struct backward_constants {
    real mean[CHUNK], rest[CHUNK], factor[CHUNK], mean_dy[CHUNK], slope[CHUNK];
} backward_constants;

static void set_backward(const sn_op_call *call, size_t begin, size_t n, double share, backward_constants *k) {
    size_t width = call->node->width;
    const double *mean = call->forward_total, *rstd = mean + 2 * width;
    const double *product = call->backward_total, *sum = product + width;
    for (size_t c = 0; c < n; c++) {
        size_t at = begin + c;
        k->mean[c] = (real)mean[at];
        k->rest[c] = (real)(mean[at] - (double)k->mean[c]);
        k->factor[c] = (real)(gain_of(call, at) * rstd[at]);
        k->mean_dy[c] = (real)(sum[at] * share);
        k->slope[c] = (real)(product[at] * share * rstd[at]);
    }
}

/* `n` features of a block from `begin` on, which has `samples` samples. */
SN_ALWAYS_INLINE void backward_lanes(const sn_op_call *call, size_t block, size_t begin, size_t n,
                                     const backward_constants *k, size_t samples) {
    bool adds = call->flow[0] == SN_FLOW_ADD;
    for (size_t c = 0; c < n; c++) {
        const real *x = sn_lanes_of(call->x[0], block, begin + c), *dy = sn_lanes_of(call->dy, block, begin + c);
        const real *base = adds ? sn_lanes_of(call->base[0], block, begin + c) : NULL;
        real *dx = sn_lanes_of(call->dx[0], block, begin + c);
        real mean = k->mean[c], rest = k->rest[c], factor = k->factor[c], mean_dy = k->mean_dy[c], slope = k->slope[c];
        real d[SN_PANEL];
        SN_SIMD for (size_t l = 0; l < samples; l++) d[l] = dy[l] - mean_dy - (x[l] - mean - rest) * slope;
        if (adds) {
            SN_SIMD for (size_t l = 0; l < samples; l++) dx[l] = base[l] + factor * d[l];
        } else {
            SN_SIMD for (size_t l = 0; l < samples; l++) dx[l] = factor * d[l];
        }
        for (size_t l = samples; l < call->lanes; l++)
            dx[l] = base ? base[l] : 0;
    }
}

static void backward_chunk(const sn_op_call *call, size_t begin, double share) {
    size_t n = chunk_size(call, begin);
    backward_constants k;
    set_backward(call, begin, n, share, &k);
    for (size_t b = 0; b < call->blocks; b++) {
        size_t samples = samples_of(call, b);
        if (samples == SN_PANEL) {
            backward_lanes(call, b, begin, n, &k, SN_PANEL);
        } else {
            backward_lanes(call, b, begin, n, &k, samples);
        }
    }
}

static void batch_norm_backward(const sn_op_call *call) {
    double share = 1 / (double)(call->pass->batch * call->node->positions);
    for (size_t begin = 0; begin < call->node->width && call->flow[0] != SN_FLOW_NONE; begin += CHUNK)
        backward_chunk(call, begin, share);
}

/* The Jacobian is symmetric for every feature: what the backward pass does, with sums of the tangents. */
static void push_back(const sn_op_call *call) {
    sn_op_call own = *call;
    own.backward_total = call->part;
    backward_part(&own);
    batch_norm_backward(&own);
}

static void batch_norm_push(const sn_push_call *call) {
    sn_push_symmetric(call, push_back);
}

/* running = (1 - momentum) running + momentum batch, the variance with n - 1. */
static void batch_norm_update_states(const sn_op_call *call) {
    double m = ((const batch_norm_attributes *)call->node->attributes)->momentum;
    double rows = (double)(call->samples * call->node->positions);
    const double *mean = call->forward_total, *variance = mean + call->node->width;
    real *running_mean = call->states[0], *running_var = call->states[1];
    double unbias = rows / (rows - 1);
    for (size_t c = 0; c < call->node->width && rows > 1; c++) {
        running_mean[c] = (real)((1 - m) * (double)running_mean[c] + m * mean[c]);
        running_var[c] = (real)((1 - m) * (double)running_var[c] + m * unbias * variance[c]);
    }
}

const sn_op_kernels SN_V(sn_kernels_batch_norm) = {
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .push = batch_norm_push,
    .forward_reduction = {.part = forward_part, .merge = forward_merge},
    .backward_reduction = {.part = backward_part, .merge = backward_merge},
    .update_states = batch_norm_update_states,
};
#endif
