/* Owns the opening of runs that have been trained: which weights a run stands at, and whether config, data and weights
 * are still its own. */
#include "run/finished.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "run/checkpoint.h"
#include "run/directory.h"
#include "run/language.h"

static sn_status join(char **path, const char *base, const char *name, sn_error *error) {
    *path = sn_path_join(base, name);
    return *path ? SN_OK : sn_error_memory(error, strlen(base), "a path");
}

/* ---- opening ---- */

static sn_status check_place(const sn_finished_run *run, sn_error *error) {
    const char *path = run->request.run;
    if (!sn_path_is_dir(path)) {
        errno = sn_path_exists(path) ? ENOTDIR : ENOENT;
        return sn_error_io(error, "read directory", path);
    }
    char *manifest = NULL;
    sn_status status = join(&manifest, path, SN_FILE_MANIFEST, error);
    if (!status && !sn_path_exists(manifest))
        status = sn_error_set(error, SN_INVALID, "%s: no run here (a run directory holds a run.json)", path);
    free(manifest);
    return status;
}

/* The file may have been changed: what is no word of ours is not handed on to terminals and tables. */
static bool is_status(const char *word) {
    static const char *const words[] = {"running", "done", "diverged", "interrupted", "failed"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        is_known |= strcmp(word, words[i]) == 0;
    return is_known;
}

static sn_status read_manifest(sn_finished_run *run, sn_error *error) {
    char *path = NULL;
    sn_error broken;
    sn_error_clear(&broken);
    sn_status status = join(&path, run->request.run, SN_FILE_MANIFEST, &broken);
    sn_config_free(run->manifest);
    run->manifest = NULL;
    if (!status) status = sn_manifest_parse(&run->manifest, path, &broken);
    if (!status) status = sn_manifest_state_of(&run->state, run->manifest, path, &broken);
    if (!status && !is_status(run->state.status)) status = SN_INVALID;
    bool is_held = false;
    if (!status && !run->state.is_finished)
        status = sn_run_directory_look(run->request.run, run->state.status, &is_held, &broken);
    free(path);
    if (status == SN_INVALID) {
        return sn_error_set(error, SN_INVALID,
                            "%s: its run.json is broken or of another format version (train it anew)",
                            run->request.run);
    }
    return status ? sn_error_set(error, status, "%s", broken.text) : SN_OK;
}

/* Reads config.json; a file of initial weights is left out where `is_blank`: it need not be there any more. */
static sn_status read_config(sn_config **config, const char *run, bool is_blank, sn_error *error) {
    static const char *const blank[] = {"network.weights=null"};
    char *path = NULL;
    sn_status status = join(&path, run, SN_FILE_CONFIG, error);
    sn_config_source source = {.path = path, .sets = blank, .n_sets = is_blank ? 1 : 0, .is_regular = true};
    if (!status) status = sn_config_read(config, &sn_language, &source, error);
    free(path);
    return status;
}

/* The files that a run may go on from, the newer first. */
static const char *const checkpoints[] = {SN_FILE_CHECKPOINT, SN_FILE_PREVIOUS};
enum { N_CHECKPOINTS = sizeof checkpoints / sizeof *checkpoints };

static sn_status refuse_bare(const sn_finished_run *run, const char *what, sn_error *error) {
    bool is_running = strcmp(run->state.status, "running") == 0;
    return sn_error_set(
        error, SN_INVALID,
        "%s: the run is not finished (status %s) and has no %s (%s; --weights FILE takes other weights)",
        run->request.run, run->state.status, what,
        is_running ? "SIGUSR1 makes it save one" : "train --resume brings it to its end");
}

/* Before the data are read, which may take long. */
static sn_status check_weights_exist(const sn_finished_run *run, sn_error *error) {
    bool has_some = run->request.weights || run->state.is_finished;
    for (int i = 0; i < N_CHECKPOINTS && !has_some; i++) {
        char *path = NULL;
        sn_status status = join(&path, run->request.run, checkpoints[i], error);
        if (status) return status;
        has_some = sn_path_exists(path);
        free(path);
    }
    return has_some ? SN_OK : refuse_bare(run, "checkpoint yet", error);
}

sn_status sn_finished_open(sn_finished_run *run, const sn_finished_request *request, sn_error *error) {
    *run = (sn_finished_run){.request = *request, .step = -1};
    sn_status status = check_place(run, error);
    if (!status) status = read_manifest(run, error);
    if (!status) status = check_weights_exist(run, error);
    if (!status) status = read_config(&run->config, request->run, true, error);
    return status;
}

/* ---- config and data ---- */

/* What the run was told: its config.json has no keys without effect any more.  Runs of older versions have no list. */
static void take_notes(sn_finished_run *run) {
    const sn_value *list = sn_value_get(sn_config_root(run->manifest), "notes");
    if (!list || !sn_value_is_list(list)) return;
    sn_notes_clear(&run->experiment.notes);
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v)) {
        if (sn_value_is_text(v)) sn_note_always(&run->experiment.notes, "%s", sn_value_text(v, ""));
    }
}

/* Whether run.json names all classes, as runs of older versions do not. */
static bool names_all(const sn_value *list, size_t n) {
    if (!list || !sn_value_is_list(list) || sn_value_count(list) != n) return false;
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v)) {
        if (!sn_value_is_text(v)) return false;
    }
    return true;
}

/* Another name than the run's for the same class: the weights stand for those of the run. */
static void note_new_name(sn_finished_run *run) {
    const sn_dataset *data = &run->experiment.data;
    for (size_t c = 0; data->class_names && c < data->out_dim; c++) {
        if (strcmp(run->classes[c], data->class_names[c]) == 0) continue;
        sn_note_always(&run->experiment.notes, "%s: its class \"%s\" is called \"%s\" in the run, and here",
                       data->origin, data->class_names[c], run->classes[c]);
        return;
    }
}

static sn_status name_classes(sn_finished_run *run, sn_error *error) {
    const sn_dataset *data = &run->experiment.data;
    const sn_value *list = sn_value_get(sn_config_root(run->manifest), "classes");
    bool is_named = data->is_classes && names_all(list, data->out_dim);
    if (!is_named && !data->class_names) return SN_OK;
    size_t size = data->out_dim * sizeof *run->classes;
    run->classes = calloc(data->out_dim, sizeof *run->classes);
    if (!run->classes) return sn_error_memory(error, size, "the names of classes");
    if (!is_named) {
        memcpy(run->classes, data->class_names, size);
        return SN_OK;
    }
    const sn_value *v = sn_value_first(list);
    for (size_t c = 0; c < data->out_dim; c++, v = sn_value_next(v))
        run->classes[c] = sn_value_text(v, "");
    note_new_name(run);
    return SN_OK;
}

static sn_status check_data(const sn_finished_run *run, sn_error *error) {
    const sn_dataset *data = &run->experiment.data;
    if (data->checksum == run->state.data_checksum) return SN_OK;
    return sn_error_set(
        error, SN_INVALID,
        "%s: the data (%s) are not those of the run: their checksum is %016" PRIx64 ", run.json has %016" PRIx64
        " (SKIPNET_DATA and data.path in its config.json say where data are looked for)",
        run->request.run, data->origin ? data->origin : "its config", data->checksum, run->state.data_checksum);
}

/* Whether the config is still the run's.  One whose run began with a file of weights is not compared: that enters the
 * hash, and need not be there any more. */
static sn_status check_config(const sn_finished_run *run, sn_error *error) {
    sn_config *own = NULL;
    sn_status status = read_config(&own, run->request.run, false, error);
    if (status) return status;
    bool is_comparable = !sn_value_text(sn_config_root(own), "network.weights");
    sn_config_free(own);
    if (!is_comparable || run->experiment.hash == run->state.config_hash) return SN_OK;
    return sn_error_set(error, SN_INVALID,
                        "%s: its config.json is not the one of the run any more (its hash is not config_hash of "
                        "run.json; train from it anew)",
                        run->request.run);
}

/* ---- weights ---- */

/* In messages the file is called by its whole path, as files that a config names are; "-" is no stream here. */
static sn_status load_file(sn_finished_run *run, sn_error *error) {
    char *absolute = sn_path_absolute(run->weights);
    sn_status status = absolute ? sn_engine_load_weights(run->experiment.engine, absolute, error)
                                : sn_error_memory(error, strlen(run->weights), "a path");
    free(absolute);
    return status;
}

static sn_status take_given(sn_finished_run *run, sn_error *error) {
    run->source = SN_WEIGHTS_GIVEN;
    sn_status status = join(&run->weights, "", run->request.weights, error);
    return status ? status : load_file(run, error);
}

static sn_status take_final(sn_finished_run *run, sn_error *error) {
    run->source = SN_WEIGHTS_FINAL;
    sn_status status = join(&run->weights, run->request.run, SN_FILE_FINAL, error);
    if (!status) status = load_file(run, error);
    if (status == SN_INVALID && strcmp(run->state.status, "diverged") == 0) {
        sn_error_add(error, SN_INVALID,
                     "%s: the run diverged: such are the weights that it ended with (--weights FILE "
                     "takes other weights)",
                     run->request.run);
    }
    if (status) return status;
    const sn_value *step = sn_value_get(sn_config_root(run->manifest), "summary.steps");
    if (step) run->step = sn_value_integer(step, "");
    if (sn_engine_weights_hash(run->experiment.engine) == run->state.weights_hash) return SN_OK;
    return sn_error_set(error, SN_INVALID,
                        "%s: not the weights that the run ended with (their hash is not weights_hash of run.json; "
                        "--weights FILE takes any file)",
                        run->weights);
}

/* Takes one checkpoint.  SN_INVALID: it is not sound, or not this run's. */
static sn_status restore(sn_finished_run *run, const char *path, sn_error *error) {
    sn_safetensors *file = NULL;
    sn_checkpoint checkpoint;
    sn_status status = sn_checkpoint_init(&checkpoint, run->experiment.graph.n_hidden, error);
    if (!status) status = sn_checkpoint_read(&checkpoint, &file, path, &run->experiment, error);
    if (!status) status = sn_engine_restore(run->experiment.engine, file, path, error);
    if (!status) run->step = checkpoint.marks[0].step;
    sn_safetensors_free(file);
    sn_checkpoint_reset(&checkpoint);
    return status;
}

/* `weights` stays NULL where there is none; SN_INVALID where none of those that are there is sound. */
static sn_status take_checkpoint(sn_finished_run *run, sn_error *error) {
    bool has_broken = false;
    run->source = SN_WEIGHTS_CHECKPOINT;
    for (int i = 0; i < N_CHECKPOINTS; i++) {
        sn_error fault;
        sn_error_clear(&fault);
        char *path = NULL;
        sn_status status = join(&path, run->request.run, checkpoints[i], error);
        if (status) return status;
        status = restore(run, path, &fault);
        if (!status) {
            run->weights = path;
            return SN_OK;
        }
        bool is_there = sn_path_exists(path); /* asked afterwards: it may go while it is opened */
        free(path);
        if (status == SN_IO && !is_there) continue;
        if (status != SN_INVALID) return sn_error_set(error, status, "%s", fault.text);
        sn_note_always(&run->experiment.notes, "%s (passed over)", fault.text);
        has_broken = true;
    }
    return has_broken ? refuse_bare(run, "sound checkpoint", error) : SN_OK;
}

/* A run may end while its data are read here, and one that diverges keeps no checkpoint: then it has final weights. */
static sn_status take_weights(sn_finished_run *run, sn_error *error) {
    if (run->request.weights) return take_given(run, error);
    if (!run->state.is_finished) {
        sn_status status = take_checkpoint(run, error);
        if (status || run->weights) return status;
        status = read_manifest(run, error);
        if (status) return status;
    }
    return run->state.is_finished ? take_final(run, error) : refuse_bare(run, "checkpoint any more", error);
}

sn_status sn_finished_start(sn_finished_run *run, sn_error *error) {
    sn_experiment *x = &run->experiment;
    sn_status status = sn_experiment_open(x, run->config, run->request.threads, error);
    take_notes(run);
    if (!status) status = check_data(run, error);
    if (!status) status = check_config(run, error);
    if (status) return status;
    x->hash = run->state.config_hash;
    x->hash_but_length = run->state.hash_but_length;
    status = sn_experiment_start_empty(x, error);
    if (!status) status = take_weights(run, error);
    return status ? status : name_classes(run, error); /* which are texts of the manifest, read anew just then */
}

void sn_finished_reset(sn_finished_run *run) {
    sn_experiment_reset(&run->experiment);
    sn_config_free(run->config);
    sn_config_free(run->manifest);
    free(run->classes);
    free(run->weights);
    *run = (sn_finished_run){.step = -1};
}
