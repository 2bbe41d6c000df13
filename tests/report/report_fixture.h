/* A network and its observation by hand, for the tests of records.
 *
 * The sums of an observation are gathered here, by loops of this file, so neither the kernels nor the graph builder
 * have a part in what is tested.  Include it after cmocka.h. */
#ifndef SN_TEST_REPORT_FIXTURE_H
#define SN_TEST_REPORT_FIXTURE_H

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "report/record.h"

enum { MAX_NODES = 64, N = 60, N_BIAS = 6, ROWS = 7 };

/* ---- a network by hand: every node has parameters, node 0 is the input ---- */

typedef struct network {
    sn_graph graph;
    sn_node nodes[MAX_NODES];
    sn_param params[MAX_NODES][2];
    sn_observation observation;
    sn_node_sums sums[MAX_NODES];
    sn_records records;
} network;

static inline void build(network *net, const sn_role *roles, int n) {
    *net = (network){.graph = {.n_nodes = n + 1, .nodes = net->nodes},
                     .observation = {.nodes = net->sums, .n_nodes = n, .rows = ROWS}};
    for (int k = 0; k < n; k++) {
        sn_node *node = &net->nodes[k + 1];
        node->role = roles[k];
        node->n_params = 2;
        node->params = net->params[k];
        node->params[0].count = N;
        node->params[1].count = N_BIAS;
        net->graph.n_hidden += roles[k] == SN_ROLE_HIDDEN;
        net->sums[k] = (sn_node_sums){.node = k + 1, .saturated = -1};
    }
    sn_error error;
    sn_error_clear(&error);
    assert_int_equal(sn_records_new(&net->records, &net->graph, &error), SN_OK);
    assert_int_equal(net->records.n_layers, n);
    if (!net->records.layers) abort(); /* the static analyser does not know that an assertion ends the test */
}

static inline void drop(network *net) {
    sn_records_reset(&net->records);
    assert_null(net->records.layers);
}

static inline void derive(network *net, double lr, bool updated) {
    sn_records_derive(&net->records, &net->graph, &net->observation, 42, lr, updated);
}

/* ---- sums of raw tensors ---- */

static inline int exponent_of(double max) {
    return max > 0 && isfinite(max) ? ilogb(max) : 0;
}

static inline sn_sumsq squares_of(const double *x, size_t n) {
    double max = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, fabs(x[i]));
    sn_sumsq squares = {0, exponent_of(max)};
    for (size_t i = 0; i < n; i++)
        squares.sum += pow(ldexp(x[i], -squares.exponent), 2);
    return squares;
}

static inline sn_signal_sums signal_of(const double *x, size_t n) {
    sn_signal_sums s = {.n = (double)n, .squares = squares_of(x, n)};
    for (size_t i = 0; i < n; i++)
        s.sum += x[i];
    return s;
}

static inline sn_tensor_sums sums_of(const double *x, size_t n) {
    sn_tensor_sums s = {.n = (double)n, .squares = squares_of(x, n)};
    for (size_t i = 0; i < n; i++) {
        s.sum_abs += fabs(x[i]);
        if (isnan(x[i]) || fabs(x[i]) > s.max_abs) s.max_abs = fabs(x[i]);
        s.zeros += x[i] == 0;
        s.denormals += x[i] != 0 && fabs(x[i]) < DBL_MIN;
    }
    return s;
}

static inline sn_change_sums change_of(const double *before, const double *after, const double *meant, size_t n) {
    sn_change_sums s = {.n = (double)n};
    double change[N];
    for (size_t i = 0; i < n; i++) {
        bool same = before[i] == after[i];
        change[i] = after[i] - before[i];
        s.sum_abs_change += fabs(change[i]);
        s.sum_abs_intended += fabs(meant[i]);
        s.unchanged += same;
        s.intended += meant[i] != 0;
        s.stalled += meant[i] != 0 && same;
    }
    s.change = squares_of(change, n);
    return s;
}

#endif
