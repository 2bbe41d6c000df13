/* The gradient check passes right gradients, and fails wrong ones: claimed arrays that are off by a little, and a
 * backward pass that is.  Kinks and gradients too small to see are told apart and verify nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/table.h"
#include "study/gradcheck.h"
#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { SAMPLES = 19, IN = 5, OUT = 3, MOST_TENSORS = 32 };

static sn_error error;

/* A network under check with the gradients that it claims, at first its own. */
typedef struct fixture {
    sn_dataset data;
    test_net net;
    size_t n;
    double *claimed[MOST_TENSORS];
    sn_gradcheck check;
    sn_gradcheck_row rows[MOST_TENSORS];
    sn_gradcheck_totals totals;
} fixture;

static void claim_own(fixture *f) {
    net_measure(&f->net, NULL);
    for (size_t i = 0; i < f->n; i++) {
        free(f->claimed[i]);
        f->claimed[i] = net_gradient(&f->net, i);
    }
}

static void open_on(fixture *f, const char *network, sn_dataset data) {
    *f = (fixture){.data = data};
    net_open(&f->net, network, &f->data, SN_F64, NULL);
    net_randomize(&f->net, 1);
    f->n = sn_engine_tensor_count(f->net.engine);
    assert_in_range(f->n, 1, MOST_TENSORS);
    claim_own(f);
}

static void open(fixture *f, const char *network) {
    open_on(f, network, toy_classes(SAMPLES, IN, OUT, 1));
}

/* The same network on another backend. */
static void reopen(fixture *f, const sn_backend *backend) {
    sn_engine_free(f->net.engine);
    sn_engine_options options = {
        .batch = f->net.batch, .threads = 1, .keeps_gradients = true, .objective = f->net.options.objective};
    assert_int_equal(sn_engine_new(&f->net.engine, &f->net.graph, backend, &options, &error), SN_OK);
    net_randomize(&f->net, 1);
}

static void close(fixture *f) {
    for (size_t i = 0; i < f->n; i++)
        free(f->claimed[i]);
    net_close(&f->net);
    sn_dataset_reset(&f->data);
}

static sn_gradcheck_request request_of(const fixture *f, size_t samples) {
    return (sn_gradcheck_request){.engine = f->net.engine,
                                  .loss = f->net.options.objective.loss,
                                  .batch = {&f->data, &f->data.train, f->net.indices, f->net.batch},
                                  .seed = 1,
                                  .samples = samples,
                                  .gradients = (const double *const *)f->claimed};
}

static void run(fixture *f, const sn_gradcheck_request *request) {
    sn_error_clear(&error);
    f->totals = (sn_gradcheck_totals){0};
    assert_int_equal(sn_gradcheck_open(&f->check, request, &f->net.graph, &error), SN_OK);
    for (size_t i = 0; i < f->n; i++) {
        sn_gradcheck_row *row = &f->rows[i];
        assert_int_equal(sn_gradcheck_tensor(&f->check, i, row, &error), SN_OK);
        assert_int_equal(row->elements, net_count(&f->net, i));
        assert_int_equal(row->agreeing + row->disagreeing + row->kinks + row->below, row->checked);
        sn_gradcheck_count(&f->totals, row);
    }
}

static void run_all(fixture *f) {
    sn_gradcheck_request request = request_of(f, 0);
    run(f, &request);
}

static const sn_gradcheck_row *row_of(const fixture *f, const char *name) {
    return &f->rows[net_find(&f->net, name)];
}

static sn_status conclusion(const fixture *f) {
    sn_error_clear(&error);
    return sn_gradcheck_conclude(&f->totals, &error);
}

static const char *const tanh_chain =
    "{\"layers\": [{\"op\": \"linear\", \"units\": 6, \"label\": \"a\"}, {\"op\": \"tanh\", \"label\": \"t\"}, "
    "{\"op\": \"linear\", \"units\": 4, \"label\": \"b\"}, {\"op\": \"tanh\", \"label\": \"u\"}, "
    "{\"op\": \"linear\", \"units\": 3, \"label\": \"c\"}]}";
static const char *const relu_chain =
    "{\"layers\": [{\"op\": \"linear\", \"units\": 4, \"label\": \"a\"}, {\"op\": \"relu\"}, "
    "{\"op\": \"linear\", \"units\": 3, \"label\": \"b\"}]}";

/* Every coordinate of smooth networks agrees, far within the limit; bits of weights and gradients stay. */
static void test_right_gradients_pass(void **state) {
    (void)state;
    static const char *const networks[] = {
        "{\"depth\": 4, \"width\": 4}",
        "{\"depth\": 5, \"width\": 4, \"skip\": \"add\", \"norm\": \"layer\"}",
        "{\"depth\": 4, \"width\": 4, \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0.6}}}",
        "{\"depth\": 4, \"width\": 4, \"skip\": {\"kind\": \"concat\", \"growth\": 3}, \"activation\": \"gelu\"}",
    };
    for (size_t i = 0; i < 2 * sizeof networks / sizeof *networks; i++) {
        fixture f;
        open_on(&f, networks[i / 2], i % 2 ? toy_targets(SAMPLES, IN, OUT, 2) : toy_classes(SAMPLES, IN, OUT, 1));
        uint64_t hash = sn_engine_weights_hash(f.net.engine);
        sn_gradcheck_request request = request_of(&f, 0);
        request.gradients = NULL;
        run(&f, &request);
        assert_int_equal(conclusion(&f), SN_OK);
        assert_int_equal(f.totals.passing, f.n);
        assert_true(f.totals.agreeing > f.totals.checked * 9 / 10);
        assert_int_equal(sn_engine_weights_hash(f.net.engine), hash);
        for (size_t k = 0; k < f.n; k++) {
            assert_memory_equal(sn_engine_gradient(f.net.engine, k), f.claimed[k],
                                net_count(&f.net, k) * sizeof(double));
        }
        close(&f);
    }
}

/* Off by a thousandth, by a ten-thousandth, of the wrong sign, zero: each coordinate is found, and no other. */
static void test_wrong_gradients_fail(void **state) {
    (void)state;
    static const double factors[] = {1.001, 0.9999, -1, 0, 1e6};
    fixture f;
    open(&f, tanh_chain);
    size_t wrong = net_find(&f.net, "b.weight");
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        claim_own(&f);
        for (size_t k = 0; k < net_count(&f.net, wrong); k++)
            f.claimed[wrong][k] *= factors[i];
        run_all(&f);
        assert_int_equal(f.rows[wrong].disagreeing, f.rows[wrong].elements);
        assert_int_equal(sn_gradcheck_judge(&f.rows[wrong]), SN_GRADCHECK_FAIL);
        assert_int_equal(f.totals.failing, 1);
        assert_int_equal(f.totals.passing, f.n - 1);
        assert_int_equal(conclusion(&f), SN_FAILED);
        assert_string_equal(error.text, "the gradients of 1 of 6 tensors are wrong");
    }
    claim_own(&f);
    f.claimed[wrong][7] += 1e-3;
    run_all(&f);
    assert_int_equal(f.rows[wrong].disagreeing, 1);
    assert_int_equal(f.rows[wrong].worst_at, 7);
    assert_true(fabs(f.rows[wrong].worst_gradient - f.rows[wrong].worst_difference - 1e-3) < 1e-9);
    close(&f);
}

/* Between the limit and what can be told for sure: never a pass. */
static void test_just_outside_the_limit(void **state) {
    (void)state;
    fixture f;
    open(&f, tanh_chain);
    for (size_t i = 0; i < f.n; i++) {
        for (size_t k = 0; k < net_count(&f.net, i); k++)
            f.claimed[i][k] *= 1 + 2 * SN_GRADCHECK_LIMIT;
    }
    run_all(&f);
    assert_int_equal(f.totals.agreeing, 0);
    assert_int_equal(conclusion(&f), SN_FAILED);
    close(&f);
}

static const sn_op_kernels *right_tanh;

/* Wrong at one node only. */
static void wrong_backward(const sn_op_call *call) {
    right_tanh->backward(call);
    if (strcmp(call->node->label, "u") != 0) return;
    for (size_t b = 0; b < call->blocks; b++) {
        for (size_t i = 0; i < call->widths[0] * SN_PANEL; i++)
            ((double *)call->dx[0].data)[b * call->dx[0].ld + i] *= i % SN_PANEL < call->lanes ? 1.01 : 1;
    }
}

/* A wrong op: what lies before it fails, what lies behind it passes. */
static void test_wrong_op_fails(void **state) {
    (void)state;
    fixture f;
    open(&f, tanh_chain);
    const sn_op_kernels *ops[64];
    sn_backend backend = *f.net.backend;
    size_t tanh_index = sn_op_index(f.net.graph.nodes[sn_graph_find(&f.net.graph, "u")].op);
    for (size_t i = 0; sn_ops[i]; i++) {
        assert_true(i < sizeof ops / sizeof *ops);
        ops[i] = backend.ops[i];
    }
    right_tanh = ops[tanh_index];
    sn_op_kernels wrong = *right_tanh;
    wrong.backward = wrong_backward;
    ops[tanh_index] = &wrong;
    backend.ops = ops;
    reopen(&f, &backend);
    sn_gradcheck_request request = request_of(&f, 0);
    request.gradients = NULL;
    run(&f, &request);
    for (size_t i = 0; i < f.n; i++) {
        bool is_before = f.rows[i].tensor.name[0] != 'c';
        assert_int_equal(sn_gradcheck_judge(&f.rows[i]), is_before ? SN_GRADCHECK_FAIL : SN_GRADCHECK_PASS);
    }
    assert_true(fabs(row_of(&f, "b.weight")->worst - 0.01 / 1.01) < 1e-5);
    assert_int_equal(conclusion(&f), SN_FAILED);
    close(&f);
}

static void set_values(fixture *f, const char *name, double value, size_t n) {
    size_t i = net_find(&f->net, name);
    double *values = net_values(&f->net, i);
    for (size_t k = 0; k < n; k++)
        values[k] = value;
    sn_engine_set_tensor(f->net.engine, i, values);
    free(values);
}

/* Unit 0 of the relu layer is at its bend, or a billionth beside it, for every sample: its coordinates are kinks, the
 * others are verified.  With all units there, nothing of the tensors is. */
static void test_kinks_are_reported(void **state) {
    (void)state;
    static const double biases[] = {0, 1e-9, -1e-9};
    fixture f;
    open(&f, relu_chain);
    for (size_t i = 0; i < sizeof biases / sizeof *biases; i++) {
        set_values(&f, "a.weight", 0, IN);
        set_values(&f, "a.bias", biases[i], 1);
        claim_own(&f);
        run_all(&f);
        const sn_gradcheck_row *weight = row_of(&f, "a.weight"), *bias = row_of(&f, "a.bias");
        assert_int_equal(weight->kinks, IN);
        assert_int_equal(bias->kinks, 1);
        assert_int_equal(weight->agreeing, 3 * IN);
        assert_int_equal(f.totals.disagreeing, 0);
        assert_int_equal(conclusion(&f), SN_OK);
    }
    set_values(&f, "a.weight", 0, 4 * IN);
    set_values(&f, "a.bias", 0, 4);
    claim_own(&f);
    run_all(&f);
    assert_int_equal(row_of(&f, "a.weight")->kinks, 4 * IN);
    assert_int_equal(sn_gradcheck_judge(row_of(&f, "a.weight")), SN_GRADCHECK_UNVERIFIED);
    assert_int_equal(f.totals.failing, 0);
    assert_true(f.totals.unverified >= 2);
    close(&f);
}

/* Kinks that are near but not at the weights: finer steps pass between them.  Nothing right is called wrong. */
static void test_relu_networks(void **state) {
    (void)state;
    size_t agreeing = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        fixture f;
        open(&f, "{\"depth\": 8, \"width\": 8, \"activation\": \"relu\", \"skip\": \"add\"}");
        net_randomize(&f.net, seed);
        claim_own(&f);
        run_all(&f);
        assert_int_equal(f.totals.disagreeing, 0);
        assert_int_equal(conclusion(&f), SN_OK);
        assert_true(f.totals.agreeing > f.totals.checked / 2);
        agreeing += f.totals.agreeing;
        close(&f);
    }
    assert_true(agreeing > 1000);
}

/* A gradient of 1e-16 is not seen by differences of a loss of 1: not verified, whatever is claimed of that size; a
 * claim of 1e-3 in its place is wrong all the same. */
static void test_below_resolution(void **state) {
    (void)state;
    fixture f;
    open(&f, "{\"layers\": [{\"op\": \"linear\", \"units\": 4, \"label\": \"a\"}, {\"op\": \"tanh\"}, "
             "{\"op\": \"scale\", \"factor\": 1e-16}, {\"op\": \"linear\", \"units\": 3, \"label\": \"b\"}]}");
    size_t a = net_find(&f.net, "a.weight");
    for (int round = 0; round < 2; round++) {
        run_all(&f);
        assert_int_equal(f.rows[a].below, 4 * IN);
        assert_true(isnan(f.rows[a].worst));
        assert_int_equal(sn_gradcheck_judge(&f.rows[a]), SN_GRADCHECK_UNVERIFIED);
        assert_int_equal(conclusion(&f), SN_OK); /* b.bias was verified */
        assert_int_equal(f.totals.failing, 0);
        f.claimed[a][3] *= 5;
    }
    f.claimed[a][3] = 1e-3;
    run_all(&f);
    assert_int_equal(f.rows[a].disagreeing, 1);
    assert_int_equal(conclusion(&f), SN_FAILED);

    sn_gradcheck_totals only = {0};
    claim_own(&f);
    run_all(&f);
    sn_gradcheck_count(&only, &f.rows[a]);
    assert_int_equal(sn_gradcheck_conclude(&only, &error), SN_FAILED);
    assert_string_equal(error.text, "nothing was verified: every coordinate is at a kink or below resolution");
    assert_string_equal(sn_gradcheck_reason(&f.check, &f.rows[a]), "too small a gradient for the loss to show");
    close(&f);
}

/* An input that is 0 in all samples moves nothing: the exact zeros agree, and nothing else in their place does. */
static void test_exact_zeros(void **state) {
    (void)state;
    fixture f;
    open(&f, tanh_chain);
    size_t a = net_find(&f.net, "a.weight");
    for (size_t r = 0; r < SAMPLES; r++)
        ((double *)f.data.train.values)[r * IN + 2] = 0;
    claim_own(&f);
    run_all(&f);
    assert_int_equal(f.rows[a].agreeing, f.rows[a].elements);
    assert_int_equal(f.totals.agreeing, f.totals.checked);
    f.claimed[a][2] = 1e-30;
    f.claimed[a][IN + 2] = 1e-6;
    f.claimed[a][0] = 0;
    run_all(&f);
    assert_int_equal(f.rows[a].below, 1);
    assert_int_equal(f.rows[a].disagreeing, 2);
    close(&f);
}

/* Which coordinates a sample has: those where a wrong gradient is found. */
static size_t find_sample(fixture *f, size_t tensor, size_t samples, uint64_t seed, bool *is_found) {
    size_t found = 0;
    for (size_t k = 0; k < net_count(&f->net, tensor); k++) {
        double kept = f->claimed[tensor][k];
        f->claimed[tensor][k] *= 1.0001; /* not so much that the order by magnitude changes */
        sn_gradcheck_request request = request_of(f, samples);
        request.seed = seed;
        sn_gradcheck_row row;
        assert_int_equal(sn_gradcheck_open(&f->check, &request, &f->net.graph, &error), SN_OK);
        assert_int_equal(sn_gradcheck_tensor(&f->check, tensor, &row, &error), SN_OK);
        assert_int_equal(row.checked, samples);
        is_found[k] = row.disagreeing == 1;
        found += is_found[k];
        f->claimed[tensor][k] = kept;
    }
    return found;
}

static void test_samples(void **state) {
    (void)state;
    enum { COUNT = 6 * IN, TAKEN = 8 };
    fixture f;
    open(&f, tanh_chain);
    size_t tensor = net_find(&f.net, "a.weight");
    bool once[COUNT], again[COUNT], other[COUNT];
    assert_int_equal(find_sample(&f, tensor, TAKEN, 1, once), TAKEN);
    assert_int_equal(find_sample(&f, tensor, TAKEN, 1, again), TAKEN);
    assert_int_equal(find_sample(&f, tensor, TAKEN, 2, other), TAKEN);
    assert_memory_equal(once, again, sizeof once);
    assert_memory_not_equal(once, other, sizeof once);
    for (size_t k = 0; k < COUNT; k++) {
        int larger = 0;
        for (size_t j = 0; j < COUNT; j++)
            larger += fabs(f.claimed[tensor][j]) > fabs(f.claimed[tensor][k]);
        if (larger < TAKEN / 2) assert_true(once[k] && other[k]);
    }
    close(&f);
}

/* Threads change no bit of a row. */
static void test_threads(void **state) {
    (void)state;
    fixture f;
    open(&f, tanh_chain);
    sn_gradcheck_row first[MOST_TENSORS];
    run_all(&f);
    memcpy(first, f.rows, sizeof first);
    sn_engine_options options = {.keeps_gradients = true, .threads = 3};
    test_net three;
    net_open(&three, tanh_chain, &f.data, SN_F64, &options);
    net_copy_weights(&three, &f.net);
    test_net one = f.net;
    f.net = three;
    run_all(&f);
    for (size_t i = 0; i < f.n; i++) {
        assert_memory_equal(&first[i].worst, &f.rows[i].worst, sizeof first[i].worst);
        assert_int_equal(first[i].worst_at, f.rows[i].worst_at);
        assert_int_equal(first[i].agreeing, f.rows[i].agreeing);
    }
    net_close(&one);
    close(&f);
}

/* A step that stops at the loss has the loss of a whole one, and leaves the gradients of the last whole one. */
static void test_only_loss(void **state) {
    (void)state;
    fixture f;
    open(&f, tanh_chain);
    sn_step step = {.batch = {&f.data, &f.data.train, f.net.indices, 7}};
    sn_step_result whole, only;
    assert_int_equal(sn_engine_step(f.net.engine, &step, &whole), SN_OK);
    claim_own(&f);
    step.only_loss = true;
    assert_int_equal(sn_engine_step(f.net.engine, &step, &only), SN_OK);
    assert_memory_equal(&whole.loss, &only.loss, sizeof whole.loss);
    for (size_t i = 0; i < f.n; i++) {
        assert_memory_equal(sn_engine_gradient(f.net.engine, i), f.claimed[i], net_count(&f.net, i) * sizeof(double));
    }
    set_values(&f, "c.bias", HUGE_VAL, 1);
    assert_int_equal(sn_engine_step(f.net.engine, &step, &only), SN_DIVERGED);
    sn_gradcheck_request request = request_of(&f, 0);
    sn_error_clear(&error);
    assert_int_equal(sn_gradcheck_open(&f.check, &request, &f.net.graph, &error), SN_DIVERGED);
    assert_string_equal(error.text, "no gradient to check: the activation (output) of c is not finite");
    close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_gradients_pass),
        cmocka_unit_test(test_wrong_gradients_fail),
        cmocka_unit_test(test_just_outside_the_limit),
        cmocka_unit_test(test_wrong_op_fails),
        cmocka_unit_test(test_kinks_are_reported),
        cmocka_unit_test(test_relu_networks),
        cmocka_unit_test(test_below_resolution),
        cmocka_unit_test(test_exact_zeros),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_only_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
