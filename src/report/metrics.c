/* Owns the tables of metrics: what the columns of loss.csv and gradients.csv are called, measured in, mean and hold.
 *
 * A row's help is the definition of its column: it stands as it is in datapackage.json and in `skipnet list metrics`.
 * Columns are read by name from outside, so a new one goes at the end of its table. */
#include "report/metrics.h"

static sn_metric_cell integer_cell(int64_t integer) {
    return (sn_metric_cell){.kind = SN_CELL_INTEGER, .integer = integer};
}

static sn_metric_cell number_cell(double number) {
    return (sn_metric_cell){.kind = SN_CELL_NUMBER, .number = number};
}

static sn_metric_cell text_cell(const char *text) {
    return (sn_metric_cell){.kind = SN_CELL_TEXT, .text = text};
}

static sn_metric_cell measure_cell(sn_measure measure) {
    return measure.is_measured ? number_cell(measure.value) : (sn_metric_cell){.kind = SN_CELL_EMPTY};
}

/* Counts are gathered in double, which is exact far beyond any number of weights. */
static sn_metric_cell count_cell(sn_measure measure) {
    return measure.is_measured ? integer_cell((int64_t)measure.value) : (sn_metric_cell){.kind = SN_CELL_EMPTY};
}

#define LOSS_CELL(name, cell)                                                                                          \
    static sn_metric_cell loss_##name(const sn_loss_record *record) {                                                  \
        return cell;                                                                                                   \
    }
#define LOSS_MEASURE(name) LOSS_CELL(name, measure_cell(record->name))

LOSS_CELL(step, integer_cell(record->step))
LOSS_CELL(epoch, number_cell(record->epoch))
LOSS_MEASURE(batch_loss)
LOSS_MEASURE(batch_accuracy)
LOSS_MEASURE(train_loss)
LOSS_MEASURE(train_accuracy)
LOSS_MEASURE(test_loss)
LOSS_MEASURE(test_accuracy)
LOSS_MEASURE(lr)
LOSS_MEASURE(grad_norm)
LOSS_MEASURE(update_norm)
LOSS_MEASURE(stalled_frac)
LOSS_CELL(nonfinite, count_cell(record->nonfinite))
LOSS_MEASURE(log10_delta_ratio)
LOSS_MEASURE(decades_per_layer)
LOSS_CELL(frozen_layers, count_cell(record->frozen_layers))

#define LAYER_CELL(name, cell)                                                                                         \
    static sn_metric_cell layer_##name(const sn_layer_record *record) {                                                \
        return cell;                                                                                                   \
    }
#define LAYER_MEASURE(name) LAYER_CELL(name, measure_cell(record->name))

LAYER_CELL(step, integer_cell(record->step))
LAYER_CELL(layer, integer_cell(record->node->layer))
LAYER_CELL(label, text_cell(record->node->label))
LAYER_CELL(op, text_cell(record->node->op->kind.name))
LAYER_CELL(role, text_cell(sn_role_name(record->node->role)))
LAYER_MEASURE(depth_frac)
LAYER_CELL(n_params, integer_cell((int64_t)record->n_params))
LAYER_MEASURE(grad_norm)
LAYER_MEASURE(grad_rms)
LAYER_MEASURE(grad_mean_abs)
LAYER_MEASURE(grad_max_abs)
LAYER_MEASURE(grad_zero_frac)
LAYER_MEASURE(grad_denormal_frac)
LAYER_MEASURE(weight_norm)
LAYER_MEASURE(update_norm)
LAYER_MEASURE(update_ratio)
LAYER_MEASURE(unchanged_frac)
LAYER_MEASURE(stalled_frac)
LAYER_MEASURE(applied_ratio)
LAYER_MEASURE(delta_rms)
LAYER_MEASURE(out_grad_rms)
LAYER_MEASURE(preact_mean)
LAYER_MEASURE(preact_rms)
LAYER_MEASURE(in_mean)
LAYER_MEASURE(in_rms)
LAYER_MEASURE(in_saturated_frac)
LAYER_MEASURE(bias_grad_norm)

const sn_loss_metric sn_loss_metrics[] = {
    {"step", "integer", "updates", "updates already applied to the weights that this row is measured at", loss_step},
    {"epoch", "number", "epochs", "step over the steps per epoch", loss_epoch},
    {"batch_loss", "number", "loss", "mean loss of the samples of this step's batch", loss_batch_loss},
    {"batch_accuracy", "number", "1", "share of this step's batch whose largest output is the right class",
     loss_batch_accuracy},
    {"train_loss", "number", "loss", "mean loss of the first report.train_eval training samples, by a pass of its own",
     loss_train_loss},
    {"train_accuracy", "number", "1",
     "share of the first report.train_eval training samples whose largest output is the right class",
     loss_train_accuracy},
    {"test_loss", "number", "loss", "mean loss of all test samples", loss_test_loss},
    {"test_accuracy", "number", "1", "share of all test samples whose largest output is the right class",
     loss_test_accuracy},
    {"lr", "number", "1", "learning rate of this step's update", loss_lr},
    {"grad_norm", "number", "loss/weight",
     "2-norm of the gradient of the batch's mean loss by all parameters, before clipping, without weight decay",
     loss_grad_norm},
    {"update_norm", "number", "weight", "2-norm of the change that this step made to all parameters", loss_update_norm},
    {"stalled_frac", "number", "1",
     "of all parameters whose intended update was not zero, the share whose bits did not change; empty if there are "
     "none",
     loss_stalled_frac},
    {"nonfinite", "integer", "values",
     "values among loss, parameter gradients and updated parameters that are nan or inf", loss_nonfinite},
    {"log10_delta_ratio", "number", "decades",
     "log10 of delta_rms of the first hidden layer over that of the last (negative: vanishing towards the input); "
     "empty if either is 0 or not finite, or with fewer than 2 hidden layers",
     loss_log10_delta_ratio},
    {"decades_per_layer", "number", "decades/layer",
     "least-squares slope of log10 delta_rms over the hidden layers towards the input (negative: vanishing), layers "
     "with "
     "0 left out; empty with fewer than 3 layers or if one is not finite",
     loss_decades_per_layer},
    {"frozen_layers", "integer", "layers",
     "hidden layers with stalled_frac above 0.5, or without any changed weight though lr and grad_norm are above 0",
     loss_frozen_layers},
    {.name = NULL},
};

const sn_layer_metric sn_layer_metrics[] = {
    {"step", "integer", "updates", "updates already applied to the weights that this row is measured at", layer_step},
    {"layer", "integer", "layer", "number of the weight layer that the node is or belongs to; 1 is nearest the input",
     layer_layer},
    {"label", "string", "", "label of the node in the network", layer_label},
    {"op", "string", "", "op of the node", layer_op},
    {"role", "string", "", "what the node is for: hidden, output, gate, projection, norm or scale", layer_role},
    {"depth_frac", "number", "1", "place among the hidden layers: 0 is nearest the input, 1 nearest the output",
     layer_depth_frac},
    {"n_params", "integer", "parameters", "elements of all parameters of the node, weight and bias", layer_n_params},
    {"grad_norm", "number", "loss/weight",
     "2-norm of the gradient of the batch's mean loss by the weight tensor, before clipping, without weight decay",
     layer_grad_norm},
    {"grad_rms", "number", "loss/weight",
     "root mean square of the elements of the weight tensor's gradient (see grad_norm)", layer_grad_rms},
    {"grad_mean_abs", "number", "loss/weight",
     "mean absolute value of the elements of the weight tensor's gradient (see grad_norm)", layer_grad_mean_abs},
    {"grad_max_abs", "number", "loss/weight",
     "largest absolute value of the elements of the weight tensor's gradient (see grad_norm)", layer_grad_max_abs},
    {"grad_zero_frac", "number", "1", "share of the elements of the weight tensor's gradient that are exactly zero",
     layer_grad_zero_frac},
    {"grad_denormal_frac", "number", "1",
     "share of the elements of the weight tensor's gradient that are denormal: not zero, but smaller than any normal "
     "number of "
     "the run's precision",
     layer_grad_denormal_frac},
    {"weight_norm", "number", "weight", "2-norm of the weight tensor before this step's update", layer_weight_norm},
    {"update_norm", "number", "weight", "2-norm of the change that this step made to the weight tensor",
     layer_update_norm},
    {"update_ratio", "number", "1", "update_norm over weight_norm; empty where weight_norm is 0", layer_update_ratio},
    {"unchanged_frac", "number", "1", "share of all weights whose bits this step did not change", layer_unchanged_frac},
    {"stalled_frac", "number", "1",
     "of the weights whose intended update (after momentum, decay and clipping, before rounding) was not zero, the "
     "share "
     "whose bits did not change; empty if there are none",
     layer_stalled_frac},
    {"applied_ratio", "number", "1",
     "sum of the absolute changes of the weights over the sum of the absolute intended updates; empty where that is 0",
     layer_applied_ratio},
    {"delta_rms", "number", "loss/signal",
     "root mean square over batch and outputs of the gradient of each sample's own loss by the layer's output z, its "
     "pre-activation",
     layer_delta_rms},
    {"out_grad_rms", "number", "loss/signal",
     "as delta_rms, by what the network carries on from here: past nodes without parameters, through the next add, "
     "concat or gate; a learned scale is a node with parameters and ends the way before it",
     layer_out_grad_rms},
    {"preact_mean", "number", "signal", "mean over batch and outputs of the layer's output z, its pre-activation",
     layer_preact_mean},
    {"preact_rms", "number", "signal",
     "root mean square over batch and outputs of the layer's output z, its pre-activation", layer_preact_rms},
    {"in_mean", "number", "signal", "mean over batch and inputs of what the weights multiply", layer_in_mean},
    {"in_rms", "number", "signal", "root mean square over batch and inputs of what the weights multiply", layer_in_rms},
    {"in_saturated_frac", "number", "1",
     "share of the inputs whose activation is saturated: |phi'| below 0.05 of its maximum, or on the flat side of a "
     "relu "
     "kind; empty where the input is no activation",
     layer_in_saturated_frac},
    {"bias_grad_norm", "number", "loss/weight",
     "2-norm of the gradient of the batch's mean loss by the bias; empty where there is none", layer_bias_grad_norm},
    {.name = NULL},
};
