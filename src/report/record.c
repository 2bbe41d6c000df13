/* Owns records: the definitions of the columns, as arithmetic over the sums of an observation.
 *
 * A value is "not measured" where its sums are over nothing or its definition divides by zero; nan and inf that were
 * measured stay, so a diverging run shows where it broke. */
#include "report/record.h"

#include <math.h>
#include <stdlib.h>

static const double FROZEN_SHARE = 0.5; /* of the weights meant to change; more stalled ones freeze a layer */

sn_status sn_records_new(sn_records *records, const sn_graph *graph, sn_error *error) {
    *records = (sn_records){0};
    size_t n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].n_params > 0;
    records->layers = calloc(n > 0 ? n : 1, sizeof *records->layers);
    if (!records->layers) return sn_error_memory(error, n * sizeof *records->layers, "the records of a step");
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i].n_params > 0) records->layers[records->n_layers++].node = &graph->nodes[i];
    }
    return SN_OK;
}

void sn_records_reset(sn_records *records) {
    free(records->layers);
    *records = (sn_records){0};
}

static sn_measure ratio(double part, double whole) {
    return whole == 0 ? SN_NOT_MEASURED : sn_measured(part / whole);
}

/* Of `n` elements. */
static sn_measure norm(sn_sumsq squares, double n) {
    return n > 0 ? sn_measured(sn_sumsq_norm(squares)) : SN_NOT_MEASURED;
}

static sn_measure rms(sn_sumsq squares, double n, double factor) {
    return n > 0 ? sn_measured(sn_sumsq_rms(squares, n) * factor) : SN_NOT_MEASURED;
}

static void derive_weight(sn_layer_record *record, const sn_node_sums *sums) {
    const sn_tensor_sums *gradient = &sums->gradient;
    record->grad_norm = norm(gradient->squares, gradient->n);
    record->grad_rms = rms(gradient->squares, gradient->n, 1);
    record->grad_mean_abs = ratio(gradient->sum_abs, gradient->n);
    record->grad_max_abs = gradient->n > 0 ? sn_measured(gradient->max_abs) : SN_NOT_MEASURED;
    record->grad_zero_frac = ratio(gradient->zeros, gradient->n);
    record->grad_denormal_frac = ratio(gradient->denormals, gradient->n);
    record->weight_norm = norm(sums->weight, gradient->n);
    record->bias_grad_norm = norm(sums->bias_gradient.squares, sums->bias_gradient.n);
}

/* `change` without elements: the step diverged before this tensor was updated. */
static void derive_update(sn_layer_record *record, const sn_change_sums *change) {
    if (change->n == 0) return;
    record->update_norm = sn_measured(sn_sumsq_norm(change->change));
    if (record->weight_norm.is_measured) {
        record->update_ratio = ratio(record->update_norm.value, record->weight_norm.value);
    }
    record->unchanged_frac = ratio(change->unchanged, change->n);
    record->stalled_frac = ratio(change->stalled, change->intended);
    record->applied_ratio = ratio(change->sum_abs_change, change->sum_abs_intended);
}

/* Sums are of the gradient of the batch-mean loss; that of a sample's own loss is `rows` times larger.  By class
 * weights that divide the mean it is that loss times its weight over the mean weight of the batch. */
static void derive_signals(sn_layer_record *record, const sn_node_sums *sums, double rows) {
    record->delta_rms = rms(sums->delta.squares, sums->delta.n, rows);
    record->out_grad_rms = rms(sums->carried.squares, sums->carried.n, rows);
    record->preact_mean = ratio(sums->output.sum, sums->output.n);
    record->preact_rms = rms(sums->output.squares, sums->output.n, 1);
    record->in_mean = ratio(sums->input.sum, sums->input.n);
    record->in_rms = rms(sums->input.squares, sums->input.n, 1);
    if (sums->saturated >= 0) record->in_saturated_frac = ratio(sums->saturated, sums->input.n);
}

static double count_params(const sn_node *node) {
    double n = 0;
    for (int p = 0; p < node->n_params; p++)
        n += (double)node->params[p].count;
    return n;
}

/* `can_move`: lr and the network's gradient are above zero, so a layer without any change is one that lost its update
 * on the way, be it to an exact zero. */
static bool is_frozen(const sn_layer_record *record, bool can_move) {
    if (!record->unchanged_frac.is_measured) return false;
    if (record->stalled_frac.is_measured && record->stalled_frac.value > FROZEN_SHARE) return true;
    return can_move && record->unchanged_frac.value == 1;
}

static bool is_hidden(const sn_layer_record *record) {
    return record->node->role == SN_ROLE_HIDDEN;
}

static sn_measure delta_ratio(const sn_records *records) {
    const sn_layer_record *first = NULL, *last = NULL;
    for (int k = 0; k < records->n_layers; k++) {
        if (!is_hidden(&records->layers[k])) continue;
        if (!first) first = &records->layers[k];
        last = &records->layers[k];
    }
    if (first == last || !first->delta_rms.is_measured || !last->delta_rms.is_measured) return SN_NOT_MEASURED;
    double value = log10(first->delta_rms.value) - log10(last->delta_rms.value);
    return isfinite(value) ? sn_measured(value) : SN_NOT_MEASURED;
}

/* The sums of a straight line through (hidden layers counted towards the input, log10 delta_rms). */
typedef struct line {
    double n, mean_x, mean_y, xx, xy;
} line;

static void add_point(line *fit, double x, double y, bool is_second_pass) {
    if (is_second_pass) {
        fit->xx += (x - fit->mean_x) * (x - fit->mean_x);
        fit->xy += (x - fit->mean_x) * (y - fit->mean_y);
    } else {
        fit->n++;
        fit->mean_x += (x - fit->mean_x) / fit->n;
        fit->mean_y += (y - fit->mean_y) / fit->n;
    }
}

/* Two passes, the means first: a slope near zero must not be what cancellation leaves. */
static sn_measure delta_slope(const sn_records *records) {
    line fit = {0};
    for (int pass = 0; pass < 2; pass++) {
        double x = 0;
        for (int k = 0; k < records->n_layers; k++) {
            const sn_layer_record *record = &records->layers[k];
            if (!is_hidden(record)) continue;
            x--;
            if (!record->delta_rms.is_measured || record->delta_rms.value == 0) continue;
            add_point(&fit, x, log10(record->delta_rms.value), pass == 1);
        }
    }
    if (fit.n < 3 || !isfinite(fit.xy)) return SN_NOT_MEASURED;
    return sn_measured(fit.xy / fit.xx);
}

static void tell_last_hidden(sn_records *records) {
    const sn_layer_record *last = NULL;
    for (int k = 0; k < records->n_layers; k++) {
        if (is_hidden(&records->layers[k])) last = &records->layers[k];
    }
    for (int k = 0; k < records->n_layers; k++)
        records->layers[k].last_hidden = last;
}

static bool is_held(const sn_layer_record *record) {
    for (int p = 0; p < record->node->n_params; p++) {
        const sn_param *param = &record->node->params[p];
        if (param->kind == SN_PARAM_WEIGHT) return param->is_held;
    }
    return false;
}

/* Not measured where the config holds all hidden layers: of these nothing can be said. */
static sn_measure count_frozen(sn_records *records, bool can_move) {
    int n_hidden = 0, n_held = 0, n_frozen = 0;
    for (int k = 0; k < records->n_layers; k++) {
        sn_layer_record *record = &records->layers[k];
        record->is_frozen = is_frozen(record, can_move);
        if (!is_hidden(record)) continue;
        n_hidden++;
        n_held += is_held(record);
        n_frozen += record->is_frozen;
    }
    return n_hidden > 0 && n_held == n_hidden ? SN_NOT_MEASURED : sn_measured(n_frozen);
}

static void derive_network(sn_records *records, const sn_observation *observation, double lr, bool updated) {
    sn_loss_record *loss = &records->loss;
    for (int k = 0; k < observation->n_nodes && !loss->grad_norm.is_measured; k++) {
        if (observation->nodes[k].gradient.n > 0) loss->grad_norm = sn_measured(sn_sumsq_norm(observation->gradient));
    }
    loss->nonfinite = sn_measured(observation->nonfinite);
    loss->log10_delta_ratio = delta_ratio(records);
    loss->decades_per_layer = delta_slope(records);
    if (!updated || observation->change.n == 0) return;
    loss->update_norm = sn_measured(sn_sumsq_norm(observation->change.change));
    loss->stalled_frac = ratio(observation->change.stalled, observation->change.intended);
    bool can_move = lr > 0 && loss->grad_norm.is_measured && loss->grad_norm.value > 0;
    loss->frozen_layers = count_frozen(records, can_move);
}

void sn_records_derive(sn_records *records, const sn_graph *graph, const sn_observation *observation, int64_t step,
                       double lr, bool updated) {
    int n_hidden = graph->n_hidden, hidden = 0;
    records->loss = (sn_loss_record){.step = step};
    for (int k = 0; k < records->n_layers; k++) {
        const sn_node_sums *sums = &observation->nodes[k];
        sn_layer_record *record = &records->layers[k];
        *record = (sn_layer_record){.step = step, .node = &graph->nodes[sums->node], .sums = *sums};
        record->n_params = count_params(record->node);
        if (is_hidden(record)) {
            record->depth_frac = sn_measured(n_hidden > 1 ? (double)hidden / (double)(n_hidden - 1) : 0);
            hidden++;
        }
        derive_weight(record, sums);
        if (updated) derive_update(record, &sums->change);
        derive_signals(record, sums, (double)observation->rows);
    }
    tell_last_hidden(records);
    derive_network(records, observation, lr, updated);
}
