/* The benchmark: how fast training steps of one network run here, and where their time goes.
 *
 * Peak is what DESIGN calls so: OpenBLAS's best rate on one thread over square products of 64 to 1024 in the run's
 * precision, times the threads, measured in the same process.  Ops may multiply by an own kernel that is faster, so its
 * rate is measured beside, and the better of both is the limit.  A step's work are the floating-point operations of its
 * matrix products: graph.step_flops times the batch. */
#ifndef SN_STUDY_BENCH_H
#define SN_STUDY_BENCH_H

#include "base/error.h"
#include "base/text.h"
#include "engine/backend.h"
#include "engine/profile.h"
#include "run/experiment.h"
#include "run/machine.h"

/* The standard case: 50 residual blocks of 64 on 784 inputs, batch 128, generated data; the text of a config. */
extern const char sn_bench_standard[];

typedef struct sn_bench_options {
    int64_t steps;   /* so many plain steps are measured; 0: by time */
    double seconds;  /* about so long in all */
    bool steps_only; /* no peak, no profile, and weights that stay: an estimate of a run's time */
} sn_bench_options;

enum { SN_BENCH_RATES = 5 };
typedef struct sn_bench_rate {
    size_t n;
    sn_product_rates gflops;
} sn_bench_rate;

/* A kind of op; seconds of all threads in a step. */
typedef struct sn_bench_op {
    const char *name;
    double forward, backward, param_gradient, update;
} sn_bench_op;

/* Parts of a step; seconds of all threads, their sum is `threads` times the wall time of a profiled step. */
typedef struct sn_bench_segments {
    double forward; /* of the walk, gathering the samples included */
    double loss, backward;
    double work;    /* parameter gradients and updates */
    double waiting; /* barriers, start and end of the step */
} sn_bench_segments;

typedef struct sn_bench {
    const sn_experiment *experiment;
    sn_bench_rate rates[SN_BENCH_RATES];
    sn_product_rates core_gflops;           /* the best of all sizes */
    double peak_gflops;                     /* OpenBLAS's on all threads */
    double products_gflops;                 /* of what the ops multiply by, on all threads */
    double step_min, step_median;           /* seconds of a plain step: over blocks of steps */
    int64_t n_steps, n_blocks, block_steps; /* plain steps measured, in so many blocks; the last may be shorter */
    double flops;                           /* of a step */
    double profiled_step;
    sn_bench_segments segments;
    sn_bench_op *ops; /* those of the network, then the input and the loss */
    int n_ops;
    sn_region regions[SN_MAX_REGIONS];
    int n_regions;
    sn_resident resident;
    double observed_step;  /* seconds, as step_min, with statistics */
    double derive, format; /* seconds of one step's rows */
    size_t row_bytes;
} sn_bench;

/* Measures a started experiment.  Its weights are trained on.  SN_DIVERGED: a step was not finite.  Free by
 * sn_bench_reset; the experiment must outlive the record. */
sn_status sn_bench_run(sn_bench *bench, sn_experiment *experiment, const sn_bench_options *options, sn_error *error);
void sn_bench_reset(sn_bench *bench);

/* Tables for people, and one JSON object (seconds, bytes, GFLOP/s = 1e9 operations a second). */
void sn_bench_text(const sn_bench *bench, sn_text *text);
void sn_bench_json(const sn_bench *bench, sn_text *text);

#endif
