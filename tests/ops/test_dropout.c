/* Dropout: the share that is kept, the independence of masks over steps, labels, seeds, samples and units, and what a
 * mask must not depend on: threads, panels, the composition of the batch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/net.h"

enum { ROWS = 150, WIDTH = 100, UNITS = ROWS * WIDTH };

/* All features are 1, so that the output of a dropout of the input is its mask times 1 / (1 - rate). */
static double ones[UNITS], targets[UNITS];
static const double none = 0, one = 1;
static const sn_dataset data = {.in_dim = WIDTH,
                                .out_dim = WIDTH,
                                .n_scales = 1,
                                .mean = &none,
                                .factor = &one,
                                .train = {.n = ROWS, .values = ones, .targets = targets}};

static void open_net(test_net *net, const char *label, double rate, sn_dtype dtype, sn_engine_options options) {
    char network[512];
    snprintf(network, sizeof network,
             "{\"layers\": [{\"op\": \"dropout\", \"label\": \"%s\", \"rate\": %.17g}, {\"op\": \"linear\", \"units\": "
             "100, \"init\": \"identity\"}]}",
             label, rate);
    options.keeps_gradients = true;
    net_open(net, network, &data, dtype, &options);
    assert_int_equal(sn_engine_init_weights(net->engine, 1, NULL), SN_OK);
}

/* The output of the dropout in the step `number` (free()). */
static double *outputs_of(test_net *net, uint64_t number) {
    sn_probe *probe = net_probe(net);
    net->number = number;
    net_run(net, probe, 0, ROWS);
    double *outputs = net_signal(probe, 1);
    sn_probe_free(probe);
    return outputs;
}

/* The mask of the step `number` of all samples, by sample. */
static void draw(test_net *net, uint64_t number, bool kept[UNITS]) {
    double *outputs = outputs_of(net, number);
    for (size_t i = 0; i < UNITS; i++)
        kept[net->indices[i / WIDTH] * WIDTH + i % WIDTH] = outputs[i] != 0;
    free(outputs);
}

/* The mask of a step of the engine on `rows` samples from `begin` on, by what it makes of the gradient: the layer
 * behind passes its input on and targets are 0, so with a rate of 1/2 it counts the samples that keep both of two
 * units. */
static void expect_mask(test_net *net, const bool kept[UNITS], size_t begin, size_t rows) {
    net_step_at(net, begin, rows, 0, NULL);
    double *gradient = net_gradient(net, net_find(net, "linear1.weight")), unit = 8.0 / (double)(rows * WIDTH);
    for (size_t i = 0; i < (size_t)WIDTH * WIDTH; i++) {
        double count = 0;
        for (size_t r = begin; r < begin + rows; r++) {
            const bool *own = kept + (size_t)net->indices[r] * WIDTH;
            count += own[i / WIDTH] && own[i % WIDTH];
        }
        if (!(fabs(gradient[i] / unit - count) < 1e-3))
            fail_msg("units %zu and %zu: %g times, not %g", i / WIDTH, i % WIDTH, gradient[i] / unit, count);
    }
    free(gradient);
}

static void draw_mask(const char *label, double rate, uint64_t seed, uint64_t number, bool kept[UNITS]) {
    test_net net;
    open_net(&net, label, rate, SN_F32, (sn_engine_options){.seed = seed});
    draw(&net, number, kept);
    net_close(&net);
}

/* Within five standard deviations of a sum of `n` independent events of probability p. */
static void expect_share(double count, double n, double p, const char *what) {
    double deviation = (count - n * p) / sqrt(n * p * (1 - p));
    if (!(fabs(deviation) < 5)) fail_msg("%s: %g of %g, %.1f deviations off", what, count, n, deviation);
}

static double count_equal(const bool *a, const bool *b, size_t n) {
    double count = 0;
    for (size_t i = 0; i < n; i++)
        count += a[i] == b[i];
    return count;
}

/* Of two independent masks p^2 + (1-p)^2 agree. */
static void expect_independent(const bool *a, const bool *b, size_t n, double p, const char *what) {
    expect_share(count_equal(a, b, n), (double)n, p * p + (1 - p) * (1 - p), what);
}

static void test_share(void **state) {
    (void)state;
    static const double rates[] = {0.05, 0.3, 0.5, 0.9};
    for (int i = 0; i < 4; i++) {
        static bool kept[UNITS];
        double p = 1 - rates[i], count = 0;
        draw_mask("d", rates[i], 1, 3, kept);
        for (size_t k = 0; k < UNITS; k++)
            count += kept[k];
        expect_share(count, UNITS, p, "all units");
        for (size_t row = 0; row < ROWS; row++)
            expect_share(count_equal(kept + row * WIDTH, (const bool[WIDTH]){0}, WIDTH), WIDTH, 1 - p, "a sample");
        expect_independent(kept, kept + 1, UNITS - 1, p, "neighbouring units");
        expect_independent(kept, kept + 16, UNITS - 16, p, "units of one block of bits");
        expect_independent(kept, kept + WIDTH, UNITS - WIDTH, p, "neighbouring samples");
    }
}

static void test_keys(void **state) {
    (void)state;
    static bool first[UNITS], other[UNITS];
    draw_mask("d", 0.5, 1, 3, first);
    draw_mask("d", 0.5, 1, 3, other);
    assert_memory_equal(first, other, sizeof first);
    draw_mask("d", 0.5, 1, 4, other);
    expect_independent(first, other, UNITS, 0.5, "another step");
    draw_mask("d", 0.5, 2, 3, other);
    expect_independent(first, other, UNITS, 0.5, "another seed");
    draw_mask("e", 0.5, 1, 3, other);
    expect_independent(first, other, UNITS, 0.5, "another label");
    draw_mask("d", 0.7, 1, 3, other); /* the same numbers against another threshold */
    for (size_t i = 0; i < UNITS; i++)
        assert_true(first[i] || !other[i]);
}

/* What is kept is divided by the share of the kept; what is dropped is 0. */
static void test_values(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        test_net net;
        double kept = i ? 1 / (1 - 0.3) : (double)(float)(1 / (1 - 0.3));
        open_net(&net, "d", 0.3, i ? SN_F64 : SN_F32, (sn_engine_options){.seed = 1});
        double *y = outputs_of(&net, 0);
        for (size_t k = 0; k < UNITS; k++)
            assert_true(y[k] == 0 || y[k] == kept);
        free(y);
        net_close(&net);
    }
}

/* Other threads, other panels, other neighbours: a sample's mask stays; and so it does in double. */
static void test_independence(void **state) {
    (void)state;
    static bool first[UNITS], other[UNITS];
    draw_mask("d", 0.5, 1, 3, first);
    for (int i = 0; i < 3; i++) {
        test_net net;
        open_net(&net, "d", 0.5, i ? SN_F64 : SN_F32, (sn_engine_options){.seed = 1, .threads = 1 + 2 * i});
        for (uint32_t k = 0; k < ROWS; k++)
            net.indices[k] = (k * 7 + (uint32_t)i) % ROWS; /* 7 and 150 have no common divisor */
        draw(&net, 3, other);
        assert_memory_equal(first, other, sizeof first);
        expect_mask(&net, first, 0, ROWS);
        net.number = 3;
        expect_mask(&net, first, 40, 9); /* a short batch of the samples 280 mod 150 on */
        net_close(&net);
    }
}

/* Evaluations and predictions see no mask. */
static void test_evaluation(void **state) {
    (void)state;
    static double outputs[UNITS];
    test_net net;
    open_net(&net, "d", 0.5, SN_F32, (sn_engine_options){.seed = 1, .threads = 2});
    sn_engine_predict(net.engine, &(sn_batch){&data, &data.train, net.indices, ROWS}, outputs);
    assert_memory_equal(outputs, ones, sizeof ones);
    double trained = net_measure(&net, NULL).loss, evaluated = net_loss(&net);
    assert_true(evaluated == 1 && trained > 1.5); /* y = 1 against targets of 0; y is 0 or 2 */
    net_close(&net);
}

/* A rate of 0 changes no bit of a training. */
static void test_rate_0(void **state) {
    (void)state;
    static const char *const middles[] = {"", "{\"op\": \"dropout\", \"rate\": 0},"};
    uint64_t hashes[2];
    for (int i = 0; i < 2; i++) {
        char network[512];
        test_net net;
        snprintf(network, sizeof network,
                 "{\"layers\": [{\"op\": \"linear\", \"units\": 20, \"label\": \"a\"}, {\"op\": \"tanh\"}, %s {\"op\": "
                 "\"linear\", \"units\": 100, \"label\": \"b\"}]}",
                 middles[i]);
        net_open(&net, network, &data, SN_F32, NULL);
        net_randomize(&net, 2);
        uint64_t before = sn_engine_weights_hash(net.engine);
        for (int step = 0; step < 3; step++)
            net_step(&net, 0.1, NULL);
        hashes[i] = sn_engine_weights_hash(net.engine);
        assert_true(hashes[i] != before);
        net_close(&net);
    }
    assert_true(hashes[0] == hashes[1]);
}

static int fill(void **state) {
    (void)state;
    for (size_t i = 0; i < UNITS; i++)
        ones[i] = 1;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),        cmocka_unit_test(test_keys),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_independence), cmocka_unit_test(test_evaluation), cmocka_unit_test(test_rate_0),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
