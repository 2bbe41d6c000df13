/* Layer normalization against a plain recomputation, with means that are large against the spread. */
#include <math.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { SAMPLES = 37, WIDTH = 70, OUT = 3 };

/* A row of doubles as the network reads it.  (volatile: gcc 12 at -O3 loses the rounding of the last two otherwise.) */
static void read_row(const test_net *net, size_t r, double x[WIDTH]) {
    for (size_t c = 0; c < WIDTH; c++) {
        x[c] = net->data->train.values[r * WIDTH + c];
        volatile float single = (float)x[c];
        if (net->backend->dtype == SN_F32) x[c] = (double)single;
    }
}

/* Row r of the outputs. */
static void check_row(const test_net *net, size_t r, const double *y, const double *affine[2], double tolerance) {
    double x[WIDTH];
    long double mean = 0, variance = 0;
    read_row(net, r, x);
    for (size_t c = 0; c < WIDTH; c++)
        mean += (long double)x[c] / WIDTH;
    for (size_t c = 0; c < WIDTH; c++)
        variance += ((long double)x[c] - mean) * ((long double)x[c] - mean) / WIDTH;
    for (size_t c = 0; c < WIDTH; c++) {
        double expected =
            affine[0][c] * (double)((long double)x[c] - mean) / sqrt((double)variance + 1e-5) + affine[1][c];
        double got = y[r * WIDTH + c];
        if (!(fabs(got - expected) <= tolerance)) fail_msg("y[%zu][%zu] = %.17g, expected %.17g", r, c, got, expected);
    }
}

/* Row r has a mean of `offset` (r + 1) and a deviation of about 1 + r; the last row is all the same. */
static void check_outputs(double offset, sn_dtype dtype, double tolerance) {
    sn_dataset data = toy_classes(SAMPLES, WIDTH, OUT, 5);
    double *values = (double *)data.train.values; /* of the pool */
    for (size_t i = 0; i < SAMPLES * (size_t)WIDTH; i++) {
        size_t row = i / WIDTH;
        values[i] = (offset + (row == SAMPLES - 1 ? 0.1 : values[i])) * (double)(row + 1);
    }
    test_net net;
    net_open(&net, "{\"layers\": [{\"op\": \"layer_norm\"}, {\"op\": \"linear\", \"units\": 3}]}", &data, dtype, NULL);
    net_randomize(&net, 3);
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, SAMPLES);
    double *gain = net_values(&net, 0), *bias = net_values(&net, 1), *y = net_signal(probe, 1);
    for (size_t r = 0; r + 1 < SAMPLES; r++)
        check_row(&net, r, y, (const double *[2]){gain, bias}, tolerance);
    for (size_t c = 0; c < WIDTH; c++)
        assert_true(y[(SAMPLES - 1) * (size_t)WIDTH + c] == bias[c]);
    free(gain);
    free(bias);
    free(y);
    sn_probe_free(probe);
    net_close(&net);
    sn_dataset_reset(&data);
}

static void test_outputs(void **state) {
    (void)state;
    check_outputs(0, SN_F64, 1e-13);
    check_outputs(0, SN_F32, 3e-6);
    check_outputs(1e6, SN_F64, 1e-9);
    check_outputs(1e3, SN_F32, 3e-6); /* a mean rounded to float would be off by 3e-5 deviations */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_outputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
