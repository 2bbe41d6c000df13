/* Owns the assembly of plans; the steps have files of their own. */
#include "plan/plan.h"

#include <stdlib.h>

#include "base/arena.h"

static bool has_images(const sn_graph *graph) {
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i].positions > 1) return true;
    }
    return false;
}

const sn_node *sn_plan_reduces_at(const sn_plan *plan, int time) {
    int n = plan->graph->n_nodes, i = time < n ? time : 2 * n - time;
    if (time <= 0 || time == n || time >= sn_time_walk_end(plan)) return NULL;
    const sn_node *node = &plan->graph->nodes[i];
    if (time < n) return node->op->forward_reduction.part_size > 0 ? node : NULL;
    return node->op->backward_reduction.part_size > 0 && node->needs_gradient ? node : NULL;
}

sn_status sn_plan_segments(sn_plan *plan, sn_error *error) {
    int walk = sn_time_walk_end(plan), every = plan->options.cut_every > 0 ? plan->options.cut_every : walk;
    size_t bytes = (size_t)walk * sizeof *plan->segment_ends;
    plan->segment_ends = malloc(bytes);
    if (!plan->segment_ends) return sn_error_memory(error, bytes, "the plan");
    for (int time = 1; time <= walk; time++) {
        bool ends = time == walk || time % every == 0 || sn_plan_reduces_at(plan, time);
        if (ends) plan->segment_ends[plan->n_segments++] = time;
    }
    return SN_OK;
}

int sn_plan_phase(const sn_plan *plan, int time) {
    int low = 0, high = plan->n_segments;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (plan->segment_ends[middle] <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t sn_buffer_room(const sn_plan *plan, const sn_buffer *buffer) {
    size_t panels = buffer->place == SN_PLACE_SCRATCH ? 1 : plan->max_panels;
    return SN_GUARD + sn_slice_room(sn_buffer_panel(buffer) * panels);
}

int sn_plan_gradient_phase(const sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    bool is_last = node->n_readers == 0;
    return 1 + sn_plan_phase(plan, is_last ? sn_time_loss(plan) : sn_time_backward(plan, node->readers[0]));
}

size_t sn_part_samples(size_t rows, int part, int n_parts, size_t *begin) {
    size_t k = (size_t)part, n = (size_t)n_parts, panels = sn_panels(rows);
    size_t end = panels * (k + 1) / n * SN_PANEL;
    *begin = panels * k / n * SN_PANEL;
    return (end < rows ? end : rows) - *begin;
}

sn_status sn_plan_build(sn_plan *plan, const sn_graph *graph, const sn_plan_options *options, sn_error *error) {
    *plan = (sn_plan){.graph = graph, .options = *options, .has_images = has_images(graph)};
    plan->max_panels = sn_panels(options->batch);
    sn_status status = sn_plan_chains(plan, error);
    if (!status) status = sn_plan_slots(plan, error);
    if (!status) status = sn_plan_flows(plan, error);
    if (!status) status = sn_plan_segments(plan, error);
    if (!status) status = sn_plan_memory(plan, error);
    if (!status) status = sn_plan_sums(plan, error);
    if (!status) status = sn_plan_work(plan, error);
    if (status) sn_plan_reset(plan);
    return status;
}

void sn_plan_reset(sn_plan *plan) {
    free(plan->grows);
    free(plan->is_apart);
    free(plan->value);
    free(plan->gradient);
    free(plan->first_edge);
    free(plan->edges);
    free(plan->segment_ends);
    free(plan->buffers);
    free(plan->params);
    free(plan->first_param);
    free(plan->states);
    free(plan->first_state);
    free(plan->forward_sums);
    free(plan->backward_sums);
    free(plan->items);
    free(plan->tasks);
    free(plan->groups);
    free(plan->first_group);
    free(plan->updates);
    *plan = (sn_plan){0};
}

size_t sn_plan_group_panels(const sn_plan *plan, int threads) {
    enum { MOST = 128 / SN_PANEL }; /* more leave the second cache */
    if (plan->options.is_reference || plan->has_images) return 1;
    size_t share = (plan->max_panels + (size_t)threads - 1) / (size_t)threads;
    return share < MOST ? share : MOST;
}

size_t sn_plan_item_elements(const sn_plan *plan) {
    return (2 + (size_t)plan->options.n_slots) * plan->max_item_elements + plan->stripe_elements;
}

size_t sn_plan_bytes(const sn_plan *plan, int threads, size_t real_size) {
    size_t per_param = 1 + (size_t)plan->options.n_slots;
    size_t per_thread = sn_plan_group_panels(plan, threads) * plan->scratch_elements + sn_plan_item_elements(plan);
    size_t elements = plan->batch_elements + per_param * plan->param_elements + plan->gradient_elements +
                      plan->part_elements + plan->state_elements + (size_t)threads * per_thread;
    size_t doubles = plan->partial_doubles * plan->max_panels + plan->total_doubles * (size_t)threads;
    return elements * real_size + doubles * sizeof(double);
}
