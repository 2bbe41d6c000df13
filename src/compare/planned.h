/* What a sweep's directory knows of its cells besides the runs that are there: which are missing, which failed and why.
 */
#ifndef SN_COMPARE_PLANNED_H
#define SN_COMPARE_PLANNED_H

#include "compare/compare.h"

/* Adds a run, "missing", "failed" or (where its directory is locked) "running", for each cell of DIRECTORY/cells.txt
 * whose directory holds no run.json; nothing where there is no such list. */
sn_status sn_planned_add(sn_comparison *comparison, const char *directory, sn_error *error);

/* What is left of a run that is not finished and not at work: "failed" with the reason where its sweep says so. */
sn_status sn_planned_judge(sn_compared_run *run, sn_error *error);

#endif
