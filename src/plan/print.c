/* Owns the plan in words.  A line of the walk is a few aligned cells and, behind them, parts: what is read, and what
 * becomes of the gradient of every input. */
#include "plan/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    CELL = 96,        /* bytes of a cell's text */
    MOST_LABEL = 32,  /* columns that labels get; longer ones push their own line to the right */
    PLACE_WIDTH = 22, /* of "b12[64:128] scratch" */
    WRAP_AT = 100,    /* a list goes on in the next line where it has come so far */
};

typedef struct printer {
    const sn_plan *plan;
    sn_text *text;
    int label_width, op_width;
    size_t line;      /* where the line begins in the text */
    size_t part_from; /* the column where its parts begin */
    int n_parts;
} printer;

static int wider(int width, const char *name, int most) {
    int length = (int)strlen(name);
    if (length > most) length = most;
    return length > width ? length : width;
}

static printer make_printer(const sn_plan *plan, sn_text *text) {
    printer p = {.plan = plan, .text = text, .label_width = 4, .op_width = 2};
    for (int i = 0; i < plan->graph->n_nodes; i++) {
        const sn_node *node = &plan->graph->nodes[i];
        p.label_width = wider(p.label_width, node->label, MOST_LABEL);
        if (node->op) p.op_width = wider(p.op_width, node->op->kind.name, MOST_LABEL);
    }
    return p;
}

/* "b3", or "b3[8:16]" where it is not all columns of the buffer; "-" where there is none. */
static const char *slot_text(const sn_plan *plan, sn_slot slot, size_t width, char out[CELL]) {
    if (slot.buffer < 0) {
        snprintf(out, CELL, "-");
    } else if (plan->buffers[slot.buffer].width == width) {
        snprintf(out, CELL, "b%d", slot.buffer);
    } else {
        snprintf(out, CELL, "b%d[%zu:%zu]", slot.buffer, slot.column, slot.column + width);
    }
    return out;
}

static const char *place_name(sn_buffer_place place) {
    return place == SN_PLACE_BATCH ? "batch" : "scratch";
}

static void add_label(printer *p, const sn_node *node) {
    sn_text_add_visible_line(p->text, node->label);
}

/* "hidden1.weight" */
static void add_name(printer *p, const sn_node *node, const sn_param *param) {
    add_label(p, node);
    sn_text_addf(p->text, ".%s", param->name);
}

/* The cells of a line of the walk; `slot` is where the value of node i, or its gradient, lives. */
static void begin_line(printer *p, int time, const char *pass, int i, sn_slot slot) {
    const sn_node *node = &p->plan->graph->nodes[i];
    char place[CELL];
    p->line = p->text->length;
    p->n_parts = 0;
    sn_text_addf(p->text, "%6d  %-8s  ", time, pass);
    sn_text_add_padded(p->text, node->label, p->label_width);
    sn_text_addf(p->text, "  %-*s  %s", p->op_width, node->op ? node->op->kind.name : "",
                 slot_text(p->plan, slot, node->width, place));
    if (slot.buffer >= 0) sn_text_addf(p->text, " %s", place_name(p->plan->buffers[slot.buffer].place));
    p->part_from = 22 + (size_t)p->label_width + (size_t)p->op_width + PLACE_WIDTH; /* 22: time, pass and blanks */
}

/* The text that a part of the line is added to: behind the cells, or after the part before. */
static sn_text *next_part(printer *p) {
    size_t length = p->text->length - p->line;
    if (p->n_parts++ > 0) {
        sn_text_add(p->text, "; ");
    } else {
        sn_text_addf(p->text, "%*s", length + 2 < p->part_from ? (int)(p->part_from - length) : 2, "");
    }
    return p->text;
}

static void end_line(printer *p) {
    sn_text_add(p->text, "\n");
}

/* ---- the walk ---- */

/* "hidden2.act b8" */
static void add_value(printer *p, int i) {
    const sn_node *node = &p->plan->graph->nodes[i];
    char place[CELL];
    add_label(p, node);
    sn_text_addf(p->text, " %s", slot_text(p->plan, p->plan->value[i], node->width, place));
}

/* Of a concat that is apart, in either direction. */
static void add_apart(printer *p) {
    sn_text_add(next_part(p), "is not needed whole");
    end_line(p);
}

static void add_forward(printer *p, int i) {
    const sn_plan *plan = p->plan;
    const sn_node *node = &plan->graph->nodes[i];
    begin_line(p, i, "forward", i, plan->value[i]);
    if (plan->is_apart[i]) {
        add_apart(p);
        return;
    }
    sn_text *text = next_part(p);
    for (int k = 0; k < node->n_inputs; k++) {
        sn_text_add(text, k ? ", " : "reads ");
        add_value(p, sn_plan_source(plan, i, k));
        if (node->op->join == SN_JOIN_CONCAT)
            sn_text_add(text, sn_plan_is_view(plan, plan->value, i, k) ? " in place" : " copied");
    }
    if (plan->grows[i] >= 0) {
        sn_text_add(next_part(p), "goes on from ");
        add_value(p, plan->grows[i]);
    }
    end_line(p);
}

/* What the backward pass of node i looks at besides its gradient. */
static void add_backward_reads(printer *p, int i) {
    const sn_plan *plan = p->plan;
    const sn_node *node = &plan->graph->nodes[i];
    unsigned reads = node->op->backward_reads;
    if (!reads) return;
    sn_text *text = next_part(p);
    sn_text_add(text, "reads ");
    for (int k = 0; k < node->n_inputs && reads & SN_READS_X; k++) {
        if (k > 0) sn_text_add(text, ", ");
        add_value(p, sn_plan_source(plan, i, k));
    }
    if (reads == (SN_READS_X | SN_READS_Y)) sn_text_add(text, ", ");
    if (reads & SN_READS_Y) add_value(p, i);
}

/* What becomes of the gradient of input k. */
static void add_flow(printer *p, int i, int k) {
    const sn_plan *plan = p->plan;
    int x = sn_plan_source(plan, i, k);
    const sn_node *input = &plan->graph->nodes[x];
    const sn_edge *edge = &plan->edges[plan->first_edge[i] + k];
    sn_slot own = plan->gradient[x];
    char to[CELL], base[CELL];
    slot_text(plan, own, input->width, to);
    slot_text(plan, edge->base, input->width, base);
    sn_text *text = next_part(p);
    add_label(p, input);
    if (!input->needs_gradient) {
        sn_text_add(text, ": none");
    } else if (edge->flow == SN_FLOW_WRITE) {
        sn_text_addf(text, ": %s = dx", to);
    } else if (edge->flow == SN_FLOW_ADD && strcmp(to, base) == 0) {
        sn_text_addf(text, ": %s += dx", to);
    } else if (edge->flow == SN_FLOW_ADD) {
        sn_text_addf(text, ": %s = %s + dx", to, base);
    } else if (sn_plan_is_view(plan, plan->gradient, i, k)) {
        sn_text_add(text, ": same memory");
    } else {
        slot_text(plan, plan->gradient[i], input->width, base);
        sn_text_addf(text, ": waits in %s", base);
    }
}

static void add_backward(printer *p, int i) {
    const sn_node *node = &p->plan->graph->nodes[i];
    begin_line(p, sn_time_backward(p->plan, i), "backward", i, p->plan->gradient[i]);
    if (p->plan->is_apart[i]) {
        add_apart(p);
        return;
    }
    add_backward_reads(p, i);
    for (int k = 0; k < node->n_inputs; k++)
        add_flow(p, i, k);
    for (int j = 0; j < node->n_params; j++) {
        if (node->params[j].route != SN_FROM_PARTIALS) continue;
        sn_text_add(next_part(p), "leaves sums for ");
        add_name(p, node, &node->params[j]);
    }
    end_line(p);
}

static void add_loss(printer *p) {
    int last = p->plan->graph->n_nodes - 1;
    begin_line(p, sn_time_loss(p->plan), "loss", last, p->plan->gradient[last]);
    sn_text_add(next_part(p), "reads ");
    add_value(p, last);
    end_line(p);
}

/* The end of segment `s`, and what the next one begins with. */
static void add_segment_end(printer *p, int s) {
    const sn_plan *plan = p->plan;
    int time = plan->segment_ends[s];
    const sn_node *node = sn_plan_reduces_at(plan, time);
    sn_text_addf(p->text, "%6s  -- segment %d ends: ", "", s + 1);
    if (time == sn_time_walk_end(plan)) {
        sn_text_add(p->text, "the walk is over, all threads wait --\n");
    } else if (!node) {
        sn_text_add(p->text, "it was cut here, all threads wait --\n");
    } else {
        sn_text_add(p->text, "every panel leaves its part of ");
        add_label(p, node);
        sn_text_add(p->text, ", all threads wait --\n");
        begin_line(p, time, "merge", (int)(node - plan->graph->nodes), (sn_slot){-1, 0});
        sn_text_addf(next_part(p), "each thread puts the parts of %zu panels together", plan->max_panels);
        end_line(p);
    }
}

static void add_walk(printer *p) {
    const sn_plan *plan = p->plan;
    int n = plan->graph->n_nodes, s = 0;
    sn_text_addf(p->text, "\n%6s  %-8s  %-*s  %-*s  %-*s  %s\n", "time", "pass", p->label_width, "node", p->op_width,
                 "op", PLACE_WIDTH - 2, "lives in", "reads; gradients by inputs");
    for (int time = 0; time < sn_time_walk_end(plan); time++) {
        if (time == plan->segment_ends[s]) add_segment_end(p, s++);
        if (time == 0) {
            begin_line(p, 0, "gather", 0, plan->value[0]);
            end_line(p);
        } else if (time < n) {
            add_forward(p, time);
        } else if (time == n) {
            add_loss(p);
        } else if (plan->graph->nodes[2 * n - time].needs_gradient) {
            add_backward(p, 2 * n - time);
        }
    }
    add_segment_end(p, s);
    sn_text_addf(p->text, "%6d  %-8s  %d items and what follows them, in the order below\n", sn_time_work(plan), "work",
                 plan->n_updates);
}

/* ---- buffers ---- */

/* Who lives in a buffer: chains of signals, node i's value being signal 2 i, its gradient 2 i + 1; -1 ends a chain. */
typedef struct tenants {
    int *first, *next;
} tenants;

static void add_tenant(tenants *t, sn_slot slot, int signal) {
    if (slot.buffer < 0) return;
    t->next[signal] = t->first[slot.buffer];
    t->first[slot.buffer] = signal;
}

/* In the order of the nodes; false where there is no memory. */
static bool find_tenants(const sn_plan *plan, tenants *t) {
    size_t n_buffers = (size_t)plan->n_buffers, n = (size_t)plan->graph->n_nodes;
    t->first = malloc((n_buffers + 2 * n) * sizeof *t->first);
    if (!t->first) return false;
    t->next = t->first + n_buffers;
    for (size_t b = 0; b < n_buffers; b++)
        t->first[b] = -1;
    for (int i = plan->graph->n_nodes - 1; i >= 0; i--) {
        add_tenant(t, plan->gradient[i], 2 * i + 1);
        add_tenant(t, plan->value[i], 2 * i);
    }
    return true;
}

/* "64", or of an image "256x16", positions by features. */
static const char *size_text(const sn_buffer *buffer, char out[CELL]) {
    int n = buffer->positions > 1 ? snprintf(out, CELL, "%zux", buffer->positions) : 0;
    snprintf(out + n, CELL - (size_t)n, "%zu", buffer->width);
    return out;
}

static void add_buffer(printer *p, const tenants *t, int b) {
    const sn_plan *plan = p->plan;
    const sn_buffer *buffer = &plan->buffers[b];
    size_t line = p->text->length;
    char size[CELL];
    sn_text_addf(p->text, "b%-6d %7s  %-7s  %6d  %6d  ", b, size_text(buffer, size), place_name(buffer->place),
                 buffer->first, buffer->last);
    int indent = (int)(p->text->length - line);
    for (int signal = t->first[b]; signal >= 0; signal = t->next[signal]) {
        int i = signal / 2;
        size_t width = plan->graph->nodes[i].width, column = (signal % 2 ? plan->gradient : plan->value)[i].column;
        if (signal == t->first[b]) {
            sn_text_add(p->text, signal % 2 ? "gradient of " : "value of ");
        } else if (p->text->length - line > WRAP_AT) {
            line = p->text->length + 2;
            sn_text_addf(p->text, ",\n%*s", indent, "");
        } else {
            sn_text_add(p->text, ", ");
        }
        add_label(p, &plan->graph->nodes[i]);
        if (width < buffer->width) sn_text_addf(p->text, " [%zu:%zu]", column, column + width);
    }
    sn_text_add(p->text, "\n");
}

static void add_buffers(printer *p) {
    tenants t;
    sn_text_addf(p->text, "\n%-7s %7s  %-7s  %6s  %6s  %s\n", "buffer", "width", "place", "first", "last", "holds");
    if (!find_tenants(p->plan, &t)) {
        p->text->failed = true;
        return;
    }
    for (int b = 0; b < p->plan->n_buffers; b++)
        add_buffer(p, &t, b);
    free(t.first);
}

/* ---- work ---- */

static const char *const route_names[] = {
    [SN_FROM_BATCH] = "product", [SN_FROM_PARTIALS] = "sums of panels", [SN_FROM_REDUCTION] = "reduction"};

static void add_tensor(printer *p, const sn_item *item, char *tile) {
    const sn_plan_param *entry = &p->plan->params[item->param];
    const sn_node *node = &p->plan->graph->nodes[entry->node];
    const sn_param *param = &node->params[entry->index];
    add_name(p, node, param);
    if (param->rank == 1) {
        snprintf(tile, CELL, "[%zu:%zu]", item->col, item->col + item->cols);
    } else {
        snprintf(tile, CELL, "[%zu:%zu, %zu:%zu]", item->row, item->row + item->rows, item->col,
                 item->col + item->cols);
    }
}

static void add_item(printer *p, int j) {
    const sn_plan *plan = p->plan;
    const sn_item *item = &plan->items[j];
    const sn_plan_param *entry = &plan->params[item->param];
    const sn_param *param = &plan->graph->nodes[entry->node].params[entry->index];
    char tile[CELL];
    sn_text_addf(p->text, "%6d  ", j);
    size_t begin = p->text->length;
    add_tensor(p, item, tile);
    int used = (int)(p->text->length - begin), width = p->label_width + 7; /* ".weight" */
    sn_text_addf(p->text, "%*s  %-18s  %8zu  %s", used < width ? width - used : 0, "", tile, item->rows * item->cols,
                 route_names[param->route]);
    if (item->companion >= 0) {
        sn_text_add(p->text, ", then ");
        add_tensor(p, &plan->items[item->companion], tile);
        sn_text_addf(p->text, " %s", tile);
    }
    if (item->n_parts > 1) sn_text_addf(p->text, ", in %d parts of the batch", item->n_parts);
    sn_text_add(p->text, "\n");
}

/* The items whose gradients are done in a phase. */
static void add_phase(printer *p, int phase) {
    const sn_plan *plan = p->plan;
    int begin = plan->first_group[phase], end = plan->first_group[phase + 1];
    if (begin == end) return;
    if (phase < plan->n_segments)
        sn_text_addf(p->text, "%6s  -- after segment %d, beside the next; updated at the end --\n", "", phase);
    else if (plan->n_late > 0)
        sn_text_addf(p->text, "%6s  -- after the walk --\n", "");
    for (int g = begin; g < end; g++) {
        const sn_task_group *group = &plan->groups[g];
        for (int t = group->first; t < group->first + group->n; t++) {
            if (plan->tasks[t].part == 0) add_item(p, plan->tasks[t].item);
        }
    }
}

static void add_work(printer *p) {
    const sn_plan *plan = p->plan;
    sn_text_addf(p->text, "\n%6s  %-*s  %-18s  %8s  %s\n", "item", p->label_width + 7, "tensor", "tile", "elements",
                 "gradient from");
    for (int phase = 0; phase <= plan->n_segments; phase++)
        add_phase(p, phase);
    for (int s = 0; s < plan->n_states; s++) {
        const sn_node *node = &plan->graph->nodes[plan->states[s].node];
        const sn_param *state = &node->states[plan->states[s].index];
        sn_text_addf(p->text, "%6s  ", "");
        add_name(p, node, state);
        sn_text_add(p->text, ", after all updates\n");
    }
}

/* ---- sizes ---- */

static void add_sizes(printer *p, int threads, size_t real_size) {
    const sn_plan *plan = p->plan;
    int n_batch = 0;
    for (int b = 0; b < plan->n_buffers; b++)
        n_batch += plan->buffers[b].place == SN_PLACE_BATCH;
    sn_text_addf(p->text, "%-14s %d, the input among them\n", "nodes", plan->graph->n_nodes);
    sn_text_addf(p->text, "%-14s %zu samples in %zu panels of %d, a thread walks up to %zu at once\n", "batch",
                 plan->options.batch, plan->max_panels, SN_PANEL, sn_plan_group_panels(plan, threads));
    sn_text_addf(p->text, "%-14s %d\n", "segments", plan->n_segments);
    sn_text_addf(p->text, "%-14s %d batch (all samples), %d scratch (memory of a thread)\n", "buffers", n_batch,
                 plan->n_buffers - n_batch);
    sn_text_addf(p->text, "%-14s %d\n", "copies", plan->n_copies);
    sn_text_addf(p->text, "%-14s ", "arena");
    sn_memory_text(p->text, (double)sn_plan_bytes(plan, threads, real_size));
    sn_text_addf(p->text, " for %d thread%s, elements of %zu bytes\n", threads, threads == 1 ? "" : "s", real_size);
}

void sn_plan_text(const sn_plan *plan, int threads, size_t real_size, sn_text *text) {
    printer p = make_printer(plan, text);
    add_sizes(&p, threads, real_size);
    add_walk(&p);
    add_buffers(&p);
    add_work(&p);
}
