/* Owns the comparison of runs.  Table and CSV loop over the same columns. */
#include "study/compare.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/metrics.h"
#include "run/directory.h"
#include "run/manifest.h"

/* What cannot be read, or for want of memory, is our failure; a broken run.json is one more row of the table. */
static bool is_failure(sn_status status) {
    return status == SN_FAILED || status == SN_IO;
}

static sn_status read_run(sn_compared_run *run, const char *manifest, sn_error *error) {
    sn_manifest_state state = {0};
    sn_error broken;
    sn_error_clear(&broken);
    sn_status status = sn_manifest_read_state(&state, manifest, &broken);
    if (is_failure(status)) return sn_error_set(error, status, "%s", broken.text);
    snprintf(run->status, sizeof run->status, "%s", status ? "unreadable" : state.status);
    if (status) return SN_OK;
    status = sn_manifest_read_summary(&run->summary, &run->manifest, &run->layers, manifest, &broken);
    run->has_summary = status == SN_OK;
    return is_failure(status) ? sn_error_set(error, status, "%s", broken.text) : SN_OK;
}

static sn_status add_run(sn_comparison *comparison, const char *path, const char *manifest, sn_error *error) {
    if (comparison->n == comparison->capacity) {
        size_t capacity = comparison->capacity ? 2 * comparison->capacity : 16;
        sn_compared_run *runs = realloc(comparison->runs, capacity * sizeof *runs);
        if (!runs) return sn_error_memory(error, capacity * sizeof *runs, "the runs");
        comparison->runs = runs;
        comparison->capacity = capacity;
    }
    sn_compared_run *run = &comparison->runs[comparison->n];
    *run = (sn_compared_run){.path = sn_string_copy(path)};
    if (!run->path) return sn_error_memory(error, strlen(path), "a path");
    comparison->n++;
    return read_run(run, manifest, error);
}

static sn_status add_below(sn_comparison *comparison, const char *path, sn_error *error);

/* A directory that holds a run.json is a run; any other may hold runs below it. */
static sn_status add_directory(sn_comparison *comparison, const char *path, sn_error *error) {
    char *manifest = sn_path_join(path, SN_FILE_MANIFEST);
    if (!manifest) return sn_error_memory(error, strlen(path), "a path");
    sn_status status =
        sn_path_exists(manifest) ? add_run(comparison, path, manifest, error) : add_below(comparison, path, error);
    free(manifest);
    return status;
}

/* Names in order, numbers in them by their value: depth=5 stands before depth=10. */
static int by_version(const struct dirent **a, const struct dirent **b) {
    return versionsort(a, b);
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
        if (!status && below && sn_path_is_dir(below)) status = add_directory(comparison, below, error);
        free(below);
        free(entries[i]);
    }
    free(entries);
    return status;
}

sn_status sn_comparison_add(sn_comparison *comparison, const char *path, sn_error *error) {
    size_t before = comparison->n;
    if (!sn_path_is_dir(path)) {
        errno = sn_path_exists(path) ? ENOTDIR : ENOENT;
        return sn_error_io(error, "read directory", path);
    }
    sn_status status = add_directory(comparison, path, error);
    if (!status && comparison->n == before) {
        status = sn_error_set(error, SN_INVALID, "%s: no run here or below (a run directory holds a run.json)", path);
    }
    return status;
}

void sn_comparison_reset(sn_comparison *comparison) {
    for (size_t i = 0; i < comparison->n; i++) {
        free(comparison->runs[i].path);
        free(comparison->runs[i].layers);
        sn_config_free(comparison->runs[i].manifest);
    }
    free(comparison->runs);
    *comparison = (sn_comparison){0};
}

typedef struct column {
    const char *name;  /* in the CSV */
    const char *title; /* in the table */
    int digits;        /* significant, in the table */
    sn_measure (*value)(const sn_summary *summary);
} column;

#define MEASURE(field)                                                                                                 \
    static sn_measure field##_of(const sn_summary *s) {                                                                \
        return s->field;                                                                                               \
    }

MEASURE(train_loss)
MEASURE(train_accuracy)
MEASURE(test_loss)
MEASURE(test_accuracy)
MEASURE(log10_delta_ratio)
MEASURE(decades_per_layer)

static sn_measure steps_of(const sn_summary *s) {
    return sn_measured((double)s->steps);
}

static sn_measure hidden_of(const sn_summary *s) {
    return sn_measured(s->n_hidden);
}

static sn_measure count_of(int count) {
    return count < 0 ? SN_NOT_MEASURED : sn_measured(count);
}

static sn_measure frozen_start_of(const sn_summary *s) {
    return count_of(s->frozen_start);
}

static sn_measure frozen_end_of(const sn_summary *s) {
    return count_of(s->frozen_end);
}

static sn_measure wall_of(const sn_summary *s) {
    return sn_measured(s->wall_seconds);
}

static const column columns[] = {
    {"steps", "steps", 9, steps_of},
    {"train_loss", "train loss", 5, train_loss_of},
    {"train_accuracy", "train acc", 4, train_accuracy_of},
    {"test_loss", "test loss", 5, test_loss_of},
    {"test_accuracy", "test acc", 4, test_accuracy_of},
    {"log10_delta_ratio", "log10 ratio", 4, log10_delta_ratio_of},
    {"decades_per_layer", "decades/layer", 4, decades_per_layer_of},
    {"n_hidden", "hidden", 9, hidden_of},
    {"frozen_layers_start", "frozen at 0", 9, frozen_start_of},
    {"frozen_layers_end", "frozen at end", 9, frozen_end_of},
    {"wall_s", "seconds", 4, wall_of},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static sn_measure value_of(const sn_compared_run *run, int c) {
    return run->has_summary ? columns[c].value(&run->summary) : SN_NOT_MEASURED;
}

static const char *cell_text(const sn_compared_run *run, int c, sn_text *cell) {
    sn_measure measure = value_of(run, c);
    sn_text_clear(cell);
    if (measure.is_measured) sn_text_add_number(cell, measure.value, columns[c].digits);
    return measure.is_measured ? sn_text_string(cell) : "-";
}

/* As wide as its title and its widest cell. */
static int column_width(const sn_comparison *comparison, int c, sn_text *cell) {
    size_t width = strlen(columns[c].title);
    for (size_t i = 0; i < comparison->n; i++) {
        size_t length = strlen(cell_text(&comparison->runs[i], c, cell));
        if (length > width) width = length;
    }
    return (int)width;
}

void sn_comparison_table(const sn_comparison *comparison, sn_text *text) {
    sn_text cell = SN_TEXT_EMPTY;
    int path_width = 3, widths[N_COLUMNS];
    for (size_t i = 0; i < comparison->n; i++) {
        int length = (int)strlen(comparison->runs[i].path);
        if (length > path_width) path_width = length;
    }
    sn_text_addf(text, "%-*s  %-11s", path_width, "run", "status");
    for (int c = 0; c < N_COLUMNS; c++) {
        widths[c] = column_width(comparison, c, &cell);
        sn_text_addf(text, "  %*s", widths[c], columns[c].title);
    }
    sn_text_add(text, "\n");
    for (size_t i = 0; i < comparison->n; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        sn_text_addf(text, "%-*s  %-11s", path_width, run->path, run->status);
        for (int c = 0; c < N_COLUMNS; c++)
            sn_text_addf(text, "  %*s", widths[c], cell_text(run, c, &cell));
        sn_text_add(text, "\n");
    }
    text->failed |= cell.failed;
    sn_text_free(&cell);
}

void sn_comparison_csv(const sn_comparison *comparison, sn_text *text) {
    sn_text_add(text, "run,status");
    for (int c = 0; c < N_COLUMNS; c++)
        sn_text_addf(text, ",%s", columns[c].name);
    sn_text_add(text, "\n");
    for (size_t i = 0; i < comparison->n; i++) {
        const sn_compared_run *run = &comparison->runs[i];
        sn_csv_cell(text, &(sn_cell){.kind = SN_CELL_TEXT, .text = run->path}, 17);
        sn_text_addf(text, ",%s", run->status);
        for (int c = 0; c < N_COLUMNS; c++) {
            sn_measure measure = value_of(run, c);
            sn_text_add(text, ",");
            if (measure.is_measured) sn_text_add_number(text, measure.value, 17);
        }
        sn_text_add(text, "\n");
    }
}
