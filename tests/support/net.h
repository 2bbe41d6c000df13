/* A network under test: config text to graph to engine, with weights and gradients as doubles.
 *
 * Whatever is not expected to fail is asserted here, so that a test reads as what it shows. */
#ifndef SN_TESTS_SUPPORT_NET_H
#define SN_TESTS_SUPPORT_NET_H

#include "engine/engine.h"
#include "engine/probe.h"

typedef struct test_net {
    sn_config *config;
    sn_graph graph;
    const sn_backend *backend;
    const sn_dataset *data;
    sn_engine *engine;
    sn_engine_options options;
    size_t batch;
    uint32_t *indices; /* 0 .. batch - 1 */
    uint64_t number;   /* of the next step: updates already applied */
} test_net;

/* Parses {"network": NETWORK} and builds its graph for the dimensions of `data` (nothing else of it is read). */
sn_status net_build(sn_config **config, sn_graph *graph, const char *network, const sn_dataset *data, sn_error *error);

/* A graph alone, for any data of 6 features and 3 classes; whatever is wrong with the network fails the test. */
typedef struct test_graph {
    sn_config *config;
    sn_graph graph;
} test_graph;

test_graph graph_open(const char *network);
void graph_close(test_graph *graph);

/* A loss from its config, JSON text, for data that must outlive it; it has to go well. */
typedef struct test_loss {
    sn_config *config;
    sn_pool pool;
    sn_objective objective;
} test_loss;

test_loss loss_open(const char *loss, const sn_dataset *data);
void loss_close(test_loss *loss);

/* A network on the backend of the environment.  `options` NULL: one thread, gradients kept.  Where options leave it
 * open, the batch is all training samples, the loss the one that suits the data, the threads one. */
void net_open(test_net *net, const char *network, const sn_dataset *data, sn_dtype dtype,
              const sn_engine_options *options);

/* The same with other ops than the program's: rows, found by their names, and a backend with their kernels. */
typedef struct test_tables {
    const sn_op *const *ops;
    const sn_backend *backend;
} test_tables;

void net_open_with(test_net *net, const char *network, const sn_dataset *data, const test_tables *tables,
                   const sn_engine_options *options);

void net_close(test_net *net);

/* Weights of a healthy size: matrices N(0, 1.3^2/fan_in), biases N(0, 0.3^2), gains and scales in 0.8 .. 1.2. */
void net_randomize(test_net *net, uint64_t seed);

/* Gives `to` the weights of `from`, a network of the same tensors. */
void net_copy_weights(test_net *to, const test_net *from);

/* A probe of the network with the weights of now (sn_probe_free), and its run of the step that comes next, on `rows`
 * samples from `begin` on; it has to go well. */
sn_probe *net_probe(const test_net *net);
sn_step_result net_run(const test_net *net, sn_probe *probe, size_t begin, size_t rows);

/* The value of a node in that run (free()). */
double *net_signal(const sn_probe *probe, int node);

/* Elements of tensor `i`; its values or its last gradient as doubles (free()). */
size_t net_count(const test_net *net, size_t i);
double *net_values(const test_net *net, size_t i);
double *net_gradient(const test_net *net, size_t i);

/* `count` reals of the backend as doubles (free()). */
double *net_doubles(const test_net *net, const void *data, size_t count);

/* The number of a tensor by its name. */
size_t net_find(const test_net *net, const char *name);

/* A step on the first samples of the training split, as many as the batch has; it has to go well. */
sn_step_result net_step(test_net *net, double lr, sn_observation *observation);

/* A step on a batch of `rows` samples from `begin` on. */
sn_step_result net_step_at(test_net *net, size_t begin, size_t rows, double lr, sn_observation *observation);

/* Gradients without an update, by net_gradient afterwards. */
sn_step_result net_measure(test_net *net, sn_observation *observation);

/* The gradient of the loss of net_measure by tensor `i`, from differences of fourth order at distance `h`. */
void net_differences(test_net *net, size_t i, double h, double *gradient);

/* The mean loss over the whole training split, as an evaluation has it. */
double net_loss(test_net *net);

/* Whether tensor `i` is a bias that every batch_norm on its way takes out again, so that its gradient is 0 but for
 * rounding. */
bool net_is_cancelled(const test_net *net, size_t i);

/* The sum of a[i] b[i]. */
double dot(const double *a, const double *b, size_t n);

/* |x|, and |a - b| / max(|a|, |b|) in 2-norms; 0 where both are 0. */
double norm_of(const double *x, size_t n);
double distance_of(const double *a, const double *b, size_t n);

/* The greatest distance of the last gradients of two networks of equal tensors; cancelled ones are measured by the
 * gradients of their layer's weights. */
double net_gradient_distance(const test_net *a, const test_net *b);

#endif
