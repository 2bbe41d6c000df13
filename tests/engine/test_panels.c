/* Batches of any size in panels: the same bits for any number of threads, the unfused walk within rounding, and idle
 * lanes that nothing depends on.  Batches longer than a stripe; products by the kernel and by OpenBLAS. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/backend.h"
#include "ops/table.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/image_op.h"
#include "support/net.h"
#include "support/random_graph.h"
#include "support/rules.h"
#include "support/toy.h"

enum { IN = 4, OUT = 3, SAMPLES = 100, MOST_THREADS = 4, STEPS = 3 };

static const size_t batches[] = {1, 7, 8, 9, 15, 16, 17, 33, SAMPLES};
enum { N_BATCHES = sizeof batches / sizeof *batches };

/* Signals of one feature, whose blocks lie side by side. */
static const char narrow[] =
    "{\"layers\": [{\"op\": \"linear\", \"units\": 1}, {\"op\": \"tanh\"}, {\"op\": \"linear\", \"units\": 1}, "
    "{\"op\": \"tanh\"}, {\"op\": \"linear\", \"units\": 3}]}";

/* Every kind of product, sums over features, and gradients that are sums of panels; 70 units are more than a stripe. */
static const char network[] =
    "{\"layers\": [{\"op\": \"linear\", \"label\": \"a\", \"units\": 70}, {\"op\": \"layer_norm\"}, "
    "{\"op\": \"tanh\", \"label\": \"t\"}, {\"op\": \"linear\", \"label\": \"b\", \"units\": 12}, "
    "{\"op\": \"concat\", \"label\": \"c\", \"inputs\": [\"t\", \"b\"]}, {\"op\": \"sigmoid\", \"label\": \"s\"}, "
    "{\"op\": \"linear\", \"label\": \"d\", \"units\": 12}, {\"op\": \"add\", \"inputs\": [\"b\", \"d\"]}, "
    "{\"op\": \"rms_norm\"}, {\"op\": \"relu\"}, {\"op\": \"linear\", \"label\": \"out\", \"units\": 3}]}";

/* ---- batches ---- */

typedef struct training {
    const char *network;
    size_t batch;
    sn_dtype dtype;
    sn_products products;
} training;

/* Weights after some steps, the last on one sample. */
static uint64_t train(const sn_dataset *data, const training *t, int threads) {
    test_net net;
    size_t batch = t->batch;
    sn_engine_options options = {
        .batch = batch, .threads = threads, .rule = rule_of("{\"momentum\": 0.9}"), .products = t->products};
    net_open(&net, t->network, data, t->dtype, &options);
    net_randomize(&net, batch);
    uint64_t before = sn_engine_weights_hash(net.engine);
    for (size_t s = 0; s < STEPS; s++)
        net_step_at(&net, s, s + 1 < STEPS ? batch - s % batch : 1, 0.05, NULL);
    uint64_t hash = sn_engine_weights_hash(net.engine);
    assert_true(hash != before);
    net_close(&net);
    return hash;
}

static void check_threads(const sn_dataset *data, const training *t) {
    uint64_t one = train(data, t, 1);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        if (train(data, t, threads) != one) fail_msg("batch %zu: other bits with %d threads", t->batch, threads);
    }
}

static void test_threads(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 1);
    for (size_t i = 0; i < 8 * (size_t)N_BATCHES; i++) {
        training t = {.network = i % 2 ? network : narrow,
                      .dtype = i / 2 % 2 ? SN_F64 : SN_F32,
                      .products = i / 4 % 2 ? SN_PRODUCTS_OPENBLAS : SN_PRODUCTS_OWN,
                      .batch = batches[i / 8]};
        check_threads(&data, &t);
    }
    sn_dataset_reset(&data);
}

static void check_reference(const sn_dataset *data, size_t batch, int threads, sn_dtype dtype) {
    test_net net, reference;
    sn_engine_options planned = {.batch = batch, .threads = threads, .keeps_gradients = true};
    sn_engine_options unfused = {.batch = batch, .is_reference = true, .keeps_gradients = true};
    net_open(&net, network, data, dtype, &planned);
    net_open(&reference, network, data, dtype, &unfused);
    net_randomize(&reference, batch);
    net_copy_weights(&net, &reference);
    double loss = net_measure(&net, NULL).loss, expected = net_measure(&reference, NULL).loss;
    double distance = net_gradient_distance(&net, &reference), most = dtype == SN_F64 ? 1e-13 : 1e-5;
    if (!(distance <= most && fabs(loss - expected) <= most))
        fail_msg("batch %zu: gradients %g, losses %g apart", batch, distance, fabs(loss - expected));
    net_close(&net);
    net_close(&reference);
}

static void test_reference(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 2);
    for (size_t i = 0; i < N_BATCHES; i++) {
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            check_reference(&data, batches[i], threads, SN_F64);
            check_reference(&data, batches[i], threads, SN_F32);
        }
    }
    sn_dataset_reset(&data);
}

/* The gradients of a batch are the means of those of its samples, each a batch of its own. */
static void check_means(const sn_dataset *data, size_t batch, size_t piece) {
    test_net net, small;
    net_open(&net, network, data, SN_F64, &(sn_engine_options){.batch = batch, .threads = 2, .keeps_gradients = true});
    net_open(&small, network, data, SN_F64, &(sn_engine_options){.batch = piece, .keeps_gradients = true});
    net_randomize(&net, 3);
    net_copy_weights(&small, &net);
    net_measure(&net, NULL);
    for (size_t i = 0; i < sn_engine_tensor_count(net.engine); i++) {
        size_t n = net_count(&net, i);
        double *whole = net_gradient(&net, i), *mean = calloc(n, sizeof *mean);
        assert_non_null(mean);
        for (size_t begin = 0; begin < batch; begin += piece) {
            net_step_at(&small, begin, piece, 0, NULL);
            double *part = net_gradient(&small, i);
            for (size_t k = 0; k < n; k++)
                mean[k] += part[k] * (double)piece / (double)batch;
            free(part);
        }
        double distance = distance_of(whole, mean, n);
        if (!(distance <= 1e-12)) fail_msg("batch %zu, tensor %zu: %g from the mean", batch, i, distance);
        assert_true(norm_of(whole, n) > 1e-6);
        free(whole);
        free(mean);
    }
    net_close(&net);
    net_close(&small);
}

static void test_means(void **state) {
    (void)state;
    sn_dataset data = toy_classes(3000, IN, OUT, 3);
    check_means(&data, 33, 1);
    check_means(&data, 100, 4);
    check_means(&data, 1024, 512); /* a stripe, to the last row */
    check_means(&data, 1100, 100); /* two stripes, the last one short */
    check_means(&data, 3000, 600);
    sn_dataset_reset(&data);
}

/* ---- idle lanes ---- */

static loose_backend loose;
static atomic_int n_idle; /* lanes that were looked at or spoilt, so that no test passes without any */

static double *lane_of(sn_view view, size_t block, size_t feature, size_t lane) {
    return (double *)view.data + block * view.ld + feature * SN_PANEL + lane;
}

/* Numbers of an everyday size in the idle lanes of the last panel that are computed, NaN in those that are not. */
static void spoil(const sn_gather_call *call) {
    loose.sound->gather(call);
    size_t panel = sn_panels(call->rows) - 1, n = sn_panel_samples(call->rows, panel), idle = SN_PANEL - n;
    for (size_t i = 0; i < call->positions * call->width * idle; i++) {
        size_t p = i / idle / call->width, c = i / idle % call->width, l = n + i % idle;
        double junk = (double)(c * 7 + l * 5 + p) / 11 - 3;
        *lane_of(call->x, panel * call->positions + p, c, l) = l < call->lanes ? junk : (double)NAN;
        atomic_fetch_add(&n_idle, 1);
    }
}

static void expect_equal(const test_net *a, const test_net *b, uint64_t seed) {
    for (size_t i = 0; i < sn_engine_tensor_count(a->engine); i++) {
        double *x = net_gradient(a, i), *y = net_gradient(b, i);
        if (memcmp(x, y, net_count(a, i) * sizeof *x) != 0)
            fail_msg("graph %d: the gradient of tensor %zu depends on idle lanes", (int)seed, i);
        free(x);
        free(y);
    }
}

static void expect_equal_sums(const sn_observation *a, const sn_observation *b) {
    for (int k = 0; k < a->n_nodes; k++) {
        const sn_node_sums *x = &a->nodes[k], *y = &b->nodes[k];
        assert_true(x->output.sum == y->output.sum && x->input.sum == y->input.sum && x->delta.sum == y->delta.sum);
        assert_true(sn_sumsq_norm(x->output.squares) == sn_sumsq_norm(y->output.squares));
        assert_true(x->output.n == y->output.n && x->saturated == y->saturated && x->units.silent == y->units.silent);
    }
}

/* Vectors and images: a graph of every second seed is one of images. */
static sn_dataset vectors_and_images[2];

static void open_data(uint64_t seed) {
    vectors_and_images[0] = toy_classes(SAMPLES, IN, OUT, seed);
    vectors_and_images[1] = toy_images(SAMPLES, (sn_shape){3, {4, 3, 2}}, OUT, seed);
}

static void close_data(void) {
    sn_dataset_reset(&vectors_and_images[0]);
    sn_dataset_reset(&vectors_and_images[1]);
}

static const sn_dataset *data_of(uint64_t seed) {
    return &vectors_and_images[seed % 2];
}

static sn_text graph_of(uint64_t seed) {
    const sn_dataset *data = data_of(seed);
    const random_limits limits = {.in = IN,
                                  .out = OUT,
                                  .most_units = 5,
                                  .most_width = 20,
                                  .is_dense = seed % 4 == 2,
                                  .images = data->shape.rank == 3 ? RANDOM_OF_INPUT : RANDOM_NO_IMAGES,
                                  .image = data->shape};
    return random_graph(seed, &limits);
}

/* A step, and its states in another, on random graphs of every op. */
static void check_spoilt(uint64_t seed) {
    const sn_dataset *data = data_of(seed);
    sn_text text = graph_of(seed);
    size_t batch = batches[seed % N_BATCHES];
    sn_engine_options options = {
        .batch = batch, .threads = 1 + (int)(seed % 3), .is_reference = seed % 5 == 0, .keeps_gradients = true};
    test_net net, spoilt;
    sn_observation seen[2];
    sn_error error;
    net_open_with(&net, sn_text_string(&text), data, &(test_tables){sn_ops, loose.sound}, &options);
    net_open_with(&spoilt, sn_text_string(&text), data, &(test_tables){sn_ops, &loose.backend}, &options);
    net_randomize(&net, seed);
    net_copy_weights(&spoilt, &net);
    assert_int_equal(sn_observation_new(&seen[0], &net.graph, &error), SN_OK);
    assert_int_equal(sn_observation_new(&seen[1], &net.graph, &error), SN_OK);
    for (int s = 0; s < 2; s++) {
        sn_step_result a = net_step(&net, 0.01, &seen[0]), b = net_step(&spoilt, 0.01, &seen[1]);
        assert_true(a.loss == b.loss && a.accuracy == b.accuracy);
        expect_equal(&net, &spoilt, seed);
        expect_equal_sums(&seen[0], &seen[1]);
    }
    assert_true(sn_engine_weights_hash(net.engine) == sn_engine_weights_hash(spoilt.engine));
    assert_true(net_loss(&net) == net_loss(&spoilt));
    sn_observation_reset(&seen[0]);
    sn_observation_reset(&seen[1]);
    net_close(&net);
    net_close(&spoilt);
    sn_text_free(&text);
}

static void test_spoilt_lanes(void **state) {
    (void)state;
    enum { GRAPHS = 300 };
    open_data(4);
    make_loose(&loose, SN_F64);
    loose.backend.gather = spoil;
    atomic_store(&n_idle, 0);
    for (uint64_t seed = 1; seed <= GRAPHS; seed++)
        check_spoilt(seed);
    assert_true(atomic_load(&n_idle) > 10 * GRAPHS);
    close_data();
}

static void expect_idle(const sn_op_call *call, double found, double expected, const char *what) {
    if (found != expected)
        fail_msg("%s of %s: %g in an idle lane, should be %g", what, call->node->label, found, expected);
    atomic_fetch_add(&n_idle, 1);
}

/* The idle lanes of a call's last panel that are computed: in values they are the last sample, in gradients 0. */
static void check_idle(const sn_op_call *call, sn_view view, bool is_value) {
    size_t panels = sn_panels(call->samples), n = sn_panel_samples(call->samples, panels - 1);
    for (size_t b = (panels - 1) * call->node->positions; b < call->blocks; b++) {
        size_t idle = call->lanes > n ? call->lanes - n : 0;
        for (size_t i = 0; i < call->width * idle; i++) {
            size_t c = i / idle, l = n + i % idle;
            double expected = is_value ? *lane_of(view, b, c, n - 1) : 0, found = *lane_of(view, b, c, l);
            expect_idle(call, found, expected, is_value ? "value" : "gradient");
        }
    }
}

static void forward_and_look(const sn_op_call *call) {
    loose.sound->ops[sn_op_index(call->node->op)]->forward(call);
    check_idle(call, call->y, true);
}

static void look_and_backward(const sn_op_call *call) {
    check_idle(call, call->dy, false);
    loose.sound->ops[sn_op_index(call->node->op)]->backward(call);
}

static void test_what_idle_lanes_hold(void **state) {
    (void)state;
    enum { GRAPHS = 300 };
    open_data(5);
    make_loose(&loose, SN_F64);
    for (size_t i = 0; sn_ops[i]; i++) {
        loose.kernels[i].forward = forward_and_look;
        loose.kernels[i].backward = look_and_backward;
    }
    atomic_store(&n_idle, 0);
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        sn_text text = graph_of(seed);
        test_net net;
        sn_engine_options options = {.batch = batches[seed % N_BATCHES], .is_reference = seed % 5 == 0};
        net_open_with(&net, sn_text_string(&text), data_of(seed), &(test_tables){sn_ops, &loose.backend}, &options);
        net_randomize(&net, seed);
        net_step(&net, 0.01, NULL);
        net_close(&net);
        sn_text_free(&text);
    }
    assert_true(atomic_load(&n_idle) > 100 * GRAPHS);
    close_data();
}

/* ---- products ---- */

static atomic_int n_own, n_openblas;

static void count_forward(const sn_op_call *call) {
    atomic_fetch_add(call->by_openblas ? &n_openblas : &n_own, 1);
    loose.sound->ops[sn_op_index(call->node->op)]->forward(call);
}

static void count_backward(const sn_op_call *call) {
    atomic_fetch_add(call->by_openblas ? &n_openblas : &n_own, 1);
    loose.sound->ops[sn_op_index(call->node->op)]->backward(call);
}

static bool count_gradient(const sn_gradient_call *call) {
    atomic_fetch_add(call->by_openblas ? &n_openblas : &n_own, 1);
    return loose.sound->ops[sn_op_index(call->node->op)]->param_gradient(call);
}

static void open_products(test_net *net, const sn_dataset *data, sn_products products) {
    sn_engine_options options = {.threads = 2, .keeps_gradients = true, .products = products};
    net_open_with(net, network, data, &(test_tables){sn_ops, &loose.backend}, &options);
    net_randomize(net, 6);
    atomic_store(&n_own, 0);
    atomic_store(&n_openblas, 0);
    net_measure(net, NULL);
}

/* Who computes is who was asked; the path's own choice where nobody was; both agree but for rounding. */
static void test_products(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 6);
    test_net own, openblas, by_path;
    make_loose(&loose, SN_F64);
    sn_op_kernels *linear = &loose.kernels[sn_op_index(sn_op_find(sn_ops, "linear"))];
    linear->forward = count_forward;
    linear->backward = count_backward;
    linear->param_gradient = count_gradient;
    open_products(&own, &data, SN_PRODUCTS_OWN);
    assert_true(atomic_load(&n_own) > 10 && atomic_load(&n_openblas) == 0);
    open_products(&openblas, &data, SN_PRODUCTS_OPENBLAS);
    assert_true(atomic_load(&n_openblas) > 10 && atomic_load(&n_own) == 0);
    open_products(&by_path, &data, SN_PRODUCTS_BY_PATH);
    assert_true((atomic_load(&n_own) > 0) == loose.sound->has_fma &&
                (atomic_load(&n_openblas) > 0) == !loose.sound->has_fma);
    double distance = net_gradient_distance(&own, &openblas);
    print_message("products by the kernel and by OpenBLAS: gradients %.2g apart\n", distance);
    assert_true(distance <= 1e-13);
    assert_true(net_gradient_distance(&by_path, loose.sound->has_fma ? &own : &openblas) == 0);
    net_close(&own);
    net_close(&openblas);
    net_close(&by_path);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_spoilt_lanes),
        cmocka_unit_test(test_what_idle_lanes_hold),
        cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, pin_blas, NULL);
}
