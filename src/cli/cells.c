/* Owns the verb cells. */
#include "sweep/cells.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "engine/team.h"
#include "sweep/estimate.h"
#include "sweep/foresee.h"

typedef struct cells_options {
    sn_words grid, set;
    const char *points, *out, *expect;
    int64_t seeds, threads;
    bool resume, longest_first, dry_run;
} cells_options;

static const sn_option option_rows[] = {
    {.name = "grid",
     .argument = "KEY=V1,V2,...",
     .help = "vary a config key over these values; several grids: all combinations",
     SN_OPTION_WORDS(cells_options, grid)},
    {.name = "points",
     .argument = "FILE",
     .help = "vary as a CSV file says: a header of keys, a row of values for each point",
     SN_OPTION_PATH(cells_options, points)},
    {.name = "seeds",
     .argument = "N",
     .help = "vary the seed: N seeds from that of the config on",
     SN_OPTION_COUNT(cells_options, seeds, 1000000)},
    SN_OPTION_SET(cells_options),
    SN_OPTION_THREADS(cells_options, "1"),
    SN_OPTION_OUT(cells_options),
    {.name = "expect",
     .argument = "FILE",
     .help = "check the expectations of `compare --expect` for what can be known before the runs",
     SN_OPTION_PATH(cells_options, expect)},
    {.name = "resume",
     .help = "let the runs of a sweep that is there become longer",
     SN_OPTION_FLAG(cells_options, resume)},
    {.name = "longest-first",
     .help = "in the list the cells with the most work come first: then no processor waits long at the end",
     SN_OPTION_FLAG(cells_options, longest_first)},
    {.name = "dry-run",
     .help = "write nothing; print the count, an estimate of time and disk",
     SN_OPTION_FLAG(cells_options, dry_run)},
};

/* Whether a shell finds the program under this bare name. */
static bool is_on_path(const char *name) {
    const char *directories = getenv("PATH");
    bool found = false;
    for (const char *p = directories; p && *p && !found; p += strcspn(p, ":") + (p[strcspn(p, ":")] == ':')) {
        sn_text file = SN_TEXT_EMPTY;
        sn_text_add_bytes(&file, p, strcspn(p, ":"));
        sn_text_addf(&file, "/%s", name);
        found = *p == '/' && !file.failed && access(sn_text_string(&file), X_OK) == 0;
        sn_text_free(&file);
    }
    return found;
}

/* What calls this program wherever a cell runs (free()): the bare word where it was called by one, found on the PATH,
 * since that holds on machines where it is installed elsewhere; else the path of the file, absolute.  NULL when out of
 * memory. */
static char *program_word(void) {
    const char *called = program_invocation_name;
    if (strchr(called, '/')) return sn_path_absolute(called);
    return is_on_path(called) ? sn_string_copy(called) : realpath("/proc/self/exe", NULL);
}

static sn_status print_written(const sn_cells *cells, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    size_t n = sn_cells_count(cells);
    sn_text_addf(&text, "%zu cell%s: %s/" SN_FILE_CELLS "\n", n, n == 1 ? "" : "s", cells->out);
    return sn_print(&text, error);
}

static void add_duration(sn_text *text, double seconds) {
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"days", 86400}, {"h", 3600}, {"min", 60}, {"s", 0}};
    int i = 0;
    while (seconds < 2 * units[i].seconds)
        i++;
    sn_text_addf(text, "%.3g %s", seconds / (units[i].seconds > 0 ? units[i].seconds : 1), units[i].unit);
}

static void add_size(sn_text *text, double bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    int i = 0;
    for (bytes /= 1e3; bytes >= 1e3 && i < 3; i++)
        bytes /= 1e3;
    sn_text_addf(text, "%.3g %s", bytes, units[i]);
}

static sn_status print_estimate(const sn_cells *cells, int threads, sn_error *error) {
    sn_estimate estimate;
    sn_status status = sn_cells_estimate(cells, &estimate, error);
    if (status) return status;
    sn_text text = SN_TEXT_EMPTY;
    int cores = sn_team_available();
    double here = estimate.core_seconds / cores, longest = estimate.longest / (threads < cores ? threads : cores);
    sn_text_addf(&text, "cells  %zu: %zu points of %zu seed%s\ntime   ", sn_cells_count(cells), cells->n_points,
                 cells->n_seeds, cells->n_seeds == 1 ? "" : "s");
    add_duration(&text, estimate.core_seconds);
    sn_text_addf(&text, " on one core, ");
    add_duration(&text, here > longest ? here : longest);
    sn_text_addf(&text, " on the %d here; the longest cell takes ", cores);
    add_duration(&text, longest);
    sn_text_addf(&text, "\n       (steps of %zu cells were timed on one thread, the others follow by their FLOPs",
                 estimate.n_timed);
    if (estimate.n_looked_at < cells->n_points) sn_text_addf(&text, ", from %zu of the points", estimate.n_looked_at);
    sn_text_add(&text, ")\ndisk   ");
    add_size(&text, estimate.bytes);
    sn_text_add(&text, "\n");
    return sn_print(&text, error);
}

static sn_status write_cells(const sn_cells *cells, int threads, sn_error *error) {
    char *program = program_word();
    if (!program) return sn_error_memory(error, strlen(program_invocation_name), "the path of the program");
    sn_status status = sn_cells_write(cells, program, threads, error);
    free(program);
    return status ? status : print_written(cells, error);
}

static void tell_repeated(const sn_cells *cells) {
    if (cells->n_repeated == 0) return;
    sn_say("%zu left out: they resolve to the same config as another cell (a key without effect there, or one "
           "value written in two ways)\n",
           cells->n_repeated * cells->n_seeds);
}

static void tell_reused(const sn_cells *cells) {
    bool is_one = cells->n_reused == 1;
    if (cells->n_reused == 0) return;
    sn_say("%zu cell%s finished already under another name in %s: %s not trained again\n", cells->n_reused,
           is_one ? " is" : "s are", cells->out, is_one ? "it is" : "they are");
}

/* Expectations are read first: a fault in them is told before the cells are looked over. */
static sn_status make_cells(const cells_options *chosen, const sn_cells_request *request, sn_cells *cells,
                            sn_error *error) {
    sn_expectations expectations = {0};
    sn_status status = chosen->expect ? sn_expectations_read(&expectations, chosen->expect, error) : SN_OK;
    if (!status) status = sn_cells_make(cells, request, error);
    if (!status && chosen->expect) {
        status = sn_cells_foresee(cells, &expectations, error);
        if (status) sn_cells_reset(cells);
    }
    sn_expectations_reset(&expectations);
    return status;
}

static sn_status run_with(const cells_options *chosen, const char *config, sn_error *error) {
    sn_cells_request request = {.config = config,
                                .sets = chosen->set.items,
                                .n_sets = chosen->set.n,
                                .grids = chosen->grid.items,
                                .n_grids = chosen->grid.n,
                                .points = chosen->points,
                                .seeds = chosen->seeds,
                                .resume = chosen->resume,
                                .out = chosen->out};
    sn_cells cells;
    sn_status status = make_cells(chosen, &request, &cells, error);
    if (status) return status;
    sn_tell_notes(&cells.notes);
    tell_repeated(&cells);
    tell_reused(&cells);
    int threads = chosen->threads ? (int)chosen->threads : 1;
    if (chosen->longest_first) sn_cells_longest_first(&cells);
    status = chosen->dry_run ? print_estimate(&cells, threads, error) : write_cells(&cells, threads, error);
    sn_cells_reset(&cells);
    return status;
}

static sn_status run_cells(const sn_arguments *arguments, sn_error *error) {
    const cells_options *chosen = arguments->record;
    if (!chosen->out)
        return sn_error_set(error, SN_INVALID, "skipnet cells: --out DIR is missing (see skipnet cells --help)");
    char *config = NULL;
    sn_status status = sn_find_config(&config, arguments->operands[0], false, error);
    if (!status) status = run_with(chosen, config, error);
    free(config);
    return status;
}

const sn_verb sn_verb_cells = {
    .name = "cells",
    .operands = "CONFIG",
    .min_operands = 1,
    .max_operands = 1,
    SN_VERB_OPTIONS(option_rows, cells_options),
    .help = "write the runs of a sweep as a list of commands",
    .details =
        "Writes DIR/config.json, what all cells share, and DIR/cells.txt, a command for a shell on each line:\n"
        "  skipnet train /abs/DIR/config.json --set KEY=VALUE ... --resume --threads 1 --out /abs/DIR/KEY=VALUE,...\n"
        "Nothing is run; anything that runs lines can (sh, xargs, parallel, a job array): scripts/sweep.sh does, "
        "which\n"
        "is installed as skipnet-sweep.\n"
        "The points of a file come first, then the grids in their order (--longest-first: by their FLOPs, where these\n"
        "are 500 points or less); the seed changes fastest.  A value that\n"
        "begins with {, [ or \" may have commas inside.  --grid network.skip=... replaces the object that the config\n"
        "has there; --grid network.skip.kind=... keeps its other keys.\n"
        "Every cell is checked before anything is written.  A directory takes a larger grid of the same config later,\n"
        "but no other config; with --resume one whose runs are longer (--set train.epochs=4 --resume).  A cell whose\n"
        "run is finished there under another name (a grid that contains the config's own value) takes that run.\n"
        "--expect refuses keys, metrics and grid points that the comparison will not have.\n"
        "skipnet stands in the lines as it was called where it is on the PATH, else by its\n"
        "absolute path.  --threads goes to every cell; default: 1.\n"
        "--dry-run times steps of some cells (of each kind the smallest and the largest) and adds up what all take.",
    .run = run_cells};
