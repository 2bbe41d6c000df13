/* Gradients against differences of the loss in double, fourth order in the step:
 *
 *     dL/dw = [8 (L(w + h) - L(w - h)) - (L(w + 2h) - L(w - 2h))] / (12 h) + O(h^4)
 *
 * for every op, activation, loss and topology.  The list of cases is checked against the op table: an op without a case
 * fails.  The loss is that of a training step which is not applied, always of the same number: with the statistics of
 * the batch and with one and the same dropout mask.  Weights are drawn again until no input of a relu or elu kind is
 * near its kink and no gradient is near zero. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "ops/table.h"
#include "support/check.h"
#include "support/functions.h"
#include "support/image_op.h"
#include "support/name_set.h"
#include "support/net.h"
#include "support/toy.h"

enum { SAMPLES = 19, IN = 5, OUT = 3, MOST_TRIES = 4000 }; /* a full panel and a short one */

static const double STEP = 2.5e-4, MARGIN = 0.01, LEAST_GRADIENT = 1e-3, MOST_ROUNDING = 5e-6;

/* What all cases together have covered, and the greatest deviations seen. */
static name_set seen_ops, seen_losses;
static double worst_difference, worst_reference, worst_float;
static int n_tensors, n_cancelled;

static bool is_op(const sn_node *node, const char *name) {
    return node->op && strcmp(node->op->kind.name, name) == 0;
}

/* How near a row is to where its op bends: the smallest |x| for activations that do; for layer_norm, whose higher
 * derivatives grow as the spread of the row shrinks, the spread in units of 25 (for batch_norm: of the column, for
 * rms_norm: around 0). */
static double row_margin(const sn_node *node, const double *x, size_t n) {
    double least = HUGE_VAL, mean = 0, squares = 0;
    for (size_t c = 0; c < n; c++) {
        least = fmin(least, fabs(x[c]));
        mean += x[c] / (double)n;
    }
    for (size_t c = 0; c < n; c++)
        squares += (x[c] - mean) * (x[c] - mean) / (double)n;
    const function *f = node->op ? function_of(node->op->kind.name) : NULL;
    if (f && f->bends) return least;
    if (is_op(node, "rms_norm")) squares += mean * mean;
    return is_op(node, "layer_norm") || is_op(node, "rms_norm") ? sqrt(squares) / 25 : HUGE_VAL;
}

/* The least difference between the two greatest of a window of a max_pool, in units of a quarter. */
static double window_margin(const test_net *net, const sn_node *node, const double *x) {
    const sn_node *input = &net->graph.nodes[node->inputs[0]];
    size_t kernel = (size_t)sn_value_integer(node->config, "kernel"), height = (size_t)input->shape.dim[0];
    size_t width = (size_t)input->shape.dim[1], n = input->width;
    double least = HUGE_VAL;
    for (size_t i = 0; i < net->batch * input->positions * n; i++) {
        size_t row = i / n / width % height, col = i / n % width;
        for (size_t k = 1; k < kernel * kernel; k++) { /* any two that a window may see, wherever it stands */
            size_t down = k / kernel, right = k % kernel;
            if (row + down < height && col + right < width)
                least = fmin(least, fabs(x[i] - x[i + (down * width + right) * n]));
        }
    }
    return 4 * least;
}

static double column_margin(const double *x, size_t n_rows, size_t n) {
    double least = HUGE_VAL;
    for (size_t c = 0; c < n; c++) {
        double mean = 0, squares = 0;
        for (size_t r = 0; r < n_rows; r++)
            mean += x[r * n + c] / (double)n_rows;
        for (size_t r = 0; r < n_rows; r++)
            squares += pow(x[r * n + c] - mean, 2) / (double)n_rows;
        least = fmin(least, sqrt(squares) / 25);
    }
    return least;
}

/* How near a hinge of margin 1 is to where it bends. */
static double loss_margin(const test_net *net, const sn_probe *probe) {
    int last = net->graph.n_nodes - 1;
    size_t width = net->graph.nodes[last].width;
    double *z = net_signal(probe, last), least = HUGE_VAL;
    for (size_t i = 0; i < net->batch * width; i++) {
        size_t label = net->data->train.labels[i / width];
        if (i % width != label) least = fmin(least, fabs(1 - z[i / width * width + label] + z[i]));
    }
    free(z);
    return least;
}

/* The least margin in the last run of a probe. */
static double kink_margin(const test_net *net, const sn_probe *probe) {
    double margin = net->options.objective.loss->bends ? loss_margin(net, probe) : HUGE_VAL;
    for (int i = 1; i < net->graph.n_nodes; i++) {
        int x = net->graph.nodes[i].inputs[0];
        size_t width = net->graph.nodes[x].width, rows = net->batch * net->graph.nodes[x].positions;
        double *values = net_signal(probe, x);
        if (is_op(&net->graph.nodes[i], "batch_norm")) margin = fmin(margin, column_margin(values, rows, width));
        if (is_op(&net->graph.nodes[i], "max_pool"))
            margin = fmin(margin, window_margin(net, &net->graph.nodes[i], values));
        for (size_t r = 0; r < rows; r++)
            margin = fmin(margin, row_margin(&net->graph.nodes[i], values + r * width, width));
        free(values);
    }
    return margin;
}

static double least_gradient(const test_net *net) {
    double least = HUGE_VAL;
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        if (net_is_cancelled(net, i)) continue;
        double *gradient = net_gradient(net, i);
        least = fmin(least, norm_of(gradient, net_count(net, i)));
        free(gradient);
    }
    return least;
}

/* How far a single rounding of every weight to float, up or down, carries the gradients. */
static double rounding_distance(test_net *net, const char *network) {
    test_net moved;
    sn_engine_options options = {.keeps_gradients = true, .objective = net->options.objective};
    net_open(&moved, network, net->data, SN_F64, &options);
    sn_rng rng = sn_rng_stream(1, "test_gradients", "roundings", 0);
    for (size_t i = 0, at = 0; i < sn_engine_tensor_count(net->engine); i++) {
        double *values = net_values(net, i);
        for (size_t k = 0; k < net_count(net, i); k++)
            values[k] *= 1 + (sn_rng_uniform(rng, at++) < 0.5 ? -0x1p-24 : 0x1p-24);
        sn_engine_set_tensor(moved.engine, i, values);
        free(values);
    }
    net_measure(&moved, NULL);
    double distance = net_gradient_distance(net, &moved);
    net_close(&moved);
    return distance;
}

/* Draws weights away from kinks, with gradients that are not near zero and that rounding does not carry far. */
static void settle(test_net *net, const char *name, const char *network) {
    sn_error error;
    sn_probe *probe = net_probe(net);
    for (uint64_t seed = 1; seed < MOST_TRIES; seed++) {
        net_randomize(net, seed);
        net_measure(net, NULL);
        assert_int_equal(sn_probe_take_weights(probe, net->engine, &error), SN_OK);
        net_run(net, probe, 0, net->batch);
        if (kink_margin(net, probe) > MARGIN && least_gradient(net) > LEAST_GRADIENT &&
            rounding_distance(net, network) < MOST_ROUNDING) {
            sn_probe_free(probe);
            return;
        }
    }
    fail_msg("%s: no weights away from kinks and with gradients", name);
}

static void check_tensor(test_net *net, size_t i, const char *name) {
    net_measure(net, NULL);
    double *gradient = net_gradient(net, i), *expected = net_gradient(net, i);
    sn_tensor tensor;
    sn_engine_tensor(net->engine, i, &tensor);
    net_differences(net, i, STEP, expected);
    double distance = distance_of(gradient, expected, net_count(net, i)), norm = norm_of(expected, net_count(net, i));
    bool is_right = distance <= 1e-7 && norm > LEAST_GRADIENT;
    if (net_is_cancelled(net, i)) {
        is_right = norm < 1e-9 && norm_of(gradient, net_count(net, i)) < 1e-14;
        n_cancelled++;
    } else {
        worst_difference = fmax(worst_difference, distance);
        n_tensors++;
    }
    if (!is_right) fail_msg("%s: %s: distance %.3g, norm %.3g", name, tensor.name, distance, norm);
    free(gradient);
    free(expected);
}

static void check_differences(test_net *net, const char *name) {
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++)
        check_tensor(net, i, name);
}

/* The float engine against the double one at the same, rounded, weights.  Where gradients are ill-conditioned, what
 * thirty roundings of the weights do to them is allowed. */
static void check_float(test_net *net, const char *name, const char *network) {
    test_net single;
    sn_engine_options options = {.keeps_gradients = true, .objective = net->options.objective};
    net_open(&single, network, net->data, SN_F32, &options);
    net_copy_weights(&single, net);
    net_copy_weights(net, &single);
    double loss = net_measure(net, NULL).loss, rounded = net_measure(&single, NULL).loss;
    double distance = net_gradient_distance(net, &single);
    if (!(distance <= 1e-4) || !(fabs(loss - rounded) <= 1e-4 * loss)) {
        fail_msg("%s: float gradients are %.3g away, loss %.9g and %.9g", name, distance, loss, rounded);
    }
    worst_float = fmax(worst_float, distance);
    net_close(&single);
}

static void check_loss(const char *name, const char *network, const sn_dataset *data, const sn_objective *objective) {
    test_net net, reference;
    sn_engine_options options = {.keeps_gradients = true, .objective = *objective};
    net_open(&net, network, data, SN_F64, &options);
    options.is_reference = true;
    net_open(&reference, network, data, SN_F64, &options);
    settle(&reference, name, network);
    net_copy_weights(&net, &reference);
    net_measure(&net, NULL);
    double distance = net_gradient_distance(&net, &reference);
    if (!(distance <= 1e-12)) fail_msg("%s: %.3g away from the unfused walk", name, distance);
    worst_reference = fmax(worst_reference, distance);
    check_differences(&net, name);
    check_float(&net, name, network);
    for (int i = 1; i < net.graph.n_nodes; i++)
        name_set_add(&seen_ops, "%s", net.graph.nodes[i].op->kind.name);
    name_set_add(&seen_losses, "%s", net.options.objective.loss->kind.name);
    net_close(&net);
    net_close(&reference);
}

static void check_network(const char *name, const char *network, const sn_dataset *data) {
    check_loss(name, network, data, &(sn_objective){0}); /* the one that suits the data */
}

/* Classes and targets for every network. */
static void check_both(const char *name, const char *network) {
    sn_dataset classes = toy_classes(SAMPLES, IN, OUT, 1), targets = toy_targets(SAMPLES, IN, OUT, 2);
    check_network(name, network, &classes);
    check_network(name, network, &targets);
    sn_dataset_reset(&classes);
    sn_dataset_reset(&targets);
}

typedef struct topology {
    const char *name, *layers;
} topology;

#define OUTPUT "{\"op\": \"linear\", \"units\": 3}"
#define LINEAR(label, from, units)                                                                                     \
    "{\"op\": \"linear\", \"units\": " #units ", \"label\": \"" label "\", \"inputs\": [\"" from "\"]},"
#define TANH(label, from)     "{\"op\": \"tanh\", \"label\": \"" label "\", \"inputs\": [\"" from "\"]},"
#define JOIN(op, label, from) "{\"op\": \"" op "\", \"label\": \"" label "\", \"inputs\": [" from "]},"

static const topology topologies[] = {
    {"chain", LINEAR("a", "input", 6) TANH("b", "a") LINEAR("c", "b", 4) TANH("d", "c") OUTPUT},
    {"one layer", OUTPUT},
    {"without bias", "{\"op\": \"linear\", \"units\": 4, \"bias\": false}, {\"op\": \"tanh\"}," OUTPUT},
    {"add over one", LINEAR("a", "input", 4) TANH("b", "a") JOIN("add", "c", "\"a\", \"b\"") OUTPUT},
    {"add over four", LINEAR("a", "input", 4) TANH("b", "a") LINEAR("c", "b", 4) TANH("d", "c") LINEAR("e", "d", 4)
                          JOIN("add", "f", "\"a\", \"e\"") TANH("g", "f") OUTPUT},
    {"concat, input first", LINEAR("a", "input", 4) TANH("b", "a") LINEAR("c", "b", 3)
                                JOIN("concat", "d", "\"a\", \"c\"") TANH("e", "d") OUTPUT},
    {"concat, input last", LINEAR("a", "input", 4) TANH("b", "a") LINEAR("c", "b", 3)
                               JOIN("concat", "d", "\"c\", \"a\"") TANH("e", "d") OUTPUT},
    {"add, the same node twice", LINEAR("a", "input", 4) TANH("b", "a") JOIN("add", "c", "\"b\", \"b\"") OUTPUT},
    {"concat, the same node twice", LINEAR("a", "input", 4) TANH("b", "a") JOIN("concat", "c", "\"b\", \"b\"") OUTPUT},
    {"the same node twice, read before",
     LINEAR("a", "input", 4) LINEAR("b", "a", 4) JOIN("add", "c", "\"a\", \"b\", \"a\"") TANH("d", "c") OUTPUT},
    {"fan-out of 3", LINEAR("a", "input", 4) TANH("b", "a") LINEAR("c", "b", 4) LINEAR("d", "b", 4)
                         JOIN("add", "e", "\"b\", \"c\"") JOIN("add", "f", "\"e\", \"d\"") TANH("g", "f") OUTPUT},
    {"fan-out into concats", LINEAR("a", "input", 4) LINEAR("b", "a", 2) JOIN("concat", "c", "\"a\", \"b\"")
                                 LINEAR("d", "c", 3) JOIN("concat", "e", "\"d\", \"a\", \"c\"") TANH("f", "e") OUTPUT},
    {"skip from the input by concat",
     LINEAR("a", "input", 4) TANH("b", "a") JOIN("concat", "c", "\"input\", \"b\"") OUTPUT},
    {"skip from the input by add", LINEAR("a", "input", 5) TANH("b", "a") JOIN("add", "c", "\"b\", \"input\"")
                                       LINEAR("d", "c", 4) TANH("e", "d") OUTPUT},
    {"nested adds", LINEAR("a", "input", 4) TANH("b", "a") LINEAR("c", "b", 4) JOIN("add", "d", "\"b\", \"c\"")
                        LINEAR("e", "d", 4) JOIN("add", "f", "\"a\", \"e\"") TANH("g", "f") OUTPUT},
    {"nested concats",
     LINEAR("a", "input", 3) TANH("b", "a") JOIN("concat", "c", "\"a\", \"b\"") LINEAR("d", "c", 2)
         JOIN("concat", "e", "\"c\", \"d\"") JOIN("concat", "f", "\"d\", \"e\"") TANH("g", "f") OUTPUT},
    {"concat inside add", LINEAR("a", "input", 3) TANH("b", "a") LINEAR("c", "b", 2) JOIN("concat", "d", "\"a\", \"c\"")
                              LINEAR("e", "input", 5) JOIN("add", "f", "\"d\", \"e\"") TANH("g", "f") OUTPUT},
    {"add inside concat", LINEAR("a", "input", 3) TANH("b", "a") LINEAR("c", "b", 3) JOIN("add", "d", "\"a\", \"c\"")
                              JOIN("concat", "e", "\"d\", \"c\"") TANH("f", "e") OUTPUT},
    {"a part of a concat read after it",
     LINEAR("a", "input", 3) LINEAR("b", "a", 2) JOIN("concat", "c", "\"a\", \"b\"") LINEAR("d", "a", 5)
         JOIN("add", "e", "\"c\", \"d\"") TANH("f", "e") OUTPUT},
    {"concat at the end", LINEAR("a", "input", 2) TANH("b", "a") "{\"op\": \"linear\", \"units\": 1, \"label\": \"c\"},"
                                                                 "{\"op\": \"concat\", \"inputs\": [\"b\", \"c\"]}"},
    {"add at the end", LINEAR("a", "input", 3) TANH("b", "a") "{\"op\": \"add\", \"inputs\": [\"a\", \"b\"]}"},
    {"add of 4 with factors", LINEAR("a", "input", 4) LINEAR("b", "a", 4) LINEAR("c", "b", 4)
                                  TANH("d", "c") "{\"op\": \"add\", \"inputs\": [\"a\", \"d\", \"b\", \"c\"], "
                                                 "\"factors\": [0.5, -1.5, 1, 2]}," TANH("e", "add1") OUTPUT},
    {"learned scale", LINEAR("a", "input", 4)
                          TANH("b", "a") "{\"op\": \"scale\", \"factor\": {\"learned\": 0.7}, \"label\": \"s\"}," JOIN(
                              "add", "c", "\"a\", \"s\"") TANH("d", "c") OUTPUT},
    {"learned scale of the input",
     "{\"op\": \"scale\", \"factor\": {\"learned\": 0.7}}," LINEAR("a", "scale1", 4) TANH("d", "a") OUTPUT},
    {"constant scale",
     LINEAR("a", "input", 4) "{\"op\": \"scale\", \"factor\": -0.6, \"label\": \"s\"},"
                             "{\"op\": \"scale\", \"factor\": 1, \"label\": \"t\"}," TANH("d", "t") OUTPUT},
    {"constant scale beside",
     LINEAR("a", "input", 4) TANH("b", "a") "{\"op\": \"scale\", \"factor\": -0.6, \"inputs\": [\"a\"]}," JOIN(
         "add", "c", "\"scale1\", \"b\"") OUTPUT},
    {"layer_norm", LINEAR("a", "input", 6) "{\"op\": \"layer_norm\"}, {\"op\": \"tanh\"}," OUTPUT},
    {"layer_norm without gain",
     LINEAR("a", "input", 6) "{\"op\": \"layer_norm\", \"affine\": false}, {\"op\": \"tanh\"}," OUTPUT},
    {"layer_norm of the input",
     "{\"op\": \"layer_norm\", \"eps\": 0.1}," LINEAR("a", "layer_norm1", 4) TANH("b", "a") OUTPUT},
    {"layer_norm beside", LINEAR("a", "input", 4) TANH("b", "a") "{\"op\": \"layer_norm\", \"inputs\": [\"a\"]}," JOIN(
                              "add", "c", "\"b\", \"layer_norm1\"") OUTPUT},
    {"rms_norm", LINEAR("a", "input", 6) "{\"op\": \"rms_norm\"}, {\"op\": \"tanh\"}," OUTPUT},
    {"rms_norm without gain",
     LINEAR("a", "input", 6) "{\"op\": \"rms_norm\", \"affine\": false, \"eps\": null}, {\"op\": \"tanh\"}," OUTPUT},
    {"rms_norm of the input",
     "{\"op\": \"rms_norm\", \"eps\": 0.1}," LINEAR("a", "rms_norm1", 4) TANH("b", "a") OUTPUT},
    {"rms_norm beside", LINEAR("a", "input", 4) TANH("b", "a") "{\"op\": \"rms_norm\", \"inputs\": [\"a\"]}," JOIN(
                            "add", "c", "\"b\", \"rms_norm1\"") OUTPUT},
    {"batch_norm", LINEAR("a", "input", 6) "{\"op\": \"batch_norm\"}, {\"op\": \"tanh\"}," OUTPUT},
    {"batch_norm without gain",
     LINEAR("a", "input", 6) "{\"op\": \"batch_norm\", \"affine\": false}, {\"op\": \"tanh\"}," OUTPUT},
    {"batch_norm of the input",
     "{\"op\": \"batch_norm\", \"eps\": 0.1}," LINEAR("a", "batch_norm1", 4) TANH("b", "a") OUTPUT},
    {"batch_norm of the input without gain",
     "{\"op\": \"batch_norm\", \"affine\": false}," LINEAR("a", "batch_norm1", 4) TANH("b", "a") OUTPUT},
    {"batch_norm beside", LINEAR("a", "input", 4) TANH("b", "a") "{\"op\": \"batch_norm\", \"inputs\": [\"a\"]}," JOIN(
                              "add", "c", "\"b\", \"batch_norm1\"") OUTPUT},
    {"batch_norm at the end", LINEAR("a", "input", 4) TANH("b", "a") OUTPUT ", {\"op\": \"batch_norm\"}"},
    {"batch_norm after batch_norm", LINEAR("a", "input", 70) "{\"op\": \"batch_norm\"}, {\"op\": \"tanh\"},"
                                                             "{\"op\": \"batch_norm\"}," OUTPUT},
    {"dropout", LINEAR("a", "input", 9) "{\"op\": \"dropout\"}," TANH("b", "dropout1")
                    LINEAR("c", "b", 70) "{\"op\": \"dropout\", \"rate\": 0.2}, {\"op\": \"sigmoid\"}," OUTPUT},
    {"dropout of the input, twice",
     "{\"op\": \"dropout\", \"rate\": 0.1}," LINEAR("a", "dropout1", 6) "{\"op\": \"dropout\", \"rate\": 0},"
                                                                        "{\"op\": \"tanh\"}," OUTPUT},
    {"dropout beside", LINEAR("a", "input", 4) TANH("b", "a") "{\"op\": \"dropout\", \"inputs\": [\"a\"]}," JOIN(
                           "add", "c", "\"b\", \"dropout1\"") OUTPUT},
    {"dropout of rate 0 beside",
     LINEAR("a", "input", 4) TANH("b", "a") "{\"op\": \"dropout\", \"rate\": 0, \"inputs\": [\"a\"]}," JOIN(
         "add", "c", "\"b\", \"dropout1\"") TANH("d", "c") OUTPUT},
    {"gate", LINEAR("a", "input", 4) LINEAR("t", "input", 4) "{\"op\": \"sigmoid\", \"label\": \"s\"}," LINEAR(
                 "b", "a", 4) JOIN("gate", "c", "\"s\", \"a\", \"b\"") TANH("d", "c") OUTPUT},
    {"gate of the input", LINEAR("t", "input", 5) "{\"op\": \"sigmoid\", \"label\": \"s\"}," JOIN(
                              "gate", "c", "\"s\", \"t\", \"input\"") OUTPUT},
    {"gate by itself, of the same node twice",
     LINEAR("a", "input", 4) TANH("b", "a") JOIN("gate", "c", "\"b\", \"a\", \"b\"")
         JOIN("gate", "d", "\"a\", \"c\", \"c\"") TANH("e", "d") OUTPUT},
    {"leaky_relu with another slope", LINEAR("a", "input", 4) "{\"op\": \"leaky_relu\", \"slope\": 0.3}," OUTPUT},
    {"elu with another alpha", LINEAR("a", "input", 4) "{\"op\": \"elu\", \"alpha\": 1.7}," OUTPUT},
    {"softplus with another beta", LINEAR("a", "input", 4) "{\"op\": \"softplus\", \"beta\": 2.5}," OUTPUT},
};

static void test_topologies(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof topologies / sizeof *topologies; i++) {
        char network[2048];
        snprintf(network, sizeof network, "{\"layers\": [%s]}", topologies[i].layers);
        check_both(topologies[i].name, network);
    }
}

/* Behind a layer of an image, 4 x 3 positions and 2 channels, and the same beside another reader of that layer, so that
 * gradients are added to what is there. */
#define IMAGE_OP(op, label, from, keys)                                                                                \
    "{\"op\": \"" op "\", \"label\": \"" label "\", \"inputs\": [\"" from "\"]" keys "},"
#define POOLED(label, from) IMAGE_OP("global_avg_pool", label, from, "")

static const topology image_ops[] = {
    {"global_avg_pool", LINEAR("a", "input", 3) TANH("b", "a") POOLED("p", "b") OUTPUT},
    {"global_avg_pool beside",
     LINEAR("a", "input", 3) TANH("b", "a") POOLED("p", "a") POOLED("q", "b") JOIN("add", "c", "\"p\", \"q\"") OUTPUT},
    {"flatten", LINEAR("a", "input", 3) TANH("b", "a") IMAGE_OP("flatten", "p", "b", "") OUTPUT},
    {"flatten of the input, and beside",
     LINEAR("a", "input", 2) TANH("b", "a") IMAGE_OP("flatten", "p", "input", "") IMAGE_OP("flatten", "q", "a", "")
         IMAGE_OP("flatten", "r", "b", "") JOIN("concat", "c", "\"p\", \"q\", \"r\"") OUTPUT},
    {"avg_pool", LINEAR("a", "input", 3) TANH("b", "a") IMAGE_OP("avg_pool", "p", "b", "") POOLED("q", "p") OUTPUT},
    {"avg_pool over edges",
     LINEAR("a", "input", 3) IMAGE_OP("avg_pool", "p", "a", ", \"kernel\": 3, \"stride\": 1, \"padding\": 1")
         JOIN("gate", "c", "\"a\", \"p\", \"a\"") POOLED("q", "c") OUTPUT},
    {"avg_pool within edges",
     LINEAR("a", "input", 3) TANH("b", "a")
         IMAGE_OP("avg_pool", "p", "b", ", \"kernel\": 3, \"stride\": 2, \"padding\": 1, \"count_include_pad\": false")
             IMAGE_OP("flatten", "q", "p", "") OUTPUT},
    {"max_pool", LINEAR("a", "input", 2) IMAGE_OP("max_pool", "p", "a", "") POOLED("q", "p") OUTPUT},
    {"max_pool over edges, beside",
     LINEAR("a", "input", 1) IMAGE_OP("max_pool", "p", "a", ", \"kernel\": 3, \"stride\": 1, \"padding\": 1")
         TANH("b", "a") JOIN("add", "c", "\"b\", \"p\", \"a\"") IMAGE_OP("flatten", "q", "c", "") OUTPUT},
    {"subsample",
     LINEAR("a", "input", 3) TANH("b", "a") IMAGE_OP("subsample", "p", "b", ", \"channels\": 6") LINEAR("c", "p", 6)
         TANH("d", "c") JOIN("add", "e", "\"d\", \"p\"") IMAGE_OP("flatten", "q", "e", "") OUTPUT},
    {"subsample, zeros after, beside",
     LINEAR("a", "input", 3) TANH("b", "a")
         IMAGE_OP("subsample", "p", "a", ", \"stride\": 3, \"channels\": 5, \"zeros\": \"after\"")
             IMAGE_OP("flatten", "q", "p", "") POOLED("r", "b") JOIN("concat", "c", "\"q\", \"r\"") OUTPUT},
    {"upsample", LINEAR("a", "input", 2) TANH("b", "a") IMAGE_OP("upsample", "p", "b", ", \"factor\": 3") TANH("c", "p")
                     POOLED("q", "c") OUTPUT},
    {"upsample beside, of a vector",
     LINEAR("a", "input", 2) POOLED("p", "a") TANH("b", "p") IMAGE_OP("upsample", "q", "p", "") LINEAR("c", "q", 2)
         TANH("d", "c") POOLED("e", "d") JOIN("add", "f", "\"b\", \"e\"") OUTPUT},
    {"conv2d", IMAGE_OP("conv2d", "a", "input", ", \"channels\": 3") TANH("b", "a")
                   IMAGE_OP("conv2d", "c", "b", ", \"channels\": 2, \"kernel\": 2, \"stride\": 2, \"bias\": false")
                       POOLED("q", "c") OUTPUT},
    {"conv2d beside", LINEAR("a", "input", 2) IMAGE_OP("conv2d", "b", "a", ", \"channels\": 2, \"kernel\": 1")
                          IMAGE_OP("conv2d", "c", "a", ", \"channels\": 2") JOIN("add", "d", "\"b\", \"a\", \"c\"")
                              TANH("e", "d") IMAGE_OP("flatten", "q", "e", "") OUTPUT},
    {"conv_transpose2d", IMAGE_OP("conv_transpose2d", "a", "input", ", \"channels\": 3") TANH("b", "a") IMAGE_OP(
                             "conv_transpose2d", "c", "b",
                             ", \"channels\": 2, \"kernel\": 3, \"stride\": 1, \"padding\": 1, \"bias\": false")
                             TANH("d", "c") POOLED("q", "d") OUTPUT},
    {"group_norm", LINEAR("a", "input", 4) IMAGE_OP("group_norm", "b", "a", ", \"groups\": 2") TANH("c", "b")
                       POOLED("q", "c") OUTPUT},
    {"group_norm of all, beside",
     LINEAR("a", "input", 3) IMAGE_OP("group_norm", "b", "a", ", \"groups\": 1, \"affine\": false")
         JOIN("add", "c", "\"b\", \"a\"") TANH("d", "c") IMAGE_OP("flatten", "q", "d", "") OUTPUT},
    {"group_norm of each", LINEAR("a", "input", 3) IMAGE_OP("group_norm", "b", "a", ", \"groups\": 3, \"eps\": 0.1")
                               TANH("c", "b") IMAGE_OP("flatten", "q", "c", "") OUTPUT},
    {"group_norm of a vector", LINEAR("a", "input", 6) POOLED("p", "a") IMAGE_OP(
                                   "group_norm", "b", "p", ", \"groups\": 2, \"eps\": 0.1") TANH("c", "b") OUTPUT},
    {"batch_norm of an image", IMAGE_OP("conv2d", "a", "input", ", \"channels\": 3")
                                   IMAGE_OP("batch_norm", "b", "a", "") TANH("c", "b") POOLED("q", "c") OUTPUT},
    {"drop_path", LINEAR("a", "input", 3) TANH("b", "a") IMAGE_OP("drop_path", "c", "b", ", \"rate\": 0.4")
                      JOIN("add", "d", "\"a\", \"c\"") POOLED("q", "d") OUTPUT},
    {"drop_path of batches, beside",
     LINEAR("a", "input", 3) IMAGE_OP("drop_path", "c", "a", ", \"rate\": 0.2, \"per\": \"batch\"") TANH("b", "a")
         JOIN("add", "d", "\"b\", \"c\"") IMAGE_OP("flatten", "q", "d", "") OUTPUT},
    {"dropout of channels",
     LINEAR("a", "input", 9) IMAGE_OP("dropout", "b", "a", ", \"per\": \"channel\", \"rate\": 0.3") TANH("c", "b")
         IMAGE_OP("flatten", "q", "c", "") OUTPUT},
};

static void test_image_ops(void **state) {
    (void)state;
    sn_dataset data = toy_images(SAMPLES, (sn_shape){3, {4, 3, 2}}, OUT, 3);
    for (size_t i = 0; i < sizeof image_ops / sizeof *image_ops; i++) {
        char network[2048];
        snprintf(network, sizeof network, "{\"layers\": [%s]}", image_ops[i].layers);
        check_network(image_ops[i].name, network, &data);
    }
    sn_dataset_reset(&data);
}

/* Each once in a chain and once where its gradient is added to another. */
static void test_activations(void **state) {
    (void)state;
    sn_error error;
    const sn_backend *backend;
    assert_int_equal(sn_backend_select(&backend, SN_F64, &error), SN_OK);
    int n = 0;
    for (const sn_op *const *op = sn_ops; *op; op++) {
        if (!(*op)->is_activation) continue;
        char network[1024];
        snprintf(network, sizeof network,
                 "{\"layers\": [" LINEAR("a", "input", 4) "{\"op\": \"%s\", \"label\": \"b\"}," LINEAR(
                     "c", "b", 4) "{\"op\": \"%s\", \"label\": \"d\"}," JOIN("add", "e", "\"d\", \"c\"") OUTPUT "]}",
                 (*op)->kind.name, (*op)->kind.name);
        check_both((*op)->kind.name, network);
        n++;
    }
    assert_true(n >= 11);
}

/* skip (with its scales) x order x norm x layers_per_block; the last block of 3 is a short one. */
static void test_families(void **state) {
    (void)state;
    static const char *const skips[] = {
        "\"kind\": \"none\"",
        "\"kind\": \"add\"",
        "\"kind\": \"add\", \"branch_scale\": 0.7, \"shortcut_scale\": 0.9",
        "\"kind\": \"add\", \"branch_scale\": \"inverse_sqrt_blocks\"",
        "\"kind\": \"add\", \"branch_scale\": {\"learned\": 0.6}",
        "\"kind\": \"concat\", \"growth\": 3",
        "\"kind\": \"highway\"",
    };
    static const char *const orders[] = {"pre", "inside", "post"}, *const norms[] = {"none", "layer", "rms", "batch"};
    static const int depths[] = {0, 4, 5, 6};
    int n = 0;
    for (int c = 0; c < 7 * 3 * 4 * 3; c++) {
        const char *skip = skips[c % 7], *order = orders[c / 7 % 3];
        int per_block = 1 + c / 84;
        if (strcmp(order, "post") == 0 && (strstr(skip, "concat") || strstr(skip, "highway"))) continue;
        if (per_block > 1 && strstr(skip, "none")) continue;
        char network[512], block[64] = "";
        if (!strstr(skip, "none")) snprintf(block, sizeof block, ", \"layers_per_block\": %d", per_block);
        snprintf(network, sizeof network,
                 "{\"depth\": %d, \"width\": 4, \"activation\": \"%s\", \"order\": \"%s\", \"norm\": \"%s\", "
                 "\"skip\": {%s%s}}",
                 depths[per_block], c % 2 ? "gelu" : "tanh", order, norms[c / 21 % 4], skip, block);
        check_both(network, network);
        n++;
    }
    assert_int_equal(n, 4 * (3 + 4 * 3 * 3 + 2 * 2 * 3));
}

/* Targets from 0 to 1. */
static sn_dataset toy_shares(double *shares) {
    sn_dataset data = toy_targets(SAMPLES, IN, OUT, 2);
    for (size_t i = 0; i < SAMPLES * OUT; i++)
        shares[i] = 1 / (1 + exp(-2 * data.train.targets[i]));
    data.train.targets = shares;
    return data;
}

/* What the loss accepts. */
static unsigned check_loss_on(const char *config, const char *network, const sn_dataset *data) {
    test_loss loss = loss_open(config, data);
    unsigned accepts = loss.objective.loss->accepts;
    check_loss(config, network, data, &loss.objective);
    loss_close(&loss);
    return accepts;
}

/* Each with its keys, on classes and, where it takes them, on targets. */
static void test_losses(void **state) {
    (void)state;
    static const char network[] = "{\"layers\": [" LINEAR("a", "input", 4) TANH("b", "a") OUTPUT "]}";
    static const char *const losses[] = {
        "\"softmax_cross_entropy\"",
        "{\"label_smoothing\": 0.2}",
        "{\"label_smoothing\": 1}",
        "{\"class_weights\": [0.3, 0, 2]}",
        "{\"class_weights\": \"balanced\", \"label_smoothing\": 0.1}",
        "\"mean_squared_error\"",
        "\"hinge\"",
        "{\"kind\": \"hinge\", \"p\": 2, \"class_weights\": [0.3, 0, 2]}",
        "\"binary_cross_entropy\"",
    };
    double room[SAMPLES * OUT];
    sn_dataset classes = toy_classes(SAMPLES, IN, OUT, 1), shares = toy_shares(room);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        if (check_loss_on(losses[i], network, &classes) & SN_TARGETS) check_loss_on(losses[i], network, &shares);
    }
    sn_dataset_reset(&classes);
    sn_dataset_reset(&shares);
}

static void test_coverage(void **state) {
    (void)state;
    sn_error error;
    const sn_backend *backend;
    assert_int_equal(sn_backend_select(&backend, SN_F64, &error), SN_OK);
    for (const sn_op *const *op = sn_ops; *op; op++) {
        if (!name_set_has(&seen_ops, "%s", (*op)->kind.name)) fail_msg("no case has the op %s", (*op)->kind.name);
    }
    for (const sn_loss *const *loss = sn_losses; *loss; loss++) {
        if (!name_set_has(&seen_losses, "%s", (*loss)->kind.name))
            fail_msg("no case has the loss %s", (*loss)->kind.name);
    }
    print_message(
        "%s: %d tensors; greatest deviation from differences %.2g, from the unfused walk %.2g, of float %.2g\n",
        backend->simd, n_tensors, worst_difference, worst_reference, worst_float);
    assert_true(n_tensors > 1000 && n_cancelled > 10);
}

/* One sample, so that the gradient by the output of a linear layer is its bias gradient: "probe" is such a layer with
 * the identity as its weight, so its bias gradient is also the gradient by the output of the join that it reads, which
 * is where "branch" and "first" are carried on from. */
static void test_signals(void **state) {
    (void)state;
    sn_dataset data = toy_classes(1, IN, OUT, 4);
    test_net net;
    net_open(&net,
             "{\"layers\": [" LINEAR("first", "input", 4) TANH("t", "first") LINEAR("branch", "t", 4)
                 TANH("u", "branch")
                     JOIN("add", "join", "\"u\", \"t\"") "{\"op\": \"linear\", \"units\": 4, \"label\": \"probe\", "
                                                         "\"init\": \"identity\"}," TANH("v", "probe") OUTPUT "]}",
             &data, SN_F64, NULL);
    assert_int_equal(sn_engine_init_weights(net.engine, 3, NULL), SN_OK);
    sn_observation seen;
    sn_error error;
    assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
    net_measure(&net, &seen);
    double bias_norms[4];
    static const char *const names[] = {"first.bias", "branch.bias", "probe.bias", "linear1.bias"};
    for (int k = 0; k < 4; k++) {
        size_t i = net_find(&net, names[k]);
        double *expected = net_gradient(&net, i);
        net_differences(&net, i, STEP, expected);
        bias_norms[k] = norm_of(expected, net_count(&net, i));
        assert_true(bias_norms[k] > LEAST_GRADIENT);
        assert_true(fabs(sn_sumsq_norm(seen.nodes[k].delta.squares) / bias_norms[k] - 1) < 1e-7);
        free(expected);
    }
    assert_int_equal(seen.n_nodes, 4);
    assert_true(fabs(sn_sumsq_norm(seen.nodes[1].carried.squares) / bias_norms[2] - 1) < 1e-7);
    assert_true(fabs(sn_sumsq_norm(seen.nodes[3].carried.squares) / bias_norms[3] - 1) < 1e-7);
    sn_observation_reset(&seen);
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topologies), cmocka_unit_test(test_image_ops), cmocka_unit_test(test_activations),
        cmocka_unit_test(test_families),   cmocka_unit_test(test_losses),    cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
