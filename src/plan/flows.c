/* Owns the flow of gradients: which contribution is written, which is added, and to what.
 *
 * The first contribution to a gradient is written, later ones are added, in the order of the walk.  A first
 * contribution that is only passed on unchanged is not copied: it becomes the base that the next contribution is added
 * to.  In a chain of activations (chains.c) the first contribution to the widest is the first to all. */
#include <stdlib.h>

#include "plan/plan.h"

typedef struct flow_walk {
    sn_plan *plan;
    bool *has_begun;  /* per node: its gradient holds a contribution */
    sn_slot *pending; /* per node: a contribution that was passed on and still has to be added to */
} flow_walk;

/* A contribution to x that is only passed on, with another one to come that will be added to it.  What it waits in, the
 * gradient of an add, does not change any more: see slots.c. */
static bool can_wait(const flow_walk *walk, int i, int k) {
    const sn_node *node = &walk->plan->graph->nodes[i], *input = &walk->plan->graph->nodes[node->inputs[k]];
    return !walk->plan->options.is_reference && node->op->pass_factor && node->op->pass_factor(node, k) == 1 &&
           input->readers[0] < i;
}

static void begin(flow_walk *walk, int x) {
    for (; x >= 0; x = walk->plan->grows[x])
        walk->has_begun[x] = true;
}

static void set_edge(flow_walk *walk, int i, int k) {
    sn_plan *plan = walk->plan;
    int x = sn_plan_source(plan, i, k);
    sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
    *edge = (sn_edge){SN_FLOW_NONE, {-1, 0}};
    if (!plan->graph->nodes[x].needs_gradient || plan->is_apart[i]) return;
    if (sn_plan_is_view(plan, plan->gradient, i, k)) {
        begin(walk, x);
    } else if (walk->has_begun[x]) {
        *edge = (sn_edge){SN_FLOW_ADD, plan->gradient[x]};
    } else if (walk->pending[x].buffer >= 0) {
        *edge = (sn_edge){SN_FLOW_ADD, walk->pending[x]};
        begin(walk, x);
    } else if (can_wait(walk, i, k)) {
        walk->pending[x] = plan->gradient[i];
    } else {
        edge->flow = SN_FLOW_WRITE;
        begin(walk, x);
    }
}

static void walk_backward(flow_walk *walk) {
    const sn_graph *graph = walk->plan->graph;
    for (int i = 0; i < graph->n_nodes; i++)
        walk->pending[i].buffer = -1;
    for (int i = graph->n_nodes - 1; i > 0; i--) {
        for (int k = 0; k < graph->nodes[i].n_inputs && graph->nodes[i].needs_gradient; k++)
            set_edge(walk, i, k);
    }
}

sn_status sn_plan_flows(sn_plan *plan, sn_error *error) {
    size_t n_nodes = (size_t)plan->graph->n_nodes, n_edges = 0;
    plan->first_edge = calloc(n_nodes, sizeof *plan->first_edge);
    if (!plan->first_edge) return sn_error_memory(error, n_nodes * sizeof(int), "the plan");
    for (size_t i = 0; i < n_nodes; i++) {
        plan->first_edge[i] = (int)n_edges;
        n_edges += (size_t)plan->graph->nodes[i].n_inputs;
    }
    plan->edges = calloc(n_edges, sizeof *plan->edges);
    flow_walk walk = {.plan = plan,
                      .has_begun = calloc(n_nodes, sizeof *walk.has_begun),
                      .pending = calloc(n_nodes, sizeof *walk.pending)};
    bool ok = plan->edges && walk.has_begun && walk.pending;
    if (ok) walk_backward(&walk);
    free(walk.has_begun);
    free(walk.pending);
    return ok ? SN_OK : sn_error_memory(error, n_edges * sizeof(sn_edge), "the plan");
}
