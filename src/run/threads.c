/* Owns the model of what a thread more is worth.
 *
 * Work is counted in FLOPs of the matrix products; what is done element by element is turned into them.  A thread more
 * is worth its costs where that leaves every thread GRAIN of work, and SEGMENT for every barrier within the walk.  The
 * three constants were measured (docs/engine.md, "How many threads"). */
#include "run/threads.h"

#include "base/panel.h"

static const double GRAIN = 10e6;    /* FLOPs of a thread, in every step */
static const double SEGMENT = 0.2e6; /* FLOPs of a thread, for every segment of the walk but the first */
static const double ELEMENT = 20;    /* FLOPs that an element of a signal comes to, forward and backward */

static double step_work(const sn_graph *graph, size_t batch) {
    double elements = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        elements += (double)(graph->nodes[i].width * graph->nodes[i].positions);
    return (double)batch * (graph->step_flops + ELEMENT * elements);
}

static int count_barriers(const sn_graph *graph) {
    int n = 0;
    for (int i = 1; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        n += node->op->forward_reduction.part_size > 0;
        n += node->op->backward_reduction.part_size > 0 && node->needs_gradient;
    }
    return n;
}

int sn_threads_fastest(const sn_graph *graph, size_t batch, int available) {
    double worth = step_work(graph, batch) / (GRAIN + SEGMENT * count_barriers(graph));
    size_t panels = sn_panels(batch), most = (size_t)available < panels ? (size_t)available : panels;
    if (worth < 2 || most < 2) return 1;
    return worth < (double)most ? (int)worth : (int)most;
}
