/* Owns the assembly of plans; the steps have files of their own. */
#include "plan/plan.h"

#include <stdlib.h>

#include "base/arena.h"

/* Eight tiles of a batch keep up to eight threads busy; fewer than 8 rows waste the matrix kernels, more than 64 leave
 * the first cache.  An image has rows enough by itself: of images a tile takes as many as leave a signal in the second
 * cache, 256 KiB of floats. */
size_t sn_plan_tile_rows(size_t batch, size_t sample) {
    enum { MOST_ELEMENTS = 1 << 16 };
    size_t rows = (batch + 7) / 8;
    if (sample > 0) {
        size_t most = MOST_ELEMENTS / sample;
        return most < 1 ? 1 : most < rows ? most : rows;
    }
    rows = (rows + 7) / 8 * 8;
    return rows > 64 ? 64 : rows;
}

/* The largest signal with positions. */
static size_t largest_image(const sn_graph *graph) {
    size_t largest = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        size_t sample = sn_shape_size(&graph->nodes[i].shape);
        if (graph->nodes[i].positions > 1 && sample > largest) largest = sample;
    }
    return largest;
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
    enum { PAST_THE_END = SN_ALIGNMENT / sizeof(float) };
    size_t sample = sn_buffer_sample(buffer);
    if (buffer->place == SN_PLACE_SCRATCH) return SN_GUARD + sn_slice_room(sample * plan->tile_rows);
    return SN_GUARD + sn_slice_room(sample * plan->options.batch) + PAST_THE_END;
}

int sn_plan_gradient_phase(const sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    bool is_last = node->n_readers == 0;
    return 1 + sn_plan_phase(plan, is_last ? sn_time_loss(plan) : sn_time_backward(plan, node->readers[0]));
}

size_t sn_part_samples(size_t rows, int part, int n_parts, size_t *begin) {
    size_t k = (size_t)part, n = (size_t)n_parts;
    *begin = rows * k / n;
    return rows * (k + 1) / n - *begin;
}

sn_status sn_plan_build(sn_plan *plan, const sn_graph *graph, const sn_plan_options *options, sn_error *error) {
    *plan = (sn_plan){.graph = graph, .options = *options, .image_elements = largest_image(graph)};
    plan->tile_rows = sn_plan_tile_rows(options->batch, plan->image_elements);
    plan->max_tiles = (options->batch + plan->tile_rows - 1) / plan->tile_rows;
    sn_status status = sn_plan_slots(plan, error);
    if (!status) status = sn_plan_flows(plan, error);
    if (!status) status = sn_plan_segments(plan, error);
    if (!status) status = sn_plan_memory(plan, error);
    if (!status) status = sn_plan_sums(plan, error);
    if (!status) status = sn_plan_work(plan, error);
    if (status) sn_plan_reset(plan);
    return status;
}

void sn_plan_reset(sn_plan *plan) {
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
    free(plan->first_task);
    free(plan->updates);
    *plan = (sn_plan){0};
}

size_t sn_plan_group_tiles(const sn_plan *plan, int threads) {
    enum { MOST_ROWS = 128 }; /* more leave the second cache */
    if (!plan->options.groups_tiles || plan->options.is_reference || plan->image_elements > 0) return 1;
    size_t share = (plan->max_tiles + (size_t)threads - 1) / (size_t)threads, most = MOST_ROWS / plan->tile_rows;
    return share < most ? share : most;
}

size_t sn_plan_item_elements(const sn_plan *plan) {
    return (2 + (size_t)plan->options.n_slots) * plan->max_item_elements;
}

size_t sn_plan_bytes(const sn_plan *plan, int threads, size_t real_size) {
    size_t per_param = 1 + (size_t)plan->options.n_slots;
    size_t per_thread = sn_plan_group_tiles(plan, threads) * plan->scratch_elements + sn_plan_item_elements(plan);
    size_t elements = plan->batch_elements + plan->copy_elements + per_param * plan->param_elements +
                      plan->gradient_elements + plan->part_elements + plan->state_elements +
                      (size_t)threads * per_thread;
    size_t doubles = plan->partial_doubles * plan->max_tiles + plan->total_doubles * (size_t)threads;
    return elements * real_size + doubles * sizeof(double);
}
