/* Owns the graph: from a resolved "network" object to nodes with shapes and parameters. */
#include "network/graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "network/families.h"
#include "network/layers.h"

#define TOO_LARGE "more than the limit of %zu %s up to %s (make the layers smaller or fewer)"

static sn_status check_inputs(const sn_node *node, sn_error *error) {
    const sn_op *op = node->op;
    if (node->n_inputs >= op->min_inputs && node->n_inputs <= op->max_inputs) return SN_OK;
    if (op->min_inputs == op->max_inputs) {
        return sn_node_fault(node, error, "%s reads %d input%s, got %d", op->kind.name, op->min_inputs,
                             op->min_inputs == 1 ? "" : "s", node->n_inputs);
    }
    return sn_node_fault(node, error, "%s reads at least %d inputs, got %d (name them in \"inputs\")", op->kind.name,
                         op->min_inputs, node->n_inputs);
}

/* NULL: not in the table. */
static const sn_op *op_of(const sn_layer *layer, const sn_graph_request *request) {
    return sn_op_find(request->ops, sn_value_text(layer->config, "op"));
}

static sn_status build_node(sn_graph *graph, int i, const sn_layer *layer, const sn_graph_request *request,
                            sn_error *error) {
    sn_node *node = &graph->nodes[i];
    node->label = sn_pool_string(&graph->pool, layer->label);
    node->origin = graph->expansion ? graph->expansion : request->config;
    node->config = layer->config;
    node->n_inputs = layer->n_inputs;
    node->inputs = sn_pool_alloc(&graph->pool, (size_t)layer->n_inputs * sizeof *node->inputs);
    if (!node->label || !node->inputs) return sn_error_memory(error, strlen(layer->label), "a node");
    memcpy(node->inputs, layer->inputs, (size_t)layer->n_inputs * sizeof *node->inputs);
    node->op = op_of(layer, request);
    if (!node->op) return sn_error_set(error, SN_FAILED, "the op of \"%s\" is not in the table", layer->label);
    size_t n_tensors = (size_t)node->op->most_params + (size_t)node->op->most_states;
    node->params = sn_pool_alloc(&graph->pool, (n_tensors + 1) * sizeof *node->params);
    if (!node->params) return sn_error_memory(error, n_tensors * sizeof *node->params, "a node");
    node->states = node->params + node->op->most_params;
    sn_status status = check_inputs(node, error);
    return status ? status : node->op->build(node, graph->nodes, &graph->pool, error);
}

/* What the nodes so far come to.  They are bounded as they come, so that no later sum or product overflows. */
typedef struct extent {
    size_t params, outputs;
} extent;

static sn_status check_extent(const sn_graph *graph, const sn_node *node, const sn_graph_request *request, extent *sum,
                              sn_error *error) {
    sum->outputs += sn_shape_size(&node->shape);
    for (int p = 0; p < node->n_params; p++)
        sum->params += node->params[p].count;
    bool has_params = sum->params > SN_MAX_ELEMENTS;
    if (!has_params && sum->outputs <= SN_MAX_ELEMENTS) return SN_OK;
    const char *what = has_params ? "parameters" : "outputs of layers";
    if (!graph->expansion) return sn_node_fault(node, error, TOO_LARGE, SN_MAX_ELEMENTS, what, "here");
    return sn_config_fault(request->config, request->network, error, TOO_LARGE, SN_MAX_ELEMENTS, what, node->label);
}

/* Images stay images where an op looks at their height and width; else the network reads their pixels as a vector. */
static sn_shape input_shape(const sn_layer_list *flat, const sn_graph_request *request) {
    for (int i = 0; i < flat->n; i++) {
        const sn_op *op = op_of(&flat->items[i], request);
        if (op && op->reads_image) return request->input;
    }
    return sn_shape_vector((int64_t)sn_shape_size(&request->input));
}

/* The shape checks of later nodes need the earlier ones, so the first faulty node ends the build. */
static sn_status build_nodes(sn_graph *graph, const sn_layer_list *flat, const sn_graph_request *request,
                             sn_error *error) {
    graph->n_nodes = flat->n + 1;
    graph->nodes = calloc((size_t)graph->n_nodes, sizeof *graph->nodes);
    if (!graph->nodes) return sn_error_memory(error, (size_t)graph->n_nodes * sizeof *graph->nodes, "the graph");
    graph->nodes[0].label = "input";
    graph->nodes[0].origin = request->config;
    graph->nodes[0].config = request->network;
    sn_shape input = input_shape(flat, request);
    sn_node_set_shape(&graph->nodes[0], &input);
    extent sum = {0};
    for (int i = 0; i < flat->n; i++) {
        sn_status status = build_node(graph, i + 1, &flat->items[i], request, error);
        if (!status) status = check_extent(graph, &graph->nodes[i + 1], request, &sum, error);
        if (status) return status;
    }
    return SN_OK;
}

static sn_status check_output(const sn_graph *graph, const sn_graph_request *request, sn_error *error) {
    const sn_node *last = &graph->nodes[graph->n_nodes - 1];
    char shape[SN_SHAPE_TEXT];
    if (last->shape.rank == 1 && last->width == request->out_dim) return SN_OK;
    return sn_node_fault(last, error, "the last entry feeds the loss and has shape %s, the data need %zu",
                         sn_shape_text(&last->shape, shape), request->out_dim);
}

static sn_status check_read(const sn_graph *graph, sn_error *error) {
    for (int i = 1; i < graph->n_nodes - 1; i++) {
        if (graph->nodes[i].n_readers > 0) continue;
        sn_node_fault(&graph->nodes[i], error,
                      "nothing reads this entry (name it in the inputs of a later one, or take it out)");
    }
    return error->status;
}

static sn_status check_trains(const sn_graph *graph, const sn_graph_request *request, sn_error *error) {
    if (graph->n_params > 0) return SN_OK;
    return sn_config_fault(request->config, request->network, error,
                           "the network has no parameters to train (add a linear layer)");
}

static const sn_key expansion_keys[] = {
    {.name = "layers", .types = SN_LIST, .flags = SN_REQUIRED, .element = &sn_layer_element, .help = "the layer list"},
    {0},
};
static const sn_schema expansion_schema = {.title = "layers", .keys = expansion_keys};

static sn_status expand_family(sn_graph *graph, const sn_graph_request *request, sn_error *error) {
    const sn_family *family = sn_family_of(request->network);
    sn_text text = SN_TEXT_EMPTY;
    sn_status status = family->write(request, &text, error);
    if (!status && text.failed) status = sn_error_memory(error, text.length, "the layer list");
    if (!status) {
        status = sn_config_parse(&graph->expansion, &expansion_schema, sn_text_string(&text), text.length,
                                 family->kind.name, "", error);
    }
    sn_text_free(&text);
    return status;
}

sn_status sn_graph_build(sn_graph *graph, const sn_graph_request *request, sn_error *error) {
    *graph = (sn_graph){0};
    const sn_config *config = request->config;
    const sn_value *list = sn_value_get(request->network, "layers");
    sn_layer_list flat = {0};
    sn_status status = list ? SN_OK : expand_family(graph, request, error);
    if (status) goto out;
    if (!list) {
        config = graph->expansion;
        list = sn_value_get(sn_config_root(config), "layers");
    }
    status = sn_layers_flatten(&flat, config, list, error);
    if (!status) status = build_nodes(graph, &flat, request, error);
    if (!status) status = sn_graph_annotate(graph, error);
    if (!status) status = check_read(graph, error);
    if (!status) status = check_output(graph, request, error);
    if (!status) status = check_trains(graph, request, error);
out:
    sn_layers_reset(&flat);
    if (status) sn_graph_reset(graph);
    return status;
}

void sn_graph_reset(sn_graph *graph) {
    free(graph->nodes);
    sn_config_free(graph->expansion);
    sn_pool_free(&graph->pool);
    *graph = (sn_graph){0};
}

int sn_graph_find(const sn_graph *graph, const char *label) {
    for (int i = 0; i < graph->n_nodes; i++) {
        if (strcmp(graph->nodes[i].label, label) == 0) return i;
    }
    return -1;
}

static void expand_node(const sn_graph *graph, const sn_node *node, sn_text *text) {
    sn_text_add(text, "  {\"label\": ");
    sn_text_add_json(text, node->label);
    sn_text_add(text, ", \"inputs\": [");
    for (int k = 0; k < node->n_inputs; k++) {
        if (k > 0) sn_text_add(text, ", ");
        sn_text_add_json(text, graph->nodes[node->inputs[k]].label);
    }
    sn_text_add(text, "]");
    for (const sn_value *v = sn_value_first(node->config); v; v = sn_value_next(v)) {
        const char *name = sn_value_name(v);
        if (strcmp(name, "label") == 0 || strcmp(name, "inputs") == 0) continue;
        sn_text_add(text, ", ");
        sn_text_add_json(text, name);
        sn_text_add(text, ": ");
        sn_value_text_compact(v, text);
    }
    sn_text_add(text, "}");
}

/* Each entry is written once for its length alone: labels and values may grow where they are quoted. */
size_t sn_graph_expanded_bytes(const sn_graph *graph) {
    enum { AROUND = 32 }; /* of the list, and between its entries */
    sn_text entry = SN_TEXT_EMPTY;
    size_t bytes = AROUND;
    for (int i = 1; i < graph->n_nodes; i++) {
        sn_text_clear(&entry);
        expand_node(graph, &graph->nodes[i], &entry);
        bytes += entry.length + 2;
    }
    sn_text_free(&entry);
    return bytes;
}

void sn_graph_expand(const sn_graph *graph, sn_text *text) {
    sn_text_add(text, "{\"layers\": [\n");
    for (int i = 1; i < graph->n_nodes; i++) {
        expand_node(graph, &graph->nodes[i], text);
        sn_text_add(text, i + 1 < graph->n_nodes ? ",\n" : "\n");
    }
    sn_text_add(text, "]}");
}
