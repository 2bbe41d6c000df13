/* Owns pull and push: a node's kernels on memory of the probe's own, where the caller's doubles are brought and fetched
 * from, over the whole batch in one call, so that the only part of a reduction is its total. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/probe_state.h"

/* ---- room ---- */

/* Doubles that kernels want beside signals: partials of parameters, a part and a total. */
static size_t sums_of(const sn_node *node) {
    size_t n = 0;
    for (int p = 0; p < node->n_params; p++)
        n += node->params[p].count;
    const sn_reduction *reduction = &node->op->backward_reduction;
    return n + (reduction->part_size + reduction->total_size) * node->width;
}

static size_t room_of(const sn_probe *probe, int node) {
    const sn_node *n = &probe->graph.nodes[node];
    return sn_slice_room(sn_panels(probe->engine->options.batch) * SN_PANEL * n->positions * n->width);
}

sn_status sn_probe_take_room(sn_probe *probe, sn_error *error) {
    size_t most = 0, sums = 0, inputs = 1;
    for (int i = 1; i < probe->graph.n_nodes; i++) {
        const sn_node *node = &probe->graph.nodes[i];
        size_t room = room_of(probe, i), n = (size_t)node->n_inputs;
        for (size_t k = 0; k < n; k++)
            room += room_of(probe, node->inputs[k]);
        if (room > most) most = room;
        if (sums_of(node) > sums) sums = sums_of(node);
        if (n > inputs) inputs = n;
    }
    probe->views = malloc(inputs * sizeof *probe->views);
    probe->flows = malloc(inputs * sizeof *probe->flows);
    if (!probe->views || !probe->flows) return sn_error_memory(error, inputs * sizeof(sn_view), "the probe");
    sn_status status = sn_arena_init(&probe->room, most * probe->engine->real_size, "signals", error);
    if (!status) status = sn_arena_init(&probe->sums, sums * sizeof(double), "sums", error);
    return status;
}

/* The next place in `room`, for the signal of a node. */
static sn_view take(const sn_probe *probe, size_t *taken, int node) {
    sn_view view = {probe->room.base + *taken * probe->engine->real_size, probe->graph.nodes[node].width * SN_PANEL};
    *taken += room_of(probe, node);
    return view;
}

/* Where element (position, feature) of a sample lies in a signal without gaps. */
static size_t place_of(const sn_node *node, size_t sample, size_t i) {
    return (sample / SN_PANEL * node->positions * node->width + i) * SN_PANEL + sample % SN_PANEL;
}

void sn_probe_bring(const sn_probe *probe, sn_view to, int node, const double *values) {
    const sn_node *n = &probe->graph.nodes[node];
    size_t rows = probe->step.batch.rows, size = n->positions * n->width, real_size = probe->engine->real_size;
    memset(to.data, 0, sn_panels(rows) * SN_PANEL * size * real_size);
    for (size_t k = 0; k < rows * size && values; k++) {
        unsigned char *at = (unsigned char *)to.data + place_of(n, k / size, k % size) * real_size;
        probe->engine->backend->from_double(at, &values[k], 1);
    }
}

void sn_probe_fetch(const sn_probe *probe, double *values, int node, sn_view from) {
    const sn_node *n = &probe->graph.nodes[node];
    size_t size = n->positions * n->width, real_size = probe->engine->real_size;
    for (size_t k = 0; k < probe->step.batch.rows * size; k++) {
        const unsigned char *at = (const unsigned char *)from.data + place_of(n, k / size, k % size) * real_size;
        sn_doubles_from(&values[k], probe->engine->backend->dtype, at, 1);
    }
}

/* The call of a node over all samples, with a place for its sums; what follows the partials of its parameters. */
static double *open_call(const sn_probe *probe, int node, sn_pass *pass, sn_op_call *call) {
    double **partials = probe->engine->workspaces[0].partials, *at = (double *)(void *)probe->sums.base;
    sn_walk_whole_call(probe->engine, node, pass, call);
    for (int p = 0; p < call->node->n_params; at += call->node->params[p++].count)
        partials[p] = at;
    call->partials = partials;
    call->part = at;
    return at + call->node->op->backward_reduction.part_size * call->node->width;
}

/* ---- one node ---- */

static void fill(double *values, size_t n, double value) {
    for (size_t i = 0; i < n; i++)
        values[i] = value;
}

/* Where there is nothing to compute: a passed node hands `u` on; without a run in training mode all is NAN. */
static bool pull_without_call(const sn_probe *probe, int node, const double *u, double *const *dx) {
    const sn_node *n = &probe->graph.nodes[node];
    int passed = probe->passed[node];
    for (int k = 0; k < n->n_inputs && (passed >= 0 || !probe->is_trained); k++) {
        if (!dx[k]) continue;
        size_t size = sn_probe_size(probe, n->inputs[k]);
        fill(dx[k], size, probe->is_trained ? 0 : (double)NAN);
        if (probe->is_trained && k == passed) memcpy(dx[k], u, size * sizeof *u);
    }
    return passed >= 0 || !probe->is_trained;
}

/* The total of the backward reduction, from the only part. */
static void reduce(const sn_probe *probe, sn_op_call *call, const sn_op_kernels *kernels, double *total) {
    if (call->node->op->backward_reduction.part_size == 0) return;
    kernels->backward_reduction.part(call);
    kernels->backward_reduction.merge(&(sn_merge_call){.node = call->node,
                                                       .rows = call->samples * call->node->positions,
                                                       .part_rows = call->samples * call->node->positions,
                                                       .parts = call->part,
                                                       .stride = probe->engine->plan.partial_doubles,
                                                       .total = total});
    call->backward_total = total;
}

void sn_probe_pull(sn_probe *probe, int node, const double *u, double *const *dx) {
    if (pull_without_call(probe, node, u, dx)) return;
    const sn_op_kernels *kernels = probe->engine->bindings[node].kernels;
    sn_op_call call;
    sn_pass pass;
    size_t taken = 0;
    double *total = open_call(probe, node, &pass, &call);
    call.dy = take(probe, &taken, node);
    sn_probe_bring(probe, call.dy, node, u);
    for (int k = 0; k < call.node->n_inputs; k++) {
        probe->views[k] = take(probe, &taken, call.node->inputs[k]);
        probe->flows[k] = dx[k] ? SN_FLOW_WRITE : SN_FLOW_NONE;
    }
    call.dx = probe->views;
    call.flow = probe->flows;
    reduce(probe, &call, kernels, total);
    kernels->backward(&call);
    for (int k = 0; k < call.node->n_inputs; k++) {
        if (dx[k]) sn_probe_fetch(probe, dx[k], call.node->inputs[k], probe->views[k]);
    }
}

static bool push_without_call(const sn_probe *probe, int node, const double *const *v, double *ty) {
    int passed = probe->passed[node];
    size_t size = sn_probe_size(probe, node);
    if (!probe->is_trained || (passed >= 0 && !v[passed])) {
        fill(ty, size, probe->is_trained ? 0 : (double)NAN);
    } else if (passed >= 0) {
        memcpy(ty, v[passed], size * sizeof *ty);
    }
    return passed >= 0 || !probe->is_trained;
}

void sn_probe_push(sn_probe *probe, int node, const double *const *v, double *ty) {
    if (push_without_call(probe, node, v, ty)) return;
    sn_op_call call;
    sn_pass pass;
    size_t taken = 0;
    open_call(probe, node, &pass, &call);
    sn_push_call push = {.at = &call, .tx = probe->views, .ty = take(probe, &taken, node)};
    for (int k = 0; k < call.node->n_inputs; k++) {
        probe->views[k] = take(probe, &taken, call.node->inputs[k]);
        sn_probe_bring(probe, probe->views[k], call.node->inputs[k], v[k]);
    }
    probe->engine->bindings[node].kernels->push(&push);
    sn_probe_fetch(probe, ty, node, push.ty);
}
