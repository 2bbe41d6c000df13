/* Owns the reading of a sweep's list of cells, and of what it remembers of failures.  A sweep may have been moved: only
 * the last part of a cell's --out counts, and the config that is read is the one beside the list. */
#include "compare/planned.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/shell.h"
#include "compare/collect.h"
#include "run/directory.h"
#include "run/language.h"
#include "run/sweep_files.h"

#define LIST_MAX_BYTES ((size_t)2 << 30)
enum { REASON_MAX_BYTES = 65536, REASON_LENGTH = 300 };

/* ---- failures ---- */

static bool is_warning(const char *line) {
    return strncmp(line, "warning: ", 9) == 0;
}

/* "exit status 2: message" out of the status on the first line and the first line of the rest that is no warning. */
static void add_reason(sn_text *reason, const char *said) {
    size_t n_status = strcspn(said, "\n");
    const char *line = said + n_status;
    while (*line == '\n' && is_warning(line + 1))
        line += 1 + strcspn(line + 1, "\n");
    line += *line == '\n';
    sn_text_add_bytes(reason, said, n_status);
    size_t n = strcspn(line, "\n");
    if (n > 0) sn_text_add(reason, ": ");
    sn_text_add_bytes(reason, line, n < REASON_LENGTH ? n : REASON_LENGTH);
    for (size_t i = 0; i < reason->length; i++) {
        if ((unsigned char)reason->data[i] < ' ' || reason->data[i] == 0x7f) reason->data[i] = ' ';
    }
}

/* The file of failures of the run's sweep (free()); NULL when out of memory. */
static char *failure_path(const char *run) {
    char *absolute = sn_path_absolute(run), *parent = NULL, *directory = NULL, *path = NULL;
    for (size_t n = absolute ? strlen(absolute) : 0; n > 1 && absolute[n - 1] == '/'; n--)
        absolute[n - 1] = '\0';
    parent = absolute ? sn_path_dir(absolute) : NULL;
    directory = parent ? sn_path_join(parent, SN_DIR_FAILED) : NULL;
    const char *slash = absolute ? strrchr(absolute, '/') : NULL;
    path = directory ? sn_path_join(directory, slash ? slash + 1 : absolute) : NULL;
    free(absolute);
    free(parent);
    free(directory);
    return path;
}

sn_status sn_planned_judge(sn_compared_run *run, sn_error *error) {
    char *path = failure_path(run->path), *said = NULL;
    if (!path) return sn_error_memory(error, strlen(run->path), "a path");
    size_t size = 0;
    sn_error ignored;
    sn_error_clear(&ignored);
    sn_status status = SN_OK;
    if (sn_file_read_regular(path, REASON_MAX_BYTES, &said, &size, &ignored) == SN_OK) {
        sn_text reason = SN_TEXT_EMPTY;
        add_reason(&reason, said);
        strcpy(run->status, "failed");
        free(run->reason);
        run->reason = reason.failed ? NULL : sn_text_take(&reason);
        if (!run->reason) status = sn_error_memory(error, size, "the reason of a failure");
        sn_text_free(&reason);
    }
    free(path);
    free(said);
    return status;
}

/* ---- cells ---- */

typedef struct cell {
    const char **sets; /* (n_sets) */
    size_t n_sets;
    const char *name; /* of the run's directory; NULL: the line is no cell */
} cell;

/* Takes --set and --out out of a line of the list. */
static sn_status parse_cell(cell *c, sn_pool *pool, const char *line, size_t n_words, sn_error *error) {
    sn_text word = SN_TEXT_EMPTY;
    const char *option = "", *at = line;
    *c = (cell){.sets = sn_pool_alloc(pool, (n_words + 1) * sizeof *c->sets)};
    bool ok = c->sets;
    while (ok && sn_shell_next(&at, &word)) {
        bool is_set = strcmp(option, "--set") == 0, is_out = strcmp(option, "--out") == 0;
        const char *kept = sn_pool_string(pool, sn_text_string(&word));
        ok = kept && !word.failed;
        if (ok && is_set) c->sets[c->n_sets++] = kept;
        if (ok && is_out) c->name = strrchr(kept, '/') ? strrchr(kept, '/') + 1 : kept;
        option = ok && !is_set && !is_out ? kept : "";
    }
    sn_text_free(&word);
    return ok ? SN_OK : sn_error_memory(error, n_words, "the list of cells");
}

static sn_status judge_missing(sn_compared_run *run, sn_error *error) {
    bool is_held = false;
    strcpy(run->status, "missing");
    sn_status status = sn_run_directory_look(run->path, run->status, &is_held, error);
    return status || is_held ? status : sn_planned_judge(run, error);
}

static sn_status add_missing(sn_comparison *comparison, const char *path, const char *config, const cell *c,
                             sn_error *error) {
    sn_compared_run *run = NULL;
    sn_config_source source = {.path = config, .is_regular = true, .sets = c->sets, .n_sets = c->n_sets};
    sn_status status = sn_collect_slot(comparison, path, &run, error);
    if (!status) status = judge_missing(run, error);
    if (status) return status;
    run->is_missing = true;
    return sn_collect_config(comparison, &source, error);
}

static sn_status add_cell(sn_comparison *comparison, const char *directory, const char *config, const cell *c,
                          sn_error *error) {
    char *path = sn_path_join(directory, c->name);
    char *place = sn_path_absolute(path ? path : c->name);
    if (!path || !place) {
        free(path);
        free(place);
        return sn_error_memory(error, strlen(directory), "a path");
    }
    size_t n_places = comparison->places.n;
    sn_status status = SN_OK;
    bool is_new = false; /* as a rule it was found below the directory already, but links are not followed there */
    if (sn_run_directory_holds_run(path)) {
        status = sn_collect_new_run(comparison, path, &is_new, error);
    } else {
        if (sn_intern_add(&comparison->places, place) == SN_NO_STRING) {
            status = sn_error_memory(error, strlen(place), "the place of a cell");
        } else if (comparison->places.n > n_places) {
            status = add_missing(comparison, path, config, c, error);
        } else {
            comparison->n_repeated++;
        }
    }
    free(path);
    free(place);
    return status;
}

static sn_status add_lines(sn_comparison *comparison, const char *directory, const char *config, const char *list,
                           sn_error *error) {
    sn_status status = SN_OK;
    for (const char *line = list; *line && !status; line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        sn_pool pool = {0};
        cell c;
        status = parse_cell(&c, &pool, line, length, error);
        if (!status && c.name && *c.name) status = add_cell(comparison, directory, config, &c, error);
        sn_pool_free(&pool);
        line += length;
    }
    return status;
}

sn_status sn_planned_add(sn_comparison *comparison, const char *directory, sn_error *error) {
    char *file = sn_path_join(directory, SN_FILE_CELLS), *config = sn_path_join(directory, SN_FILE_CONFIG),
         *list = NULL;
    size_t size = 0;
    sn_status status = file && config ? SN_OK : sn_error_memory(error, strlen(directory), "a path");
    if (!status && sn_path_exists(file) && sn_path_exists(config)) {
        status = sn_file_read_regular(file, LIST_MAX_BYTES, &list, &size, error);
        if (!status) status = add_lines(comparison, directory, config, list, error);
    }
    free(file);
    free(config);
    free(list);
    return status;
}
