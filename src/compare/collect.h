/* Run directories as a comparison finds them. */
#ifndef SN_COMPARE_COLLECT_H
#define SN_COMPARE_COLLECT_H

#include "compare/compare.h"

/* The names of the entries of run.json in which runs should agree. */
extern const char *const sn_origin_names[SN_N_ORIGINS];

/* Reads run.json and config.json of the run directory and adds the run. */
sn_status sn_collect_run(sn_comparison *comparison, const char *path, sn_error *error);

#endif
