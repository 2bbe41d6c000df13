/* Owns the work items: parameters cut into tiles by their shape alone, the parts of their gradients along the batch,
 * and the phases in which they are done. */
#include <stdlib.h>

#include "plan/plan.h"

/* Columns are cut where stripes are, so that tensors that read the same signal share them. */
enum { TILE_ROWS = 256, TILE_COLS = SN_STRIPE_COLS, TILE_STEP = 16 };

/* Items of a stripe that one thread does together: more would leave others waiting. */
enum { MOST_TOGETHER = 16 };

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
    size_t rows = param->unit > 1 ? TILE_COLS : TILE_ROWS, cols = TILE_COLS * param->unit;
    return (cut){piece(param->rows, rows), param->cols < cols ? param->cols : cols};
}

static int count_items(const sn_param *param) {
    cut c = cut_of(param);
    return (int)((param->rows + c.rows - 1) / c.rows * ((param->cols + c.cols - 1) / c.cols));
}

static int count_parts(const sn_plan *plan, const sn_param *param) {
    size_t panels = plan->max_panels;
    if (!param->in_parts || param->route != SN_FROM_BATCH || plan->options.is_reference) return 1;
    return panels < MOST_PARTS ? (int)panels : MOST_PARTS;
}

/* What the op needs for the gradient of an item, rounded up so that the next thread's memory begins a line. */
static void note_room(sn_plan *plan, int p, const sn_item *item) {
    const sn_node *node = &plan->graph->nodes[plan->params[p].node];
    if (!node->op->gradient_room || node->params[plan->params[p].index].rank == 1) return;
    size_t room = sn_slice_room(node->op->gradient_room(node, item->rows, item->cols));
    if (room > plan->stripe_elements) plan->stripe_elements = room;
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
            note_room(plan, p, &item);
            item.kept = plan->gradient_elements;
            if (phase < plan->n_segments && !plan->options.keeps_gradients) plan->gradient_elements += elements;
            item.n_parts = count_parts(plan, param);
            item.parts = plan->part_elements;
            if (item.n_parts > 1) plan->part_elements += (size_t)item.n_parts * elements;
            plan->items[plan->n_items++] = item;
        }
    }
}

/* Where the gradient of a parameter lies among the partials of a panel. */
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
                             .partial = take_partials(plan, node, index),
                             .first_item = plan->n_items};
    plan->param_elements += sn_slice_room(param->count);
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

/* What a task reads of a signal: equal for tasks that one thread should do together. */
typedef struct stripe {
    int phase, part, buffer, item; /* buffer: -1: the item reads no signal, and is told by its number */
    size_t column;
} stripe;

static stripe stripe_of(const sn_plan *plan, const sn_task *task) {
    const sn_item *item = &plan->items[task->item];
    const sn_plan_param *entry = &plan->params[item->param];
    const sn_node *node = &plan->graph->nodes[entry->node];
    if (node->params[entry->index].route != SN_FROM_BATCH || node->params[entry->index].rank == 1)
        return (stripe){item->phase, task->part, -1, task->item, 0};
    sn_slot x = plan->value[node->inputs[0]];
    return (stripe){item->phase, task->part, x.buffer, 0, x.column + item->col};
}

static int compare_stripes(const stripe *a, const stripe *b) {
    if (a->phase != b->phase) return a->phase < b->phase ? -1 : 1;
    if (a->buffer != b->buffer) return a->buffer < b->buffer ? -1 : 1;
    if (a->column != b->column) return a->column < b->column ? -1 : 1;
    if (a->part != b->part) return a->part < b->part ? -1 : 1;
    return a->item < b->item ? -1 : a->item > b->item;
}

/* Of a stripe the item that reads most of it comes first, so that the others find theirs in it. */
static int by_stripe(const void *a, const void *b, void *plan) {
    const sn_task *x = a, *y = b;
    const sn_item *items = ((const sn_plan *)plan)->items, *i = &items[x->item], *j = &items[y->item];
    stripe s = stripe_of(plan, x), t = stripe_of(plan, y);
    int order = compare_stripes(&s, &t);
    if (order) return order;
    if (i->cols != j->cols) return i->cols > j->cols ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static size_t work_of(const sn_plan *plan, const sn_task_group *group) {
    size_t sum = 0;
    for (int t = group->first; t < group->first + group->n; t++) {
        const sn_item *item = &plan->items[plan->tasks[t].item];
        sum += item->rows * item->cols;
    }
    return sum;
}

static int by_phase(const void *a, const void *b, void *plan) {
    const sn_task_group *x = a, *y = b;
    const sn_plan *p = plan;
    int i = p->items[p->tasks[x->first].item].phase, j = p->items[p->tasks[y->first].item].phase;
    if (i != j) return i < j ? -1 : 1;
    size_t v = work_of(p, x), w = work_of(p, y);
    if (v != w) return v > w ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Groups of tasks, most work first, so that the threads end together. */
static void set_groups(sn_plan *plan, int n_tasks) {
    int n = 0;
    qsort_r(plan->tasks, (size_t)n_tasks, sizeof *plan->tasks, by_stripe, plan);
    for (int t = 0; t < n_tasks; t++) {
        stripe own = stripe_of(plan, &plan->tasks[t]), last = t > 0 ? stripe_of(plan, &plan->tasks[t - 1]) : own;
        bool goes_on = t > 0 && compare_stripes(&own, &last) == 0 && plan->groups[n - 1].n < MOST_TOGETHER;
        if (!goes_on) plan->groups[n++] = (sn_task_group){t, 0};
        plan->groups[n - 1].n++;
    }
    qsort_r(plan->groups, (size_t)n, sizeof *plan->groups, by_phase, plan);
    for (int g = 0; g < n; g++)
        plan->first_group[plan->items[plan->tasks[plan->groups[g].first].item].phase + 1]++;
    for (int p = 0; p <= plan->n_segments; p++)
        plan->first_group[p + 1] += plan->first_group[p];
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
    plan->groups = calloc(n_tasks, sizeof *plan->groups);
    plan->first_group = calloc(n_phases + 1, sizeof *plan->first_group);
    plan->updates = calloc(2 * n_items, sizeof *plan->updates);
    if (!plan->tasks || !plan->groups || !plan->first_group || !plan->updates)
        return sn_error_memory(error, n_tasks * sizeof *plan->tasks, "the plan");
    sn_task *next = plan->tasks;
    for (int j = 0; j < plan->n_items; j++) {
        if (plan->items[j].is_companion) continue;
        plan->updates[plan->n_updates++] = j;
        for (int part = 0; part < plan->items[j].n_parts; part++)
            *next++ = (sn_task){j, part};
    }
    set_groups(plan, (int)n_tasks);
    qsort_r(plan->updates, (size_t)plan->n_updates, sizeof *plan->updates, by_work, plan->items);
    add_late_updates(plan);
    return SN_OK;
}

sn_status sn_plan_work(sn_plan *plan, sn_error *error) {
    const sn_graph *graph = plan->graph;
    size_t n_params = 0, n_items = 0;
    plan->stripe_elements = (size_t)SN_STRIPE_ROWS * SN_STRIPE_COLS;
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
