/* The interface that an op fulfils, free of precision: what a node is, what an op says about it, how it is called.
 *
 * A signal is a matrix of (samples x positions, features): a row for each position of each sample, positions of an
 * image in the order height, width; a vector has one position.  In memory it lies in panels, samples innermost: see
 * base/panel.h.  The blocks of a call count positions, so an op that works sample by sample or element by element
 * serves vectors and images alike.  `dx` stands for the gradient of the loss by x. */
#ifndef SN_NETWORK_OP_H
#define SN_NETWORK_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/panel.h"
#include "base/pool.h"
#include "base/shape.h"
#include "base/view.h"
#include "config/config.h"

/* How the gradient of a parameter comes about. */
typedef enum sn_route {
    SN_FROM_BATCH,     /* by `param_gradient` over the batch, or parts of it, tile of the tensor by tile: see plan.h */
    SN_FROM_PARTIALS,  /* `backward` leaves one partial sum per panel; they are added in the order of the panels */
    SN_FROM_REDUCTION, /* likewise, but the parts are those of the op's backward reduction, parameter after parameter */
} sn_route;

/* What the statistics of a node take a parameter for. */
typedef enum sn_param_kind {
    SN_PARAM_OTHER,
    SN_PARAM_WEIGHT, /* the one that the weight columns of gradients.csv describe; every op with parameters has
                              one */
    SN_PARAM_BIAS,   /* the one of the bias columns */
} sn_param_kind;

typedef struct sn_param {
    const char *name; /* "weight", "bias" */
    sn_param_kind kind;
    int rank;
    int64_t dim[4];
    size_t count;      /* elements */
    size_t rows, cols; /* the tensor as a matrix, rows * cols == count */
    size_t unit;       /* columns that belong together, the taps of a feature: tiles are cut between them */
    sn_route route;
    bool decays;      /* weight decay acts on it even where it acts on matrices only */
    bool is_held;     /* the config has it stay as it is: its gradient is measured, and no update moves it */
    double lr_factor; /* of the learning rate */
    bool in_parts;    /* SN_FROM_BATCH: its gradient is taken in parts along the batch, which are merged in their order:
                       * a small tensor of a signal with many positions would leave all threads but one waiting */
    const sn_value *init; /* resolved {"kind": ..., ...}; NULL: every element is `start` */
    double start;
    int64_t fan_in, fan_out;
} sn_param;

typedef enum sn_role {
    SN_ROLE_NONE, /* no parameters */
    SN_ROLE_HIDDEN,
    SN_ROLE_OUTPUT,
    SN_ROLE_GATE,
    SN_ROLE_PROJECTION,
    SN_ROLE_NORM,
    SN_ROLE_SCALE,
} sn_role;

const char *sn_role_name(sn_role role);

struct sn_op;

/* One node of the graph.  Node 0 is the network's input and has no op. */
typedef struct sn_node {
    const struct sn_op *op;
    const char *label;
    const sn_config *origin; /* the config that `config` is part of, for errors */
    const sn_value *config;  /* the resolved layer entry */
    int n_inputs;
    int *inputs; /* node numbers, each smaller than the node's own */
    sn_shape shape;
    size_t positions, width; /* of the shape: rows of one sample, features of a row */
    int n_params;
    sn_param *params; /* room for the op's most_params, likewise */
    int n_states;
    sn_param *states; /* tensors that belong to the weights but are not trained: running averages */
    void *attributes; /* the op's own record, made by `build` */
    int n_readers;
    int *readers;        /* nodes that read this one, ascending, one entry per edge */
    bool needs_gradient; /* this node or one before it has parameters */
    bool ends_backward;  /* it has parameters, and none of its inputs needs a gradient */
    sn_role role;
    int layer;      /* number of the weight layer, 1 = nearest the input; see roles.c */
    int carried_at; /* the node whose gradient is out_grad of this node; see roles.c */
} sn_node;

/* What to do with the gradient of an input. */
typedef enum sn_flow {
    SN_FLOW_NONE,  /* nothing: it is not wanted, or it is a view of the output's gradient */
    SN_FLOW_WRITE, /* dx = contribution */
    SN_FLOW_ADD,   /* dx = base + contribution, where base is dx itself or another matrix */
} sn_flow;

/* The pass that a call is part of.  Random numbers are drawn as functions of these values, so they depend neither on
 * tiles nor on threads, and are drawn again in the backward pass. */
typedef struct sn_pass {
    bool is_training; /* false: evaluation and predictions */
    size_t batch;     /* samples of the whole batch */
    uint64_t seed, step;
    const uint32_t *samples; /* those of the call, as numbers in their split */
} sn_pass;

/* One call of an op over some panels.  Arrays have one entry per input.  Of a view `data` is the first block. */
typedef struct sn_op_call {
    const sn_node *node;
    const sn_pass *pass;
    size_t samples;       /* from the first lane of the first panel on; the last panel may have idle lanes */
    size_t blocks;        /* of the output: panels times the node's positions */
    size_t lanes;         /* of every panel that are to be computed: SN_PANEL, or fewer in a call of the last panel */
    size_t width;         /* features of the output that are to be computed: the node's, or see sn_plan.grows */
    const size_t *widths; /* of the inputs */
    const sn_view *x;
    sn_view y;
    sn_view dy;
    const sn_view *dx;
    const sn_view *base;
    const sn_flow *flow;
    void *const *params;     /* parameter tensors */
    void *const *states;     /* state tensors */
    double *const *partials; /* per parameter: where this panel's part of its gradient goes (SN_FROM_PARTIALS) */
    double *part;            /* where this panel's part of a reduction goes */
    const double *forward_total, *backward_total; /* what the reductions came to, where they are done */
    bool *is_finite;                              /* forward of an op that checks_output: whether all of y is finite */
    const sn_ahead *ahead;                        /* one (data NULL: nothing), or NULL */
    bool by_openblas;                             /* matrix products are OpenBLAS's */
} sn_op_call;

/* The product of a node's Jacobian by its inputs with tangents of these, at the values of a training pass: what
 * analyses ask for, no step does.  It is taken over the whole batch at once. */
typedef struct sn_push_call {
    const sn_op_call *at; /* a backward call over all samples, with room of its own in partials and part */
    const sn_view *tx;    /* per input: a signal of its shape, idle lanes 0 */
    sn_view ty;           /* written: the sum over the inputs of (dy / dx_k) tx_k */
} sn_push_call;

/* The parts of all panels, to be merged in their order. */
typedef struct sn_merge_call {
    const sn_node *node;
    size_t rows, part_rows; /* samples times positions: of the batch; of a part (the last one may be short) */
    const double *parts;    /* part p at parts + p * stride */
    size_t stride;
    double *total;
} sn_merge_call;

/* A reduction over the whole batch that an op needs before its forward or its backward pass, in training: a kernel
 * leaves the sums of a panel, all threads wait for each other, another puts the parts together.  Every thread merges
 * for itself.  Sizes are doubles per feature of the node; 0: there is no reduction. */
typedef struct sn_reduction {
    size_t part_size, total_size;
} sn_reduction;

typedef struct sn_reduction_kernels {
    void (*part)(const sn_op_call *call);
    void (*merge)(const sn_merge_call *call);
} sn_reduction_kernels;

/* The gradient of a tile of a parameter over `samples` samples: the whole batch, or a part of it (in_parts). */
typedef struct sn_gradient_call {
    const sn_node *node;
    int param;
    size_t samples;              /* whole panels, but for the last one */
    sn_view x;                   /* signals, from the first of these samples on: input 0, */
    sn_view dy;                  /* and the gradient of the output */
    sn_view by_sample;           /* the same as x with a row per sample, where it is the network's input; data NULL */
    size_t row, col, rows, cols; /* the tile of the tensor */
    sn_view gradient;            /* (rows, cols), written */
    sn_stripe *stripe;           /* room of the thread's */
    const sn_ahead *ahead;       /* SN_MAX_AHEAD, or NULL */
    bool by_openblas;            /* matrix products are OpenBLAS's */
} sn_gradient_call;

typedef enum sn_join { SN_JOIN_NONE, SN_JOIN_ADD, SN_JOIN_CONCAT, SN_JOIN_GATE } sn_join;

enum { SN_READS_X = 1, SN_READS_Y = 2 };

/* A row of the table of ops: what a user may write and what the planner has to know, compiled once. */
typedef struct sn_op {
    sn_kind kind; /* name, help, keys, formula, source */
    int min_inputs, max_inputs;
    int most_params, most_states; /* that `build` adds to a node */
    sn_join join;
    bool is_activation;
    sn_role role;            /* of nodes with parameters: hidden for weights; refined by roles.c */
    bool reads_image;        /* it looks at height and width: with such an op in the graph, images stay images */
    unsigned backward_reads; /* SN_READS_X, SN_READS_Y: what `backward` looks at besides dy */
    bool checks_output;      /* `forward` sets *is_finite, as ops that can overflow should; for others with parameters
                              * the walk looks itself */

    /* Reads node->config, checks the shapes of the inputs, sets shape, params and attributes (from `pool`). */
    sn_status (*build)(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error);

    /* Floating-point operations of the matrix product of the forward pass per sample (a multiply-add is two); NULL: the
     * op has none. */
    double (*flops)(const sn_node *node);

    /* Elements that `param_gradient` needs of sn_gradient_call.stripe for a tile of `rows` x `cols`; NULL: a stripe. */
    size_t (*gradient_room)(const sn_node *node, size_t rows, size_t cols);

    /* d output / d input `k` where that is one constant times the identity, else 0; NULL: 0 for every input. */
    double (*pass_factor)(const sn_node *node, int k);

    /* The part of the backward reduction may look at the total of the forward one. */
    sn_reduction forward_reduction, backward_reduction;
} sn_op;

/* The functions of an op, compiled once per precision and instruction set. */
typedef struct sn_op_kernels {
    void (*forward)(const sn_op_call *call);
    void (*backward)(const sn_op_call *call);
    sn_reduction_kernels forward_reduction, backward_reduction;

    /* What `backward` is the transpose of: <u, push(v)> = <backward(u), v> but for rounding.  Every op has it. */
    void (*push)(const sn_push_call *call);

    /* Brings the states up to date after a step that was applied, from the total of the forward reduction over the
     * call's `samples`, the whole batch (node, samples, states and that total are all it gets); NULL: the op has no
     * states. */
    void (*update_states)(const sn_op_call *call);

    /* Parameters of route SN_FROM_BATCH; NULL where there are none.  Returns whether all of the tile is finite. */
    bool (*param_gradient)(const sn_gradient_call *call);

    /* Activations: how many elements of the call are saturated, |phi'| < 0.05 max |phi'| (relu kinds: on the flat
     * side). */
    size_t (*saturated)(const sn_op_call *call);

    /* Activations with a side on which y is one value and its slope exactly 0 (relu): sets awake[c] of every feature c
     * of which an element of the call is not on that side, and leaves the others.  NULL: there is no such side. */
    void (*wake)(const sn_op_call *call, unsigned char *awake);
} sn_op_kernels;

/* The choices of ops for the key tables.  They are defined by src/ops/table.c: the rows themselves belong to src/ops.
 */
extern const sn_choice sn_op_choice;         /* an entry of a layer list */
extern const sn_choice sn_activation_choice; /* the key "activation" of a family */

/* The op of that name in a NULL-terminated table; NULL if there is none. */
const sn_op *sn_op_find(const sn_op *const *ops, const char *name);

/* How a convolution is computed: words of the key "conv" of an op and of a family. */
extern const char *const sn_conv_words[];
#define SN_CONV_HELP "direct sums the products of every window; auto is direct"

/* Helpers for `build`. */

/* Adds a fault at the node's config entry: "...: LABEL: message". */
sn_status sn_node_fault(const sn_node *node, sn_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets the node's shape (and positions and width). */
void sn_node_set_shape(sn_node *node, const sn_shape *shape);

/* Adds a parameter of `rows` x `cols` (rank 1 where rows is 0: a vector of `cols`); at most op->most_params. */
sn_param *sn_node_add_param(sn_node *node, const char *name, size_t rows, size_t cols, const sn_value *init);

/* Adds a state, a vector of `n`, every element `start`; at most op->most_states. */
void sn_node_add_state(sn_node *node, const char *name, size_t n, double start);

/* The number of the parameter of that kind, -1: none. */
int sn_node_param(const sn_node *node, sn_param_kind kind);

#endif
