/* Owns the guards.  The one place of the library that prints and aborts: after an overrun nothing in memory can be
 * trusted, least of all the way to a report. */
#include "engine/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* 0xFFFA5A5A is a quiet NaN as a float, twice as a double; fresh memory is 0xFF, so a copy of that shows too. */
static const unsigned char pattern[4] = {0x5A, 0x5A, 0xFA, 0xFF};

/* Bytes behind a slice, or before the first one of a region. */
typedef struct gap {
    unsigned char *begin;
    size_t size;
    const char *what; /* what lies before it: "the values of", ... */
    const char *name; /* whose: a label or a tensor */
} gap;

/* Looks at a gap or writes it; true ends the round. */
typedef bool gap_visit(const gap *g, sn_text *text);

static bool paint(const gap *g, sn_text *text) {
    (void)text;
    for (size_t i = 0; i < g->size; i++)
        g->begin[i] = pattern[i % sizeof pattern];
    return false;
}

static bool is_damaged(const gap *g, sn_text *text) {
    for (size_t i = 0; i < g->size; i++) {
        if (g->begin[i] == pattern[i % sizeof pattern]) continue;
        sn_text_addf(text, "something wrote %zu bytes behind %s %s", i, g->what, g->name);
        return true;
    }
    return false;
}

/* ---- where the gaps are ---- */

static void name_buffer(const sn_engine *e, int buffer, gap *g) {
    int node = e->owners[buffer];
    g->what = e->plan.value[node].buffer == buffer ? "the values of" : "the gradient by";
    g->name = e->graph->nodes[node].label;
}

/* From the end of a slice of `count` elements to the end of its guard. */
static gap gap_behind(unsigned char *region, size_t offset, size_t count, size_t element_size) {
    return (gap){.begin = region + (offset + count) * element_size,
                 .size = (sn_slice_room(count) - count) * element_size};
}

static bool visit_signals(const sn_engine *e, gap_visit *visit, sn_text *text) {
    gap first = {e->batch.base, SN_GUARD * e->real_size, "the start of", "all signals"};
    if (visit(&first, text)) return true;
    for (int i = 0; i < e->plan.n_buffers; i++) {
        const sn_buffer *b = &e->plan.buffers[i];
        if (b->place != SN_PLACE_BATCH || e->shares_memory[i]) continue;
        gap g = gap_behind(e->batch.base, b->offset, sn_buffer_panel(b) * e->plan.max_panels, e->real_size);
        name_buffer(e, i, &g);
        if (visit(&g, text)) return true;
    }
    return false;
}

static bool visit_param(const sn_engine *e, int p, gap_visit *visit, sn_text *text) {
    const sn_plan_param *entry = &e->plan.params[p];
    const sn_param *param = &e->graph->nodes[entry->node].params[entry->index];
    const struct {
        const sn_arena *region;
        size_t offset, count; /* 0: it is not there */
        const char *what;
    } tensors[] = {
        {&e->params, entry->offset, param->count, "the tensor"},
        {&e->gradients, entry->offset, e->plan.options.keeps_gradients ? param->count : 0, "the gradient of"},
    };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        if (tensors[i].count == 0) continue;
        gap g = gap_behind(tensors[i].region->base, tensors[i].offset, tensors[i].count, e->real_size);
        g.what = tensors[i].what;
        g.name = e->tensor_names[p];
        if (visit(&g, text)) return true;
    }
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        if (!sn_rule_has_slot(&e->options.rule, k)) continue;
        gap g = gap_behind(e->slots[k].base, entry->offset, param->count, e->real_size);
        g.what = "the tensor";
        g.name = e->slot_names[k][p];
        if (visit(&g, text)) return true;
    }
    return false;
}

static bool visit_state(const sn_engine *e, int i, gap_visit *visit, sn_text *text) {
    const sn_plan_state *entry = &e->plan.states[i];
    size_t count = e->graph->nodes[entry->node].states[entry->index].count;
    gap g = gap_behind(e->states.base, entry->offset, count, e->real_size);
    g.what = "the state";
    g.name = e->state_names[i];
    return visit(&g, text);
}

/* The gradient of a tile that waits for its update. */
static bool visit_kept(const sn_engine *e, const sn_item *item, gap_visit *visit, sn_text *text) {
    if (item->phase == e->plan.n_segments || e->plan.options.keeps_gradients) return false;
    gap g = gap_behind(e->gradients.base, item->kept, item->rows * item->cols, e->real_size);
    g.what = "a tile of the gradient of";
    g.name = e->tensor_names[item->param];
    return visit(&g, text);
}

/* The parts of a tile's gradient along the batch. */
static bool visit_parts(const sn_engine *e, const sn_item *item, gap_visit *visit, sn_text *text) {
    for (size_t k = 0; k < (size_t)item->n_parts && item->n_parts > 1; k++) {
        size_t offset = item->parts + k * sn_part_stride(item);
        gap g = gap_behind(e->parts.base, offset, item->rows * item->cols, e->real_size);
        g.what = "a part of the gradient of";
        g.name = e->tensor_names[item->param];
        if (visit(&g, text)) return true;
    }
    return false;
}

/* What a thread has for work items: slices, each with its guard in max_item_elements. */
static bool visit_items(const sn_engine *e, const sn_workspace *w, gap_visit *visit, sn_text *text) {
    static const char *const slots[SN_MAX_SLOTS] = {"old first slot", "old second slot", "old third slot"};
    size_t guard = SN_GUARD * e->real_size, item = e->plan.max_item_elements * e->real_size;
    for (int i = 0; i < 2 + e->plan.options.n_slots; i++) {
        const char *name = i == 0 ? "gradient" : i == 1 ? "old weights" : slots[i - 2];
        gap g = {w->gradient + (size_t)(i + 1) * item - guard, guard, "a work item's", name};
        if (visit(&g, text)) return true;
    }
    return false;
}

/* Sums of a node's reduction. */
static bool visit_sums(const sn_engine *e, int node, gap_visit *visit, sn_text *text) {
    const sn_node *n = &e->graph->nodes[node];
    const sn_plan_reduction *places[] = {&e->plan.forward_sums[node], &e->plan.backward_sums[node]};
    const sn_reduction *reductions[] = {&n->op->forward_reduction, &n->op->backward_reduction};
    size_t panels = e->plan.max_panels, threads = (size_t)e->options.threads;
    for (size_t r = 0; r < 2; r++) {
        if (reductions[r]->part_size == 0) continue;
        size_t part = reductions[r]->part_size * n->width, total = reductions[r]->total_size * n->width;
        for (size_t t = 0; t < panels + threads; t++) {
            gap g = t < panels ? gap_behind(e->partials.base, t * e->plan.partial_doubles + places[r]->part, part,
                                            sizeof(double))
                               : gap_behind(e->totals.base, (t - panels) * e->plan.total_doubles + places[r]->total,
                                            total, sizeof(double));
            g.what = "sums over the batch of";
            g.name = n->label;
            if (visit(&g, text)) return true;
        }
    }
    return false;
}

/* The gradients that every panel leaves. */
static bool visit_partials(const sn_engine *e, int p, gap_visit *visit, sn_text *text) {
    const sn_plan_param *entry = &e->plan.params[p];
    const sn_param *param = &e->graph->nodes[entry->node].params[entry->index];
    for (size_t t = 0; t < e->plan.max_panels && param->route == SN_FROM_PARTIALS; t++) {
        size_t offset = t * e->plan.partial_doubles + entry->partial;
        gap g = gap_behind(e->partials.base, offset, param->count, sizeof(double));
        g.what = "a panel's gradient of";
        g.name = e->tensor_names[p];
        if (visit(&g, text)) return true;
    }
    return false;
}

static bool visit_all(const sn_engine *e, gap_visit *visit, sn_text *text) {
    if (visit_signals(e, visit, text)) return true;
    for (int p = 0; p < e->plan.n_params; p++) {
        if (visit_param(e, p, visit, text) || visit_partials(e, p, visit, text)) return true;
    }
    for (int j = 0; j < e->plan.n_items; j++) {
        const sn_item *item = &e->plan.items[j];
        if (visit_kept(e, item, visit, text) || visit_parts(e, item, visit, text)) return true;
    }
    for (int i = 0; i < e->plan.n_states; i++) {
        if (visit_state(e, i, visit, text)) return true;
    }
    for (int i = 1; i < e->graph->n_nodes; i++) {
        if (visit_sums(e, i, visit, text)) return true;
    }
    for (int t = 0; t < e->options.threads; t++) {
        if (visit_items(e, &e->workspaces[t], visit, text)) return true;
    }
    return false;
}

/* ---- lifetimes ---- */

/* Buffers in the order of a time of theirs: those of time t from at[t] up to at[t + 1]. */
static bool sort_buffers(sn_engine *e, bool by_first, sn_guard_order *order) {
    int n = e->plan.n_buffers, n_times = sn_time_work(&e->plan) + 1;
    order->buffers = sn_pool_alloc(&e->pool, ((size_t)n + 1) * sizeof *order->buffers);
    order->at = sn_pool_alloc(&e->pool, ((size_t)n_times + 2) * sizeof *order->at);
    if (!order->buffers || !order->at) return false;
    int *next = order->at + 1; /* counted one further on, filling moves it to its place */
    for (int i = 0; i < n; i++) {
        int time = by_first ? e->plan.buffers[i].first : e->plan.buffers[i].last;
        if (time >= 0) next[time + 1]++;
    }
    for (int t = 0; t < n_times; t++)
        next[t + 1] += next[t];
    for (int i = 0; i < n; i++) {
        int time = by_first ? e->plan.buffers[i].first : e->plan.buffers[i].last;
        if (time >= 0) order->buffers[next[time]++] = i;
    }
    return true;
}

/* Who lives in a buffer: its last node, since a concat comes after its inputs. */
static bool set_owners(sn_engine *e) {
    e->owners = sn_pool_alloc(&e->pool, ((size_t)e->plan.n_buffers + 1) * sizeof *e->owners);
    for (int i = 0; i < e->graph->n_nodes && e->owners; i++) {
        if (e->plan.value[i].buffer >= 0) e->owners[e->plan.value[i].buffer] = i;
        if (e->plan.gradient[i].buffer >= 0) e->owners[e->plan.gradient[i].buffer] = i;
    }
    return e->owners;
}

/* Whether others lie where a buffer lies, at another time: what stands behind it then is theirs. */
static bool shares_memory(const sn_plan *plan, int i) {
    const sn_buffer *a = &plan->buffers[i];
    size_t panels = plan->max_panels, end = a->offset + sn_slice_room(sn_buffer_panel(a) * panels);
    for (int j = 0; j < plan->n_buffers; j++) {
        const sn_buffer *b = &plan->buffers[j];
        if (j == i || b->place != SN_PLACE_BATCH) continue;
        if (b->offset < end && a->offset < b->offset + sn_slice_room(sn_buffer_panel(b) * panels)) return true;
    }
    return false;
}

static bool set_shared(sn_engine *e) {
    e->shares_memory = sn_pool_alloc(&e->pool, ((size_t)e->plan.n_buffers + 1) * sizeof *e->shares_memory);
    for (int i = 0; i < e->plan.n_buffers && e->shares_memory; i++)
        e->shares_memory[i] = e->plan.buffers[i].place == SN_PLACE_BATCH && shares_memory(&e->plan, i);
    return e->shares_memory;
}

sn_status sn_guard_init(sn_engine *engine, sn_error *error) {
    if (SN_GUARD == 0) return SN_OK;
    bool ok = set_owners(engine) && set_shared(engine) && sort_buffers(engine, true, &engine->begins);
    ok = ok && sort_buffers(engine, false, &engine->ends);
    if (!ok) return sn_error_memory(error, (size_t)engine->plan.n_buffers * sizeof(int), "the guards");
    visit_all(engine, paint, NULL);
    return SN_OK;
}

/* The guards before and behind a signal in scratch, which is laid out for one panel and scaled to a group. */
static void scratch_gaps(const sn_engine *e, const sn_guard_lane *lane, int buffer, gap gaps[2]) {
    const sn_buffer *b = &e->plan.buffers[buffer];
    size_t scale = e->group_panels * e->real_size;
    gaps[0] = (gap){.begin = lane->scratch + (b->offset - SN_GUARD) * scale, .size = SN_GUARD * scale};
    gaps[1] = gap_behind(lane->scratch, b->offset, sn_buffer_panel(b), scale);
    name_buffer(e, buffer, &gaps[1]);
    gaps[0].what = "the start of what holds";
    gaps[0].name = gaps[1].name;
}

void sn_guard_begin(const sn_engine *engine, const sn_guard_lane *lane, int time) {
    if (SN_GUARD == 0) return;
    const sn_guard_order *order = &engine->begins;
    gap gaps[2];
    for (int j = order->at[time]; j < order->at[time + 1]; j++) {
        const sn_buffer *b = &engine->plan.buffers[order->buffers[j]];
        size_t panel_bytes = sn_buffer_panel(b) * engine->real_size;
        if (b->place == SN_PLACE_BATCH) {
            unsigned char *base = engine->batch.base + b->offset * engine->real_size;
            memset(base + lane->panel * panel_bytes, 0xFF, lane->panels * panel_bytes);
        } else {
            size_t scale = engine->group_panels;
            memset(lane->scratch + b->offset * scale * engine->real_size, 0xFF, panel_bytes * scale);
            scratch_gaps(engine, lane, order->buffers[j], gaps);
            paint(&gaps[0], NULL);
            paint(&gaps[1], NULL);
        }
    }
}

static void give_up(const sn_text *text) {
    fprintf(stderr, "skipnet: %s: this is a fault of the program\n", sn_text_string(text));
    abort();
}

void sn_guard_end(const sn_engine *engine, const sn_guard_lane *lane, int time) {
    if (SN_GUARD == 0) return;
    const sn_guard_order *order = &engine->ends;
    gap gaps[2];
    sn_text text = SN_TEXT_EMPTY;
    for (int j = order->at[time]; j < order->at[time + 1]; j++) {
        if (engine->plan.buffers[order->buffers[j]].place != SN_PLACE_SCRATCH) continue;
        scratch_gaps(engine, lane, order->buffers[j], gaps);
        if (is_damaged(&gaps[0], &text) || is_damaged(&gaps[1], &text)) give_up(&text);
    }
}

void sn_guard_verify(const sn_engine *engine) {
    sn_text text = SN_TEXT_EMPTY;
    if (SN_GUARD > 0 && visit_all(engine, is_damaged, &text)) give_up(&text);
}
