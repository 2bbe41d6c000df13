/* Owns what is derived from a finished graph: readers, roles, layer numbers, where gradients are carried.
 *
 * Layer numbers: weight layers (hidden, projection, gate, output) are counted by depth in topological order, 1 nearest
 * the input; a gate or projection carries the number of the hidden layer before it, a norm or scale the number of the
 * weight layer that it follows (0 before the first).
 * carried_at: from a node walk forward along single-reader nodes without parameters, up to and including the first add,
 * concat or gate: the gradient there is what the network carries on from the node. */
#include <stdlib.h>
#include <string.h>

#include "network/graph.h"

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

static int carried_at(const sn_graph *graph, int i) {
    const sn_node *nodes = graph->nodes;
    while (nodes[i].n_readers == 1) {
        int next = nodes[i].readers[0];
        if (nodes[next].n_params > 0) break;
        i = next;
        if (nodes[next].op->join != SN_JOIN_NONE) break;
    }
    return i;
}

/* A weight layer is the output if no other weight layer comes after it on the way to the loss. */
static int last_weight_layer(const sn_graph *graph) {
    for (int i = graph->n_nodes - 1; i > 0; i--) {
        if (graph->nodes[i].n_params > 0 && graph->nodes[i].op->role == SN_ROLE_HIDDEN) return i;
    }
    return -1;
}

static void set_role(sn_graph *graph, int i, int output) {
    sn_node *node = &graph->nodes[i];
    if (node->n_params == 0) return;
    node->role = i == output ? SN_ROLE_OUTPUT : node->op->role;
    bool counts = node->role == SN_ROLE_HIDDEN || node->role == SN_ROLE_OUTPUT;
    graph->n_hidden += node->role == SN_ROLE_HIDDEN;
    graph->n_layers += counts;
    node->layer = graph->n_layers;
}

static void count_cost(sn_graph *graph, const sn_node *node) {
    double flops = node->op->flops ? node->op->flops(node) : (double)node->width;
    graph->forward_flops += flops;
    bool has_weight = node->n_params > 0 && node->params[0].route == SN_FROM_BATCH;
    if (has_weight) graph->step_flops += flops * (graph->nodes[node->inputs[0]].needs_gradient ? 3 : 2);
    for (int p = 0; p < node->n_params; p++)
        graph->n_params += node->params[p].count;
}

sn_status sn_graph_annotate(sn_graph *graph, sn_error *error) {
    sn_status status = set_readers(graph, error);
    if (status) return status;
    int output = last_weight_layer(graph);
    for (int i = 0; i < graph->n_nodes; i++) {
        sn_node *node = &graph->nodes[i];
        node->carried_at = carried_at(graph, i);
        node->needs_gradient = node->n_params > 0;
        for (int k = 0; k < node->n_inputs; k++)
            node->needs_gradient |= graph->nodes[node->inputs[k]].needs_gradient;
        set_role(graph, i, output);
        if (i > 0) count_cost(graph, node);
    }
    return SN_OK;
}
