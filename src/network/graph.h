/* The network as a graph: nodes in topological order with labels, shapes, parameters and readers. */
#ifndef SN_NETWORK_GRAPH_H
#define SN_NETWORK_GRAPH_H

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "network/op.h"

typedef struct sn_graph {
    int n_nodes;
    sn_node *nodes;       /* nodes[0] is the input, the last one feeds the loss */
    int n_hidden;         /* nodes of role hidden */
    int n_layers;         /* weight layers: hidden and output */
    size_t n_params;      /* elements of all parameters */
    double forward_flops; /* of the matrix products, per sample */
    double step_flops;    /* the same with the gradients by inputs and by weights: what a training step executes */
    int n_blocks;
    struct sn_block *blocks; /* see network/blocks.h; ascending by end */
    sn_config *expansion;    /* the layer list of a family, NULL for an explicit list */
    sn_pool pool;
} sn_graph;

enum { SN_MAX_NODES = 1 << 20 };
#define SN_MAX_ELEMENTS ((size_t)1 << 33) /* parameters of one network, and outputs of all its nodes */
#define SN_MAX_EDGES    ((size_t)1 << 26) /* inputs of all nodes */

typedef struct sn_graph_request {
    const sn_config *config;
    const sn_value *network; /* the resolved "network" object */
    const sn_op *const *ops; /* the op table, NULL-terminated */
    sn_shape input;          /* of one sample; an image is read as a vector where no op looks at it */
    size_t out_dim;          /* what the loss needs: classes or targets */
} sn_graph_request;

/* Builds the graph of a family or of an explicit list.  SN_INVALID with all faults found: unknown or later labels, a
 * label twice, unread nodes, shapes that do not fit (which labels, their shapes, what would fit). */
sn_status sn_graph_build(sn_graph *graph, const sn_graph_request *request, sn_error *error);

void sn_graph_reset(sn_graph *graph);

/* Writes the graph as an explicit "network" object ({"layers": [...]}), from which the same graph is built. */
void sn_graph_expand(const sn_graph *graph, sn_text *text);

/* How many bytes that will be, or a few more, for those who ask whether there is room. */
size_t sn_graph_expanded_bytes(const sn_graph *graph);

/* Node number of a label, -1 if there is none. */
int sn_graph_find(const sn_graph *graph, const char *label);

/* Readers, blocks, roles, layer numbers, carried_at and needs_gradient; called by sn_graph_build. */
sn_status sn_graph_annotate(sn_graph *graph, sn_error *error);

#endif
