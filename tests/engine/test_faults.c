/* Non-finite values: the status, the first fault by name, and what stays untouched. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/net.h"
#include "support/rules.h"
#include "support/toy.h"

enum { SAMPLES = 37, IN = 6, OUT = 4 };

/* A step that has to diverge; its fault as text. */
static const char *diverge(test_net *net, double lr, sn_observation *observation, sn_observation *on_fault) {
    sn_observation *seen = observation ? observation : on_fault;
    static char text[SN_FAULT_TEXT];
    sn_step step = {.batch = {net->data, &net->data->train, net->indices, net->batch},
                    .lr = lr,
                    .applies = true,
                    .observation = observation,
                    .on_fault = on_fault};
    sn_step_result result;
    assert_int_equal(sn_engine_step(net->engine, &step, &result), SN_DIVERGED);
    assert_true(result.nonfinite > 0 ||
                result.fault.kind == SN_FAULT_ACTIVATION); /* that may be hidden from the loss */
    if (seen) assert_true(seen->nonfinite == result.nonfinite);
    return sn_fault_text(&result.fault, &net->graph, text);
}

/* Sets element `k` of a tensor. */
static void poison(test_net *net, const char *tensor, size_t k, double value) {
    size_t i = net_find(net, tensor);
    double *values = net_values(net, i);
    values[k] = value;
    sn_engine_set_tensor(net->engine, i, values);
    free(values);
}

static const char residual[] = "{\"depth\": 4, \"width\": 5, \"skip\": \"add\"}";

/* Forward order, whatever the threads, observed or not; the weights stay, and so does what the optimizer keeps. */
static void test_activation(void **state) {
    static const char *const tensors[] = {"hidden1.bias", "hidden3.weight", "output.weight"};
    static const char *const faults[] = {"the activation (output) of hidden1", "the activation (output) of hidden3",
                                         "the activation (output) of output"};
    for (int c = 0; c < 3 * 4; c++) {
        test_net net;
        sn_observation seen;
        sn_error error;
        sn_engine_options options = {
            .threads = 1 + c / 3, .rule = rule_of("{\"momentum\": 0.9}"), .clip_norm = c % 2 ? 1 : 0};
        net_open(&net, residual, *state, c % 2 ? SN_F64 : SN_F32, &options);
        assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
        net_randomize(&net, 4);
        poison(&net, tensors[c % 3], 1, c % 2 ? (double)NAN : HUGE_VAL);
        if (c % 3 < 2) poison(&net, "output.bias", 0, HUGE_VAL);
        uint64_t before = sn_engine_weights_hash(net.engine);
        assert_string_equal(diverge(&net, 0.1, c % 2 ? &seen : NULL, &seen), faults[c % 3]);
        assert_true(sn_engine_weights_hash(net.engine) == before);
        assert_int_equal(seen.rows, SAMPLES);
        assert_true(seen.nonfinite > 0 && seen.change.n == 0);
        int first = c % 3 == 0 ? 0 : c % 3 == 1 ? 2 : 4;
        for (int k = 0; k < seen.n_nodes; k++) {
            assert_true(seen.nodes[k].output.n > 0 && seen.nodes[k].delta.n > 0 && seen.nodes[k].gradient.n > 0);
            if (k <= first) assert_int_equal(!isfinite(seen.nodes[k].output.squares.sum), k == first);
        }
        sn_observation_reset(&seen);
        net_close(&net);
    }
}

/* A node without parameters is found by the second walk: linear gives 1e200, the scale overflows. */
static void test_diagnosis(void **state) {
    test_net net;
    net_open(
        &net,
        "{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\"}, {\"op\": \"scale\", \"factor\": 1e200, "
        "\"label\": \"b\"}, {\"op\": \"identity\", \"label\": \"c\"}, {\"op\": \"linear\", \"units\": 4}]}",
        *state, SN_F64, &(sn_engine_options){.threads = 2});
    net_randomize(&net, 4);
    poison(&net, "a.weight", 0, 1e200);
    assert_string_equal(diverge(&net, 0.1, NULL, NULL), "the activation (output) of b");
    poison(&net, "a.weight", 0, 1);
    net_step(&net, 0, NULL);
    net_close(&net);
}

/* Chains of one unit, without bias, on one sample of value `x` with target 0: y = x a b c. */
typedef struct chain_case {
    double x, a, b, c, lr;
    const char *fault;
    double nonfinite;
} chain_case;

static const chain_case chains[] = {
    {1, 1, 1e100, 1e100, 0.1, "the loss, on the output of c", (double)NAN},
    {1e-300, 1, 1e200, 1e150, 0.1, "the gradient by the output of a", (double)NAN},
    {1e200, 1e-200, 1e150, 1, 0.1, "the gradient of a.weight", 1},
    {1, 1, 1, 1e150, 1e300, "the updated parameter c.weight", 3},
    {1, 1e-100, 1e-100, 1e150, 1e308, "the updated parameter b.weight", 2},
};

/* What was found before an update leaves all weights; what was found in a gradient leaves that tensor. */
static void check_chain(const chain_case *c, int threads) {
    double target = 0, none = 0, one = 1;
    sn_dataset data = {.in_dim = 1, .out_dim = 1, .n_scales = 1, .mean = &none, .factor = &one};
    data.train = (sn_samples){.n = 1, .values = &c->x, .targets = &target};
    test_net net;
    sn_observation seen;
    sn_error error;
    net_open(
        &net,
        "{\"layers\": [{\"op\": \"linear\", \"units\": 1, \"bias\": false, \"label\": \"a\"}, {\"op\": \"linear\", "
        "\"units\": 1, \"bias\": false, \"label\": \"b\"}, {\"op\": \"linear\", \"units\": 1, \"bias\": false, "
        "\"label\": \"c\"}]}",
        &data, SN_F64, &(sn_engine_options){.threads = threads});
    assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
    double weights[3] = {c->a, c->b, c->c};
    for (size_t i = 0; i < 3; i++)
        sn_engine_set_tensor(net.engine, i, &weights[i]);
    uint64_t before = sn_engine_weights_hash(net.engine);
    const char *fault = diverge(&net, c->lr, &seen, NULL);
    if (strcmp(fault, c->fault) != 0) fail_msg("%s, expected %s", fault, c->fault);
    bool in_walk = isnan(c->nonfinite);
    assert_int_equal(sn_engine_weights_hash(net.engine) == before, in_walk);
    if (in_walk) assert_true(seen.nonfinite > 0);
    if (!in_walk) assert_true(seen.nonfinite == c->nonfinite);
    if (strstr(fault, "the gradient of a")) {
        double *a = net_values(&net, 0);
        assert_true(a[0] == c->a);
        free(a);
    }
    sn_observation_reset(&seen);
    net_close(&net);
}

static void test_chains(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        check_chain(&chains[i], 1);
        check_chain(&chains[i], 3);
    }
}

static int make_data(void **state) {
    static sn_dataset data;
    data = toy_classes(SAMPLES, IN, OUT, 2);
    *state = &data;
    return 0;
}

static int free_data(void **state) {
    sn_dataset_reset(*state);
    return 0;
}

/* What a squashing activation behind it would hide: an overflow in a sum, a factor, a gate. */
static void test_hidden_overflow(void **state) {
    static const struct {
        const char *layers, *fault;
    } cases[] = {
        {"{\"op\": \"scale\", \"factor\": 1e200, \"label\": \"big\"}, "
         "{\"op\": \"scale\", \"factor\": 1e200, \"label\": \"hidden\"}",
         "the activation (output) of hidden"},
        {"{\"op\": \"add\", \"factors\": [1e200, 1], \"inputs\": [\"a\", \"a\"], \"label\": \"big\"}, "
         "{\"op\": \"add\", \"factors\": [1e200, 1], \"inputs\": [\"big\", \"a\"], \"label\": \"hidden\"}",
         "the activation (output) of hidden"},
        {"{\"op\": \"scale\", \"factor\": 1e200, \"label\": \"big\"}, "
         "{\"op\": \"gate\", \"inputs\": [\"big\", \"big\", \"a\"], \"label\": \"hidden\"}",
         "the activation (output) of hidden"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        char network[1024];
        test_net net;
        snprintf(network, sizeof network,
                 "{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\"}, %s, {\"op\": \"tanh\"}, {\"op\": "
                 "\"linear\", \"units\": 4}]}",
                 cases[c].layers);
        net_open(&net, network, *state, SN_F64, &(sn_engine_options){.threads = 2});
        net_randomize(&net, 4);
        uint64_t before = sn_engine_weights_hash(net.engine);
        assert_string_equal(diverge(&net, 0.1, NULL, NULL), cases[c].fault);
        assert_true(sn_engine_weights_hash(net.engine) == before);
        net_close(&net);
    }
}

/* A variance beyond float32 that the step's own sums, in double, still hold. */
static void test_state(void **state) {
    test_net net;
    net_open(&net,
             "{\"layers\": [{\"op\": \"linear\", \"units\": 3}, {\"op\": \"scale\", \"factor\": 1e25}, "
             "{\"op\": \"batch_norm\", \"label\": \"n\"}, {\"op\": \"tanh\"}, {\"op\": \"linear\", \"units\": 4}]}",
             *state, SN_F32, &(sn_engine_options){.threads = 2});
    net_randomize(&net, 4);
    assert_string_equal(diverge(&net, 0.1, NULL, NULL), "the updated state n.running_var");
    net_close(&net);
}

/* With clip_norm all gradients are known before the first update: nothing moves. */
static void test_clipped(void **state) {
    (void)state;
    double x = 1e200, target = 0, none = 0, one = 1;
    sn_dataset data = {.in_dim = 1, .out_dim = 1, .n_scales = 1, .mean = &none, .factor = &one};
    data.train = (sn_samples){.n = 1, .values = &x, .targets = &target};
    test_net net;
    net_open(
        &net,
        "{\"layers\": [{\"op\": \"linear\", \"units\": 1, \"bias\": false, \"label\": \"a\"}, {\"op\": \"linear\", "
        "\"units\": 1, \"bias\": false, \"label\": \"b\"}]}",
        &data, SN_F64, &(sn_engine_options){.threads = 2, .clip_norm = 1});
    double weights[2] = {1e-200, 1e150};
    for (size_t i = 0; i < 2; i++)
        sn_engine_set_tensor(net.engine, i, &weights[i]);
    uint64_t before = sn_engine_weights_hash(net.engine);
    assert_string_equal(diverge(&net, 0.1, NULL, NULL), "the gradient of a.weight");
    assert_true(sn_engine_weights_hash(net.engine) == before);
    net_close(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_activation), cmocka_unit_test(test_diagnosis),
                                       cmocka_unit_test(test_chains),     cmocka_unit_test(test_hidden_overflow),
                                       cmocka_unit_test(test_state),      cmocka_unit_test(test_clipped)};
    return cmocka_run_group_tests(tests, make_data, free_data);
}
