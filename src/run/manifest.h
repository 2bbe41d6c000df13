/* run.json: what ran, where, how it ended, what it showed. */
#ifndef SN_RUN_MANIFEST_H
#define SN_RUN_MANIFEST_H

#include <stdint.h>

#include "base/error.h"
#include "report/summary.h"
#include "run/experiment.h"

enum { SN_MANIFEST_VERSION = 1 };

/* Seconds of a run, by what they went into. */
typedef struct sn_timings {
    double total;           /* from the start of training to its end */
    double evaluate;        /* evaluation passes */
    double first;           /* step 0, which also waits for fresh memory */
    double plain, observed; /* the other training steps, without and with statistics */
    int64_t n_plain, n_observed;
    double last;       /* the step after the last update: it measures and updates nothing */
    double format;     /* deriving, formatting and writing rows */
    double checkpoint; /* saving the state of the run; waiting for rows to be on the disk is part of it */
    int64_t n_checkpoints;
} sn_timings;

typedef struct sn_manifest {
    const sn_experiment *experiment;
    const char *status; /* "running", "done", "diverged", "interrupted", "failed" */
    sn_timings timings;
    bool has_weights;
    uint64_t weights_hash;
    const sn_summary *summary; /* NULL while running */
} sn_manifest;

/* Writes run.json atomically. */
sn_status sn_manifest_write(const sn_manifest *manifest, const char *path, sn_error *error);

/* What decides about a directory. */
enum { SN_RUN_STATUS = 32 }; /* bytes that the word for how a run stands fits into */
typedef struct sn_manifest_state {
    char status[SN_RUN_STATUS];
    uint64_t config_hash;
    bool is_finished;         /* done or diverged */
    uint64_t hash_but_length; /* see sn_experiment */
    int64_t steps;            /* that the run was meant to have; -1 where it does not say */
    uint64_t data_checksum;
    uint64_t weights_hash; /* 0 where the run has no final weights */
} sn_manifest_state;

sn_status sn_manifest_read_state(sn_manifest_state *state, const char *path, sn_error *error);

/* The same in two steps, for those who want more of the file: a parsed run.json (sn_config_free), and its state.
 * `path` is for messages. */
sn_status sn_manifest_parse(sn_config **manifest, const char *path, sn_error *error);
sn_status sn_manifest_state_of(sn_manifest_state *state, const sn_config *manifest, const char *path, sn_error *error);

/* The summary that a finished run's run.json holds; texts and layers point into *config (sn_config_free) and *layers
 * (free()). */
sn_status sn_manifest_read_summary(sn_summary *summary, sn_config **config, sn_summary_layer **layers, const char *path,
                                   sn_error *error);

/* The summary out of a parsed run.json. */
sn_status sn_summary_from_manifest(sn_summary *summary, const sn_config *manifest, sn_summary_layer **layers,
                                   sn_error *error);

#endif
