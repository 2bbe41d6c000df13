/* Owns run directories. */
#include "run/directory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "run/language.h"
#include "run/manifest.h"

/* run.json first: once it is aside nothing believes the others, wherever their removal ends. */
static const char *const written_files[] = {SN_FILE_MANIFEST, SN_FILE_CHECKPOINT, SN_FILE_PREVIOUS,  SN_FILE_CONFIG,
                                            SN_FILE_LOSS,     SN_FILE_GRADIENTS,  SN_FILE_EXPONENTS, SN_FILE_PACKAGE,
                                            SN_FILE_FINAL,    SN_FILE_INITIAL,    SN_FILE_LOCK};
enum { N_WRITTEN = sizeof written_files / sizeof *written_files };

char *sn_run_directory_file(const sn_run_directory *directory, const char *name) {
    return sn_path_join(directory->path, name);
}

static bool is_written_by_us(const char *name) {
    for (int i = 0; i < N_WRITTEN; i++) {
        if (strcmp(name, written_files[i]) == 0) return true;
    }
    return false;
}

/* A temporary file of a process that was killed while it wrote one of ours. */
static bool is_remnant(const char *name) {
    for (int i = 0; i < N_WRITTEN; i++) {
        if (sn_is_remnant(name, written_files[i])) return true;
    }
    return false;
}

/* Whether the removal of a run ended half-way: see sn_run_directory_clear. */
static bool has_abandoned_run(const char *path) {
    DIR *dir = opendir(path);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        found = sn_is_remnant(entry->d_name, SN_FILE_MANIFEST);
    if (dir) closedir(dir);
    return found;
}

/* The name of a file in a directory without run.json, copied into `name`; false if there is none.  Even one that is
 * called as ours is a stranger's, unless a run was abandoned there: our own are there only as long as run.json is. */
static bool find_stranger(const char *path, bool is_abandoned, char *name, size_t capacity) {
    DIR *dir = opendir(path);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        bool is_dot = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        bool is_ours = is_abandoned ? is_written_by_us(entry->d_name) : strcmp(entry->d_name, SN_FILE_LOCK) == 0;
        found = !is_dot && !is_ours && !is_remnant(entry->d_name);
        if (found) snprintf(name, capacity, "%s", entry->d_name);
    }
    if (dir) closedir(dir);
    return found;
}

/* Nobody else writes here: the lock is held. */
static sn_status sweep(const sn_run_directory *directory, sn_error *error) {
    DIR *dir = opendir(directory->path);
    sn_status status = SN_OK;
    for (struct dirent *entry; dir && !status && (entry = readdir(dir));) {
        if (is_remnant(entry->d_name)) status = sn_run_directory_remove(directory, entry->d_name, error);
    }
    if (dir) closedir(dir);
    return status;
}

bool sn_run_directory_holds_run(const char *path) {
    char *file = sn_path_join(path, SN_FILE_MANIFEST);
    bool holds = file && sn_path_exists(file);
    free(file);
    return holds;
}

sn_status sn_run_directory_look(const char *path, char status[SN_RUN_STATUS], bool *is_held, sn_error *error) {
    char *lock = sn_path_join(path, SN_FILE_LOCK);
    if (!lock) return sn_error_memory(error, strlen(path), "a path");
    sn_lock_state state = sn_lock_look(lock);
    free(lock);
    *is_held = state == SN_LOCK_HELD;
    bool is_gone = state == SN_LOCK_FREE && strcmp(status, "running") == 0;
    if (*is_held || is_gone) snprintf(status, SN_RUN_STATUS, "%s", *is_held ? "running" : "interrupted");
    return SN_OK;
}

sn_status sn_run_directory_remove(const sn_run_directory *directory, const char *name, sn_error *error) {
    char *file = sn_run_directory_file(directory, name);
    if (!file) return sn_error_memory(error, strlen(directory->path), "a path");
    sn_status status = unlink(file) == 0 || errno == ENOENT ? SN_OK : sn_error_io(error, "remove", file);
    free(file);
    return status;
}

/* run.json gets the name of a temporary file at first, and goes last: as long as it is there the others are known to be
 * ours, wherever their removal ends. */
sn_status sn_run_directory_clear(const sn_run_directory *directory, sn_error *error) {
    char name[64];
    snprintf(name, sizeof name, "%s.%ld-0.tmp", SN_FILE_MANIFEST, (long)getpid());
    char *manifest = sn_run_directory_file(directory, SN_FILE_MANIFEST),
         *aside = sn_run_directory_file(directory, name);
    sn_status status = manifest && aside ? SN_OK : sn_error_memory(error, strlen(directory->path), "a path");
    if (!status && rename(manifest, aside) != 0 && errno != ENOENT) status = sn_error_io(error, "remove", manifest);
    for (int i = 0; i < N_WRITTEN && !status; i++) {
        if (strcmp(written_files[i], SN_FILE_LOCK) == 0) continue;
        status = sn_run_directory_remove(directory, written_files[i], error);
    }
    if (!status) status = sn_run_directory_remove(directory, name, error);
    free(manifest);
    free(aside);
    return status;
}

/* "another config": which keys differ from the config.json that lies there. */
static sn_status refuse_other_config(const sn_run_directory *directory, const sn_config *config, bool can_grow,
                                     sn_error *error) {
    char *file = sn_run_directory_file(directory, SN_FILE_CONFIG);
    if (!file) return sn_error_memory(error, strlen(directory->path), "a path");
    sn_config *there = NULL;
    sn_text keys = SN_TEXT_EMPTY;
    sn_config_source source = {.path = file, .is_regular = true};
    sn_error ignored;
    sn_error_clear(&ignored);
    bool is_readable = sn_config_read(&there, &sn_language, &source, &ignored) == SN_OK;
    if (is_readable) sn_config_differences(there, config, &keys);
    if (keys.failed) sn_error_memory(&ignored, keys.length, "the names of keys");
    const char *what = !is_readable  ? "its config.json cannot be read"
                       : keys.length ? sn_text_string(&keys)
                                     : "the data or the initial weights";
    sn_error_set(
        error, SN_INVALID,
        "%s holds a run of another config; they differ in: %s (%stake another --out, or --force to replace it)",
        directory->path, what, can_grow ? "--resume makes it longer, or " : "");
    sn_text_free(&keys);
    sn_config_free(there);
    if (ignored.status == SN_FAILED) *error = ignored; /* no config is to blame for want of memory */
    free(file);
    return error->status;
}

/* A run of the same config but for its length: whether it can go on to what is wanted now. */
static sn_status examine_length(sn_run_directory *directory, const sn_experiment *x, const sn_manifest_state *state,
                                sn_error *error) {
    const char *remedy = "take another --out, or --force to replace it", *path = directory->path;
    if (x->steps < state->steps) {
        return sn_error_set(error, SN_INVALID,
                            "%s holds a run of %" PRId64 " steps, here it is to have %" PRId64
                            ": a run can be made longer, not shorter (%s)",
                            path, state->steps, x->steps, remedy);
    }
    if (x->steps > state->steps && x->lr_schedule.row->knows_end) {
        return sn_error_set(error, SN_INVALID,
                            "%s holds a run of %" PRId64 " steps whose learning rates depend on that length "
                            "(train.lr_schedule %s): it cannot be made longer (%s)",
                            path, state->steps, x->lr_schedule.row->kind.name, remedy);
    }
    bool has_diverged = strcmp(state->status, "diverged") == 0; /* it would be no other if it were longer */
    directory->is_finished = has_diverged || (state->is_finished && x->steps == state->steps);
    directory->is_unfinished = !directory->is_finished;
    directory->is_shorter = state->is_finished && directory->is_unfinished;
    return SN_OK;
}

static sn_status judge(sn_run_directory *directory, const sn_experiment *x, const sn_manifest_state *state,
                       sn_run_entry entry, sn_error *error) {
    bool is_same = state->config_hash == x->hash,
         is_same_but_length = state->hash_but_length == x->hash_but_length && state->steps >= 0;
    if (!is_same && is_same_but_length && entry == SN_ENTRY_RESUME) return examine_length(directory, x, state, error);
    if (!is_same)
        return refuse_other_config(directory, x->config, is_same_but_length && x->steps > state->steps, error);
    if (!state->is_finished && entry != SN_ENTRY_RESUME) {
        bool is_gone = !directory->has_no_locks && strcmp(state->status, "running") == 0; /* the lock is ours */
        return sn_error_set(error, SN_INVALID,
                            "%s holds an unfinished run of this config (status %s); --resume continues it, --force "
                            "starts it anew",
                            directory->path, is_gone ? "interrupted" : state->status);
    }
    directory->is_finished = state->is_finished;
    directory->is_unfinished = !state->is_finished;
    return SN_OK;
}

/* What run.json says decides; a directory with other files and no run is left alone. */
static sn_status examine(sn_run_directory *directory, const sn_experiment *x, sn_run_entry entry, sn_error *error) {
    char *file = sn_run_directory_file(directory, SN_FILE_MANIFEST), stranger[256];
    if (!file) return sn_error_memory(error, strlen(directory->path), "a path");
    sn_status status = SN_OK;
    sn_manifest_state state = {0};
    if (sn_path_exists(file)) {
        status = sn_manifest_read_state(&state, file, error);
        if (!status) status = judge(directory, x, &state, entry, error);
    } else if (find_stranger(directory->path, has_abandoned_run(directory->path), stranger, sizeof stranger)) {
        status = sn_error_set(error, SN_INVALID,
                              "%s is not empty and holds no run (there is %s); take another --out, or --force to "
                              "replace what is called like a run's files",
                              directory->path, stranger);
    }
    if (status == SN_INVALID && !strstr(error->text, "--force")) {
        sn_error_add(error, SN_INVALID, "%s holds a broken run (--force replaces it)", directory->path);
    }
    free(file);
    return status;
}

/* A finished run tells its summary in a directory, too, that nobody may write: there is nothing to lock. */
static bool is_finished_archive(sn_run_directory *directory, const sn_experiment *x, sn_run_entry entry) {
    if (entry == SN_ENTRY_FORCE || access(directory->path, W_OK) == 0) return false;
    sn_error ignored;
    sn_error_clear(&ignored);
    return examine(directory, x, entry, &ignored) == SN_OK && directory->is_finished;
}

static sn_status take_lock(sn_run_directory *directory, sn_error *error) {
    char *lock = sn_run_directory_file(directory, SN_FILE_LOCK);
    sn_status status =
        lock ? sn_lock_take(&directory->lock, lock, error) : sn_error_memory(error, strlen(directory->path), "a path");
    free(lock);
    return status;
}

sn_status sn_run_directory_open(sn_run_directory *directory, const char *path, const sn_experiment *experiment,
                                sn_run_entry entry, sn_error *error) {
    *directory = (sn_run_directory){.path = sn_string_copy(path), .made = sn_dir_missing(path), .lock = SN_LOCK_NONE};
    if (!directory->path) return sn_error_memory(error, strlen(path), "a path");
    sn_status status = sn_dir_make(path, error);
    if (!status && is_finished_archive(directory, experiment, entry)) return SN_OK;
    if (!status) status = take_lock(directory, error);
    if (!status) directory->has_no_locks = directory->lock.fd < 0;
    if (!status && entry != SN_ENTRY_FORCE) status = examine(directory, experiment, entry, error);
    bool is_abandoned = has_abandoned_run(path) && !sn_run_directory_holds_run(path);
    if (!status && is_abandoned && !directory->has_no_locks) status = sn_run_directory_clear(directory, error);
    if (!status && !directory->is_finished && !directory->has_no_locks) status = sweep(directory, error);
    if (status) sn_run_directory_close(directory);
    return status;
}

bool sn_run_directory_owns(const char *run, const char *path) {
    char *parent = sn_path_dir(path), *here = parent ? realpath(parent, NULL) : NULL, *own = realpath(run, NULL);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    bool is_own = false;
    for (size_t i = 0; i < sizeof written_files / sizeof *written_files && here && own; i++)
        is_own = is_own || (strcmp(here, own) == 0 && strcmp(name, written_files[i]) == 0);
    free(parent);
    free(here);
    free(own);
    return is_own;
}

void sn_run_directory_close(sn_run_directory *directory) {
    sn_lock_release(&directory->lock);
    if (directory->made) sn_dir_remove_empty(directory->path, directory->made);
    free(directory->path);
    free(directory->made);
    *directory = (sn_run_directory){.lock = SN_LOCK_NONE};
}

static bool ends_in_tail(const char *path, const char *tail) {
    size_t n = strlen(path), length = strlen(tail);
    return n >= length && strcmp(path + n - length, tail) == 0 && (n == length || path[n - length - 1] == '.');
}

/* How many dotted paths below `value` end with ".TAIL" or are TAIL; `prefix` is the path of `value`.  Elements of lists
 * are called by their index. */
static int count_tail(const sn_value *value, const char *prefix, const char *tail) {
    int count = 0, index = 0;
    bool has_members = sn_value_is_object(value) || sn_value_is_list(value);
    for (const sn_value *v = has_members ? sn_value_first(value) : NULL; v; v = sn_value_next(v), index++) {
        sn_text path = SN_TEXT_EMPTY;
        sn_text_addf(&path, "%s%s", prefix, *prefix ? "." : "");
        if (sn_value_name(v)) {
            sn_text_add(&path, sn_value_name(v));
        } else {
            sn_text_addf(&path, "%d", index);
        }
        count += ends_in_tail(sn_text_string(&path), tail) + count_tail(v, sn_text_string(&path), tail);
        sn_text_free(&path);
    }
    return count;
}

const char *sn_run_directory_tail(const sn_config *config, const char *key) {
    const char *tail = strrchr(key, '.');
    tail = tail ? tail + 1 : key;
    while (tail > key && count_tail(sn_config_root(config), "", tail) > 1) {
        tail -= 2; /* on the last character of the part before */
        while (tail > key && tail[-1] != '.')
            tail--;
    }
    return tail;
}

/* Whether a later --set gives the same key, so that this one has no effect. */
static bool is_overruled(const char *const *sets, size_t n_sets, size_t i) {
    size_t length = strcspn(sets[i], "=") + 1;
    for (size_t later = i + 1; later < n_sets; later++) {
        if (strncmp(sets[i], sets[later], length) == 0) return true;
    }
    return false;
}

static void add_set(const sn_config *config, const char *set, sn_text *path) {
    const char *equals = strchr(set, '=');
    char *key = sn_string_copy(set);
    if (!key) {
        path->failed = true;
        return;
    }
    key[equals - set] = '\0';
    if (strcmp(key, "name") != 0) sn_text_addf(path, ",%s%s", sn_run_directory_tail(config, key), equals);
    free(key);
}

char *sn_run_directory_default(const sn_config *config, const char *const *sets, size_t n_sets) {
    sn_text path = SN_TEXT_EMPTY;
    sn_text_add(&path, sn_value_text(sn_config_root(config), "name"));
    for (size_t i = 0; i < n_sets; i++) {
        if (!is_overruled(sets, n_sets, i) && !sn_config_set_is_idle(config, sets[i])) add_set(config, sets[i], &path);
    }
    for (size_t i = 0; i < path.length; i++) {
        bool hides = i == 0 && path.data[i] == '.'; /* "..", too */
        if (path.data[i] == '/' || hides) path.data[i] = '_';
    }
    char *result = path.failed ? NULL : sn_path_join("runs", sn_text_string(&path));
    sn_text_free(&path);
    return result;
}
