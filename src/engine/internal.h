/* What the files of the engine share; not for other rooms. */
#ifndef SN_ENGINE_INTERNAL_H
#define SN_ENGINE_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "engine/engine.h"
#include "engine/profile.h"
#include "engine/team.h"

enum { SN_EVALUATION_ROWS = 4096 }; /* samples of one pass of an evaluation, at most */

/* What one panel's walk left behind; the fault is that of the whole group and stands with its first panel. */
typedef struct sn_panel_result {
    sn_loss_sums loss;
    sn_fault fault;
} sn_panel_result;

/* What one work item left behind. */
typedef struct sn_item_result {
    sn_tensor_sums gradient;
    sn_sumsq weight;
    sn_change_sums change;
    sn_fault fault;
    double nonfinite; /* values of the gradient or the updated tile, counted where there is a fault */
} sn_item_result;

/* When a walk looks at the signal of a node. */
typedef enum sn_look_time { SN_BEHIND_FORWARD, SN_BEFORE_BACKWARD } sn_look_time;

/* A way of looking at a signal, a row of sn_looks (observe.c).  Every signal is looked at once that way, however many
 * columns of however many nodes tell of it, and every panel leaves something of its own. */
typedef struct sn_look {
    sn_look_time time;
    size_t (*size)(const sn_node *node); /* bytes that a panel leaves */

    /* Looks at the samples of one panel, behind `forward` by a call of it, else by one with dy; the call's lanes are
     * the samples.  `left` is written whole. */
    void (*take)(const sn_engine *engine, const sn_op_call *call, void *left);

    /* Writes what the panels left, in their order, into the sum of an observation; they may be changed. */
    void (*merge)(const sn_node *node, void *left, size_t n_panels, void *sum);
} sn_look;

extern const sn_look sn_looks[]; /* take NULL ends */

typedef struct sn_watch {
    int *gradient_of;     /* the node whose gradient this node's is, passed on unchanged in the same memory; itself */
    unsigned char **left; /* (looks, nodes) what the panels of a node leave, one after the other; NULL: nobody wants
                           * to know */
} sn_watch;

/* Which exponents an observation counts: places among the counts of a thread, -1: not. */
typedef struct sn_counting {
    int *of_value;    /* per node: its output is the input of a node with parameters */
    int *of_gradient; /* per node: it is the delta of a node with parameters */
    int *of_param;    /* per plan param: a weight, the first of SN_N_COUNTED_OF_WEIGHT places */
    int n;            /* of a thread; 0: nothing is counted */
} sn_counting;

/* Where a signal lies, ready for use: panel p at base of the place + offset + p * panel_bytes, its blocks `ld` elements
 * apart.  Panels count from the start of the batch, in scratch memory from that of the group. */
typedef struct sn_binding {
    sn_buffer_place place;
    size_t offset, panel_bytes, ld;
} sn_binding;

/* The blocks from those of panel `panel` on; `base` is that of the place. */
static inline sn_view sn_binding_view(const sn_binding *binding, unsigned char *base, size_t panel) {
    return (sn_view){base + binding->offset + panel * binding->panel_bytes, binding->ld};
}

/* What is new of an activation that goes on from another one (src/plan/chains.c). */
typedef struct sn_chain_link {
    sn_binding x; /* the new features; their gradient is bound as that of the input */
    size_t column, width;
} sn_chain_link;

/* What the calls of one node have in common: its entries in the engine's tables. */
typedef struct sn_node_binding {
    const sn_op_kernels *kernels; /* of the backend; NULL: the input */
    sn_binding y, dy;
    const sn_binding *x, *dx, *base; /* per input; dx and base where the flow wants them */
    const size_t *widths;            /* of the inputs */
    const sn_flow *flow;
    sn_ahead forward_ahead, backward_ahead; /* weights of the next node that has some; data NULL: none */
    const sn_chain_link *link;              /* NULL: all is new */
    bool is_apart;                          /* a concat that nothing is done for */
    int whole_by;  /* of such a one: the activation whose gradient is its own, before the slope */
    bool by_panel; /* `backward` leaves sums per panel: one call for each */
} sn_node_binding;

/* A thread's own memory. */
typedef struct sn_workspace {
    unsigned char *scratch;  /* plan->scratch_elements for every panel of a group */
    unsigned char *gradient; /* an item's gradient, and its weights and slots before the update: */
    unsigned char *old_weight, *old_slots[SN_MAX_SLOTS]; /* plan->max_item_elements each */
    sn_view *x, *dx, *base; /* per input of a node, as many as the node with most inputs has */
    double **partials;      /* per parameter of a node, likewise */
    double *totals;         /* plan->total_doubles: what the reductions of the step came to */
    sn_stripe stripe;
    unsigned char *observed; /* a panel of the widest node that is apart, as an observation wants it */
    sn_exponents *exponents; /* counting.n: of what this thread saw in an observed step */
} sn_workspace;

/* Buffers in the order of the times at which lifetimes begin, or end; used by guard.c, of checked builds. */
typedef struct sn_guard_order {
    int *buffers, *at; /* those of time t are buffers[at[t]] up to, not with, buffers[at[t + 1]] */
} sn_guard_order;

typedef enum sn_mode { SN_MODE_TRAIN, SN_MODE_EVALUATE } sn_mode;

struct sn_engine {
    const sn_graph *graph;
    const sn_backend *backend;
    const sn_loss_kernels *loss_kernels;
    const sn_form_kernels *kernels; /* of the update rule */
    sn_engine_options options;
    sn_plan plan;
    size_t real_size;
    sn_team *team;

    sn_arena batch, params, states, gradients, parts, partials, totals, scratch;
    sn_arena slots[SN_MAX_SLOTS]; /* state of the update rule, each as the params lie; empty where it keeps none */
    sn_workspace *workspaces;
    size_t group_panels;       /* panels that a thread walks at once, at most */
    bool by_openblas;          /* matrix products are OpenBLAS's */
    size_t lane_step;          /* lanes of the last panel are computed in such steps */
    bool looks_ahead;          /* what a step touches does not stay in the caches: ask for it before it is needed */
    sn_node_binding *bindings; /* per node */
    void **param_pointers;     /* per plan param */
    void **state_pointers;     /* per plan state */
    char **tensor_names, **state_names, **slot_names[SN_MAX_SLOTS];
    sn_pool pool;

    sn_guard_order begins, ends; /* of checked builds, with: */
    int *owners;                 /* per buffer, the node that a damaged guard is told by */
    bool *shares_memory; /* per buffer of the batch: others lie there at another time, so its guard is not kept */
    sn_watch watch;
    sn_counting counting;
    sn_profile *profile; /* NULL: times are not taken */
    sn_panel_result *panels;
    sn_item_result *items;

    /* The step under way; written by thread 0 while the others wait. */
    const sn_step *step;
    sn_mode mode;
    bool observes, diagnoses;
    sn_update_numbers numbers;  /* of parameters without a rate or a decay of their own */
    double batch_weight;        /* what the samples of the batch weigh together in the mean of the loss */
    double *outputs;            /* where predictions go; NULL: nowhere */
    atomic_size_t *next_walk;   /* per segment and thread that begins with the panels */
    atomic_size_t *next_tasks;  /* per phase and thread that begins with the groups of tasks */
    atomic_size_t *next_update; /* per thread that begins with the items */
    atomic_int *parts_left;     /* per item: parts of its gradient that are not done */
};

/* The lanes of some blocks of a signal as plain matrices: one of all blocks where a panel is whole, else one for each.
 */
typedef struct sn_matrices {
    sn_view first;
    size_t n, stride; /* elements from one to the next */
    size_t rows, cols;
} sn_matrices;

static inline sn_matrices sn_matrices_of(sn_view signal, size_t blocks, size_t width, size_t lanes) {
    if (lanes == SN_PANEL) return (sn_matrices){signal, 1, 0, blocks, width * SN_PANEL};
    return (sn_matrices){{signal.data, SN_PANEL}, blocks, signal.ld, width, lanes};
}

static inline sn_view sn_matrix(const sn_engine *engine, const sn_matrices *all, size_t k) {
    return (sn_view){(unsigned char *)all->first.data + k * all->stride * engine->real_size, all->first.ld};
}

/* bind.c: fills engine->bindings, from the plan. */
sn_status sn_bind(sn_engine *engine, sn_error *error);

/* bind.c: the blocks from those of panel `panel` on of a signal that lies in the memory of the batch. */
sn_view sn_batch_view(const sn_engine *engine, sn_slot slot, size_t panel);

/* bind.c: the input with a row per sample, from that of `sample` of the batch on. */
sn_view sn_by_sample(const sn_engine *engine, size_t sample);

/* Panels that are walked together: n, at most group_panels, from `first` on. */
typedef struct sn_panel_range {
    size_t first, n;
} sn_panel_range;

/* walk.c: the times `begin` up to, not with, `end` of the walk, over a group of panels, and their parts of the
 * reduction that time `end` needs. */
void sn_walk_group(sn_engine *engine, int thread, sn_panel_range group, int begin, int end);

/* walk.c: the call of node i in the backward pass, over all samples of the step under way, where all of its signals lie
 * in the memory of the batch; without partials and part.  `pass` is filled too: the call refers to it. */
void sn_walk_whole_call(sn_engine *engine, int i, sn_pass *pass, sn_op_call *call);

/* walk.c: merges the reduction that time `begin` needs, for one thread. */
void sn_walk_merge(sn_engine *engine, int thread, int begin);

/* walk.c: brings the states up to date after a step whose updates went well.  The first that is not finite then. */
sn_fault sn_walk_states(sn_engine *engine);

/* work.c: the gradients of a phase before the work, beside its walk; all threads together. */
void sn_work_gradients(sn_engine *engine, int thread, int phase);

/* work.c: the gradients that are left and all updates; all threads together. */
void sn_work_updates(sn_engine *engine, int thread);

/* What the panels of node i leave of that look. */
static inline unsigned char **sn_watch_left(const sn_engine *engine, const sn_look *look, int i) {
    return &engine->watch.left[(look - sn_looks) * engine->graph->n_nodes + i];
}

/* observe.c */
sn_status sn_watch_init(sn_engine *engine, sn_error *error);
void sn_observe_collect(sn_engine *engine, sn_observation *observation);

/* exponents.c: after sn_watch_init; sets a thread's counts to 0 where the step is observed; counts what an item has, by
 * x - minus (data NULL: x), where the step is observed; puts the counts of all threads together for the observation. */
sn_status sn_counting_init(sn_engine *engine, sn_error *error);
void sn_counting_begin(sn_engine *engine, int thread);
void sn_count_item(const sn_engine *engine, const sn_workspace *workspace, const sn_item *item, sn_counted what,
                   sn_view x, sn_view minus);
void sn_counting_collect(sn_engine *engine, sn_observation *observation);

/* engine.c: makes a step the one under way, with nothing done of it; what its walk came to. */
void sn_step_begin(sn_engine *engine, const sn_step *step, sn_mode mode);
void sn_step_collect(const sn_engine *engine, sn_step_result *result);

/* engine.c: values of the step that are not finite: 1 for the loss, and those of parameter gradients and updates. */
double sn_count_nonfinite(const sn_engine *engine);

/* weights.c: `n` reals of a dtype as doubles. */
void sn_doubles_from(double *to, sn_dtype dtype, const void *from, size_t n);

/* weights.c: sets all states to what they start from. */
void sn_engine_start_states(sn_engine *engine);

#endif
