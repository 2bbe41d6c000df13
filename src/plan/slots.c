/* Owns the sharing of buffers: who lives in whose columns.
 *
 * Values: an input of a concat lives in its columns of the concat's buffer, where it is not placed already; nested
 * concats end in one buffer, so dense connections copy nothing.
 * Gradients: likewise where the concat is the last reader, since the readers after it would add to its gradient what is
 * not its own; those before it add in place when the concat is done with its gradient.  An input whose only reader
 * passes the gradient on unchanged (an add with factor 1) shares the reader's gradient, but for a concat: what is added
 * in place to its columns would get into the gradients of all that share. */
#include <stdlib.h>

#include "plan/plan.h"

static sn_slot new_buffer(sn_plan *plan, const sn_node *node) {
    plan->buffers[plan->n_buffers] = (sn_buffer){.width = node->width, .positions = node->positions, .first = -1};
    return (sn_slot){plan->n_buffers++, 0};
}

/* How often node i reads node x. */
static int times_read(const sn_node *node, int x) {
    int count = 0;
    for (int k = 0; k < node->n_inputs; k++)
        count += node->inputs[k] == x;
    return count;
}

static void place_concat_inputs(sn_plan *plan, int i, sn_slot *slots, bool gradients) {
    const sn_node *nodes = plan->graph->nodes, *node = &nodes[i];
    size_t column = slots[i].column;
    for (int k = 0; k < node->n_inputs; k++) {
        int x = node->inputs[k];
        bool fits = x > 0 && slots[x].buffer < 0 && times_read(node, x) == 1;
        bool is_last = nodes[x].readers[nodes[x].n_readers - 1] == i;
        if (fits && (!gradients || (nodes[x].needs_gradient && is_last))) slots[x] = (sn_slot){slots[i].buffer, column};
        column += nodes[x].width;
    }
}

static void share_passed_gradient(sn_plan *plan, int i) {
    const sn_node *nodes = plan->graph->nodes, *node = &nodes[i];
    for (int k = 0; k < node->n_inputs && node->op->pass_factor; k++) {
        int x = node->inputs[k];
        bool is_free = nodes[x].needs_gradient && plan->gradient[x].buffer < 0 && nodes[x].n_readers == 1;
        if (is_free && nodes[x].op->join != SN_JOIN_CONCAT && node->op->pass_factor(node, k) == 1)
            plan->gradient[x] = plan->gradient[i];
    }
}

/* Of a concat that is apart the value is kept where its activation looks at it in the backward pass. */
static bool keeps_value(const sn_plan *plan, int i) {
    int whole_by = sn_plan_whole_by(plan, i);
    return whole_by < 0 || plan->graph->nodes[whole_by].op->backward_reads & SN_READS_X;
}

/* An activation that another one goes on from is its first columns. */
static void set_slots_of(sn_plan *plan, int i) {
    const sn_node *nodes = plan->graph->nodes;
    bool is_concat = nodes[i].op->join == SN_JOIN_CONCAT && !plan->options.is_reference, keeps = keeps_value(plan, i);
    if (plan->value[i].buffer < 0 && keeps) plan->value[i] = new_buffer(plan, &nodes[i]);
    if (is_concat && keeps) place_concat_inputs(plan, i, plan->value, false);
    if (plan->grows[i] >= 0) plan->value[plan->grows[i]] = plan->value[i];
    if (!nodes[i].needs_gradient || plan->is_apart[i]) return;
    if (plan->gradient[i].buffer < 0) plan->gradient[i] = new_buffer(plan, &nodes[i]);
    if (plan->grows[i] >= 0) plan->gradient[plan->grows[i]] = plan->gradient[i];
    if (is_concat) place_concat_inputs(plan, i, plan->gradient, true);
    if (!plan->options.is_reference) share_passed_gradient(plan, i);
}

static void set_slots(sn_plan *plan) {
    const sn_node *nodes = plan->graph->nodes;
    for (int i = plan->graph->n_nodes - 1; i > 0; i--)
        set_slots_of(plan, i);
    plan->value[0] = new_buffer(plan, &nodes[0]);
    if (nodes[0].needs_gradient) plan->gradient[0] = new_buffer(plan, &nodes[0]); /* a probe wants it */
}

bool sn_plan_is_view(const sn_plan *plan, const sn_slot *slots, int i, int k) {
    const sn_node *nodes = plan->graph->nodes, *node = &nodes[i];
    sn_slot input = slots[node->inputs[k]];
    size_t column = slots[i].column;
    for (int j = 0; j < k && node->op->join == SN_JOIN_CONCAT; j++)
        column += nodes[node->inputs[j]].width;
    return input.buffer == slots[i].buffer && input.column == column;
}

static void count_copies(sn_plan *plan) {
    const sn_node *nodes = plan->graph->nodes;
    for (int i = 1; i < plan->graph->n_nodes; i++) {
        bool is_whole = nodes[i].op->join == SN_JOIN_CONCAT && !plan->is_apart[i];
        for (int k = 0; k < nodes[i].n_inputs && is_whole; k++)
            plan->n_copies += !sn_plan_is_view(plan, plan->value, i, k);
    }
}

sn_status sn_plan_slots(sn_plan *plan, sn_error *error) {
    size_t n = (size_t)plan->graph->n_nodes;
    plan->value = calloc(n, sizeof *plan->value);
    plan->gradient = calloc(n, sizeof *plan->gradient);
    plan->buffers = calloc(2 * n, sizeof *plan->buffers);
    if (!plan->value || !plan->gradient || !plan->buffers)
        return sn_error_memory(error, 4 * n * sizeof(sn_buffer), "the plan");
    for (size_t i = 0; i < n; i++)
        plan->value[i].buffer = plan->gradient[i].buffer = -1;
    set_slots(plan);
    count_copies(plan);
    return SN_OK;
}
