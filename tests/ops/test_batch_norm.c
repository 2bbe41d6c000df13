/* Batch normalization against a plain recomputation: outputs in training and in evaluations, running averages over
 * several steps, and when these must not change; a batch of one row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { SAMPLES = 210, WIDTH = 70, OUT = 3 }; /* batches of 100, whose last panel has 4 */

static const char normalizing[] = "{\"layers\": [{\"op\": \"batch_norm\", \"label\": \"n\", \"momentum\": 0.3}, "
                                  "{\"op\": \"linear\", \"units\": 3, \"label\": \"out\"}]}";

/* Feature c has a mean of `offset` (c + 1) and a deviation of about 1 + c. */
static sn_dataset shifted_data(double offset) {
    sn_dataset data = toy_classes(SAMPLES, WIDTH, OUT, 5);
    double *values = (double *)data.train.values; /* of the pool */
    for (size_t i = 0; i < SAMPLES * (size_t)WIDTH; i++)
        values[i] = (offset + values[i]) * (double)(i % WIDTH + 1);
    return data;
}

typedef struct column {
    double mean, variance; /* the biased one */
} column;

static column column_of(const test_net *net, size_t begin, size_t rows, size_t c) {
    bool is_float = net->backend->dtype == SN_F32;
    long double mean = 0, variance = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t r = begin; r < begin + rows; r++) {
            double x = net->data->train.values[r * WIDTH + c];
            if (is_float) x = (double)(float)x;
            if (pass == 0) mean += (long double)x / (long double)rows;
            if (pass == 1) variance += ((long double)x - mean) * ((long double)x - mean) / (long double)rows;
        }
    }
    return (column){(double)mean, (double)variance};
}

static double real_at(const test_net *net, const void *data, size_t i) {
    return net->backend->dtype == SN_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

/* Element c of the state "n.running_mean" (0) or "n.running_var" (1). */
static double state_at(const test_net *net, size_t i, size_t c) {
    sn_tensor tensor;
    sn_engine_state(net->engine, i, &tensor);
    assert_string_equal(tensor.name, i ? "n.running_var" : "n.running_mean");
    assert_true(tensor.rank == 1 && tensor.shape[0] == WIDTH);
    return real_at(net, tensor.data, c);
}

/* Of the norm, in a step on `rows` samples from `begin` on. */
static void check_outputs(const test_net *net, size_t begin, size_t rows, double tolerance) {
    sn_probe *probe = net_probe(net);
    net_run(net, probe, begin, rows);
    double *gain = net_values(net, 0), *bias = net_values(net, 1), *y = net_signal(probe, 1);
    for (size_t i = 0; i < rows * WIDTH; i++) {
        size_t r = i / WIDTH, c = i % WIDTH;
        column own = column_of(net, begin, rows, c);
        double x = net->data->train.values[(begin + r) * WIDTH + c];
        if (net->backend->dtype == SN_F32) x = (double)(float)x;
        double expected = gain[c] * (x - own.mean) / sqrt(own.variance + 1e-5) + bias[c];
        if (!(fabs(y[i] - expected) <= tolerance))
            fail_msg("y[%zu][%zu] = %.17g, expected %.17g", r, c, y[i], expected);
    }
    free(gain);
    free(bias);
    free(y);
    sn_probe_free(probe);
}

static void check_training(double offset, sn_dtype dtype, double tolerance) {
    static const size_t begins[] = {0, 100, 200, 37}, rows[] = {100, 100, 10, 2};
    sn_dataset data = shifted_data(offset);
    test_net net;
    net_open(&net, normalizing, &data, dtype, &(sn_engine_options){.batch = 100, .threads = 2});
    net_randomize(&net, 3);
    double mean[WIDTH] = {0}, variance[WIDTH];
    for (size_t c = 0; c < WIDTH; c++)
        variance[c] = 1;
    for (int step = 0; step < 4; step++) {
        net_step_at(&net, begins[step], rows[step], 0, NULL);
        check_outputs(&net, begins[step], rows[step], tolerance);
        for (size_t c = 0; c < WIDTH; c++) {
            column own = column_of(&net, begins[step], rows[step], c);
            double n = (double)rows[step];
            mean[c] = 0.7 * mean[c] + 0.3 * own.mean;
            variance[c] = 0.7 * variance[c] + 0.3 * own.variance * n / (n - 1);
        }
    }
    for (size_t c = 0; c < WIDTH; c++) {
        assert_true(fabs(state_at(&net, 0, c) - mean[c]) <= tolerance * (1 + fabs(mean[c])));
        assert_true(fabs(state_at(&net, 1, c) - variance[c]) <= tolerance * (1 + variance[c]));
    }
    net_close(&net);
    sn_dataset_reset(&data);
}

static void test_training(void **state) {
    (void)state;
    check_training(0, SN_F64, 1e-12);
    check_training(0.5, SN_F32, 3e-6);
    check_training(1e6, SN_F64, 1e-9);
    check_training(1e3, SN_F32, 3e-6); /* the inputs are exact here; a mean rounded to float would be off by 6e-5 */
}

/* With running averages, whatever the batch. */
static void test_evaluation(void **state) {
    (void)state;
    sn_dataset data = shifted_data(2);
    test_net net;
    net_open(&net, normalizing, &data, SN_F64, &(sn_engine_options){.batch = 100, .threads = 2});
    net_randomize(&net, 3);
    for (int step = 0; step < 3; step++)
        net_step_at(&net, 10, 90, 0, NULL);
    double outputs[2 * OUT], *gain = net_values(&net, 0), *bias = net_values(&net, 1), *w = net_values(&net, 2),
                             *b = net_values(&net, 3);
    sn_engine_predict(net.engine, &(sn_batch){&data, &data.train, net.indices, 2}, outputs);
    for (size_t i = 0; i < 2 * OUT; i++) {
        double expected = b[i % OUT];
        for (size_t c = 0; c < WIDTH; c++) {
            double x = data.train.values[i / OUT * WIDTH + c] - state_at(&net, 0, c);
            expected += w[i % OUT * WIDTH + c] * (gain[c] * x / sqrt(state_at(&net, 1, c) + 1e-5) + bias[c]);
        }
        assert_true(fabs(outputs[i] - expected) < 1e-11);
    }
    free(gain);
    free(bias);
    free(w);
    free(b);
    net_close(&net);
    sn_dataset_reset(&data);
}

static void poison(test_net *net, const char *tensor) {
    size_t i = net_find(net, tensor);
    double *values = net_values(net, i);
    values[0] = HUGE_VAL;
    sn_engine_set_tensor(net->engine, i, values);
    free(values);
}

/* Only a step that is applied and goes well moves the averages. */
static void test_when_states_move(void **state) {
    (void)state;
    sn_dataset data = shifted_data(2);
    test_net net;
    sn_step_result result;
    net_open(&net, normalizing, &data, SN_F32, &(sn_engine_options){.batch = 100, .threads = 2});
    net_randomize(&net, 3);
    uint64_t before = sn_engine_weights_hash(net.engine);
    net_measure(&net, NULL);
    net_loss(&net);
    assert_true(sn_engine_weights_hash(net.engine) == before);
    net_step(&net, 0, NULL);
    uint64_t after = sn_engine_weights_hash(net.engine);
    assert_true(after != before && state_at(&net, 0, 5) != 0);
    poison(&net, "out.weight");
    uint64_t poisoned = sn_engine_weights_hash(net.engine);
    sn_step step = {.batch = {&data, &data.train, net.indices, 100}, .lr = 0.1, .applies = true};
    assert_int_equal(sn_engine_step(net.engine, &step, &result), SN_DIVERGED);
    assert_true(sn_engine_weights_hash(net.engine) == poisoned);
    assert_int_equal(sn_engine_init_weights(net.engine, 1, NULL), SN_OK);
    assert_true(state_at(&net, 0, 5) == 0 && state_at(&net, 1, 5) == 1);
    net_close(&net);
    sn_dataset_reset(&data);
}

/* The output is the bias, nothing flows past, the averages stay; what comes after still learns. */
static void test_one_row(void **state) {
    (void)state;
    sn_dataset data = shifted_data(2);
    test_net net;
    net_open(&net,
             "{\"layers\": [{\"op\": \"linear\", \"units\": 70, \"label\": \"first\"}, {\"op\": \"batch_norm\", "
             "\"label\": \"n\"}, {\"op\": \"linear\", \"units\": 3, \"label\": \"out\"}]}",
             &data, SN_F32, &(sn_engine_options){.batch = 100, .keeps_gradients = true, .threads = 3});
    net_randomize(&net, 3);
    net_step_at(&net, 3, 1, 0, NULL);
    static const char *const still[] = {"first.weight", "first.bias", "n.weight"}, *const moving[] = {"n.bias",
                                                                                                      "out.bias"};
    for (int k = 0; k < 5; k++) {
        size_t i = net_find(&net, k < 3 ? still[k] : moving[k - 3]);
        double *gradient = net_gradient(&net, i), norm = norm_of(gradient, net_count(&net, i));
        assert_true(k < 3 ? norm == 0 : norm > 1e-3);
        free(gradient);
    }
    assert_true(state_at(&net, 0, 5) == 0 && state_at(&net, 1, 5) == 1);
    net_close(&net);
    sn_dataset_reset(&data);
}

/* A feature that is the same in all samples becomes b exactly, however large it is. */
static void test_constant(void **state) {
    (void)state;
    sn_dataset data = shifted_data(2);
    double *values = (double *)data.train.values;
    for (size_t r = 0; r < SAMPLES; r++)
        values[r * WIDTH + 4] = 1234567.1;
    test_net net;
    net_open(&net, normalizing, &data, SN_F32, &(sn_engine_options){.batch = 100});
    net_randomize(&net, 3);
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, 100);
    double *bias = net_values(&net, 1), *y = net_signal(probe, 1);
    for (size_t r = 0; r < 100; r++)
        assert_true(y[r * WIDTH + 4] == bias[4]);
    free(bias);
    free(y);
    sn_probe_free(probe);
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training), cmocka_unit_test(test_evaluation), cmocka_unit_test(test_when_states_move),
        cmocka_unit_test(test_one_row),  cmocka_unit_test(test_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
