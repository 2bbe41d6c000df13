/* Owns the verb compare. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "compare/compare.h"
#include "compare/expectations.h"
#include "compare/sort.h"
#include "run/directory.h"

typedef struct compare_options {
    const char *out, *expect, *sort;
    bool force;
} compare_options;

static const sn_option option_rows[] = {
    SN_OPTION_OUT(compare_options),
    {.name = "expect",
     .argument = "FILE",
     .help = "a CSV of what the figures should be; exit status 1 where one is not",
     SN_OPTION_PATH(compare_options, expect)},
    {.name = "sort",
     .argument = "KEY",
     .help = "sort the rows of the tables by this key or figure; -KEY: descending",
     SN_OPTION_PATH(compare_options, sort)},
    {.name = "force",
     .help = "replace files in --out that are not of a comparison",
     SN_OPTION_FLAG(compare_options, force)},
};

/* Writes the text under that name, and releases it. */
static sn_status write_file(sn_text *text, const char *directory, const char *name, sn_error *error) {
    char *path = sn_path_join(directory, name);
    sn_status status = text->failed || !path ? sn_error_memory(error, text->length, name) : SN_OK;
    if (!status) status = sn_file_write_atomic(path, sn_text_string(text), text->length, error);
    free(path);
    sn_text_free(text);
    return status;
}

static sn_status write_files(const sn_comparison *comparison, const char *directory, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    sn_comparison_package(comparison, &text);
    sn_status status = write_file(&text, directory, SN_FILE_PACKAGE, error);
    if (status) return status;
    sn_comparison_runs_csv(comparison, &text);
    status = write_file(&text, directory, SN_FILE_RUNS, error);
    if (status) return status;
    sn_comparison_points_csv(comparison, &comparison->points, &text);
    status = write_file(&text, directory, SN_FILE_SUMMARY, error);
    if (status) return status;
    sn_comparison_points_csv(comparison, &comparison->differences, &text);
    status = write_file(&text, directory, SN_FILE_DIFFERENCES, error);
    if (status) return status;
    sn_comparison_layers_csv(comparison, &text);
    return write_file(&text, directory, SN_FILE_LAYERS, error);
}

/* A file of the user's that has the name of one of ours; datapackage.json, which is written first, says whose the files
 * are. */
static sn_status check_strangers(const char *out, sn_error *error) {
    static const char *const names[] = {SN_FILE_PACKAGE, SN_FILE_RUNS,        SN_FILE_PROFILES,
                                        SN_FILE_SUMMARY, SN_FILE_DIFFERENCES, SN_FILE_LAYERS};
    sn_status status = SN_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++) {
        sn_file_mark mark = SN_MARK_NO_FILE;
        char *path = sn_path_join(out, names[i]);
        if (!path) return sn_error_memory(error, strlen(out), "a path");
        status = sn_file_check_mark(path, SN_COMPARISON_MARK, &mark, error);
        if (!status && mark == SN_MARK_MISSING) {
            status = sn_error_set(error, SN_INVALID,
                                  "%s is not of a comparison (take another --out, or --force to replace it)", path);
        }
        free(path);
        if (mark == SN_MARK_FOUND) break;
    }
    return status;
}

/* Its files would replace those of the run. */
static sn_status check_out(const char *out, sn_error *error) {
    char *manifest = sn_path_join(out, SN_FILE_MANIFEST);
    if (!manifest) return sn_error_memory(error, strlen(out), "a path");
    sn_status status = SN_OK;
    if (sn_path_exists(manifest)) {
        status = sn_error_set(error, SN_INVALID, "%s is a run itself: take another --out", out);
    }
    free(manifest);
    return status ? status : sn_dir_make(out, error);
}

static sn_status finish_comparison(sn_comparison *comparison, const compare_options *chosen, sn_error *error) {
    const char *out = chosen->out;
    if (!out) return sn_comparison_finish(comparison, NULL, error);
    sn_status status = check_out(out, error);
    if (!status && !chosen->force) status = check_strangers(out, error);
    if (status) return status;
    char *profiles = sn_path_join(out, SN_FILE_PROFILES);
    status =
        profiles ? sn_comparison_finish(comparison, profiles, error) : sn_error_memory(error, strlen(out), "a path");
    free(profiles);
    return status ? status : write_files(comparison, out, error);
}

static sn_status print_table(const sn_comparison *comparison, const char *sort_name, sn_error *error) {
    sn_sort sort;
    sn_status status = sn_sort_find(&sort, comparison, sort_name, error);
    if (status) return status;
    sn_text text = SN_TEXT_EMPTY;
    size_t width = isatty(STDOUT_FILENO) ? (size_t)sn_terminal_columns(STDOUT_FILENO) : 0;
    sn_comparison_table(comparison, &(sn_table_style){width, &sort}, &text);
    return sn_print(&text, error);
}

/* Says how much was compared: an expectation that looks at nothing would hold. */
static sn_status check_expectations(sn_expectations *expectations, const sn_comparison *comparison, const char *path,
                                    sn_error *error) {
    sn_status status = sn_expectations_check(expectations, comparison, error);
    if (status) return status;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "\n%s: %zu expectation%s hold%s, %zu figure%s compared\n", path, expectations->n,
                 expectations->n == 1 ? "" : "s", expectations->n == 1 ? "s" : "", expectations->n_compared,
                 expectations->n_compared == 1 ? "" : "s");
    return sn_print(&text, error);
}

static sn_status run_compare(const sn_arguments *arguments, sn_error *error) {
    const compare_options *chosen = arguments->record;
    sn_comparison comparison = {0};
    sn_expectations expectations = {0};
    sn_status status = chosen->expect ? sn_expectations_read(&expectations, chosen->expect, error) : SN_OK;
    for (int i = 0; i < arguments->n_operands && !status; i++)
        status = sn_comparison_add(&comparison, arguments->operands[i], error);
    if (!status) status = finish_comparison(&comparison, chosen, error);
    sn_tell_notes(&comparison.notes);
    if (!status) status = print_table(&comparison, chosen->sort, error);
    if (!status && chosen->expect) status = check_expectations(&expectations, &comparison, chosen->expect, error);
    sn_expectations_reset(&expectations);
    sn_comparison_reset(&comparison);
    return status;
}

static void add_details(sn_text *text) {
    sn_text_addf(
        text,
        "RUN is a run directory, DIR a directory with runs below it (links there are not followed); a run counts\n"
        "once however often it is found.  The keys in which the configs of the runs differ are columns; where\n"
        "there are several seeds, a second table shows their means.  From %d runs on only runs that are not done\n"
        "have a row of their own, and the count by status stands above; from %d grid points on summary.csv alone\n"
        "has the means.  log10 ratio: delta_rms of the first hidden layer over that of the last, at the last\n"
        "measured update; decades/layer: its slope towards the input.  What is cut or broken in a run is told on\n"
        "stderr.  Runs with the same config hash count once, whatever their directories are called.\n\n"
        "In the directory of a sweep its cells.txt says which cells are missing, and sweep-log/failed which failed\n"
        "and why.  A run at work shows what its files hold so far; one whose process is gone is interrupted.\n\n"
        "--sort KEY sorts the rows of the tables by a varied key or a figure, --sort -KEY descending.  On a terminal\n"
        "columns that do not fit are left out, and told; COLUMNS sets another width.\n\n"
        "--out DIR writes runs.csv, profiles.csv, summary.csv, differences.csv, layers.csv and datapackage.json.\n\n",
        SN_MANY_RUNS + 1, SN_MOST_ROWS + 1);
    sn_comparison_columns_text(text);
    sn_text_add(text,
                "\n--expect FILE is a CSV of what should hold, checked after all is written; exit status 1 and the "
                "figures\nwhere it does not:\n\n"
                "  network.depth,network.skip.kind,metric,statistic,op,value\n"
                "  50,none,log10_delta_ratio,mean,<,-8\n"
                "  ,add - none,test_accuracy,mean,>=,0\n\n"
                "The first columns are keys, as many as wanted; an empty cell means every grid point.  metric and\n"
                "statistic are those of summary.csv (differences.csv where the skip kind reads \"add - none\"), op "
                "one\nof < <= > >= == !=.  A figure that is empty is not as expected.\n");
}

const sn_verb sn_verb_compare = {.name = "compare",
                                 .operands = "RUN|DIR...",
                                 .min_operands = 1,
                                 .max_operands = 1 << 20,
                                 SN_VERB_OPTIONS(option_rows, compare_options),
                                 .help = "tables over several runs; with --out as CSV files; --expect checks them",
                                 .add_details = add_details,
                                 .run = run_compare};
