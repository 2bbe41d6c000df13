/* Owns the walk of a group of panels: forward through the nodes, the loss, backward through them.  A thread that walks
 * a group touches panels of it and its own scratch only.
 *
 * An op gets all panels of the group in one call, but a last one with fewer lanes in a call of its own, and where the
 * op leaves sums every panel.  What is summed over a panel is never summed over a group: groups depend on the number of
 * threads, panels do not. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "engine/guard.h"
#include "engine/internal.h"

/* Panels of a group that are treated alike. */
typedef struct span {
    size_t panel, panels; /* panel counts from the start of the group */
    size_t samples, lanes;
    sn_pass pass;
} span;

typedef struct walk {
    sn_engine *engine;
    sn_workspace *workspace;
    size_t panel, n_panels; /* of the group */
    size_t rows;            /* samples of the group */
    unsigned char *base[2]; /* per place: panel 0 of the group in scratch, panel 0 of the batch elsewhere */
    span spans[2];          /* the group as ops are called for it */
    int n_spans;
} walk;

/* `exact`: no lanes but those of samples. */
static span make_span(const walk *w, size_t panel, size_t panels, bool exact) {
    const sn_step *step = w->engine->step;
    size_t begin = panel * SN_PANEL, left = w->rows - begin, room = panels * SN_PANEL;
    size_t samples = left < room ? left : room, lanes = exact ? samples : sn_round_up(samples, w->engine->lane_step);
    return (span){.panel = panel,
                  .panels = panels,
                  .samples = samples,
                  .lanes = panels > 1 || lanes > SN_PANEL ? SN_PANEL : lanes,
                  .pass = {.is_training = w->engine->mode == SN_MODE_TRAIN,
                           .batch = step->batch.rows,
                           .seed = w->engine->options.seed,
                           .step = step->number,
                           .samples = step->batch.indices + w->panel * SN_PANEL + begin}};
}

/* The group as spans: all of it, or all but the last panel and that one.  How many. */
static int make_spans(const walk *w, bool exact, span spans[2]) {
    size_t last = w->n_panels - 1;
    span s = make_span(w, last, 1, exact);
    if (s.lanes == SN_PANEL || last == 0) {
        spans[0] = last == 0 ? s : make_span(w, 0, w->n_panels, exact);
        return 1;
    }
    spans[0] = make_span(w, 0, last, exact);
    spans[1] = s;
    return 2;
}

static void fail(const walk *w, sn_fault_kind kind, int node) {
    sn_panel_result *result = &w->engine->panels[w->panel];
    if (result->fault.kind == SN_FAULT_NONE) result->fault = (sn_fault){kind, node, 0};
}

static double *part_of_panel(const sn_engine *e, size_t panel, size_t at) {
    return (double *)(void *)e->partials.base + panel * e->plan.partial_doubles + at;
}

static sn_view view_of(const walk *w, const span *s, const sn_binding *b) {
    return sn_binding_view(b, w->base[b->place], s->panel + (b->place == SN_PLACE_BATCH ? w->panel : 0));
}

static bool is_finite(const walk *w, const span *s, const sn_binding *b, const sn_node *node) {
    sn_matrices all = sn_matrices_of(view_of(w, s, b), s->panels * node->positions, node->width, s->lanes);
    bool finite = true;
    for (size_t k = 0; k < all.n; k++)
        finite = w->engine->backend->all_finite(sn_matrix(w->engine, &all, k), all.rows, all.cols) && finite;
    return finite;
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
    call->samples = s->samples;
    call->blocks = s->panels * node->positions;
    call->lanes = s->lanes;
    call->width = node->width;
    call->widths = binding->widths;
    call->x = w->workspace->x;
    call->y = view_of(w, s, &binding->y);
    call->dy = (sn_view){NULL, 0};
    call->params = e->param_pointers + e->plan.first_param[i];
    call->states = e->state_pointers + e->plan.first_state[i];
    call->forward_total = w->workspace->totals + e->plan.forward_sums[i].total;
    call->backward_total = w->workspace->totals + e->plan.backward_sums[i].total;
    call->by_openblas = e->by_openblas;
}

/* Of an activation that goes on from another one: its new features alone. */
static void take_new(const walk *w, const span *s, int i, sn_op_call *call) {
    const sn_chain_link *link = w->engine->bindings[i].link;
    if (!link) return;
    size_t skipped = link->column * SN_PANEL * w->engine->real_size;
    w->workspace->x[0] = view_of(w, s, &link->x);
    call->width = link->width;
    call->y.data = (unsigned char *)call->y.data + skipped;
    if (call->dy.data) call->dy.data = (unsigned char *)call->dy.data + skipped;
}

/* The gradient of a node that is apart, of one panel: that of its activation, times the slope. */
static sn_view whole_gradient(const walk *w, const span *s, int i) {
    static const sn_flow write = SN_FLOW_WRITE;
    const sn_engine *e = w->engine;
    sn_view dx = {w->workspace->observed, e->graph->nodes[i].width * SN_PANEL};
    sn_op_call call;
    int whole_by = e->bindings[i].whole_by;
    set_call(w, s, whole_by, &call);
    call.dy = view_of(w, s, &e->bindings[whole_by].dy);
    call.dx = &dx;
    call.flow = &write;
    e->bindings[whole_by].kernels->backward(&call);
    return dx;
}

/* Of all samples of the group at once: counts have no order. */
static void count_exponents(const walk *w, int i, sn_look_time time) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    bool is_value = time == SN_BEHIND_FORWARD;
    int place = is_value ? e->counting.of_value[i] : e->counting.of_gradient[i];
    if (!e->observes || place < 0) return;
    span spans[2];
    int n = make_spans(w, true, spans);
    for (int k = 0; k < n; k++) {
        sn_view x = view_of(w, &spans[k], is_value ? &e->bindings[i].y : &e->bindings[i].dy);
        sn_matrices all = sn_matrices_of(x, spans[k].panels * node->positions, node->width, spans[k].lanes);
        for (size_t m = 0; m < all.n; m++) {
            e->backend->count_exponents(&(sn_exponents_call){.rows = all.rows,
                                                             .cols = all.cols,
                                                             .x = sn_matrix(e, &all, m),
                                                             .counts = &w->workspace->exponents[place]});
        }
    }
}

/* What an observed step looks at of node i at this time of its walk. */
static void observe(const walk *w, int i, sn_look_time time) {
    const sn_engine *e = w->engine;
    for (const sn_look *look = sn_looks; e->observes && look->take; look++) {
        unsigned char *left = *sn_watch_left(e, look, i);
        if (!left || look->time != time) continue;
        size_t size = look->size(&e->graph->nodes[i]);
        for (size_t p = 0; p < w->n_panels; p++) {
            span s = make_span(w, p, 1, true);
            sn_op_call call;
            set_call(w, &s, i, &call);
            if (time == SN_BEFORE_BACKWARD)
                call.dy = e->bindings[i].is_apart ? whole_gradient(w, &s, i) : view_of(w, &s, &e->bindings[i].dy);
            look->take(e, &call, left + (w->panel + p) * size);
        }
    }
    count_exponents(w, i, time);
}

static void gather(const walk *w) {
    const sn_engine *e = w->engine;
    const sn_batch *batch = &e->step->batch;
    const sn_node *input = &e->graph->nodes[0];
    span s = make_span(w, 0, w->n_panels, false);
    size_t last = w->rows - (w->n_panels - 1) * SN_PANEL, lanes = sn_round_up(last, e->lane_step);
    e->backend->gather(&(sn_gather_call){.dataset = batch->dataset,
                                         .samples = batch->samples,
                                         .indices = s.pass.samples,
                                         .augment = &e->step->augment,
                                         .rows = w->rows,
                                         .lanes = lanes < SN_PANEL ? lanes : SN_PANEL,
                                         .positions = input->positions,
                                         .width = input->width,
                                         .by_sample = sn_by_sample(e, w->panel * SN_PANEL),
                                         .x = view_of(w, &s, &e->bindings[0].y)});
    observe(w, 0, SN_BEHIND_FORWARD);
}

static void forward(const walk *w, int i) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    bool checks = node->op->checks_output, finite = true;
    if (e->bindings[i].is_apart) return;
    bool is_checked = e->mode == SN_MODE_TRAIN && (node->n_params > 0 || checks || e->diagnoses);
    for (int k = 0; k < w->n_spans; k++) {
        sn_op_call call;
        bool own = true;
        set_call(w, &w->spans[k], i, &call);
        take_new(w, &w->spans[k], i, &call);
        call.is_finite = &own;
        call.ahead = &e->bindings[i].forward_ahead;
        e->bindings[i].kernels->forward(&call);
        if (is_checked && !checks) own = is_finite(w, &w->spans[k], &e->bindings[i].y, node);
        finite = finite && own;
    }
    observe(w, i, SN_BEHIND_FORWARD);
    if (is_checked && !finite) fail(w, SN_FAULT_ACTIVATION, i);
}

static void copy_outputs(const walk *w, size_t panel, const sn_loss_call *loss) {
    const sn_engine *e = w->engine;
    double *outputs = e->outputs + (w->panel + panel) * SN_PANEL * loss->width;
    for (size_t i = 0; i < loss->rows * loss->width; i++) {
        size_t at = i % loss->width * SN_PANEL + i / loss->width;
        bool is_float = e->backend->dtype == SN_F32;
        outputs[i] = is_float ? (double)((float *)loss->y.data)[at] : ((double *)loss->y.data)[at];
    }
}

static void loss_of_panel(const walk *w, size_t p) {
    const sn_engine *e = w->engine;
    int last = e->graph->n_nodes - 1;
    const sn_batch *batch = &e->step->batch;
    span s = make_span(w, p, 1, false);
    sn_loss_call call = {.attributes = e->options.objective.attributes,
                         .one_hot = e->options.objective.one_hot,
                         .rows = s.samples,
                         .lanes = s.lanes,
                         .width = e->graph->nodes[last].width,
                         .y = view_of(w, &s, &e->bindings[last].y),
                         .samples = batch->samples,
                         .indices = s.pass.samples,
                         .weight = e->batch_weight > 0 ? 1 / e->batch_weight : 0};
    if (e->mode == SN_MODE_TRAIN) call.dy = view_of(w, &s, &e->bindings[last].dy);
    sn_panel_result *result = &e->panels[w->panel + p];
    result->loss = e->loss_kernels->evaluate(&call);
    if (e->outputs) copy_outputs(w, p, &call);
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

/* One panel, with the places for its sums. */
static void backward_panel(const walk *w, size_t p, int i) {
    const sn_engine *e = w->engine;
    double **partials = w->workspace->partials;
    sn_op_call call;
    span s = make_span(w, p, 1, false);
    set_backward_call(w, &s, i, &call);
    for (int k = 0; k < call.node->n_params; k++)
        partials[k] = part_of_panel(e, w->panel + p, e->plan.params[e->plan.first_param[i] + k].partial);
    call.partials = partials;
    e->bindings[i].kernels->backward(&call);
}

/* What is not finite in a gradient makes all gradients before it so (infinity times 0 is NaN): looking where the walk
 * ends is enough.  An op that drops some of it leaves it to the check of the parameters' gradients. */
static void backward(const walk *w, int i) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[i];
    bool is_checked = node->ends_backward || e->diagnoses;
    observe(w, i, SN_BEFORE_BACKWARD);
    if (e->bindings[i].is_apart) return;
    for (int k = 0; k < w->n_spans && is_checked; k++) {
        if (!is_finite(w, &w->spans[k], &e->bindings[i].dy, node)) fail(w, SN_FAULT_SIGNAL_GRADIENT, i);
    }
    for (size_t p = 0; p < w->n_panels && e->bindings[i].by_panel; p++)
        backward_panel(w, p, i);
    for (int k = 0; k < w->n_spans && !e->bindings[i].by_panel; k++) {
        sn_op_call call;
        set_backward_call(w, &w->spans[k], i, &call);
        take_new(w, &w->spans[k], i, &call);
        e->bindings[i].kernels->backward(&call);
    }
}

/* A panel's part of the reduction that time `time` needs. */
static void leave_part(const walk *w, size_t p, int time) {
    const sn_engine *e = w->engine;
    const sn_node *node = sn_plan_reduces_at(&e->plan, time);
    if (!node || e->mode != SN_MODE_TRAIN) return;
    int i = (int)(node - e->graph->nodes);
    span s = make_span(w, p, 1, false);
    sn_op_call call;
    if (time < e->graph->n_nodes) {
        set_call(w, &s, i, &call);
        call.part = part_of_panel(e, w->panel + p, e->plan.forward_sums[i].part);
        e->bindings[i].kernels->forward_reduction.part(&call);
    } else {
        set_backward_call(w, &s, i, &call);
        call.part = part_of_panel(e, w->panel + p, e->plan.backward_sums[i].part);
        e->bindings[i].kernels->backward_reduction.part(&call);
    }
}

static void visit_time(const walk *w, int time) {
    int n = w->engine->graph->n_nodes, from_end = 2 * n - time;
    if (time == 0) {
        for (size_t p = 0; p < w->n_panels; p++)
            w->engine->panels[w->panel + p] = (sn_panel_result){0};
        gather(w);
    } else if (time < n) {
        forward(w, time);
    } else if (time == n) {
        for (size_t p = 0; p < w->n_panels; p++)
            loss_of_panel(w, p);
    } else if (w->engine->graph->nodes[from_end].needs_gradient) {
        backward(w, from_end);
    }
}

void sn_walk_group(sn_engine *engine, int thread, sn_panel_range group, int begin, int end) {
    size_t left = engine->step->batch.rows - group.first * SN_PANEL, room = group.n * SN_PANEL;
    walk w = {.engine = engine,
              .workspace = &engine->workspaces[thread],
              .panel = group.first,
              .n_panels = group.n,
              .rows = left < room ? left : room};
    w.base[SN_PLACE_BATCH] = engine->batch.base;
    w.base[SN_PLACE_SCRATCH] = w.workspace->scratch;
    w.n_spans = make_spans(&w, false, w.spans);
    uint64_t *spent = engine->profile ? engine->profile->lanes[thread].walk : NULL;
    uint64_t mark = spent ? sn_clock_nanoseconds() : 0;
    sn_guard_lane lane = {w.workspace->scratch, w.panel, w.n_panels};
    for (int time = begin; time < end; time++) {
        if (SN_GUARD > 0) sn_guard_begin(engine, &lane, time);
        visit_time(&w, time);
        if (SN_GUARD > 0) sn_guard_end(engine, &lane, time);
        if (spent) sn_profile_lap(&mark, &spent[time]);
    }
    for (size_t p = 0; p < w.n_panels; p++)
        leave_part(&w, p, end);
    if (spent && end < engine->profile->n_times) sn_profile_lap(&mark, &spent[end]);
}

void sn_walk_whole_call(sn_engine *engine, int i, sn_pass *pass, sn_op_call *call) {
    *call = (sn_op_call){0};
    size_t rows = engine->step->batch.rows;
    walk w = {.engine = engine, .workspace = &engine->workspaces[0], .n_panels = sn_panels(rows), .rows = rows};
    w.base[SN_PLACE_BATCH] = engine->batch.base;
    span s = make_span(&w, 0, w.n_panels, false);
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
                                      .part_rows = SN_PANEL * node->positions,
                                      .parts = part_of_panel(engine, 0, place->part),
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
                          .samples = engine->step->batch.rows,
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
