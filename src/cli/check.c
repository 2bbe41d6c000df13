/* Owns the verb check: validates a config and prints the resolved network. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "plan/print.h"
#include "run/experiment.h"
#include "run/selection.h"

typedef struct check_options {
    sn_words set;
    int64_t threads;
    bool expand, plan;
} check_options;

static const sn_option option_rows[] = {
    SN_OPTION_SET(check_options),
    SN_OPTION_THREADS(check_options, SN_THREADS_TRAINING),
    {.name = "expand",
     .help = "print the network as an explicit list of layers",
     SN_OPTION_FLAG(check_options, expand)},
    {.name = "plan",
     .help = "print how a training step runs: where signals live, what flows where, the work items",
     SN_OPTION_FLAG(check_options, plan)},
};

/* Of many inputs the first ones; --expand names all. */
static void add_inputs(const sn_graph *graph, const sn_node *node, sn_text *text) {
    enum { MOST = 64 };
    int shown = node->n_inputs > MOST ? MOST : node->n_inputs;
    for (int k = 0; k < shown; k++) {
        sn_text_add(text, k ? ", " : "");
        sn_text_add_visible_line(text, graph->nodes[node->inputs[k]].label);
    }
    if (shown < node->n_inputs) sn_text_addf(text, ", and %d more (see --expand)", node->n_inputs - shown);
}

static size_t count_params(const sn_node *node) {
    size_t count = 0;
    for (int p = 0; p < node->n_params; p++)
        count += node->params[p].count;
    return count;
}

/* Multiply-adds of the forward pass, of a sample; nothing where the op has no products. */
static void add_products(const sn_node *node, sn_text *text) {
    if (node->op->flops) {
        sn_text_addf(text, " %12.0f  ", node->op->flops(node) / 2);
    } else {
        sn_text_addf(text, " %12s  ", "");
    }
}

static void add_nodes(const sn_graph *graph, sn_text *text) {
    char shape[SN_SHAPE_TEXT];
    sn_text_addf(text, "%-18s %-15s %-10s %12s %12s  %s\n", "node", "op", "shape", "parameters", "MACs", "inputs");
    sn_text_addf(text, "%-18s %-15s %-10s\n", "input", "", sn_shape_text(&graph->nodes[0].shape, shape));
    for (int i = 1; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        sn_text_add_padded(text, node->label, 18);
        sn_text_addf(text, " %-15s %-10s %12zu", node->op->kind.name, sn_shape_text(&node->shape, shape),
                     count_params(node));
        add_products(node, text);
        add_inputs(graph, node, text);
        sn_text_add(text, "\n");
    }
}

static void add_bytes(sn_text *text, const char *what, double bytes) {
    sn_text_addf(text, "%-14s ", what);
    sn_memory_text(text, bytes);
    sn_text_add(text, "\n");
}

static size_t data_bytes(const sn_dataset *data) {
    size_t n = data->train.n + data->test.n;
    size_t features = n * data->in_dim * (data->train.bytes ? 1 : sizeof(double));
    size_t rows = data->train.rows ? n * sizeof *data->train.rows : 0;
    return features + rows + n * (data->is_classes ? sizeof(uint32_t) : data->out_dim * sizeof(double));
}

/* Free by sn_plan_reset. */
static sn_status make_plan(const sn_experiment *x, sn_plan *plan, sn_error *error) {
    sn_plan_options options;
    sn_engine_plan_options(&options, &x->options);
    return sn_plan_build(plan, &x->graph, &options, error);
}

static sn_status add_totals(const sn_experiment *x, sn_text *text, sn_error *error) {
    const sn_graph *graph = &x->graph;
    sn_plan plan;
    sn_status status = make_plan(x, &plan, error);
    if (status) return status;
    sn_text_addf(text, "\n%-14s %d hidden + output = %d weight layers\n", "layers", graph->n_hidden, graph->n_layers);
    sn_text_addf(text, "%-14s %zu\n", "parameters", graph->n_params);
    size_t n_held = sn_selection_held(graph);
    if (n_held > 0) sn_text_addf(text, "%-14s %zu of them, by train.freeze\n", "held", n_held);
    sn_text_addf(text, "%-14s %.0f forward, %.0f training step, of a sample\n", "FLOPs", graph->forward_flops,
                 graph->step_flops);
    sn_text_addf(text, "%-14s %zu train, %zu test, %zu features, %zu %s\n", "samples", x->data.train.n, x->data.test.n,
                 x->data.in_dim, x->data.out_dim, x->data.is_classes ? "classes" : "targets");
    sn_text_addf(text, "%-14s %" PRId64 " (%" PRId64 " per epoch)\n", "steps", x->steps, x->steps_per_epoch);
    sn_text_addf(text, "%-14s %d\n", "copies", plan.n_copies);
    size_t arena = sn_plan_bytes(&plan, x->options.threads, sn_dtype_size(x->backend->dtype));
    add_bytes(text, "arena", (double)arena);
    add_bytes(text, "data", (double)data_bytes(&x->data));
    sn_plan_reset(&plan);
    return SN_OK;
}

static sn_status add_plan(const sn_experiment *x, sn_text *text, sn_error *error) {
    sn_plan plan;
    sn_status status = make_plan(x, &plan, error);
    if (status) return status;
    sn_plan_text(&plan, x->options.threads, sn_dtype_size(x->backend->dtype), text);
    sn_plan_reset(&plan);
    return SN_OK;
}

static void add_expanded_network(const sn_experiment *x, sn_text *text) {
    const char *weights = x->settings.weights;
    sn_graph_expand(&x->graph, text);
    if (!weights || text->failed) return;
    text->length--; /* its closing brace */
    sn_text_add(text, ",\n\"weights\": ");
    sn_text_add_json(text, weights);
    sn_text_add(text, "}");
}

/* Counted before it is taken: copies and labels make much of a small file. */
static sn_status check_expanded_memory(const sn_experiment *x, sn_error *error) {
    enum { BLOCKS = 4 }; /* the text and what sn_print makes of it, in memory that grows by doubling */
    return sn_memory_check(BLOCKS * sn_graph_expanded_bytes(&x->graph), "the expanded network", error);
}

/* The resolved config with the network as an explicit list of layers: a config again, for the same bytes. */
static void add_expanded(const sn_experiment *x, sn_text *text) {
    const char *gap = "{";
    for (const sn_value *v = sn_value_first(sn_config_root(x->config)); v; v = sn_value_next(v)) {
        sn_text_addf(text, "%s\n  \"%s\": ", gap, sn_value_name(v));
        gap = ",";
        if (strcmp(sn_value_name(v), "network") == 0) {
            add_expanded_network(x, text);
        } else {
            sn_value_text_compact(v, text);
        }
    }
    sn_text_add(text, "\n}\n");
}

static sn_status check_with(const check_options *chosen, const sn_config *config, sn_error *error) {
    sn_experiment experiment;
    sn_status status = sn_open_experiment(&experiment, config, sn_threads_of_training(chosen->threads), error);
    if (status) return status;
    status = sn_experiment_check_memory(&experiment, error);
    if (!status && experiment.settings.weights) status = sn_experiment_start(&experiment, error); /* reads them */
    if (!status && chosen->expand) status = check_expanded_memory(&experiment, error);
    sn_text text = SN_TEXT_EMPTY;
    if (chosen->expand) {
        if (!status) add_expanded(&experiment, &text);
    } else if (chosen->plan) {
        if (!status) status = add_plan(&experiment, &text, error);
    } else {
        add_nodes(&experiment.graph, &text);
        if (!status) status = add_totals(&experiment, &text, error);
    }
    if (!status) status = sn_print(&text, error);
    sn_text_free(&text);
    sn_experiment_reset(&experiment);
    return status;
}

static sn_status run_check(const sn_arguments *arguments, sn_error *error) {
    const check_options *chosen = arguments->record;
    sn_config *config = NULL;
    if (chosen->expand && chosen->plan) {
        return sn_error_set(error, SN_INVALID,
                            "skipnet check: --expand prints a config, --plan a plan: give one of them");
    }
    sn_status status = sn_read_config(&config, arguments->operands[0], &chosen->set, error);
    if (!status) status = check_with(chosen, config, error);
    sn_config_free(config);
    return status;
}

const sn_verb sn_verb_check = {.name = "check",
                               .operands = "CONFIG",
                               .min_operands = 1,
                               .max_operands = 1,
                               SN_VERB_OPTIONS(option_rows, check_options),
                               .help = "validate a config; print the network: nodes, shapes, parameters, FLOPs, memory",
                               .details = "FLOPs are those of the matrix products: forward, and with the gradients by "
                                          "inputs and weights.  copies counts\n"
                                          "concat inputs that could not be placed where the concat reads them.\n\n"
                                          "A plan tells of a step in the order of time.  b3[8:16] are columns 8 to 15 "
                                          "of buffer b3; batch buffers have a\nrow for every sample, scratch is "
                                          "memory of a thread that is used again.  dx is the gradient that an op "
                                          "adds to\nthat of its input: b9 = dx is written, b9 += dx added, b9 = b5 + "
                                          "dx added to what waited in b5.  docs/engine.md\nreads one line by line.",
                               .run = run_check};
