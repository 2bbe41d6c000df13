/* Owns the work items: the gradient of a tile of a parameter over the whole batch, and its update at once while it is
 * in cache.  A gradient that is done in an earlier phase is kept until the work.  With clip_norm all gradients come
 * first, then their norm in the order of the items, then the updates. */
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

/* The item's tile of a tensor that begins at element `offset` of a region. */
static sn_view region_tile(const work *w, const sn_arena *region, size_t offset) {
    size_t element = offset + w->item->row * w->param->cols + w->item->col;
    return (sn_view){region->base + element * w->engine->real_size, w->param->cols};
}

/* Where the item's gradient comes: in its tensor where all stay, else in a place of its own, the rows without gaps. */
static sn_view gradient_tile(const work *w) {
    const sn_engine *e = w->engine;
    if (e->plan.options.keeps_gradients) return region_tile(w, &e->gradients, w->entry->offset);
    bool waits = w->item->phase < e->plan.n_segments;
    return (sn_view){waits ? e->gradients.base + w->item->kept * e->real_size : w->workspace->gradient, w->item->cols};
}

static work open_item(sn_engine *engine, int thread, int j) {
    work w = {.engine = engine, .workspace = &engine->workspaces[thread], .item = &engine->plan.items[j]};
    w.entry = &engine->plan.params[w.item->param];
    w.param = &engine->graph->nodes[w.entry->node].params[w.entry->index];
    w.result = &engine->items[j];
    w.gradient = gradient_tile(&w);
    return w;
}

static sn_ahead ahead_of(const sn_engine *e, sn_view view, const sn_node *node, size_t cols) {
    size_t blocks = sn_panels(e->step->batch.rows) * node->positions;
    return (sn_ahead){view.data, blocks, cols * SN_PANEL * e->real_size, view.ld * e->real_size};
}

/* What the product of the upcoming item will read. */
static bool look_ahead(const work *w, sn_ahead ahead[SN_MAX_AHEAD]) {
    const sn_engine *e = w->engine;
    if (w->upcoming < 0 || !e->looks_ahead) return false;
    const sn_item *item = &e->plan.items[w->upcoming];
    const sn_plan_param *entry = &e->plan.params[item->param];
    const sn_node *node = &e->graph->nodes[entry->node];
    if (node->params[entry->index].route != SN_FROM_BATCH || item->rows == 1) return false;
    if (item->n_parts > 1 || node->op->gradient_room)
        return false; /* which part is not known here, and all of the batch would fill the caches */
    sn_slot x = e->plan.value[node->inputs[0]], dy = e->plan.gradient[entry->node];
    x.column += item->col;
    dy.column += item->row;
    ahead[0] = ahead_of(e, sn_batch_view(e, x, 0), &e->graph->nodes[node->inputs[0]], item->cols);
    ahead[1] = ahead_of(e, sn_batch_view(e, dy, 0), node, item->rows);
    return true;
}

/* From the sums that the panels left.  Returns whether all of it is finite, as those below. */
static bool add_partials(const work *w) {
    const sn_engine *e = w->engine;
    const double *partials = (const double *)(const void *)e->partials.base + w->entry->partial;
    e->backend->add_partials(w->gradient, partials, w->param->count, sn_panels(e->step->batch.rows),
                             e->plan.partial_doubles);
    return e->backend->all_finite(w->gradient, w->item->rows, w->item->cols);
}

/* Over `samples` from `begin` on, into `gradient`. */
static bool compute_product(const work *w, size_t begin, size_t samples, sn_view gradient) {
    const sn_engine *e = w->engine;
    const sn_node *node = &e->graph->nodes[w->entry->node];
    bool is_input = node->inputs[0] == 0 && e->graph->nodes[0].positions == 1;
    sn_ahead ahead[SN_MAX_AHEAD];
    return e->bindings[w->entry->node].kernels->param_gradient(&(sn_gradient_call){
        .node = node,
        .param = w->entry->index,
        .samples = samples,
        .x = sn_batch_view(e, e->plan.value[node->inputs[0]], begin / SN_PANEL),
        .dy = sn_batch_view(e, e->plan.gradient[w->entry->node], begin / SN_PANEL),
        .by_sample = is_input ? sn_by_sample(e, begin) : (sn_view){NULL, 0},
        .row = w->item->row,
        .col = w->item->col,
        .rows = w->item->rows,
        .cols = w->item->cols,
        .gradient = gradient,
        .stripe = &w->workspace->stripe,
        .by_openblas = e->by_openblas,
        .ahead = look_ahead(w, ahead) ? ahead : NULL,
    });
}

static unsigned char *part_of_item(const work *w, int part) {
    size_t element = w->item->parts + (size_t)part * sn_part_stride(w->item);
    return w->engine->parts.base + element * w->engine->real_size;
}

/* Counts down from `n` what threads do together; whether this was the last, which sets the counter up for the next
 * step. */
static bool is_last(atomic_int *left, int n) {
    if (atomic_fetch_sub(left, 1) > 1) return false;
    atomic_store(left, n);
    return true;
}

/* One part along the batch; whether it was the last that was missing. */
static bool compute_part(const work *w, int part) {
    sn_engine *e = w->engine;
    size_t begin, samples = sn_part_samples(e->step->batch.rows, part, w->item->n_parts, &begin);
    sn_view to = {part_of_item(w, part), w->item->cols};
    if (samples > 0) {
        compute_product(w, begin, samples, to);
    } else {
        memset(to.data, 0, w->item->rows * w->item->cols * e->real_size);
    }
    return is_last(&e->parts_left[w->item - e->plan.items], w->item->n_parts);
}

static bool merge_parts(const work *w) {
    return w->engine->backend->merge_parts(&(sn_merge_parts_call){.rows = w->item->rows,
                                                                  .cols = w->item->cols,
                                                                  .gradient = w->gradient,
                                                                  .parts = part_of_item(w, 0),
                                                                  .n_parts = (size_t)w->item->n_parts,
                                                                  .stride = sn_part_stride(w->item)});
}

static bool compute_gradient(const work *w) {
    if (w->param->route != SN_FROM_BATCH) return add_partials(w);
    if (w->item->n_parts > 1) return merge_parts(w);
    return compute_product(w, 0, w->engine->step->batch.rows, w->gradient);
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
    sn_count_item(e, w->workspace, w->item, SN_COUNTED_GRAD, w->gradient, (sn_view){NULL, 0});
}

static sn_update_call update_call(const work *w) {
    const sn_engine *e = w->engine;
    sn_update_call call = {.rows = w->item->rows,
                           .cols = w->item->cols,
                           .weight = region_tile(w, &e->params, w->entry->offset),
                           .gradient = w->gradient,
                           .numbers = e->numbers};
    call.numbers.lr *= w->param->lr_factor;
    if (!w->param->decays && !e->options.rule.decays_all) call.numbers.weight_decay = 0;
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        if (sn_rule_has_slot(&e->options.rule, k)) call.slots[k] = region_tile(w, &e->slots[k], w->entry->offset);
    }
    return call;
}

/* How many elements the optimizer's eps holds back, by what it keeps after the update. */
static void count_eps(const work *w, const sn_update_call *call) {
    const sn_update_rule *rule = &w->engine->options.rule;
    double limit = 0;
    if (!rule->optimizer || !rule->optimizer->moment) return;
    int slot = rule->optimizer->moment(rule, call->numbers.own, &limit);
    if (slot < 0) return;
    sn_change_sums *change = &w->result->change;
    change->moments = change->n;
    change->below_eps = (double)w->engine->backend->count_less(call->slots[slot], call->rows, call->cols, limit);
}

/* An update with its statistics, from copies of what it overwrites. */
static bool observed_update(const work *w, const sn_update_call *call) {
    const sn_backend *backend = w->engine->backend;
    sn_change_call change = {.update = call,
                             .old_weight = {w->workspace->old_weight, call->cols},
                             .gradient = &w->result->gradient,
                             .old_squares = &w->result->weight};
    backend->copy(change.old_weight, call->weight, call->rows, call->cols);
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        if (!call->slots[k].data) continue;
        change.old_slots[k] = (sn_view){w->workspace->old_slots[k], call->cols};
        backend->copy(change.old_slots[k], call->slots[k], call->rows, call->cols);
    }
    bool is_finite = w->engine->kernels->update(call);
    w->result->change = w->engine->kernels->change_sums(&change);
    sn_count_item(w->engine, w->workspace, w->item, SN_COUNTED_WEIGHT, change.old_weight, (sn_view){NULL, 0});
    sn_count_item(w->engine, w->workspace, w->item, SN_COUNTED_UPDATE, call->weight, change.old_weight);
    count_eps(w, call);
    return is_finite;
}

/* A tile whose gradient is not finite keeps its weights. */
static void update_item(const work *w) {
    const sn_engine *e = w->engine;
    sn_update_call call = update_call(w);
    bool changes = e->step->applies && !w->param->is_held && w->result->fault.kind == SN_FAULT_NONE;
    if (changes) {
        bool is_finite = e->observes ? observed_update(w, &call) : e->kernels->update(&call);
        if (!is_finite) fail(w, call.weight, SN_FAULT_PARAM);
    } else if (e->observes) {
        w->result->weight = e->backend->signal_sums(call.weight, call.rows, call.cols).squares;
        sn_count_item(e, w->workspace, w->item, SN_COUNTED_WEIGHT, call.weight, (sn_view){NULL, 0});
    }
}

static bool has_fault(const sn_engine *engine) {
    for (int j = 0; j < engine->plan.n_items; j++) {
        if (engine->items[j].fault.kind != SN_FAULT_NONE) return true;
    }
    return false;
}

/* clip_norm / norm where the norm of the gradients of all that moves is larger, else 1. */
static double clip_factor(const sn_engine *engine) {
    sn_sumsq squares = {0, 0};
    for (int j = 0; j < engine->plan.n_items; j++) {
        const sn_plan_param *entry = &engine->plan.params[engine->plan.items[j].param];
        if (!engine->graph->nodes[entry->node].params[entry->index].is_held)
            sn_sumsq_merge(&squares, engine->items[j].gradient.squares);
    }
    double norm = sn_sumsq_norm(squares);
    return norm > engine->options.clip_norm ? engine->options.clip_norm / norm : 1;
}

/* Places in a list go round the threads.  Each begins with its own, the same in every step, since what they stand for
 * is in its cache; then it takes what is left of the others'. */
typedef struct share {
    atomic_size_t *next;         /* per owner */
    size_t n;                    /* places of the list */
    int thread, threads, helped; /* owners whose places are all taken */
    size_t upcoming;             /* the place after the one that was taken, may be behind the end */
} share;

static share make_share(const sn_engine *engine, int thread, atomic_size_t *next, int n) {
    return (share){.next = next, .n = (size_t)n, .thread = thread, .threads = engine->options.threads};
}

/* The next place, n where none is left. */
static size_t take_place(share *s) {
    for (; s->helped < s->threads; s->helped++) {
        size_t owner = (size_t)((s->thread + s->helped) % s->threads);
        size_t at = atomic_fetch_add(&s->next[owner], 1) * (size_t)s->threads + owner;
        s->upcoming = at + (size_t)s->threads;
        if (at < s->n) return at;
    }
    return s->n;
}

typedef enum stage { GRADIENT = 1, UPDATE = 2 } stage;

/* What is to be done of an item: `part` of the batch of its gradient, and where that is complete the rest. */
typedef struct job {
    int item, part;
    unsigned stages; /* GRADIENT, UPDATE */
    int upcoming;    /* an item that this thread may get next; -1: none */
} job;

static void do_item(sn_engine *engine, int thread, const job *todo) {
    const sn_profile_lane *lane = engine->profile ? &engine->profile->lanes[thread] : NULL;
    uint64_t mark = lane ? sn_clock_nanoseconds() : 0;
    work w = open_item(engine, thread, todo->item);
    w.upcoming = todo->upcoming;
    bool is_complete = !(todo->stages & GRADIENT) || w.item->n_parts == 1 || compute_part(&w, todo->part);
    if (is_complete && todo->stages & GRADIENT) gradient_of_item(&w);
    if (lane) sn_profile_lap(&mark, &lane->gradient[w.item->param]);
    if (is_complete && todo->stages & UPDATE) update_item(&w);
    if (lane) sn_profile_lap(&mark, &lane->update[w.item->param]);
}

/* An item and its companion. */
static void do_job(sn_engine *engine, int thread, job todo) {
    do_item(engine, thread, &todo);
    todo.item = engine->plan.items[todo.item].companion;
    todo.upcoming = -1;
    if (todo.item >= 0) do_item(engine, thread, &todo);
}

/* Tasks that read one stripe; `next`, a task that this thread may begin with then, -1: none. */
static void do_group(sn_engine *engine, int thread, const sn_task_group *group, int next, unsigned stages) {
    const sn_task *tasks = engine->plan.tasks;
    engine->workspaces[thread].stripe.holds = NULL;
    for (int t = group->first; t < group->first + group->n; t++) {
        int upcoming = t + 1 < group->first + group->n ? t + 1 : next;
        do_job(engine, thread, (job){tasks[t].item, tasks[t].part, stages, upcoming < 0 ? -1 : tasks[upcoming].item});
    }
}

/* The tasks of a phase. */
static void do_tasks(sn_engine *engine, int thread, int phase, unsigned stages) {
    const sn_plan *plan = &engine->plan;
    const sn_task_group *groups = plan->groups + plan->first_group[phase];
    int n = plan->first_group[phase + 1] - plan->first_group[phase];
    if (n == 0) return;
    share s = make_share(engine, thread, engine->next_tasks + (ptrdiff_t)phase * engine->options.threads, n);
    for (size_t at; (at = take_place(&s)) < s.n;)
        do_group(engine, thread, &groups[at], s.upcoming < s.n ? groups[s.upcoming].first : -1, stages);
}

static void do_updates(sn_engine *engine, int thread, const int *items, int n) {
    if (n == 0) return;
    share s = make_share(engine, thread, engine->next_update, n);
    for (size_t at; (at = take_place(&s)) < s.n;)
        do_job(engine, thread, (job){items[at], 0, UPDATE, -1});
}

void sn_work_gradients(sn_engine *engine, int thread, int phase) {
    do_tasks(engine, thread, phase, GRADIENT);
}

void sn_work_updates(sn_engine *engine, int thread) {
    const sn_plan *plan = &engine->plan;
    if (engine->options.clip_norm == 0) {
        do_tasks(engine, thread, plan->n_segments, GRADIENT | UPDATE);
        do_updates(engine, thread, plan->updates + plan->n_updates, plan->n_late);
        return;
    }
    do_tasks(engine, thread, plan->n_segments, GRADIENT);
    sn_team_barrier(engine->team);
    if (thread == 0) engine->numbers.clip = clip_factor(engine);
    sn_team_barrier(engine->team);
    if (!has_fault(engine)) do_updates(engine, thread, plan->updates, plan->n_updates);
}
