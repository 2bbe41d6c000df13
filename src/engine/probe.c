/* Owns the probe's walks: an engine's own, time by time over all panels, with passed nodes in between. */
#include "engine/probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/guard.h"
#include "engine/probe_state.h"
#include "ops/table.h"

/* ---- making ---- */

/* A graph that differs from the network's in what wants a gradient: everything does. */
static sn_status copy_graph(sn_probe *probe, const sn_graph *graph, sn_error *error) {
    size_t bytes = (size_t)graph->n_nodes * sizeof *graph->nodes;
    probe->graph = *graph;
    probe->graph.nodes = malloc(bytes);
    if (!probe->graph.nodes) return sn_error_memory(error, bytes, "the probe's graph");
    memcpy(probe->graph.nodes, graph->nodes, bytes);
    for (int i = 0; i < graph->n_nodes; i++)
        probe->graph.nodes[i].needs_gradient = true;
    return SN_OK;
}

static sn_status take_tables(sn_probe *probe, sn_error *error) {
    size_t n = (size_t)probe->graph.n_nodes;
    probe->passed = malloc(n * sizeof *probe->passed);
    if (!probe->passed) return sn_error_memory(error, n * sizeof *probe->passed, "the probe");
    for (size_t i = 0; i < n; i++)
        probe->passed[i] = -1;
    return sn_probe_take_room(probe, error);
}

sn_status sn_probe_new(sn_probe **probe, const sn_graph *graph, const sn_backend *backend,
                       const sn_probe_options *options, sn_error *error) {
    sn_probe *p = *probe = calloc(1, sizeof **probe);
    if (!p) return sn_error_memory(error, sizeof *p, "the probe");
    sn_engine_options own = {.batch = options->batch,
                             .threads = 1,
                             .objective = options->objective,
                             .seed = options->seed,
                             .is_reference = true,
                             .keeps_gradients = true};
    sn_status status = copy_graph(p, graph, error);
    if (!status) status = sn_engine_new(&p->engine, &p->graph, backend, &own, error);
    if (!status) status = take_tables(p, error);
    if (!status) return SN_OK;
    sn_probe_free(p);
    *probe = NULL;
    return status;
}

void sn_probe_free(sn_probe *probe) {
    if (!probe) return;
    sn_engine_free(probe->engine);
    free(probe->graph.nodes);
    sn_arena_reset(&probe->room);
    sn_arena_reset(&probe->sums);
    free(probe->passed);
    free(probe->views);
    free(probe->flows);
    free(probe);
}

sn_engine *sn_probe_engine(sn_probe *probe) {
    return probe->engine;
}

sn_status sn_probe_take_weights(sn_probe *probe, const sn_engine *from, sn_error *error) {
    size_t n_params = sn_engine_tensor_count(from), n = n_params + sn_engine_state_count(from);
    for (size_t i = 0; i < n; i++) {
        sn_tensor tensor;
        if (i < n_params) sn_engine_tensor(from, i, &tensor);
        if (i >= n_params) sn_engine_state(from, i - n_params, &tensor);
        size_t count = sn_tensor_count(&tensor);
        double *values = malloc(count * sizeof *values);
        if (!values) return sn_error_memory(error, count * sizeof *values, "weights");
        sn_doubles_from(values, tensor.dtype, tensor.data, count);
        if (i < n_params) sn_engine_set_tensor(probe->engine, i, values);
        if (i >= n_params) sn_engine_set_state(probe->engine, i - n_params, values);
        free(values);
    }
    return SN_OK;
}

/* ---- walks ---- */

/* The node of a time of the walk; -1 at those of the input and the loss. */
static int node_at(const sn_probe *probe, int time) {
    int n = probe->graph.n_nodes;
    return time == 0 || time == n ? -1 : time < n ? time : 2 * n - time;
}

static bool is_passed(const sn_probe *probe, int time) {
    int node = node_at(probe, time);
    return node >= 0 && probe->passed[node] >= 0;
}

/* The times `begin` up to, not with, `end`, over all panels, which leave their parts of what time `end` needs. */
static void walk_panels(sn_probe *probe, int begin, int end) {
    sn_engine *e = probe->engine;
    for (size_t p = 0; p < sn_panels(e->step->batch.rows); p++)
        sn_walk_group(e, 0, (sn_panel_range){p, 1}, begin, end);
}

static void pass(sn_probe *probe, int time) {
    int node = node_at(probe, time);
    if (time < probe->graph.n_nodes) {
        sn_probe_pass_forward(probe, node);
    } else {
        sn_probe_pass_backward(probe, node);
    }
    walk_panels(probe, time + 1, time + 1);
}

static void walk(sn_probe *probe, int begin, int end) {
    walk_panels(probe, begin, begin);
    for (int time = begin; time < end; time++) {
        if (probe->engine->mode == SN_MODE_TRAIN) sn_walk_merge(probe->engine, 0, time);
        if (is_passed(probe, time)) {
            pass(probe, time);
        } else {
            walk_panels(probe, time, time + 1);
        }
    }
    if (SN_GUARD > 0) sn_guard_verify(probe->engine);
}

/* A step of the engine in that mode up to, not with, time `end`. */
static void run(sn_probe *probe, sn_step step, sn_mode mode, int end) {
    probe->step = step;
    probe->is_trained = mode == SN_MODE_TRAIN;
    probe->has_work = false;
    probe->begin = probe->graph.n_nodes - 1;
    sn_step_begin(probe->engine, &probe->step, mode);
    walk(probe, 0, end);
}

sn_status sn_probe_run(sn_probe *probe, const sn_batch *batch, uint64_t number, sn_step_result *result) {
    run(probe, (sn_step){.batch = *batch, .number = number}, SN_MODE_TRAIN, sn_time_walk_end(&probe->engine->plan));
    sn_step_collect(probe->engine, result);
    return result->fault.kind == SN_FAULT_NONE ? SN_OK : SN_DIVERGED;
}

void sn_probe_evaluate(sn_probe *probe, const sn_batch *batch, sn_step_result *result) {
    run(probe, (sn_step){.batch = *batch}, SN_MODE_EVALUATE, sn_time_loss(&probe->engine->plan) + 1);
    sn_step_collect(probe->engine, result);
}

/* Gradients that the walk does not write first are 0, or what is put in. */
void sn_probe_backward_from(sn_probe *probe, int node, const double *cotangent) {
    sn_engine *e = probe->engine;
    if (!probe->is_trained) return;
    for (int i = 0; i < probe->graph.n_nodes; i++)
        sn_probe_bring(probe, sn_probe_view(probe, e->plan.gradient[i]), i, NULL);
    sn_probe_bring(probe, sn_probe_view(probe, e->plan.gradient[node]), node, cotangent);
    probe->has_work = false;
    probe->begin = node;
    walk(probe, sn_time_backward(&e->plan, node), sn_time_walk_end(&e->plan));
}

/* ---- what they left ---- */

size_t sn_probe_size(const sn_probe *probe, int node) {
    const sn_node *n = &probe->graph.nodes[node];
    return probe->step.batch.rows * n->positions * n->width;
}

void sn_probe_value(const sn_probe *probe, int node, double *value) {
    sn_probe_fetch(probe, value, node, sn_probe_view(probe, probe->engine->plan.value[node]));
}

void sn_probe_gradient(const sn_probe *probe, int node, double *gradient) {
    size_t n = sn_probe_size(probe, node);
    sn_probe_fetch(probe, gradient, node, sn_probe_view(probe, probe->engine->plan.gradient[node]));
    for (size_t i = 0; i < n && !probe->is_trained; i++)
        gradient[i] = (double)NAN;
}

/* All at once, by the work items of the engine. */
static void work(sn_probe *probe) {
    sn_engine *e = probe->engine;
    sn_step_begin(e, &probe->step, SN_MODE_TRAIN);
    for (int phase = 0; phase < e->plan.n_segments; phase++)
        sn_work_gradients(e, 0, phase);
    sn_work_updates(e, 0);
    probe->has_work = true;
}

void sn_probe_weight_gradient(sn_probe *probe, size_t i, double *gradient) {
    const sn_engine *e = probe->engine;
    const sn_plan_param *entry = &e->plan.params[i];
    size_t n = probe->graph.nodes[entry->node].params[entry->index].count;
    if (probe->is_trained && !probe->has_work) work(probe);
    sn_doubles_from(gradient, e->backend->dtype, sn_engine_gradient(e, i), n);
    bool has_none = entry->node > probe->begin || probe->passed[entry->node] >= 0;
    for (size_t k = 0; k < n && (has_none || !probe->is_trained); k++)
        gradient[k] = probe->is_trained ? 0 : (double)NAN;
}

/* ---- passing ---- */

sn_status sn_probe_pass_input(sn_probe *probe, int node, int k, sn_error *error) {
    const sn_node *n = &probe->graph.nodes[node];
    char own[SN_SHAPE_TEXT], other[SN_SHAPE_TEXT];
    if (k >= n->n_inputs) {
        return sn_error_set(error, SN_INVALID, "%s has no input %d to pass on (it has %d, counted from 0)", n->label, k,
                            n->n_inputs);
    }
    if (k >= 0) {
        const sn_node *input = &probe->graph.nodes[n->inputs[k]];
        if (!sn_shape_equal(&n->shape, &input->shape)) {
            return sn_error_set(
                error, SN_INVALID,
                "%s (%s) cannot pass on \"%s\" (%s): an input that is passed on has to have the node's shape", n->label,
                sn_shape_text(&n->shape, own), input->label, sn_shape_text(&input->shape, other));
        }
    }
    probe->passed[node] = k < 0 ? -1 : k;
    return SN_OK;
}

/* A node of the op identity in the place of one that is passed. */
static sn_node passing_node(const sn_node *node) {
    static double parameter; /* what activations have as their attributes */
    sn_node passing = *node;
    passing.op = sn_op_find(sn_ops, "identity");
    passing.attributes = &parameter;
    return passing;
}

static const sn_op_kernels *passing_kernels(const sn_probe *probe) {
    return probe->engine->backend->ops[sn_op_index(sn_op_find(sn_ops, "identity"))];
}

void sn_probe_pass_forward(sn_probe *probe, int node) {
    sn_pass pass_of_call;
    sn_op_call call;
    sn_node passing = passing_node(&probe->graph.nodes[node]);
    sn_walk_whole_call(probe->engine, node, &pass_of_call, &call);
    call.node = &passing;
    call.x += probe->passed[node];
    passing_kernels(probe)->forward(&call);
}

/* What the inputs get: the gradient for the one that is handed on, nothing for the others, whose first contribution
 * may be this one. */
void sn_probe_pass_backward(sn_probe *probe, int node) {
    sn_pass pass_of_call;
    sn_op_call call;
    sn_node passing = passing_node(&probe->graph.nodes[node]);
    sn_walk_whole_call(probe->engine, node, &pass_of_call, &call);
    for (int k = 0; k < call.node->n_inputs; k++) {
        if (call.flow[k] == SN_FLOW_WRITE) sn_probe_bring(probe, call.dx[k], call.node->inputs[k], NULL);
    }
    call.node = &passing;
    call.x += probe->passed[node];
    call.dx += probe->passed[node];
    call.base += probe->passed[node];
    call.flow += probe->passed[node];
    passing_kernels(probe)->backward(&call);
}
