/* The plan of random graphs: planned and unfused walks agree, in gradients and in statistics, and with a difference of
 * the loss; buffers that are alive at the same time do not overlap, and nothing is used outside its lifetime. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/internal.h"
#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { GRAPHS = 600, IN = 4, OUT = 3, SAMPLES = 11, MOST_NODES = 24, MOST_WIDTH = 20 };

/* A graph under construction. */
typedef struct growth {
    sn_text text;
    sn_rng rng;
    uint64_t drawn;
    int n; /* node 0 is the input, node i has the label "n<i>" */
    int width[MOST_NODES + 8];
    bool is_read[MOST_NODES + 8];
} growth;

static int draw(growth *g, int n) {
    return (int)sn_rng_below(g->rng, g->drawn++, (uint64_t)n);
}

/* Any node; recent ones more often. */
static int draw_node(growth *g) {
    int i = draw(g, g->n);
    return draw(g, 2) ? i : g->n - 1 - draw(g, g->n < 4 ? g->n : 4);
}

static void add_input(growth *g, int i, const char *before) {
    if (i == 0) {
        sn_text_addf(&g->text, "%s\"input\"", before);
    } else {
        sn_text_addf(&g->text, "%s\"n%d\"", before, i);
    }
    g->is_read[i] = true;
}

static void open_entry(growth *g, const char *op, int width) {
    sn_text_addf(&g->text, "%s{\"op\": \"%s\", \"label\": \"n%d\", \"inputs\": [", g->n > 1 ? ",\n" : "", op, g->n);
    g->width[g->n] = width;
}

static void close_entry(growth *g, const char *keys) {
    sn_text_addf(&g->text, "]%s}", keys);
    g->n++;
}

static void grow_unary(growth *g, int from) {
    static const char *const ops[] = {"tanh", "sigmoid", "erf", "gelu", "identity", "scale", "scale"};
    static const char *const factors[] = {", \"factor\": 1", ", \"factor\": -0.5", ", \"factor\": {\"learned\": 0.8}"};
    int kind = draw(g, 7);
    open_entry(g, ops[kind], g->width[from]);
    add_input(g, from, "");
    close_entry(g, kind >= 5 ? factors[draw(g, 3)] : "");
}

/* What depends on the pass, or on other features of the sample. */
static void grow_normal(growth *g, int from) {
    static const char *const ops[] = {"batch_norm", "dropout", "layer_norm"};
    static const char *const rates[] = {"", ", \"rate\": 0", ", \"rate\": 0.1"};
    int kind = draw(g, g->width[from] >= 3 ? 3 : 2);
    open_entry(g, ops[kind], g->width[from]);
    add_input(g, from, "");
    const char *norm = draw(g, 2) ? ", \"eps\": 0.1" : ", \"eps\": 0.1, \"affine\": false";
    close_entry(g, kind == 1 ? rates[draw(g, 3)] : norm);
}

static void grow_linear(growth *g, int from, int units) {
    char keys[64];
    open_entry(g, "linear", units);
    add_input(g, from, "");
    snprintf(keys, sizeof keys, ", \"units\": %d, \"bias\": %s", units, draw(g, 4) ? "true" : "false");
    close_entry(g, keys);
}

/* A node of the width of `from`: itself where no other is met. */
static int draw_equal(growth *g, int from) {
    for (int tries = 0; tries < 20; tries++) {
        int other = draw_node(g);
        if (g->width[other] == g->width[from]) return other;
    }
    return from;
}

/* Two to four nodes of the width of `from`, the same one again where no other is met; half of the time one of them is a
 * linear layer made for the purpose, so that concats get into sums too. */
static void grow_add(growth *g, int from) {
    if (draw(g, 2)) grow_linear(g, draw_node(g), g->width[from]);
    char factors[128] = ", \"factors\": [1";
    int n_inputs = 2 + draw(g, 3), plain = draw(g, 2);
    open_entry(g, "add", g->width[from]);
    add_input(g, from, "");
    for (int k = 1; k < n_inputs; k++) {
        add_input(g, draw_equal(g, from), ", ");
        strcat(factors, draw(g, 2) ? ", 1" : ", 0.7");
    }
    strcat(factors, "]");
    close_entry(g, plain ? "" : factors);
}

static void grow_gate(growth *g, int from) {
    if (draw(g, 2)) grow_linear(g, draw_node(g), g->width[from]);
    open_entry(g, "gate", g->width[from]);
    add_input(g, draw_equal(g, from), "");
    add_input(g, from, ", ");
    add_input(g, draw_equal(g, from), ", ");
    close_entry(g, "");
}

static void grow_concat(growth *g, int from) {
    int inputs[4] = {from}, n = 1, width = g->width[from];
    for (int tries = 0; tries < 6 && n < 4; tries++) {
        int other = draw_node(g);
        if (width + g->width[other] > MOST_WIDTH || (n >= 2 && draw(g, 2))) continue;
        inputs[n++] = other;
        width += g->width[other];
    }
    if (n == 1) return;
    open_entry(g, "concat", width);
    for (int k = 0; k < n; k++)
        add_input(g, inputs[k], k ? ", " : "");
    close_entry(g, "");
}

/* Joins what nothing reads, and ends in a linear layer, a sum of two, or a concat. */
static void finish(growth *g) {
    int unread[MOST_NODES + 8], n = 0, width = 0;
    for (int i = 1; i < g->n; i++) {
        if (!g->is_read[i]) unread[n++] = i, width += g->width[i];
    }
    if (n > 1) {
        open_entry(g, "concat", width);
        for (int k = 0; k < n; k++)
            add_input(g, unread[k], k ? ", " : "");
        close_entry(g, "");
    }
    int from = g->n - 1, ending = draw(g, 3);
    grow_linear(g, from, ending == 2 ? 1 : OUT);
    if (ending == 0) return;
    grow_linear(g, from, ending == 2 ? 2 : OUT);
    open_entry(g, ending == 2 ? "concat" : "add", OUT);
    add_input(g, g->n - 2, "");
    add_input(g, g->n - 1, ", ");
    close_entry(g, "");
}

/* A random layer list (sn_text_free). */
static sn_text random_graph(uint64_t seed) {
    growth g = {.rng = sn_rng_stream(seed, "test", "graph", 0), .n = 1, .width = {IN}};
    sn_text_add(&g.text, "{\"layers\": [");
    int n = 4 + draw(&g, MOST_NODES - 8);
    while (g.n < n) {
        int from = draw_node(&g), kind = draw(&g, 12);
        if (kind < 2) {
            grow_unary(&g, from);
        } else if (kind == 10) {
            grow_normal(&g, from);
        } else if (kind == 11) {
            grow_gate(&g, from);
        } else if (kind < 4) {
            grow_linear(&g, from, 1 + draw(&g, 5));
        } else if (kind < 7) {
            grow_add(&g, from);
        } else {
            grow_concat(&g, from);
        }
    }
    finish(&g);
    sn_text_add(&g.text, "]}");
    assert_false(g.text.failed);
    return g.text;
}

/* Where a slot lies in memory, in elements: [begin, end) of its region, for a whole tile or batch. */
static void check_slot(const sn_plan *plan, sn_slot slot, size_t width) {
    assert_true(slot.buffer >= 0 && slot.buffer < plan->n_buffers);
    assert_true(slot.column + width <= plan->buffers[slot.buffer].width);
}

/* A use of a slot: inside the lifetime; by a work item only of what has a row for every sample; from a forward time to
 * a backward time likewise, or in scratch of the same walk. */
static void check_use(const sn_plan *plan, sn_slot slot, size_t width, int time) {
    check_slot(plan, slot, width);
    const sn_buffer *b = &plan->buffers[slot.buffer];
    if (time < b->first || time > b->last)
        fail_msg("buffer %d used at %d outside %d..%d", slot.buffer, time, b->first, b->last);
    if (time == sn_time_work(plan)) assert_int_equal(b->place, SN_PLACE_BATCH);
}

static void check_node_uses(const sn_plan *plan, int i) {
    const sn_node *nodes = plan->graph->nodes, *node = &nodes[i];
    int back = sn_time_backward(plan, i), work = sn_time_work(plan);
    check_use(plan, plan->value[i], node->width, i);
    for (int k = 0; k < node->n_inputs; k++)
        check_use(plan, plan->value[node->inputs[k]], nodes[node->inputs[k]].width, i);
    if (!node->needs_gradient) return;
    check_use(plan, plan->gradient[i], node->width, back);
    if (node->op->backward_reads & SN_READS_Y) check_use(plan, plan->value[i], node->width, back);
    for (int k = 0; k < node->n_inputs; k++) {
        int x = node->inputs[k];
        const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
        if (node->op->backward_reads & SN_READS_X) check_use(plan, plan->value[x], nodes[x].width, back);
        if (edge->flow != SN_FLOW_NONE) check_use(plan, plan->gradient[x], nodes[x].width, back);
        if (edge->flow == SN_FLOW_ADD) check_use(plan, edge->base, nodes[x].width, back);
    }
    bool has_items = node->n_params > 0 && node->params[0].route == SN_FROM_BATCH;
    if (has_items) check_use(plan, plan->gradient[i], node->width, work);
    if (has_items) check_use(plan, plan->value[node->inputs[0]], nodes[node->inputs[0]].width, work);
}

static bool overlap(size_t a, size_t a_size, size_t b, size_t b_size) {
    return a < b + b_size && b < a + a_size;
}

static void check_apart(const sn_plan *plan, int i, int j) {
    const sn_buffer *a = &plan->buffers[i], *b = &plan->buffers[j];
    bool in_batch = a->place == SN_PLACE_BATCH;
    size_t rows = in_batch ? plan->options.batch : plan->tile_rows;
    bool meet = a->place == b->place && overlap(a->offset, a->width * rows, b->offset, b->width * rows);
    bool both_live = in_batch || (a->first <= b->last && b->first <= a->last);
    if (meet && both_live) fail_msg("buffers %d and %d overlap", i, j);
}

/* Buffers that are alive at the same time share no memory, and all lie inside their region. */
static void check_memory(const sn_plan *plan) {
    for (int i = 0; i < plan->n_buffers; i++) {
        const sn_buffer *a = &plan->buffers[i];
        bool in_batch = a->place == SN_PLACE_BATCH;
        size_t rows = in_batch ? plan->options.batch : plan->tile_rows;
        assert_true(a->offset % 16 == 0 && a->first >= 0 && a->last >= a->first);
        assert_true(a->offset + a->width * rows <= (in_batch ? plan->batch_elements : plan->scratch_elements));
        for (int j = 0; j < i; j++)
            check_apart(plan, i, j);
    }
}

/* What the engine took; an empty arena takes one line of the cache, which does not count. */
static size_t arena_bytes(const sn_engine *e) {
    const sn_plan *plan = &e->plan;
    size_t bytes = e->batch.size + e->params.size;
    if (plan->state_elements > 0) bytes += e->states.size;
    if (plan->total_doubles > 0) bytes += e->totals.size;
    if (plan->transposed_elements > 0) bytes += e->transposed.size;
    if (plan->options.has_velocity) bytes += e->velocities.size;
    if (plan->options.keeps_gradients) bytes += e->gradients.size;
    if (plan->partial_doubles > 0) bytes += e->partials.size;
    return bytes + e->scratch.size;
}

/* What lives in the scratch memory of a thread is gone when another thread takes the tile in the next segment. */
static void check_segments(const sn_plan *plan) {
    assert_int_equal(plan->segment_ends[plan->n_segments - 1], sn_time_walk_end(plan));
    for (int i = 0; i < plan->n_buffers; i++) {
        const sn_buffer *b = &plan->buffers[i];
        for (int s = 0; s < plan->n_segments && b->place == SN_PLACE_SCRATCH; s++)
            assert_true(b->last < plan->segment_ends[s] || b->first >= plan->segment_ends[s]);
    }
}

static void check_plan(const test_net *net, int threads) {
    const sn_plan *plan = sn_engine_plan(net->engine);
    const sn_engine *e = net->engine;
    int n = net->graph.n_nodes;
    for (int i = 1; i < n; i++)
        check_node_uses(plan, i);
    check_use(plan, plan->value[n - 1], net->graph.nodes[n - 1].width, sn_time_loss(plan));
    check_use(plan, plan->gradient[n - 1], net->graph.nodes[n - 1].width, sn_time_loss(plan));
    check_memory(plan);
    check_segments(plan);
    assert_int_equal(sn_plan_bytes(plan, threads, e->real_size), arena_bytes(e));
}

/* The first write of each gradient is a write or a base from elsewhere, and what is added to has been written. */
static void check_flows(const test_net *net) {
    const sn_plan *plan = sn_engine_plan(net->engine);
    bool has_begun[MOST_NODES + 8] = {false};
    for (int i = net->graph.n_nodes - 1; i > 0; i--) {
        const sn_node *node = &net->graph.nodes[i];
        for (int k = 0; k < node->n_inputs && node->needs_gradient; k++) {
            int x = node->inputs[k];
            const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
            bool is_own =
                edge->base.buffer == plan->gradient[x].buffer && edge->base.column == plan->gradient[x].column;
            if (edge->flow == SN_FLOW_WRITE) assert_false(has_begun[x]);
            if (edge->flow == SN_FLOW_ADD && is_own) assert_true(has_begun[x]);
            if (edge->flow != SN_FLOW_NONE) has_begun[x] = true;
            if (plan->gradient[x].buffer == plan->gradient[i].buffer) has_begun[x] = true;
        }
    }
}

static void expect_close(sn_sumsq a, sn_sumsq b, const char *what, uint64_t seed) {
    double x = sn_sumsq_norm(a), y = sn_sumsq_norm(b);
    bool close = fabs(x - y) <= 1e-12 * fmax(x, y);
    if (!close) fail_msg("graph %d: %s %.17g and %.17g", (int)seed, what, x, y);
}

static void expect_close_signal(const sn_signal_sums *a, const sn_signal_sums *b, const char *what, uint64_t seed) {
    expect_close(a->squares, b->squares, what, seed);
    double most = 1e-12 * sqrt(a->n) * sn_sumsq_norm(a->squares); /* sum |x| is at most sqrt(n) times the norm */
    if (!(fabs(a->sum - b->sum) <= most))
        fail_msg("graph %d: %s, sums %.17g and %.17g", (int)seed, what, a->sum, b->sum);
}

/* Statistics of the planned walk are those of the unfused one. */
static void check_observations(test_net *net, test_net *reference, uint64_t seed) {
    sn_observation a, b;
    sn_error error;
    assert_int_equal(sn_observation_new(&a, &net->graph, &error), SN_OK);
    assert_int_equal(sn_observation_new(&b, &reference->graph, &error), SN_OK);
    net_measure(net, &a);
    net_measure(reference, &b);
    for (int k = 0; k < a.n_nodes; k++) {
        expect_close_signal(&a.nodes[k].output, &b.nodes[k].output, "output", seed);
        expect_close_signal(&a.nodes[k].input, &b.nodes[k].input, "input", seed);
        expect_close_signal(&a.nodes[k].delta, &b.nodes[k].delta, "delta", seed);
        expect_close_signal(&a.nodes[k].carried, &b.nodes[k].carried, "carried", seed);
        expect_close(a.nodes[k].gradient.squares, b.nodes[k].gradient.squares, "gradient", seed);
        size_t bias = (size_t)sn_engine_plan(net->engine)->first_param[a.nodes[k].node] + 1;
        bool has_bias = net->graph.nodes[a.nodes[k].node].n_params > 1;
        if (has_bias && !net_is_cancelled(net, bias))
            expect_close(a.nodes[k].bias_gradient.squares, b.nodes[k].bias_gradient.squares, "bias gradient", seed);
        assert_true(a.nodes[k].saturated == b.nodes[k].saturated);
    }
    sn_observation_reset(&a);
    sn_observation_reset(&b);
}

/* Moves all weights along a random direction by `shift`; *slope is the derivative that the gradients promise. */
static double loss_along(test_net *net, double shift, double *slope, double *size) {
    double sum = 0, squares = 0, directions = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        double *w = net_values(net, i), *g = net_gradient(net, i);
        sn_rng rng = sn_rng_stream(i, "test", "direction", 0);
        for (size_t k = 0; k < net_count(net, i); k++) {
            double d = sn_rng_normal(rng, k);
            w[k] += shift * d;
            sum += g[k] * d;
            squares += g[k] * g[k];
            directions += d * d;
        }
        sn_engine_set_tensor(net->engine, i, w);
        free(w);
        free(g);
    }
    *slope = sum;
    *size = sqrt(squares * directions);
    return net_measure(net, NULL).loss;
}

static double check_slope(test_net *net, uint64_t seed) {
    static const double h = 2.5e-5;
    double slope, size, later[2]; /* the gradients of the first call are those of the weights in the middle */
    net_measure(net, NULL);
    double a = loss_along(net, -2 * h, &slope, &size), b = loss_along(net, h, &later[0], &later[1]);
    double c = loss_along(net, 2 * h, &later[0], &later[1]), d = loss_along(net, h, &later[0], &later[1]);
    double difference = (8 * (c - b) - (d - a)) / (12 * h), deviation = fabs(difference - slope) / size;
    if (!(deviation < 1e-8)) fail_msg("graph %d: slope %.12g, difference %.12g", (int)seed, slope, difference);
    assert_true(size > 1e-6);
    return deviation;
}

static void test_random_graphs(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 6);
    double worst = 0, worst_slope = 0;
    int n_copies = 0, n_views = 0, n_scratch = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        sn_text text = random_graph(seed);
        test_net net, reference;
        sn_engine_options unfused = {.is_reference = true, .keeps_gradients = true};
        sn_engine_options planned = {.keeps_gradients = true,
                                     .threads = 1 + (int)(seed % 2),
                                     .momentum = seed % 3 ? 0.5 : 0,
                                     .cut_every = seed % 3 ? 0 : 1 + (int)(seed % 5)};
        net_open(&net, sn_text_string(&text), &data, SN_F64, &planned);
        net_open(&reference, sn_text_string(&text), &data, SN_F64, &unfused);
        net_randomize(&reference, seed);
        net_copy_weights(&net, &reference);
        check_plan(&net, planned.threads);
        check_plan(&reference, 1);
        check_flows(&net);
        check_observations(&net, &reference, seed);
        double distance = net_gradient_distance(&net, &reference);
        if (!(distance <= 1e-12)) fail_msg("graph %d: %g\n%s", (int)seed, distance, sn_text_string(&text));
        worst = fmax(worst, distance);
        worst_slope = fmax(worst_slope, check_slope(&net, seed));
        const sn_plan *plan = sn_engine_plan(net.engine);
        n_copies += plan->n_copies;
        n_views += sn_engine_plan(reference.engine)->n_buffers - plan->n_buffers;
        for (int b = 0; b < plan->n_buffers; b++)
            n_scratch += plan->buffers[b].place == SN_PLACE_SCRATCH;
        net_close(&net);
        net_close(&reference);
        sn_text_free(&text);
    }
    print_message("%d graphs: %g from the unfused walk, slopes within %.2g; %d views, %d scratch buffers, %d copies\n",
                  GRAPHS, worst, worst_slope, n_views, n_scratch, n_copies);
    assert_true(n_views > GRAPHS && n_scratch > GRAPHS && n_copies > 0);
    sn_dataset_reset(&data);
}

/* A dense network copies nothing, in either direction; a residual one shares gradients along its blocks. */
static void test_families(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 6);
    static const char *const orders[] = {"pre", "inside"};
    for (int i = 0; i < 4; i++) {
        char network[256];
        test_net net;
        snprintf(network, sizeof network,
                 "{\"depth\": 9, \"width\": 8, \"order\": \"%s\", \"skip\": {\"kind\": \"concat\", \"growth\": 3, "
                 "\"layers_per_block\": %d}}",
                 orders[i % 2], 1 + i / 2);
        net_open(&net, network, &data, SN_F32, NULL);
        const sn_plan *plan = sn_engine_plan(net.engine);
        assert_int_equal(plan->n_copies, 0);
        int n = 0;
        for (int k = 1; k < net.graph.n_nodes; k++) {
            if (net.graph.nodes[k].op->join != SN_JOIN_CONCAT) continue;
            assert_int_equal(plan->edges[plan->first_edge[k]].flow, SN_FLOW_NONE);
            assert_int_equal(plan->edges[plan->first_edge[k] + 1].flow, SN_FLOW_NONE);
            n++;
        }
        assert_int_equal(n, i < 2 ? 8 : 4);
        net_close(&net);
    }
    sn_dataset_reset(&data);
}

static void test_tiles(void **state) {
    (void)state;
    static const size_t batches[] = {1, 8, 9, 64, 65, 128, 512, 513, 60000};
    static const size_t rows[] = {8, 8, 8, 8, 16, 16, 64, 64, 64};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(sn_plan_tile_rows(batches[i]), rows[i]);
}

/* Items cover every parameter once. */
static void test_items(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, 300, OUT, 6);
    test_net net;
    net_open(&net, "{\"depth\": 3, \"width\": 130, \"norm\": \"layer\"}", &data, SN_F32, NULL);
    const sn_plan *plan = sn_engine_plan(net.engine);
    assert_true(plan->n_items > plan->n_params);
    for (int p = 0; p < plan->n_params; p++) {
        const sn_param *param = &net.graph.nodes[plan->params[p].node].params[plan->params[p].index];
        unsigned char *covered = calloc(param->count, 1);
        assert_non_null(covered);
        for (int j = plan->params[p].first_item; j < plan->params[p].first_item + plan->params[p].n_items; j++) {
            const sn_item *item = &plan->items[j];
            assert_int_equal(item->param, p);
            assert_true(item->rows * item->cols <= plan->max_item_elements);
            for (size_t e = 0; e < item->rows * item->cols; e++)
                covered[(item->row + e / item->cols) * param->cols + item->col + e % item->cols]++;
        }
        for (size_t e = 0; e < param->count; e++)
            assert_int_equal(covered[e], 1);
        free(covered);
    }
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
