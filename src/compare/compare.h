/* Comparison of runs: reads what run directories say of themselves, finds in what the runs differ, and sets them side
 * by side: run by run, by grid point over the seeds, and between skip kinds.
 *
 *     sn_comparison_add(...) for each path, sn_comparison_finish(...), then the tables and files */
#ifndef SN_COMPARE_COMPARE_H
#define SN_COMPARE_COMPARE_H

#include "base/error.h"
#include "base/notes.h"
#include "base/text.h"
#include "compare/points.h"
#include "compare/profiles.h"
#include "compare/varied.h"
#include "report/figures.h"
#include "run/manifest.h"

/* Entries of run.json in which runs of one comparison should agree. */
enum { SN_N_ORIGINS = 5 };

/* One run directory. */
typedef struct sn_compared_run {
    char *path;
    char status[SN_RUN_STATUS]; /* of run.json; "unreadable" where that is broken, "interrupted" where it says "running"
                                 * and the process is gone; of a cell that has no run: "missing" or "failed" */
    char *reason;               /* why it failed or diverged; NULL: nothing is known */
    bool is_finished, is_diverged;
    bool is_missing;                      /* a cell of a sweep that has no run.json */
    int64_t last_step;                    /* the last update that was measured; -1: not known */
    sn_measure figures[SN_N_RUN_FIGURES]; /* an unfinished run may have none */
    uint32_t origins[SN_N_ORIGINS];       /* SN_NO_STRING where run.json does not say */
    uint64_t data_checksum;               /* 0: not known */
    uint64_t config_hash;                 /* 0: not known */
    size_t twin;                          /* the run that counts in place of this one, which is equal; SN_NO_TWIN */
    size_t point;                         /* its grid point, once they are built; without meaning for a twin */
} sn_compared_run;

#define SN_NO_TWIN SIZE_MAX

/* Whether a run is a row of its own: a missing cell whose equal is there is none. */
bool sn_compared_run_is_listed(const sn_compared_run *run);

typedef struct sn_comparison {
    sn_compared_run *runs; /* in the order of the paths, below a directory by name */
    size_t n, capacity;
    sn_intern places;  /* device and inode of each run's directory */
    size_t n_repeated; /* finds of a run that was there already */
    sn_intern words;   /* origins */
    sn_varied varied;  /* its run i is runs[i] */
    bool only_runs;    /* cells that have no run are not added; set before anything is */
    sn_notes notes;    /* warnings */
    sn_points points, differences;
    sn_profiles by_layer;
} sn_comparison;

/* Collects the run at `path` (it holds a run.json), or all runs below it (links are followed at `path`, not below it),
 * and the cells of a sweep there that have no run yet; later calls add.  A directory that is there already, by whatever
 * path, counts once.  Broken files are noted.  SN_IO: cannot read the directory.  SN_INVALID: no run there. */
sn_status sn_comparison_add(sn_comparison *comparison, const char *path, sn_error *error);

/* Finds the varied keys, which runs are equal (only one of them counts, and it is noted), reads the runs' CSVs, groups
 * the runs into points and differences, and notes where runs should not be compared.  `profiles` is the path of
 * profiles.csv, which is written on the way; NULL: it is not. */
sn_status sn_comparison_finish(sn_comparison *comparison, const char *profiles, sn_error *error);

/* Adds a run that is still to come: it has the keys of that config, and no figures. */
sn_status sn_comparison_plan(sn_comparison *comparison, const sn_config *config, sn_error *error);

/* In place of sn_comparison_finish where runs are still to come: finds the varied keys and groups the runs, reading
 * nothing. */
sn_status sn_comparison_foresee(sn_comparison *comparison, sn_error *error);

void sn_comparison_reset(sn_comparison *comparison);

/* ---- for people (compare_text.c) ---- */

/* Runs from which on only those that are not done have a row in the table, and rows of either table at most;
 * failures that are told. */
enum { SN_MANY_RUNS = 100, SN_MOST_ROWS = 1000, SN_MOST_REASONS = 20 };

/* How tables are shown. */
typedef struct sn_table_style {
    size_t width;               /* of the terminal; 0: however wide they are */
    const struct sn_sort *sort; /* see sort.h */
} sn_table_style;

/* Aligned tables: a row per run, and where there are several seeds, or too many runs for a row each, a row per grid
 * point with the mean over the seeds.  Behind the first one stands how many cells are missing, failed or at work, and
 * why they failed; behind each, which columns were left out. */
void sn_comparison_table(const sn_comparison *comparison, const sn_table_style *style, sn_text *text);

/* ---- files (compare_files.c): header first; empty = not measured ---- */

/* run, varied keys, status, figures: a row per run. */
void sn_comparison_runs_csv(const sn_comparison *comparison, sn_text *text);

/* Varied keys without the seed, metric, statistics: a row per point and metric, those of a point without a
 * finished run too. */
void sn_comparison_points_csv(const sn_comparison *comparison, const sn_points *points, sn_text *text);

/* Varied keys without the seed, step, layer, depth_frac, statistics of log10 delta_rms: a row per point, time (step 0
 * and the last update) and hidden layer. */
void sn_comparison_layers_csv(const sn_comparison *comparison, sn_text *text);

/* The header of profiles.csv, and what its rows begin with for a run: its path and keys, with the comma. */
void sn_comparison_profiles_header(const sn_comparison *comparison, sn_text *text);
void sn_comparison_profiles_prefix(const sn_comparison *comparison, size_t run, sn_text *text);

/* Appends the columns of runs.csv and summary.csv with their meaning, for --help. */
void sn_comparison_columns_text(sn_text *text);

/* datapackage.json over the CSV files.  Beside what Frictionless asks for it says what pictures need to know: `values`,
 * a list for each varied key of the values that listed runs have, in order (null: the key is not there), and `axes`,
 * the keys with two or more numbers, network.depth first, then those with most. */
void sn_comparison_package(const sn_comparison *comparison, sn_text *text);

/* What the description of a comparison's datapackage.json begins with: so its files are told from others. */
#define SN_COMPARISON_MARK "Skipnet runs side by side"

#define SN_FILE_RUNS        "runs.csv"
#define SN_FILE_PROFILES    "profiles.csv"
#define SN_FILE_SUMMARY     "summary.csv"
#define SN_FILE_DIFFERENCES "differences.csv"
#define SN_FILE_LAYERS      "layers.csv"

#endif
