/* Owns the walk of one row tile: forward through the nodes, the loss, backward through them.  A thread that walks a
 * tile touches rows of that tile and its own scratch only. */
#include <math.h>
#include <string.h>

#include "engine/internal.h"

typedef struct walk {
    sn_engine *engine;
    sn_workspace *workspace;
    sn_tile_result *result;
    sn_tile_signals *signals; /* NULL where the step is not observed */
    sn_pass pass;
    size_t tile, row, rows;
} walk;

static void fail(walk *w, sn_fault_kind kind, int node) {
    if (w->result->fault.kind == SN_FAULT_NONE) w->result->fault = (sn_fault){kind, node, 0};
}

static bool is_finite(const walk *w, sn_view view, const sn_node *node) {
    return w->engine->backend->all_finite(view, w->rows, node->width);
}

static double *part_of_tile(const sn_engine *e, size_t tile, size_t at) {
    return (double *)(void *)e->partials.base + tile * e->plan.partial_doubles + at;
}

/* Fills what forward and backward of node i have in common. */
static void set_call(const walk *w, int i, sn_op_call *call) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    for (int k = 0; k < node->n_inputs; k++) {
        w->workspace->x[k] = sn_slot_view(e, w->workspace, e->plan.value[node->inputs[k]], w->row);
        w->workspace->widths[k] = e->graph->nodes[node->inputs[k]].width;
    }
    *call = (sn_op_call){.node = node,
                         .pass = &w->pass,
                         .rows = w->rows,
                         .widths = w->workspace->widths,
                         .x = w->workspace->x,
                         .y = sn_slot_view(e, w->workspace, e->plan.value[i], w->row),
                         .params = e->param_pointers + e->plan.first_param[i],
                         .transposed = e->transposed_pointers + e->plan.first_param[i],
                         .states = e->state_pointers + e->plan.first_state[i],
                         .forward_total = w->workspace->totals + e->plan.forward_sums[i].total,
                         .backward_total = w->workspace->totals + e->plan.backward_sums[i].total};
}

static void observe_forward(walk *w, int i, const sn_op_call *call) {
    const sn_watch *watch = &w->engine->watch;
    const sn_backend *backend = w->engine->backend;
    int own = watch->node_index[i], saturated = watch->saturated_index[i];
    if (saturated >= 0) w->signals->saturated[saturated] = (double)call->node->op->saturated(call);
    if (own < 0) return;
    w->signals->output[own] = w->signals->input[own] = (sn_tensor_sums){0};
    backend->tensor_sums(&w->signals->output[own], call->y, w->rows, call->node->width);
    backend->tensor_sums(&w->signals->input[own], call->x[0], w->rows, call->widths[0]);
}

static void gather(const walk *w) {
    const sn_engine *e = w->engine;
    const sn_batch *batch = &e->step->batch;
    sn_view x = sn_slot_view(e, w->workspace, e->plan.value[0], w->row);
    e->backend->gather(&(sn_gather_call){batch->dataset, batch->samples, batch->indices + w->row, w->rows, x});
}

static void forward(walk *w, int i) {
    const sn_engine *e = w->engine;
    sn_op_call call;
    set_call(w, i, &call);
    call.node->op->forward(&call);
    if (w->signals) observe_forward(w, i, &call);
    bool is_checked = e->mode == SN_MODE_TRAIN && (call.node->n_params > 0 || e->diagnoses);
    if (is_checked && !is_finite(w, call.y, call.node)) fail(w, SN_FAULT_ACTIVATION, i);
}

static void copy_outputs(const walk *w, sn_view y, size_t width) {
    const sn_engine *e = w->engine;
    for (size_t i = 0; i < w->rows * width; i++) {
        size_t at = i / width * y.ld + i % width;
        bool is_float = e->backend->dtype == SN_F32;
        e->outputs[w->row * width + i] = is_float ? (double)((float *)y.data)[at] : ((double *)y.data)[at];
    }
}

static void loss(walk *w) {
    const sn_engine *e = w->engine;
    int last = e->graph->n_nodes - 1;
    const sn_batch *batch = &e->step->batch;
    sn_loss_call call = {.rows = w->rows,
                         .width = e->graph->nodes[last].width,
                         .y = sn_slot_view(e, w->workspace, e->plan.value[last], w->row),
                         .samples = batch->samples,
                         .indices = batch->indices + w->row,
                         .weight = 1 / (double)batch->rows};
    if (e->mode == SN_MODE_TRAIN) call.dy = sn_slot_view(e, w->workspace, e->plan.gradient[last], w->row);
    w->result->loss = e->options.loss->evaluate(&call);
    if (e->outputs) copy_outputs(w, call.y, call.width);
    if (e->mode == SN_MODE_TRAIN && !isfinite(w->result->loss.loss)) fail(w, SN_FAULT_LOSS, last);
}

static void set_backward_call(const walk *w, int i, sn_op_call *call, double **partials) {
    const sn_engine *e = w->engine;
    const sn_plan *plan = &e->plan;
    set_call(w, i, call);
    for (int k = 0; k < call->node->n_inputs; k++) {
        const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
        w->workspace->flow[k] = edge->flow;
        if (edge->flow == SN_FLOW_NONE) continue;
        w->workspace->dx[k] = sn_slot_view(e, w->workspace, plan->gradient[call->node->inputs[k]], w->row);
        if (edge->flow == SN_FLOW_ADD) w->workspace->base[k] = sn_slot_view(e, w->workspace, edge->base, w->row);
    }
    for (int p = 0; p < call->node->n_params; p++) {
        const sn_plan_param *param = &plan->params[plan->first_param[i] + p];
        partials[p] = part_of_tile(e, w->tile, param->partial);
    }
    call->dy = sn_slot_view(e, w->workspace, plan->gradient[i], w->row);
    call->dx = w->workspace->dx;
    call->base = w->workspace->base;
    call->flow = w->workspace->flow;
    call->partials = partials;
}

static void observe_backward(walk *w, int i, const sn_op_call *call) {
    const sn_watch *watch = &w->engine->watch;
    int own = watch->node_index[i], carried = watch->carried_index[i];
    if (own < 0 && carried < 0) return;
    sn_tensor_sums sums = {0};
    w->engine->backend->tensor_sums(&sums, call->dy, w->rows, call->node->width);
    if (own >= 0) w->signals->delta[own] = sums;
    if (carried >= 0) w->signals->carried[carried] = sums;
}

static void backward(walk *w, int i) {
    sn_op_call call;
    double *partials[SN_MAX_PARAMS];
    set_backward_call(w, i, &call, partials);
    if (w->signals) observe_backward(w, i, &call);
    bool is_checked = call.node->n_params > 0 || w->engine->diagnoses;
    if (is_checked && !is_finite(w, call.dy, call.node)) fail(w, SN_FAULT_SIGNAL_GRADIENT, i);
    call.node->op->backward(&call);
}

/* This tile's part of the reduction that time `time` needs. */
static void leave_part(const walk *w, int time) {
    const sn_engine *e = w->engine;
    const sn_node *node = sn_plan_reduces_at(&e->plan, time);
    if (!node || e->mode != SN_MODE_TRAIN) return;
    int i = (int)(node - e->graph->nodes);
    sn_op_call call;
    double *partials[SN_MAX_PARAMS];
    if (time < e->graph->n_nodes) {
        set_call(w, i, &call);
        call.part = part_of_tile(e, w->tile, e->plan.forward_sums[i].part);
        node->op->forward_reduction.part(&call);
    } else {
        set_backward_call(w, i, &call, partials);
        call.part = part_of_tile(e, w->tile, e->plan.backward_sums[i].part);
        node->op->backward_reduction.part(&call);
    }
}

static void visit(walk *w, int time) {
    int n = w->engine->graph->n_nodes, from_end = 2 * n - time;
    if (time == 0) {
        *w->result = (sn_tile_result){0};
        gather(w);
    } else if (time < n) {
        forward(w, time);
    } else if (time == n) {
        loss(w);
    } else if (w->engine->graph->nodes[from_end].needs_gradient) {
        backward(w, from_end);
    }
}

void sn_walk_tile(sn_engine *engine, int thread, size_t tile, int begin, int end) {
    const sn_step *step = engine->step;
    size_t row = tile * engine->plan.tile_rows;
    walk w = {.engine = engine,
              .workspace = &engine->workspaces[thread],
              .result = &engine->tiles[tile],
              .signals = engine->observes ? &engine->watch.tiles[tile] : NULL,
              .pass = {.is_training = engine->mode == SN_MODE_TRAIN,
                       .batch = step->batch.rows,
                       .seed = engine->options.seed,
                       .step = step->number,
                       .samples = step->batch.indices + row},
              .tile = tile,
              .row = row,
              .rows = sn_tile_size(engine, tile, step->batch.rows)};
    for (int time = begin; time < end; time++)
        visit(&w, time);
    leave_part(&w, end);
}

void sn_walk_merge(sn_engine *engine, int thread, int begin) {
    const sn_plan *plan = &engine->plan;
    const sn_node *node = sn_plan_reduces_at(plan, begin);
    if (!node) return;
    bool is_forward = begin < engine->graph->n_nodes;
    const sn_plan_reduction *place =
        &(is_forward ? plan->forward_sums : plan->backward_sums)[node - plan->graph->nodes];
    const sn_reduction *reduction = is_forward ? &node->op->forward_reduction : &node->op->backward_reduction;
    reduction->merge(&(sn_merge_call){.node = node,
                                      .rows = engine->step->batch.rows,
                                      .tile_rows = plan->tile_rows,
                                      .parts = part_of_tile(engine, 0, place->part),
                                      .stride = plan->partial_doubles,
                                      .total = engine->workspaces[thread].totals + place->total});
}

void sn_walk_states(sn_engine *engine) {
    const sn_plan *plan = &engine->plan;
    for (int i = 0; i < plan->n_states; i++) {
        const sn_plan_state *entry = &plan->states[i];
        const sn_node *node = &engine->graph->nodes[entry->node];
        if (entry->index > 0) continue;
        node->op->update_states(
            &(sn_op_call){.node = node,
                          .rows = engine->step->batch.rows,
                          .states = engine->state_pointers + i,
                          .forward_total = engine->workspaces[0].totals + plan->forward_sums[entry->node].total});
    }
}
