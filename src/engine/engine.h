/* The engine: trains and evaluates one graph, in one precision, with a team of threads.
 *
 * Bits of weights and results depend on graph, weights, batches, the size of the largest batch (which the parts of
 * gradients along the batch follow) and the backend, never on the number of threads nor on what is observed.  Nothing
 * is allocated inside a step. */
#ifndef SN_ENGINE_ENGINE_H
#define SN_ENGINE_ENGINE_H

#include "base/error.h"
#include "base/exponents.h"
#include "base/safetensors.h"
#include "base/sums.h"
#include "data/data.h"
#include "network/graph.h"
#include "ops/backend.h"
#include "ops/optimizer.h"
#include "plan/plan.h"

typedef struct sn_engine sn_engine;

/* Who computes matrix products: the path says (BY_PATH: the own kernel where a multiply-add is one rounding, OpenBLAS
 * on the generic path), or the config. */
typedef enum sn_products { SN_PRODUCTS_BY_PATH, SN_PRODUCTS_OWN, SN_PRODUCTS_OPENBLAS } sn_products;

static inline bool sn_uses_openblas(sn_products products, const sn_backend *backend) {
    return products == SN_PRODUCTS_OPENBLAS || (products == SN_PRODUCTS_BY_PATH && !backend->has_fma);
}

typedef struct sn_engine_options {
    size_t batch; /* samples of the largest batch */
    int threads;
    sn_objective objective; /* what it points to must outlive the engine */
    uint64_t seed;          /* of what ops draw: the masks of dropout */
    sn_update_rule rule;    /* optimizer NULL: plain gradient descent */
    double clip_norm;       /* 0: no clipping */
    sn_products products;   /* who computes the matrix products */
    bool is_reference;      /* the unfused walk, for comparison */
    bool keeps_gradients;   /* for sn_engine_gradient */
    bool counts_exponents;  /* in observed steps: see sn_node_sums */
    int cut_every;          /* see sn_plan_options */
} sn_engine_options;

/* The plan that sn_engine_new would make, for `check`. */
void sn_engine_plan_options(sn_plan_options *plan, const sn_engine_options *options);

/* Plans, takes memory (the graph must outlive the engine) and starts the threads.  Weights are zero.  SN_FAILED where
 * memory or threads are not to be had. */
sn_status sn_engine_new(sn_engine **engine, const sn_graph *graph, const sn_backend *backend,
                        const sn_engine_options *options, sn_error *error);
void sn_engine_free(sn_engine *engine);

const sn_plan *sn_engine_plan(const sn_engine *engine);

/* Weights (weights.c). */

/* Draws the initial weights of every parameter, see sn_init_fill; states become what they start from. */
sn_status sn_engine_init_weights(sn_engine *engine, uint64_t seed, sn_error *error);

/* Takes all weights and states from a safetensors file: every tensor of the network must be there with its shape and a
 * dtype of float (rounded where the precision differs), and no other but LABEL.num_batches_tracked, which PyTorch
 * writes beside running averages.  SN_INVALID names the tensors; what the engine holds then means nothing. */
sn_status sn_engine_load_weights(sn_engine *engine, const char *path, sn_error *error);

/* Writes all weights and states. */
sn_status sn_engine_save_weights(const sn_engine *engine, const char *path, sn_error *error);

/* Number of parameter tensors, and tensor `i` in topological order (name "LABEL.weight", data inside the engine; the
 * name is valid as long as the engine). */
size_t sn_engine_tensor_count(const sn_engine *engine);
void sn_engine_tensor(const sn_engine *engine, size_t i, sn_tensor *tensor);

/* Sets tensor `i` from doubles (count elements). */
void sn_engine_set_tensor(sn_engine *engine, size_t i, const double *values);

/* The same for states: tensors that are not trained, such as "LABEL.running_mean".  They are part of the files and of
 * the hash, after all parameters. */
size_t sn_engine_state_count(const sn_engine *engine);
void sn_engine_state(const sn_engine *engine, size_t i, sn_tensor *tensor);
void sn_engine_set_state(sn_engine *engine, size_t i, const double *values);

/* The gradient of tensor `i` in the last step; needs keeps_gradients. */
const void *sn_engine_gradient(const sn_engine *engine, size_t i);

/* Hash of all weights, in the order of the tensors, and of all states. */
uint64_t sn_engine_weights_hash(const sn_engine *engine);

/* Snapshots (snapshot.c). */

/* All that later steps depend on, besides their batches and numbers: weights, states, and what the update rule keeps of
 * every parameter ("LABEL.weight.exp_avg").  How many tensors that are, and the tensors, whose data lie
 * in the engine. */
size_t sn_engine_snapshot_count(const sn_engine *engine);
void sn_engine_snapshot(const sn_engine *engine, sn_tensor *tensors);

/* Takes all of them from a file, bit by bit; other tensors in it are no concern.  SN_INVALID where one is missing or
 * has another shape or dtype; what the engine holds then means nothing. */
sn_status sn_engine_restore(sn_engine *engine, const sn_safetensors *file, const char *path, sn_error *error);

/* Steps. */

typedef struct sn_batch {
    const sn_dataset *dataset;
    const sn_samples *samples; /* a split of the dataset */
    const uint32_t *indices;   /* (rows) */
    size_t rows;               /* samples, 1 .. options.batch */
} sn_batch;

typedef enum sn_fault_kind {
    SN_FAULT_NONE,
    SN_FAULT_ACTIVATION, /* the output of `node` */
    SN_FAULT_LOSS,
    SN_FAULT_SIGNAL_GRADIENT, /* the gradient by the output of `node` */
    SN_FAULT_PARAM_GRADIENT,  /* the gradient by parameter `param` of `node` */
    SN_FAULT_PARAM,           /* parameter `param` of `node` after its update */
    SN_FAULT_STATE,           /* state `param` of `node` after its update */
} sn_fault_kind;

/* Where the first non-finite value stood: activations in forward order, else gradients in backward order. */
typedef struct sn_fault {
    sn_fault_kind kind;
    int node, param;
} sn_fault;

/* Writes "the gradient by the output of hidden3" or the like. */
enum { SN_FAULT_TEXT = 256 };
const char *sn_fault_text(const sn_fault *fault, const sn_graph *graph, char out[SN_FAULT_TEXT]);

/* The tensors of a node whose exponents are counted: the first three of the weight (sn_param_kind), and signals. */
typedef enum sn_counted {
    SN_COUNTED_WEIGHT, /* before the update */
    SN_COUNTED_GRAD,   /* before clipping, without decay */
    SN_COUNTED_UPDATE, /* the real change; nothing is counted where nothing was updated */
    SN_COUNTED_DELTA,  /* the gradient by z, of the batch-mean loss */
    SN_COUNTED_IN,     /* x */
    SN_N_COUNTED
} sn_counted;
enum { SN_N_COUNTED_OF_WEIGHT = SN_COUNTED_UPDATE + 1 };

/* Units of a signal, its features, and those of them that were silent: their op gave them the same value for every
 * sample and position of the batch, because all of these lay on the side where it is flat (see sn_op_kernels). */
typedef struct sn_unit_sums {
    double n, silent;
} sn_unit_sums;

/* What one step measured of one node with parameters. */
typedef struct sn_node_sums {
    int node;
    sn_tensor_sums gradient;                      /* of the weight (sn_param_kind), before clipping, without decay */
    sn_sumsq weight;                              /* squares of the weight, before the update */
    sn_tensor_sums bias_gradient;                 /* of the bias; n == 0 where there is none */
    sn_change_sums change;                        /* of the weight; n == 0 where nothing was updated */
    sn_signal_sums output, delta, carried, input; /* z; gradients by z and at carried_at (batch-mean loss); x */
    double saturated;   /* saturated elements of the input; < 0 where the input is no activation */
    sn_unit_sums units; /* of the input; n == 0 where that has no silent side */
    const sn_exponents *exponents[SN_N_COUNTED]; /* in the engine, until its next step; NULL where they are not counted,
                                                  * and of a weight that is not there */
} sn_node_sums;

/* All that an observed step measured; made by sn_observation_new for one graph, filled by sn_engine_step. */
typedef struct sn_observation {
    sn_node_sums *nodes; /* nodes with parameters, in topological order */
    int n_nodes;
    size_t rows;       /* of the batch: gradients times rows are those of a sample's own loss */
    sn_sumsq gradient; /* over all parameters */
    sn_change_sums change;
    double nonfinite; /* values among loss, parameter gradients and updated parameters */
} sn_observation;

sn_status sn_observation_new(sn_observation *observation, const sn_graph *graph, sn_error *error);
void sn_observation_reset(sn_observation *observation);

typedef struct sn_step {
    sn_batch batch;
    sn_augment augment; /* of images; zero: samples are taken as they are */
    uint64_t number;    /* updates already applied: random numbers of the pass are functions of it */
    double lr;
    bool applies;                /* false: measure only, weights and states stay */
    bool only_loss;              /* forward and loss as in training and no more: the last step's gradients stay */
    sn_observation *observation; /* NULL: not observed */
    sn_observation *on_fault;    /* filled when an unobserved step meets a fault in its signals; may be NULL */
} sn_step;

typedef struct sn_step_result {
    double loss;     /* mean over the batch, by the weights of classes where there are some; 0 where these are all 0 */
    double accuracy; /* NAN for targets */
    sn_fault fault;
    double nonfinite; /* values among loss, parameter gradients and updated parameters */
} sn_step_result;

/* One training step.  SN_DIVERGED: a non-finite value appeared; result->fault names the first.  Found in signals, the
 * weights are untouched and the observation (or on_fault) is complete; found in a parameter gradient or an updated
 * parameter, other parameters have been updated (with clip_norm and a gradient: none) and the observation, where there
 * is one, tells what happened; found in a state, all have been updated. */
sn_status sn_engine_step(sn_engine *engine, const sn_step *step, sn_step_result *result);

/* Mean loss (see sn_step_result) and accuracy over `n` samples of a split, in order, from sample 0: without dropout, by
 * running averages. */
void sn_engine_evaluate(sn_engine *engine, const sn_dataset *dataset, const sn_samples *samples, size_t n,
                        sn_step_result *result);

/* The outputs of a batch: (rows, out_dim), doubles. */
void sn_engine_predict(sn_engine *engine, const sn_batch *batch, double *outputs);

#endif
