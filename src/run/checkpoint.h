/* Checkpoints: the state of a run in a file, complete enough for the run to go on to the same bytes.
 *
 * A safetensors file.  Tensors: the engine's snapshot; "positions" I64 (marks, 5, or 7 with exponents.csv) and
 * "summary" F64 (marks, ...), see mark.h; "timings" F64; "warmup" F64 where the learning rate warms up by result, see
 * warmup.h.  Metadata: what it is, the run it belongs to, what made it, and a checksum over the file. */
#ifndef SN_RUN_CHECKPOINT_H
#define SN_RUN_CHECKPOINT_H

#include "run/manifest.h"
#include "run/mark.h"
#include "run/warmup.h"

enum { SN_CHECKPOINT_VERSION = 1 };

typedef struct sn_checkpoint {
    int64_t steps; /* of the whole run, as it was meant when this was saved */
    sn_timings timings;
    sn_warmup warmup;
    int n_marks;
    sn_mark marks[2]; /* [0]: where the run goes on; [1], only at the end of a run: before step steps - 1, whose rows
                       * stand there for no other reason than that end */
} sn_checkpoint;

sn_status sn_checkpoint_init(sn_checkpoint *checkpoint, int n_hidden, sn_error *error);

/* Fine on a zeroed record. */
void sn_checkpoint_reset(sn_checkpoint *checkpoint);

/* Saves the checkpoint with what the engine holds as SN_FILE_CHECKPOINT; the one before stays as SN_FILE_PREVIOUS. */
sn_status sn_checkpoint_write(const sn_checkpoint *checkpoint, const sn_experiment *experiment,
                              const sn_run_directory *directory, sn_error *error);

/* Reads a checkpoint of this experiment's run; what the engine is to hold stays in *file, for sn_engine_restore and
 * sn_safetensors_free.  SN_INVALID: broken, of another format, or of another run. */
sn_status sn_checkpoint_read(sn_checkpoint *checkpoint, sn_safetensors **file, const char *path,
                             const sn_experiment *experiment, sn_error *error);

/* Whether the run can go on here to the same bytes as where the checkpoint was made.  SN_INVALID with what differs and
 * the remedy: the program's version, the path of its kernels, OpenBLAS where it multiplies, the schedule of rows. */
sn_status sn_checkpoint_fits(const sn_safetensors *file, const char *path, const sn_experiment *experiment,
                             sn_error *error);

#endif
