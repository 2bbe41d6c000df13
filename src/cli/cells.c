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

static sn_status run_cells(const sn_arguments *arguments, sn_error *error) {
    if (!arguments->out)
        return sn_error_set(error, SN_INVALID, "skipnet cells: --out DIR is missing (see skipnet cells --help)");
    sn_cells_request request = {.config = arguments->operands[0],
                                .sets = arguments->sets,
                                .n_sets = arguments->n_sets,
                                .grids = arguments->grids,
                                .n_grids = arguments->n_grids,
                                .points = arguments->points,
                                .seeds = arguments->seeds,
                                .resume = arguments->resume,
                                .out = arguments->out};
    sn_cells cells;
    sn_status status = sn_cells_make(&cells, &request, error);
    if (status) return status;
    if (cells.n_repeated > 0)
        fprintf(stderr,
                "%zu left out: they resolve to the same config as another cell (a key without effect there, or one "
                "value written in two ways)\n",
                cells.n_repeated * cells.n_seeds);
    if (cells.n_reused > 0)
        fprintf(stderr, "%zu cell%s finished already under another name in %s: %s not trained again\n", cells.n_reused,
                cells.n_reused == 1 ? " is" : "s are", cells.out, cells.n_reused == 1 ? "it is" : "they are");
    int threads = arguments->threads ? arguments->threads : 1;
    status = arguments->dry_run ? print_estimate(&cells, threads, error) : write_cells(&cells, threads, error);
    sn_cells_reset(&cells);
    return status;
}

static const char *const options[] = {"grid", "points", "seeds", "set", "threads", "out", "resume", "dry-run", NULL};

const sn_verb sn_verb_cells = {
    .name = "cells",
    .operands = "CONFIG",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .help = "write the runs of a sweep as a list of commands",
    .details =
        "Writes DIR/config.json, what all cells share, and DIR/cells.txt, a command for a shell on each line:\n"
        "  skipnet train /abs/DIR/config.json --set KEY=VALUE ... --resume --threads 1 --out /abs/DIR/KEY=VALUE,...\n"
        "Nothing is run; anything that runs lines can (sh, xargs, parallel, a job array): scripts/sweep.sh does.\n"
        "The points of a file come first, then the grids in their order; the seed changes fastest.  A value that\n"
        "begins with {, [ or \" may have commas inside.  --grid network.skip=... replaces the object that the config\n"
        "has there; --grid network.skip.kind=... keeps its other keys.\n"
        "Every cell is checked before anything is written.  A directory takes a larger grid of the same config later,\n"
        "but no other config; with --resume one whose runs are longer (--set train.epochs=4 --resume).  A cell whose "
        "run is\n"
        "finished there under another name (a grid that contains the config's own value) takes that run.\n"
        "skipnet stands in the lines as it was called where it is on the PATH, else by its\n"
        "absolute path.  --threads goes to every cell; default: 1.\n"
        "--dry-run times steps of some cells (of each kind the smallest and the largest) and adds up what all take.",
    .run = run_cells};
