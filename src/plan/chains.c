/* Owns chains of activations over growing concats: phi([p, f]) = [phi(p), phi(f)].
 *
 * In a dense network of order pre every block begins with an activation of all features before it.  Where that of a
 * concat [p, f] comes behind the same activation of p, only the features of f are new: the wider activation takes the
 * narrower one's into its own buffer, as its first columns, and computes those of f alone.  Backward likewise: what the
 * readers of all activations of a chain send back is gathered in one buffer, before the slope, and the slope is taken
 * once for every feature, by the activation that it was new to.  The concats themselves are *apart* then: nobody needs
 * their values or gradients whole.  The first contribution comes from a reader of the widest activation, so that it
 * writes every column. */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

static const sn_node *node_of(const sn_plan *plan, int i) {
    return &plan->graph->nodes[i];
}

static bool is_activation(const sn_node *node) {
    return node->op && node->op->is_activation && node->needs_gradient;
}

/* [p, f] with features that nobody else reads. */
static bool is_growing(const sn_plan *plan, int i) {
    const sn_node *node = node_of(plan, i);
    if (!node->op || node->op->join != SN_JOIN_CONCAT || node->n_inputs != 2) return false;
    const sn_node *fresh = node_of(plan, node->inputs[1]);
    return node->inputs[0] != node->inputs[1] && fresh->n_readers == 1 && fresh->needs_gradient;
}

/* Whether the gradients of a chain may be gathered from all readers: none of them passes its own on. */
static bool has_plain_readers(const sn_plan *plan, int i) {
    const sn_node *node = node_of(plan, i);
    for (int k = 0; k < node->n_readers; k++) {
        const sn_op *op = node_of(plan, node->readers[k])->op;
        if (op->pass_factor || op->join != SN_JOIN_NONE) return false;
    }
    return node->n_readers > 0;
}

static bool is_same_function(const sn_node *a, const sn_node *b) {
    return a->op == b->op && *(const double *)a->attributes == *(const double *)b->attributes;
}

/* The one activation among the readers of node i, where the others are at most one growing concat that begins with it;
 * -1.
 */
static int activation_of(const sn_plan *plan, int i) {
    const sn_node *node = node_of(plan, i);
    int found = -1, concats = 0;
    for (int k = 0; k < node->n_readers; k++) {
        int reader = node->readers[k];
        if (is_growing(plan, reader) && node_of(plan, reader)->inputs[0] == i) {
            concats++;
        } else if (found < 0 && is_activation(node_of(plan, reader))) {
            found = reader;
        } else {
            return -1;
        }
    }
    return concats <= 1 && found >= 0 && has_plain_readers(plan, found) ? found : -1;
}

static int last_reader(const sn_node *node) {
    return node->readers[node->n_readers - 1];
}

/* Links the activation of concat i to that of its first input, where there are such.  All readers of the narrow one
 * stand before the concat: so those of the wide one come first in the backward pass, and what is gathered by the time
 * of the concat is the gradient of the concat alone, as observations want it. */
static void link_chain(sn_plan *plan, int i) {
    const sn_node *concat = node_of(plan, i);
    if (!is_growing(plan, i)) return;
    int wide = activation_of(plan, i), narrow = activation_of(plan, concat->inputs[0]);
    if (wide < 0 || narrow < 0 || narrow > wide) return;
    const sn_node *a = node_of(plan, narrow), *b = node_of(plan, wide);
    if (!is_same_function(a, b) || a->op->pass_factor || last_reader(a) > i) return;
    plan->grows[wide] = narrow;
    plan->is_apart[i] = true;
}

/* A concat that goes on in one which is no link has to be whole. */
static void unlink_broken(sn_plan *plan, int i) {
    const sn_node *concat = node_of(plan, i);
    if (!plan->is_apart[i]) return;
    for (int k = 0; k < concat->n_readers; k++) {
        int reader = concat->readers[k];
        if (is_activation(node_of(plan, reader)) || plan->is_apart[reader]) continue;
        plan->is_apart[i] = false;
        plan->grows[activation_of(plan, i)] = -1;
        return;
    }
}

sn_status sn_plan_chains(sn_plan *plan, sn_error *error) {
    int n = plan->graph->n_nodes;
    plan->grows = malloc((size_t)n * sizeof *plan->grows);
    plan->is_apart = calloc((size_t)n, sizeof *plan->is_apart);
    if (!plan->grows || !plan->is_apart) return sn_error_memory(error, (size_t)n * sizeof(int), "the plan");
    for (int i = 0; i < n; i++)
        plan->grows[i] = -1;
    for (int i = 1; i < n && !plan->options.is_reference; i++)
        link_chain(plan, i);
    for (int i = n - 1; i > 0; i--)
        unlink_broken(plan, i);
    return SN_OK;
}

int sn_plan_whole_by(const sn_plan *plan, int i) {
    return plan->is_apart[i] ? activation_of(plan, i) : -1;
}

int sn_plan_source(const sn_plan *plan, int i, int k) {
    int input = node_of(plan, i)->inputs[k];
    return plan->grows[i] >= 0 ? node_of(plan, input)->inputs[1] : input;
}
