/* Owns lifetimes and places: when a buffer is written first and used last, and where it lies.
 *
 * Buffers with a row per sample lie one after the other.  Scratch buffers share memory when their lifetimes do not
 * overlap: taken in the order of their first write, each at the lowest place that is free (first fit). */
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
    touch(plan, plan->value[i], i);
    for (int k = 0; k < node->n_inputs; k++)
        touch(plan, plan->value[node->inputs[k]], i);
}

static void touch_backward(sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    int time = sn_time_backward(plan, i), work = sn_time_work(plan);
    touch(plan, plan->gradient[i], time);
    if (node->op->backward_reads & SN_READS_Y) touch(plan, plan->value[i], time);
    for (int k = 0; k < node->n_inputs; k++) {
        int x = node->inputs[k];
        const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
        if (node->op->backward_reads & SN_READS_X) touch(plan, plan->value[x], time);
        if (edge->flow != SN_FLOW_NONE) touch(plan, plan->gradient[x], time);
        if (edge->flow == SN_FLOW_ADD) touch(plan, edge->base, time);
    }
    for (int p = 0; p < node->n_params; p++) {
        if (node->params[p].route != SN_FROM_BATCH) continue;
        touch(plan, plan->value[node->inputs[0]], work);
        touch(plan, plan->gradient[i], work);
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
    int s = 0;
    while (s < plan->n_segments && plan->segment_ends[s] <= b->first)
        s++;
    return s < plan->n_segments && plan->segment_ends[s] <= b->last;
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

/* Buffers that are alive, by offset. */
typedef struct live_list {
    sn_buffer **items;
    int n;
} live_list;

static void drop_dead(live_list *live, int time) {
    int kept = 0;
    for (int j = 0; j < live->n; j++) {
        if (live->items[j]->last >= time) live->items[kept++] = live->items[j];
    }
    live->n = kept;
}

/* Guards included, on both sides: whoever lives beside it changes. */
static size_t scratch_begin(const sn_buffer *b) {
    return b->offset - SN_GUARD;
}

static size_t scratch_size(const sn_plan *plan, const sn_buffer *b) {
    return SN_GUARD + sn_slice_room(sn_buffer_sample(b) * plan->tile_rows);
}

static void place_scratch(sn_plan *plan, live_list *live, sn_buffer *b) {
    drop_dead(live, b->first);
    size_t size = scratch_size(plan, b), offset = 0;
    int at = 0;
    for (; at < live->n && scratch_begin(live->items[at]) < offset + size; at++) {
        offset = scratch_begin(live->items[at]) + scratch_size(plan, live->items[at]);
    }
    for (int j = live->n++; j > at; j--)
        live->items[j] = live->items[j - 1];
    live->items[at] = b;
    b->offset = offset + SN_GUARD;
    if (offset + size > plan->scratch_elements) plan->scratch_elements = offset + size;
}

sn_status sn_plan_memory(sn_plan *plan, sn_error *error) {
    set_lifetimes(plan);
    size_t bytes = (size_t)plan->n_buffers * sizeof(sn_buffer *);
    sn_buffer **order = malloc(bytes), **alive = malloc(bytes);
    int n_scratch = 0;
    plan->batch_elements = SN_GUARD;
    for (int i = 0; i < plan->n_buffers && order && alive; i++) {
        sn_buffer *b = &plan->buffers[i];
        b->place = is_scratch(plan, b) ? SN_PLACE_SCRATCH : SN_PLACE_BATCH;
        if (b->place == SN_PLACE_SCRATCH) {
            order[n_scratch++] = b;
        } else {
            b->offset = plan->batch_elements;
            plan->batch_elements += sn_slice_room(sn_buffer_sample(b) * plan->options.batch);
        }
    }
    if (order && alive) {
        qsort(order, (size_t)n_scratch, sizeof *order, by_first_use);
        live_list live = {alive, 0};
        for (int j = 0; j < n_scratch; j++)
            place_scratch(plan, &live, order[j]);
    }
    sn_status status = order && alive ? SN_OK : sn_error_memory(error, 2 * bytes, "the plan");
    free(order);
    free(alive);
    return status;
}
