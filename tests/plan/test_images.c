/* Networks of images, of what exists and an op of the tests: signals with positions through every op, in the plan
 * (panels, memory, phases, parts of gradients), against differences of the loss and the unfused walk, and the same bits
 * for any number of threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/probe.h"
#include "ops/table.h"
#include "support/check.h"
#include "support/image_op.h"
#include "support/rules.h"
#include "support/toy.h"

enum { OUT = 3, SAMPLES = 139, BATCH = 52, LAST = SAMPLES - 2 * BATCH, STEPS = 5 };

#define MIX(label, input)  "{\"op\": \"elu\", \"label\": \"" label "\", \"inputs\": [\"" input "\"]}, "
#define POOL               "{\"op\": \"elu\", \"label\": \"pool\", \"alpha\": 2}, "
#define UNITS(label, n)    "{\"op\": \"linear\", \"label\": \"" label "\", \"units\": " #n "}, "
#define JOIN(op, label, a) "{\"op\": \"" op "\", \"label\": \"" label "\", \"inputs\": [\"" a "\"]}, "

/* Every op of the program between two of the tests': two residual blocks and a dense one. */
static const char every_op[] = "{\"layers\": [" MIX(
    "mix1",
    "input") "{\"op\": \"linear\", \"label\": \"lift\", \"units\": 4}, "
             "{\"op\": \"batch_norm\", \"label\": \"bn1\"}, {\"op\": \"tanh\", \"label\": "
             "\"act1\"}, " MIX("mix2", "act1") "{\"op\": \"batch_norm\", \"label\": \"bn2\"}, " JOIN(
                 "add", "block1",
                 "act1\", \"bn2") "{\"op\": \"layer_norm\", \"label\": \"ln\"}, {\"op\": \"scale\", "
                                  "\"label\": \"s\", \"factor\": {\"learned\": 0.7}}, "
                                  "{\"op\": \"dropout\", \"label\": \"drop\", \"rate\": 0.25}, " UNITS("grow", 3) JOIN(
                                      "concat", "dense", "drop\", \"grow") "{\"op\": \"sigmoid\", "
                                                                           "\"label\": \"t\"}, " MIX("mix"
                                                                                                     "3",
                                                                                                     "dens"
                                                                                                     "e")
                                                                               JOIN("gate", "highway",
                                                                                    "t\", \"mix3\", "
                                                                                    "\"dense") "{\"op\": "
                                                                                               "\"batch_"
                                                                                               "norm\", "
                                                                                               "\"label\": "
                                                                                               "\"bn3\"},"
                                                                                               " " POOL UNITS("out"
                                                                                                              "pu"
                                                                                                              "t",
                                                                                                              3) "]}";

static char *network_of(const char *text) {
    char *copy = strdup(text), *end = strrchr(copy, ',');
    assert_non_null(copy);
    memmove(end, end + 2, strlen(end + 2) + 1); /* the comma before the end */
    return copy;
}

static void open_network(test_net *net, const char *text, const sn_dataset *data, const sn_engine_options *options) {
    char *network = network_of(text);
    net_open_image(net, network, data, options);
    free(network);
}

static sn_dataset images(void) {
    return toy_images(SAMPLES, (sn_shape){3, {5, 4, 2}}, OUT, 11);
}

/* ---- the plan ---- */

static const char *label_of(const test_net *net, int i) {
    return net->graph.nodes[i].label;
}

static void test_shapes(void **state) {
    (void)state;
    sn_dataset data = images();
    test_net net;
    open_network(&net, every_op, &data, NULL);
    for (int i = 0; i < net.graph.n_nodes; i++) {
        const sn_node *node = &net.graph.nodes[i];
        bool is_vector = strcmp(label_of(&net, i), "pool") == 0 || strcmp(label_of(&net, i), "output") == 0;
        assert_int_equal(node->positions, is_vector ? 1 : 20);
        assert_int_equal(node->positions * node->width, sn_shape_size(&node->shape));
    }
    assert_int_equal(net.graph.nodes[0].width, 2);
    assert_int_equal(net.graph.nodes[sn_graph_find(&net.graph, "dense")].width, 7);
    net_close(&net);
    /* Where no op looks at the image, its pixels are a vector. */
    net_open(&net, "{\"depth\": 3, \"width\": 4}", &data, SN_F64, NULL);
    assert_int_equal(net.graph.nodes[0].positions, 1);
    assert_int_equal(net.graph.nodes[0].width, 40);
    net_close(&net);
    sn_dataset_reset(&data);
}

/* Threads walk panels of images one by one, those of vectors together. */
static void test_panels(void **state) {
    (void)state;
    sn_dataset data = toy_images(70, (sn_shape){3, {32, 32, 2}}, OUT, 1);
    test_net net;
    open_network(&net, "{\"layers\": [" MIX("mix", "input") UNITS("lift", 16) POOL UNITS("output", 3) "]}", &data,
                 NULL);
    const sn_plan *plan = sn_engine_plan(net.engine);
    assert_int_equal(plan->max_panels, 5);
    assert_true(plan->has_images);
    assert_int_equal(sn_plan_group_panels(plan, 1), 1);
    sn_buffer lift = plan->buffers[plan->value[sn_graph_find(&net.graph, "lift")].buffer];
    assert_int_equal(sn_buffer_panel(&lift), 32 * 32 * 16 * SN_PANEL);
    net_close(&net);
    net_open(&net, "{\"depth\": 2, \"width\": 4}", &data, SN_F64, NULL);
    plan = sn_engine_plan(net.engine);
    assert_int_equal(sn_plan_group_panels(plan, 1), 5);
    assert_int_equal(sn_plan_group_panels(plan, 2), 3);
    net_close(&net);
    sn_dataset_reset(&data);
}

/* A dense network of images copies nothing: columns of channels are views, and an activation goes on from another. */
static void test_dense(void **state) {
    (void)state;
    sn_dataset data = images();
    test_net net;
    open_network(&net,
                 "{\"layers\": [" MIX("a", "input") UNITS("b", 3)
                     JOIN("concat", "ab", "a\", \"b") "{\"op\": \"tanh\"}, " UNITS("c", 2)
                         JOIN("concat", "abc", "ab\", \"c") "{\"op\": \"tanh\"}, " POOL UNITS("output", 3) "]}",
                 &data, NULL);
    const sn_plan *plan = sn_engine_plan(net.engine);
    assert_int_equal(plan->n_copies, 0);
    int n = 0;
    for (int i = 1; i < net.graph.n_nodes; i++) {
        if (net.graph.nodes[i].op->join != SN_JOIN_CONCAT) continue;
        assert_true(plan->is_apart[i] == (strcmp(label_of(&net, i), "abc") == 0));
        for (int k = 0; k < 2; k++, n++) {
            assert_true(plan->is_apart[i] || sn_plan_is_view(plan, plan->value, i, k));
            assert_int_equal(plan->edges[plan->first_edge[i] + k].flow, SN_FLOW_NONE);
        }
    }
    assert_int_equal(n, 4);
    net_close(&net);
    sn_dataset_reset(&data);
}

static size_t batch_sum(const sn_plan *plan) {
    size_t sum = 0;
    for (int b = 0; b < plan->n_buffers; b++) {
        if (plan->buffers[b].place == SN_PLACE_BATCH) sum += sn_buffer_room(plan, &plan->buffers[b]);
    }
    return sum;
}

/* Ten blocks with batch normalization: gradients are done on the way, and what they read gives its memory back. */
static void test_memory(void **state) {
    (void)state;
    char text[8192] = "{\"layers\": [" MIX("in", "input");
    for (int i = 1; i <= 10; i++) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n,
                 "{\"op\": \"linear\", \"units\": 6}, {\"op\": \"batch_norm\"}, {\"op\": \"tanh\"}, ");
    }
    strcat(text, POOL UNITS("output", 3) "]}");
    sn_dataset data = images();
    test_net net, whole;
    open_network(&net, text, &data, &(sn_engine_options){0});
    open_network(&whole, text, &data, &(sn_engine_options){.is_reference = true});
    const sn_plan *plan = sn_engine_plan(net.engine);
    int n_early = 0, n_parts = 0;
    for (int j = 0; j < plan->n_items; j++) {
        n_early += plan->items[j].phase < plan->n_segments;
        n_parts += plan->items[j].n_parts == 8;
        assert_true(plan->items[j].n_parts == 1 || plan->items[j].n_parts == 8);
    }
    print_message("%d of %d items before the work, %d in parts; %zu of %zu elements of signals\n", n_early,
                  plan->n_items, n_parts, plan->by_sample, batch_sum(plan));
    assert_true(n_early >= 20 && plan->n_late > 0 && n_parts >= 20);
    assert_true(plan->by_sample < batch_sum(plan) * 7 / 10);
    assert_true(plan->gradient_elements > 0 && plan->gradient_elements <= plan->param_elements);
    assert_int_equal(sn_engine_plan(whole.engine)->by_sample - SN_GUARD, batch_sum(sn_engine_plan(whole.engine)));
    net_close(&net);
    net_close(&whole);
    sn_dataset_reset(&data);
}

/* ---- values ---- */

/* How far the gradient of a tensor is from differences of the loss, at most. */
static double difference_of(test_net *net, size_t tensor, const double *g) {
    size_t n = net_count(net, tensor);
    double *difference = malloc(n * sizeof *difference), worst = 0;
    assert_non_null(difference);
    net_differences(net, tensor, 1e-4, difference);
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, fabs(difference[k] - g[k]));
    free(difference);
    return worst;
}

/* All gradients against differences of the loss, and against the unfused walk. */
static void test_gradients(void **state) {
    (void)state;
    sn_dataset data = images();
    test_net net, reference;
    open_network(&net, every_op, &data, NULL);
    open_network(&reference, every_op, &data, &(sn_engine_options){.is_reference = true, .keeps_gradients = true});
    net_randomize(&net, 3);
    net_copy_weights(&reference, &net);
    net_measure(&net, NULL);
    net_measure(&reference, NULL);
    assert_true(net_gradient_distance(&net, &reference) <= 1e-12);
    double worst = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(net.engine); i++) {
        double *g = net_gradient(&reference, i);
        worst = fmax(worst, difference_of(&net, i, g));
        if (!net_is_cancelled(&net, i)) assert_true(norm_of(g, net_count(&net, i)) > 1e-4);
        free(g);
    }
    print_message("greatest deviation from differences %.2g\n", worst);
    assert_true(worst < 1e-9);
    net_close(&net);
    net_close(&reference);
    sn_dataset_reset(&data);
}

/* Running averages are those of a channel over all samples and positions. */
static void test_batch_norm(void **state) {
    (void)state;
    sn_dataset data = images();
    test_net net;
    open_network(&net,
                 "{\"layers\": [" MIX("mix", "input") "{\"op\": \"batch_norm\", \"label\": \"bn\"}, " POOL UNITS(
                     "output", 3) "]}",
                 &data, NULL);
    double identity[] = {0, 0, 1, 1, 0, 0};
    sn_engine_set_tensor(net.engine, net_find(&net, "mix.weight"), identity);
    net_step(&net, 0, NULL);
    for (size_t c = 0; c < 2; c++) {
        double mean = 0, squares = 0, n = SAMPLES * 20;
        for (size_t i = c; i < SAMPLES * 40; i += 2)
            mean += data.train.values[i] / n;
        for (size_t i = c; i < SAMPLES * 40; i += 2)
            squares += pow(data.train.values[i] - mean, 2);
        sn_tensor running[2];
        sn_engine_state(net.engine, 0, &running[0]);
        sn_engine_state(net.engine, 1, &running[1]);
        assert_true(fabs(((const double *)running[0].data)[c] - 0.1 * mean) < 1e-14);
        assert_true(fabs(((const double *)running[1].data)[c] - (0.9 + 0.1 * squares / (n - 1))) < 1e-14);
    }
    net_close(&net);
    sn_dataset_reset(&data);
}

/* The value of node "drop" in a training step, (SAMPLES, 40); the weights of a mix before it hand the image on. */
static double *dropped(test_net *net) {
    double identity[] = {0, 0, 1, 1, 0, 0};
    sn_error error;
    sn_probe *probe;
    sn_probe_options options = {
        .batch = SAMPLES, .objective = {.loss = sn_loss_find("softmax_cross_entropy")}, .seed = 5};
    assert_int_equal(sn_probe_new(&probe, &net->graph, net->backend, &options, &error), SN_OK);
    if (sn_graph_find(&net->graph, "mix") >= 0)
        sn_engine_set_tensor(net->engine, net_find(net, "mix.weight"), identity);
    assert_int_equal(sn_probe_take_weights(probe, net->engine, &error), SN_OK);
    sn_batch batch = {net->data, &net->data->train, net->indices, SAMPLES};
    sn_step_result result;
    assert_int_equal(sn_probe_run(probe, &batch, 3, &result), SN_OK);
    int node = sn_graph_find(&net->graph, "drop");
    assert_int_equal(sn_probe_size(probe, node), SAMPLES * 40);
    double *values = malloc(SAMPLES * 40 * sizeof *values);
    assert_non_null(values);
    sn_probe_value(probe, node, values);
    sn_probe_free(probe);
    return values;
}

/* A mask is one of sample and place: that of an image is that of the same units in one vector. */
static void test_dropout(void **state) {
    (void)state;
    sn_dataset data = images();
    test_net image, vector;
    open_network(&image,
                 "{\"layers\": [" MIX("mix", "input") "{\"op\": \"dropout\", \"label\": \"drop\"}, " POOL UNITS(
                     "output", 3) "]}",
                 &data, NULL);
    open_network(&vector, "{\"layers\": [{\"op\": \"dropout\", \"label\": \"drop\"}, " UNITS("output", 3) "]}", &data,
                 NULL);
    assert_int_equal(image.graph.nodes[2].positions, 20);
    assert_int_equal(vector.graph.nodes[1].positions, 1);
    double *a = dropped(&image), *b = dropped(&vector);
    int n_dropped = 0;
    for (size_t i = 0; i < SAMPLES * 40; i++) {
        assert_true(a[i] == b[i]);
        n_dropped += a[i] == 0;
    }
    assert_true(n_dropped > SAMPLES * 15 && n_dropped < SAMPLES * 25);
    free(a);
    free(b);
    net_close(&image);
    net_close(&vector);
    sn_dataset_reset(&data);
}

/* A channel is dropped at all positions of a sample or at none, and as the same unit of a vector of channels is. */
static void test_dropout_of_channels(void **state) {
    (void)state;
    enum { CHANNELS = 70, POSITIONS = 2, UNITS_DRAWN = SAMPLES * CHANNELS };
    static const char network[] = "{\"layers\": [{\"op\": \"dropout\", \"label\": \"drop\", \"per\": \"channel\", "
                                  "\"rate\": 0.3}, {\"op\": \"flatten\"}, {\"op\": \"linear\", \"units\": 3}]}";
    sn_dataset image = toy_images(SAMPLES, (sn_shape){3, {1, POSITIONS, CHANNELS}}, OUT, 11);
    sn_dataset vector = toy_images(SAMPLES, (sn_shape){3, {1, 1, CHANNELS}}, OUT, 11);
    test_net nets[2];
    double *masked[2];
    const sn_dataset *data[] = {&image, &vector};
    for (int k = 0; k < 2; k++) {
        net_open(&nets[k], network, data[k], SN_F64, NULL);
        sn_probe *probe = net_probe(&nets[k]);
        net_run(&nets[k], probe, 0, SAMPLES);
        masked[k] = net_signal(probe, 1);
        sn_probe_free(probe);
        net_close(&nets[k]);
    }
    int n_dropped = 0;
    for (size_t i = 0; i < UNITS_DRAWN; i++) {
        bool is_dropped = masked[1][i] == 0;
        for (size_t p = 0; p < POSITIONS; p++) {
            size_t at = (i / CHANNELS * POSITIONS + p) * CHANNELS + i % CHANNELS;
            double expected = is_dropped ? 0 : image.train.values[at] / 0.7;
            assert_true(fabs(masked[0][at] - expected) <= 1e-15 * fabs(expected));
        }
        n_dropped += is_dropped;
    }
    assert_true(abs(n_dropped - UNITS_DRAWN * 3 / 10) < UNITS_DRAWN / 50);
    for (int k = 0; k < 2; k++)
        free(masked[k]);
    sn_dataset_reset(&image);
    sn_dataset_reset(&vector);
}

/* The last loss after some steps with a short last batch. */
static double trained_loss(const sn_dataset *data, bool is_reference) {
    test_net net;
    open_network(
        &net, every_op, data,
        &(sn_engine_options){.batch = BATCH, .rule = rule_of("{\"momentum\": 0.9}"), .is_reference = is_reference});
    net_randomize(&net, 5);
    double loss = 0;
    for (size_t s = 0; s < STEPS; s++)
        loss = net_step_at(&net, s % 3 * BATCH, s % 3 == 2 ? LAST : BATCH, 0.05, NULL).loss;
    net_close(&net);
    return loss;
}

/* Steps one after the other are those of the unfused walk. */
static void test_training(void **state) {
    (void)state;
    sn_dataset data = images();
    double planned = trained_loss(&data, false), unfused = trained_loss(&data, true);
    assert_true(planned > 0 && fabs(planned - unfused) < 1e-12);
    sn_dataset_reset(&data);
}

/* Weights after some steps, with a short last batch, momentum and clipping, for any number of threads and cuts. */
static uint64_t train(const sn_dataset *data, int threads, int cut_every, double clip) {
    test_net net;
    sn_engine_options options = {.batch = BATCH,
                                 .threads = threads,
                                 .rule = rule_of("{\"momentum\": 0.9}"),
                                 .clip_norm = clip,
                                 .cut_every = cut_every};
    open_network(&net, every_op, data, &options);
    net_randomize(&net, 5);
    for (size_t s = 0; s < STEPS; s++)
        net_step_at(&net, s % 3 * BATCH, s % 3 == 2 ? LAST : BATCH, 0.05, NULL);
    uint64_t hash = sn_engine_weights_hash(net.engine);
    net_close(&net);
    return hash;
}

static void test_bits(void **state) {
    (void)state;
    sn_dataset data = images();
    static const int threads[] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t plain = train(&data, 1, 0, 0), clipped = train(&data, 1, 0, 0.05);
    assert_true(plain != clipped);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_true(train(&data, threads[i], 0, 0) == plain);
        assert_true(train(&data, threads[i], 3, 0) == plain);
        assert_true(train(&data, threads[i], 0, 0.05) == clipped);
    }
    sn_dataset_reset(&data);
}

/* A gradient that overflows behind a segment whose parameter gradients are done already: nothing was updated. */
static void test_fault(void **state) {
    (void)state;
    static sn_step_result result;
    sn_dataset data = images();
    test_net net;
    sn_engine_options options = {.batch = SAMPLES, .threads = 2};
    open_network(
        &net,
        "{\"layers\": [" MIX("first", "input") UNITS(
            "zero",
            4) "{\"op\": \"scale\", \"factor\": 1e200}, {\"op\": \"scale\", \"label\": \"s\", \"factor\": 1e200}, "
               "{\"op\": \"linear\", \"label\": \"way\", \"inputs\": [\"first\"], \"units\": 4}, " JOIN(
                   "add", "sum",
                   "s\", \"way") "{\"op\": \"batch_norm\", \"label\": \"bn\"}, " UNITS("late",
                                                                                       4) "{\"op\": \"batch_norm\", "
                                                                                          "\"label\": \"bn2\"}, " POOL
                                                                                              UNITS("output", 3) "]}",
        &data, &options);
    net_randomize(&net, 9);
    double none[8] = {0};
    sn_engine_set_tensor(net.engine, net_find(&net, "zero.weight"), none);
    sn_engine_set_tensor(net.engine, net_find(&net, "zero.bias"), none);
    assert_true(sn_engine_plan(net.engine)->n_late > 0);
    uint64_t before = sn_engine_weights_hash(net.engine);
    sn_step step = {.batch = {&data, &data.train, net.indices, SAMPLES}, .lr = 0.1, .applies = true};
    assert_int_equal(sn_engine_step(net.engine, &step, &result), SN_DIVERGED);
    assert_int_equal(result.fault.kind, SN_FAULT_SIGNAL_GRADIENT);
    assert_true(isfinite(result.loss));
    assert_true(sn_engine_weights_hash(net.engine) == before);
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),    cmocka_unit_test(test_panels),
        cmocka_unit_test(test_dense),     cmocka_unit_test(test_memory),
        cmocka_unit_test(test_gradients), cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_dropout),   cmocka_unit_test(test_dropout_of_channels),
        cmocka_unit_test(test_training),  cmocka_unit_test(test_bits),
        cmocka_unit_test(test_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
