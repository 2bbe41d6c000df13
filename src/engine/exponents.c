/* Owns the counts of exponents of observed steps.  Every thread adds to counts of its own, which are put together when
 * the step is over: sums of whole numbers do not depend on who counted what. */
#include "engine/internal.h"

static int *new_places(sn_engine *engine, int n) {
    int *places = sn_pool_alloc(&engine->pool, (size_t)n * sizeof *places);
    for (int i = 0; i < n && places; i++)
        places[i] = -1;
    return places;
}

static void take_places(int *place, int *n, int count) {
    if (*place < 0) *place = *n, *n += count;
}

/* The tensors that a node with parameters tells of; two nodes may tell of the same signal. */
static void place_node(sn_engine *engine, int i) {
    sn_counting *counting = &engine->counting;
    const sn_node *node = &engine->graph->nodes[i];
    int w = sn_node_param(node, SN_PARAM_WEIGHT);
    take_places(&counting->of_value[node->inputs[0]], &counting->n, 1);
    take_places(&counting->of_gradient[engine->watch.gradient_of[i]], &counting->n, 1);
    if (w >= 0) take_places(&counting->of_param[engine->plan.first_param[i] + w], &counting->n, SN_N_COUNTED_OF_WEIGHT);
}

/* All counts of all threads, and their tables. */
static bool take_counts(sn_engine *engine) {
    bool is_float = engine->backend->dtype == SN_F32;
    size_t n = (size_t)engine->counting.n, length = is_float ? SN_N_EXPONENTS_F32 : SN_N_EXPONENTS_F64;
    for (int t = 0; t < engine->options.threads; t++) {
        sn_exponents *counts = sn_pool_alloc(&engine->pool, n * sizeof *counts);
        uint64_t *tables = sn_pool_alloc(&engine->pool, n * length * sizeof *tables);
        if (!counts || !tables) return false;
        for (size_t i = 0; i < n; i++) {
            counts[i].counts = tables + i * length;
            counts[i].least = is_float ? SN_LEAST_EXPONENT_F32 : SN_LEAST_EXPONENT_F64;
        }
        engine->workspaces[t].exponents = counts;
    }
    return true;
}

sn_status sn_counting_init(sn_engine *engine, sn_error *error) {
    sn_counting *counting = &engine->counting;
    int n_nodes = engine->graph->n_nodes;
    counting->of_value = new_places(engine, n_nodes);
    counting->of_gradient = new_places(engine, n_nodes);
    counting->of_param = new_places(engine, engine->plan.n_params);
    bool ok = counting->of_value && counting->of_gradient && counting->of_param;
    for (int i = 1; i < n_nodes && ok && engine->options.counts_exponents; i++) {
        if (engine->graph->nodes[i].n_params > 0) place_node(engine, i);
    }
    if (ok && counting->n > 0) ok = take_counts(engine);
    return ok ? SN_OK : sn_error_memory(error, (size_t)counting->n * sizeof(sn_exponents), "counts of exponents");
}

void sn_counting_begin(sn_engine *engine, int thread) {
    for (int i = 0; i < engine->counting.n && engine->observes; i++)
        sn_exponents_clear(&engine->workspaces[thread].exponents[i]);
}

void sn_count_item(const sn_engine *engine, const sn_workspace *workspace, const sn_item *item, sn_counted what,
                   sn_view x, sn_view minus) {
    int place = engine->counting.of_param[item->param];
    if (!engine->observes || place < 0) return;
    engine->backend->count_exponents(&(sn_exponents_call){.rows = item->rows,
                                                          .cols = item->cols,
                                                          .x = x,
                                                          .minus = minus,
                                                          .counts = &workspace->exponents[place + (int)what]});
}

/* Where the counts of what a node tells of are, all threads' together; NULL: it has no such tensor. */
static const sn_exponents *counts_of(const sn_engine *engine, int i, sn_counted what) {
    const sn_counting *counting = &engine->counting;
    const sn_node *node = &engine->graph->nodes[i];
    int w = sn_node_param(node, SN_PARAM_WEIGHT), place;
    if (what == SN_COUNTED_IN) {
        place = counting->of_value[node->inputs[0]];
    } else if (what == SN_COUNTED_DELTA) {
        place = counting->of_gradient[engine->watch.gradient_of[i]];
    } else {
        place = w < 0 ? -1 : counting->of_param[engine->plan.first_param[i] + w] + (int)what;
    }
    return place < 0 ? NULL : &engine->workspaces[0].exponents[place];
}

void sn_counting_collect(sn_engine *engine, sn_observation *observation) {
    for (int t = 1; t < engine->options.threads; t++) {
        for (int i = 0; i < engine->counting.n; i++)
            sn_exponents_merge(&engine->workspaces[0].exponents[i], &engine->workspaces[t].exponents[i]);
    }
    for (int k = 0; k < observation->n_nodes && engine->counting.n > 0; k++) {
        sn_node_sums *sums = &observation->nodes[k];
        for (int what = 0; what < SN_N_COUNTED; what++)
            sums->exponents[what] = counts_of(engine, sums->node, (sn_counted)what);
    }
}
