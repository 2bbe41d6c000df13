/* The plan of random graphs: planned and unfused walks agree, in gradients and in statistics, and with a difference of
 * the loss; buffers that are alive at the same time do not overlap, and nothing is used outside its lifetime. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "engine/profile.h"
#include "ops/table.h"
#include "support/check.h"
#include "support/image_op.h"
#include "support/net.h"
#include "support/random_graph.h"
#include "support/rules.h"
#include "support/toy.h"

enum { GRAPHS = 800, IMAGE_GRAPHS = 300, IN = 4, OUT = 3, SAMPLES = 11, MANY_SAMPLES = 150, MOST_OPS = 100 };

/* Where a slot lies: columns of a buffer. */
static void check_slot(const sn_plan *plan, sn_slot slot, size_t width) {
    assert_true(slot.buffer >= 0 && slot.buffer < plan->n_buffers);
    assert_true(slot.column + width <= plan->buffers[slot.buffer].width);
}

/* A use of a slot: inside the lifetime; by a work item only of what has room for every sample; from a forward time to
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
    int back = sn_time_backward(plan, i), phase = sn_plan_gradient_phase(plan, i);
    int work = phase < plan->n_segments ? plan->segment_ends[phase] - 1 : sn_time_work(plan);
    if (plan->is_apart[i]) return;
    check_use(plan, plan->value[i], node->width, i);
    for (int k = 0; k < node->n_inputs; k++) {
        int x = sn_plan_source(plan, i, k);
        check_use(plan, plan->value[x], nodes[x].width, i);
    }
    if (!node->needs_gradient) return;
    check_use(plan, plan->gradient[i], node->width, back);
    if (node->op->backward_reads & SN_READS_Y) check_use(plan, plan->value[i], node->width, back);
    for (int k = 0; k < node->n_inputs; k++) {
        int x = sn_plan_source(plan, i, k);
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

/* Threads are anywhere in a phase, and in an evaluation anywhere in the forward pass. */
static bool live_in_one_phase(const sn_plan *plan, const sn_buffer *a, const sn_buffer *b) {
    if (plan->options.is_reference) return true;
    if (a->first < sn_time_loss(plan) && b->first < sn_time_loss(plan)) return true;
    return sn_plan_phase(plan, a->first) <= sn_plan_phase(plan, b->last) &&
           sn_plan_phase(plan, b->first) <= sn_plan_phase(plan, a->last);
}

/* Elements of a buffer: in scratch of one panel. */
static size_t extent(const sn_plan *plan, const sn_buffer *buffer) {
    return sn_buffer_panel(buffer) * (buffer->place == SN_PLACE_BATCH ? plan->max_panels : 1);
}

static void check_apart(const sn_plan *plan, int i, int j) {
    const sn_buffer *a = &plan->buffers[i], *b = &plan->buffers[j];
    bool in_batch = a->place == SN_PLACE_BATCH;
    bool meet = a->place == b->place && overlap(a->offset, extent(plan, a), b->offset, extent(plan, b));
    bool both_live = in_batch ? live_in_one_phase(plan, a, b) : a->first <= b->last && b->first <= a->last;
    if (meet && both_live) fail_msg("buffers %d and %d overlap", i, j);
}

/* Buffers that are alive at the same time share no memory, and all lie inside their region. */
static void check_memory(const sn_plan *plan) {
    for (int i = 0; i < plan->n_buffers; i++) {
        const sn_buffer *a = &plan->buffers[i];
        bool in_batch = a->place == SN_PLACE_BATCH;
        assert_int_equal(sn_buffer_panel(a), a->positions * a->width * SN_PANEL);
        assert_true(a->offset % 16 == 0 && a->first >= 0 && a->last >= a->first);
        assert_true(a->offset + extent(plan, a) <= (in_batch ? plan->batch_elements : plan->scratch_elements));
        assert_true(!in_batch || a->offset + extent(plan, a) <= plan->by_sample);
        for (int j = 0; j < i; j++)
            check_apart(plan, i, j);
    }
    size_t input = plan->options.batch * plan->graph->nodes[0].positions * plan->graph->nodes[0].width;
    assert_true(plan->by_sample % 16 == 0 && plan->by_sample + input <= plan->batch_elements);
}

/* What the engine took. */
static size_t region_bytes(const sn_engine *engine) {
    sn_region regions[SN_MAX_REGIONS];
    int n = sn_engine_regions(engine, regions);
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        bytes += regions[i].bytes;
    assert_true(n >= 3);
    return bytes;
}

/* What lives in the scratch memory of a thread is gone when another thread takes the panel in the next segment. */
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
    int n = net->graph.n_nodes;
    for (int i = 1; i < n; i++)
        check_node_uses(plan, i);
    check_use(plan, plan->value[n - 1], net->graph.nodes[n - 1].width, sn_time_loss(plan));
    check_use(plan, plan->gradient[n - 1], net->graph.nodes[n - 1].width, sn_time_loss(plan));
    check_memory(plan);
    check_segments(plan);
    assert_int_equal(sn_plan_bytes(plan, threads, sn_dtype_size(net->backend->dtype)), region_bytes(net->engine));
}

/* The gradient of an activation begins with that of a wider one that goes on from it. */
static void begin(const sn_plan *plan, int x, bool *has_begun) {
    for (; x >= 0; x = plan->grows[x])
        has_begun[x] = true;
}

/* The first write of each gradient is a write or a base from elsewhere, and what is added to has been written. */
static void check_flows(const test_net *net) {
    const sn_plan *plan = sn_engine_plan(net->engine);
    bool has_begun[RANDOM_MOST_NODES] = {false};
    for (int i = net->graph.n_nodes - 1; i > 0; i--) {
        const sn_node *node = &net->graph.nodes[i];
        for (int k = 0; k < node->n_inputs && node->needs_gradient && !plan->is_apart[i]; k++) {
            int x = sn_plan_source(plan, i, k);
            const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
            bool is_own =
                edge->base.buffer == plan->gradient[x].buffer && edge->base.column == plan->gradient[x].column;
            if (edge->flow == SN_FLOW_WRITE) assert_false(has_begun[x]);
            if (edge->flow == SN_FLOW_ADD && is_own) assert_true(has_begun[x]);
            bool begins = edge->flow != SN_FLOW_NONE || plan->gradient[x].buffer == plan->gradient[i].buffer;
            if (begins) begin(plan, x, has_begun);
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
        assert_true(a.nodes[k].units.n == b.nodes[k].units.n);
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

/* ---- groups of tasks ---- */

/* Where the features that the weight of an item multiplies begin; buffer -1: it multiplies none. */
static sn_slot stripe_of(const sn_plan *plan, const sn_item *item) {
    const sn_plan_param *entry = &plan->params[item->param];
    const sn_node *node = &plan->graph->nodes[entry->node];
    const sn_param *param = &node->params[entry->index];
    if (param->route != SN_FROM_BATCH || param->rank == 1) return (sn_slot){-1, 0};
    sn_slot x = plan->value[node->inputs[0]];
    return (sn_slot){x.buffer, x.column + item->col};
}

static bool share(const sn_plan *plan, const sn_task *a, const sn_task *b) {
    const sn_item *i = &plan->items[a->item], *j = &plan->items[b->item];
    sn_slot x = stripe_of(plan, i), y = stripe_of(plan, j);
    return i->phase == j->phase && a->part == b->part && x.buffer >= 0 && x.buffer == y.buffer && x.column == y.column;
}

static double work_of(const sn_plan *plan, const sn_task_group *group) {
    double sum = 0;
    for (int t = group->first; t < group->first + group->n; t++)
        sum += (double)(plan->items[plan->tasks[t].item].rows * plan->items[plan->tasks[t].item].cols);
    return sum;
}

/* The tasks of a group are of its phase and read one stripe, none more of it than the first. */
static void check_group(const sn_plan *plan, const sn_task_group *group, int phase, int *done) {
    const sn_task *tasks = plan->tasks + group->first;
    assert_true(group->n >= 1 && group->n <= 16);
    for (int t = 0; t < group->n; t++) {
        const sn_item *item = &plan->items[tasks[t].item];
        assert_int_equal(item->phase, phase);
        assert_true(!item->is_companion && tasks[t].part < item->n_parts);
        assert_true(t == 0 || (share(plan, &tasks[0], &tasks[t]) && item->cols <= plan->items[tasks[0].item].cols));
        done[tasks[t].item]++;
    }
}

/* Groups that could be one: only where one of them is full. */
static void check_joined(const sn_plan *plan, int n_groups) {
    for (int g = 0; g < n_groups; g++) {
        for (int h = 0; h < g; h++) {
            const sn_task_group *a = &plan->groups[g], *b = &plan->groups[h];
            if (share(plan, &plan->tasks[a->first], &plan->tasks[b->first])) assert_true(a->n == 16 || b->n == 16);
        }
    }
}

/* Every task is in one group, of its phase, and most work comes first.  How many groups have several tasks. */
static int check_groups(const sn_plan *plan) {
    int *done = calloc((unsigned)plan->n_items, sizeof *done), n_shared = 0;
    assert_non_null(done);
    for (int p = 0; p <= plan->n_segments; p++) {
        for (int g = plan->first_group[p]; g < plan->first_group[p + 1]; g++) {
            check_group(plan, &plan->groups[g], p, done);
            bool has_last = g > plan->first_group[p];
            assert_true(!has_last || work_of(plan, &plan->groups[g - 1]) >= work_of(plan, &plan->groups[g]));
            n_shared += plan->groups[g].n > 1;
        }
    }
    check_joined(plan, plan->first_group[plan->n_segments + 1]);
    for (int j = 0; j < plan->n_items; j++)
        assert_int_equal(done[j], plan->items[j].is_companion ? 0 : plan->items[j].n_parts);
    free(done);
    return n_shared;
}

/* Of a dense network every layer reads what all before it wrote: one thread does what multiplies the same columns; 64
 * columns are a stripe, and sixteen items a group. */
static void test_shared_stripes(void **state) {
    (void)state;
    test_graph net = graph_open("{\"depth\": 40, \"width\": 64, \"order\": \"inside\", "
                                "\"skip\": {\"kind\": \"concat\", \"growth\": 8}}");
    sn_plan plan;
    sn_error error;
    assert_int_equal(sn_plan_build(&plan, &net.graph, &(sn_plan_options){.batch = 100}, &error), SN_OK);
    int n_shared = check_groups(&plan), largest = 0;
    for (int g = 0; g < plan.first_group[plan.n_segments + 1]; g++)
        largest = plan.groups[g].n > largest ? plan.groups[g].n : largest;
    assert_true(n_shared >= 8);
    assert_int_equal(largest, 16);
    sn_plan_reset(&plan);
    graph_close(&net);
}

/* ---- random graphs ---- */

/* What the graphs of a test had in them. */
typedef struct tally {
    double worst, worst_slope;
    int n_copies, n_views, n_scratch, n_grouped, n_shared, n_grown;
    bool has_op[MOST_OPS];
} tally;

static void count(tally *t, const test_net *net, const test_net *reference, int threads) {
    const sn_plan *plan = sn_engine_plan(net->engine);
    t->n_copies += plan->n_copies;
    t->n_views += sn_engine_plan(reference->engine)->n_buffers - plan->n_buffers;
    t->n_grouped += sn_plan_group_panels(plan, threads) > 1;
    for (int b = 0; b < plan->n_buffers; b++)
        t->n_scratch += plan->buffers[b].place == SN_PLACE_SCRATCH;
    for (int i = 1; i < net->graph.n_nodes; i++)
        t->n_grown += plan->grows[i] >= 0;
    for (int i = 1; i < net->graph.n_nodes; i++)
        t->has_op[sn_op_index(net->graph.nodes[i].op)] = true;
}

static void check_all_drawn(const tally *t) {
    for (size_t i = 0; sn_ops[i]; i++) {
        assert_true(i < MOST_OPS);
        if (!t->has_op[i]) fail_msg("tests/support/random_graph.c draws no %s: add it there", sn_ops[i]->kind.name);
    }
}

/* Every third graph has ops with a bend, whose slope is not looked at; every fourth batch has so many panels that a
 * thread walks several at once, and the others end with few and with many idle lanes; every fifth graph has layers of
 * several stripes; every fourth begins with a dense network. */
static void check_graph(const sn_dataset *data, uint64_t seed, tally *t) {
    bool is_smooth = seed % 3 != 0, is_wide = seed % 5 == 0;
    random_limits limits = {.in = IN,
                            .out = OUT,
                            .most_units = is_wide ? 40 : 5,
                            .most_width = is_wide ? 100 : 20,
                            .is_smooth = is_smooth,
                            .is_dense = seed % 4 == 3,
                            .images = data->shape.rank == 3 ? RANDOM_OF_INPUT : RANDOM_NO_IMAGES,
                            .image = data->shape};
    sn_text text = random_graph(seed, &limits);
    test_net net, reference;
    static const size_t batches[] = {MANY_SAMPLES, SAMPLES, 24, 37};
    size_t batch = batches[seed / 2 % 4];
    sn_engine_options unfused = {.batch = batch, .is_reference = true, .keeps_gradients = true};
    sn_engine_options planned = {.batch = batch,
                                 .keeps_gradients = true,
                                 .threads = 1 + (int)(seed % 2),
                                 .rule = rule_of(seed % 3 ? "{\"momentum\": 0.5}" : NULL),
                                 .cut_every = seed % 3 ? 0 : 1 + (int)(seed % 5)};
    net_open(&net, sn_text_string(&text), data, SN_F64, &planned);
    net_open(&reference, sn_text_string(&text), data, SN_F64, &unfused);
    net_randomize(&reference, seed);
    net_copy_weights(&net, &reference);
    check_plan(&net, planned.threads);
    check_plan(&reference, 1);
    check_flows(&net);
    t->n_shared += check_groups(sn_engine_plan(net.engine));
    check_observations(&net, &reference, seed);
    double distance = net_gradient_distance(&net, &reference);
    if (!(distance <= 1e-12)) fail_msg("graph %d: %g\n%s", (int)seed, distance, sn_text_string(&text));
    t->worst = fmax(t->worst, distance);
    if (is_smooth) t->worst_slope = fmax(t->worst_slope, check_slope(&net, seed));
    count(t, &net, &reference, planned.threads);
    net_close(&net);
    net_close(&reference);
    sn_text_free(&text);
}

/* A reader of the narrow activation behind the concat sends back what is not the concat's. */
static void test_late_reader(void **state) {
    (void)state;
    static const char network[] =
        "{\"layers\": [{\"op\": \"linear\", \"label\": \"p\", \"units\": 12}, {\"op\": \"tanh\", \"label\": \"a\"},"
        "{\"op\": \"linear\", \"label\": \"f\", \"units\": 5},"
        "{\"op\": \"concat\", \"label\": \"c\", \"inputs\": [\"p\", \"f\"]}, {\"op\": \"tanh\", \"label\": \"b\"},"
        "{\"op\": \"linear\", \"label\": \"h\", \"units\": 7, \"inputs\": [\"a\"]},"
        "{\"op\": \"linear\", \"label\": \"g\", \"units\": 7, \"inputs\": [\"b\"]},"
        "{\"op\": \"add\", \"inputs\": [\"h\", \"g\"]}, {\"op\": \"linear\", \"units\": 3}]}";
    sn_dataset data = toy_classes(MANY_SAMPLES, IN, OUT, 6);
    sn_engine_options unfused = {.batch = MANY_SAMPLES, .is_reference = true, .keeps_gradients = true};
    sn_engine_options planned = {.batch = MANY_SAMPLES, .keeps_gradients = true};
    test_net net, reference;
    net_open(&net, network, &data, SN_F64, &planned);
    net_open(&reference, network, &data, SN_F64, &unfused);
    net_randomize(&reference, 1);
    net_copy_weights(&net, &reference);
    check_observations(&net, &reference, 1);
    net_close(&net);
    net_close(&reference);
    sn_dataset_reset(&data);
}

static void test_random_graphs(void **state) {
    (void)state;
    sn_dataset data = toy_classes(MANY_SAMPLES, IN, OUT, 6);
    tally t = {0};
    for (uint64_t seed = 1; seed <= GRAPHS; seed++)
        check_graph(&data, seed, &t);
    print_message(
        "%d graphs: %g from the unfused walk, slopes within %.2g; %d views, %d scratch buffers, %d copies, %d "
        "with groups of panels, %d shared stripes, %d activations that go on\n",
        GRAPHS, t.worst, t.worst_slope, t.n_views, t.n_scratch, t.n_copies, t.n_grouped, t.n_shared, t.n_grown);
    assert_true(t.n_views > GRAPHS && t.n_scratch > GRAPHS && t.n_copies > 0);
    assert_true(t.n_grouped > GRAPHS / 5 && t.n_shared > GRAPHS / 5 && t.n_grown > GRAPHS / 5);
    sn_dataset_reset(&data);
}

/* The same of images, odd and even. */
static void test_random_images(void **state) {
    (void)state;
    static const sn_shape shapes[] = {{3, {4, 3, 2}}, {3, {5, 5, 1}}, {3, {1, 6, 3}}};
    tally t = {0};
    for (int k = 0; k < 3; k++) {
        sn_dataset data = toy_images(MANY_SAMPLES, shapes[k], OUT, 6);
        for (uint64_t seed = 1; seed <= IMAGE_GRAPHS / 3; seed++)
            check_graph(&data, 1000 * (uint64_t)k + seed, &t);
        sn_dataset_reset(&data);
    }
    print_message("%d graphs: %g from the unfused walk, slopes within %.2g; %d views, %d scratch buffers, %d shared "
                  "stripes, %d activations that go on\n",
                  IMAGE_GRAPHS, t.worst, t.worst_slope, t.n_views, t.n_scratch, t.n_shared, t.n_grown);
    assert_true(t.n_views > IMAGE_GRAPHS && t.n_scratch > IMAGE_GRAPHS && t.n_grown > 0);
    check_all_drawn(&t);
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

/* The panels of a group are a thread's share of the batch, eight at most, and one in the unfused walk. */
static void test_group_panels(void **state) {
    (void)state;
    static const struct {
        size_t batch;
        int threads;
        size_t panels, group;
    } cases[] = {{1, 1, 1, 1},   {16, 1, 1, 1},  {17, 1, 2, 2},   {17, 2, 2, 1},    {33, 2, 3, 2},
                 {128, 1, 8, 8}, {128, 3, 8, 3}, {300, 2, 19, 8}, {300, 64, 19, 1}, {60000, 4, 3750, 8}};
    test_graph net = graph_open("{\"depth\": 2, \"width\": 4}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_plan plan, unfused;
        sn_error error;
        sn_plan_options options = {.batch = cases[i].batch},
                        reference = {.batch = cases[i].batch, .is_reference = true};
        assert_int_equal(sn_plan_build(&plan, &net.graph, &options, &error), SN_OK);
        assert_int_equal(sn_plan_build(&unfused, &net.graph, &reference, &error), SN_OK);
        assert_int_equal(plan.max_panels, cases[i].panels);
        assert_int_equal(sn_plan_group_panels(&plan, cases[i].threads), cases[i].group);
        assert_int_equal(sn_plan_group_panels(&unfused, cases[i].threads), 1);
        sn_plan_reset(&plan);
        sn_plan_reset(&unfused);
    }
    graph_close(&net);
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

/* Planning takes its time in proportion to the depth, with as many segments. */
static void test_deep(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 6);
    test_net net;
    clock_t begin = clock();
    net_open(&net, "{\"depth\": 1500, \"width\": 2, \"norm\": \"batch\", \"skip\": \"add\"}", &data, SN_F32, NULL);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    assert_true(sn_engine_plan(net.engine)->n_segments > 1500);
    if (seconds > 20) fail_msg("%.0f s for a plan of depth 1500", seconds);
    net_close(&net);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_reader), cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_random_images),
        cmocka_unit_test(test_families),    cmocka_unit_test(test_group_panels),  cmocka_unit_test(test_shared_stripes),
        cmocka_unit_test(test_items),       cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
