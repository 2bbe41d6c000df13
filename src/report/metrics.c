/* Owns the sheets of a run: what the columns of loss.csv and gradients.csv are called, measured in, mean and hold.
 *
 * A row's help is the definition of its column: it stands as it is in datapackage.json and in `skipnet list metrics`.
 * Columns are read by name from outside, so a new one goes at the end of its table. */
#include "report/metrics.h"

#include <stddef.h>

/* A member of the record, by the function of column.h for its type. */
#define IN_LOSS(type, member)  .value = sn_column_##type, .place = offsetof(sn_loss_record, member)
#define IN_LAYER(type, member) .value = sn_column_##type, .place = offsetof(sn_layer_record, member)

/* What a column says of the record's node. */
#define OF_LAYER(name, cell)                                                                                           \
    static sn_cell_value name##_of(const sn_column *column, const void *record) {                                      \
        const sn_layer_record *layer = record;                                                                         \
        (void)column;                                                                                                  \
        return cell;                                                                                                   \
    }

OF_LAYER(layer, sn_cell_integer(layer->node->layer))
OF_LAYER(label, sn_cell_text(layer->node->label))
OF_LAYER(op, sn_cell_text(layer->node->op->kind.name))
OF_LAYER(role, sn_cell_text(sn_role_name(layer->node->role)))
OF_LAYER(n_params, sn_cell_integer((int64_t)layer->n_params))

static sn_cell_value ratio(sn_measure part, sn_measure whole) {
    bool is_there = part.is_measured && whole.is_measured && whole.value != 0;
    return sn_cell_measure(is_there ? sn_measured(part.value / whole.value) : SN_NOT_MEASURED);
}

OF_LAYER(grad_ratio, ratio(layer->grad_norm, layer->weight_norm))
OF_LAYER(out_grad_ratio,
         ratio(layer->out_grad_rms, layer->last_hidden ? layer->last_hidden->out_grad_rms : SN_NOT_MEASURED))
OF_LAYER(eps_frac, ratio(sn_measured(layer->sums.change.below_eps), sn_measured(layer->sums.change.moments)))
OF_LAYER(dead_unit_frac, ratio(sn_measured(layer->sums.units.silent), sn_measured(layer->sums.units.n)))

static const sn_column loss_columns[] = {
    {"step", "integer", "updates", "updates already applied to the weights that this row is measured at",
     IN_LOSS(integer, step)},
    {"epoch", "number", "epochs", "step over the steps per epoch", IN_LOSS(number, epoch)},
    {"batch_loss", "number", "loss", "mean loss of the samples of this step's batch", IN_LOSS(measure, batch_loss)},
    {"batch_accuracy", "number", "1", "share of this step's batch whose largest output is the right class",
     IN_LOSS(measure, batch_accuracy)},
    {"train_loss", "number", "loss", "mean loss of the first report.train_eval training samples, by a pass of its own",
     IN_LOSS(measure, train_loss)},
    {"train_accuracy", "number", "1",
     "share of the first report.train_eval training samples whose largest output is the right class",
     IN_LOSS(measure, train_accuracy)},
    {"test_loss", "number", "loss", "mean loss of all test samples", IN_LOSS(measure, test_loss)},
    {"test_accuracy", "number", "1", "share of all test samples whose largest output is the right class",
     IN_LOSS(measure, test_accuracy)},
    {"lr", "number", "1", "learning rate of this step's update", IN_LOSS(measure, lr)},
    {"grad_norm", "number", "loss/weight",
     "2-norm of the gradient of the batch's mean loss by all parameters, before clipping, without weight decay",
     IN_LOSS(measure, grad_norm)},
    {"update_norm", "number", "weight", "2-norm of the change that this step made to all parameters",
     IN_LOSS(measure, update_norm)},
    {"stalled_frac", "number", "1",
     "of all parameters whose intended update was not zero, the share whose bits did not change; empty if there are "
     "none",
     IN_LOSS(measure, stalled_frac)},
    {"nonfinite", "integer", "values",
     "values among loss, parameter gradients and updated parameters that are nan or inf", IN_LOSS(count, nonfinite)},
    {"log10_delta_ratio", "number", "decades",
     "log10 of delta_rms of the first hidden layer over that of the last (negative: vanishing towards the input); "
     "empty if either is 0 or not finite, or with fewer than 2 hidden layers",
     IN_LOSS(measure, log10_delta_ratio)},
    {"decades_per_layer", "number", "decades/layer",
     "least-squares slope of log10 delta_rms over the hidden layers towards the input (negative: vanishing), layers "
     "with "
     "0 left out; empty with fewer than 3 layers or if one is not finite",
     IN_LOSS(measure, decades_per_layer)},
    {"frozen_layers", "integer", "layers",
     "hidden layers with stalled_frac above 0.5, or without any changed weight though lr and grad_norm are above 0, "
     "among those that train.freeze does not hold; empty where it holds all",
     IN_LOSS(count, frozen_layers)},
    {.name = NULL},
};

static const sn_column layer_columns[] = {
    {"step", "integer", "updates", "updates already applied to the weights that this row is measured at",
     IN_LAYER(integer, step)},
    {"layer", "integer", "layer", "number of the weight layer that the node is or belongs to; 1 is nearest the input",
     .value = layer_of},
    {"label", "string", "", "label of the node in the network", .value = label_of},
    {"op", "string", "", "op of the node", .value = op_of},
    {"role", "string", "", "what the node is for: hidden, output, gate, projection, norm or scale", .value = role_of},
    {"depth_frac", "number", "1", "place among the hidden layers: 0 is nearest the input, 1 nearest the output",
     IN_LAYER(measure, depth_frac)},
    {"n_params", "integer", "parameters", "elements of all parameters of the node, weight and bias",
     .value = n_params_of},
    {"grad_norm", "number", "loss/weight",
     "2-norm of the gradient of the batch's mean loss by the weight tensor, before clipping, without weight decay",
     IN_LAYER(measure, grad_norm)},
    {"grad_rms", "number", "loss/weight",
     "root mean square of the elements of the weight tensor's gradient (see grad_norm)", IN_LAYER(measure, grad_rms)},
    {"grad_mean_abs", "number", "loss/weight",
     "mean absolute value of the elements of the weight tensor's gradient (see grad_norm)",
     IN_LAYER(measure, grad_mean_abs)},
    {"grad_max_abs", "number", "loss/weight",
     "largest absolute value of the elements of the weight tensor's gradient (see grad_norm)",
     IN_LAYER(measure, grad_max_abs)},
    {"grad_zero_frac", "number", "1", "share of the elements of the weight tensor's gradient that are exactly zero",
     IN_LAYER(measure, grad_zero_frac)},
    {"grad_denormal_frac", "number", "1",
     "share of the elements of the weight tensor's gradient that are denormal: not zero, but smaller than any normal "
     "number of "
     "the run's precision",
     IN_LAYER(measure, grad_denormal_frac)},
    {"weight_norm", "number", "weight", "2-norm of the weight tensor before this step's update",
     IN_LAYER(measure, weight_norm)},
    {"update_norm", "number", "weight", "2-norm of the change that this step made to the weight tensor",
     IN_LAYER(measure, update_norm)},
    {"update_ratio", "number", "1", "update_norm over weight_norm; empty where weight_norm is 0",
     IN_LAYER(measure, update_ratio)},
    {"unchanged_frac", "number", "1", "share of all weights whose bits this step did not change",
     IN_LAYER(measure, unchanged_frac)},
    {"stalled_frac", "number", "1",
     "of the weights whose intended update (after momentum, decay and clipping, before rounding) was not zero, the "
     "share "
     "whose bits did not change; empty if there are none",
     IN_LAYER(measure, stalled_frac)},
    {"applied_ratio", "number", "1",
     "sum of the absolute changes of the weights over the sum of the absolute intended updates; empty where that is 0",
     IN_LAYER(measure, applied_ratio)},
    {"delta_rms", "number", "loss/signal",
     "root mean square over batch and outputs of the gradient of each sample's own loss by the layer's output z, its "
     "pre-activation",
     IN_LAYER(measure, delta_rms)},
    {"out_grad_rms", "number", "loss/signal",
     "as delta_rms, by what the network carries on from here: past nodes without parameters, through the next add, "
     "concat or gate; a learned scale is a node with parameters and ends the way before it",
     IN_LAYER(measure, out_grad_rms)},
    {"preact_mean", "number", "signal", "mean over batch and outputs of the layer's output z, its pre-activation",
     IN_LAYER(measure, preact_mean)},
    {"preact_rms", "number", "signal",
     "root mean square over batch and outputs of the layer's output z, its pre-activation",
     IN_LAYER(measure, preact_rms)},
    {"in_mean", "number", "signal", "mean over batch and inputs of what the weights multiply",
     IN_LAYER(measure, in_mean)},
    {"in_rms", "number", "signal", "root mean square over batch and inputs of what the weights multiply",
     IN_LAYER(measure, in_rms)},
    {"in_saturated_frac", "number", "1",
     "share of the inputs whose activation is saturated: |phi'| below 0.05 of its maximum, or on the flat side of a "
     "relu "
     "kind; empty where the input is no activation",
     IN_LAYER(measure, in_saturated_frac)},
    {"bias_grad_norm", "number", "loss/weight",
     "2-norm of the gradient of the batch's mean loss by the bias; empty where there is none",
     IN_LAYER(measure, bias_grad_norm)},
    {"grad_ratio", "number", "loss/weight^2",
     "grad_norm over weight_norm, by whose inverse LARS scales a layer's rate (You et al. 2017, arXiv 1708.03888); "
     "empty where weight_norm is 0",
     .value = grad_ratio_of},
    {"out_grad_ratio", "number", "1",
     "out_grad_rms over that of the last hidden layer: how much of the gradient that this layer sees is carried to "
     "here; empty where that is 0, or without hidden layers",
     .value = out_grad_ratio_of},
    {"dead_unit_frac", "number", "1",
     "share of the units of a relu, the features that the weights multiply, that are 0 for every sample and position "
     "of the batch, so that no gradient passes them; empty where the input is no relu",
     .value = dead_unit_frac_of},
    {"eps_frac", "number", "1",
     "of the weights whose step was divided by sqrt(v) + eps (adam: v bias-corrected), the share with sqrt(v) below "
     "eps, "
     "so that eps holds them back; empty with optimizers that do not, and where nothing was updated",
     .value = eps_frac_of},
    {.name = NULL},
};

const sn_sheet sn_loss_sheet = {"loss", "One row per reported step.", "\"step\"", loss_columns};
const sn_sheet sn_gradients_sheet = {"gradients",
                                     "One row per reported step and node with parameters, in topological order.",
                                     "\"step\", \"label\"", layer_columns};

const sn_sheet *const sn_run_sheets[] = {&sn_loss_sheet, &sn_gradients_sheet, &sn_exponents_sheet, NULL};
