/* Every statistic of an observed step against a recomputation from the raw tensors: weights, gradients, slots, and the
 * signals of a probe, whose walk is that of the engine, which is unfused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/net.h"
#include "support/rules.h"
#include "support/toy.h"

static void expect(double value, double recomputed, const char *what) {
    double scale = fmax(fabs(value), fabs(recomputed));
    if (!(fabs(value - recomputed) <= 1e-12 * scale)) fail_msg("%s: %.17g, recomputed %.17g", what, value, recomputed);
}

/* Sums of `n` doubles the plain way. */
static void expect_signal_sums(const sn_signal_sums *sums, const double *x, size_t n, const char *what) {
    double sum = 0, sum_abs = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        sum_abs += fabs(x[i]);
        squares += x[i] * x[i];
    }
    expect(sums->n, (double)n, what);
    if (!(fabs(sums->sum - sum) <= 1e-12 * sum_abs)) fail_msg("%s: sum %.17g, recomputed %.17g", what, sums->sum, sum);
    expect(sn_sumsq_norm(sums->squares), sqrt(squares), what);
}

static void expect_sums(const sn_tensor_sums *sums, const double *x, size_t n, const char *what) {
    double sum_abs = 0, squares = 0, max = 0, zeros = 0;
    for (size_t i = 0; i < n; i++) {
        sum_abs += fabs(x[i]);
        squares += x[i] * x[i];
        max = fmax(max, fabs(x[i]));
        zeros += x[i] == 0;
    }
    expect(sums->n, (double)n, what);
    expect(sums->sum_abs, sum_abs, what);
    expect(sn_sumsq_norm(sums->squares), sqrt(squares), what);
    expect(sums->max_abs, max, what);
    expect(sums->zeros, zeros, what);
}

/* Counts against frexp; `minus` NULL: of x. */
static void expect_exponents(const sn_exponents *counts, const double *x, const double *minus, size_t n) {
    assert_non_null(counts);
    assert_true(sn_exponents_total(counts) == n);
    uint64_t zeros = 0, found[SN_N_EXPONENTS_F64] = {0};
    for (size_t i = 0; i < n; i++) {
        int exponent;
        if (frexp(minus ? x[i] - minus[i] : x[i], &exponent) == 0) {
            zeros++;
        } else {
            found[exponent - 1 - counts->least]++;
        }
    }
    assert_true(counts->zeros == zeros && counts->begin <= counts->end);
    assert_memory_equal(counts->counts + counts->begin, found + counts->begin,
                        (size_t)(counts->end - counts->begin) * sizeof *found);
}

static void expect_node_value(const test_net *net, const sn_probe *probe, const sn_signal_sums *sums, int node) {
    double *values = net_signal(probe, node);
    expect_signal_sums(sums, values, sn_probe_size(probe, node), net->graph.nodes[node].label);
    free(values);
}

static void expect_node_gradient(const test_net *net, const sn_probe *probe, const sn_signal_sums *sums, int node) {
    double *gradient = net_signal(probe, node);
    sn_probe_gradient(probe, node, gradient);
    expect_signal_sums(sums, gradient, sn_probe_size(probe, node), net->graph.nodes[node].label);
    free(gradient);
}

static void expect_signal_exponents(const test_net *net, const sn_probe *probe, const sn_node_sums *sums) {
    int x = net->graph.nodes[sums->node].inputs[0];
    double *values = net_signal(probe, x), *gradient = net_signal(probe, sums->node);
    sn_probe_gradient(probe, sums->node, gradient);
    expect_exponents(sums->exponents[SN_COUNTED_IN], values, NULL, sn_probe_size(probe, x));
    expect_exponents(sums->exponents[SN_COUNTED_DELTA], gradient, NULL, sn_probe_size(probe, sums->node));
    free(values);
    free(gradient);
}

static void expect_signals(const test_net *net, const sn_probe *probe, const sn_node_sums *sums) {
    const sn_node *node = &net->graph.nodes[sums->node];
    expect_node_value(net, probe, &sums->output, sums->node);
    expect_node_value(net, probe, &sums->input, node->inputs[0]);
    expect_node_gradient(net, probe, &sums->delta, sums->node);
    expect_node_gradient(net, probe, &sums->carried, node->carried_at);
    expect_signal_exponents(net, probe, sums);
    const sn_node *x = &net->graph.nodes[node->inputs[0]];
    if (!x->op || !x->op->is_activation) {
        assert_true(sums->saturated < 0);
        return;
    }
    assert_string_equal(x->op->kind.name, "tanh");
    double *values = net_signal(probe, node->inputs[0]), count = 0;
    for (size_t i = 0; i < net->batch * x->width; i++)
        count += 1 - values[i] * values[i] < 0.05;
    expect(sums->saturated, count, "saturated");
    free(values);
}

/* A tensor before a step. */
typedef struct before {
    double *weight, *slots[SN_MAX_SLOTS]; /* NULL: not kept */
} before;

/* What the rule keeps of a tensor stands behind weights and states in a snapshot, slot by slot. */
static before before_step(const test_net *net, size_t i) {
    const sn_update_rule *rule = &net->options.rule;
    size_t n_params = sn_engine_tensor_count(net->engine), n = sn_engine_snapshot_count(net->engine);
    size_t at = n_params + sn_engine_state_count(net->engine);
    assert_int_equal(n, at + n_params * (size_t)sn_slot_count(rule->slots));
    sn_tensor *tensors = calloc(n, sizeof *tensors);
    assert_non_null(tensors);
    sn_engine_snapshot(net->engine, tensors);
    before b = {.weight = net_values(net, i)};
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        if (!sn_rule_has_slot(rule, k)) continue;
        assert_non_null(strstr(tensors[at + i].name, rule->optimizer->slots[k]));
        b.slots[k] = net_doubles(net, tensors[at + i].data, net_count(net, i));
        at += n_params;
    }
    free(tensors);
    return b;
}

/* What the update of a tensor was meant to be, in double, and what it did. */
typedef struct tensor_change {
    double change, sum_abs_change, sum_abs_meant, unchanged, intended, stalled, moments, below_eps;
} tensor_change;

static void add_change(tensor_change *c, const test_net *net, size_t i, const before *b, double lr, double clip) {
    const sn_engine_options *o = &net->options;
    double *now = net_values(net, i), *g = net_gradient(net, i);
    sn_tensor tensor;
    sn_engine_tensor(net->engine, i, &tensor);
    sn_update_numbers numbers = rule_numbers(&o->rule, net->number - 1, lr, clip);
    if (tensor.rank < 2 && !o->rule.decays_all) numbers.weight_decay = 0;
    for (size_t k = 0; k < net_count(net, i); k++) {
        double s[SN_MAX_SLOTS] = {0};
        for (int j = 0; j < SN_MAX_SLOTS; j++)
            if (b->slots[j]) s[j] = b->slots[j][k];
        double meant = rule_meant(&o->rule, &numbers, b->weight[k], g[k], s), did = now[k] - b->weight[k];
        c->change += did * did;
        c->sum_abs_change += fabs(did);
        c->sum_abs_meant += fabs(meant);
        c->unchanged += did == 0;
        c->intended += meant != 0;
        c->stalled += meant != 0 && did == 0;
        int below = rule_is_below_eps(&o->rule, &numbers, s);
        c->moments += below >= 0;
        c->below_eps += below > 0;
    }
    free(now);
    free(g);
}

static int n_below; /* tensors of which some elements are below eps */

static void expect_change(const sn_change_sums *sums, const tensor_change *c) {
    assert_true(sums->intended == c->intended && sums->unchanged == c->unchanged && sums->stalled == c->stalled);
    assert_true(sums->moments == c->moments && sums->below_eps == c->below_eps);
    n_below += c->below_eps > 0 && c->below_eps < c->moments;
    expect(sn_sumsq_norm(sums->change), sqrt(c->change), "change");
    expect(sums->sum_abs_change, c->sum_abs_change, "sum |change|");
    expect(sums->sum_abs_intended, c->sum_abs_meant, "sum |intended|");
}

static double gradient_norm(const test_net *net) {
    double squares = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        double *g = net_gradient(net, i), norm = norm_of(g, net_count(net, i));
        squares += norm * norm;
        free(g);
    }
    return sqrt(squares);
}

static void expect_tensor_exponents(const test_net *net, const sn_node_sums *sums, size_t i, const before *b) {
    double *now = net_values(net, i), *g = net_gradient(net, i);
    expect_exponents(sums->exponents[SN_COUNTED_WEIGHT], b->weight, NULL, net_count(net, i));
    expect_exponents(sums->exponents[SN_COUNTED_GRAD], g, NULL, net_count(net, i));
    expect_exponents(sums->exponents[SN_COUNTED_UPDATE], now, b->weight, net_count(net, i));
    free(now);
    free(g);
}

static void expect_tensors(const test_net *net, const sn_observation *seen, const before *b, double lr) {
    double norm = gradient_norm(net), most = net->options.clip_norm;
    double clip = most > 0 && norm > most ? most / norm : 1;
    expect(sn_sumsq_norm(seen->gradient), norm, "norm of all gradients");
    tensor_change total = {0};
    for (size_t i = 0, k = 0; i < sn_engine_tensor_count(net->engine); i++) {
        const sn_plan_param *param = &sn_engine_plan(net->engine)->params[i];
        while (seen->nodes[k].node != param->node)
            k++;
        double *g = net_gradient(net, i);
        expect_sums(param->index ? &seen->nodes[k].bias_gradient : &seen->nodes[k].gradient, g, net_count(net, i),
                    "gradient");
        free(g);
        tensor_change own = {0};
        add_change(&own, net, i, &b[i], lr, clip);
        add_change(&total, net, i, &b[i], lr, clip);
        if (param->index > 0) continue;
        expect(sn_sumsq_norm(seen->nodes[k].weight), norm_of(b[i].weight, net_count(net, i)), "weight");
        expect_change(&seen->nodes[k].change, &own);
        expect_tensor_exponents(net, &seen->nodes[k], i, &b[i]);
    }
    expect_change(&seen->change, &total);
}

static void observed_step(test_net *net, sn_observation *seen, double lr) {
    size_t n = sn_engine_tensor_count(net->engine);
    before *b = malloc(n * sizeof *b);
    assert_non_null(b);
    for (size_t i = 0; i < n; i++)
        b[i] = before_step(net, i);
    sn_probe *probe = net_probe(net);
    net_run(net, probe, 0, net->batch);
    net_step(net, lr, seen);
    assert_int_equal(seen->rows, net->batch);
    assert_true(seen->nonfinite == 0);
    expect_tensors(net, seen, b, lr);
    for (int k = 0; k < seen->n_nodes; k++)
        expect_signals(net, probe, &seen->nodes[k]);
    sn_probe_free(probe);
    for (size_t i = 0; i < n; i++) {
        free(b[i].weight);
        for (int k = 0; k < SN_MAX_SLOTS; k++)
            free(b[i].slots[k]);
    }
    free(b);
}

static const char *const networks[] = {
    "{\"depth\": 3, \"width\": 20}",
    "{\"depth\": 4, \"width\": 20, \"norm\": \"layer\", \"order\": \"post\", \"skip\": \"add\"}",
    "{\"depth\": 4, \"width\": 20, \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0.5}}}",
    "{\"depth\": 4, \"width\": 20, \"order\": \"inside\", \"skip\": \"concat\"}",
    /* no bias before the norm: its gradient would be rounding only */
    ("{\"layers\": [{\"op\": \"linear\", \"units\": 20, \"bias\": false}, {\"op\": \"batch_norm\"}, {\"op\": "
     "\"tanh\"}, "
     "{\"op\": \"linear\", \"units\": 4}]}"),
    "{\"depth\": 4, \"width\": 20, \"order\": \"inside\", \"skip\": \"highway\"}",
};

/* A rate at which some float weights stall, one at which all do in the last network's small tensors, and 0. */
static void check_network(const char *network, sn_dtype dtype, const sn_engine_options *options,
                          const sn_dataset *data) {
    static const double rates[] = {0.1, 1e-8, 0.1, 0};
    test_net net;
    sn_observation seen;
    sn_error error;
    double stalled = 0;
    net_open(&net, network, data, dtype, options);
    net_randomize(&net, 3);
    assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
    for (int step = 0; step < 4; step++) {
        observed_step(&net, &seen, rates[step]);
        if (step == 1) stalled = seen.change.stalled;
        assert_true((seen.change.intended > 0) == (rates[step] > 0));
    }
    if (dtype == SN_F32) assert_true(stalled > 0);
    sn_observation_reset(&seen);
    net_close(&net);
}

static void test_statistics(void **state) {
    (void)state;
    const sn_engine_options options[] = {
        {.is_reference = true, .keeps_gradients = true, .counts_exponents = true},
        {.is_reference = true,
         .keeps_gradients = true,
         .rule = rule_of("{\"momentum\": 0.9, \"weight_decay\": 1e-3}"),
         .counts_exponents = true},
        {.is_reference = true,
         .rule = rule_of("{\"momentum\": 0.5, \"nesterov\": true}"),
         .clip_norm = 0.1,
         .threads = 2,
         .counts_exponents = true},
        {.is_reference = true,
         .rule = rule_of("{\"kind\": \"adamw\", \"decays\": \"all\", \"amsgrad\": true, \"eps\": 1e-2}"),
         .keeps_gradients = true,
         .counts_exponents = true},
        {.is_reference = true,
         .rule = rule_of("{\"kind\": \"rmsprop\", \"eps\": 1e-3}"),
         .keeps_gradients = true,
         .counts_exponents = true},
        {.is_reference = true,
         .rule = rule_of("{\"kind\": \"rmsprop\", \"centered\": true}"),
         .keeps_gradients = true,
         .counts_exponents = true},
    };
    sn_dataset data = toy_classes(21, 12, 4, 8);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
            check_network(networks[i], SN_F32, &options[k], &data);
            check_network(networks[i], SN_F64, &options[k], &data);
        }
    }
    sn_dataset_reset(&data);
    assert_true(n_below > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statistics)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
