/* What has to hold exactly: bits that depend neither on threads nor on observation, and identities of the theory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/init.h"
#include "support/check.h"
#include "support/net.h"
#include "support/rules.h"
#include "support/toy.h"

/* 230 samples in batches of 100: panels of 16, the last one short, and a last batch of 30. */
enum { SAMPLES = 230, BATCH = 100, IN = 300, OUT = 10, STEPS = 6 };

typedef struct run_case {
    const char *name, *network;
    double clip_norm;
    const char *optimizer; /* NULL: plain gradient descent */
} run_case;

/* 72 and 300 are cut into two pieces each, so a weight tensor has several work items. */
static const run_case cases[] = {
    {"plain", "{\"depth\": 4, \"width\": 72}", 0, NULL},
    {"add", "{\"depth\": 5, \"width\": 72, \"skip\": \"add\", \"activation\": \"gelu\"}", 0, NULL},
    {"concat", "{\"depth\": 5, \"width\": 40, \"skip\": \"concat\", \"activation\": \"relu\"}", 0, NULL},
    {"layer_norm", "{\"depth\": 4, \"width\": 72, \"norm\": \"layer\", \"skip\": \"add\"}", 0, NULL},
    {"rms_norm", "{\"depth\": 4, \"width\": 72, \"norm\": \"rms\", \"skip\": \"add\"}", 0, NULL},
    {"learned scale",
     "{\"depth\": 4, \"width\": 72, \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0.3}}}", 0, NULL},
    {"clip_norm", "{\"depth\": 3, \"width\": 72}", 0.05, NULL},
    {"momentum", "{\"depth\": 3, \"width\": 72}", 0, "{\"momentum\": 0.9}"},
    {"batch_norm", "{\"depth\": 4, \"width\": 72, \"norm\": \"batch\", \"skip\": \"add\"}", 0, "{\"momentum\": 0.5}"},
    {"highway", "{\"depth\": 5, \"width\": 40, \"skip\": {\"kind\": \"highway\", \"layers_per_block\": 2}}", 0, NULL},
    {"batch_norm in a dense network", "{\"depth\": 5, \"width\": 24, \"norm\": \"batch\", \"skip\": \"concat\"}", 0.1,
     "{\"weight_decay\": 1e-3}"},
    {"dropout",
     "{\"layers\": [{\"op\": \"dropout\", \"rate\": 0.2}, {\"op\": \"linear\", \"units\": 72}, {\"op\": "
     "\"batch_norm\"}, "
     "{\"op\": \"tanh\"}, {\"op\": \"dropout\"}, {\"op\": \"linear\", \"units\": 10}]}",
     0, NULL},
    {"everything", "{\"depth\": 4, \"width\": 72, \"norm\": \"layer\", \"skip\": \"concat\"}", 0.1,
     "{\"momentum\": 0.9, \"weight_decay\": 1e-3, \"nesterov\": true}"},
    {"adam", "{\"depth\": 3, \"width\": 72}", 0.1,
     "{\"kind\": \"adam\", \"amsgrad\": true, \"weight_decay\": 1e-3, \"decays\": \"all\"}"},
    {"lion", "{\"depth\": 3, \"width\": 72}", 0, "\"lion\""},
};
enum { N_CASES = sizeof cases / sizeof *cases };

typedef enum manner { BARE, OBSERVED, MEASURED } manner;

/* What a run left: its weights, and the last observation where there was one. */
typedef struct run {
    test_net net;
    sn_observation seen;
    double losses[STEPS];
} run;

static void start_run(run *r, const run_case *c, const char *network, const sn_dataset *data, sn_dtype dtype,
                      int threads) {
    static sn_error error;
    sn_engine_options options = {
        .batch = BATCH, .threads = threads, .rule = rule_of(c->optimizer), .clip_norm = c->clip_norm};
    net_open(&r->net, network, data, dtype, &options);
    assert_int_equal(sn_engine_init_weights(r->net.engine, 7, &error), SN_OK);
    assert_int_equal(sn_observation_new(&r->seen, &r->net.graph, &error), SN_OK);
}

static void steps_of(run *r, manner how) {
    static const size_t begins[3] = {0, 100, 200}, rows[3] = {100, 100, 30};
    for (int step = 0; step < STEPS; step++) {
        if (how == MEASURED) net_measure(&r->net, step % 2 ? &r->seen : NULL);
        if (how == MEASURED && step == 3) net_loss(&r->net);
        r->losses[step] =
            net_step_at(&r->net, begins[step % 3], rows[step % 3], 0.1, how == OBSERVED ? &r->seen : NULL).loss;
    }
}

static void end_run(run *r) {
    sn_observation_reset(&r->seen);
    net_close(&r->net);
}

static bool same_squares(sn_sumsq a, sn_sumsq b) {
    return a.sum == b.sum && a.exponent == b.exponent;
}

static bool same_signal(const sn_signal_sums *a, const sn_signal_sums *b) {
    return a->n == b->n && a->sum == b->sum && same_squares(a->squares, b->squares);
}

static bool same_sums(const sn_tensor_sums *a, const sn_tensor_sums *b) {
    return a->n == b->n && a->sum_abs == b->sum_abs && a->max_abs == b->max_abs &&
           same_squares(a->squares, b->squares) && a->zeros == b->zeros && a->denormals == b->denormals;
}

static bool same_change(const sn_change_sums *a, const sn_change_sums *b) {
    return a->n == b->n && same_squares(a->change, b->change) && a->sum_abs_change == b->sum_abs_change &&
           a->sum_abs_intended == b->sum_abs_intended && a->unchanged == b->unchanged && a->intended == b->intended &&
           a->stalled == b->stalled;
}

static void check_same_observation(const sn_observation *a, const sn_observation *b) {
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_true(a->rows == b->rows && same_squares(a->gradient, b->gradient) && same_change(&a->change, &b->change));
    for (int k = 0; k < a->n_nodes; k++) {
        const sn_node_sums *x = &a->nodes[k], *y = &b->nodes[k];
        assert_true(x->gradient.n > 0 && x->change.n > 0 && x->output.n > 0 && x->carried.n > 0);
        assert_true(same_sums(&x->gradient, &y->gradient) && same_squares(x->weight, y->weight));
        assert_true(same_sums(&x->bias_gradient, &y->bias_gradient) && same_change(&x->change, &y->change));
        assert_true(same_signal(&x->output, &y->output) && same_signal(&x->delta, &y->delta));
        assert_true(same_signal(&x->carried, &y->carried) && same_signal(&x->input, &y->input));
        assert_true(x->saturated == y->saturated);
        assert_true(x->units.n == y->units.n && x->units.silent == y->units.silent);
    }
}

static void check_same_run(const run *a, const run *b, const char *name) {
    if (sn_engine_weights_hash(a->net.engine) != sn_engine_weights_hash(b->net.engine)) fail_msg("%s: weights", name);
    assert_memory_equal(a->losses, b->losses, sizeof a->losses);
}

/* 1, 1 again, 2, 3 and 8 threads: the same weights, losses and statistics; the run has to have moved the weights. */
static void check_threads(const run_case *c, const sn_dataset *data, sn_dtype dtype) {
    static const int threads[] = {1, 2, 3, 8};
    run first, other;
    start_run(&first, c, c->network, data, dtype, 1);
    uint64_t before = sn_engine_weights_hash(first.net.engine);
    steps_of(&first, OBSERVED);
    assert_true(sn_engine_weights_hash(first.net.engine) != before);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        start_run(&other, c, c->network, data, dtype, threads[i]);
        assert_true(sn_engine_weights_hash(other.net.engine) == before);
        steps_of(&other, OBSERVED);
        check_same_run(&first, &other, c->name);
        check_same_observation(&first.seen, &other.seen);
        end_run(&other);
    }
    end_run(&first);
}

static void test_threads(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        check_threads(&cases[i], *state, SN_F32);
        check_threads(&cases[i], *state, SN_F64);
    }
}

/* Neither observing nor measuring without an update changes anything. */
static void test_observation(void **state) {
    for (int i = 0; i < 2 * N_CASES; i++) {
        run bare, other;
        sn_dtype dtype = i % 2 ? SN_F64 : SN_F32;
        start_run(&bare, &cases[i / 2], cases[i / 2].network, *state, dtype, 2);
        steps_of(&bare, BARE);
        for (manner how = OBSERVED; how <= MEASURED; how++) {
            start_run(&other, &cases[i / 2], cases[i / 2].network, *state, dtype, 2);
            steps_of(&other, how);
            check_same_run(&bare, &other, cases[i / 2].name);
            end_run(&other);
        }
        end_run(&bare);
    }
}

static const run_case list_case = {
    "an explicit list",
    "{\"layers\": [{\"op\": \"linear\", \"units\": 40, \"label\": \"a\"}, {\"repeat\": 3, \"layers\": [{\"op\": "
    "\"tanh\"}, "
    "{\"op\": \"linear\", \"units\": 40, \"label\": \"b\", \"init\": {\"kind\": \"normal\", \"std\": 0.1}}]}, "
    "{\"op\": \"add\", \"inputs\": [\"a\", \"b.1\", \"b.3\"], \"factors\": [1, 0.1, 0.7]}, "
    "{\"op\": \"leaky_relu\", \"slope\": 0.3}, {\"op\": \"linear\", \"units\": 10}]}",
    0, NULL};

/* The written list trains to the same bits. */
static void test_expansion(void **state) {
    for (int i = 0; i <= N_CASES; i++) {
        run a, b;
        const run_case *c = i < N_CASES ? &cases[i] : &list_case;
        sn_text text = SN_TEXT_EMPTY;
        start_run(&a, c, c->network, *state, SN_F32, 1);
        sn_graph_expand(&a.net.graph, &text);
        start_run(&b, c, sn_text_string(&text), *state, SN_F32, 1);
        steps_of(&a, BARE);
        steps_of(&b, BARE);
        check_same_run(&a, &b, c->name);
        assert_null(b.net.graph.expansion);
        sn_text_free(&text);
        end_run(&a);
        end_run(&b);
    }
}

/* Weights of equal name and shape start equal in the twins; doubles are rounded to floats.  (Biases of the init pytorch
 * depend on the shape of their weights too.) */
static int count_equal_weights(const test_net *a, const test_net *b) {
    int n = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(a->engine); i++) {
        for (size_t j = 0; j < sn_engine_tensor_count(b->engine); j++) {
            sn_tensor x, y;
            sn_engine_tensor(a->engine, i, &x);
            sn_engine_tensor(b->engine, j, &y);
            if (strcmp(x.name, y.name) != 0 || x.rank != 2 || memcmp(x.shape, y.shape, sizeof x.shape) != 0) continue;
            double *p = net_values(a, i), *q = net_values(b, j);
            for (size_t k = 0; k < net_count(a, i); k++)
                assert_true((float)p[k] == (float)q[k]);
            assert_true(norm_of(p, net_count(a, i)) > 0);
            free(p);
            free(q);
            n++;
        }
    }
    return n;
}

static void test_twins(void **state) {
    static const char *const networks[] = {
        "{\"depth\": 6, \"width\": 40}",
        "{\"depth\": 6, \"width\": 40, \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0.5}}}",
        "{\"depth\": 6, \"width\": 40, \"skip\": {\"kind\": \"concat\", \"growth\": 40}}",
    };
    static const sn_dtype dtypes[] = {SN_F64, SN_F32, SN_F64};
    test_net nets[3];
    sn_error error;
    for (int i = 0; i < 3; i++) {
        net_open(&nets[i], networks[i], *state, dtypes[i], NULL);
        assert_int_equal(sn_engine_init_weights(nets[i].engine, 3, &error), SN_OK);
    }
    assert_int_equal(count_equal_weights(&nets[0], &nets[1]), 7);
    assert_int_equal(count_equal_weights(&nets[0], &nets[2]), 2); /* hidden1, hidden2: the others read more */
    for (int i = 0; i < 3; i++)
        net_close(&nets[i]);
}

/* Where the branch is cut off, the gradient passes unchanged, or by factors of 1/2, exactly; the branch gets none. */
static void check_shortcut(const char *shortcut, double factor, const sn_dataset *data, sn_dtype dtype) {
    char network[256];
    snprintf(network, sizeof network,
             "{\"depth\": 51, \"width\": 24, \"activation\": \"identity\", \"skip\": {\"kind\": \"add\", "
             "\"branch_scale\": 0, \"shortcut_scale\": %s}}",
             shortcut);
    run r;
    start_run(&r, &cases[0], network, data, dtype, 2);
    net_measure(&r.net, &r.seen);
    assert_int_equal(r.seen.n_nodes, 52);
    const sn_node_sums *last = &r.seen.nodes[50];
    assert_true(last->carried.squares.sum > 0 && last->carried.squares.exponent == 0);
    for (int k = 0; k < 51; k++) {
        const sn_node_sums *node = &r.seen.nodes[k];
        double power = pow(factor, k == 0 ? 50 : 50 - k);
        assert_true(sn_sumsq_norm(node->carried.squares) == power * sn_sumsq_norm(last->carried.squares));
        if (k > 0) assert_true(node->gradient.squares.sum == 0 && node->gradient.zeros == node->gradient.n);
    }
    assert_true(r.seen.nodes[0].gradient.squares.sum > 0);
    end_run(&r);
}

static void test_shortcut(void **state) {
    for (int i = 0; i < 2; i++) {
        check_shortcut("1", 1, *state, i ? SN_F64 : SN_F32);
        check_shortcut("0.5", 0.5, *state, i ? SN_F64 : SN_F32);
        check_shortcut("2", 2, *state, i ? SN_F64 : SN_F32);
    }
}

static double inner(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Du, Hu & Lee 2018: <W_l, dL/dW_l> is the same for all l, and a step changes |W_l|^2 - |W_(l+1)|^2 by exactly
 * lr^2 (|g_l|^2 - |g_(l+1)|^2). */
static void check_balance(const char *op, const sn_dataset *data) {
    enum { LAYERS = 6 };
    char network[512];
    snprintf(
        network, sizeof network,
        "{\"layers\": [{\"repeat\": 5, \"layers\": [{\"op\": \"linear\", \"units\": 32, \"bias\": false, \"init\": "
        "\"he_normal\"}, {\"op\": \"%s\"}]}, {\"op\": \"linear\", \"units\": 10, \"bias\": false}]}",
        op);
    sn_engine_options options = {.batch = BATCH, .keeps_gradients = true};
    sn_error error;
    test_net net;
    net_open(&net, network, data, SN_F64, &options);
    assert_int_equal(sn_engine_init_weights(net.engine, 2, &error), SN_OK);
    assert_int_equal(sn_engine_tensor_count(net.engine), LAYERS);
    double products[LAYERS], before[LAYERS], after[LAYERS], gradients[LAYERS], *old[LAYERS], lr = 0.01;
    for (size_t l = 0; l < LAYERS; l++)
        old[l] = net_values(&net, l);
    net_step(&net, lr, NULL);
    for (size_t l = 0; l < LAYERS; l++) {
        double *w = net_values(&net, l), *g = net_gradient(&net, l);
        after[l] = inner(w, w, net_count(&net, l));
        gradients[l] = inner(g, g, net_count(&net, l));
        before[l] = inner(old[l], old[l], net_count(&net, l));
        products[l] = inner(old[l], g, net_count(&net, l));
        free(w);
        free(g);
        free(old[l]);
    }
    assert_true(fabs(products[0]) > 1e-2);
    for (size_t l = 1; l < LAYERS; l++) {
        assert_true(fabs(products[l] / products[0] - 1) < 1e-12);
        double change = (after[l] - after[l - 1]) - (before[l] - before[l - 1]);
        assert_true(fabs(change - lr * lr * (gradients[l] - gradients[l - 1])) < 1e-12 * before[0]);
    }
    net_close(&net);
}

static void test_balance(void **state) {
    check_balance("relu", *state);
    check_balance("identity", *state);
}

/* The gradient by the logits sums to 0 over the classes; with all weights 0 every class has probability 1/10. */
static void test_softmax(void **state) {
    for (int i = 0; i < 2; i++) {
        test_net net;
        net_open(&net, "{\"depth\": 3, \"width\": 24, \"init\": \"zeros\"}", *state, i ? SN_F64 : SN_F32, NULL);
        sn_step_result result = net_measure(&net, NULL);
        assert_true(fabs(result.loss - log(10)) < 1e-15 * SAMPLES);
        net_randomize(&net, 5);
        net_measure(&net, NULL);
        size_t bias = net_find(&net, "output.bias");
        double *gradient = net_gradient(&net, bias), sum = 0;
        for (size_t k = 0; k < OUT; k++)
            sum += gradient[k];
        assert_true(norm_of(gradient, OUT) > 1e-3);
        assert_true(fabs(sum) < (i ? 1e-16 : 1e-8) * SAMPLES);
        free(gradient);
        net_close(&net);
    }
}

/* Two hidden units with the same weights in and out get the same gradients in a plain network, bit for bit, and
 * different ones where a skip tells them apart (Orhan & Pitkow 2018). */
static void check_symmetry(const char *network, const sn_dataset *data, bool expected) {
    test_net net;
    net_open(&net, network, data, SN_F32, NULL);
    net_randomize(&net, 5);
    size_t in = net_find(&net, "hidden2.weight"), bias = net_find(&net, "hidden2.bias");
    size_t out = net_find(&net, "hidden3.weight");
    double *w = net_values(&net, in), *b = net_values(&net, bias), *v = net_values(&net, out);
    memcpy(w + 32, w, 32 * sizeof *w);
    b[1] = b[0];
    for (size_t k = 0; k < 32; k++)
        v[k * 32 + 1] = v[k * 32];
    sn_engine_set_tensor(net.engine, in, w);
    sn_engine_set_tensor(net.engine, bias, b);
    sn_engine_set_tensor(net.engine, out, v);
    net_measure(&net, NULL);
    double *gradient = net_gradient(&net, in);
    assert_true(norm_of(gradient, 32) > 1e-3);
    assert_int_equal(memcmp(gradient, gradient + 32, 32 * sizeof *gradient) == 0, expected);
    free(gradient);
    free(w);
    free(b);
    free(v);
    net_close(&net);
}

static void test_symmetry(void **state) {
    check_symmetry("{\"depth\": 3, \"width\": 32}", *state, true);
    check_symmetry("{\"depth\": 3, \"width\": 32, \"skip\": \"add\"}", *state, false);
}

/* Orthogonal weights for all layers; only the first 40 are drawn, the others are those again. */
static void set_orthogonal(test_net *net) {
    enum { DRAWN = 40, COUNT = 64 * 64 };
    double *values = malloc(DRAWN * COUNT * sizeof *values);
    assert_non_null(values);
    sn_error error;
    for (int l = 0; l < DRAWN; l++) {
        const sn_node *node = &net->graph.nodes[1 + l];
        assert_int_equal(sn_init_fill(values + l * COUNT, node, &node->params[0], 1, &error), SN_OK);
    }
    for (size_t l = 0; l < sn_engine_tensor_count(net->engine); l++)
        sn_engine_set_tensor(net->engine, l, values + l % DRAWN * COUNT);
    free(values);
}

/* 10,000 orthogonal layers keep the length of a signal. */
static void test_orthogonal(void **state) {
    (void)state;
    sn_dataset data = toy_targets(8, 64, 64, 1);
    for (int i = 0; i < 2; i++) {
        test_net net;
        net_open(&net,
                 "{\"layers\": [{\"repeat\": 10000, \"layers\": [{\"op\": \"linear\", \"units\": 64, \"bias\": false, "
                 "\"init\": \"orthogonal\"}]}]}",
                 &data, i ? SN_F64 : SN_F32, &(sn_engine_options){.threads = 1});
        set_orthogonal(&net);
        double outputs[8 * 64];
        sn_engine_predict(net.engine, &(sn_batch){&data, &data.train, net.indices, 8}, outputs);
        for (size_t r = 0; r < 8; r++) {
            double ratio = norm_of(outputs + 64 * r, 64) / norm_of(data.train.values + 64 * r, 64);
            assert_true(fabs(ratio - 1) < (i ? 1e-12 : 1e-4));
        }
        net_close(&net);
    }
    sn_dataset_reset(&data);
}

static int make_data(void **state) {
    static sn_dataset data;
    data = toy_classes(SAMPLES, IN, OUT, 9);
    *state = &data;
    return 0;
}

static int free_data(void **state) {
    sn_dataset_reset(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads), cmocka_unit_test(test_observation), cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_twins),   cmocka_unit_test(test_shortcut),    cmocka_unit_test(test_balance),
        cmocka_unit_test(test_softmax), cmocka_unit_test(test_symmetry),    cmocka_unit_test(test_orthogonal),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
