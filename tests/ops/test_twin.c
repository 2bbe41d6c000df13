/* Signals and gradients of an observed step against a naive per-sample forward and backward pass from the raw tensors.
 *
 * The twin: h_1 = W_1 x + b_1; z_k = W_k tanh(h_{k-1}) + b_k; h_k = z_k (plain) or s h_{k-1} + f z_k (add);
 * logits = W tanh(h_L) + b; softmax cross-entropy. */
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/net.h"
#include "support/toy.h"

enum { LAYERS = 4, WIDTH = 7, IN = 5, OUT = 3, SAMPLES = 21, LARGEST = 8 };

typedef struct twin {
    double *weight[LAYERS + 1], *bias[LAYERS + 1]; /* hidden1 ..., output */
    double shortcut, branch;                       /* both 0: plain */
    bool has_skip;
} twin;

/* Of one sample. */
typedef struct trace {
    double z[LAYERS + 1][LARGEST], h[LAYERS + 1][LARGEST], a[LAYERS + 1][LARGEST]; /* a[k] = tanh(h[k]) */
    double dz[LAYERS + 1][LARGEST], dh[LAYERS + 1][LARGEST], da[LAYERS + 1][LARGEST];
    double loss;
} trace;

static void affine(double *z, const double *w, const double *b, const double *x, int out, int in) {
    for (int i = 0; i < out; i++) {
        z[i] = b[i];
        for (int j = 0; j < in; j++)
            z[i] += w[i * in + j] * x[j];
    }
}

static void walk_forward(const twin *t, trace *s, const double *x, uint32_t label) {
    for (int k = 0; k <= LAYERS; k++) {
        int out = k == LAYERS ? OUT : WIDTH;
        affine(s->z[k], t->weight[k], t->bias[k], k ? s->a[k - 1] : x, out, k ? WIDTH : IN);
        for (int i = 0; i < out; i++) {
            bool adds = t->has_skip && k > 0 && k < LAYERS;
            s->h[k][i] = adds ? t->shortcut * s->h[k - 1][i] + t->branch * s->z[k][i] : s->z[k][i];
            s->a[k][i] = tanh(s->h[k][i]);
        }
    }
    double sum = 0;
    for (int i = 0; i < OUT; i++)
        sum += exp(s->z[LAYERS][i]);
    for (int i = 0; i < OUT; i++)
        s->dz[LAYERS][i] = exp(s->z[LAYERS][i]) / sum - (i == (int)label);
    s->loss = log(sum) - s->z[LAYERS][label];
}

static void walk_backward(const twin *t, trace *s) {
    for (int k = LAYERS - 1; k >= 0; k--) {
        int above = k + 1 == LAYERS ? OUT : WIDTH;
        bool adds_above = t->has_skip && k + 1 < LAYERS, adds = t->has_skip && k > 0;
        for (int j = 0; j < WIDTH; j++) {
            s->da[k][j] = 0;
            for (int i = 0; i < above; i++)
                s->da[k][j] += t->weight[k + 1][i * WIDTH + j] * s->dz[k + 1][i];
            s->dh[k][j] = s->da[k][j] * (1 - s->a[k][j] * s->a[k][j]);
            if (adds_above) s->dh[k][j] += t->shortcut * s->dh[k + 1][j];
            s->dz[k][j] = adds ? t->branch * s->dh[k][j] : s->dh[k][j];
        }
    }
}

static void read_weights(twin *t, const test_net *net) {
    for (int k = 0; k <= LAYERS; k++) {
        t->weight[k] = net_values(net, 2 * (size_t)k);
        t->bias[k] = net_values(net, 2 * (size_t)k + 1);
    }
}

static void free_weights(twin *t) {
    for (int k = 0; k <= LAYERS; k++) {
        free(t->weight[k]);
        free(t->bias[k]);
    }
}

static void near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance * (fabs(expected) + 1e-3))) {
        fail_msg("found %.17g, expected %.17g", found, expected);
    }
}

/* Means and root mean squares over samples and units of values that `pick` points to. */
typedef const double *(*picker)(const trace *s, int k);

static void signal_is(const sn_signal_sums *sums, const trace *traces, int k, picker pick, double factor, double tol) {
    int width = k == LAYERS ? OUT : WIDTH;
    double sum = 0, squares = 0;
    for (int s = 0; s < SAMPLES; s++) {
        for (int i = 0; i < width; i++) {
            double value = factor * pick(&traces[s], k)[i];
            sum += value;
            squares += value * value;
        }
    }
    assert_true(squares > 1e-12);
    assert_true(sums->n == (double)SAMPLES * width);
    near(sums->sum, sum, tol * 100);
    near(sn_sumsq_norm(sums->squares), sqrt(squares), tol);
}

static const double *pick_z(const trace *s, int k) {
    return s->z[k];
}
static const double *pick_dz(const trace *s, int k) {
    return s->dz[k];
}
static const double *pick_dh(const trace *s, int k) {
    return s->dh[k];
}
static const double *pick_da(const trace *s, int k) {
    return s->da[k];
}

static double saturated_inputs(const trace *traces, int k) {
    double count = 0;
    for (int s = 0; s < SAMPLES; s++) {
        for (int i = 0; i < WIDTH; i++)
            count += 1 - traces[s].a[k - 1][i] * traces[s].a[k - 1][i] < 0.05;
    }
    return count;
}

/* out_grad: behind the next activation in a plain net (for the output: the logits themselves); in an add net at the
 * sum, and for hidden1, which two nodes read, at its own output. */
static picker carried_picker(const twin *t, int k) {
    if (k == LAYERS) return pick_dz;
    if (!t->has_skip) return pick_da;
    return k == 0 ? pick_dz : pick_dh;
}

static void compare(const test_net *net, const twin *t, const sn_observation *seen, const trace *traces, double tol) {
    assert_int_equal(seen->n_nodes, LAYERS + 1);
    for (int k = 0; k <= LAYERS; k++) {
        const sn_node_sums *node = &seen->nodes[k];
        double mean = 1 / (double)SAMPLES; /* the sums are of the batch-mean loss */
        signal_is(&node->output, traces, k, pick_z, 1, tol);
        signal_is(&node->delta, traces, k, pick_dz, mean, tol);
        signal_is(&node->carried, traces, k, carried_picker(t, k), mean, tol);
        assert_true(node->saturated == (k ? saturated_inputs(traces, k) : -1));
        double *gradient = net_gradient(net, 2 * (size_t)k), *bias = net_gradient(net, 2 * (size_t)k + 1);
        double max = 0, sum_abs = 0;
        for (size_t i = 0; i < net_count(net, 2 * (size_t)k); i++) {
            max = fabs(gradient[i]) > max ? fabs(gradient[i]) : max;
            sum_abs += fabs(gradient[i]);
        }
        near(sn_sumsq_norm(node->gradient.squares), norm_of(gradient, net_count(net, 2 * (size_t)k)), tol);
        near(node->gradient.max_abs, max, tol);
        near(node->gradient.sum_abs, sum_abs, tol);
        near(sn_sumsq_norm(node->bias_gradient.squares), norm_of(bias, net_count(net, 2 * (size_t)k + 1)), tol);
        free(gradient);
        free(bias);
    }
}

static void run_twin(const char *network, twin t, sn_dtype dtype, double tol) {
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 11);
    test_net net;
    net_open(&net, network, &data, dtype, NULL);
    net_randomize(&net, 5);
    read_weights(&t, &net);
    trace *traces = calloc(SAMPLES, sizeof *traces);
    assert_non_null(traces);
    double loss = 0, saturated = 0;
    for (int s = 0; s < SAMPLES; s++) {
        double x[IN];
        for (int j = 0; j < IN; j++)
            x[j] = (data.train.values[s * IN + j] - data.mean[0]) * data.factor[0];
        walk_forward(&t, &traces[s], x, data.train.labels[s]);
        walk_backward(&t, &traces[s]);
        loss += traces[s].loss / SAMPLES;
    }
    for (int k = 1; k <= LAYERS; k++)
        saturated += saturated_inputs(traces, k);
    assert_true(saturated > 0);
    static sn_error error;
    sn_observation seen;
    assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
    sn_step_result result = net_measure(&net, &seen);
    near(result.loss, loss, tol);
    compare(&net, &t, &seen, traces, tol);
    sn_observation_reset(&seen);
    free(traces);
    free_weights(&t);
    net_close(&net);
    sn_dataset_reset(&data);
}

#define PLAIN "{\"depth\": 4, \"width\": 7}"
#define ADD                                                                                                            \
    "{\"depth\": 4, \"width\": 7, \"skip\": {\"kind\": \"add\", \"shortcut_scale\": 0.75, \"branch_scale\": 0.5}}"

static void test_plain(void **state) {
    (void)state;
    run_twin(PLAIN, (twin){0}, SN_F64, 1e-12);
    run_twin(PLAIN, (twin){0}, SN_F32, 2e-5);
}

static void test_add(void **state) {
    (void)state;
    run_twin(ADD, (twin){.shortcut = 0.75, .branch = 0.5, .has_skip = true}, SN_F64, 1e-12);
    run_twin(ADD, (twin){.shortcut = 0.75, .branch = 0.5, .has_skip = true}, SN_F32, 2e-5);
}

/* The change of every weight, from the weights before and after. */
static void test_change(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 11);
    test_net net;
    net_open(&net, ADD, &data, SN_F32, NULL);
    net_randomize(&net, 5);
    twin before = {0}, after = {0};
    read_weights(&before, &net);
    static sn_error error;
    sn_observation seen;
    assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
    net_step(&net, 1e-7, &seen); /* so small that some weights do not move */
    read_weights(&after, &net);
    double unchanged = 0, changed = 0;
    for (int k = 0; k <= LAYERS; k++) {
        size_t n = net_count(&net, 2 * (size_t)k);
        double squares = 0, weights = 0, same = 0;
        for (size_t i = 0; i < n; i++) {
            double change = after.weight[k][i] - before.weight[k][i];
            squares += change * change;
            weights += before.weight[k][i] * before.weight[k][i];
            same += change == 0;
        }
        const sn_node_sums *node = &seen.nodes[k];
        assert_true(node->change.unchanged == same && node->change.n == (double)n);
        near(sn_sumsq_norm(node->change.change) * 1e7, sqrt(squares) * 1e7, 1e-12);
        near(sn_sumsq_norm(node->weight), sqrt(weights), 1e-12);
        unchanged += same;
        changed += (double)n - same;
    }
    assert_true(unchanged > 0 && changed > 0);
    sn_observation_reset(&seen);
    free_weights(&before);
    free_weights(&after);
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
