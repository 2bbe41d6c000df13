/* Stored values of five networks on Fashion-MNIST (tests/engine/golden.json, which says how they were made), and of
 * softmax regression on all of its training images.  Skipped where the data set is not installed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/check.h"
#include "support/net.h"

static const sn_key data_keys[] = {
    {.name = "data",
     .types = SN_KIND,
     .fallback = "\"fashion-mnist\"",
     .choice = &sn_source_choice,
     .help = "the data"},
    {0},
};
static const sn_schema data_schema = {.title = "test", .keys = data_keys};

/* Pixels divided by 255; false where the files are not there. */
static bool load_images(sn_dataset *data) {
    static const char text[] = "{\"data\": {\"kind\": \"fashion-mnist\", \"scaling\": \"unit\"}}";
    static sn_error error;
    sn_config *config = NULL;
    sn_error_clear(&error);
    sn_status status = sn_config_parse(&config, &data_schema, text, sizeof text - 1, "test.json", "", &error);
    assert_int_equal(status, SN_OK);
    status = sn_dataset_load(data, config, sn_value_get(sn_config_root(config), "data"), NULL, &error);
    sn_config_free(config);
    if (status && status != SN_IO) fail_msg("%s", error.text);
    if (status) print_message("%s\n", error.text);
    return status == SN_OK;
}

/* Entry `i` of stream `t`: the finaliser of splitmix64 over a counter, uniform on 0 .. 1. */
static double uniform(uint64_t t, uint64_t i) {
    uint64_t z = 12345 + UINT64_C(0x9E3779B97F4A7C15) * ((t << 32) + i + 1);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

static void check_stream(const sn_value *root) {
    uint64_t i = 0;
    for (const sn_value *v = sn_value_first(sn_value_get(root, "uni_t0_i0_3")); v; v = sn_value_next(v), i++)
        assert_true(uniform(0, i) == sn_value_number(v, ""));
    assert_int_equal(i, 4);
    assert_true(uniform(1, 0) == sn_value_number(root, "uni_t1_i0"));
}

/* Weights of variance gain/fan_in, gain 2 for relu but 1 for the last; biases 0. */
static void set_weights(test_net *net, double gain) {
    size_t n = sn_engine_tensor_count(net->engine);
    for (size_t i = 0; i < n; i++) {
        sn_tensor tensor;
        sn_engine_tensor(net->engine, i, &tensor);
        double *values = net_values(net, i);
        if (tensor.rank == 2) {
            double variance = (i + 2 == n ? 1 : gain) / (double)tensor.shape[1];
            for (size_t k = 0; k < net_count(net, i); k++)
                values[k] = (2 * uniform(i / 2, k) - 1) * sqrt(3 * variance);
        }
        sn_engine_set_tensor(net->engine, i, values);
        free(values);
    }
}

static double largest_of(const sn_value *list) {
    double largest = 0;
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v))
        largest = fmax(largest, fabs(sn_value_number(v, "")));
    assert_true(largest > 0);
    return largest;
}

/* Each of `n` values against the stored list, relative to the largest of the list. */
static void check_list(const sn_value *stored, const char *name, const double *values, size_t n, double tolerance) {
    const sn_value *list = sn_value_get(stored, name), *v = sn_value_first(list);
    assert_int_equal(sn_value_count(list), n);
    double largest = largest_of(list);
    for (size_t i = 0; i < n; i++, v = sn_value_next(v)) {
        double expected = sn_value_number(v, "");
        if (fabs(values[i] - expected) <= tolerance * largest) continue;
        fail_msg("net %d: %s[%zu] = %.17g, expected %.17g", (int)sn_value_integer(stored, "id"), name, i, values[i],
                 expected);
    }
}

/* Norms are compared one by one: they span decades. */
static void check_norm(const sn_value *stored, const char *name, size_t at, double value, double tolerance) {
    const sn_value *v = sn_value_first(sn_value_get(stored, name));
    for (size_t i = 0; i < at; i++)
        v = sn_value_next(v);
    double expected = sn_value_number(v, "");
    if (!(fabs(value / expected - 1) <= tolerance)) {
        fail_msg("net %d: %s[%zu] = %.17g, expected %.17g", (int)sn_value_integer(stored, "id"), name, at, value,
                 expected);
    }
}

static void check_first_step(test_net *net, const sn_value *stored, double tolerance) {
    size_t n = sn_engine_tensor_count(net->engine);
    assert_int_equal(sn_value_count(sn_value_get(stored, "gradW_frob")), n / 2);
    assert_int_equal(sn_value_count(sn_value_get(stored, "gradb_norm")), n / 2);
    for (size_t i = 0; i < n; i++) {
        double *gradient = net_gradient(net, i);
        check_norm(stored, i % 2 ? "gradb_norm" : "gradW_frob", i / 2, norm_of(gradient, net_count(net, i)), tolerance);
        if (i == 2) check_list(stored, "gradW1_first4", gradient, 4, tolerance);
        if (i + 2 == n) check_list(stored, "gradWlast_first4", gradient, 4, tolerance);
        free(gradient);
    }
}

static void check_steps(test_net *net, const sn_value *stored, double tolerance) {
    double *outputs = malloc(net->batch * 10 * sizeof *outputs), *w1 = net_values(net, 2), losses[20];
    assert_non_null(outputs);
    sn_engine_predict(net->engine, &(sn_batch){net->data, &net->data->train, net->indices, net->batch}, outputs);
    check_list(stored, "logits0", outputs, 10, tolerance);
    check_list(stored, "W1_first4", w1, 4, tolerance);
    assert_int_equal(sn_value_integer(stored, "cfg.steps"), 20);
    for (int step = 0; step < 20; step++) {
        losses[step] = net_step(net, sn_value_number(stored, "cfg.lr"), NULL).loss;
        if (step == 0) check_first_step(net, stored, tolerance);
    }
    check_list(stored, "losses", losses, 20, tolerance);
    assert_true(fabs(losses[0] / sn_value_number(stored, "loss0") - 1) <= tolerance);
    free(outputs);
    free(w1);
}

static void describe(const sn_value *stored, char *network, size_t capacity) {
    char skip[128] = "\"none\"";
    const char *kind = sn_value_text(stored, "cfg.net");
    if (strcmp(kind, "resid") == 0) {
        snprintf(skip, sizeof skip, "{\"kind\": \"add\", \"branch_scale\": %.17g}",
                 sn_value_number(stored, "cfg.alpha"));
    } else if (strcmp(kind, "dense") == 0) {
        assert_int_equal(sn_value_integer(stored, "cfg.n0"), sn_value_integer(stored, "cfg.N"));
        snprintf(skip, sizeof skip, "{\"kind\": \"concat\", \"growth\": %d}", (int)sn_value_integer(stored, "cfg.k"));
    } else {
        assert_string_equal(kind, "plain");
    }
    snprintf(network, capacity, "{\"depth\": %d, \"width\": %d, \"activation\": \"%s\", \"skip\": %s}",
             (int)sn_value_integer(stored, "cfg.H") + 1, (int)sn_value_integer(stored, "cfg.N"),
             sn_value_text(stored, "cfg.act"), skip);
}

static void check_net(const sn_value *stored, const sn_dataset *images, sn_dtype dtype) {
    char network[512];
    describe(stored, network, sizeof network);
    sn_engine_options options = {.batch = (size_t)sn_value_integer(stored, "cfg.B"), .keeps_gradients = true};
    test_net net;
    net_open(&net, network, images, dtype, &options);
    set_weights(&net, strcmp(sn_value_text(stored, "cfg.act"), "relu") == 0 ? 2 : 1);
    check_steps(&net, stored, dtype == SN_F64 ? 1e-9 : sn_value_integer(stored, "id") == 6 ? 3e-5 : 1e-5);
    net_close(&net);
}

static void test_nets(void **state) {
    sn_dataset *images = *state;
    if (!images) {
        skip();
        return;
    }
    sn_error error;
    sn_config *golden = NULL;
    char *text = NULL;
    size_t size = 0;
    sn_error_clear(&error);
    assert_int_equal(sn_file_read(SN_TEST_DIR "/engine/golden.json", 1 << 20, &text, &size, &error), SN_OK);
    assert_int_equal(sn_config_parse_free(&golden, text, size, "golden.json", &error), SN_OK);
    const sn_value *root = sn_config_root(golden);
    check_stream(root);
    int n = 0;
    for (const sn_value *net = sn_value_first(sn_value_get(root, "nets")); net; net = sn_value_next(net)) {
        if (strcmp(sn_value_text(net, "cfg.net"), "conv_resid") == 0) continue;
        check_net(net, images, SN_F64);
        check_net(net, images, SN_F32);
        n++;
    }
    assert_int_equal(n, 5);
    sn_config_free(golden);
    free(text);
}

/* Full-batch gradient descent from zero weights; the published losses of steps 0, 1, 2, 5, 10, 20, 50. */
static void test_softmax_regression(void **state) {
    sn_dataset *images = *state;
    if (!images) {
        skip();
        return;
    }
    static const int steps[] = {0, 1, 2, 5, 10, 20, 50};
    static const double losses[] = {2.302585092994, 2.077075672953, 1.918602016700, 1.590410249821,
                                    1.302834097820, 1.056648120697, .829113874580};
    assert_int_equal(images->train.n, 60000);
    test_net net;
    sn_engine_options options = {.batch = images->train.n, .threads = 2, .keeps_gradients = true};
    net_open(&net, "{\"layers\": [{\"op\": \"linear\", \"units\": 10, \"init\": \"zeros\", \"label\": \"w\"}]}", images,
             SN_F64, &options);
    assert_int_equal(sn_engine_init_weights(net.engine, 1, NULL), SN_OK);
    int found = 0;
    for (int step = 0; step <= 50; step++) {
        double loss = net_step(&net, 0.1, NULL).loss;
        if (step == 0) {
            double *gradient = net_gradient(&net, 0);
            assert_true(fabs(norm_of(gradient, 7840) / 1.64601491976 - 1) < 1e-8);
            free(gradient);
        }
        if (step != steps[found]) continue;
        if (!(fabs(loss / losses[found] - 1) < 1e-8)) fail_msg("step %d: loss %.15g", step, loss);
        found++;
    }
    assert_int_equal(found, 7);
    net_close(&net);
}

static int load(void **state) {
    static sn_dataset images;
    *state = load_images(&images) ? &images : NULL;
    return 0;
}

static int unload(void **state) {
    if (*state) sn_dataset_reset(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nets), cmocka_unit_test(test_softmax_regression)};
    return cmocka_run_group_tests(tests, load, unload);
}
