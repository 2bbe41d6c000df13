/* A shipped config measured at its initial weights: the numbers that `skipnet train CONFIG --set train.steps=0` writes,
 * by the same reader, experiment, step and derivation.  Whatever is not expected to fail is asserted. */
#ifndef SN_TESTS_SUPPORT_INITIAL_H
#define SN_TESTS_SUPPORT_INITIAL_H

#include "report/record.h"
#include "run/experiment.h"

typedef struct initial {
    sn_config *config;
    sn_experiment experiment;
    sn_observation seen;
    sn_records records;
} initial;

enum { INITIAL_MAX_SETS = 8 };

/* Opens the config at `path` with the --set arguments `sets` (of INITIAL_MAX_SETS, up to the first NULL) and `seed`,
 * and measures. */
void initial_open(initial *m, const char *path, const char *const *sets, int seed);
void initial_close(initial *m);

/* The record of a node by its label. */
const sn_layer_record *initial_layer(const initial *m, const char *label);

/* The record of hidden layer `layer`, 1 .. graph.n_hidden. */
const sn_layer_record *initial_hidden(const initial *m, int layer);

/* How large the theory's tests are: full in an optimised build, small where sanitizers or -O0 slow them down. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
enum { INITIAL_SEEDS = 2, INITIAL_WIDTH = 64, INITIAL_IS_SMALL = 1 };
#else
enum { INITIAL_SEEDS = 8, INITIAL_WIDTH = 512, INITIAL_IS_SMALL = 0 };
#endif

typedef struct spread {
    int n;
    double mean, sd; /* sd of the sample, n - 1 */
} spread;

spread spread_of(const double *values, int n);

#endif
