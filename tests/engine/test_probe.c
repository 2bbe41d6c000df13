/* The probe's numbers against each other and against differences, for every op, with one position and with several:
 *
 *     <u, push(v)> = <pull(u), v>                         of every node
 *     gradient of a node = sum of its readers' pulls
 *     pushes through the whole graph = differences of the values, when the input is moved
 *     <u, those pushes> = <gradient by the input, v>      where u is put in at any node
 *
 * and values and gradients against those of an engine that trains. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "engine/probe.h"
#include "ops/table.h"
#include "support/check.h"
#include "support/image_op.h"
#include "support/name_set.h"
#include "support/net.h"
#include "support/random_graph.h"
#include "support/toy.h"

enum { GRAPHS = 150, IMAGE_GRAPHS = 100, IN = 4, OUT = 3, SAMPLES = 19, MOST_NODES = 64 };

static const double STEP = 2.5e-4;

/* What the networks had in them, the greatest deviations, and how many products were not zero. */
static name_set seen_ops, seen_image_ops;
static double worst_product, worst_gradient, worst_chain, worst_difference;
static int n_products, n_chains;

/* A network whose engine is the probe's own. */
typedef struct subject {
    test_net net;
    sn_probe *probe;
    const char *text;
} subject;

static double *doubles(size_t n) {
    double *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static double *normals(size_t n, const char *label, uint64_t seed) {
    double *x = doubles(n);
    sn_rng rng = sn_rng_stream(seed, "test", label, 0);
    for (size_t i = 0; i < n; i++)
        x[i] = sn_rng_normal(rng, i);
    return x;
}

static double run_at(subject *s, const sn_batch *batch) {
    sn_step_result result;
    char text[SN_FAULT_TEXT];
    if (sn_probe_run(s->probe, batch, 3, &result))
        fail_msg("%s\n%s", sn_fault_text(&result.fault, &s->net.graph, text), s->text);
    return result.loss;
}

static double run(subject *s) {
    return run_at(s, &(sn_batch){s->net.data, &s->net.data->train, s->net.indices, s->net.batch});
}

/* ---- one node ---- */

/* Pulls of normal u and pushes of normal v, and how they agree; all inputs wanted. */
static void check_node(subject *s, int i) {
    const sn_node *node = &s->net.graph.nodes[i];
    size_t n = sn_probe_size(s->probe, i);
    double *u = normals(n, "u", (uint64_t)i), *ty = doubles(n), *dx[MOST_NODES], *v[MOST_NODES];
    double right = 0, squares_v = 0, squares_dx = 0;
    for (int k = 0; k < node->n_inputs; k++) {
        size_t m = sn_probe_size(s->probe, node->inputs[k]);
        dx[k] = doubles(m);
        v[k] = normals(m, "v", (uint64_t)i * MOST_NODES + (uint64_t)k);
    }
    sn_probe_pull(s->probe, i, u, dx);
    sn_probe_push(s->probe, i, (const double *const *)v, ty);
    for (int k = 0; k < node->n_inputs; k++) {
        size_t m = sn_probe_size(s->probe, node->inputs[k]);
        right += dot(dx[k], v[k], m);
        squares_dx += dot(dx[k], dx[k], m);
        squares_v += dot(v[k], v[k], m);
        free(dx[k]);
        free(v[k]);
    }
    double size = norm_of(u, n) * norm_of(ty, n) + sqrt(squares_dx * squares_v);
    double deviation = size > 0 ? fabs(dot(u, ty, n) - right) / size : 0;
    if (!(deviation <= 1e-12)) fail_msg("%s (%s): %g\n%s", node->label, node->op->kind.name, deviation, s->text);
    worst_product = fmax(worst_product, deviation);
    n_products += size > 1e-3;
    free(u);
    free(ty);
}

/* sum += what the readers of node i pull from their gradients. */
static void add_pulls(subject *s, int i, double *sum) {
    size_t n = sn_probe_size(s->probe, i);
    double *pulled = doubles(n);
    for (int r = i + 1; r < s->net.graph.n_nodes; r++) {
        const sn_node *reader = &s->net.graph.nodes[r];
        double *gradient = doubles(sn_probe_size(s->probe, r));
        sn_probe_gradient(s->probe, r, gradient);
        for (int k = 0; k < reader->n_inputs; k++) {
            double *dx[MOST_NODES] = {NULL}; /* one input wanted, the others not */
            if (reader->inputs[k] != i) continue;
            dx[k] = pulled;
            sn_probe_pull(s->probe, r, gradient, dx);
            for (size_t e = 0; e < n; e++)
                sum[e] += pulled[e];
        }
        free(gradient);
    }
    free(pulled);
}

static void check_gradient(subject *s, int i) {
    size_t n = sn_probe_size(s->probe, i);
    double *gradient = doubles(n), *sum = doubles(n);
    sn_probe_gradient(s->probe, i, gradient);
    add_pulls(s, i, sum);
    double distance = distance_of(gradient, sum, n);
    if (!(distance <= 1e-12)) fail_msg("node %d: %g from its readers' pulls\n%s", i, distance, s->text);
    worst_gradient = fmax(worst_gradient, distance);
    free(gradient);
    free(sum);
}

/* ---- the whole graph ---- */

/* Tangents of all nodes, pushed on from `direction` at the input. */
static void push_all(subject *s, const double *direction, double **tangents) {
    const sn_graph *graph = &s->net.graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        size_t n = sn_probe_size(s->probe, i);
        tangents[i] = doubles(n);
        if (i == 0) memcpy(tangents[i], direction, n * sizeof *direction);
        const double *v[MOST_NODES];
        for (int k = 0; k < graph->nodes[i].n_inputs; k++)
            v[k] = tangents[graph->nodes[i].inputs[k]];
        if (i > 0) sn_probe_push(s->probe, i, v, tangents[i]);
    }
}

/* A cotangent put in at every node, against the tangents. */
static void check_chains(subject *s, double **tangents) {
    size_t n_in = sn_probe_size(s->probe, 0);
    double *pulled = doubles(n_in);
    for (int i = 1; i < s->net.graph.n_nodes; i++) {
        size_t n = sn_probe_size(s->probe, i);
        double *u = normals(n, "cotangent", (uint64_t)i);
        sn_probe_backward_from(s->probe, i, u);
        sn_probe_gradient(s->probe, 0, pulled);
        double size = norm_of(u, n) * norm_of(tangents[i], n) + norm_of(pulled, n_in) * norm_of(tangents[0], n_in);
        /* Means of what a norm has centered are nothing but rounding. */
        double least = 0.01 * norm_of(u, n) * norm_of(tangents[0], n_in);
        double deviation = fabs(dot(u, tangents[i], n) - dot(pulled, tangents[0], n_in)) / fmax(size, least);
        if (!(deviation <= 1e-12)) fail_msg("from node %d: %g\n%s", i, deviation, s->text);
        worst_chain = fmax(worst_chain, deviation);
        n_chains += norm_of(pulled, n_in) > 1e-3;
        free(u);
    }
    free(pulled);
}

/* sum += weight * (all values, then the loss) where the input is moved by `shift`. */
static void add_values(subject *s, const double *direction, double shift, double weight, double **sum) {
    sn_dataset data = *s->net.data;
    size_t n_in = sn_probe_size(s->probe, 0);
    double *moved = doubles(n_in);
    for (size_t e = 0; e < n_in; e++)
        moved[e] = data.train.values[e] + shift * direction[e];
    data.train.values = moved;
    sum[s->net.graph.n_nodes][0] += weight * run_at(s, &(sn_batch){&data, &data.train, s->net.indices, s->net.batch});
    for (int i = 0; i < s->net.graph.n_nodes; i++) {
        double *values = net_signal(s->probe, i);
        for (size_t e = 0; e < sn_probe_size(s->probe, i); e++)
            sum[i][e] += weight * values[e];
        free(values);
    }
    free(moved);
}

static void check_differences(subject *s, const double *direction, double **tangents, double slope) {
    int n = s->net.graph.n_nodes;
    double *sum[MOST_NODES];
    for (int i = 0; i <= n; i++)
        sum[i] = doubles(i < n ? sn_probe_size(s->probe, i) : 1);
    for (int k = -2; k <= 2; k++) {
        static const double weights[] = {1, -8, 0, 8, -1};
        if (k) add_values(s, direction, k * STEP, weights[k + 2] / (12 * STEP), sum);
    }
    for (int i = 0; i < n; i++) {
        double distance = distance_of(sum[i], tangents[i], sn_probe_size(s->probe, i));
        bool is_flat = norm_of(tangents[i], sn_probe_size(s->probe, i)) < 1e-6;
        if (!(distance <= 1e-7) && !is_flat) fail_msg("node %d: %g from differences\n%s", i, distance, s->text);
        if (!is_flat) worst_difference = fmax(worst_difference, distance);
    }
    if (!(fabs(sum[n][0] - slope) <= 1e-7 * (1 + fabs(slope))))
        fail_msg("the loss: %.12g, by differences %.12g\n%s", slope, sum[n][0], s->text);
    for (int i = 0; i <= n; i++)
        free(sum[i]);
}

static void check_subject(subject *s, bool is_smooth) {
    assert_true(s->net.graph.n_nodes < MOST_NODES);
    run(s);
    for (int i = 1; i < s->net.graph.n_nodes; i++) {
        check_node(s, i);
        name_set_add(s->net.graph.nodes[0].positions > 1 ? &seen_image_ops : &seen_ops, "%s",
                     s->net.graph.nodes[i].op->kind.name);
    }
    for (int i = 0; i + 1 < s->net.graph.n_nodes; i++)
        check_gradient(s, i);
    size_t n_in = sn_probe_size(s->probe, 0);
    double *direction = normals(n_in, "direction", 1), *gradient = doubles(n_in), *tangents[MOST_NODES];
    sn_probe_gradient(s->probe, 0, gradient);
    push_all(s, direction, tangents);
    check_chains(s, tangents);
    if (is_smooth) check_differences(s, direction, tangents, dot(gradient, direction, n_in));
    for (int i = 0; i < s->net.graph.n_nodes; i++)
        free(tangents[i]);
    free(direction);
    free(gradient);
}

/* ---- networks ---- */

/* An engine with sharing, scratch memory and groups of panels has the same loss, outputs and gradients. */
static void check_engine(subject *s, test_net *net) {
    run(s);
    net->number = 3;
    net_copy_weights(net, &s->net);
    double loss = net_measure(net, NULL).loss;
    assert_true(fabs(loss - run(s)) <= 1e-12 * loss);
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        size_t n = net_count(net, i);
        double *expected = net_gradient(net, i), *gradient = doubles(n);
        sn_probe_weight_gradient(s->probe, i, gradient);
        double distance = distance_of(expected, gradient, n);
        if (!net_is_cancelled(net, i) && !(distance <= 1e-12)) fail_msg("tensor %zu: %g\n%s", i, distance, s->text);
        free(expected);
        free(gradient);
    }
    sn_step_result result;
    sn_batch batch = {net->data, &net->data->train, net->indices, net->batch};
    size_t n = net->batch * OUT;
    double *expected = doubles(n);
    sn_engine_predict(net->engine, &batch, expected);
    sn_probe_evaluate(s->probe, &batch, &result);
    double *outputs = net_signal(s->probe, net->graph.n_nodes - 1);
    assert_true(distance_of(outputs, expected, n) <= 1e-12 && norm_of(outputs, n) > 0);
    assert_true(fabs(result.loss - net_loss(net)) <= 1e-12 * result.loss);
    free(expected);
    free(outputs);
}

static void check_random_graph(const sn_dataset *data, uint64_t seed) {
    bool is_smooth = seed % 3 != 0;
    random_images images = seed > GRAPHS ? RANDOM_MADE : RANDOM_NO_IMAGES;
    random_limits limits = {IN, OUT, 5, 20, is_smooth, seed % 4 == 3, false, images, {0}};
    sn_text text = random_graph(seed, &limits);
    test_net net;
    sn_engine_options options = {.keeps_gradients = true, .threads = 1 + (int)(seed % 2)};
    net_open(&net, sn_text_string(&text), data, SN_F64, &options);
    net_randomize(&net, seed);
    subject s = {net, net_probe(&net), sn_text_string(&text)};
    s.net.engine = sn_probe_engine(s.probe);
    check_subject(&s, is_smooth);
    check_engine(&s, &net);
    sn_probe_free(s.probe);
    net_close(&net);
    sn_text_free(&text);
}

static void test_random_graphs(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 6);
    for (uint64_t seed = 1; seed <= GRAPHS + IMAGE_GRAPHS; seed++)
        check_random_graph(&data, seed);
    sn_dataset_reset(&data);
    print_message("%d products within %.2g, %d chains within %.2g; gradients %.2g from pulls, tangents %.2g from "
                  "differences\n",
                  n_products, worst_product, n_chains, worst_chain, worst_gradient, worst_difference);
    assert_true(n_products > 5 * GRAPHS && n_chains > 5 * GRAPHS);
    for (const sn_op *const *op = sn_ops; *op; op++) {
        if (!name_set_has(&seen_ops, "%s", (*op)->kind.name)) fail_msg("no graph has the op %s", (*op)->kind.name);
    }
}

static void check_pushes(sn_dtype dtype) {
    sn_error error;
    const sn_backend *backend;
    assert_int_equal(sn_backend_select(&backend, dtype, &error), SN_OK);
    for (size_t i = 0; sn_ops[i]; i++) {
        if (!backend->ops[i]->push) fail_msg("src/ops/%s.c has no push", sn_ops[i]->kind.name);
    }
}

static void test_every_op_pushes(void **state) {
    (void)state;
    check_pushes(SN_F32);
    check_pushes(SN_F64);
}

/* ---- several positions ---- */

#define NODE(op, label, from, keys) "{\"op\": \"" op "\", \"label\": \"" label "\", \"inputs\": [" from "]" keys "},"

/* All signals up to `m` have 2 x 3 positions; elu is the op of the tests: it mixes positions, and pools them. */
static const char image_network[] = "{\"layers\": [" NODE("linear", "a", "\"input\"", ", \"units\": 4")
    NODE("batch_norm", "b", "\"a\"", "") NODE("tanh", "c", "\"b\"", "")
        NODE("linear", "d", "\"c\"", ", \"units\": 4, \"bias\": false") NODE("scale", "e", "\"d\"",
                                                                             ", \"factor\": {\"learned\": 0.7}")
            NODE("add", "f", "\"e\", \"a\", \"e\"", ", \"factors\": [1, 0.5, -2]") NODE("sigmoid", "t", "\"f\"", "")
                NODE("elu", "x", "\"f\"", "") NODE("gate", "g", "\"t\", \"x\", \"c\"", "")
                    NODE("dropout", "h", "\"g\"", ", \"rate\": 0.3") NODE("concat", "i", "\"h\", \"input\", \"b\"", "")
                        NODE("layer_norm", "j", "\"i\"", ", \"eps\": 0.1")
                            NODE("rms_norm", "r", "\"j\"", ", \"eps\": 0.2") NODE("softplus", "k", "\"r\"", "")
                                NODE("scale", "l", "\"k\"", ", \"factor\": -1.5")
                                    NODE("elu", "m", "\"l\"", ", \"alpha\": 2") "{\"op\": \"linear\", \"units\": 3}]}";

static void test_positions(void **state) {
    (void)state;
    sn_dataset data = toy_images(SAMPLES, (sn_shape){3, {2, 3, 2}}, OUT, 7);
    test_net net;
    net_open_image(&net, image_network, &data, NULL);
    net_randomize(&net, 4);
    assert_int_equal(net.graph.nodes[1].positions, 6);
    subject s = {net, net_probe(&net), image_network};
    s.net.engine = sn_probe_engine(s.probe);
    check_subject(&s, true);
    check_engine(&s, &net);
    static const char *const needed[] = {"linear", "batch_norm", "layer_norm", "rms_norm", "add", "concat",
                                         "scale",  "gate",       "dropout",    "tanh",     "elu"};
    for (size_t k = 0; k < sizeof needed / sizeof *needed; k++)
        assert_true(name_set_has(&seen_image_ops, "%s", needed[k]));
    sn_probe_free(s.probe);
    net_close(&net);
    sn_dataset_reset(&data);
}

/* Float in, float out: the same products to its precision. */
static void test_float(void **state) {
    (void)state;
    sn_dataset data = toy_targets(SAMPLES, IN, OUT, 6);
    static const char network[] = "{\"depth\": 4, \"width\": 8, \"norm\": \"batch\", \"skip\": \"add\"}";
    test_net nets[2];
    double *gradients[2];
    for (int i = 0; i < 2; i++) {
        net_open(&nets[i], network, &data, i ? SN_F32 : SN_F64, NULL);
        net_randomize(&nets[i], 3);
        sn_probe *probe = net_probe(&nets[i]);
        net_run(&nets[i], probe, 0, SAMPLES);
        size_t n = sn_probe_size(probe, nets[i].graph.n_nodes - 1);
        double *u = normals(n, "u", 1);
        sn_probe_backward_from(probe, nets[i].graph.n_nodes - 1, u);
        gradients[i] = doubles(sn_probe_size(probe, 0));
        sn_probe_gradient(probe, 0, gradients[i]);
        free(u);
        sn_probe_free(probe);
    }
    double distance = distance_of(gradients[0], gradients[1], (size_t)SAMPLES * IN);
    assert_true(distance > 0 && distance < 1e-4);
    for (int i = 0; i < 2; i++) {
        free(gradients[i]);
        net_close(&nets[i]);
    }
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_op_pushes),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
