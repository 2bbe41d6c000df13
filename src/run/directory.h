/* Run directories: their files, their states, their lock. */
#ifndef SN_RUN_DIRECTORY_H
#define SN_RUN_DIRECTORY_H

#include <stdint.h>

#include "base/error.h"
#include "base/lock.h"
#include "run/experiment.h"
#include "run/manifest.h"

#define SN_FILE_CONFIG    "config.json"
#define SN_FILE_LOSS      "loss.csv"
#define SN_FILE_GRADIENTS "gradients.csv"
#define SN_FILE_EXPONENTS "exponents.csv" /* where report.exponents asks for it */
#define SN_FILE_PACKAGE   "datapackage.json"
#define SN_FILE_MANIFEST  "run.json"
#define SN_FILE_FINAL     "final.safetensors"
#define SN_FILE_INITIAL   "initial.safetensors"
#define SN_FILE_LOCK      "run.lock"

#define SN_FILE_CHECKPOINT "checkpoint.safetensors"
#define SN_FILE_PREVIOUS   "checkpoint.previous.safetensors" /* the one before */

typedef struct sn_run_directory {
    char *path;
    char *made; /* the outermost directory that was made for it; NULL: it was there */
    sn_lock lock;
    bool is_finished;   /* it holds this run, finished: there is nothing to do */
    bool is_unfinished; /* it holds this run, to be continued */
    bool is_shorter;    /* the run that is to be continued is finished, with fewer steps than are wanted now */
    bool has_no_locks;  /* the file system has none: another process could write here */
} sn_run_directory;

/* What is to become of a run that lies in the directory. */
typedef enum sn_run_entry {
    SN_ENTRY_NEW,    /* nothing but a finished run of the same config is accepted */
    SN_ENTRY_RESUME, /* an unfinished run of the same config, too, and one that is shorter: it is continued */
    SN_ENTRY_FORCE   /* whatever there is: it is replaced */
} sn_run_entry;

/* Makes and locks the directory for a run of this experiment, by the rules of `train`: empty or absent: ready; finished
 * with the same config: is_finished; unfinished with the same config, or one that differs in the length alone and can
 * be made longer: is_unfinished with SN_ENTRY_RESUME; else, and with another config: SN_INVALID with the remedy.  With
 * SN_ENTRY_FORCE whatever it holds is ready to be cleared.  Without run.json no file in it counts as one of ours,
 * whatever its name: run.json is written first, and is moved aside until
 * an earlier run is removed.  Temporary files of dead processes are removed. */
sn_status sn_run_directory_open(sn_run_directory *directory, const char *path, const sn_experiment *experiment,
                                sn_run_entry entry, sn_error *error);

/* Whether a run lies at `path`. */
bool sn_run_directory_holds_run(const char *path);

/* What run.json cannot say of a run that has not ended, by a look at its lock: `status`, what it says, becomes
 * "running" while a process is at work there (is_held, also on one that was interrupted and goes on), "interrupted"
 * where it says "running" and none is; else it stays.  Nothing is made or written. */
sn_status sn_run_directory_look(const char *path, char status[SN_RUN_STATUS], bool *is_held, sn_error *error);

/* Removes one file of the run; fine where it is not there. */
sn_status sn_run_directory_remove(const sn_run_directory *directory, const char *name, sn_error *error);

/* Removes what an earlier run left, only files that skipnet writes.  For --force, when nothing can fail any more that
 * a config can get wrong: the weights file may even lie among them. */
sn_status sn_run_directory_clear(const sn_run_directory *directory, sn_error *error);

/* Whether `path` is one of the files that a run in the directory `run` writes: not to be written by anything else. */
bool sn_run_directory_owns(const char *run, const char *path);

/* Gives the lock up, and removes what was made of directories if nothing was put into it. */
void sn_run_directory_close(sn_run_directory *directory);

/* The path of a file in the directory (free()); NULL when out of memory. */
char *sn_run_directory_file(const sn_run_directory *directory, const char *name);

/* Where a run goes without --out: "runs/NAME", and with --set "runs/NAME,depth=100,skip.kind=add": the shortest tails
 * of the keys that are unique in the resolved config; '/' and a leading '.' become '_' (free(); NULL when out of
 * memory). */
char *sn_run_directory_default(const sn_config *config, const char *const *sets, size_t n_sets);

/* The shortest tail of a dotted key that stands for no other key of the resolved config, part of `key`: "depth" of
 * "network.depth", "skip.kind" of "network.skip.kind". */
const char *sn_run_directory_tail(const sn_config *config, const char *key);

#endif
