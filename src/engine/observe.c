/* Owns observations: what is watched during a walk, and the merging of panels and items in their fixed order.
 *
 * A sum of a signal is a row of `sum_rows`: a member of sn_node_sums, how it is looked at (a row of sn_looks) and of
 * which node. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"

/* ---- who passes gradients on ---- */

static bool is_passed_on(const sn_engine *engine, int i, int reader) {
    const sn_node *node = &engine->graph->nodes[reader];
    sn_slot own = engine->plan.gradient[i], passed = engine->plan.gradient[reader];
    int k = 0;
    while (node->inputs[k] != i)
        k++;
    bool is_unchanged = node->op->pass_factor && node->op->pass_factor(node, k) == 1;
    return is_unchanged && node->op->join != SN_JOIN_CONCAT && own.buffer == passed.buffer &&
           own.column == passed.column;
}

static int gradient_of(const sn_engine *engine, int i) {
    const sn_node *nodes = engine->graph->nodes;
    while (nodes[i].n_readers == 1 && is_passed_on(engine, i, nodes[i].readers[0]))
        i = nodes[i].readers[0];
    return i;
}

/* ---- ways of looking ---- */

static size_t signal_size(const sn_node *node) {
    (void)node;
    return sizeof(sn_signal_sums);
}

static sn_signal_sums sums_of(const sn_engine *engine, const sn_op_call *call, sn_view signal) {
    sn_matrices all = sn_matrices_of(signal, call->blocks, call->width, call->lanes);
    sn_signal_sums sums = engine->backend->signal_sums(all.first, all.rows, all.cols);
    for (size_t k = 1; k < all.n; k++) {
        sn_signal_sums more = engine->backend->signal_sums(sn_matrix(engine, &all, k), all.rows, all.cols);
        sn_signal_sums_merge(&sums, &more);
    }
    return sums;
}

static void take_value(const sn_engine *engine, const sn_op_call *call, void *left) {
    *(sn_signal_sums *)left = sums_of(engine, call, call->y);
}

static void take_gradient(const sn_engine *engine, const sn_op_call *call, void *left) {
    *(sn_signal_sums *)left = sums_of(engine, call, call->dy);
}

static void merge_signal(const sn_node *node, void *left, size_t n_panels, void *sum) {
    const sn_signal_sums *panels = left;
    sn_signal_sums *all = sum;
    (void)node;
    *all = panels[0];
    for (size_t p = 1; p < n_panels; p++)
        sn_signal_sums_merge(all, &panels[p]);
}

static const sn_op_kernels *kernels_of(const sn_engine *engine, const sn_op_call *call) {
    return engine->bindings[call->node - engine->graph->nodes].kernels;
}

static size_t count_size(const sn_node *node) {
    (void)node;
    return sizeof(double);
}

static void take_saturated(const sn_engine *engine, const sn_op_call *call, void *left) {
    *(double *)left = (double)kernels_of(engine, call)->saturated(call);
}

static void merge_count(const sn_node *node, void *left, size_t n_panels, void *sum) {
    const double *panels = left;
    double *all = sum;
    (void)node;
    *all = 0;
    for (size_t p = 0; p < n_panels; p++)
        *all += panels[p];
}

static size_t units_size(const sn_node *node) {
    return node->width;
}

static void take_awake(const sn_engine *engine, const sn_op_call *call, void *left) {
    memset(left, 0, call->node->width);
    kernels_of(engine, call)->wake(call, left);
}

/* A unit is silent if no panel saw it awake. */
static void merge_awake(const sn_node *node, void *left, size_t n_panels, void *sum) {
    unsigned char *awake = left;
    sn_unit_sums *units = sum;
    *units = (sn_unit_sums){.n = (double)node->width};
    for (size_t p = 1; p < n_panels; p++) {
        for (size_t c = 0; c < node->width; c++)
            awake[c] |= awake[p * node->width + c];
    }
    for (size_t c = 0; c < node->width; c++)
        units->silent += !awake[c];
}

enum { VALUE, GRADIENT, SATURATED, AWAKE, N_LOOKS };

const sn_look sn_looks[] = {
    [VALUE] = {SN_BEHIND_FORWARD, signal_size, take_value, merge_signal},
    [GRADIENT] = {SN_BEFORE_BACKWARD, signal_size, take_gradient, merge_signal},
    [SATURATED] = {SN_BEHIND_FORWARD, count_size, take_saturated, merge_count},
    [AWAKE] = {SN_BEHIND_FORWARD, units_size, take_awake, merge_awake},
    [N_LOOKS] = {.take = NULL},
};

/* ---- sums ---- */

/* The node that is looked at for node i, which has parameters; -1: none. */

static int itself(const sn_engine *engine, int i) {
    (void)engine;
    return i;
}

static int input(const sn_engine *engine, int i) {
    return engine->graph->nodes[i].inputs[0];
}

static int delta(const sn_engine *engine, int i) {
    return engine->watch.gradient_of[i];
}

static int carried(const sn_engine *engine, int i) {
    return engine->watch.gradient_of[engine->graph->nodes[i].carried_at];
}

static int input_activation(const sn_engine *engine, int i) {
    int x = input(engine, i);
    return x > 0 && engine->graph->nodes[x].op->is_activation ? x : -1;
}

static int input_with_silence(const sn_engine *engine, int i) {
    int x = input(engine, i);
    return x > 0 && engine->bindings[x].kernels->wake ? x : -1;
}

static const struct {
    int look;
    int (*node)(const sn_engine *engine, int i);
    size_t place; /* in sn_node_sums */
} sum_rows[] = {
    {VALUE, itself, offsetof(sn_node_sums, output)},
    {VALUE, input, offsetof(sn_node_sums, input)},
    {GRADIENT, delta, offsetof(sn_node_sums, delta)},
    {GRADIENT, carried, offsetof(sn_node_sums, carried)},
    {SATURATED, input_activation, offsetof(sn_node_sums, saturated)},
    {AWAKE, input_with_silence, offsetof(sn_node_sums, units)},
};
enum { N_SUM_ROWS = sizeof sum_rows / sizeof *sum_rows };

/* Takes room for what the panels of node i leave, once. */
static bool watch_node(sn_engine *engine, int look, int i) {
    unsigned char **left = sn_watch_left(engine, &sn_looks[look], i);
    if (*left) return true;
    *left = sn_pool_alloc(&engine->pool, engine->plan.max_panels * sn_looks[look].size(&engine->graph->nodes[i]));
    return *left != NULL;
}

static bool watch_sums(sn_engine *engine, int i) {
    bool ok = true;
    for (int s = 0; s < N_SUM_ROWS && ok; s++) {
        int node = sum_rows[s].node(engine, i);
        if (node >= 0) ok = watch_node(engine, sum_rows[s].look, node);
    }
    return ok;
}

sn_status sn_watch_init(sn_engine *engine, sn_error *error) {
    sn_watch *watch = &engine->watch;
    size_t n = (size_t)engine->graph->n_nodes;
    watch->gradient_of = sn_pool_alloc(&engine->pool, n * sizeof *watch->gradient_of);
    watch->left = sn_pool_alloc(&engine->pool, N_LOOKS * n * sizeof *watch->left);
    bool ok = watch->gradient_of && watch->left;
    for (size_t k = 0; k < N_LOOKS * n && ok; k++)
        watch->left[k] = NULL;
    for (int i = 0; i < (int)n && ok; i++)
        watch->gradient_of[i] = i > 0 && engine->graph->nodes[i].needs_gradient ? gradient_of(engine, i) : -1;
    for (int i = 1; i < (int)n && ok; i++) {
        if (engine->graph->nodes[i].n_params > 0) ok = watch_sums(engine, i);
    }
    return ok ? SN_OK : sn_error_memory(error, n * engine->plan.max_panels * sizeof(sn_signal_sums), "observations");
}

static void collect_signals(const sn_engine *engine, sn_node_sums *to) {
    size_t n_panels = sn_panels(engine->step->batch.rows);
    for (int s = 0; s < N_SUM_ROWS; s++) {
        int node = sum_rows[s].node(engine, to->node);
        if (node < 0) continue;
        const sn_look *look = &sn_looks[sum_rows[s].look];
        unsigned char *left = *sn_watch_left(engine, look, node);
        look->merge(&engine->graph->nodes[node], left, n_panels, (char *)to + sum_rows[s].place);
    }
}

/* ---- tensors ---- */

/* What an item of a parameter adds to the sums of its node. */
static void add_item(sn_node_sums *sums, sn_param_kind kind, const sn_item_result *item) {
    if (kind == SN_PARAM_BIAS) sn_tensor_sums_merge(&sums->bias_gradient, &item->gradient);
    if (kind != SN_PARAM_WEIGHT) return;
    sn_tensor_sums_merge(&sums->gradient, &item->gradient);
    sn_sumsq_merge(&sums->weight, item->weight);
    sn_change_sums_merge(&sums->change, &item->change);
}

static void collect_items(const sn_engine *engine, sn_node_sums *sums, sn_observation *observation) {
    const sn_plan *plan = &engine->plan;
    const sn_node *node = &engine->graph->nodes[sums->node];
    for (int p = 0; p < node->n_params; p++) {
        const sn_plan_param *param = &plan->params[plan->first_param[sums->node] + p];
        for (int j = param->first_item; j < param->first_item + param->n_items; j++) {
            const sn_item_result *item = &engine->items[j];
            add_item(sums, node->params[p].kind, item);
            sn_sumsq_merge(&observation->gradient, item->gradient.squares);
            sn_change_sums_merge(&observation->change, &item->change);
        }
    }
}

void sn_observe_collect(sn_engine *engine, sn_observation *observation) {
    observation->rows = engine->step->batch.rows;
    observation->gradient = (sn_sumsq){0, 0};
    observation->change = (sn_change_sums){0};
    observation->nonfinite = sn_count_nonfinite(engine);
    for (int k = 0; k < observation->n_nodes; k++) {
        sn_node_sums *sums = &observation->nodes[k];
        *sums = (sn_node_sums){.node = sums->node, .saturated = -1};
        collect_signals(engine, sums);
        collect_items(engine, sums, observation);
    }
    sn_counting_collect(engine, observation);
}

sn_status sn_observation_new(sn_observation *observation, const sn_graph *graph, sn_error *error) {
    *observation = (sn_observation){0};
    size_t n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].n_params > 0;
    observation->nodes = calloc(n, sizeof *observation->nodes);
    if (!observation->nodes) return sn_error_memory(error, n * sizeof *observation->nodes, "observations");
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i].n_params > 0) observation->nodes[observation->n_nodes++].node = i;
    }
    return SN_OK;
}

void sn_observation_reset(sn_observation *observation) {
    free(observation->nodes);
    *observation = (sn_observation){0};
}
