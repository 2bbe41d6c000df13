/* Owns the choice of the checkpoint that a run goes on from. */
#include "run/resume.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/file.h"
#include "run/machine.h"

void sn_tell(const sn_listener *listener, bool is_warning, const char *format, ...) {
    if (!listener->tell) return;
    char message[SN_ERROR_CAPACITY];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    listener->tell(listener->context, is_warning, message);
}

/* Lets go of one candidate. */
static void drop(sn_resumption *r) {
    sn_safetensors_free(r->file);
    free(r->path);
    r->file = NULL;
    r->path = NULL;
}

void sn_resumption_reset(sn_resumption *resumption) {
    drop(resumption);
    sn_checkpoint_reset(&resumption->checkpoint);
    *resumption = (sn_resumption){0};
}

/* Rows of the last update that stand there only because it was the last are not for a longer run. */
static const sn_mark *choose_mark(const sn_checkpoint *checkpoint, const sn_report_schedule *schedule) {
    bool is_longer = checkpoint->n_marks == 2 && schedule->steps > checkpoint->steps;
    bool drops_row = is_longer && !sn_report_is_due(schedule, checkpoint->marks[1].step);
    return &checkpoint->marks[drops_row ? 1 : 0];
}

/* What may change the bits but is not known to: a warning where it is not as it was when the run was saved. */
static void tell_origin(const sn_resumption *r, const char *key, const char *what, const char *here,
                        const sn_listener *listener) {
    const char *there = sn_safetensors_metadata(r->file, key);
    if (there && strcmp(there, here) == 0) return;
    sn_tell(listener, true, "%s was saved %s (%s, this is %s): the same bytes are to be expected, not promised",
            r->path, what, there ? there : "unknown", here);
}

static void tell_origins(const sn_resumption *r, const sn_listener *listener) {
    char cpu[SN_CPU_NAME];
    tell_origin(r, "cpu", "on another CPU", sn_machine_cpu(cpu), listener);
    tell_origin(r, "commit", "by a build of another commit", sn_build_commit(), listener);
}

/* One candidate: is_found where the run can go on from it.  SN_INVALID: it is sound, but the run cannot go on from it.
 */
static sn_status try_file(sn_resumption *r, const sn_resume_request *q, const char *name, sn_sink *sink,
                          sn_error *error) {
    r->path = sn_run_directory_file(q->directory, name);
    if (!r->path) return sn_error_memory(error, strlen(name), "a path");
    if (!sn_path_exists(r->path)) return SN_OK;
    sn_error fault;
    sn_error_clear(&fault);
    sn_status status = sn_checkpoint_read(&r->checkpoint, &r->file, r->path, q->experiment, &fault);
    if (status == SN_INVALID) {
        r->has_broken = true;
        sn_tell(q->listener, true, "%s (passed over)", fault.text);
        return SN_OK;
    }
    if (status) return sn_error_set(error, status, "%s", fault.text);
    status = sn_checkpoint_fits(r->file, r->path, q->experiment, error);
    if (status) return status;
    r->mark = choose_mark(&r->checkpoint, &q->experiment->report_schedule);
    status = sn_sink_reopen(sink, q->directory, q->sink, &r->mark->position, error);
    r->is_found = status == SN_OK;
    return status;
}

/* The newest is broken, or the CSVs do not reach it any more: the one before takes its place, lest the next one push
 * out what is sound. */
static sn_status promote(sn_resumption *r, const sn_run_directory *directory, sn_error *error) {
    char *newest = sn_run_directory_file(directory, SN_FILE_CHECKPOINT);
    if (!newest) return sn_error_memory(error, 0, "a path");
    sn_status status = rename(r->path, newest) == 0 ? SN_OK : sn_error_io(error, "replace", newest);
    free(r->path);
    r->path = newest;
    return status;
}

static sn_status find_none(const sn_resumption *r, const sn_resume_request *q, sn_error *error) {
    const char *path = q->directory->path;
    if (q->directory->is_shorter) {
        return sn_error_set(error, SN_INVALID,
                            "%s holds this run, finished, but no checkpoint that it could go on from (take another "
                            "--out, or --force to train anew)",
                            path);
    }
    sn_tell(q->listener, r->has_broken, "%s has no %s: its run starts anew", path,
            r->has_broken ? "sound checkpoint" : "checkpoint yet");
    return SN_OK;
}

sn_status sn_resume_find(sn_resumption *resumption, const sn_resume_request *request, sn_sink *sink, sn_error *error) {
    sn_resumption *r = resumption;
    *r = (sn_resumption){0};
    sn_error fault;
    sn_error_clear(&fault);
    sn_status status = sn_checkpoint_init(&r->checkpoint, request->experiment->graph.n_hidden, error);
    if (status) return status;
    const char *const names[] = {SN_FILE_CHECKPOINT, SN_FILE_PREVIOUS};
    for (int i = 0; i < 2; i++) {
        sn_error_clear(error);
        status = try_file(r, request, names[i], sink, error);
        if (r->is_found) {
            if (fault.status) sn_tell(request->listener, true, "%s (the checkpoint before is taken)", fault.text);
            tell_origins(r, request->listener);
            return i > 0 ? promote(r, request->directory, error) : SN_OK;
        }
        drop(r);
        if (status && !fault.status) fault = *error;
        if (status && status != SN_INVALID) return status;
    }
    if (!fault.status) return find_none(r, request, error);
    *error = fault;
    bool has_remedy = strstr(error->text, "--force") != NULL;
    if (!has_remedy) sn_error_add(error, SN_INVALID, "put it back as it was, or --force to train anew");
    return error->status;
}
