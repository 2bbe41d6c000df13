/* Owns the walk of a group of row tiles: forward through the nodes, the loss, backward through them.  A thread that
 * walks a group touches rows of it and its own scratch only.
 *
 * An op gets all rows of the group in one call, unless it leaves sums per tile.  What is summed over a tile is never
 * summed over a group: groups depend on the number of threads, tiles do not. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "engine/guard.h"
#include "engine/internal.h"

typedef struct walk {
    sn_engine *engine;
    sn_workspace *workspace;
    size_t tile, n_tiles; /* of the group */
    size_t row;           /* of the batch, where the group begins */
    size_t rows;
    unsigned char *base[2]; /* per place, where row 0 of the group lies in scratch and row 0 of the batch elsewhere */
} walk;

/* Samples of a group: all of it, or one of its tiles. */
typedef struct span {
    size_t begin, rows; /* begin counts from the start of the group */
    sn_pass pass;
} span;

static span make_span(const walk *w, size_t begin, size_t rows) {
    const sn_step *step = w->engine->step;
    return (span){.begin = begin,
                  .rows = rows,
                  .pass = {.is_training = w->engine->mode == SN_MODE_TRAIN,
                           .batch = step->batch.rows,
                           .seed = w->engine->options.seed,
                           .step = step->number,
                           .samples = step->batch.indices + w->row + begin}};
}

static span tile_span(const walk *w, size_t t) {
    size_t tile_rows = w->engine->plan.tile_rows, begin = t * tile_rows;
    return make_span(w, begin, w->rows - begin < tile_rows ? w->rows - begin : tile_rows);
}

static void fail(const walk *w, sn_fault_kind kind, int node) {
    sn_tile_result *result = &w->engine->tiles[w->tile];
    if (result->fault.kind == SN_FAULT_NONE) result->fault = (sn_fault){kind, node, 0};
}

static bool is_finite(const walk *w, sn_view view, const span *s, const sn_node *node) {
    return w->engine->backend->all_finite(view, s->rows * node->positions, node->width);
}

static double *part_of_tile(const sn_engine *e, size_t tile, size_t at) {
    return (double *)(void *)e->partials.base + tile * e->plan.partial_doubles + at;
}

static sn_view view_of(const walk *w, const span *s, const sn_binding *b) {
    return sn_binding_view(b, w->base[b->place], s->begin + (b->place == SN_PLACE_BATCH ? w->row : 0));
}

/* Fills what forward and backward of node i have in common. */
static void set_call(const walk *w, const span *s, int i, sn_op_call *call) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    const sn_node_binding *binding = &e->bindings[i];
    for (int k = 0; k < node->n_inputs; k++)
        w->workspace->x[k] = view_of(w, s, &binding->x[k]);
    call->node = node;
    call->pass = &s->pass;
    call->samples = s->rows;
    call->rows = s->rows * node->positions;
    call->widths = binding->widths;
    call->x = w->workspace->x;
    call->y = view_of(w, s, &binding->y);
    call->params = e->param_pointers + e->plan.first_param[i];
    call->copies = e->copy_pointers + e->plan.first_param[i];
    call->states = e->state_pointers + e->plan.first_state[i];
    call->forward_total = w->workspace->totals + e->plan.forward_sums[i].total;
    call->backward_total = w->workspace->totals + e->plan.backward_sums[i].total;
}

/* Of all rows of the group at once: counts have no order. */
static void count_exponents(const walk *w, int i, sn_look_time time) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    bool is_value = time == SN_BEHIND_FORWARD;
    int place = is_value ? e->counting.of_value[i] : e->counting.of_gradient[i];
    if (!e->observes || place < 0) return;
    span s = {.begin = 0, .rows = w->rows};
    sn_view x = view_of(w, &s, is_value ? &e->bindings[i].y : &e->bindings[i].dy);
    e->backend->count_exponents(&(sn_exponents_call){
        .rows = w->rows * node->positions, .cols = node->width, .x = x, .counts = &w->workspace->exponents[place]});
}

/* What an observed step looks at of node i at this time of its walk. */
static void observe(const walk *w, int i, sn_look_time time) {
    const sn_engine *e = w->engine;
    for (const sn_look *look = sn_looks; e->observes && look->take; look++) {
        unsigned char *left = *sn_watch_left(e, look, i);
        if (!left || look->time != time) continue;
        size_t size = look->size(&e->graph->nodes[i]);
        for (size_t t = 0; t < w->n_tiles; t++) {
            span s = tile_span(w, t);
            sn_op_call call;
            set_call(w, &s, i, &call);
            if (time == SN_BEFORE_BACKWARD) call.dy = view_of(w, &s, &e->bindings[i].dy);
            look->take(e, &call, left + (w->tile + t) * size);
        }
    }
    count_exponents(w, i, time);
}

static void gather(const walk *w) {
    const sn_engine *e = w->engine;
    const sn_batch *batch = &e->step->batch;
    span s = make_span(w, 0, w->rows);
    sn_view x = view_of(w, &s, &e->bindings[0].y);
    x.ld *= e->graph->nodes[0].positions; /* the input has a buffer of its own: a sample lies in one piece */
    e->backend->gather(&(sn_gather_call){batch->dataset, batch->samples, s.pass.samples, w->rows, x});
    observe(w, 0, SN_BEHIND_FORWARD);
}

static void forward(const walk *w, int i) {
    const sn_engine *e = w->engine;
    span s = make_span(w, 0, w->rows);
    sn_op_call call;
    bool finite = true;
    set_call(w, &s, i, &call);
    call.is_finite = &finite;
    call.ahead = &e->bindings[i].forward_ahead;
    e->bindings[i].kernels->forward(&call);
    observe(w, i, SN_BEHIND_FORWARD);
    bool checks = call.node->op->checks_output;
    bool is_checked = e->mode == SN_MODE_TRAIN && (call.node->n_params > 0 || checks || e->diagnoses);
    if (is_checked && !checks) finite = is_finite(w, call.y, &s, call.node);
    if (is_checked && !finite) fail(w, SN_FAULT_ACTIVATION, i);
}

static void copy_outputs(const walk *w, const span *s, sn_view y, size_t width) {
    const sn_engine *e = w->engine;
    double *outputs = e->outputs + (w->row + s->begin) * width;
    for (size_t i = 0; i < s->rows * width; i++) {
        size_t at = i / width * y.ld + i % width;
        bool is_float = e->backend->dtype == SN_F32;
        outputs[i] = is_float ? (double)((float *)y.data)[at] : ((double *)y.data)[at];
    }
}

static void loss_of_tile(const walk *w, size_t t) {
    const sn_engine *e = w->engine;
    int last = e->graph->n_nodes - 1;
    const sn_batch *batch = &e->step->batch;
    span s = tile_span(w, t);
    sn_loss_call call = {.attributes = e->options.objective.attributes,
                         .one_hot = e->options.objective.one_hot,
                         .rows = s.rows,
                         .width = e->graph->nodes[last].width,
                         .y = view_of(w, &s, &e->bindings[last].y),
                         .samples = batch->samples,
                         .indices = s.pass.samples,
                         .weight = e->batch_weight > 0 ? 1 / e->batch_weight : 0};
    if (e->mode == SN_MODE_TRAIN) call.dy = view_of(w, &s, &e->bindings[last].dy);
    sn_tile_result *result = &e->tiles[w->tile + t];
    result->loss = e->loss_kernels->evaluate(&call);
    if (e->outputs) copy_outputs(w, &s, call.y, call.width);
    if (e->mode == SN_MODE_TRAIN && !isfinite(result->loss.loss)) fail(w, SN_FAULT_LOSS, last);
}

static void set_backward_call(const walk *w, const span *s, int i, sn_op_call *call) {
    const sn_node_binding *binding = &w->engine->bindings[i];
    set_call(w, s, i, call);
    for (int k = 0; k < call->node->n_inputs; k++) {
        if (binding->flow[k] == SN_FLOW_NONE) continue;
        w->workspace->dx[k] = view_of(w, s, &binding->dx[k]);
        if (binding->flow[k] == SN_FLOW_ADD) w->workspace->base[k] = view_of(w, s, &binding->base[k]);
    }
    call->dy = view_of(w, s, &binding->dy);
    call->dx = w->workspace->dx;
    call->ahead = &binding->backward_ahead;
    call->base = w->workspace->base;
    call->flow = binding->flow;
}

/* One tile's rows, with the places for its sums. */
static void backward_tile(const walk *w, size_t t, int i) {
    const sn_engine *e = w->engine;
    double **partials = w->workspace->partials;
    sn_op_call call;
    span s = tile_span(w, t);
    set_backward_call(w, &s, i, &call);
    for (int p = 0; p < call.node->n_params; p++)
        partials[p] = part_of_tile(e, w->tile + t, e->plan.params[e->plan.first_param[i] + p].partial);
    call.partials = partials;
    e->bindings[i].kernels->backward(&call);
}

/* What is not finite in a gradient makes all gradients before it so (infinity times 0 is NaN): looking where the walk
 * ends is enough.  An op that drops some of it leaves it to the check of the parameters' gradients. */
static void backward(const walk *w, int i) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    span s = make_span(w, 0, w->rows);
    observe(w, i, SN_BEFORE_BACKWARD);
    bool is_checked = node->ends_backward || e->diagnoses;
    if (is_checked && !is_finite(w, view_of(w, &s, &e->bindings[i].dy), &s, node)) fail(w, SN_FAULT_SIGNAL_GRADIENT, i);
    if (e->bindings[i].by_tile) {
        for (size_t t = 0; t < w->n_tiles; t++)
            backward_tile(w, t, i);
    } else {
        sn_op_call call;
        set_backward_call(w, &s, i, &call);
        e->bindings[i].kernels->backward(&call);
    }
}

/* A tile's part of the reduction that time `time` needs. */
static void leave_part(const walk *w, size_t t, int time) {
    const sn_engine *e = w->engine;
    const sn_node *node = sn_plan_reduces_at(&e->plan, time);
    if (!node || e->mode != SN_MODE_TRAIN) return;
    int i = (int)(node - e->graph->nodes);
    span s = tile_span(w, t);
    sn_op_call call;
    if (time < e->graph->n_nodes) {
        set_call(w, &s, i, &call);
        call.part = part_of_tile(e, w->tile + t, e->plan.forward_sums[i].part);
        e->bindings[i].kernels->forward_reduction.part(&call);
    } else {
        set_backward_call(w, &s, i, &call);
        call.part = part_of_tile(e, w->tile + t, e->plan.backward_sums[i].part);
        e->bindings[i].kernels->backward_reduction.part(&call);
    }
}

static void visit_time(const walk *w, int time) {
    int n = w->engine->graph->n_nodes, from_end = 2 * n - time;
    if (time == 0) {
        for (size_t t = 0; t < w->n_tiles; t++)
            w->engine->tiles[w->tile + t] = (sn_tile_result){0};
        gather(w);
    } else if (time < n) {
        forward(w, time);
    } else if (time == n) {
        for (size_t t = 0; t < w->n_tiles; t++)
            loss_of_tile(w, t);
    } else if (w->engine->graph->nodes[from_end].needs_gradient) {
        backward(w, from_end);
    }
}

void sn_walk_group(sn_engine *engine, int thread, sn_tile_range group, int begin, int end) {
    size_t tile_rows = engine->plan.tile_rows, all_rows = engine->step->batch.rows;
    walk w = {.engine = engine,
              .workspace = &engine->workspaces[thread],
              .tile = group.first,
              .n_tiles = group.n,
              .row = group.first * tile_rows,
              .rows = group.n * tile_rows};
    if (w.row + w.rows > all_rows) w.rows = all_rows - w.row; /* the last tile may be short */
    w.base[SN_PLACE_BATCH] = engine->batch.base;
    w.base[SN_PLACE_SCRATCH] = w.workspace->scratch;
    uint64_t *spent = engine->profile ? engine->profile->lanes[thread].walk : NULL;
    uint64_t mark = spent ? sn_clock_nanoseconds() : 0;
    sn_guard_lane lane = {w.workspace->scratch, w.row, w.rows};
    for (int time = begin; time < end; time++) {
        if (SN_GUARD > 0) sn_guard_begin(engine, &lane, time);
        visit_time(&w, time);
        if (SN_GUARD > 0) sn_guard_end(engine, &lane, time);
        if (spent) sn_profile_lap(&mark, &spent[time]);
    }
    for (size_t t = 0; t < w.n_tiles; t++)
        leave_part(&w, t, end);
    if (spent && end < engine->profile->n_times) sn_profile_lap(&mark, &spent[end]);
}

void sn_walk_whole_call(sn_engine *engine, int i, sn_pass *pass, sn_op_call *call) {
    *call = (sn_op_call){0};
    walk w = {.engine = engine, .workspace = &engine->workspaces[0], .rows = engine->step->batch.rows};
    w.base[SN_PLACE_BATCH] = engine->batch.base;
    span s = make_span(&w, 0, w.rows);
    set_backward_call(&w, &s, i, call);
    *pass = s.pass;
    call->pass = pass;
}

void sn_walk_merge(sn_engine *engine, int thread, int begin) {
    const sn_plan *plan = &engine->plan;
    const sn_node *node = sn_plan_reduces_at(plan, begin);
    if (!node) return;
    bool is_forward = begin < engine->graph->n_nodes;
    ptrdiff_t i = node - plan->graph->nodes;
    const sn_plan_reduction *place = &(is_forward ? plan->forward_sums : plan->backward_sums)[i];
    const sn_op_kernels *kernels = engine->bindings[i].kernels;
    const sn_reduction_kernels *reduction = is_forward ? &kernels->forward_reduction : &kernels->backward_reduction;
    reduction->merge(&(sn_merge_call){.node = node,
                                      .rows = engine->step->batch.rows * node->positions,
                                      .tile_rows = plan->tile_rows * node->positions,
                                      .parts = part_of_tile(engine, 0, place->part),
                                      .stride = plan->partial_doubles,
                                      .total = engine->workspaces[thread].totals + place->total});
}

sn_fault sn_walk_states(sn_engine *engine) {
    const sn_plan *plan = &engine->plan;
    sn_fault first = {SN_FAULT_NONE, 0, 0};
    for (int i = 0; i < plan->n_states; i++) {
        const sn_plan_state *entry = &plan->states[i];
        const sn_node *node = &engine->graph->nodes[entry->node];
        if (entry->index > 0) continue;
        engine->bindings[entry->node].kernels->update_states(
            &(sn_op_call){.node = node,
                          .rows = engine->step->batch.rows * node->positions,
                          .states = engine->state_pointers + i,
                          .forward_total = engine->workspaces[0].totals + plan->forward_sums[entry->node].total});
        for (int s = 0; s < node->n_states && first.kind == SN_FAULT_NONE; s++) {
            size_t count = node->states[s].count;
            sn_view state = {engine->state_pointers[i + s], count};
            if (!engine->backend->all_finite(state, 1, count)) first = (sn_fault){SN_FAULT_STATE, entry->node, s};
        }
    }
    return first;
}
