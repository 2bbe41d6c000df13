/* What a run's own CSVs add to a comparison: its layer profiles at step 0 and at the last update, and the figures that
 * run.json does not hold. */
#ifndef SN_COMPARE_RUN_PROFILE_H
#define SN_COMPARE_RUN_PROFILE_H

#include "base/notes.h"
#include "compare/ends.h"
#include "report/record.h"

/* Which run, and what is known of it. */
typedef struct sn_run_profile_request {
    const char *directory;
    bool is_finished; /* then everything has to be there; what is missing is noted */
    bool has_summary; /* else the run is at work, or its process was killed: what its rows say so far are its figures */
    int64_t last_step; /* of the last update that was measured; -1: not known */
} sn_run_profile_request;

typedef struct sn_run_profile_reader {
    sn_ends loss, gradients;
    sn_notes *notes;
} sn_run_profile_reader;

/* Reads loss.csv and gradients.csv of a run and sets the figures (SN_N_RUN_FIGURES) that come from them.  Files that
 * are broken are noted and give nothing.  SN_FAILED: out of memory; SN_IO: cannot read what is there. */
sn_status sn_run_profile_read(sn_run_profile_reader *reader, const sn_run_profile_request *request, sn_measure *figures,
                              sn_error *error);

/* A hidden layer at step 0, or at the last update where that is another step. */
typedef struct sn_profile_layer {
    bool is_last;
    uint32_t layer; /* 1: nearest the input */
    sn_measure depth_frac, log10_delta;
} sn_profile_layer;
typedef void (*sn_profile_each)(void *context, const sn_profile_layer *layer);

/* Calls `each` for the hidden layers just read, first those of step 0. */
void sn_run_profile_layers(const sn_run_profile_reader *reader, sn_profile_each each, void *context);

/* Appends the rows of gradients.csv just read, in the columns of this version, each behind `prefix`. */
void sn_run_profile_rows(const sn_run_profile_reader *reader, const char *prefix, sn_text *text);

void sn_run_profile_reset(sn_run_profile_reader *reader);

#endif
