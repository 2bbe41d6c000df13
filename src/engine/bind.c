/* Owns the bindings: the places of a node's signals, looked up in the plan once, since a step of a narrow network asks
 * for them some ten thousand times. */
#include "engine/internal.h"
#include "ops/table.h"

static sn_binding bind_slot(const sn_engine *e, sn_slot slot) {
    if (slot.buffer < 0) return (sn_binding){0};
    const sn_buffer *buffer = &e->plan.buffers[slot.buffer];
    size_t scale = buffer->place == SN_PLACE_SCRATCH ? e->group_panels : 1; /* scratch is laid out for one panel */
    return (sn_binding){.place = buffer->place,
                        .offset = (buffer->offset * scale + slot.column * SN_PANEL) * e->real_size,
                        .panel_bytes = sn_buffer_panel(buffer) * e->real_size,
                        .ld = buffer->width * SN_PANEL};
}

sn_view sn_batch_view(const sn_engine *engine, sn_slot slot, size_t panel) {
    sn_binding binding = bind_slot(engine, slot);
    return sn_binding_view(&binding, engine->batch.base, panel);
}

sn_view sn_by_sample(const sn_engine *engine, size_t sample) {
    const sn_node *input = &engine->graph->nodes[0];
    size_t ld = input->positions * input->width;
    return (sn_view){engine->batch.base + (engine->plan.by_sample + sample * ld) * engine->real_size, ld};
}

static bool has_partials(const sn_node *node) {
    for (int p = 0; p < node->n_params; p++) {
        if (node->params[p].route == SN_FROM_PARTIALS) return true;
    }
    return false;
}

/* Of an activation that goes on from another one: what is new. */
static bool bind_link(sn_engine *e, int i) {
    const sn_plan *plan = &e->plan;
    if (plan->grows[i] < 0) return true;
    int fresh = sn_plan_source(plan, i, 0);
    sn_chain_link *link = sn_pool_alloc(&e->pool, sizeof *link);
    if (!link) return false;
    *link = (sn_chain_link){.x = bind_slot(e, plan->value[fresh]),
                            .column = e->graph->nodes[plan->grows[i]].width,
                            .width = e->graph->nodes[fresh].width};
    e->bindings[i].link = link;
    return true;
}

/* An input without a value of its own is one that is not looked at. */
static bool bind_node(sn_engine *e, int i) {
    const sn_plan *plan = &e->plan;
    const sn_node *nodes = e->graph->nodes, *node = &nodes[i];
    size_t n = (size_t)node->n_inputs;
    sn_binding *places = sn_pool_alloc(&e->pool, (3 * n + 1) * sizeof *places);
    size_t *widths = sn_pool_alloc(&e->pool, (n + 1) * sizeof *widths);
    sn_flow *flow = sn_pool_alloc(&e->pool, (n + 1) * sizeof *flow);
    if (!places || !widths || !flow) return false;
    for (size_t k = 0; k < n; k++) {
        const sn_edge *edge = &plan->edges[plan->first_edge[i] + (int)k];
        int x = node->inputs[k], source = sn_plan_source(plan, i, (int)k);
        places[k] = bind_slot(e, plan->value[x].buffer >= 0 ? plan->value[x] : plan->value[i]);
        if (edge->flow != SN_FLOW_NONE) places[n + k] = bind_slot(e, plan->gradient[source]);
        if (edge->flow == SN_FLOW_ADD) places[2 * n + k] = bind_slot(e, edge->base);
        widths[k] = nodes[x].width;
        flow[k] = edge->flow;
    }
    e->bindings[i] = (sn_node_binding){.kernels = node->op ? e->backend->ops[sn_op_index(node->op)] : NULL,
                                       .y = bind_slot(e, plan->value[i]),
                                       .dy = bind_slot(e, plan->gradient[i]),
                                       .x = places,
                                       .dx = places + n,
                                       .base = places + 2 * n,
                                       .widths = widths,
                                       .flow = flow,
                                       .is_apart = plan->is_apart[i],
                                       .whole_by = sn_plan_whole_by(plan, i),
                                       .by_panel = has_partials(node)};
    return bind_link(e, i);
}

static bool has_product(const sn_node *node) {
    return node->op->flops && sn_node_param(node, SN_PARAM_WEIGHT) >= 0;
}

/* The matrix that the products of node i read. */
static sn_ahead weights_of(const sn_engine *e, int i) {
    int w = sn_node_param(&e->graph->nodes[i], SN_PARAM_WEIGHT);
    return (sn_ahead){.data = e->param_pointers[e->plan.first_param[i] + w],
                      .rows = 1,
                      .row_bytes = e->graph->nodes[i].params[w].count * e->real_size};
}

static void bind_ahead(sn_engine *e) {
    int n = e->graph->n_nodes;
    sn_ahead next = {0}, before = {0};
    for (int i = n - 1; i > 0; i--) {
        e->bindings[i].forward_ahead = next;
        if (has_product(&e->graph->nodes[i])) next = weights_of(e, i);
    }
    for (int i = 1; i < n; i++) {
        e->bindings[i].backward_ahead = before;
        if (has_product(&e->graph->nodes[i]) && !e->graph->nodes[i].ends_backward) before = weights_of(e, i);
    }
}

sn_status sn_bind(sn_engine *engine, sn_error *error) {
    size_t n = (size_t)engine->graph->n_nodes;
    engine->bindings = sn_pool_alloc(&engine->pool, n * sizeof *engine->bindings);
    bool ok = engine->bindings != NULL;
    for (size_t i = 0; i < n && ok; i++)
        ok = bind_node(engine, (int)i);
    if (ok && engine->looks_ahead) bind_ahead(engine);
    return ok ? SN_OK : sn_error_memory(error, n * sizeof *engine->bindings, "the engine's tables");
}
