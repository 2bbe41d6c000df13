/* Owns the top of the key tables: what belongs to no other room, and the rows that point to the others' tables. */
#include "run/language.h"

#include "data/data.h"
#include "engine/backend.h"
#include "network/graph.h"
#include "network/init.h"
#include "run/schedule.h"

static const char *const precisions[] = {"float32", "float64", NULL};

static const sn_key sgd_keys[] = {
    {.name = "momentum",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX,
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help = "mu in v = mu v + g"},
    {.name = "nesterov", .types = SN_BOOL, .fallback = "false", .help = "look ahead along the velocity"},
    {.name = "weight_decay",
     .types = SN_NUMBER,
     .fallback = "0",
     .min = 0,
     .max = 1e300,
     .help = "added to the gradient times the weight (coupled); weights only, not biases, norms, scales"},
    {0},
};
static const sn_kind sgd_kind = {.name = "sgd",
                                 .help = "stochastic gradient descent",
                                 .keys = sgd_keys,
                                 .formula = "v = mu v + g + weight_decay w; w -= lr v (nesterov: lr (g + mu v))",
                                 .source = "Sutskever et al. 2013; as torch.optim.SGD with dampening 0"};
static const sn_kind *const optimizer_kinds[] = {&sgd_kind, NULL};
static const sn_choice optimizer_choice = {
    .what = "optimizer", .discriminator = "kind", .kinds = optimizer_kinds, .fallback = "sgd"};

static const sn_key train_keys[] = {
    {.name = "loss",
     .types = SN_KIND,
     .fallback = "\"softmax_cross_entropy\"",
     .choice = &sn_loss_choice,
     .help = "what is minimised"},
    {.name = "optimizer",
     .types = SN_KIND,
     .fallback = "\"sgd\"",
     .choice = &optimizer_choice,
     .help = "how weights are updated"},
    {.name = "lr", .types = SN_NUMBER, .fallback = "0.01", .min = 0, .max = 1e300, .help = "learning rate"},
    {.name = "lr_schedule",
     .types = SN_KIND,
     .fallback = "\"constant\"",
     .choice = &sn_lr_schedule_choice,
     .help = "how the learning rate changes over the steps"},
    {.name = "batch_size",
     .types = SN_INTEGER,
     .fallback = "128",
     .min = 1,
     .max = 16777216,
     .help = "samples of a batch; the last batch of an epoch may be short"},
    {.name = "epochs", .types = SN_INTEGER, .fallback = "1", .min = 0, .max = 1e9, .help = "passes over the data"},
    {.name = "steps",
     .types = SN_INTEGER | SN_NULL,
     .fallback = "null",
     .min = 0,
     .max = 1e12,
     .help = "updates; when given it rules over epochs; 0 measures the initialisation"},
    {.name = "shuffle", .types = SN_BOOL, .fallback = "true", .help = "a fresh permutation per epoch"},
    {.name = "clip_norm",
     .types = SN_NUMBER | SN_NULL,
     .flags = SN_ABOVE_MIN,
     .fallback = "null",
     .min = 0,
     .max = 1e300,
     .help = "gradients of all parameters are scaled down to this norm where theirs is larger"},
    {0},
};

static const sn_key report_keys[] = {
    {.name = "schedule",
     .types = SN_KIND,
     .fallback = "\"log\"",
     .choice = &sn_report_schedule_choice,
     .help = "at which steps rows are written (always at 0, 1, 2, N-1, N and epoch ends)"},
    {.name = "train_eval",
     .types = SN_INTEGER,
     .fallback = "10000",
     .min = 0,
     .max = 1e9,
     .help = "training samples of an evaluation pass"},
    {.name = "save_initial", .types = SN_BOOL, .fallback = "false", .help = "write initial.safetensors"},
    {0},
};

static const sn_key root_keys[] = {
    {.name = "name", .types = SN_TEXT, .flags = SN_NO_MEANING | SN_NOT_EMPTY | SN_STEM, .help = "name of the run"},
    {.name = "seed",
     .types = SN_INTEGER,
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992.0,
     .help = "of initial weights and batch order"},
    {.name = "precision",
     .types = SN_WORD,
     .fallback = "\"float32\"",
     .words = precisions,
     .help = "of weights, signals and gradients"},
    {.name = "data",
     .types = SN_KIND,
     .fallback = "\"fashion-mnist\"",
     .choice = &sn_source_choice,
     .help = "the data set"},
    {.name = "network", .types = SN_KIND, .fallback = "\"mlp\"", .choice = &sn_network_choice, .help = "the network"},
    {.name = "train", .types = SN_OBJECT, .fallback = "{}", .keys = train_keys, .help = "the training"},
    {.name = "report",
     .types = SN_OBJECT,
     .flags = SN_NO_MEANING,
     .fallback = "{}",
     .keys = report_keys,
     .help = "what is written, and when"},
    {0},
};

static const sn_synonym synonyms[] = {
    {"residual", "add"},
    {"resnet", "add"},
    {"sum", "add"},
    {"dense", "concat"},
    {"densenet", "concat"},
    {"concatenate", "concat"},
    {"plain", "none"},
    {"nonlinearity", "activation"},
    {"learning_rate", "lr"},
    {"num_layers", "depth"},
    {"n_layers", "depth"},
    {"hidden_size", "width"},
    {"hidden", "width"},
    {"units", "width"},
    {"batch", "batch_size"},
    {"float", "float32"},
    {"double", "float64"},
    {"single", "float32"},
    {"dtype", "precision"},
    {"kaiming_normal", "he_normal"},
    {"kaiming_uniform", "he_uniform"},
    {"glorot_normal", "xavier_normal"},
    {"glorot_uniform", "xavier_uniform"},
    {"cross_entropy", "softmax_cross_entropy"},
    {"mse", "mean_squared_error"},
    {"logistic", "sigmoid"},
    {"layernorm", "layer_norm"},
    {"fashion_mnist", "fashion-mnist"},
    {"dataset", "data"},
    {"model", "network"},
    {"training", "train"},
    {"grad_clip", "clip_norm"},
    {"pre_activation", "pre"},
    {NULL, NULL},
};

const sn_schema sn_language = {.title = "skipnet experiment", .keys = root_keys, .synonyms = synonyms};

const sn_list_entry sn_language_lists[] = {
    {"ops", &sn_op_choice},
    {"activations", &sn_activation_choice},
    {"inits", &sn_init_choice},
    {"data", &sn_source_choice},
    {"networks", &sn_network_choice},
    {"losses", &sn_loss_choice},
    {"optimizers", &optimizer_choice},
    {"lr_schedules", &sn_lr_schedule_choice},
    {"report_schedules", &sn_report_schedule_choice},
    {NULL, NULL},
};
