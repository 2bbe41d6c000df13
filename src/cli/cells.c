/* Owns the verb cells. */
#include "study/cells.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"

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
                                .out = arguments->out};
    sn_cells cells;
    sn_status status = sn_cells_make(&cells, &request, error);
    if (status) return status;
    if (cells.n_repeated > 0)
        fprintf(stderr, "%zu left out: a key that varies has no effect there, so that they repeat another cell\n",
                cells.n_repeated * cells.n_seeds);
    char *program = program_word();
    int threads = arguments->threads ? arguments->threads : 1;
    if (!program) status = sn_error_memory(error, strlen(program_invocation_name), "the path of the program");
    if (!status) status = sn_cells_write(&cells, program, threads, error);
    if (!status) status = print_written(&cells, error);
    free(program);
    sn_cells_reset(&cells);
    return status;
}

static const char *const options[] = {"grid", "points", "seeds", "set", "threads", "out", "dry-run", NULL};

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
        "but no other config.  skipnet stands in the lines as it was called where it is on the PATH, else by its\n"
        "absolute path.  --threads goes to every cell; default: 1.",
    .run = run_cells};
