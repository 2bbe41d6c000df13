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

static void index_nodes(sn_engine *engine) {
    sn_watch *watch = &engine->watch;
    const sn_node *nodes = engine->graph->nodes;
    for (int i = 1; i < engine->graph->n_nodes; i++) {
        if (nodes[i].n_params == 0) continue;
        watch->node_index[i] = watch->n_nodes++;
        int carried = nodes[i].carried_at, x = nodes[i].inputs[0];
        if (watch->carried_index[carried] < 0) watch->carried_index[carried] = watch->n_carried++;
        bool is_activation = x > 0 && nodes[x].op->is_activation;
        if (is_activation && watch->saturated_index[x] < 0) watch->saturated_index[x] = watch->n_saturated++;
    }
}

static bool take_tile(sn_engine *engine, sn_tile_signals *tile) {
    const sn_watch *watch = &engine->watch;
    size_t sums = 3 * (size_t)watch->n_nodes + (size_t)watch->n_carried;
    sn_tensor_sums *all = sn_pool_alloc(&engine->pool, sums * sizeof *all);
    tile->saturated = sn_pool_alloc(&engine->pool, ((size_t)watch->n_saturated + 1) * sizeof *tile->saturated);
    tile->output = all;
    if (!all || !tile->saturated) return false;
    tile->delta = all + watch->n_nodes;
    tile->input = tile->delta + watch->n_nodes;
    tile->carried = tile->input + watch->n_nodes;
    return true;
}

sn_status sn_watch_init(sn_engine *engine, sn_error *error) {
    sn_watch *watch = &engine->watch;
    watch->node_index = new_indices(engine);
    watch->carried_index = new_indices(engine);
    watch->saturated_index = new_indices(engine);
    watch->tiles = sn_pool_alloc(&engine->pool, engine->plan.max_tiles * sizeof *watch->tiles);
    bool ok = watch->node_index && watch->carried_index && watch->saturated_index && watch->tiles;
    if (ok) index_nodes(engine);
    for (size_t t = 0; t < engine->plan.max_tiles && ok; t++)
        ok = take_tile(engine, &watch->tiles[t]);
    return ok ? SN_OK : sn_error_memory(error, (size_t)watch->n_nodes * sizeof(sn_tensor_sums), "observations");
}

static void collect_signals(const sn_engine *engine, sn_node_sums *sums, const sn_tile_signals *tile) {
    const sn_watch *watch = &engine->watch;
    const sn_node *node = &engine->graph->nodes[sums->node];
    int own = watch->node_index[sums->node], carried = watch->carried_index[node->carried_at];
    int saturated = watch->saturated_index[node->inputs[0]];
    sn_tensor_sums_merge(&sums->output, &tile->output[own]);
    sn_tensor_sums_merge(&sums->delta, &tile->delta[own]);
    sn_tensor_sums_merge(&sums->input, &tile->input[own]);
    sn_tensor_sums_merge(&sums->carried, &tile->carried[carried]);
    if (saturated >= 0) sums->saturated += tile->saturated[saturated];
}

static void collect_items(const sn_engine *engine, sn_node_sums *sums, sn_observation *observation) {
    const sn_plan *plan = &engine->plan;
    const sn_node *node = &engine->graph->nodes[sums->node];
    for (int p = 0; p < node->n_params; p++) {
        const sn_plan_param *param = &plan->params[plan->first_param[sums->node] + p];
        for (int j = param->first_item; j < param->first_item + param->n_items; j++) {
            const sn_item_result *item = &engine->items[j];
            sn_tensor_sums_merge(p == 0 ? &sums->gradient : &sums->bias_gradient, &item->gradient);
            if (p == 0) sn_tensor_sums_merge(&sums->weight, &item->weight);
            if (p == 0) sn_change_sums_merge(&sums->change, &item->change);
            sn_sumsq_merge(&observation->gradient, item->gradient.squares);
            sn_change_sums_merge(&observation->change, &item->change);
        }
    }
}

void sn_observe_collect(sn_engine *engine, sn_observation *observation) {
    size_t n_tiles = sn_tile_count(engine, engine->step->batch.rows);
    observation->rows = engine->step->batch.rows;
    observation->gradient = (sn_sumsq){0, 0};
    observation->change = (sn_change_sums){0};
    observation->nonfinite = sn_count_nonfinite(engine);
    for (int k = 0; k < observation->n_nodes; k++) {
        sn_node_sums *sums = &observation->nodes[k];
        int x = engine->graph->nodes[sums->node].inputs[0];
        *sums = (sn_node_sums){.node = sums->node, .saturated = engine->watch.saturated_index[x] < 0 ? -1 : 0};
        for (size_t t = 0; t < n_tiles; t++)
            collect_signals(engine, sums, &engine->watch.tiles[t]);
        collect_items(engine, sums, observation);
    }
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
