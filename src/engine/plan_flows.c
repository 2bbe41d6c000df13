/* Owns the flow of gradients: which contribution is written, which is added, and to what.
 *
 * The first contribution to a gradient is written, later ones are added, in the order of the walk.  A first
 * contribution that is only passed on unchanged is not copied: it becomes the base that the next contribution is added
 * to.  Where columns of one buffer are written at different times (a part of a concat is read before the whole), the
 * buffer is cleared beforehand and every contribution is added. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"

typedef struct flow_walk {
    sn_plan *plan;
    unsigned char **written; /* per buffer: one flag per column, NULL for buffers of values */
    sn_slot *pending;        /* per node: a contribution that was passed on and still has to be added to */
    bool *must_clear;        /* per buffer */
    bool found_mixed;
} flow_walk;

static bool is_view_of_output(const sn_plan *plan, int i, int k) {
    const sn_node *node = &plan->graph->nodes[i];
    sn_slot own = plan->gradient[i], input = plan->gradient[node->inputs[k]];
    size_t column = own.column;
    for (int j = 0; j < k && node->op->join == SN_JOIN_CONCAT; j++) {
        column += plan->graph->nodes[node->inputs[j]].width;
    }
    return input.buffer == own.buffer && input.column == column;
}

typedef enum coverage { NOTHING, PARTS, ALL } coverage;

static coverage coverage_of(const flow_walk *walk, int x) {
    sn_slot slot = walk->plan->gradient[x];
    size_t width = walk->plan->graph->nodes[x].width, count = 0;
    for (size_t c = 0; c < width; c++)
        count += walk->written[slot.buffer][slot.column + c];
    return count == 0 ? NOTHING : count == width ? ALL : PARTS;
}

static void mark_written(flow_walk *walk, int x) {
    sn_slot slot = walk->plan->gradient[x];
    memset(walk->written[slot.buffer] + slot.column, 1, walk->plan->graph->nodes[x].width);
}

/* A contribution to x that is only passed on, with another one to come that will be added to it. */
static bool can_wait(const flow_walk *walk, int i, int k) {
    const sn_node *node = &walk->plan->graph->nodes[i], *input = &walk->plan->graph->nodes[node->inputs[k]];
    sn_slot slot = walk->plan->gradient[node->inputs[k]];
    bool is_whole_buffer = walk->plan->buffers[slot.buffer].width == input->width;
    return !walk->plan->options.is_reference && node->op->pass_factor && node->op->pass_factor(node, k) == 1 &&
           input->readers[0] < i && is_whole_buffer && (!input->op || input->op->join != SN_JOIN_CONCAT);
}

static void set_edge(flow_walk *walk, int i, int k) {
    sn_plan *plan = walk->plan;
    const sn_node *nodes = plan->graph->nodes;
    int x = nodes[i].inputs[k];
    sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
    *edge = (sn_edge){SN_FLOW_NONE, {-1, 0}};
    if (!nodes[x].needs_gradient || is_view_of_output(plan, i, k)) return;
    coverage covered = coverage_of(walk, x);
    int buffer = plan->gradient[x].buffer;
    if (covered == PARTS) {
        walk->must_clear[buffer] = walk->found_mixed = true;
        covered = ALL;
    }
    if (walk->must_clear[buffer] && plan->buffers[buffer].clear_before < 0) plan->buffers[buffer].clear_before = i;
    if (covered == ALL) {
        *edge = (sn_edge){SN_FLOW_ADD, plan->gradient[x]};
    } else if (walk->pending[x].buffer >= 0) {
        *edge = (sn_edge){SN_FLOW_ADD, walk->pending[x]};
    } else if (can_wait(walk, i, k)) {
        walk->pending[x] = plan->gradient[i];
        return;
    } else {
        edge->flow = SN_FLOW_WRITE;
    }
    mark_written(walk, x);
}

static void walk_backward(flow_walk *walk) {
    sn_plan *plan = walk->plan;
    int last = plan->graph->n_nodes - 1;
    walk->found_mixed = false;
    for (int b = 0; b < plan->n_buffers; b++) {
        plan->buffers[b].clear_before = -1;
        if (walk->written[b]) memset(walk->written[b], walk->must_clear[b], plan->buffers[b].width);
    }
    for (int i = 0; i <= last; i++)
        walk->pending[i].buffer = -1;
    mark_written(walk, last);
    for (int i = last; i > 0; i--) {
        for (int k = 0; k < plan->graph->nodes[i].n_inputs && plan->graph->nodes[i].needs_gradient; k++) {
            set_edge(walk, i, k);
        }
    }
}

static bool start_walk(flow_walk *walk, sn_plan *plan, unsigned char *columns) {
    size_t n_nodes = (size_t)plan->graph->n_nodes, n_buffers = (size_t)plan->n_buffers;
    walk->plan = plan;
    walk->written = calloc(n_buffers, sizeof *walk->written);
    walk->pending = calloc(n_nodes, sizeof *walk->pending);
    walk->must_clear = calloc(n_buffers, sizeof *walk->must_clear);
    if (!walk->written || !walk->pending || !walk->must_clear) return false;
    for (size_t b = 0; b < n_buffers; b++) {
        walk->written[b] = columns;
        columns += plan->buffers[b].width;
    }
    return true;
}

static void chain_clears(sn_plan *plan) {
    for (int i = 0; i < plan->graph->n_nodes; i++)
        plan->first_clear[i] = -1;
    for (int b = 0; b < plan->n_buffers; b++) {
        int node = plan->buffers[b].clear_before;
        if (node < 0) continue;
        plan->buffers[b].next_clear = plan->first_clear[node];
        plan->first_clear[node] = b;
    }
}

sn_status sn_plan_flows(sn_plan *plan, sn_error *error) {
    size_t n_nodes = (size_t)plan->graph->n_nodes, n_edges = 0, n_columns = 0;
    plan->first_edge = calloc(n_nodes, sizeof *plan->first_edge);
    plan->first_clear = calloc(n_nodes, sizeof *plan->first_clear);
    if (!plan->first_edge || !plan->first_clear) return sn_error_memory(error, n_nodes * sizeof(int), "the plan");
    for (size_t i = 0; i < n_nodes; i++) {
        plan->first_edge[i] = (int)n_edges;
        n_edges += (size_t)plan->graph->nodes[i].n_inputs;
    }
    for (int b = 0; b < plan->n_buffers; b++)
        n_columns += plan->buffers[b].width;
    plan->edges = calloc(n_edges, sizeof *plan->edges);
    unsigned char *columns = calloc(n_columns, 1);
    flow_walk walk = {0};
    bool ok = plan->edges && columns && start_walk(&walk, plan, columns);
    do {
        if (ok) walk_backward(&walk);
    } while (walk.found_mixed);
    if (ok) chain_clears(plan);
    free(walk.written);
    free(walk.pending);
    free(walk.must_clear);
    free(columns);
    return ok ? SN_OK : sn_error_memory(error, n_columns + n_edges * sizeof(sn_edge), "the plan");
}
