/* One coordinate of a gradient under check: what the loss and the engine's own derivative tell around a weight.  Part
 * of study/gradcheck.c, whose header says how a coordinate is judged. */
#ifndef SN_STUDY_COORDINATE_H
#define SN_STUDY_COORDINATE_H

#include "study/gradcheck.h"

/* The weights of all tensors of an engine, one after the other, and room for as many. */
typedef struct sn_weights {
    size_t total;
    double *values, *nudged;
} sn_weights;

/* Copies the weights; for sn_weights_reset, also after a failure. */
sn_status sn_weights_take(sn_weights *weights, const sn_engine *engine, sn_error *error);
void sn_weights_reset(sn_weights *weights);

/* Elements of a tensor. */
size_t sn_weights_count(const sn_tensor *tensor);

/* The noise of the loss at the weights: over so short a way the loss is linear, so in fourth differences of losses at
 * equal distances nothing but rounding is left (Hamming's difference table; Moré & Wild, "Estimating computational
 * noise", 2011). */
double sn_coordinate_noise(const sn_gradcheck *check, const sn_weights *weights);

/* A tensor under check. */
typedef struct sn_coordinate_subject {
    const sn_gradcheck *check;
    size_t tensor;
    const sn_weights *weights;
    double *values; /* those of the tensor, within `weights` */
} sn_coordinate_subject;

typedef enum sn_coordinate_outcome {
    SN_COORDINATE_PENDING,
    SN_COORDINATE_AGREES,
    SN_COORDINATE_DISAGREES,
    SN_COORDINATE_KINK,
    SN_COORDINATE_UNSURE,
    SN_COORDINATE_BELOW,
} sn_coordinate_outcome;

typedef struct sn_coordinate_finding {
    sn_coordinate_outcome outcome; /* not PENDING */
    double difference, error; /* the finest difference, and how far the gradient is from it, relative to the larger */
} sn_coordinate_finding;

/* Tries steps at element `at` until they settle what `gradient` is.  The engine is left with the weight shifted. */
sn_coordinate_finding sn_coordinate_check(const sn_coordinate_subject *subject, size_t at, double gradient);

#endif
