/* Owns the work items: parameters cut into tiles by their shape alone, the parts of their gradients along the batch,
 * and the phases in which they are done. */
#include <stdlib.h>

#include "plan/plan.h"

enum { TILE_ROWS = 64, TILE_COLS = 256, TILE_STEP = 16 };

enum { MOST_PARTS = 8 }; /* of a gradient along the batch: as many threads can share it */

/* `n` cut into equal pieces of at most `most`, in steps of 16. */
static size_t piece(size_t n, size_t most) {
    size_t pieces = (n + most - 1) / most;
    size_t size = sn_round_up((n + pieces - 1) / pieces, TILE_STEP);
    return size < n ? size : n;
}

/* How a parameter is cut.  A bias is cut as the rows of the weight that stands before it, so that both read the same
 * gradient; partial sums are read in one go. */
typedef struct cut {
    size_t rows, cols;
} cut;

static cut cut_of(const sn_param *param) {
    if (param->route != SN_FROM_BATCH) return (cut){param->rows, param->cols};
    if (param->rank == 1) return (cut){1, piece(param->cols, TILE_ROWS)};
    return (cut){piece(param->rows, TILE_ROWS), piece(param->cols, TILE_COLS)};
}

static int count_items(const sn_param *param) {
    cut c = cut_of(param);
    return (int)((param->rows + c.rows - 1) / c.rows * ((param->cols + c.cols - 1) / c.cols));
}

static int count_parts(const sn_plan *plan, const sn_param *param) {
    size_t batch = plan->options.batch;
    if (!param->in_parts || param->route != SN_FROM_BATCH || plan->options.is_reference) return 1;
    return batch < MOST_PARTS ? (int)batch : MOST_PARTS;
}

static void add_items(sn_plan *plan, int p, const sn_param *param) {
    cut c = cut_of(param);
    size_t rows = c.rows, cols = c.cols;
    bool is_early = param->route == SN_FROM_BATCH;
    int phase = is_early ? sn_plan_gradient_phase(plan, plan->params[p].node) : plan->n_segments;
    for (size_t row = 0; row < param->rows; row += rows) {
        for (size_t col = 0; col < param->cols; col += cols) {
            sn_item item = {.param = p, .row = row, .col = col, .phase = phase, .companion = -1};
            item.rows = param->rows - row < rows ? param->rows - row : rows;
            item.cols = param->cols - col < cols ? param->cols - col : cols;
            size_t elements = sn_slice_room(item.rows * item.cols);
            if (elements > plan->max_item_elements) plan->max_item_elements = elements;
            item.kept = plan->gradient_elements;
            if (phase < plan->n_segments && !plan->options.keeps_gradients) plan->gradient_elements += elements;
            item.n_parts = count_parts(plan, param);
            item.parts = plan->part_elements;
            if (item.n_parts > 1) plan->part_elements += (size_t)item.n_parts * elements;
            plan->items[plan->n_items++] = item;
        }
    }
}

/* Where the gradient of a parameter lies among the partials of a row tile. */
static size_t take_partials(sn_plan *plan, int node, int index) {
    const sn_param *params = plan->graph->nodes[node].params;
    size_t at = plan->partial_doubles;
    if (params[index].route == SN_FROM_PARTIALS) plan->partial_doubles += sn_slice_room(params[index].count);
    if (params[index].route != SN_FROM_REDUCTION) return at;
    at = plan->backward_sums[node].part;
    for (int p = 0; p < index; p++)
        at += params[p].count;
    return at;
}

static void add_param(sn_plan *plan, int node, int index) {
    const sn_param *param = &plan->graph->nodes[node].params[index];
    sn_plan_param *entry = &plan->params[plan->n_params];
    *entry = (sn_plan_param){.node = node,
                             .index = index,
                             .offset = plan->param_elements,
                             .copy = plan->copy_elements,
                             .partial = take_partials(plan, node, index),
                             .first_item = plan->n_items};
    plan->param_elements += sn_slice_room(param->count);
    if (param->copy_size > 0) plan->copy_elements += sn_slice_room(param->copy_size);
    add_items(plan, plan->n_params++, param);
    entry->n_items = plan->n_items - entry->first_item;
    if (plan->options.keeps_gradients) plan->gradient_elements = plan->param_elements;
}

/* The bias items of a node follow the weight items of their outputs. */
static void set_companions(sn_plan *plan, int node) {
    const sn_node *n = &plan->graph->nodes[node];
    int w = sn_node_param(n, SN_PARAM_WEIGHT), b = sn_node_param(n, SN_PARAM_BIAS);
    if (w < 0 || b < 0 || n->params[w].route != SN_FROM_BATCH || n->params[b].route != SN_FROM_BATCH) return;
    const sn_plan_param *params = &plan->params[plan->first_param[node]], *weight = &params[w], *bias = &params[b];
    for (int j = weight->first_item; j < weight->first_item + weight->n_items; j++) {
        for (int k = bias->first_item; k < bias->first_item + bias->n_items; k++) {
            if (plan->items[j].col != 0 || plan->items[j].row != plan->items[k].col) continue;
            if (plan->items[j].n_parts != plan->items[k].n_parts) continue;
            plan->items[j].companion = k;
            plan->items[k].is_companion = true;
        }
    }
}

/* Most work first, so that the threads end together; equal work in the order of the items. */
static int compare_work(const sn_item *items, int i, int j) {
    size_t x = items[i].rows * items[i].cols, y = items[j].rows * items[j].cols;
    if (x != y) return x > y ? -1 : 1;
    return i < j ? -1 : i > j;
}

static int by_work(const void *a, const void *b, void *items) {
    return compare_work(items, *(const int *)a, *(const int *)b);
}

static int by_phase(const void *a, const void *b, void *items) {
    const sn_task *x = a, *y = b;
    const sn_item *first = items, *i = &first[x->item], *j = &first[y->item];
    if (i->phase != j->phase) return i->phase < j->phase ? -1 : 1;
    int order = compare_work(items, x->item, y->item);
    return order ? order : x->part < y->part ? -1 : x->part > y->part;
}

static void add_late_updates(sn_plan *plan) {
    for (int u = 0; u < plan->n_updates; u++) {
        int j = plan->updates[u];
        if (plan->items[j].phase < plan->n_segments) plan->updates[plan->n_updates + plan->n_late++] = j;
    }
}

static sn_status set_order(sn_plan *plan, sn_error *error) {
    size_t n_items = (size_t)plan->n_items, n_tasks = 0, n_phases = (size_t)plan->n_segments + 1;
    for (size_t j = 0; j < n_items; j++)
        n_tasks += plan->items[j].is_companion ? 0U : (unsigned)plan->items[j].n_parts;
    plan->tasks = calloc(n_tasks, sizeof *plan->tasks);
    plan->first_task = calloc(n_phases + 1, sizeof *plan->first_task);
    plan->updates = calloc(2 * n_items, sizeof *plan->updates);
    if (!plan->tasks || !plan->first_task || !plan->updates)
        return sn_error_memory(error, n_tasks * sizeof *plan->tasks, "the plan");
    sn_task *next = plan->tasks;
    for (int j = 0; j < plan->n_items; j++) {
        if (plan->items[j].is_companion) continue;
        plan->updates[plan->n_updates++] = j;
        for (int part = 0; part < plan->items[j].n_parts; part++)
            *next++ = (sn_task){j, part};
        plan->first_task[plan->items[j].phase + 1] += plan->items[j].n_parts;
    }
    for (size_t p = 0; p < n_phases; p++)
        plan->first_task[p + 1] += plan->first_task[p];
    qsort_r(plan->tasks, n_tasks, sizeof *plan->tasks, by_phase, plan->items);
    qsort_r(plan->updates, (size_t)plan->n_updates, sizeof *plan->updates, by_work, plan->items);
    add_late_updates(plan);
    return SN_OK;
}

sn_status sn_plan_work(sn_plan *plan, sn_error *error) {
    const sn_graph *graph = plan->graph;
    size_t n_params = 0, n_items = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        for (int p = 0; p < graph->nodes[i].n_params; p++, n_params++)
            n_items += (size_t)count_items(&graph->nodes[i].params[p]);
    }
    plan->params = calloc(n_params, sizeof *plan->params);
    plan->first_param = calloc((unsigned)graph->n_nodes, sizeof *plan->first_param);
    plan->items = calloc(n_items, sizeof *plan->items);
    if (!plan->params || !plan->first_param || !plan->items)
        return sn_error_memory(error, n_items * sizeof *plan->items, "the plan");
    for (int i = 0; i < graph->n_nodes; i++) {
        plan->first_param[i] = plan->n_params;
        for (int p = 0; p < graph->nodes[i].n_params; p++)
            add_param(plan, i, p);
        set_companions(plan, i);
    }
    return set_order(plan, error);
}
