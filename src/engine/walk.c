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
    size_t tile, row, rows;
} walk;

static void fail(walk *w, sn_fault_kind kind, int node) {
    if (w->result->fault.kind == SN_FAULT_NONE) w->result->fault = (sn_fault){kind, node, 0};
}

static bool is_finite(const walk *w, sn_view view, const sn_node *node) {
    return w->engine->backend->all_finite(view, w->rows, node->width);
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
                         .rows = w->rows,
                         .widths = w->workspace->widths,
                         .x = w->workspace->x,
                         .y = sn_slot_view(e, w->workspace, e->plan.value[i], w->row),
                         .params = e->param_pointers + e->plan.first_param[i],
                         .transposed = e->transposed_pointers + e->plan.first_param[i]};
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
        partials[p] = (double *)(void *)e->partials.base + w->tile * plan->partial_doubles + param->partial;
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
    walk w = {.engine = engine,
              .workspace = &engine->workspaces[thread],
              .result = &engine->tiles[tile],
              .signals = engine->observes ? &engine->watch.tiles[tile] : NULL,
              .tile = tile,
              .row = tile * engine->plan.tile_rows,
              .rows = sn_tile_size(engine, tile, engine->step->batch.rows)};
    uint64_t *spent = engine->profile ? engine->profile->lanes[thread].walk : NULL;
    uint64_t mark = spent ? sn_profile_now() : 0;
    for (int time = begin; time < end; time++) {
        visit(&w, time);
        if (spent) sn_profile_mark(&mark, &spent[time]);
    }
}
