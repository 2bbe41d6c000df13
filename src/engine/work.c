/* Owns the work items: the gradient of a tile of a parameter over the whole batch, and its update at once while it is
 * in cache.  With clip_norm all gradients come first, then their norm in the order of the items, then the updates. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "engine/internal.h"

typedef struct work {
    sn_engine *engine;
    sn_workspace *workspace;
    const sn_item *item;
    const sn_plan_param *entry;
    const sn_param *param;
    sn_item_result *result;
    sn_view gradient;
    int upcoming; /* an item that this thread may get next; -1: none */
} work;

/* A tile of one of the regions that are laid out like the weights. */
static sn_view region_tile(const work *w, const sn_arena *region) {
    size_t element = w->entry->offset + w->item->row * w->param->cols + w->item->col;
    return (sn_view){region->base + element * w->engine->real_size, w->param->cols};
}

static work open_item(sn_engine *engine, int thread, int j) {
    work w = {.engine = engine, .workspace = &engine->workspaces[thread], .item = &engine->plan.items[j]};
    w.entry = &engine->plan.params[w.item->param];
    w.param = &engine->graph->nodes[w.entry->node].params[w.entry->index];
    w.result = &engine->items[j];
    w.gradient = engine->plan.options.keeps_gradients ? region_tile(&w, &engine->gradients)
                                                      : (sn_view){w.workspace->gradient, w.item->cols};
    return w;
}

static sn_ahead ahead_of(const sn_engine *e, sn_view view, const sn_node *node, size_t cols) {
    return (sn_ahead){view.data, e->step->batch.rows * node->positions, cols * e->real_size, view.ld * e->real_size};
}

/* What the product of the upcoming item will read. */
static bool look_ahead(const work *w, sn_ahead ahead[SN_MAX_AHEAD]) {
    const sn_engine *e = w->engine;
    if (w->upcoming < 0 || !e->looks_ahead) return false;
    const sn_item *item = &e->plan.items[w->upcoming];
    const sn_plan_param *entry = &e->plan.params[item->param];
    const sn_node *node = &e->graph->nodes[entry->node];
    if (node->params[entry->index].route != SN_FROM_BATCH || item->rows == 1) return false;
    sn_slot x = e->plan.value[node->inputs[0]], dy = e->plan.gradient[entry->node];
    x.column += item->col;
    dy.column += item->row;
    ahead[0] = ahead_of(e, sn_batch_view(e, x, 0), &e->graph->nodes[node->inputs[0]], item->cols);
    ahead[1] = ahead_of(e, sn_batch_view(e, dy, 0), node, item->rows);
    return true;
}

/* Returns whether all of it is finite. */
static bool compute_gradient(const work *w) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[w->entry->node];
    size_t rows = e->step->batch.rows;
    sn_ahead ahead[SN_MAX_AHEAD];
    if (w->param->route != SN_FROM_BATCH) {
        const double *partials = (const double *)(const void *)e->partials.base + w->entry->partial;
        e->backend->add_partials(w->gradient, partials, w->param->count, sn_tile_count(e, rows),
                                 e->plan.partial_doubles);
        return e->backend->all_finite(w->gradient, w->item->rows, w->item->cols);
    }
    return e->bindings[w->entry->node].kernels->param_gradient(&(sn_gradient_call){
        .node = node,
        .param = w->entry->index,
        .samples = rows,
        .x = sn_batch_view(e, e->plan.value[node->inputs[0]], 0),
        .dy = sn_batch_view(e, e->plan.gradient[w->entry->node], 0),
        .row = w->item->row,
        .col = w->item->col,
        .rows = w->item->rows,
        .cols = w->item->cols,
        .gradient = w->gradient,
        .ahead = look_ahead(w, ahead) ? ahead : NULL,
    });
}

static void fail(const work *w, sn_view tile, sn_fault_kind kind) {
    w->result->fault = (sn_fault){kind, w->entry->node, w->entry->index};
    w->result->nonfinite = (double)w->engine->backend->count_nonfinite(tile, w->item->rows, w->item->cols);
}

static void gradient_of_item(const work *w) {
    const sn_engine *e = w->engine;
    *w->result = (sn_item_result){0};
    if (!compute_gradient(w)) fail(w, w->gradient, SN_FAULT_PARAM_GRADIENT);
    if (!e->observes && e->options.clip_norm == 0) return;
    w->result->gradient = e->backend->tensor_sums(w->gradient, w->item->rows, w->item->cols);
}

static sn_update_call update_call(const work *w) {
    const sn_engine *e = w->engine;
    sn_update_call call = {.rows = w->item->rows,
                           .cols = w->item->cols,
                           .weight = region_tile(w, &e->params),
                           .gradient = w->gradient,
                           .sgd = {.lr = e->step->lr,
                                   .momentum = e->options.momentum,
                                   .weight_decay = w->param->decays ? e->options.weight_decay : 0,
                                   .clip = e->clip,
                                   .nesterov = e->options.nesterov}};
    if (e->plan.options.has_velocity) call.velocity = region_tile(w, &e->velocities);
    return call;
}

/* An update with its statistics, from copies of what it overwrites. */
static bool observed_update(const work *w, const sn_update_call *call) {
    const sn_backend *backend = w->engine->backend;
    sn_change_call change = {.update = call,
                             .old_weight = {w->workspace->old_weight, call->cols},
                             .gradient = &w->result->gradient,
                             .old_squares = &w->result->weight};
    backend->copy(change.old_weight, call->weight, call->rows, call->cols);
    if (call->velocity.data) {
        change.old_velocity = (sn_view){w->workspace->old_velocity, call->cols};
        backend->copy(change.old_velocity, call->velocity, call->rows, call->cols);
    }
    bool is_finite = backend->update(call);
    w->result->change = backend->change_sums(&change);
    return is_finite;
}

/* The copy of the parameter after an update of this tile; one of the whole tensor after that of the last one. */
static void bring_copy_up_to_date(const work *w) {
    sn_engine *e = w->engine;
    if (w->param->copy_size == 0) return;
    if (!w->param->derives_whole) {
        sn_engine_derive(e, w->item->param, w->item);
    } else if (atomic_fetch_sub(&e->tiles_left[w->item->param], 1) == 1) {
        sn_engine_derive(e, w->item->param, NULL);
    }
}

/* A tile whose gradient is not finite keeps its weights. */
static void update_item(const work *w) {
    const sn_engine *e = w->engine;
    sn_update_call call = update_call(w);
    if (e->step->applies && w->result->fault.kind == SN_FAULT_NONE) {
        bool is_finite = e->observes ? observed_update(w, &call) : e->backend->update(&call);
        if (!is_finite) fail(w, call.weight, SN_FAULT_PARAM);
        bring_copy_up_to_date(w);
    } else if (e->observes) {
        w->result->weight = e->backend->signal_sums(call.weight, call.rows, call.cols).squares;
    }
}

static bool has_fault(const sn_engine *engine) {
    for (int j = 0; j < engine->plan.n_items; j++) {
        if (engine->items[j].fault.kind != SN_FAULT_NONE) return true;
    }
    return false;
}

/* clip_norm / norm where the norm of all gradients is larger, else 1. */
static double clip_factor(const sn_engine *engine) {
    sn_sumsq squares = {0, 0};
    for (int j = 0; j < engine->plan.n_items; j++)
        sn_sumsq_merge(&squares, engine->items[j].gradient.squares);
    double norm = sn_sumsq_norm(squares);
    return norm > engine->options.clip_norm ? engine->options.clip_norm / norm : 1;
}

/* The items in the order of their work go round the threads.  Each begins with its own, the same in every step, since
 * their weights are in its cache; then it takes what is left of the others'.  -1: none is left. */
typedef struct share {
    const sn_engine *engine;
    atomic_size_t *next; /* per owner */
    int thread, helped;  /* owners whose items are all taken */
    int upcoming;        /* the item after the one that was taken, -1: none */
} share;

static int item_at(const sn_plan *plan, size_t at) {
    return at < (size_t)plan->n_ordered ? plan->item_order[at] : -1;
}

static int take_item(share *s) {
    const sn_plan *plan = &s->engine->plan;
    int threads = s->engine->options.threads;
    for (; s->helped < threads; s->helped++) {
        size_t owner = (size_t)((s->thread + s->helped) % threads);
        size_t at = atomic_fetch_add(&s->next[owner], 1) * (size_t)threads + owner;
        s->upcoming = item_at(plan, at + (size_t)threads);
        if (at < (size_t)plan->n_ordered) return plan->item_order[at];
    }
    return -1;
}

typedef enum part { GRADIENT = 1, UPDATE = 2 } part;

static void do_item(sn_engine *engine, int thread, int j, unsigned parts, int upcoming) {
    const sn_profile_lane *lane = engine->profile ? &engine->profile->lanes[thread] : NULL;
    uint64_t mark = lane ? sn_clock_nanoseconds() : 0;
    work w = open_item(engine, thread, j);
    w.upcoming = upcoming;
    if (parts & GRADIENT) gradient_of_item(&w);
    if (lane) sn_profile_lap(&mark, &lane->gradient[w.item->param]);
    if (parts & UPDATE) update_item(&w);
    if (lane) sn_profile_lap(&mark, &lane->update[w.item->param]);
}

static void do_share(sn_engine *engine, int thread, atomic_size_t *next, unsigned parts) {
    share s = {.engine = engine, .next = next, .thread = thread};
    for (int j; (j = take_item(&s)) >= 0;) {
        int companion = engine->plan.items[j].companion;
        do_item(engine, thread, j, parts, s.upcoming);
        if (companion >= 0) do_item(engine, thread, companion, parts, -1);
    }
}

void sn_work_items(sn_engine *engine, int thread) {
    if (engine->options.clip_norm == 0) {
        do_share(engine, thread, engine->next_item, GRADIENT | UPDATE);
        return;
    }
    do_share(engine, thread, engine->next_item, GRADIENT);
    sn_team_barrier(engine->team);
    if (thread == 0) engine->clip = clip_factor(engine);
    sn_team_barrier(engine->team);
    if (!has_fault(engine)) do_share(engine, thread, engine->next_update, UPDATE);
}
