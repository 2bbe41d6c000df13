/* An experiment: a resolved config with its data, its graph and, once started, its engine. */
#ifndef SN_RUN_EXPERIMENT_H
#define SN_RUN_EXPERIMENT_H

#include "base/error.h"
#include "base/notes.h"
#include "config/config.h"
#include "data/data.h"
#include "data/order.h"
#include "engine/engine.h"
#include "network/graph.h"
#include "run/lr_schedule.h"
#include "run/schedule.h"
#include "run/settings.h"

typedef struct sn_experiment {
    const sn_config *config; /* must outlive the experiment */
    sn_settings settings;
    sn_dataset data;
    bool shares_data; /* they belong to another experiment */
    sn_graph graph;
    const sn_backend *backend;
    sn_pool pool;              /* owns what the loss was built to */
    sn_engine_options options; /* its batch is the rows of the largest pass: a batch, or more for evaluation */
    bool chose_threads;        /* options.threads were not given, see SN_THREADS_FASTEST */
    size_t batch_size;         /* of training */
    int64_t steps, epochs;     /* epochs is 0 where train.steps rules */
    int64_t steps_per_epoch;
    sn_lr_schedule lr_schedule;
    sn_report_schedule report_schedule;
    sn_checkpoint_schedule checkpoint_schedule;
    uint64_t hash;            /* over the meaning of the config, the data and the initial weights file */
    uint64_t hash_but_length; /* the same but for the length: runs of which one can go on where the other ended have it
                                 in common */
    sn_order order;
    sn_notes notes;    /* on its config and data, to be told */
    sn_engine *engine; /* NULL until sn_experiment_start */
    double load_seconds, build_seconds;
} sn_experiment;

/* In the place of a number of threads: as many of those available as train fastest (run/threads.h). */
enum { SN_THREADS_FASTEST = 0 };

/* Loads the data and builds the graph; checks what needs both (loss and data, outputs and classes).  After a failure
 * nothing but the notes is left, for sn_experiment_reset. */
sn_status sn_experiment_open(sn_experiment *experiment, const sn_config *config, int threads, sn_error *error);

/* Notes what of the config is larger than there is use for: the batch, the blocks. */
void sn_experiment_note_misfits(sn_experiment *x);

/* As sn_experiment_open for a config whose data are those of an open experiment: they are not loaded again.  `like`
 * must outlive the experiment. */
sn_status sn_experiment_open_like(sn_experiment *experiment, const sn_config *config, const sn_experiment *like,
                                  sn_error *error);

/* SN_FAILED where the engine would take more memory than there is: FILE:LINE:COL: network: how much for what, and how
 * much there is.  Nothing is taken for it. */
sn_status sn_experiment_check_memory(const sn_experiment *experiment, sn_error *error);

/* Checks the memory and takes it, starts the threads.  Weights are zero: for who brings them. */
sn_status sn_experiment_start_empty(sn_experiment *experiment, sn_error *error);

/* The same, then sets the initial weights. */
sn_status sn_experiment_start(sn_experiment *experiment, sn_error *error);

/* Gives a training step its batch, the one of this number over all epochs, and how the config wants it augmented.  Its
 * indices hold until the next call. */
void sn_experiment_set_batch(sn_experiment *experiment, uint64_t number, sn_step *step);

void sn_experiment_reset(sn_experiment *experiment);

/* The hash of an experiment that has no file of initial weights. */
uint64_t sn_experiment_meaning(const sn_config *config, uint64_t data_checksum);

#endif
