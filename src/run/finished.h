/* A run that has been trained, opened for those who ask its network something: evaluation, analyses.
 *
 * A finished run stands at its final weights, any other at its newest sound checkpoint, so that one that was
 * interrupted, killed or goes on this moment can be asked as well.  Nothing in the directory is made, changed or
 * locked; files are read whole as they are replaced whole, so a running run gives the state of one step. */
#ifndef SN_RUN_FINISHED_H
#define SN_RUN_FINISHED_H

#include "base/error.h"
#include "run/experiment.h"
#include "run/manifest.h"

typedef struct sn_finished_request {
    const char *run;     /* a run directory */
    const char *weights; /* a safetensors file instead of the run's own weights; NULL: those */
    int threads;
} sn_finished_request;

typedef enum sn_weights_source {
    SN_WEIGHTS_FINAL,      /* of a run that is done or diverged: those that it ended with */
    SN_WEIGHTS_CHECKPOINT, /* of any other run: the newest sound checkpoint */
    SN_WEIGHTS_GIVEN       /* the file of the request */
} sn_weights_source;

typedef struct sn_finished_run {
    sn_finished_request request;
    sn_config *config;       /* resolved; its network.weights is null, whatever the run began with */
    sn_config *manifest;     /* run.json */
    sn_manifest_state state; /* of it; its status is "running" only while a process is at work on the run, else
                              * "interrupted" */
    sn_experiment experiment;
    const char **classes; /* (out_dim) what the run calls its classes, else the data; NULL: nothing */
    char *weights;        /* path of the file that the weights are from */
    sn_weights_source source;
    int64_t step; /* updates that the weights have had, of experiment.steps that are planned; -1: not known (given) */
} sn_finished_run;

/* Opens the directory: run.json, config and status; no data and no weights are read yet.  The request's texts must
 * outlive the run, which is for sn_finished_reset, also after a failure.  SN_IO: no directory, or a file cannot be
 * read. SN_INVALID: no run in it, a broken one, or an unfinished one without a checkpoint (unless other weights are
 * given); whether the final weights of a finished one are there shows when it is started. */
sn_status sn_finished_open(sn_finished_run *run, const sn_finished_request *request, sn_error *error);

/* Reads the data, which decide how the network begins and ends, builds the graph and starts the engine with the
 * weights.  The experiment's hashes are those of run.json, its notes those that run.json has and what is new.
 * SN_INVALID: config.json, data or final weights that are not those of the run any more, no checkpoint that is sound
 * (of several the newest counts, a broken one is passed over with a note), given weights that do not fit the network.
 * SN_IO: a file cannot be read, among them final weights that are gone. */
sn_status sn_finished_start(sn_finished_run *run, sn_error *error);

void sn_finished_reset(sn_finished_run *run);

#endif
