/* Owns the reading of a run directory's run.json and config.json.  Each is parsed once, and what the comparison does
 * not need of it is given back at once: ten thousand runs have to fit. */
#include "compare/collect.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "compare/planned.h"
#include "run/directory.h"
#include "run/language.h"
#include "run/manifest.h"

const char *const sn_origin_names[SN_N_ORIGINS] = {"cpu", "program", "commit", "precision", "simd"};

static sn_status read_origins(sn_comparison *comparison, sn_compared_run *run, const sn_value *root, sn_error *error) {
    for (int i = 0; i < SN_N_ORIGINS; i++) {
        const char *word = sn_value_text(root, sn_origin_names[i]);
        run->origins[i] = word ? sn_intern_add(&comparison->words, word) : SN_NO_STRING;
        if (word && run->origins[i] == SN_NO_STRING) return sn_error_memory(error, strlen(word), "a run");
    }
    return SN_OK;
}

/* `broken` says why there is no summary, if there should be one. */
static sn_status read_figures(sn_compared_run *run, const sn_config *manifest, sn_error *broken) {
    sn_summary summary;
    sn_summary_layer *layers = NULL;
    sn_status status = sn_summary_from_manifest(&summary, manifest, &layers, broken);
    for (int c = 0; c < SN_N_RUN_FIGURES && status == SN_OK; c++) {
        run->figures[c] = sn_run_figure_of(&sn_run_figures[c], &summary);
    }
    if (status == SN_OK) {
        run->last_step = summary.profile_step;
        run->reason = summary.fault ? sn_string_copy(summary.fault) : NULL;
        if (summary.fault && !run->reason) status = sn_error_memory(broken, strlen(summary.fault), "a run");
    }
    free(layers);
    return status;
}

static sn_status read_manifest(sn_comparison *comparison, sn_compared_run *run, const char *path, sn_error *broken) {
    sn_config *manifest = NULL;
    sn_manifest_state state = {0};
    sn_status status = sn_manifest_parse(&manifest, path, broken);
    if (!status) status = sn_manifest_state_of(&state, manifest, path, broken);
    if (!status) status = read_origins(comparison, run, sn_config_root(manifest), broken);
    if (!status) {
        memcpy(run->status, state.status, sizeof run->status);
        run->is_finished = state.is_finished;
        run->is_diverged = strcmp(state.status, "diverged") == 0;
        run->data_checksum = state.data_checksum;
        run->config_hash = state.config_hash;
        status = read_figures(run, manifest, broken);
        if (status == SN_INVALID && !run->is_finished) status = SN_OK;
    }
    sn_config_free(manifest);
    return status;
}

sn_status sn_collect_config(sn_comparison *comparison, const sn_config_source *source, sn_error *error) {
    sn_config *config = NULL;
    sn_error broken;
    sn_error_clear(&broken);
    sn_status status = sn_config_read(&config, &sn_language, source, &broken);
    if (sn_file_read_failed(status, source->path)) {
        sn_error_set(error, status, "%s", broken.text);
    } else {
        if (status) sn_note(&comparison->notes, "%s (so its keys are not known, and it is in no summary)", broken.text);
        status = sn_varied_add(&comparison->varied, config, error);
    }
    sn_config_free(config);
    return status;
}

static sn_status read_config(sn_comparison *comparison, const char *path, sn_error *error) {
    char *file = sn_path_join(path, SN_FILE_CONFIG);
    if (!file) return sn_error_memory(error, strlen(path), "a path");
    sn_status status = sn_collect_config(comparison, &(sn_config_source){.path = file, .is_regular = true}, error);
    free(file);
    return status;
}

static sn_status reserve_run(sn_comparison *comparison, sn_error *error) {
    if (comparison->n < comparison->capacity) return SN_OK;
    size_t capacity = comparison->capacity ? 2 * comparison->capacity : 16;
    sn_compared_run *runs = realloc(comparison->runs, capacity * sizeof *runs);
    if (!runs) return sn_error_memory(error, capacity * sizeof *runs, "the runs");
    comparison->runs = runs;
    comparison->capacity = capacity;
    return SN_OK;
}

/* What is broken in run.json is noted, and the run then counts as unreadable. */
static sn_status read_run(sn_comparison *comparison, sn_compared_run *run, sn_error *error) {
    char *file = sn_path_join(run->path, SN_FILE_MANIFEST);
    if (!file) return sn_error_memory(error, strlen(run->path), "a path");
    sn_error broken;
    sn_error_clear(&broken);
    sn_status status = read_manifest(comparison, run, file, &broken);
    if (sn_file_read_failed(status, file)) {
        sn_error_set(error, status, "%s", broken.text);
    } else if (status) {
        bool names_file = strstr(broken.text, file) != NULL;
        sn_note(&comparison->notes, "%s%s%s", names_file ? "" : file, names_file ? "" : ": ", broken.text);
        strcpy(run->status, "unreadable");
        run->is_finished = run->is_diverged = false;
        status = SN_OK;
    }
    free(file);
    return status;
}

/* What run.json cannot say: the process is gone without a last word, or the sweep knows why. */
static sn_status judge_unfinished(sn_compared_run *run, sn_error *error) {
    bool is_held = false;
    sn_status status = sn_run_directory_look(run->path, run->status, &is_held, error);
    return status || is_held ? status : sn_planned_judge(run, error);
}

sn_status sn_collect_slot(sn_comparison *comparison, const char *path, sn_compared_run **run, sn_error *error) {
    sn_status status = reserve_run(comparison, error);
    if (status) return status;
    *run = &comparison->runs[comparison->n];
    **run = (sn_compared_run){.path = sn_string_copy(path), .last_step = -1, .twin = SN_NO_TWIN};
    if (!(*run)->path) return sn_error_memory(error, strlen(path), "a path");
    memset((*run)->origins, 0xff, sizeof(*run)->origins); /* SN_NO_STRING */
    comparison->n++;
    return SN_OK;
}

static sn_status collect_run(sn_comparison *comparison, const char *path, sn_error *error) {
    sn_compared_run *run = NULL;
    sn_status status = sn_collect_slot(comparison, path, &run, error);
    if (!status) status = read_run(comparison, run, error);
    bool is_known = !status && strcmp(run->status, "unreadable") != 0;
    if (is_known && !run->is_finished) status = judge_unfinished(run, error);
    return status ? status : read_config(comparison, path, error);
}

sn_status sn_collect_new_run(sn_comparison *comparison, const char *path, bool *is_new, sn_error *error) {
    struct stat info;
    char place[48];
    if (stat(path, &info) != 0) return sn_error_io(error, "read directory", path);
    snprintf(place, sizeof place, "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
    size_t n_places = comparison->places.n;
    if (sn_intern_add(&comparison->places, place) == SN_NO_STRING) {
        return sn_error_memory(error, strlen(place), "the place of a run");
    }
    *is_new = comparison->places.n > n_places;
    return *is_new ? collect_run(comparison, path, error) : SN_OK;
}

sn_status sn_comparison_plan(sn_comparison *comparison, const sn_config *config, sn_error *error) {
    sn_compared_run *run = NULL;
    sn_status status = sn_collect_slot(comparison, "", &run, error);
    if (status) return status;
    run->is_finished = true; /* as it will be: pairs are made of finished runs */
    return sn_varied_add(&comparison->varied, config, error);
}
