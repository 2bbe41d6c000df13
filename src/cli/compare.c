/* Owns the verb compare. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "study/compare.h"

static sn_status write_csv(const sn_comparison *comparison, const char *directory, sn_error *error) {
    sn_text csv = SN_TEXT_EMPTY;
    sn_comparison_csv(comparison, &csv);
    sn_status status = csv.failed ? sn_error_memory(error, csv.length, "runs.csv") : sn_dir_make(directory, error);
    char *path = sn_path_join(directory, "runs.csv");
    if (!status && !path) status = sn_error_memory(error, strlen(directory), "a path");
    if (!status) status = sn_file_write_atomic(path, sn_text_string(&csv), csv.length, error);
    free(path);
    sn_text_free(&csv);
    return status;
}

static sn_status run_compare(const sn_arguments *arguments, sn_error *error) {
    sn_comparison comparison = {0};
    sn_status status = SN_OK;
    for (int i = 0; i < arguments->n_operands && !status; i++) {
        status = sn_comparison_add(&comparison, arguments->operands[i], error);
    }
    if (!status && arguments->out) status = write_csv(&comparison, arguments->out, error);
    if (!status) {
        sn_text text = SN_TEXT_EMPTY;
        sn_comparison_table(&comparison, &text);
        status = sn_print(&text, error);
    }
    sn_comparison_reset(&comparison);
    return status;
}

static const char *const options[] = {"out", NULL};

const sn_verb sn_verb_compare = {
    .name = "compare",
    .operands = "RUN|DIR...",
    .min_operands = 1,
    .max_operands = 1 << 20,
    .options = options,
    .help = "a table over several runs; with --out also runs.csv",
    .details =
        "RUN is a run directory, DIR a directory with runs below it.  log10 ratio: delta_rms of the first hidden\n"
        "layer over that of the last, at the last measured update; decades/layer: its slope towards the input.",
    .run = run_compare};
