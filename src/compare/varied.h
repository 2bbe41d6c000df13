/* The keys in which the configs of many runs differ, and each run's values of them.
 *
 * A key is varied when runs that have it have different values of it.  So is one that only some runs have, unless the
 * other varied keys say which: growth goes with network.skip.kind = concat, and is no difference of its own.  What does
 * not enter the hash of a config is never varied: name, comments, reports; but paths of data are where the data
 * themselves differ.  A list of layers is compared by element where only few elements differ, else it is one value,
 * told by its length and a hash. */
#ifndef SN_COMPARE_VARIED_H
#define SN_COMPARE_VARIED_H

#include "compare/intern.h"
#include "config/config.h"

/* Cells are numbers of values: equal cells are equal values.  SN_NO_STRING: the run does not have the key. */
typedef struct sn_varied {
    sn_intern paths, values;
    struct sn_key_facts *keys;    /* by number of the path */
    struct sn_value_facts *facts; /* by number of the value */
    struct sn_setting *settings;  /* (key, value) of all runs, one after the other */
    struct sn_run_settings *runs; /* which of them belong to a run */
    size_t n_runs, n_settings;
    size_t key_capacity, fact_capacity, run_capacity, setting_capacity;
    uint32_t first; /* key in the order of the configs; the others by their `next` */

    /* what sn_varied_select finds */
    uint32_t *columns; /* (n_columns) keys, in the order of the configs, seed last */
    size_t n_columns;
    size_t n_grid;   /* columns without the seed: what makes a grid point */
    uint32_t *cells; /* (n_runs, n_columns) */
} sn_varied;

/* Adds the next run; `config` NULL: its keys are not known.  SN_FAILED: out of memory. */
sn_status sn_varied_add(sn_varied *varied, const sn_config *config, sn_error *error);

/* Finds the varied keys of all runs added, at least one.  `data_differ`: the checksums of the data do. */
sn_status sn_varied_select(sn_varied *varied, bool data_differ, sn_error *error);

void sn_varied_reset(sn_varied *varied);

/* Whether the keys of a run are known; its value of any key (by number of the path). */
bool sn_varied_knows(const sn_varied *varied, size_t run);
uint32_t sn_varied_value(const sn_varied *varied, size_t run, uint32_t key);

/* The cells of a run. */
const uint32_t *sn_varied_cells(const sn_varied *varied, size_t run);

/* The dotted name of a column; its shortest tail that no other key has ("skip.kind"); the number of the column of that
 * name, n_columns where there is none. */
const char *sn_varied_name(const sn_varied *varied, size_t column);
const char *sn_varied_title(const sn_varied *varied, size_t column);
size_t sn_varied_find(const sn_varied *varied, const char *name);

/* The type of a column's values, of Frictionless: integer, number, boolean or string. */
const char *sn_varied_type(const sn_varied *varied, size_t column);

/* The text of a cell, "" for SN_NO_STRING.  A text value gets its number by sn_varied_word: SN_NO_STRING when out of
 * memory. */
const char *sn_varied_text(const sn_varied *varied, uint32_t cell);
uint32_t sn_varied_word(sn_varied *varied, const char *word);

/* Whether a text means the value of a cell: the same text, or the same number. */
bool sn_varied_means(const sn_varied *varied, uint32_t cell, const char *text);

/* The order of two cells of a column: none, null, numbers by value, words by when they were met (skip kinds: none, add,
 * concat ...). */
int sn_varied_order(const sn_varied *varied, uint32_t a, uint32_t b);

#endif
