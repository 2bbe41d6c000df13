/* Owns the engine's memory and its steps. */
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/backend.h"
#include "engine/guard.h"
#include "engine/internal.h"
#include "ops/objective.h"
#include "ops/table.h"

/* A network that takes more looks ahead: below, the caches do without, and asking costs 5 % of a step. */
#define MOST_CACHED ((size_t)16 << 20)

void sn_engine_plan_options(sn_plan_options *plan, const sn_engine_options *options) {
    *plan = (sn_plan_options){.batch = options->batch,
                              .is_reference = options->is_reference,
                              .n_slots = sn_slot_count(options->rule.slots),
                              .keeps_gradients = options->keeps_gradients || options->clip_norm > 0,
                              .cut_every = options->cut_every};
}

static sn_status take_regions(sn_engine *e, sn_error *error) {
    const sn_plan *plan = &e->plan;
    size_t real_size = e->real_size, threads = (size_t)e->options.threads;
    size_t partials = plan->partial_doubles * plan->max_panels * sizeof(double);
    size_t totals = threads * plan->total_doubles * sizeof(double);
    size_t scratch = threads * (e->group_panels * plan->scratch_elements + sn_plan_item_elements(plan));
    sn_status status = sn_arena_init(&e->batch, plan->batch_elements * real_size, "signals", error);
    if (!status) status = sn_arena_init(&e->params, plan->param_elements * real_size, "parameters", error);
    if (!status) status = sn_arena_init(&e->states, plan->state_elements * real_size, "states", error);
    for (int k = 0; k < SN_MAX_SLOTS && !status; k++) {
        size_t elements = sn_rule_has_slot(&e->options.rule, k) ? plan->param_elements : 0;
        status = sn_arena_init(&e->slots[k], elements * real_size, "state of the optimizer", error);
    }
    if (!status) status = sn_arena_init(&e->gradients, plan->gradient_elements * real_size, "gradients", error);
    if (!status) status = sn_arena_init(&e->parts, plan->part_elements * real_size, "parts of gradients", error);
    if (!status) status = sn_arena_init(&e->partials, partials, "partial sums", error);
    if (!status) status = sn_arena_init(&e->totals, totals, "sums", error);
    if (!status) status = sn_arena_init(&e->scratch, scratch * real_size, "scratch", error);
    if (status) return status;
    memset(e->params.base, 0, e->params.size);
    for (int k = 0; k < SN_MAX_SLOTS; k++)
        memset(e->slots[k].base, 0, e->slots[k].size);
    return SN_OK;
}

/* At least 1. */
static size_t most_inputs(const sn_graph *graph) {
    int most = 1;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i].n_inputs > most) most = graph->nodes[i].n_inputs;
    }
    return (size_t)most;
}

static size_t most_params(const sn_graph *graph) {
    int most = 1;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i].n_params > most) most = graph->nodes[i].n_params;
    }
    return (size_t)most;
}

/* Of a panel of the widest node that is apart. */
static size_t observed_elements(const sn_engine *e) {
    size_t most = 0;
    for (int i = 0; i < e->graph->n_nodes; i++) {
        const sn_node *node = &e->graph->nodes[i];
        size_t elements = node->positions * node->width * SN_PANEL;
        if (e->plan.is_apart[i] && elements > most) most = elements;
    }
    return most;
}

static sn_status take_workspaces(sn_engine *e, sn_error *error) {
    size_t threads = (size_t)e->options.threads, inputs = most_inputs(e->graph);
    size_t walk = e->group_panels * e->plan.scratch_elements, per_thread = walk + sn_plan_item_elements(&e->plan);
    size_t item = e->plan.max_item_elements * e->real_size;
    e->workspaces = sn_pool_alloc(&e->pool, threads * sizeof *e->workspaces);
    for (size_t t = 0; t < threads && e->workspaces; t++) {
        sn_workspace *w = &e->workspaces[t];
        w->scratch = e->scratch.base + t * per_thread * e->real_size;
        w->gradient = w->scratch + walk * e->real_size;
        w->old_weight = w->gradient + item;
        for (int k = 0; k < SN_MAX_SLOTS; k++)
            w->old_slots[k] = w->old_weight + (1 + (size_t)sn_slot_place(e->options.rule.slots, k)) * item;
        w->stripe.data = w->old_weight + (1 + (size_t)e->plan.options.n_slots) * item;
        w->totals = (double *)(void *)e->totals.base + t * e->plan.total_doubles;
        w->observed = sn_pool_alloc(&e->pool, observed_elements(e) * e->real_size + 1);
        w->x = sn_pool_alloc(&e->pool, inputs * sizeof *w->x);
        w->dx = sn_pool_alloc(&e->pool, inputs * sizeof *w->dx);
        w->base = sn_pool_alloc(&e->pool, inputs * sizeof *w->base);
        w->partials = sn_pool_alloc(&e->pool, most_params(e->graph) * sizeof *w->partials);
        if (!w->observed || !w->x || !w->dx || !w->base || !w->partials) e->workspaces = NULL;
    }
    return e->workspaces ? SN_OK : sn_error_memory(error, threads * inputs * sizeof(sn_view), "workspaces");
}

/* "LABEL.NAME" and what follows in the engine's pool; NULL when out of memory. */
static char *tensor_name(sn_engine *e, const sn_node *node, const sn_param *param, const char *suffix) {
    size_t length = strlen(node->label) + strlen(param->name) + strlen(suffix) + 2;
    char *name = sn_pool_alloc(&e->pool, length);
    if (name) snprintf(name, length, "%s.%s%s", node->label, param->name, suffix);
    return name;
}

/* As PyTorch calls them. */
static bool set_slot_names(sn_engine *e, int p, const sn_node *node, const sn_param *param) {
    const sn_update_rule *rule = &e->options.rule;
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        if (!sn_rule_has_slot(rule, k)) continue;
        char suffix[64];
        snprintf(suffix, sizeof suffix, ".%s", rule->optimizer->slots[k]);
        e->slot_names[k][p] = tensor_name(e, node, param, suffix);
        if (!e->slot_names[k][p]) return false;
    }
    return true;
}

static bool set_param_tables(sn_engine *e) {
    for (int p = 0; p < e->plan.n_params; p++) {
        const sn_plan_param *entry = &e->plan.params[p];
        const sn_node *node = &e->graph->nodes[entry->node];
        const sn_param *param = &node->params[entry->index];
        e->param_pointers[p] = e->params.base + entry->offset * e->real_size;
        e->tensor_names[p] = tensor_name(e, node, param, "");
        if (!e->tensor_names[p] || !set_slot_names(e, p, node, param)) return false;
    }
    return true;
}

static bool set_state_tables(sn_engine *e) {
    for (int i = 0; i < e->plan.n_states; i++) {
        const sn_plan_state *entry = &e->plan.states[i];
        const sn_node *node = &e->graph->nodes[entry->node];
        e->state_pointers[i] = e->states.base + entry->offset * e->real_size;
        e->state_names[i] = tensor_name(e, node, &node->states[entry->index], "");
        if (!e->state_names[i]) return false;
    }
    return true;
}

static sn_status take_tables(sn_engine *e, sn_error *error) {
    const sn_plan *plan = &e->plan;
    size_t n = (size_t)plan->n_params, n_states = (size_t)plan->n_states + 1;
    e->param_pointers = sn_pool_alloc(&e->pool, n * sizeof *e->param_pointers);
    e->tensor_names = sn_pool_alloc(&e->pool, n * sizeof *e->tensor_names);
    e->state_pointers = sn_pool_alloc(&e->pool, n_states * sizeof *e->state_pointers);
    e->state_names = sn_pool_alloc(&e->pool, n_states * sizeof *e->state_names);
    e->panels = sn_pool_alloc(&e->pool, plan->max_panels * sizeof *e->panels);
    e->items = sn_pool_alloc(&e->pool, (size_t)plan->n_items * sizeof *e->items);
    size_t n_counters = (size_t)plan->n_segments * (size_t)e->options.threads;
    e->next_walk = sn_pool_alloc(&e->pool, n_counters * sizeof *e->next_walk);
    e->next_tasks = sn_pool_alloc(&e->pool, (n_counters + (size_t)e->options.threads) * sizeof *e->next_tasks);
    e->parts_left = sn_pool_alloc(&e->pool, (size_t)plan->n_items * sizeof *e->parts_left);
    e->next_update = sn_pool_alloc(&e->pool, (size_t)e->options.threads * sizeof *e->next_update);
    bool ok = e->param_pointers && e->tensor_names && e->state_pointers && e->state_names && e->panels && e->items &&
              e->next_walk && e->next_tasks && e->next_update && e->parts_left;
    for (int k = 0; k < SN_MAX_SLOTS && ok; k++) {
        e->slot_names[k] = sn_pool_alloc(&e->pool, n * sizeof **e->slot_names);
        ok = e->slot_names[k];
    }
    for (int j = 0; j < plan->n_items && ok; j++)
        atomic_init(&e->parts_left[j], plan->items[j].n_parts);
    ok = ok && set_param_tables(e) && set_state_tables(e);
    return ok ? SN_OK : sn_error_memory(error, n * sizeof(void *), "the engine's tables");
}

static void pin_thread(void *argument, int thread) {
    (void)argument, (void)thread;
    sn_blas_pin_thread();
}

sn_status sn_engine_new(sn_engine **engine, const sn_graph *graph, const sn_backend *backend,
                        const sn_engine_options *options, sn_error *error) {
    sn_engine *e = *engine = calloc(1, sizeof **engine);
    if (!e) return sn_error_memory(error, sizeof *e, "the engine");
    e->graph = graph;
    e->backend = backend;
    e->options = *options;
    e->kernels = sn_rule_kernels(backend, &options->rule);
    e->real_size = sn_dtype_size(backend->dtype);
    e->loss_kernels = backend->losses[sn_loss_index(options->objective.loss)];
    sn_plan_options plan_options;
    sn_engine_plan_options(&plan_options, options);
    sn_status status = sn_blas_pin(error);
    if (!status) status = sn_plan_build(&e->plan, graph, &plan_options, error);
    if (!status) {
        e->group_panels = sn_plan_group_panels(&e->plan, options->threads);
        e->by_openblas = sn_uses_openblas(options->products, backend);
        e->lane_step = options->is_reference ? SN_PANEL : backend->lane_step;
        e->looks_ahead = sn_plan_bytes(&e->plan, options->threads, e->real_size) > MOST_CACHED;
    }
    if (!status) status = take_regions(e, error);
    if (!status) status = take_workspaces(e, error);
    if (!status) status = take_tables(e, error);
    if (!status) status = sn_bind(e, error);
    if (!status) status = sn_guard_init(e, error);
    if (!status) status = sn_watch_init(e, error);
    if (!status) status = sn_counting_init(e, error);
    if (!status) status = sn_team_new(&e->team, options->threads, error);
    if (!status) sn_team_run(e->team, pin_thread, NULL);
    /* The C library gives each thread that allocates a region of its own: it has been so by now. */
    if (!status && e->by_openblas) status = sn_blas_check_room(options->threads, error);
    if (status) {
        sn_engine_free(e);
        *engine = NULL;
        return status;
    }
    sn_engine_start_states(e);
    return SN_OK;
}

void sn_engine_free(sn_engine *engine) {
    if (!engine) return;
    sn_team_free(engine->team);
    sn_arena *regions[] = {&engine->batch, &engine->params,   &engine->states, &engine->gradients,
                           &engine->parts, &engine->partials, &engine->totals, &engine->scratch};
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        sn_arena_reset(regions[i]);
    for (int k = 0; k < SN_MAX_SLOTS; k++)
        sn_arena_reset(&engine->slots[k]);
    sn_plan_reset(&engine->plan);
    sn_pool_free(&engine->pool);
    free(engine);
}

const sn_plan *sn_engine_plan(const sn_engine *engine) {
    return &engine->plan;
}

/* An earlier fault of the walk: forward faults by the first node, then the loss, then backward by the last node. */
static bool is_earlier(const sn_fault *a, const sn_fault *b) {
    if (b->kind == SN_FAULT_NONE) return a->kind != SN_FAULT_NONE;
    if (a->kind == SN_FAULT_NONE) return false;
    if (a->kind != b->kind) return a->kind < b->kind;
    return a->kind == SN_FAULT_ACTIVATION ? a->node < b->node : a->node > b->node;
}

static sn_fault walk_fault(const sn_engine *engine) {
    sn_fault first = {SN_FAULT_NONE, 0, 0};
    size_t n_panels = sn_panels(engine->step->batch.rows);
    for (size_t p = 0; p < n_panels; p++) {
        if (is_earlier(&engine->panels[p].fault, &first)) first = engine->panels[p].fault;
    }
    return first;
}

static sn_fault item_fault(const sn_engine *engine) {
    sn_fault first = {SN_FAULT_NONE, 0, 0};
    for (int j = 0; j < engine->plan.n_items; j++) {
        if (is_earlier(&engine->items[j].fault, &first)) first = engine->items[j].fault;
    }
    return first;
}

/* Each thread begins with panels of its own, the same in every segment, since their signals are in its cache; then it
 * takes what is left of the others'. */
static void walk_segment(sn_engine *engine, int thread, int segment, int begin, int end) {
    size_t n_panels = sn_panels(engine->step->batch.rows), threads = (size_t)engine->options.threads;
    for (size_t k = 0; k < threads; k++) {
        size_t owner = ((size_t)thread + k) % threads, last = n_panels * (owner + 1) / threads;
        atomic_size_t *next = &engine->next_walk[(size_t)segment * threads + owner];
        for (size_t t; (t = n_panels * owner / threads + atomic_fetch_add(next, 1) * engine->group_panels) < last;) {
            size_t n = last - t < engine->group_panels ? last - t : engine->group_panels;
            sn_walk_group(engine, thread, (sn_panel_range){t, n}, begin, end);
        }
    }
}

/* What every thread does in a step.  All see the same results of panels after the barrier, so all decide alike. */
static void step_task(void *argument, int thread) {
    sn_engine *engine = argument;
    const sn_plan *plan = &engine->plan;
    int stop =
        engine->mode == SN_MODE_EVALUATE || engine->step->only_loss ? sn_time_loss(plan) + 1 : sn_time_walk_end(plan);
    sn_counting_begin(engine, thread);
    if (engine->mode == SN_MODE_EVALUATE) {
        walk_segment(engine, thread, 0, 0, stop);
        return;
    }
    for (int s = 0, begin = 0; begin < stop; begin = plan->segment_ends[s++]) {
        int end = plan->segment_ends[s] < stop ? plan->segment_ends[s] : stop;
        sn_walk_merge(engine, thread, begin);
        walk_segment(engine, thread, s, begin, end);
        sn_work_gradients(engine, thread, s);
        sn_team_barrier(engine->team);
    }
    if (engine->step->only_loss) return;
    if (engine->diagnoses || walk_fault(engine).kind == SN_FAULT_NONE) sn_work_updates(engine, thread);
}

static void reset_counters(atomic_size_t *counters, size_t n) {
    for (size_t i = 0; i < n; i++)
        atomic_store_explicit(&counters[i], 0, memory_order_relaxed);
}

static void set_numbers(sn_engine *engine, const sn_step *step) {
    const sn_update_rule *rule = &engine->options.rule;
    engine->numbers = (sn_update_numbers){.lr = step->lr, .clip = 1, .weight_decay = rule->weight_decay};
    memcpy(engine->numbers.own, rule->own, sizeof rule->own);
    if (rule->optimizer && rule->optimizer->at_step) rule->optimizer->at_step(rule, step->number, engine->numbers.own);
}

void sn_step_begin(sn_engine *engine, const sn_step *step, sn_mode mode) {
    engine->step = step;
    engine->mode = mode;
    engine->observes = mode == SN_MODE_TRAIN && step->observation;
    engine->batch_weight =
        sn_objective_weight(&engine->options.objective, step->batch.samples, step->batch.indices, step->batch.rows);
    if (mode == SN_MODE_TRAIN) set_numbers(engine, step);
    size_t threads = (size_t)engine->options.threads, n_segments = (size_t)engine->plan.n_segments;
    reset_counters(engine->next_walk, n_segments * threads);
    reset_counters(engine->next_tasks, (n_segments + 1) * threads);
    reset_counters(engine->next_update, threads);
}

static void run_task(sn_engine *engine, const sn_step *step, sn_mode mode) {
    sn_step_begin(engine, step, mode);
    sn_team_run(engine->team, step_task, engine);
    if (SN_GUARD > 0) sn_guard_verify(engine);
}

static sn_loss_sums loss_sums(const sn_engine *engine) {
    sn_loss_sums sums = {0, 0};
    size_t n_panels = sn_panels(engine->step->batch.rows);
    for (size_t p = 0; p < n_panels; p++) {
        sums.loss += engine->panels[p].loss.loss;
        sums.correct += engine->panels[p].loss.correct;
    }
    return sums;
}

/* Of `n` samples that weigh `weight` together. */
static void set_result(sn_step_result *result, sn_loss_sums sums, size_t n, double weight, bool has_labels) {
    result->loss = weight > 0 ? sums.loss / weight : 0;
    result->accuracy = has_labels ? sums.correct / (double)n : (double)NAN;
    result->fault = (sn_fault){SN_FAULT_NONE, 0, 0};
    result->nonfinite = 0;
}

void sn_step_collect(const sn_engine *engine, sn_step_result *result) {
    const sn_batch *batch = &engine->step->batch;
    set_result(result, loss_sums(engine), batch->rows, engine->batch_weight, batch->samples->labels);
    result->fault = walk_fault(engine);
}

double sn_count_nonfinite(const sn_engine *engine) {
    double count = !isfinite(loss_sums(engine).loss);
    for (int j = 0; j < engine->plan.n_items; j++)
        count += engine->items[j].nonfinite;
    return count;
}

sn_status sn_engine_step(sn_engine *engine, const sn_step *step, sn_step_result *result) {
    engine->diagnoses = false;
    run_task(engine, step, SN_MODE_TRAIN);
    sn_step_collect(engine, result);
    if (step->only_loss) return result->fault.kind == SN_FAULT_NONE ? SN_OK : SN_DIVERGED;
    if (result->fault.kind != SN_FAULT_NONE) {
        /* The weights are those of before: walk again, look at every node, measure, change nothing. */
        sn_step again = *step;
        again.applies = false;
        if (!again.observation) again.observation = step->on_fault;
        engine->diagnoses = true;
        run_task(engine, &again, SN_MODE_TRAIN);
        result->fault = walk_fault(engine);
        result->nonfinite = sn_count_nonfinite(engine);
        if (again.observation) sn_observe_collect(engine, again.observation);
        return SN_DIVERGED;
    }
    result->fault = item_fault(engine);
    result->nonfinite = sn_count_nonfinite(engine);
    if (step->applies && result->fault.kind == SN_FAULT_NONE) result->fault = sn_walk_states(engine);
    result->nonfinite += result->fault.kind == SN_FAULT_STATE;
    if (step->observation) sn_observe_collect(engine, step->observation);
    return result->fault.kind == SN_FAULT_NONE ? SN_OK : SN_DIVERGED;
}

void sn_engine_evaluate(sn_engine *engine, const sn_dataset *dataset, const sn_samples *samples, size_t n,
                        sn_step_result *result) {
    sn_loss_sums total = {0, 0};
    double weight = 0;
    uint32_t indices[SN_EVALUATION_ROWS];
    size_t most = engine->options.batch < SN_EVALUATION_ROWS ? engine->options.batch : SN_EVALUATION_ROWS;
    for (size_t begin = 0; begin < n; begin += most) {
        size_t rows = n - begin < most ? n - begin : most;
        for (size_t r = 0; r < rows; r++)
            indices[r] = (uint32_t)(begin + r);
        sn_step step = {.batch = {dataset, samples, indices, rows}};
        run_task(engine, &step, SN_MODE_EVALUATE);
        sn_loss_sums sums = loss_sums(engine);
        total.loss += sums.loss;
        total.correct += sums.correct;
        weight += engine->batch_weight;
    }
    set_result(result, total, n, weight, samples->labels);
}

void sn_engine_predict(sn_engine *engine, const sn_batch *batch, double *outputs) {
    sn_step step = {.batch = *batch};
    engine->outputs = outputs;
    run_task(engine, &step, SN_MODE_EVALUATE);
    engine->outputs = NULL;
}

static const char *fault_phrase(sn_fault_kind kind) {
    static const char *const phrases[] = {
        "nothing",         "the activation (output) of", "the loss, on the output of", "the gradient by the output of",
        "the gradient of", "the updated parameter",      "the updated state"};
    return phrases[kind];
}

const char *sn_fault_text(const sn_fault *fault, const sn_graph *graph, char out[SN_FAULT_TEXT]) {
    const sn_node *node = &graph->nodes[fault->node];
    const char *name = "";
    if (fault->kind == SN_FAULT_PARAM_GRADIENT || fault->kind == SN_FAULT_PARAM) name = node->params[fault->param].name;
    if (fault->kind == SN_FAULT_STATE) name = node->states[fault->param].name;
    snprintf(out, SN_FAULT_TEXT, "%s %s%s%s", fault_phrase(fault->kind), node->label, *name ? "." : "", name);
    return out;
}
