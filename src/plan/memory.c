/* Owns lifetimes and places: when a buffer is written first and used last, and where it lies.
 *
 * Buffers share memory when their lifetimes do not overlap: taken in the order of their first write, each at the lowest
 * place that is free (first fit).  Scratch memory belongs to one thread, so its lifetimes are counted in times; in the
 * memory of the batch other threads are elsewhere in the same phase, so there they are counted in phases.  What is
 * written in the forward pass stays at least to the loss: an evaluation goes forward without waiting. */
#include <stdlib.h>

#include "plan/plan.h"

static void touch(sn_plan *plan, sn_slot slot, int time) {
    if (slot.buffer < 0) return;
    sn_buffer *b = &plan->buffers[slot.buffer];
    if (b->first < 0 || time < b->first) b->first = time;
    if (time > b->last) b->last = time;
}

static void touch_forward(sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    if (plan->is_apart[i]) return;
    touch(plan, plan->value[i], i);
    for (int k = 0; k < node->n_inputs; k++)
        touch(plan, plan->value[sn_plan_source(plan, i, k)], i);
}

static void touch_backward(sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    int time = sn_time_backward(plan, i);
    if (plan->is_apart[i]) { /* an observation may want it whole */
        int whole_by = sn_plan_whole_by(plan, i);
        touch(plan, plan->value[i], time);
        touch(plan, plan->value[whole_by], time);
        touch(plan, plan->gradient[whole_by], time);
        return;
    }
    touch(plan, plan->gradient[i], time);
    if (node->op->backward_reads & SN_READS_Y) touch(plan, plan->value[i], time);
    for (int k = 0; k < node->n_inputs; k++) {
        int x = sn_plan_source(plan, i, k);
        const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
        if (node->op->backward_reads & SN_READS_X) touch(plan, plan->value[x], time);
        if (edge->flow != SN_FLOW_NONE) touch(plan, plan->gradient[x], time);
        if (edge->flow == SN_FLOW_ADD) touch(plan, edge->base, time);
    }
    for (int p = 0; p < node->n_params; p++) {
        if (node->params[p].route != SN_FROM_BATCH) continue;
        int phase = sn_plan_gradient_phase(plan, i);
        int until = phase < plan->n_segments ? plan->segment_ends[phase] - 1 : sn_time_work(plan);
        touch(plan, plan->value[node->inputs[0]], until);
        touch(plan, plan->gradient[i], until);
    }
}

static void set_lifetimes(sn_plan *plan) {
    int last = plan->graph->n_nodes - 1;
    touch(plan, plan->value[0], 0);
    for (int i = 1; i <= last; i++)
        touch_forward(plan, i);
    touch(plan, plan->value[last], sn_time_loss(plan));
    touch(plan, plan->gradient[last], sn_time_loss(plan));
    for (int i = last; i > 0; i--) {
        if (plan->graph->nodes[i].needs_gradient) touch_backward(plan, i);
    }
}

static bool spans_segments(const sn_plan *plan, const sn_buffer *b) {
    return sn_plan_phase(plan, b->first) != sn_plan_phase(plan, b->last);
}

static bool is_scratch(const sn_plan *plan, const sn_buffer *b) {
    bool spans_the_loss = b->first < sn_time_loss(plan) && b->last > sn_time_loss(plan);
    return b->last < sn_time_work(plan) && !spans_the_loss && !spans_segments(plan, b) && !plan->options.is_reference;
}

static int by_first_use(const void *a, const void *b) {
    const sn_buffer *x = *(sn_buffer *const *)a, *y = *(sn_buffer *const *)b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Memory that buffers share, and those that are alive in it, by offset. */
typedef struct region {
    const sn_plan *plan;
    sn_buffer_place place;
    size_t elements; /* that it has come to */
    size_t in_use;   /* by those that are alive */
    int now;         /* the last birth */
    sn_buffer **live;
    int n_live;
} region;

static int birth(const region *r, const sn_buffer *b) {
    return r->place == SN_PLACE_SCRATCH ? b->first : sn_plan_phase(r->plan, b->first);
}

static int death(const region *r, const sn_buffer *b) {
    if (r->place == SN_PLACE_SCRATCH) return b->last;
    if (r->plan->options.is_reference) return r->plan->n_segments; /* it keeps all signals */
    int loss = sn_time_loss(r->plan);
    return sn_plan_phase(r->plan, b->last < loss ? loss : b->last);
}

/* Guards included, on both sides: whoever lives beside it changes. */
static size_t begin_of(const sn_buffer *b) {
    return b->offset - SN_GUARD;
}

static size_t end_of(const region *r, const sn_buffer *b) {
    return begin_of(b) + sn_buffer_room(r->plan, b);
}

static void drop_dead(region *r, int now) {
    int kept = 0;
    if (now == r->now) return;
    r->now = now;
    for (int j = 0; j < r->n_live; j++) {
        if (death(r, r->live[j]) >= now) {
            r->live[kept++] = r->live[j];
        } else {
            r->in_use -= sn_buffer_room(r->plan, r->live[j]);
        }
    }
    r->n_live = kept;
}

/* The first place among those that are alive, and where it begins. */
static int find_gap(const region *r, size_t room, size_t *offset) {
    size_t end = r->n_live > 0 ? end_of(r, r->live[r->n_live - 1]) : 0;
    int at = 0;
    *offset = end;
    if (end == r->in_use) return r->n_live; /* there is no gap before the end */
    for (*offset = 0; at < r->n_live && begin_of(r->live[at]) < *offset + room; at++)
        *offset = end_of(r, r->live[at]);
    return at;
}

static void place(region *r, sn_buffer *b) {
    drop_dead(r, birth(r, b));
    size_t room = sn_buffer_room(r->plan, b), offset;
    int at = find_gap(r, room, &offset);
    for (int j = r->n_live++; j > at; j--)
        r->live[j] = r->live[j - 1];
    r->live[at] = b;
    b->offset = offset + SN_GUARD;
    r->in_use += room;
    if (offset + room > r->elements) r->elements = offset + room;
}

/* The buffers of one place, in the order of their first write; the elements that they come to. */
static size_t place_all(const sn_plan *plan, sn_buffer_place where, sn_buffer **order, sn_buffer **live) {
    region r = {.plan = plan, .place = where, .live = live, .now = -1};
    for (int j = 0; j < plan->n_buffers; j++) {
        if (order[j]->place == where) place(&r, order[j]);
    }
    return r.elements;
}

/* Behind all buffers; a product may read up to a vector past its last row. */
static void place_by_sample(sn_plan *plan) {
    const sn_node *input = &plan->graph->nodes[0];
    plan->by_sample = plan->batch_elements + SN_GUARD;
    plan->batch_elements = plan->by_sample + sn_slice_room(plan->options.batch * input->positions * input->width) +
                           SN_ALIGNMENT / sizeof(float);
}

sn_status sn_plan_memory(sn_plan *plan, sn_error *error) {
    set_lifetimes(plan);
    size_t bytes = (size_t)plan->n_buffers * sizeof(sn_buffer *);
    sn_buffer **order = malloc(bytes), **live = malloc(bytes);
    for (int i = 0; i < plan->n_buffers && order && live; i++) {
        sn_buffer *b = order[i] = &plan->buffers[i];
        b->place = is_scratch(plan, b) ? SN_PLACE_SCRATCH : SN_PLACE_BATCH;
    }
    if (order && live) {
        qsort(order, (size_t)plan->n_buffers, sizeof *order, by_first_use);
        plan->scratch_elements = place_all(plan, SN_PLACE_SCRATCH, order, live);
        plan->batch_elements = place_all(plan, SN_PLACE_BATCH, order, live);
        place_by_sample(plan);
    }
    sn_status status = order && live ? SN_OK : sn_error_memory(error, 2 * bytes, "the plan");
    free(order);
    free(live);
    return status;
}
