/* A small language of configs with the shapes of the real one: bounds, words, kinds, kinds chosen by a key, lists of
 * kinds that hold such lists, paths, nulls, defaults of every sort. */
#ifndef TOY_SCHEMA_H
#define TOY_SCHEMA_H

#include <math.h>

#include "config/key.h"

static const sn_key toy_layer;

/* ---- network ---- */

static const char *const toy_scale_words[] = {"inverse_sqrt_blocks", NULL};
static const sn_key toy_learned_keys[] = {
    {.name = "learned", .types = SN_NUMBER, .flags = SN_REQUIRED, .help = "start value"},
    {0},
};
static const sn_kind toy_learned = {
    .name = "learned", .help = "a trained scalar", .keys = toy_learned_keys, .chosen_by = "learned"};
static const sn_kind *const toy_scale_kinds[] = {&toy_learned, NULL};
static const sn_choice toy_scale = {.what = "scale", .discriminator = "kind", .kinds = toy_scale_kinds};

#define TOY_BLOCK                                                                                                      \
    {                                                                                                                  \
        .name = "layers_per_block", .types = SN_INTEGER, .fallback = "1", .min = 1, .max = 1000,                       \
        .help = "layers a skip jumps"                                                                                  \
    }

static const sn_key toy_add_keys[] = {
    TOY_BLOCK,
    {.name = "branch_scale",
     .types = SN_NUMBER | SN_WORD | SN_KIND,
     .fallback = "1",
     .words = toy_scale_words,
     .choice = &toy_scale,
     .help = "factor of the branch"},
    {0},
};
static const sn_key toy_concat_keys[] = {
    TOY_BLOCK,
    {.name = "growth", .types = SN_INTEGER, .fallback = "12", .min = 1, .max = 1000, .help = "features per block"},
    {0},
};
static const sn_kind toy_none = {.name = "none", .help = "a plain chain"};
static const sn_kind toy_add = {.name = "add",
                                .help = "residual blocks",
                                .keys = toy_add_keys,
                                .formula = "y = x + branch_scale F(x)",
                                .source = "He et al. 2015"};
static const sn_kind toy_concat = {
    .name = "concat", .help = "dense blocks", .keys = toy_concat_keys, .formula = "y = [x, F(x)]"};
static const sn_kind *const toy_skip_kinds[] = {&toy_none, &toy_add, &toy_concat, NULL};
static const sn_choice toy_skip = {
    .what = "skip", .discriminator = "kind", .kinds = toy_skip_kinds, .fallback = "none"};

static const sn_key toy_gain_keys[] = {
    {.name = "gain", .types = SN_NUMBER, .fallback = "1", .help = "multiplies the standard deviation"}, {0}};
static const sn_key toy_normal_keys[] = {{.name = "std",
                                          .types = SN_NUMBER,
                                          .flags = SN_REQUIRED | SN_ABOVE_MIN,
                                          .min = 0,
                                          .max = HUGE_VAL,
                                          .help = "standard deviation"},
                                         {0}};
static const sn_kind toy_pytorch = {.name = "pytorch", .help = "uniform", .keys = toy_gain_keys};
static const sn_kind toy_orthogonal = {.name = "orthogonal", .help = "orthonormal rows", .keys = toy_gain_keys};
static const sn_kind toy_normal = {.name = "normal", .help = "Gaussian", .keys = toy_normal_keys};
static const sn_kind *const toy_init_kinds[] = {&toy_pytorch, &toy_orthogonal, &toy_normal, NULL};
static const sn_choice toy_init = {
    .what = "init", .discriminator = "kind", .kinds = toy_init_kinds, .fallback = "pytorch"};

static const char *const toy_orders[] = {"pre", "inside", "post", NULL};
static const sn_key toy_mlp_keys[] = {
    {.name = "depth", .types = SN_INTEGER, .fallback = "50", .min = 1, .max = 1000, .help = "hidden layers"},
    {.name = "width", .types = SN_INTEGER, .fallback = "64", .min = 1, .max = 1e6, .help = "units"},
    {.name = "order", .types = SN_WORD, .fallback = "\"pre\"", .words = toy_orders, .help = "where phi stands"},
    {.name = "init", .types = SN_KIND, .fallback = "\"orthogonal\"", .choice = &toy_init, .help = "weights"},
    {.name = "bias_init", .types = SN_KIND | SN_NULL, .fallback = "null", .choice = &toy_init, .help = "biases"},
    {.name = "skip", .types = SN_KIND, .fallback = "\"none\"", .choice = &toy_skip, .help = "skip connections"},
    {0},
};
static const sn_key toy_list_keys[] = {{.name = "layers",
                                        .types = SN_LIST,
                                        .flags = SN_REQUIRED | SN_NOT_EMPTY,
                                        .element = &toy_layer,
                                        .help = "the entries"},
                                       {0}};
static const sn_kind toy_mlp = {.name = "mlp", .help = "multilayer perceptron", .keys = toy_mlp_keys};
static const sn_kind toy_list = {
    .name = "layers", .help = "an explicit graph", .keys = toy_list_keys, .chosen_by = "layers"};
static const sn_kind *const toy_network_kinds[] = {&toy_mlp, &toy_list, NULL};
static const sn_key toy_network_common[] = {{.name = "weights",
                                             .types = SN_PATH | SN_NULL,
                                             .flags = SN_NO_MEANING,
                                             .fallback = "null",
                                             .help = "file of initial weights"},
                                            {0}};
static const sn_choice toy_network = {.what = "network family",
                                      .discriminator = "family",
                                      .kinds = toy_network_kinds,
                                      .common = toy_network_common,
                                      .fallback = "mlp"};

/* ---- layers ---- */

static const sn_key toy_linear_keys[] = {
    {.name = "units", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1e6, .help = "outputs"},
    {.name = "init", .types = SN_KIND, .fallback = "\"pytorch\"", .choice = &toy_init, .help = "weights"},
    {0},
};
static const sn_key toy_leaky_keys[] = {
    {.name = "slope", .types = SN_NUMBER, .fallback = "0.01", .min = 0, .max = 1, .help = "for x < 0"}, {0}};
static const sn_key toy_clip_keys[] = {{.name = "slope", .types = SN_BOOL, .fallback = "false", .help = "outside"},
                                       {0}};
static const sn_key toy_factor = {.types = SN_NUMBER, .min = -10, .max = 10, .help = "a factor"};
static const sn_key toy_sum_keys[] = {
    {.name = "factors", .types = SN_LIST, .flags = SN_NOT_EMPTY, .element = &toy_factor, .help = "one per input"}, {0}};
static const sn_key toy_repeat_keys[] = {
    {.name = "repeat", .types = SN_INTEGER, .flags = SN_REQUIRED, .min = 1, .max = 1000, .help = "copies"},
    {.name = "layers", .types = SN_LIST, .flags = SN_REQUIRED, .element = &toy_layer, .help = "the entries to copy"},
    {0},
};
static const sn_kind toy_linear = {.name = "linear", .help = "W x + b", .keys = toy_linear_keys};
static const sn_kind toy_relu = {.name = "relu", .help = "max(x, 0)", .formula = "y = max(x, 0)"};
static const sn_kind toy_leaky = {.name = "leaky_relu", .help = "relu with a slope", .keys = toy_leaky_keys};
static const sn_kind toy_clip = {.name = "clip", .help = "between -1 and 1", .keys = toy_clip_keys};
static const sn_kind toy_sum = {.name = "add", .help = "sum of the inputs", .keys = toy_sum_keys};
static const sn_kind toy_repeat = {
    .name = "repeat", .help = "copies a list", .keys = toy_repeat_keys, .chosen_by = "repeat"};
static const sn_kind *const toy_op_kinds[] = {&toy_linear, &toy_relu,   &toy_leaky, &toy_clip,
                                              &toy_sum,    &toy_repeat, NULL};
static const sn_key toy_label = {.types = SN_TEXT, .flags = SN_NOT_EMPTY, .help = "a label"};
static const sn_key toy_op_common[] = {
    {.name = "label", .types = SN_TEXT, .flags = SN_NOT_EMPTY, .help = "the entry's name"},
    {.name = "inputs", .types = SN_LIST, .flags = SN_NOT_EMPTY, .element = &toy_label, .help = "what it reads"},
    {0},
};
static const sn_choice toy_op = {.what = "op", .discriminator = "op", .kinds = toy_op_kinds, .common = toy_op_common};
static const sn_key toy_layer = {.types = SN_KIND, .choice = &toy_op, .help = "an entry"};

/* ---- data ---- */

static const sn_key toy_csv_keys[] = {
    {.name = "target", .types = SN_TEXT | SN_INTEGER, .fallback = "0", .min = 0, .max = 1e6, .help = "target column"},
    {.name = "header", .types = SN_BOOL, .fallback = "true", .help = "whether the first row names the columns"},
    {0},
};
static const sn_key toy_spirals_keys[] = {
    {.name = "arms", .types = SN_INTEGER, .fallback = "2", .min = 2, .max = 10, .help = "number of arms"},
    {.name = "noise", .types = SN_NUMBER, .fallback = "0.1", .min = 0, .max = HUGE_VAL, .help = "standard deviation"},
    {0},
};
static const sn_kind toy_csv = {.name = "csv", .help = "a table", .keys = toy_csv_keys};
static const sn_kind toy_spirals = {.name = "spirals", .help = "spiral arms", .keys = toy_spirals_keys};
static const sn_kind *const toy_data_kinds[] = {&toy_csv, &toy_spirals, NULL};
static const sn_key toy_data_common[] = {
    {.name = "path", .types = SN_PATH, .flags = SN_NO_MEANING, .help = "file or directory"},
    {.name = "train_limit", .types = SN_INTEGER | SN_NULL, .fallback = "null", .min = 1, .max = 1e9, .help = "samples"},
    {.name = "test_limit", .types = SN_INTEGER | SN_NULL, .min = 0, .max = 1e9, .help = "samples"},
    {0},
};
static const sn_choice toy_data = {.what = "data source",
                                   .discriminator = "kind",
                                   .kinds = toy_data_kinds,
                                   .common = toy_data_common,
                                   .fallback = "spirals"};

/* ---- train, report, the top ---- */

static const sn_key toy_sgd_keys[] = {
    {.name = "momentum", .types = SN_NUMBER, .flags = SN_BELOW_MAX, .fallback = "0", .min = 0, .max = 1, .help = "mu"},
    {.name = "nesterov", .types = SN_BOOL, .fallback = "false", .help = "look ahead"},
    {0}};
static const sn_kind toy_sgd = {.name = "sgd", .help = "gradient descent", .keys = toy_sgd_keys};
static const sn_kind toy_adam = {.name = "adam", .help = "Adam"};
static const sn_kind *const toy_optimizer_kinds[] = {&toy_adam, &toy_sgd, NULL};
static const sn_choice toy_optimizer = {
    .what = "optimizer", .discriminator = "kind", .kinds = toy_optimizer_kinds, .fallback = "adam"};

static const sn_key toy_milestone = {.types = SN_INTEGER, .min = 0, .max = 1e9, .help = "a step"};
static const sn_key toy_train_keys[] = {
    {.name = "lr",
     .types = SN_NUMBER,
     .flags = SN_ABOVE_MIN,
     .fallback = "0.01",
     .min = 0,
     .max = HUGE_VAL,
     .help = "learning rate"},
    {.name = "batch_size", .types = SN_INTEGER, .fallback = "128", .min = 1, .max = HUGE_VAL, .help = "samples"},
    {.name = "steps", .types = SN_INTEGER | SN_NULL, .fallback = "null", .min = 0, .max = 1e9, .help = "steps"},
    {.name = "milestones", .types = SN_LIST, .fallback = "[]", .element = &toy_milestone, .help = "steps"},
    {.name = "shuffle", .types = SN_BOOL, .fallback = "true", .help = "a new order per epoch"},
    {.name = "optimizer",
     .types = SN_KIND,
     .fallback = "{\"kind\": \"sgd\", \"momentum\": 0.9}",
     .choice = &toy_optimizer,
     .help = "update rule"},
    {0},
};
static const sn_key toy_report_keys[] = {
    {.name = "every", .types = SN_INTEGER, .fallback = "10", .min = 1, .max = 1e9, .help = "steps between rows"}, {0}};

static const char *const toy_precisions[] = {"float32", "float64", NULL};
static const sn_key toy_keys[] = {
    {.name = "name", .types = SN_TEXT, .flags = SN_NO_MEANING | SN_NOT_EMPTY, .help = "name of the run"},
    {.name = "seed", .types = SN_INTEGER, .fallback = "1", .min = 0, .max = 0x1p53, .help = "seed"},
    {.name = "shift", .types = SN_INTEGER, .fallback = "0", .help = "a whole number without bounds"},
    {.name = "precision",
     .types = SN_WORD,
     .fallback = "\"float32\"",
     .words = toy_precisions,
     .help = "of the weights"},
    {.name = "data", .types = SN_KIND, .fallback = "\"spirals\"", .choice = &toy_data, .help = "what to learn from"},
    {.name = "network", .types = SN_KIND, .fallback = "{}", .choice = &toy_network, .help = "what learns"},
    {.name = "train", .types = SN_OBJECT, .fallback = "{}", .keys = toy_train_keys, .help = "how it learns"},
    {.name = "report",
     .types = SN_OBJECT,
     .flags = SN_NO_MEANING,
     .fallback = "{}",
     .keys = toy_report_keys,
     .help = "what is written"},
    {0},
};
static const sn_synonym toy_synonyms[] = {{"residual", "add"}, {"dense", "concat"},   {"learning_rate", "lr"},
                                          {"eta", "lr"},       {"double", "float64"}, {NULL, NULL}};
static const sn_schema toy_schema = {.title = "toy", .keys = toy_keys, .synonyms = toy_synonyms};

#endif
