/* The plan of a training step: where every signal lives, what flows where, and which work items there are.
 *
 * A step is a walk over panels (forward, loss, backward; each thread takes whole panels), a barrier, then work items
 * over the whole batch (parameter gradients and updates).  Times order the walk: the input is gathered at 0, forward of
 * node i comes at i, the loss at n, backward of node i at 2n - i, the items at 2n + 1, for a graph of n nodes.  The
 * walk is cut into segments where all threads have to wait for each other: a reduction over the whole batch ends one.
 *
 * Phases are what lies between two barriers: phase s is the walk of segment s, the last one the work.  The gradient of
 * a parameter is done as soon as all threads know the gradient by its node's output: in the phase after the segment in
 * which that was completed, beside the walk of the next one, so that the signals it reads need not live to the end of
 * the step.  It is kept then until the work, where all updates are made, since a fault in the rest of the walk has to
 * leave the weights as they were.  In a walk of one segment every gradient is done in the work, and its update at once.
 *
 * Such a reduction is part of the times of its op: at the end of a segment every panel leaves its part of the sums that
 * the first time of the next segment needs.  Evaluations have no reductions and walk a panel without stopping.
 *
 * A buffer that nothing reads after its panel's segment lives in scratch memory of the thread; one that a work item, a
 * later segment or the other direction reads has room for every sample of the batch.  Tiles of parameters depend on
 * their shapes only, so nothing in a plan depends on the number of threads. */
#ifndef SN_PLAN_PLAN_H
#define SN_PLAN_PLAN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/panel.h"
#include "network/graph.h"

/* Elements (of a real or a double) that stay free before the first and behind every slice of an arena: in checked
 * builds they hold a pattern that nothing may overwrite, see guard.h. */
#ifdef SN_CHECKED
enum { SN_GUARD = 16 };
#else
enum { SN_GUARD = 0 };
#endif

/* The elements from the begin of a slice of `count` to the begin of the next one: whole lines of the cache whatever an
 * element is (16 elements are 64 bytes of floats), so that no two slices share one, and the guard. */
static inline size_t sn_slice_room(size_t count) {
    return sn_round_up(count, SN_ALIGNMENT / sizeof(float)) + SN_GUARD;
}

typedef enum sn_buffer_place { SN_PLACE_BATCH, SN_PLACE_SCRATCH } sn_buffer_place;

/* A signal's place: columns of a buffer. */
typedef struct sn_slot {
    int buffer; /* -1: none */
    size_t column;
} sn_slot;

typedef struct sn_buffer {
    size_t width;     /* features */
    size_t positions; /* blocks of a panel */
    sn_buffer_place place;
    size_t offset;   /* elements from the start of its region */
    int first, last; /* times of its first write and last use */
} sn_buffer;

/* Elements of one panel. */
static inline size_t sn_buffer_panel(const sn_buffer *buffer) {
    return buffer->positions * buffer->width * SN_PANEL;
}

/* One input of one node in the backward pass. */
typedef struct sn_edge {
    sn_flow flow;
    sn_slot base; /* where flow is SN_FLOW_ADD */
} sn_edge;

typedef struct sn_plan_param {
    int node, index; /* graph->nodes[node].params[index] */
    size_t offset;   /* elements, in the regions of weights and slots, and in that of gradients where all stay */
    size_t partial;  /* doubles from the start of a panel's partials */
    int first_item, n_items;
} sn_plan_param;

/* A state tensor: graph->nodes[node].states[index]. */
typedef struct sn_plan_state {
    int node, index;
    size_t offset; /* elements, in the region of states */
} sn_plan_state;

/* Where the parts of a node's reductions lie, in doubles from the start of a panel's partials, and the totals, in
 * doubles from the start of a thread's totals. */
typedef struct sn_plan_reduction {
    size_t part, total;
} sn_plan_reduction;

typedef struct sn_item {
    int param; /* index into sn_plan.params */
    size_t row, col, rows, cols;
    int phase;     /* in which its gradient is done */
    size_t kept;   /* elements, in the region of gradients, where its gradient waits for the update in a later phase,
                    * the rows without gaps; of no meaning elsewhere */
    int n_parts;   /* of the batch, of which the gradient is taken one by one; 1: all at once */
    size_t parts;  /* elements, in the region of parts; part k behind part k - 1 */
    int companion; /* the item that is done right after this one, by the same thread, since it reads the same
                    * gradient: the bias of the same outputs; -1: none */
    bool is_companion; /* it is done after another one */
} sn_item;

/* A part of the gradient of an item, and of its companion. */
typedef struct sn_task {
    int item, part;
} sn_task;

/* Tasks that read the same stripe of a signal: one thread does them, one after the other, and brings the stripe once.
 */
typedef struct sn_task_group {
    int first, n; /* tasks */
} sn_task_group;

typedef struct sn_plan_options {
    size_t batch;         /* samples of the largest batch */
    bool is_reference;    /* every signal in a buffer of its own, every gradient copied, every panel walked alone: the
                           * unfused walk */
    int n_slots;          /* that the update rule keeps for every element of a parameter */
    bool keeps_gradients; /* all parameter gradients stay until the end of the step (clip_norm, tests) */
    int cut_every;        /* ends a segment after so many times of the walk, for tests; 0: nowhere within the walk */
} sn_plan_options;

typedef struct sn_plan {
    const sn_graph *graph;
    sn_plan_options options;
    bool has_images;   /* a signal has positions */
    size_t max_panels; /* of the largest batch */
    int *grows;        /* per node: the activation whose features this one goes on from, see chains.c; -1: none */
    bool *is_apart;    /* per node: a concat whose value and gradient nobody needs whole: nothing is done for it */
    sn_slot *value, *gradient; /* per node; of a node that is apart there may be none */
    int *first_edge;           /* per node, into edges */
    sn_edge *edges;
    sn_buffer *buffers;
    int n_buffers;
    sn_plan_param *params;
    int n_params;
    int *first_param; /* per node, into params */
    sn_plan_state *states;
    int n_states;
    int *first_state;                                /* per node, into states */
    sn_plan_reduction *forward_sums, *backward_sums; /* per node; of no meaning where the op has no such reduction */
    sn_item *items;
    int n_items;
    sn_task *tasks;        /* gradients, group after group */
    sn_task_group *groups; /* those of phase p from first_group[p] up to first_group[p + 1], most work first */
    int *first_group;      /* per phase, and the end */
    int *updates; /* the items that are nobody's companion, those with most work first: all, and behind them again */
    int n_updates, n_late;                   /* those whose gradient is done before the work */
    size_t batch_elements, scratch_elements; /* the two regions; scratch per thread and panel */
    size_t by_sample; /* elements, in the region of the batch: the input with a row per sample, as it is gathered and as
                       * the gradient of the first weights reads it */
    size_t param_elements, state_elements, gradient_elements, part_elements, max_item_elements;
    size_t stripe_elements;                /* of a thread's stripe */
    size_t partial_doubles, total_doubles; /* per panel; per thread */
    int *segment_ends; /* times: segment s is the walk from the end of the one before up to, not with, its own end */
    int n_segments;
    int n_copies; /* concat inputs that have to be copied */
} sn_plan;

sn_status sn_plan_build(sn_plan *plan, const sn_graph *graph, const sn_plan_options *options, sn_error *error);
void sn_plan_reset(sn_plan *plan);

/* Elements that a thread has for work items: a tile's gradient, its weights and slots before the update, a stripe. */
size_t sn_plan_item_elements(const sn_plan *plan);

/* Bytes of the arenas that an engine with this plan takes for `threads` threads and elements of `real_size` bytes. */
size_t sn_plan_bytes(const sn_plan *plan, int threads, size_t real_size);

/* Panels that each of `threads` threads walks at once: its share of the batch, up to 128 samples, so that weights come
 * from memory once for all of them; of images one, which have blocks enough.  No bit depends on it. */
size_t sn_plan_group_panels(const sn_plan *plan, int threads);

/* The segment that time `time` of the walk is in; the work counts as a segment of its own, behind the last one. */
int sn_plan_phase(const sn_plan *plan, int time);

/* Elements that a buffer takes in its place, guards included; in scratch for one panel. */
size_t sn_buffer_room(const sn_plan *plan, const sn_buffer *buffer);

/* The phase in which the gradient of a parameter of node i is done, of route SN_FROM_BATCH: that after the segment in
 * which the gradient by the node's output is complete.  Sums of tiles lie in memory of their own: those of other routes
 * are put together in the work. */
int sn_plan_gradient_phase(const sn_plan *plan, int i);

/* Elements from the begin of one part of an item's gradient to that of the next. */
static inline size_t sn_part_stride(const sn_item *item) {
    return sn_slice_room(item->rows * item->cols);
}

/* Samples of part `part` of `n_parts` of a batch of `rows`, whole panels but for the last: from *begin on; 0 where
 * there are fewer panels. */
size_t sn_part_samples(size_t rows, int part, int n_parts, size_t *begin);

/* Steps of sn_plan_build, in this order; each allocates what it fills. */
sn_status sn_plan_chains(sn_plan *plan, sn_error *error);   /* grows, is_apart */
sn_status sn_plan_slots(sn_plan *plan, sn_error *error);    /* value, gradient, buffers: who shares with whom */
sn_status sn_plan_flows(sn_plan *plan, sn_error *error);    /* edges */
sn_status sn_plan_segments(sn_plan *plan, sn_error *error); /* where all threads wait for each other */
sn_status sn_plan_memory(sn_plan *plan, sn_error *error);   /* lifetimes, places, offsets */
sn_status sn_plan_sums(sn_plan *plan, sn_error *error);     /* forward_sums, backward_sums, states */
sn_status sn_plan_work(sn_plan *plan, sn_error *error);     /* params, items */

/* The node whose reduction has to be complete before time `time`, NULL if there is none: what was left at the end of
 * the segment before is merged there. */
const sn_node *sn_plan_reduces_at(const sn_plan *plan, int time);

/* The node whose value node i reads as its input k, and whose gradient it gives: the input, or of an activation that
 * goes on from another one the new features alone. */
int sn_plan_source(const sn_plan *plan, int i, int k);

/* The activation of a node that is apart: its gradient, times the slope, is the node's; -1: the node is not apart. */
int sn_plan_whole_by(const sn_plan *plan, int i);

/* Whether the slot of input k of node i is the node's own, or for a concat the columns of it that are the input's, so
 * that nothing has to be copied.  `slots` are plan->value or plan->gradient. */
bool sn_plan_is_view(const sn_plan *plan, const sn_slot *slots, int i, int k);

/* Times. */
static inline int sn_time_loss(const sn_plan *plan) {
    return plan->graph->n_nodes;
}
static inline int sn_time_backward(const sn_plan *plan, int node) {
    return 2 * plan->graph->n_nodes - node;
}
/* The first time that is not of the walk any more. */
static inline int sn_time_walk_end(const sn_plan *plan) {
    return 2 * plan->graph->n_nodes;
}
static inline int sn_time_work(const sn_plan *plan) {
    return 2 * plan->graph->n_nodes + 1;
}

#endif
