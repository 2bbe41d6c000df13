/* Root mean square normalization against a plain recomputation; without an eps, the machine epsilon of the precision.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { SAMPLES = 37, WIDTH = 70, OUT = 3 };

/* Row r of the outputs; the rows get smaller, so that eps counts more and more. */
static void check_row(const double *x, const double *gain, const double *y, double eps, double tolerance) {
    long double squares = 0;
    for (size_t c = 0; c < WIDTH; c++)
        squares += (long double)x[c] * (long double)x[c] / WIDTH;
    for (size_t c = 0; c < WIDTH; c++) {
        double expected = (double)((long double)gain[c] * (long double)x[c] / sqrtl(squares + (long double)eps));
        if (!(fabs(y[c] - expected) <= tolerance * (1 + fabs(expected))))
            fail_msg("y[%zu] = %.17g, expected %.17g", c, y[c], expected);
    }
}

static void check_outputs(const char *eps_key, sn_dtype dtype, double eps, double tolerance) {
    sn_dataset data = toy_classes(SAMPLES, WIDTH, OUT, 5);
    double *values = (double *)data.train.values; /* of the pool */
    for (size_t i = 0; i < SAMPLES * (size_t)WIDTH; i++) {
        size_t row = i / WIDTH;
        volatile float single = (float)(values[i] * pow(10, -(double)row / 4)); /* what both precisions hold */
        values[i] = (double)single;
    }
    memset(values + (SAMPLES - 1) * (size_t)WIDTH, 0, WIDTH * sizeof *values);
    char network[200];
    snprintf(network, sizeof network, "{\"layers\": [{\"op\": \"rms_norm\"%s}, {\"op\": \"linear\", \"units\": 3}]}",
             eps_key);
    test_net net;
    net_open(&net, network, &data, dtype, NULL);
    assert_int_equal(net.graph.nodes[1].n_params, 1);
    net_randomize(&net, 3);
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, SAMPLES);
    double *gain = net_values(&net, 0), *y = net_signal(probe, 1);
    for (size_t r = 0; r < SAMPLES; r++)
        check_row(values + r * WIDTH, gain, y + r * WIDTH, eps, tolerance);
    for (size_t c = 0; c < WIDTH; c++)
        assert_true(y[(SAMPLES - 1) * (size_t)WIDTH + c] == 0);
    free(gain);
    free(y);
    sn_probe_free(probe);
    net_close(&net);
    sn_dataset_reset(&data);
}

static void test_outputs(void **state) {
    (void)state;
    check_outputs("", SN_F64, 1e-5, 1e-14);
    check_outputs("", SN_F32, 1e-5, 1e-6);
    check_outputs(", \"eps\": 0.5", SN_F64, 0.5, 1e-14);
    check_outputs(", \"eps\": null", SN_F64, DBL_EPSILON, 1e-14);
    check_outputs(", \"eps\": null", SN_F32, (double)FLT_EPSILON, 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_outputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
