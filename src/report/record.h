/* Records: what one reported step has to say, as plain numbers, derived from an observation by the definitions of the
 * columns.  NAN-free emptiness: a value that was not measured is marked, so that nan can mean "measured, not a number".
 */
#ifndef SN_REPORT_RECORD_H
#define SN_REPORT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"
#include "network/graph.h"

/* A number that may be absent. */
typedef struct sn_measure {
    bool is_measured;
    double value;
} sn_measure;

#define SN_NOT_MEASURED ((sn_measure){false, 0})

static inline sn_measure sn_measured(double value) {
    return (sn_measure){true, value};
}

/* One row of gradients.csv: see the metric table for the meaning of each value. */
typedef struct sn_layer_record {
    int64_t step;
    const sn_node *node;
    sn_measure depth_frac;
    double n_params;
    /* the weight (sn_param_kind) */
    sn_measure grad_norm, grad_rms, grad_mean_abs, grad_max_abs, grad_zero_frac, grad_denormal_frac, weight_norm;
    sn_measure update_norm, update_ratio, unchanged_frac, stalled_frac, applied_ratio;
    /* signals, per sample */
    sn_measure delta_rms, out_grad_rms, preact_mean, preact_rms, in_mean, in_rms, in_saturated_frac;
    sn_measure bias_grad_norm;
    bool is_frozen; /* see sn_records_derive */
    /* for columns that nothing else needs, which the metric table makes */
    sn_node_sums sums;                         /* all that was measured */
    const struct sn_layer_record *last_hidden; /* of the same step; NULL: there is none */
} sn_layer_record;

/* One row of loss.csv. */
typedef struct sn_loss_record {
    int64_t step;
    double epoch;
    sn_measure batch_loss, batch_accuracy, train_loss, train_accuracy, test_loss, test_accuracy, lr;
    sn_measure grad_norm, update_norm, stalled_frac, nonfinite;
    sn_measure log10_delta_ratio, decades_per_layer, frozen_layers;
} sn_loss_record;

/* Both rows of one reported step; `layers` has one record per node with parameters, in topological order. */
typedef struct sn_records {
    sn_loss_record loss;
    sn_layer_record *layers;
    int n_layers;
} sn_records;

sn_status sn_records_new(sn_records *records, const sn_graph *graph, sn_error *error);
void sn_records_reset(sn_records *records);

/* Derives what an observation says: all layer values, and of the loss record grad_norm, update_norm, stalled_frac,
 * nonfinite, log10_delta_ratio, decades_per_layer, frozen_layers.  Other values become "not measured"; step is set.
 *
 * The sums are of the batch-mean loss, so delta_rms and out_grad_rms are multiplied by the rows of the batch: the
 * gradient of the sample's own loss.  `updated`: whether the step's update was applied (else update columns are empty).
 * frozen: stalled_frac > 0.5, or no weight changed while lr > 0 and the network's grad_norm > 0.
 * log10_delta_ratio: first over last hidden layer (empty with fewer than 2 hidden layers or when either is 0 or not
 * finite); decades_per_layer: least-squares slope of log10 delta_rms over layers counted towards the input (negative:
 * vanishing), hidden layers with delta 0 left out; empty with fewer than 3 or if one is not finite.  frozen_layers
 * counts hidden layers. */
void sn_records_derive(sn_records *records, const sn_graph *graph, const sn_observation *observation, int64_t step,
                       double lr, bool updated);

#endif
