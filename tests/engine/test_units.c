/* Silent units: a relu whose units are made to be silent for all samples, or for all but one, counted by hand, for
 * vectors and images, any number of threads and batches that end within a panel; and against the values of a probe. */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/image_op.h"
#include "support/toy.h"

enum { SAMPLES = 150, BATCH = 140, IN = 3, UNITS = 70, KINDS = 5 };

#define UNITS_OF(label, n) "{\"op\": \"linear\", \"label\": \"" label "\", \"units\": " #n "}"

static const char vectors[] = "{\"layers\": [" UNITS_OF("a", 70) ", {\"op\": \"relu\"}, " UNITS_OF(
    "b", 4) ", {\"op\": \"leaky_relu\"}, " UNITS_OF("c", 2) "]}";

/* The mean over all positions, an op of the tests, comes between. */
static const char images[] = "{\"layers\": [" UNITS_OF("a", 70) ", {\"op\": \"relu\"}, " UNITS_OF(
    "b", 4) ", {\"op\": \"leaky_relu\"}, {\"op\": \"elu\", \"alpha\": 2}, " UNITS_OF("c", 2) "]}";

static void set(const test_net *net, const char *name, const double *values) {
    sn_engine_set_tensor(net->engine, net_find(net, name), values);
}

/* Of every position, feature 0 is 1 and the others are 0; but of one sample, at its last position, feature 1 is 1. */
static sn_dataset marked_data(size_t n_positions, size_t marked) {
    sn_dataset data = toy_classes(SAMPLES, n_positions * IN, 2, 3);
    double *values = sn_pool_alloc(&data.pool, SAMPLES * n_positions * IN * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < SAMPLES * n_positions * IN; i++)
        values[i] = i % IN == 0;
    values[(marked + 1) * n_positions * IN - IN + 1] = 1;
    data.train.values = values;
    return data;
}

/* Unit u by u % 5: always on; never; on where the sample is marked, else below 0; exactly 0; below 0, but exactly 0
 * where the sample is marked. */
static void set_units(const test_net *net) {
    static const double kinds[KINDS][IN] = {{1, 0, 0}, {-1, 0, 0}, {-1, 2, 0}, {0, 0, 1}, {-1, 1, 0}};
    double weight[UNITS * IN];
    static const double bias[UNITS];
    for (size_t u = 0; u < UNITS; u++)
        memcpy(weight + u * IN, kinds[u % KINDS], sizeof kinds[0]);
    set(net, "a.weight", weight);
    set(net, "a.bias", bias);
}

/* The units that the nodes a, b and c read: a reads the input, b the relu, c a leaky_relu or a mean. */
static void expect_silent(test_net *net, size_t begin, size_t rows, double silent) {
    sn_observation seen;
    sn_error error;
    assert_int_equal(sn_observation_new(&seen, &net->graph, &error), SN_OK);
    net_step_at(net, begin, rows, 0, &seen);
    assert_int_equal(seen.n_nodes, 3);
    assert_true(seen.nodes[0].units.n == 0 && seen.nodes[2].units.n == 0);
    assert_true(seen.nodes[1].units.n == UNITS);
    if (seen.nodes[1].units.silent != silent) fail_msg("%g silent units", seen.nodes[1].units.silent);
    sn_observation_reset(&seen);
}

/* Three kinds of five are silent, and that of the marked sample too in batches without it, whatever the batch before
 * left behind. */
static void check_marked(test_net *net, size_t marked) {
    enum { OF_A_KIND = UNITS / KINDS };
    const double n = OF_A_KIND;
    set_units(net);
    expect_silent(net, 0, BATCH, 3 * n);
    expect_silent(net, 0, marked, 4 * n);
    expect_silent(net, 0, marked + 1, 3 * n);
    expect_silent(net, marked + 1, 3, 4 * n);
    expect_silent(net, marked, 1, 3 * n);
}

static void test_by_hand(void **state) {
    (void)state;
    static const size_t marked[] = {1, 63, 100, BATCH - 1};
    static const int threads[] = {1, 2, 5};
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
        sn_dataset data = marked_data(1, marked[i]), images_of = marked_data(6, marked[i]);
        images_of.shape = (sn_shape){3, {2, 3, IN}};
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            const sn_engine_options options = {.batch = BATCH, .threads = threads[t]};
            test_net net;
            net_open(&net, vectors, &data, t % 2 ? SN_F64 : SN_F32, &options);
            check_marked(&net, marked[i]);
            net_close(&net);
            net_open_image(&net, images, &images_of, &options);
            check_marked(&net, marked[i]);
            net_close(&net);
        }
        sn_dataset_reset(&data);
        sn_dataset_reset(&images_of);
    }
}

static double count_silent(const double *y, size_t rows, size_t width) {
    double silent = 0;
    for (size_t c = 0; c < width; c++) {
        bool is_awake = false;
        for (size_t r = 0; r < rows; r++)
            is_awake = is_awake || y[r * width + c] > 0;
        silent += !is_awake;
    }
    return silent;
}

/* Three samples leave some units silent and some not. */
static void test_against_probe(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, 2, 5);
    const sn_engine_options options = {.batch = BATCH, .threads = 2};
    test_net net;
    net_open(&net, vectors, &data, SN_F32, &options);
    net_randomize(&net, 7);
    for (size_t begin = 0; begin < SAMPLES - BATCH; begin++) {
        sn_probe *probe = net_probe(&net);
        net_run(&net, probe, begin, 3);
        double *y = net_signal(probe, 2), silent = count_silent(y, 3, UNITS);
        assert_true(silent > 0 && silent < UNITS);
        expect_silent(&net, begin, 3, silent);
        free(y);
        sn_probe_free(probe);
    }
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_against_probe)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
