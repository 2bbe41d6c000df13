/* Owns the comparison of runs: finding them, measuring them, and warning where they should not be compared. */
#include "compare/compare.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "compare/collect.h"
#include "compare/planned.h"
#include "compare/run_profile.h"
#include "compare/twins.h"
#include "run/directory.h"

/* ---- finding runs ---- */

static sn_status add_below(sn_comparison *comparison, const char *path, sn_error *error);

static sn_status add_run(sn_comparison *comparison, const char *path, sn_error *error) {
    bool is_new = false;
    sn_status status = sn_collect_new_run(comparison, path, &is_new, error);
    comparison->n_repeated += !status && !is_new;
    return status;
}

/* A directory that holds a run.json is a run; any other may hold runs below it. */
static sn_status add_directory(sn_comparison *comparison, const char *path, sn_error *error) {
    char *manifest = sn_path_join(path, SN_FILE_MANIFEST);
    if (!manifest) return sn_error_memory(error, strlen(path), "a path");
    sn_status status = sn_path_exists(manifest) ? add_run(comparison, path, error) : add_below(comparison, path, error);
    free(manifest);
    return status;
}

/* Names in order, numbers in them by their value: depth=5 stands before depth=10. */
static int by_version(const struct dirent **a, const struct dirent **b) {
    return versionsort(a, b);
}

/* Links are not followed: they may lead back up. */
static bool is_directory(const struct dirent *entry, const char *path) {
    struct stat info;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static sn_status add_below(sn_comparison *comparison, const char *path, sn_error *error) {
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, by_version);
    if (n < 0) return sn_error_io(error, "read directory", path);
    sn_status status = SN_OK;
    for (int i = 0; i < n; i++) {
        bool is_hidden = entries[i]->d_name[0] == '.';
        char *below = is_hidden ? NULL : sn_path_join(path, entries[i]->d_name);
        if (!status && !below && !is_hidden) status = sn_error_memory(error, strlen(path), "a path");
        if (!status && below && is_directory(entries[i], below)) status = add_directory(comparison, below, error);
        free(below);
        free(entries[i]);
    }
    free(entries);
    return status || comparison->only_runs ? status : sn_planned_add(comparison, path, error);
}

sn_status sn_comparison_add(sn_comparison *comparison, const char *path, sn_error *error) {
    size_t before = comparison->n + comparison->n_repeated;
    if (!sn_path_is_dir(path)) {
        errno = sn_path_exists(path) ? ENOTDIR : ENOENT;
        return sn_error_io(error, "read directory", path);
    }
    sn_status status = add_directory(comparison, path, error);
    if (!status && comparison->n + comparison->n_repeated == before) {
        status = sn_error_set(error, SN_INVALID, "%s: no run here or below (a run directory holds a run.json)", path);
    }
    return status;
}

void sn_comparison_reset(sn_comparison *comparison) {
    for (size_t i = 0; i < comparison->n; i++) {
        free(comparison->runs[i].path);
        free(comparison->runs[i].reason);
    }
    free(comparison->runs);
    sn_intern_reset(&comparison->places);
    sn_intern_reset(&comparison->words);
    sn_varied_reset(&comparison->varied);
    sn_notes_reset(&comparison->notes);
    sn_points_reset(&comparison->points);
    sn_points_reset(&comparison->differences);
    sn_profiles_reset(&comparison->by_layer);
    *comparison = (sn_comparison){0};
}

/* ---- measuring ---- */

static sn_status measure_run(sn_comparison *comparison, size_t i, sn_run_profile_reader *reader, sn_error *error) {
    sn_compared_run *run = &comparison->runs[i];
    bool has_summary = run->figures[0].is_measured;
    sn_run_profile_request request = {run->path, run->is_finished, has_summary, run->last_step};
    return sn_run_profile_read(reader, &request, run->figures, error);
}

/* The profile of the run just read. */
static sn_status write_profile(const sn_comparison *comparison, size_t i, const sn_run_profile_reader *reader,
                               sn_file_writer *writer, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY, prefix = SN_TEXT_EMPTY;
    sn_comparison_profiles_prefix(comparison, i, &prefix);
    sn_run_profile_rows(reader, sn_text_string(&prefix), &text);
    sn_status status = text.failed || prefix.failed
                           ? sn_error_memory(error, text.length, SN_FILE_PROFILES)
                           : sn_file_writer_add(writer, sn_text_string(&text), text.length, error);
    sn_text_free(&text);
    sn_text_free(&prefix);
    return status;
}

static sn_status write_profiles_header(const sn_comparison *comparison, sn_file_writer *writer, sn_error *error) {
    sn_text header = SN_TEXT_EMPTY;
    sn_comparison_profiles_header(comparison, &header);
    sn_status status = header.failed ? sn_error_memory(error, header.length, SN_FILE_PROFILES)
                                     : sn_file_writer_add(writer, sn_text_string(&header), header.length, error);
    sn_text_free(&header);
    return status;
}

/* `writer` NULL: profiles are not wanted. */
static sn_status measure_all(sn_comparison *comparison, sn_file_writer *writer, sn_error *error) {
    sn_run_profile_reader reader = {.notes = &comparison->notes};
    sn_status status = writer ? write_profiles_header(comparison, writer, error) : SN_OK;
    for (size_t i = 0; i < comparison->n && !status; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        if (run->is_missing || strcmp(run->status, "unreadable") == 0) continue;
        status = measure_run(comparison, i, &reader, error);
        if (!status && writer) status = write_profile(comparison, i, &reader, writer, error);
        if (!status && writer && run->is_finished) status = sn_profiles_take(&comparison->by_layer, i, &reader, error);
    }
    sn_run_profile_reset(&reader);
    return status;
}

static sn_status measure(sn_comparison *comparison, const char *profiles, sn_error *error) {
    sn_file_writer writer;
    if (!profiles) return measure_all(comparison, NULL, error);
    sn_status status = sn_file_writer_open(&writer, profiles, error);
    if (status) return status;
    status = measure_all(comparison, &writer, error);
    if (!status) return sn_file_writer_commit(&writer, error);
    sn_file_writer_drop(&writer);
    return status;
}

/* ---- warnings ---- */

static bool data_differ(const sn_comparison *comparison) {
    uint64_t first = 0;
    for (size_t i = 0; i < comparison->n; i++) {
        uint64_t checksum = sn_varied_knows(&comparison->varied, i) ? comparison->runs[i].data_checksum : 0;
        if (first && checksum && checksum != first) return true;
        if (checksum) first = checksum;
    }
    return false;
}

/* "runs differ in cpu: A (40 runs), B (5 runs)", where they do. */
static void warn_of_origin(sn_comparison *comparison, int origin, size_t *counts) {
    sn_text text = SN_TEXT_EMPTY;
    int n_words = 0;
    memset(counts, 0, comparison->words.n * sizeof *counts);
    for (size_t i = 0; i < comparison->n; i++) {
        uint32_t word = comparison->runs[i].origins[origin];
        if (word != SN_NO_STRING) counts[word]++;
    }
    for (size_t w = 0; w < comparison->words.n; w++) {
        if (counts[w] == 0) continue;
        sn_text_addf(&text, "%s%s (%zu run%s)", n_words++ ? ", " : "", comparison->words.strings[w], counts[w],
                     counts[w] == 1 ? "" : "s");
    }
    if (n_words > 1)
        sn_note_always(&comparison->notes, "runs differ in %s: %s", sn_origin_names[origin], sn_text_string(&text));
    sn_text_free(&text);
}

static void warn_of_repeated(sn_comparison *comparison) {
    size_t n = comparison->n_repeated;
    if (n == 0) return;
    sn_note_always(&comparison->notes, "%zu find%s of a run that was found before: each counts once", n,
                   n == 1 ? "" : "s");
}

static sn_status warn_of_origins(sn_comparison *comparison, sn_error *error) {
    size_t *counts = calloc(comparison->words.n + 1, sizeof *counts);
    if (!counts) return sn_error_memory(error, comparison->words.n * sizeof *counts, "counts");
    for (int i = 0; i < SN_N_ORIGINS; i++)
        warn_of_origin(comparison, i, counts);
    free(counts);
    return SN_OK;
}

static bool same_cells(const sn_sample *a, const sn_sample *b, size_t n_columns) {
    return memcmp(a->cells, b->cells, n_columns * sizeof *a->cells) == 0;
}

/* The samples are sorted: what is equal stands side by side. */
static void warn_of_neighbours(sn_comparison *comparison, const sn_sample *samples, size_t n) {
    const sn_varied *varied = &comparison->varied;
    for (size_t i = 1; i < n; i++) {
        const sn_compared_run *a = &comparison->runs[samples[i - 1].run], *b = &comparison->runs[samples[i].run];
        if (!same_cells(&samples[i - 1], &samples[i], varied->n_grid)) continue;
        if (a->data_checksum && b->data_checksum && a->data_checksum != b->data_checksum) {
            sn_note(&comparison->notes, "%s and %s have the same keys and other data", a->path, b->path);
        }
        if (a->is_finished && b->is_finished && same_cells(&samples[i - 1], &samples[i], varied->n_columns)) {
            sn_note(&comparison->notes, "%s and %s have the same keys and seed: the summary counts both", a->path,
                    b->path);
        }
    }
}

/* ---- grouping ---- */

/* The samples are sorted as the points are. */
static void number_points(sn_comparison *comparison, const sn_sample *samples) {
    for (size_t p = 0; p < comparison->points.n; p++) {
        for (size_t i = 0; i < comparison->points.items[p].n_samples; i++)
            comparison->runs[samples++->run].point = p;
    }
}

static sn_status group(sn_comparison *comparison, bool warns, sn_error *error) {
    size_t n = 0;
    sn_sample *samples = malloc((comparison->n + 1) * sizeof *samples);
    if (!samples) return sn_error_memory(error, comparison->n * sizeof *samples, "the runs");
    for (size_t i = 0; i < comparison->n; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        if (!sn_varied_knows(&comparison->varied, i) || run->twin != SN_NO_TWIN) continue;
        samples[n++] = (sn_sample){.cells = sn_varied_cells(&comparison->varied, i),
                                   .run = i,
                                   .is_finished = run->is_finished,
                                   .is_diverged = run->is_diverged,
                                   .is_missing = strcmp(run->status, "missing") == 0,
                                   .is_failed = strcmp(run->status, "failed") == 0,
                                   .is_running = strcmp(run->status, "running") == 0,
                                   .figures = run->figures};
    }
    sn_status status = sn_points_build(&comparison->points, &comparison->varied, samples, n, error);
    if (!status) number_points(comparison, samples);
    if (!status && warns) warn_of_neighbours(comparison, samples, n);
    if (!status) status = sn_differences_build(&comparison->differences, &comparison->varied, samples, n, error);
    free(samples);
    return status;
}

sn_status sn_comparison_finish(sn_comparison *comparison, const char *profiles, sn_error *error) {
    sn_status status = sn_varied_select(&comparison->varied, data_differ(comparison), error);
    if (!status) status = sn_twins_find(comparison, error);
    if (!status) warn_of_repeated(comparison);
    if (!status) status = warn_of_origins(comparison, error);
    if (!status) status = measure(comparison, profiles, error);
    if (!status) status = group(comparison, true, error);
    return status;
}

sn_status sn_comparison_foresee(sn_comparison *comparison, sn_error *error) {
    bool may_differ = true; /* checksums of data are not known yet */
    sn_status status = sn_varied_select(&comparison->varied, may_differ, error);
    return status ? status : group(comparison, false, error);
}
