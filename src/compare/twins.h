/* Equal runs: a grid that contains the config's own value, or a second sweep beside the first, makes the same run under
 * two directories.  Counted twice, it would make intervals too narrow. */
#ifndef SN_COMPARE_TWINS_H
#define SN_COMPARE_TWINS_H

#include "compare/compare.h"

/* Finds the runs that have the same config hash and the same varied keys as another, sets their `twin` and notes them
 * in one line.  A finished run counts before one that is not, then the one that was found first.  The varied keys must
 * be selected. */
sn_status sn_twins_find(sn_comparison *comparison, sn_error *error);

#endif
