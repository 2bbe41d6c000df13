/* Run directories as a comparison finds them. */
#ifndef SN_COMPARE_COLLECT_H
#define SN_COMPARE_COLLECT_H

#include "compare/compare.h"

/* The names of the entries of run.json in which runs should agree. */
extern const char *const sn_origin_names[SN_N_ORIGINS];

/* Adds a run of which nothing but its path is known; *run is valid until the next one. */
sn_status sn_collect_slot(sn_comparison *comparison, const char *path, sn_compared_run **run, sn_error *error);

/* Reads the config of the run that was added last; one that is broken is noted. */
sn_status sn_collect_config(sn_comparison *comparison, const sn_config_source *source, sn_error *error);

/* Reads run.json and config.json of the run directory and adds the run, unless its directory, by whatever path, is
 * there already: *is_new. */
sn_status sn_collect_new_run(sn_comparison *comparison, const char *path, bool *is_new, sn_error *error);

#endif
