/* What a probe does beside looking: a cotangent put in, nodes that hand an input on, evaluations, and Hessian-vector
 * products, each against a network or a formula that has the same by itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/probe.h"
#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { SAMPLES = 19, IN = 4, WIDTH = 6, OUT = 3 };

static sn_dataset classes, targets;

static int make_data(void **state) {
    (void)state;
    classes = toy_classes(SAMPLES, IN, OUT, 6);
    targets = toy_targets(SAMPLES, IN, OUT, 6);
    return 0;
}

static int drop_data(void **state) {
    (void)state;
    sn_dataset_reset(&classes);
    sn_dataset_reset(&targets);
    return 0;
}

static double *doubles(size_t n) {
    double *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static double *normals(size_t n, uint64_t seed) {
    double *x = doubles(n);
    sn_rng rng = sn_rng_stream(seed, "test", "normals", 0);
    for (size_t i = 0; i < n; i++)
        x[i] = sn_rng_normal(rng, i);
    return x;
}

/* A network with random weights, and its probe after a run. */
typedef struct subject {
    test_net net;
    sn_probe *probe;
} subject;

static void open_subject(subject *s, const char *network, const sn_dataset *data) {
    net_open(&s->net, network, data, SN_F64, NULL);
    net_randomize(&s->net, 3);
    s->probe = net_probe(&s->net);
    net_run(&s->net, s->probe, 0, SAMPLES);
}

static void close_subject(subject *s) {
    sn_probe_free(s->probe);
    net_close(&s->net);
}

static double *gradient_of(const subject *s, const char *label) {
    int node = sn_graph_find(&s->net.graph, label);
    assert_true(node >= 0);
    double *gradient = doubles(sn_probe_size(s->probe, node));
    sn_probe_gradient(s->probe, node, gradient);
    return gradient;
}

static double *weight_gradient(const subject *s, const char *name) {
    size_t i = net_find(&s->net, name);
    double *gradient = doubles(net_count(&s->net, i));
    sn_probe_weight_gradient(s->probe, i, gradient);
    return gradient;
}

/* All gradients of two probes of one network are the same bits. */
static void expect_same(const subject *a, const subject *b) {
    for (int i = 0; i < a->net.graph.n_nodes; i++) {
        const char *label = a->net.graph.nodes[i].label;
        double *x = gradient_of(a, label), *y = gradient_of(b, label);
        assert_memory_equal(x, y, sn_probe_size(a->probe, i) * sizeof *x);
        free(x);
        free(y);
    }
    for (size_t i = 0; i < sn_engine_tensor_count(a->net.engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(a->net.engine, i, &tensor);
        double *x = weight_gradient(a, tensor.name), *y = weight_gradient(b, tensor.name);
        assert_memory_equal(x, y, net_count(&a->net, i) * sizeof *x);
        free(x);
        free(y);
    }
}

static const char residual[] =
    "{\"layers\": [{\"op\": \"linear\", \"units\": 6, \"label\": \"a\"}, {\"op\": \"batch_norm\", \"label\": \"n\"},"
    "{\"op\": \"tanh\", \"label\": \"t\"}, {\"op\": \"linear\", \"units\": 6, \"label\": \"b\"},"
    "{\"op\": \"dropout\", \"rate\": 0.3, \"label\": \"d\"},"
    "{\"op\": \"add\", \"label\": \"s\", \"inputs\": [\"a\", \"d\"]}, {\"op\": \"batch_norm\", \"label\": \"m\"},"
    "{\"op\": \"linear\", \"units\": 3, \"label\": \"out\"}]}";

/* The gradient of the loss, put in at the last node, walks as the loss's own did. */
static void test_backward_from_the_end(void **state) {
    (void)state;
    subject s, other;
    open_subject(&s, residual, &classes);
    open_subject(&other, residual, &classes);
    int last = s.net.graph.n_nodes - 1;
    double *gradient = gradient_of(&s, "out"), *cotangent = normals(sn_probe_size(s.probe, last), 1);
    sn_probe_backward_from(s.probe, last, cotangent);
    double *first = gradient_of(&s, "input"), *expected = gradient_of(&other, "input");
    assert_true(distance_of(first, expected, sn_probe_size(s.probe, 0)) > 0.1);
    sn_probe_backward_from(s.probe, last, gradient);
    expect_same(&s, &other);
    assert_true(norm_of(expected, sn_probe_size(s.probe, 0)) > 1e-3);
    free(first);
    free(expected);
    free(gradient);
    free(cotangent);
    close_subject(&s);
    close_subject(&other);
}

/* From the middle: nothing behind the node or beside it has a gradient, all before it has. */
static void test_backward_from_the_middle(void **state) {
    (void)state;
    subject s;
    open_subject(&s, residual, &classes);
    int node = sn_graph_find(&s.net.graph, "t");
    double *u = normals(sn_probe_size(s.probe, node), 1);
    double *before = weight_gradient(&s, "a.weight");
    sn_probe_backward_from(s.probe, node, u);
    double *after = weight_gradient(&s, "a.weight");
    assert_true(distance_of(before, after, IN * WIDTH) > 0.1);
    free(before);
    free(after);
    static const char *const labels[] = {"input", "a", "n", "b", "d", "s", "m", "out"};
    for (size_t k = 0; k < sizeof labels / sizeof *labels; k++) {
        double *x = gradient_of(&s, labels[k]);
        double norm = norm_of(x, sn_probe_size(s.probe, sn_graph_find(&s.net.graph, labels[k])));
        assert_true(k < 3 ? norm > 1e-2 : norm == 0);
        free(x);
    }
    static const char *const names[] = {"a.weight", "n.weight", "n.bias", "b.weight", "b.bias", "m.weight", "out.bias"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        double *x = weight_gradient(&s, names[k]), norm = norm_of(x, net_count(&s.net, net_find(&s.net, names[k])));
        assert_true(k < 3 ? norm > 1e-2 : norm == 0);
        free(x);
    }
    double *y = gradient_of(&s, "t");
    assert_memory_equal(u, y, sn_probe_size(s.probe, node) * sizeof *u);
    free(y);
    free(u);
    close_subject(&s);
}

/* ---- passing ---- */

#define HEAD    "{\"layers\": [{\"op\": \"linear\", \"units\": 6, \"label\": \"a\"},"
#define TAIL    "{\"op\": \"batch_norm\", \"label\": \"m\"}, {\"op\": \"linear\", \"units\": 3, \"label\": \"out\"}]}"
#define BRANCH  "{\"op\": \"tanh\", \"label\": \"t\"}, {\"op\": \"linear\", \"units\": 6, \"label\": \"b\"},"
#define GATE    "{\"op\": \"sigmoid\", \"label\": \"g\"},"
#define NORM    "{\"op\": \"batch_norm\", \"label\": \"n\"},"
#define SQUARE  "{\"op\": \"linear\", \"units\": 6, \"label\": \"q\"},"
#define ADD     "{\"op\": \"add\", \"factors\": [2, -1], \"label\": \"s\", \"inputs\": [\"a\", \"b\"]},"
#define TWICE   "{\"op\": \"add\", \"label\": \"s\", \"inputs\": [\"b\", \"b\", \"a\"]},"
#define HIGHWAY "{\"op\": \"gate\", \"label\": \"s\", \"inputs\": [\"g\", \"b\", \"a\"]},"

typedef struct passing {
    const char *network, *label;
    int k;
    const char *equal; /* the network that is left */
} passing;

static const passing passings[] = {
    {HEAD BRANCH ADD TAIL, "s", 0, HEAD TAIL},
    {HEAD BRANCH ADD TAIL, "s", 1, HEAD BRANCH TAIL},
    {HEAD BRANCH TWICE TAIL, "s", 0, HEAD BRANCH TAIL},
    {HEAD BRANCH TWICE TAIL, "s", 1, HEAD BRANCH TAIL},
    {HEAD BRANCH TWICE TAIL, "s", 2, HEAD TAIL},
    {HEAD BRANCH GATE HIGHWAY TAIL, "s", 2, HEAD TAIL},
    {HEAD BRANCH GATE HIGHWAY TAIL, "s", 1, HEAD BRANCH TAIL},
    {HEAD BRANCH GATE HIGHWAY TAIL, "s", 0, HEAD BRANCH GATE TAIL},
    {HEAD NORM BRANCH TAIL, "n", 0, HEAD BRANCH TAIL},
    {HEAD NORM TAIL, "n", 0, HEAD TAIL},
    {HEAD NORM SQUARE TAIL, "q", 0, HEAD NORM TAIL},
    {HEAD SQUARE BRANCH ADD TAIL, "q", 0, HEAD BRANCH ADD TAIL},
    {HEAD "{\"op\": \"dropout\", \"rate\": 0.5, \"label\": \"d\"}," TAIL, "d", 0, HEAD TAIL},
};

/* The weights that the smaller network has too. */
static void share_weights(subject *to, const subject *from) {
    for (size_t i = 0; i < sn_engine_tensor_count(to->net.engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(to->net.engine, i, &tensor);
        double *values = net_values(&from->net, net_find(&from->net, tensor.name));
        sn_engine_set_tensor(sn_probe_engine(to->probe), i, values);
        free(values);
    }
}

static void expect_equal(const double *x, const double *y, size_t n, const passing *p, const char *what) {
    if (!(distance_of(x, y, n) <= 1e-13)) fail_msg("%s passes %d of %s: %s differs", p->label, p->k, p->network, what);
    assert_true(norm_of(x, n) > 1e-9);
}

/* Weights of `passed` are those of `left`, or have no gradient. */
static void expect_weights(const subject *passed, const subject *left, const passing *p) {
    for (size_t i = 0; i < sn_engine_tensor_count(passed->net.engine); i++) {
        sn_tensor tensor, other = {0};
        bool is_left = false;
        sn_engine_tensor(passed->net.engine, i, &tensor);
        for (size_t j = 0; j < sn_engine_tensor_count(left->net.engine) && !is_left; j++) {
            sn_engine_tensor(left->net.engine, j, &other);
            is_left = strcmp(tensor.name, other.name) == 0;
        }
        size_t n = net_count(&passed->net, i);
        double *x = weight_gradient(passed, tensor.name);
        if (!is_left) assert_true(norm_of(x, n) == 0);
        if (is_left && !net_is_cancelled(&left->net, net_find(&left->net, tensor.name))) {
            double *y = weight_gradient(left, tensor.name);
            expect_equal(x, y, n, p, tensor.name);
            free(y);
        }
        free(x);
    }
}

static void check_passing(const passing *p) {
    subject passed, left;
    open_subject(&passed, p->network, &classes);
    open_subject(&left, p->equal, &classes);
    subject whole;
    open_subject(&whole, p->network, &classes);
    sn_error error;
    int node = sn_graph_find(&passed.net.graph, p->label);
    assert_int_equal(sn_probe_pass_input(passed.probe, node, p->k, &error), SN_OK);
    share_weights(&left, &passed);
    double before = net_run(&whole.net, whole.probe, 0, SAMPLES).loss;
    double loss = net_run(&passed.net, passed.probe, 0, SAMPLES).loss;
    assert_true(loss == net_run(&left.net, left.probe, 0, SAMPLES).loss && loss != before);
    double *x = gradient_of(&passed, "input"), *y = gradient_of(&left, "input");
    expect_equal(x, y, sn_probe_size(left.probe, 0), p, "the gradient by the input");
    expect_weights(&passed, &left, p);
    assert_int_equal(sn_probe_pass_input(passed.probe, node, -1, &error), SN_OK);
    net_run(&passed.net, passed.probe, 0, SAMPLES);
    expect_same(&passed, &whole);
    free(x);
    free(y);
    close_subject(&passed);
    close_subject(&left);
    close_subject(&whole);
}

static void test_passing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof passings / sizeof *passings; i++)
        check_passing(&passings[i]);
}

/* Pull and push of a node that hands an input on. */
static void test_products_of_passed(void **state) {
    (void)state;
    subject s;
    open_subject(&s, residual, &classes);
    sn_error error;
    int node = sn_graph_find(&s.net.graph, "s");
    size_t n = sn_probe_size(s.probe, node);
    double *u = normals(n, 1), *v = normals(n, 2), *ty = doubles(n), *dx[2] = {normals(n, 3), normals(n, 4)};
    assert_int_equal(sn_probe_pass_input(s.probe, node, 1, &error), SN_OK);
    sn_probe_pull(s.probe, node, u, dx);
    assert_true(norm_of(dx[0], n) == 0);
    assert_memory_equal(dx[1], u, n * sizeof *u);
    sn_probe_push(s.probe, node, (const double *const[]){u, v}, ty);
    assert_memory_equal(ty, v, n * sizeof *v);
    sn_probe_push(s.probe, node, (const double *const[]){u, NULL}, ty);
    assert_true(norm_of(ty, n) == 0);
    free(u);
    free(v);
    free(ty);
    free(dx[0]);
    free(dx[1]);
    close_subject(&s);
}

static void test_refusals(void **state) {
    (void)state;
    subject s;
    open_subject(&s, residual, &classes);
    sn_error error;
    sn_error_clear(&error);
    int out = sn_graph_find(&s.net.graph, "out"), add = sn_graph_find(&s.net.graph, "s");
    assert_int_equal(sn_probe_pass_input(s.probe, out, 0, &error), SN_INVALID);
    assert_string_equal(error.text,
                        "out (3) cannot pass on \"m\" (6): an input that is passed on has to have the node's shape");
    sn_error_clear(&error);
    assert_int_equal(sn_probe_pass_input(s.probe, add, 2, &error), SN_INVALID);
    assert_string_equal(error.text, "s has no input 2 to pass on (it has 2, counted from 0)");
    double before = net_run(&s.net, s.probe, 0, SAMPLES).loss;
    subject other;
    open_subject(&other, residual, &classes);
    assert_true(before == net_run(&other.net, other.probe, 0, SAMPLES).loss);
    close_subject(&other);
    close_subject(&s);
}

/* After an evaluation there are values, of running averages and without dropout, and no Jacobians. */
static void test_evaluation(void **state) {
    (void)state;
    subject s;
    open_subject(&s, residual, &classes);
    net_step(&s.net, 0.1, NULL); /* moves the averages */
    sn_error error;
    sn_step_result result;
    sn_batch batch = {&classes, &classes.train, s.net.indices, SAMPLES};
    assert_int_equal(sn_probe_take_weights(s.probe, s.net.engine, &error), SN_OK);
    assert_true(sn_engine_weights_hash(sn_probe_engine(s.probe)) == sn_engine_weights_hash(s.net.engine));
    sn_probe_evaluate(s.probe, &batch, &result);
    assert_true(fabs(result.loss - net_loss(&s.net)) < 1e-13);
    int last = s.net.graph.n_nodes - 1;
    size_t n = sn_probe_size(s.probe, last);
    double *u = normals(n, 1), *gradient = gradient_of(&s, "a"), *ty = doubles(n);
    size_t m = sn_probe_size(s.probe, last - 1);
    double *v = normals(m, 2), *dx[1] = {doubles(m)};
    sn_probe_backward_from(s.probe, last, u);
    sn_probe_pull(s.probe, last, u, dx);
    sn_probe_push(s.probe, last, (const double *const[]){v}, ty);
    assert_true(isnan(gradient[0]) && isnan(dx[0][0]) && isnan(ty[0]));
    free(u);
    free(v);
    free(dx[0]);
    free(ty);
    free(gradient);
    close_subject(&s);
}

/* A weight that is not finite is told as an engine tells it. */
static void test_fault(void **state) {
    (void)state;
    subject s;
    open_subject(&s, residual, &classes);
    sn_step_result result;
    sn_batch batch = {&classes, &classes.train, s.net.indices, SAMPLES};
    size_t i = net_find(&s.net, "b.bias");
    sn_engine_set_tensor(sn_probe_engine(s.probe), i, (const double[WIDTH]){HUGE_VAL});
    assert_int_equal(sn_probe_run(s.probe, &batch, 0, &result), SN_DIVERGED);
    assert_true(result.fault.kind == SN_FAULT_ACTIVATION && result.fault.node == sn_graph_find(&s.net.graph, "b"));
    close_subject(&s);
}

/* ---- the Hessian ---- */

static double *hessian_product(const subject *s, const double *direction, double *deviation) {
    static sn_error error;
    double *product = doubles(s->net.graph.n_params);
    if (sn_probe_hessian_product(s->probe, direction, product, deviation, &error)) fail_msg("%s", error.text);
    return product;
}

/* One linear layer and squared error: d2 loss / dW_ij dW_ik = 2 / (n out) sum over the samples of x_j x_k, with x = 1
 * for the bias; weights first, then biases. */
static double quadratic(const double *direction, size_t i, size_t j) {
    double sum = 0;
    for (size_t r = 0; r < SAMPLES; r++) {
        const double *x = targets.train.values + r * IN;
        double along = direction[OUT * IN + i];
        for (size_t k = 0; k < IN; k++)
            along += x[k] * direction[i * IN + k];
        sum += 2.0 / (SAMPLES * OUT) * along * (j < IN ? x[j] : 1);
    }
    return sum;
}

static void test_quadratic(void **state) {
    (void)state;
    subject s;
    open_subject(&s, "{\"layers\": [{\"op\": \"linear\", \"units\": 3}]}", &targets);
    enum { N = OUT * (IN + 1) };
    double *direction = normals(N, 1), expected[N], deviation;
    double *product = hessian_product(&s, direction, &deviation);
    for (size_t i = 0; i < OUT; i++) {
        for (size_t j = 0; j < IN; j++)
            expected[i * IN + j] = quadratic(direction, i, j);
        expected[OUT * IN + i] = quadratic(direction, i, IN);
    }
    double norm = norm_of(expected, N), distance = distance_of(product, expected, N);
    print_message("quadratic: %.2g, told %.2g\n", distance, deviation / norm);
    assert_true(norm > 0.1 && distance <= 1e-11 && deviation <= 1e-11 * norm);
    free(direction);
    free(product);
    close_subject(&s);
}

/* The Hessian by itself: second differences of a training engine's gradients, weight by weight. */
static void add_column(test_net *net, size_t tensor, size_t k, double shift, double factor, double *column) {
    double *values = net_values(net, tensor), kept = values[k];
    values[k] = kept + shift;
    sn_engine_set_tensor(net->engine, tensor, values);
    net_measure(net, NULL);
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        double *gradient = net_gradient(net, i);
        for (size_t e = 0; e < net_count(net, i); e++)
            *column++ += factor * gradient[e];
        free(gradient);
    }
    values[k] = kept;
    sn_engine_set_tensor(net->engine, tensor, values);
    free(values);
}

static double *full_product(test_net *net, const double *direction) {
    static const double h = 1e-3;
    double *sum = doubles(net->graph.n_params);
    for (size_t i = 0, at = 0; i < sn_engine_tensor_count(net->engine); i++) {
        for (size_t k = 0; k < net_count(net, i); k++, at++) {
            add_column(net, i, k, h, 8 * direction[at] / (12 * h), sum);
            add_column(net, i, k, -h, -8 * direction[at] / (12 * h), sum);
            add_column(net, i, k, 2 * h, -direction[at] / (12 * h), sum);
            add_column(net, i, k, -2 * h, direction[at] / (12 * h), sum);
        }
    }
    return sum;
}

static void test_hessian(void **state) {
    (void)state;
    subject s;
    open_subject(&s, residual, &classes);
    uint64_t before = sn_engine_weights_hash(sn_probe_engine(s.probe));
    size_t n = s.net.graph.n_params;
    double *a = normals(n, 1), *b = normals(n, 2), told_a, told_b;
    double *product = hessian_product(&s, a, &told_a), *other = hessian_product(&s, b, &told_b);
    double *expected = full_product(&s.net, a), norm = norm_of(expected, n), error = 0;
    for (size_t i = 0; i < n; i++)
        error += (product[i] - expected[i]) * (product[i] - expected[i]);
    print_message("|Hv| %.3g: %.2g off, told %.2g\n", norm, sqrt(error), told_a);
    assert_true(norm > 0.1 && sqrt(error) <= 1e-8 * norm && sqrt(error) <= told_a + 1e-8 * norm);
    assert_true(told_a < 1e-4 * norm && told_a > 0);
    double size = norm_of(a, n) * norm_of(other, n);
    assert_true(fabs(dot(a, other, n) - dot(b, product, n)) <= 1e-8 * size);
    assert_true(sn_engine_weights_hash(sn_probe_engine(s.probe)) == before);
    double *none = doubles(n), *nothing = hessian_product(&s, none, &told_a);
    assert_true(norm_of(nothing, n) == 0 && told_a == 0);
    free(a);
    free(b);
    free(product);
    free(other);
    free(expected);
    free(none);
    free(nothing);
    close_subject(&s);
}

/* A kink on the way, between the two distances, makes the deviation large: the inputs of all relus are their biases,
 * and the first of these is moved. */
static void test_kink(void **state) {
    (void)state;
    static const double none[IN * WIDTH], biases[WIDTH] = {0.0015, 1, 1, 1, 1, 1};
    subject s;
    open_subject(&s,
                 "{\"layers\": [{\"op\": \"linear\", \"units\": 6, \"label\": \"a\"}, {\"op\": \"relu\"}, "
                 "{\"op\": \"linear\", \"units\": 3}]}",
                 &classes);
    sn_engine_set_tensor(sn_probe_engine(s.probe), net_find(&s.net, "a.weight"), none);
    sn_engine_set_tensor(sn_probe_engine(s.probe), net_find(&s.net, "a.bias"), biases);
    size_t n = s.net.graph.n_params;
    double *v = doubles(n), deviation;
    v[IN * WIDTH] = 1;
    double *product = hessian_product(&s, v, &deviation);
    assert_true(deviation > 0.1 * norm_of(product, n) && norm_of(product, n) > 1e-3);
    free(v);
    free(product);
    close_subject(&s);
}

static void test_float_is_refused(void **state) {
    (void)state;
    double v[OUT * (IN + 1)] = {1}, product[OUT * (IN + 1)], deviation;
    test_net net;
    net_open(&net, "{\"layers\": [{\"op\": \"linear\", \"units\": 3}]}", &targets, SN_F32, NULL);
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, SAMPLES);
    sn_error error;
    sn_error_clear(&error);
    assert_int_equal(sn_probe_hessian_product(probe, v, product, &deviation, &error), SN_INVALID);
    assert_string_equal(error.text, "Hessian-vector products need float64: differences of float32 gradients are noise "
                                    "(set \"precision\": \"float64\")");
    sn_probe_free(probe);
    net_close(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backward_from_the_end),
        cmocka_unit_test(test_backward_from_the_middle),
        cmocka_unit_test(test_passing),
        cmocka_unit_test(test_products_of_passed),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_quadratic),
        cmocka_unit_test(test_hessian),
        cmocka_unit_test(test_kink),
        cmocka_unit_test(test_float_is_refused),
    };
    return cmocka_run_group_tests(tests, make_data, drop_data);
}
