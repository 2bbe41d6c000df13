/* Resuming: which checkpoint a run goes on from, and what is said about it. */
#ifndef SN_RUN_RESUME_H
#define SN_RUN_RESUME_H

#include "run/checkpoint.h"
#include "run/schedule.h"

/* Where messages for people go; `tell` NULL: nowhere. */
typedef struct sn_listener {
    void (*tell)(void *context, bool is_warning, const char *message);
    void *context;
} sn_listener;

void sn_tell(const sn_listener *listener, bool is_warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef struct sn_resume_request {
    const sn_experiment *experiment;
    const sn_run_directory *directory;
    const sn_listener *listener;
    const sn_sink_options *sink; /* what the run writes */
} sn_resume_request;

typedef struct sn_resumption {
    bool is_found;
    bool has_broken;          /* a file was there that is no sound checkpoint */
    sn_checkpoint checkpoint; /* marks[0].step is where to go on */
    const sn_mark *mark;      /* what CSVs and summary go on from */
    sn_safetensors *file;     /* for sn_engine_restore */
    char *path;               /* of the file, for messages */
} sn_resumption;

/* Looks for the checkpoint of the run in the directory, the one before it where that is broken (with a warning), and
 * reopens the sink at it, uncut.  None that could be used: is_found is false, or, where the run is finished and was to
 * become longer, SN_INVALID.  SN_INVALID too where the run cannot go on to the same bytes: a CSV was changed, another
 * SIMD path, another schedule of rows.  For sn_resumption_reset. */
sn_status sn_resume_find(sn_resumption *resumption, const sn_resume_request *request, sn_sink *sink, sn_error *error);

void sn_resumption_reset(sn_resumption *resumption);

#endif
