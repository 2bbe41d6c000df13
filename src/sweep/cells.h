/* Cells: the runs of a sweep, as a list of commands for whatever runs them.
 *
 * The points of a file come first (slowest), then the grids in their order, the seed last (fastest).  Every point is
 * read as `train` will read it.  Where two points resolve to one config (a key without effect for a kind), the first
 * stays.  A cell that has no run, while a finished run of the same config lies in DIR under another name, takes that
 * name.  DIR/config.json is portable: what the cells share, with paths absolute and no key lost; a cell's command adds
 * the rest by --set, and its run is the one that `train CONFIG --set ...` would make, to the byte. */
#ifndef SN_SWEEP_CELLS_H
#define SN_SWEEP_CELLS_H

#include "base/error.h"
#include "base/notes.h"
#include "base/pool.h"
#include "base/text.h"
#include "config/config.h"
#include "run/sweep_files.h"
#include "sweep/reuse.h"

enum { SN_MAX_CELLS = 1000000 };

typedef struct sn_cells_request {
    const char *config; /* a file, "-": standard input */
    const char *const *sets;
    size_t n_sets; /* what all cells share */
    const char *const *grids;
    size_t n_grids;
    const char *points; /* a CSV file; NULL: none */
    int64_t seeds;      /* so many from the config's on; 0: not varied */
    const char *out;
    bool resume; /* the runs that are there may become longer */
} sn_cells_request;

typedef struct sn_cells_point {
    const char **sets;    /* (n_keys) "KEY=VALUE" as given */
    const char **origins; /* (n_keys) what messages put before them */
    const char **words;   /* (n_keys) the sets as shell words, paths in them absolute */
    const char *name;     /* of the run's directory, up to the seed */
    uint64_t identity;    /* where there are runs that it may take: sn_identity, but for the length where its run may
                             become longer */
    int64_t seed;         /* of its config */
} sn_cells_point;

typedef struct sn_cells {
    const sn_cells_request *request;
    char *text, *base_dir; /* of the config file */
    const char *path;      /* its name in messages */
    sn_config *portable;
    char *out; /* absolute */
    size_t n_keys, n_points;
    sn_cells_point *points;
    const size_t *order; /* (n_points) of their lines, of `pool`; NULL: as they come */
    size_t n_repeated;   /* points left out, since another resolves to the same config */
    sn_reuse reuse;      /* finished runs in the directory */
    size_t n_reused;     /* cells whose run is there under another name, which they take */
    int64_t first_seed;
    size_t n_seeds; /* 1 where seeds are not varied */
    sn_notes notes; /* keys without effect in any cell */
    sn_pool pool;
} sn_cells;

/* Makes the cells, writing nothing.  SN_INVALID: whatever the config, the axes or a point are at fault, all of them
 * told; or the directory holds another sweep or a run; with `resume` a sweep that is as long or shorter may lie
 * there, if its learning rates do not depend on that length.  The request must outlive the cells. */
sn_status sn_cells_make(sn_cells *cells, const sn_cells_request *request, sn_error *error);
void sn_cells_reset(sn_cells *cells);

size_t sn_cells_count(const sn_cells *cells);

/* The resolved config of a point, with the first seed. */
sn_status sn_cells_config(const sn_cells *cells, size_t point, sn_config **config, sn_error *error);

/* Appends the command of each cell on a line of its own; `program` is the word or path that calls skipnet. */
void sn_cells_text(const sn_cells *cells, const char *program, int threads, sn_text *text);

/* Writes config.json and cells.txt (of sn_cells_text) into the directory. */
sn_status sn_cells_write(const sn_cells *cells, const char *program, int threads, sn_error *error);

#endif
