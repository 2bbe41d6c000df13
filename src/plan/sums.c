/* Owns the places of what is summed over the batch within the walk, and of the states that are made from it. */
#include <stdlib.h>

#include "plan/plan.h"

/* In lines of the cache of their own: the parts of two tiles, and the totals of two threads, are written at once. */
static sn_plan_reduction take_reduction(sn_plan *plan, const sn_reduction *reduction, size_t width) {
    sn_plan_reduction place = {plan->partial_doubles, plan->total_doubles};
    if (reduction->part_size == 0) return place;
    plan->partial_doubles += sn_slice_room(reduction->part_size * width);
    plan->total_doubles += sn_slice_room(reduction->total_size * width);
    return place;
}

static void take_states(sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    plan->first_state[i] = plan->n_states;
    for (int s = 0; s < node->n_states; s++) {
        plan->states[plan->n_states++] = (sn_plan_state){i, s, plan->state_elements};
        plan->state_elements += sn_slice_room(node->states[s].count);
    }
}

sn_status sn_plan_sums(sn_plan *plan, sn_error *error) {
    const sn_graph *graph = plan->graph;
    size_t n = (size_t)graph->n_nodes, n_states = 1;
    for (int i = 0; i < graph->n_nodes; i++)
        n_states += (size_t)graph->nodes[i].n_states;
    plan->states = calloc(n_states, sizeof *plan->states);
    plan->first_state = calloc(n, sizeof *plan->first_state);
    plan->forward_sums = calloc(n, sizeof *plan->forward_sums);
    plan->backward_sums = calloc(n, sizeof *plan->backward_sums);
    if (!plan->states || !plan->first_state || !plan->forward_sums || !plan->backward_sums)
        return sn_error_memory(error, 2 * n * sizeof(sn_plan_reduction), "the plan");
    for (int i = 1; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        plan->forward_sums[i] = take_reduction(plan, &node->op->forward_reduction, node->width);
        plan->backward_sums[i] = take_reduction(plan, &node->op->backward_reduction, node->width);
        take_states(plan, i);
    }
    return SN_OK;
}
