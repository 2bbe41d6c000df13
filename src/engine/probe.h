/* A door to every value: the value and the gradient of any node, a cotangent put in at any node, products with the
 * Jacobian of one node, Hessian-vector products; and walks that pass nodes over.  For analyses and tests, not for
 * speed: a probe walks unfused on one thread and keeps every signal.
 *
 * All numbers that go in and out are doubles.  A signal is (samples x positions, features) of the node, rows of the
 * last batch: sn_probe_size elements.  In double precision nothing is rounded on the way.
 *
 * A probe of an engine's graph and weights has that engine's values and gradients: to the bit on a backend with
 * products of its own, but for the order in which the gradients of several readers are added. */
#ifndef SN_ENGINE_PROBE_H
#define SN_ENGINE_PROBE_H

#include "engine/engine.h"

typedef struct sn_probe sn_probe;

typedef struct sn_probe_options {
    size_t batch; /* samples of the largest batch */
    sn_objective objective;
    uint64_t seed; /* of what ops draw, as in sn_engine_options */
} sn_probe_options;

/* Takes memory for all signals and gradients; the graph must outlive the probe.  Weights are zero.  SN_FAILED where
 * memory is not to be had. */
sn_status sn_probe_new(sn_probe **probe, const sn_graph *graph, const sn_backend *backend,
                       const sn_probe_options *options, sn_error *error);
void sn_probe_free(sn_probe *probe);

/* The probe's own engine, for its weights: to read, draw, load and set them, by name or number.  It takes no steps. */
sn_engine *sn_probe_engine(sn_probe *probe);

/* Takes weights and states from an engine of the same network, rounded where its precision differs. */
sn_status sn_probe_take_weights(sn_probe *probe, const sn_engine *from, sn_error *error);

/* Doubles of the signal of a node in the last run. */
size_t sn_probe_size(const sn_probe *probe, int node);

/* Forward, loss and backward as in a training step of that number, whose dropout it draws; states stay.  SN_DIVERGED
 * where a value is not finite: result->fault names the first.  What the batch points to has to stay as long as the
 * probe is asked about the run. */
sn_status sn_probe_run(sn_probe *probe, const sn_batch *batch, uint64_t number, sn_step_result *result);

/* Forward and loss as in an evaluation: there are values, and all that follows below is NAN. */
void sn_probe_evaluate(sn_probe *probe, const sn_batch *batch, sn_step_result *result);

/* The value of a node; node 0 is the input, scaled. */
void sn_probe_value(const sn_probe *probe, int node, double *value);

/* The gradient by the output of a node, that of the input too: of the batch's mean loss after a run, of what was put in
 * after sn_probe_backward_from. */
void sn_probe_gradient(const sn_probe *probe, int node, double *gradient);

/* Likewise by tensor `i` of the weights. */
void sn_probe_weight_gradient(sn_probe *probe, size_t i, double *gradient);

/* Puts `cotangent` in as the gradient by the output of `node` and walks back from there, with the values of the last
 * run: gradients are J^T cotangent then, J the Jacobian of the node's value; by nodes behind it, or beside it, 0. */
void sn_probe_backward_from(sn_probe *probe, int node, const double *cotangent);

/* Pull: dx[k] = (dy / dx_k)^T u for every input k of one node (not 0) at the values of the last run; dx[k] NULL: not
 * wanted.  The Jacobian is that of the whole batch: rows that a batch_norm ties together are tied together. */
void sn_probe_pull(sn_probe *probe, int node, const double *u, double *const *dx);

/* Push: ty = sum over the inputs of (dy / dx_k) v[k]; v[k] NULL: zero. */
void sn_probe_push(sn_probe *probe, int node, const double *const *v, double *ty);

/* From the next run on the node hands its input `k` on unchanged, in all that a probe does: a join keeps one input, a
 * node of one input is left out.  Its weights have gradient 0.  k == -1: it is itself again.  SN_INVALID where the
 * shapes differ: labels and shapes are named. */
sn_status sn_probe_pass_input(sn_probe *probe, int node, int k, sn_error *error);

/* product = H direction, H the Hessian of the batch's mean loss by all weights (both in the order of the engine's
 * tensors, one behind the other, graph->n_params doubles), for batch and number of the last run: central differences of
 * the gradient at two distances, extrapolated (Richardson).  `deviation`: how far, in 2-norm, the product is from that
 * of the smaller distance alone, which is more than its own error where the loss is smooth along the way; across kinks
 * of relu kinds it tells that it is not.  Takes four runs; the values and gradients are those of the last of them.
 * SN_INVALID in float32, whose differences are noise. */
sn_status sn_probe_hessian_product(sn_probe *probe, const double *direction, double *product, double *deviation,
                                   sn_error *error);

#endif
