/* Owns what is derived from a finished graph beside its blocks: readers, roles, layer numbers, where gradients are
 * carried.
 *
 * A gate layer is one whose output is read, through a sigmoid, as the input t of gates and by nothing else; it is no
 * weight layer here (blocks count it as one).
 *
 * Layer numbers: weight layers are counted in topological order, 1 nearest the input.  A norm, scale, gate or
 * projection carries the number of the weight layer that its label begins with ("hidden2.norm"; the one before it or
 * the one after it), else that of the weight layer that it follows (0 before the first).  Here alone a label decides,
 * since structure cannot: in a plain net the norm before hidden2 (order pre) and that behind hidden1 (inside) stand in
 * the same place.
 *
 * carried_at: from a node walk forward along single-reader nodes without parameters, up to and including the first add,
 * concat or gate: the gradient there is what the network carries on from the node. */
#include <stdlib.h>
#include <string.h>

#include "network/blocks.h"

static sn_status set_readers(sn_graph *graph, sn_error *error) {
    size_t n_edges = 0;
    for (int i = 1; i < graph->n_nodes; i++) {
        n_edges += (size_t)graph->nodes[i].n_inputs;
        for (int k = 0; k < graph->nodes[i].n_inputs; k++)
            graph->nodes[graph->nodes[i].inputs[k]].n_readers++;
    }
    int *readers = sn_pool_alloc(&graph->pool, (n_edges + 1) * sizeof *readers);
    if (!readers) return sn_error_memory(error, n_edges * sizeof *readers, "the graph's edges");
    for (int i = 0; i < graph->n_nodes; i++) {
        graph->nodes[i].readers = readers;
        readers += graph->nodes[i].n_readers;
        graph->nodes[i].n_readers = 0;
    }
    for (int i = 1; i < graph->n_nodes; i++) {
        for (int k = 0; k < graph->nodes[i].n_inputs; k++) {
            sn_node *read = &graph->nodes[graph->nodes[i].inputs[k]];
            read->readers[read->n_readers++] = i;
        }
    }
    return SN_OK;
}

/* Along single readers without parameters, up to and with the first join; that of the reader is known. */
static int carried_at(const sn_graph *graph, int i) {
    if (graph->nodes[i].n_readers != 1) return i;
    int next = graph->nodes[i].readers[0];
    const sn_node *reader = &graph->nodes[next];
    if (reader->n_params > 0) return i;
    return reader->op->join != SN_JOIN_NONE ? next : reader->carried_at;
}

/* Whether a gated block ends at `end` that reads node i as its gate and as nothing else. */
static bool is_only_gate(const sn_graph *graph, int i, int end) {
    const sn_block *block = sn_block_ending_at(graph, end);
    if (!block || sn_block_way(graph, block, 0) != SN_WAY_GATE) return false;
    for (int k = 1; k < graph->nodes[end].n_inputs; k++) {
        if (graph->nodes[end].inputs[k] == i && sn_block_way(graph, block, k) != SN_WAY_GATE) return false;
    }
    return true;
}

static bool opens_gates(const sn_graph *graph, int i) {
    const sn_node *node = &graph->nodes[i];
    for (int k = 0; k < node->n_readers; k++) {
        if (!is_only_gate(graph, i, node->readers[k])) return false;
    }
    return node->n_readers > 0;
}

static bool is_gate_layer(const sn_graph *graph, const sn_node *node) {
    for (int k = 0; k < node->n_readers; k++) {
        int reader = node->readers[k];
        bool is_sigmoid = strcmp(graph->nodes[reader].op->kind.name, "sigmoid") == 0;
        if (!is_sigmoid || !opens_gates(graph, reader)) return false;
    }
    return node->n_readers > 0;
}

/* Whether the label of a node is that of a weight layer, a dot, and more. */
static bool is_named_after(const sn_node *node, const sn_node *layer) {
    size_t length = strlen(layer->label);
    return strncmp(node->label, layer->label, length) == 0 && node->label[length] == '.';
}

static bool is_weight_layer(const sn_node *node) {
    return node->role == SN_ROLE_HIDDEN || node->role == SN_ROLE_OUTPUT;
}

/* The layer that fits a block's shortcut to its branch. */
static bool is_projection(const sn_graph *graph, const sn_node *node) {
    for (int b = 0; b < graph->n_blocks; b++) {
        if (graph->blocks[b].projection >= 0 && &graph->nodes[graph->blocks[b].projection] == node) return true;
    }
    return false;
}

/* A weight layer is the output if no other weight layer comes after it on the way to the loss. */
static void set_role(const sn_graph *graph, sn_node *node, bool is_last) {
    if (node->n_params == 0) return;
    node->role = node->op->role;
    if (node->role != SN_ROLE_HIDDEN) return;
    if (is_gate_layer(graph, node)) {
        node->role = SN_ROLE_GATE;
    } else if (is_projection(graph, node)) {
        node->role = SN_ROLE_PROJECTION;
    } else if (is_last) {
        node->role = SN_ROLE_OUTPUT;
    }
}

/* What is found from the end: roles, places of gradients, and as the layer of a node 1 where it counts to the next. */
static void look_backward(sn_graph *graph) {
    const sn_node *next = NULL;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        sn_node *node = &graph->nodes[i];
        node->carried_at = carried_at(graph, i);
        set_role(graph, node, !next);
        if (is_weight_layer(node)) {
            next = node;
        } else if (node->n_params > 0) {
            node->layer = next && is_named_after(node, next);
        }
    }
}

static void set_layer(sn_graph *graph, sn_node *node) {
    if (node->n_params == 0) return;
    graph->n_hidden += node->role == SN_ROLE_HIDDEN;
    graph->n_layers += is_weight_layer(node);
    node->layer += graph->n_layers;
}

static void count_cost(sn_graph *graph, const sn_node *node) {
    if (node->op->flops) {
        double flops = node->op->flops(node);
        graph->forward_flops += flops;
        graph->step_flops += flops * (graph->nodes[node->inputs[0]].needs_gradient ? 3 : 2);
    }
    for (int p = 0; p < node->n_params; p++)
        graph->n_params += node->params[p].count;
}

sn_status sn_graph_annotate(sn_graph *graph, sn_error *error) {
    sn_status status = set_readers(graph, error);
    if (!status) status = sn_blocks_find(graph, error);
    if (status) return status;
    look_backward(graph);
    for (int i = 0; i < graph->n_nodes; i++) {
        sn_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_inputs; k++)
            node->needs_gradient |= graph->nodes[node->inputs[k]].needs_gradient;
        node->ends_backward = node->n_params > 0 && !node->needs_gradient;
        node->needs_gradient |= node->n_params > 0;
        set_layer(graph, node);
        if (i > 0) count_cost(graph, node);
    }
    return SN_OK;
}
