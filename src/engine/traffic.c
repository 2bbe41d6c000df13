/* Owns the model of a step's traffic.  It follows the plan: what a pass has to move, not how a kernel does it. */
#include "engine/traffic.h"

static bool same_slot(sn_slot a, size_t shift, sn_slot b) {
    return a.buffer == b.buffer && a.column == b.column + shift;
}

static double param_elements(const sn_node *node) {
    double n = 0;
    for (int p = 0; p < node->n_params; p++)
        n += (double)node->params[p].count;
    return n;
}

/* Elements of a sample that forward of node `i` reads and writes; inputs of a concat that lie in place are neither. */
static double forward_elements(const sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    double n = 0;
    size_t column = 0;
    for (int k = 0; k < node->n_inputs; k++) {
        int x = node->inputs[k];
        size_t width = plan->graph->nodes[x].width;
        bool is_join = node->op->join == SN_JOIN_CONCAT;
        bool is_in_place = is_join && same_slot(plan->value[x], column, plan->value[i]);
        if (!is_in_place) n += (double)width * (is_join ? 2 : 1);
        column += width;
        if (!is_join && k + 1 == node->n_inputs) n += (double)node->width;
    }
    return n;
}

/* Elements of a sample that backward of node `i` reads and writes: dy and what it looks at besides, once; per gradient
 * that is not only passed on its base and itself. */
static double backward_elements(const sn_plan *plan, int i) {
    const sn_node *node = &plan->graph->nodes[i];
    double n = 0;
    bool works = false;
    for (int k = 0; k < node->n_inputs; k++) {
        const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
        if (edge->flow == SN_FLOW_NONE) continue;
        double width = (double)plan->graph->nodes[node->inputs[k]].width;
        works = true;
        n += width * (edge->flow == SN_FLOW_ADD ? 2 : 1);
        if (node->op->backward_reads & SN_READS_X) n += width;
    }
    if (works) n += (double)node->width;
    if (works && node->op->backward_reads & SN_READS_Y) n += (double)node->width;
    return n;
}

/* The products of an item read its columns of x and its rows of dy over the whole batch. */
static double item_elements(const sn_plan *plan, const sn_item *item, size_t rows) {
    const sn_plan_param *entry = &plan->params[item->param];
    const sn_param *param = &plan->graph->nodes[entry->node].params[entry->index];
    double own = (double)(item->rows * item->cols);
    if (param->route != SN_FROM_BATCH) return own;
    double operands = param->rank == 1 ? (double)item->cols : (double)(item->rows + item->cols);
    return own + operands * (double)rows;
}

/* An update reads weight and gradient and writes the weight; so with the velocity, and the transposed copy is written.
 */
static double update_elements(const sn_plan *plan, const sn_param *param) {
    double passes = 3 + (plan->options.has_velocity ? 2 : 0) + (param->wants_transpose ? 1 : 0);
    return passes * (double)param->count;
}

/* A reduction reads x once more forward, x and dy backward. */
static double reduction_elements(const sn_node *node, bool is_forward) {
    if (is_forward) return node->op->forward_reduction.part ? (double)node->width : 0;
    return node->op->backward_reduction.part ? 2 * (double)node->width : 0;
}

sn_traffic sn_plan_traffic(const sn_plan *plan, size_t rows, int threads, size_t real_size) {
    const sn_graph *graph = plan->graph;
    double real = (double)real_size, samples = (double)rows;
    size_t n_tiles = (rows + plan->tile_rows - 1) / plan->tile_rows;
    size_t share = (n_tiles + (size_t)threads - 1) / (size_t)threads, group = sn_plan_group_tiles(plan, threads);
    if (share < group) group = share;
    size_t n_groups = (n_tiles + group - 1) / group;
    double tiles = (double)n_tiles, groups = (double)n_groups;
    sn_traffic t = {.forward = 2 * samples * (double)graph->nodes[0].width * real,
                    .loss = 2 * samples * (double)graph->nodes[graph->n_nodes - 1].width * real};
    for (int i = 1; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        double params = groups * param_elements(node);
        t.forward += (samples * (forward_elements(plan, i) + reduction_elements(node, true)) + params) * real;
        if (!node->needs_gradient) continue;
        double signals = backward_elements(plan, i);
        double sums = reduction_elements(node, false);
        t.backward += (samples * (signals + sums) + (signals > 0 ? params : 0)) * real;
        for (int p = 0; p < node->n_params; p++)
            t.update += update_elements(plan, &node->params[p]) * real;
    }
    for (int j = 0; j < plan->n_items; j++)
        t.param_gradient += item_elements(plan, &plan->items[j], rows) * real;
    t.param_gradient += plan->partial_doubles > 0 ? tiles * (double)plan->partial_doubles * sizeof(double) : 0;
    return t;
}
