/* The trainer: runs one experiment from its first step to its last in a run directory. */
#ifndef SN_RUN_TRAINER_H
#define SN_RUN_TRAINER_H

#include <signal.h>

#include "base/error.h"
#include "report/summary.h"
#include "run/directory.h"
#include "run/experiment.h"
#include "run/resume.h"

typedef struct sn_trainer_options {
    const volatile sig_atomic_t *stop; /* not 0: end after the step under way, as interrupted */
    volatile sig_atomic_t *save;       /* not 0: save a checkpoint after the step under way, set it to 0 and go on */
    sn_listener listener;              /* told of what happens to a run that is resumed */
    void (*progress)(void *context, const sn_progress *progress); /* NULL: none; called a few times a second */
    void *context;
} sn_trainer_options;

/* What a run leaves for its caller: the summary, and the layers that it points to. */
typedef struct sn_outcome {
    sn_summary summary;
    sn_summary_layer *layers;
    char fault[SN_FAULT_TEXT + 256];
    sn_config *manifest; /* set where the summary was read from a run.json: owns its texts */
} sn_outcome;

void sn_outcome_reset(sn_outcome *outcome);

/* Trains; all files of the run are written into the directory.  Where that is_unfinished, the run goes on from its
 * checkpoint, to the same bytes as if it had never been interrupted.  Checkpoints are saved as train.checkpoint says,
 * at the end and on an interruption; none stays of a run that diverged.  SN_DIVERGED and SN_INTERRUPTED leave a
 * complete outcome; on other failures run.json says failed where it can still be written. */
sn_status sn_train(sn_experiment *experiment, const sn_run_directory *directory, const sn_trainer_options *options,
                   sn_outcome *outcome, sn_error *error);

#endif
