/* Owns observations: what is watched during a walk, and the merging of tiles and items in their fixed order. */
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"

static int *new_indices(sn_engine *engine) {
    size_t n = (size_t)engine->graph->n_nodes;
    int *indices = sn_pool_alloc(&engine->pool, n * sizeof *indices);
    for (size_t i = 0; i < n && indices; i++)
        indices[i] = -1;
    return indices;
}

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

static void take_place(int *index, int *n) {
    if (*index < 0) *index = (*n)++;
}

static void index_nodes(sn_engine *engine) {
    sn_watch *watch = &engine->watch;
    const sn_node *nodes = engine->graph->nodes;
    for (int i = 1; i < engine->graph->n_nodes; i++) {
        int x = nodes[i].inputs[0];
        if (nodes[i].needs_gradient) watch->gradient_of[i] = gradient_of(engine, i);
        if (nodes[i].n_params == 0) continue;
        take_place(&watch->value_index[i], &watch->n_values);
        take_place(&watch->value_index[x], &watch->n_values);
        take_place(&watch->gradient_index[gradient_of(engine, i)], &watch->n_gradients);
        take_place(&watch->gradient_index[gradient_of(engine, nodes[i].carried_at)], &watch->n_gradients);
        if (x > 0 && nodes[x].op->is_activation) take_place(&watch->saturated_index[x], &watch->n_saturated);
    }
}

static void *take_sums(sn_engine *engine, int n, size_t size) {
    return sn_pool_alloc(&engine->pool, ((size_t)n * engine->plan.max_tiles + 1) * size);
}

sn_status sn_watch_init(sn_engine *engine, sn_error *error) {
    sn_watch *watch = &engine->watch;
    watch->value_index = new_indices(engine);
    watch->gradient_index = new_indices(engine);
    watch->gradient_of = new_indices(engine);
    watch->saturated_index = new_indices(engine);
    bool ok = watch->value_index && watch->gradient_index && watch->gradient_of && watch->saturated_index;
    if (ok) index_nodes(engine);
    if (ok) watch->values = take_sums(engine, watch->n_values, sizeof *watch->values);
    if (ok) watch->gradients = take_sums(engine, watch->n_gradients, sizeof *watch->gradients);
    if (ok) watch->saturated = take_sums(engine, watch->n_saturated, sizeof *watch->saturated);
    size_t sums = (size_t)(watch->n_values + watch->n_gradients) * engine->plan.max_tiles;
    ok = ok && watch->values && watch->gradients && watch->saturated;
    return ok ? SN_OK : sn_error_memory(error, sums * sizeof(sn_signal_sums), "observations");
}

static sn_signal_sums merged(const sn_engine *engine, const sn_signal_sums *sums, int index) {
    size_t n_tiles = sn_tile_count(engine, engine->step->batch.rows);
    const sn_signal_sums *tiles = sums + (size_t)index * engine->plan.max_tiles;
    sn_signal_sums all = tiles[0];
    for (size_t t = 1; t < n_tiles; t++)
        sn_signal_sums_merge(&all, &tiles[t]);
    return all;
}

static void collect_signals(const sn_engine *engine, sn_node_sums *sums) {
    const sn_watch *watch = &engine->watch;
    const sn_node *node = &engine->graph->nodes[sums->node];
    int x = node->inputs[0], saturated = watch->saturated_index[x];
    int delta = watch->gradient_of[sums->node], carried = watch->gradient_of[node->carried_at];
    sums->output = merged(engine, watch->values, watch->value_index[sums->node]);
    sums->input = merged(engine, watch->values, watch->value_index[x]);
    sums->delta = merged(engine, watch->gradients, watch->gradient_index[delta]);
    sums->carried = carried == delta ? sums->delta : merged(engine, watch->gradients, watch->gradient_index[carried]);
    sums->saturated = saturated < 0 ? -1 : 0;
    for (size_t t = 0; t < sn_tile_count(engine, engine->step->batch.rows) && saturated >= 0; t++)
        sums->saturated += watch->saturated[(size_t)saturated * engine->plan.max_tiles + t];
}

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
        *sums = (sn_node_sums){.node = sums->node};
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
