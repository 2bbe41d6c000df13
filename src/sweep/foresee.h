/* Expectations of a sweep, before it is run. */
#ifndef SN_SWEEP_FORESEE_H
#define SN_SWEEP_FORESEE_H

#include "compare/expectations.h"
#include "sweep/cells.h"

/* Checks what can be known now of the expectations about the comparison that will follow the cells: it sees their runs
 * and those that lie in the directory already.  SN_INVALID: a key that no run will have, a row that matches no grid
 * point and no difference; in the words of `compare --expect`. */
sn_status sn_cells_foresee(const sn_cells *cells, const sn_expectations *expectations, sn_error *error);

#endif
