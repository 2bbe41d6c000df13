/* What kernels of losses share: targets of a panel, and sums over its samples. */
#ifndef SN_OPS_TARGETS_H
#define SN_OPS_TARGETS_H

#include "ops/row.h"

/* The first largest output of every lane, and which it is. */
typedef struct sn_largest {
    real value[SN_PANEL];
    sn_count output[SN_PANEL];
} sn_largest;

SN_ALWAYS_INLINE void sn_set_largest(sn_largest *best, const sn_loss_call *call, size_t lanes) {
    const real *first = sn_lanes_of(call->y, 0, 0);
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        best->value[l] = first[l];
        best->output[l] = 0;
    }
    for (size_t j = 1; j < call->width; j++) {
        const real *z = sn_lanes_of(call->y, 0, j);
        sn_count own = (sn_count)j;
        SN_SIMD for (size_t l = 0; l < lanes; l++) {
            bool is_larger = z[l] > best->value[l];
            best->value[l] = is_larger ? z[l] : best->value[l];
            best->output[l] = is_larger ? own : best->output[l];
        }
    }
}

/* The sample of lane l; idle lanes have the last. */
static inline size_t sn_sample_of(const sn_loss_call *call, size_t l) {
    return call->indices[l < call->rows ? l : call->rows - 1];
}

/* (width) What lane l is held to: the targets of its sample, or 1 at its label and 0 elsewhere. */
static inline const double *sn_target_of(const sn_loss_call *call, size_t l) {
    size_t sample = sn_sample_of(call, l), width = call->width;
    if (call->one_hot) return call->one_hot + (width - 1 - call->samples->labels[sample]);
    return call->samples->targets + sample * width;
}

/* The sums of the samples' losses, in the order of the lanes.  A sample is right where its largest output is its label,
 * never where its loss is NaN. */
static inline sn_loss_sums sn_sums_of(const sn_loss_call *call, const double loss[SN_PANEL], const sn_largest *best) {
    sn_loss_sums sums = {0, 0};
    for (size_t l = 0; l < call->rows; l++) {
        sums.loss += loss[l];
        if (call->samples->labels)
            sums.correct += loss[l] == loss[l] && best->output[l] == call->samples->labels[call->indices[l]];
    }
    return sums;
}

/* Zeros in the gradient behind the samples. */
static inline void sn_clear_idle(const sn_loss_call *call) {
    for (size_t j = 0; j < call->width && call->dy.data; j++) {
        for (size_t l = call->rows; l < call->lanes; l++)
            sn_lanes_of(call->dy, 0, j)[l] = 0;
    }
}

/* Adds to the losses of the lanes those of one output z, whose targets are t; slope: d loss / d z. */
typedef void sn_add_output(double *loss, double *slope, const real *z, const double *t, size_t lanes);

SN_ALWAYS_INLINE sn_loss_sums sn_sum_outputs(const sn_loss_call *call, sn_add_output *add_output, size_t lanes) {
    const double *target[SN_PANEL];
    double loss[SN_PANEL] = {0}, per_output = 1 / (double)call->width, weight = call->weight * per_output;
    sn_largest best;
    sn_set_largest(&best, call, lanes);
    for (size_t l = 0; l < lanes; l++)
        target[l] = sn_target_of(call, l);
    for (size_t j = 0; j < call->width; j++) {
        double t[SN_PANEL], slope[SN_PANEL];
        for (size_t l = 0; l < lanes; l++)
            t[l] = target[l][j];
        add_output(loss, slope, sn_lanes_of(call->y, 0, j), t, lanes);
        if (!call->dy.data) continue;
        real *dz = sn_lanes_of(call->dy, 0, j);
        SN_SIMD for (size_t l = 0; l < lanes; l++) dz[l] = (real)(weight * slope[l]);
    }
    SN_SIMD for (size_t l = 0; l < lanes; l++) loss[l] *= per_output;
    return sn_sums_of(call, loss, &best);
}

/* The mean over the outputs of what each adds by itself. */
SN_ALWAYS_INLINE sn_loss_sums sn_mean_of_outputs(const sn_loss_call *call, sn_add_output *add_output) {
    bool is_whole = call->lanes == SN_PANEL;
    sn_loss_sums sums =
        is_whole ? sn_sum_outputs(call, add_output, SN_PANEL) : sn_sum_outputs(call, add_output, call->lanes);
    sn_clear_idle(call);
    return sums;
}

#endif
