/* What a sweep will take, before it is run.
 *
 * Steps of a few cells are timed on one thread: of the cells that share all values which are no numbers (skip kind,
 * precision, ...) the one with the fewest FLOPs a step and the one with the most.  The others of these lie on the line
 * between the two.  On that come the rows, the evaluation passes (by their FLOPs) and the loading of the data.  Nothing
 * is written. */
#ifndef SN_SWEEP_ESTIMATE_H
#define SN_SWEEP_ESTIMATE_H

#include "sweep/cells.h"

typedef struct sn_estimate {
    double core_seconds; /* of all cells, one after the other on one core */
    double longest;      /* seconds of the longest cell */
    double bytes;        /* of all run directories */
    size_t n_timed;      /* cells whose steps were timed */
    size_t n_looked_at;  /* points whose network was built: all, or evenly chosen among many */
} sn_estimate;

/* SN_INVALID: a point that cannot be built (its message); SN_DIVERGED where no step could be timed. */
sn_status sn_cells_estimate(const sn_cells *cells, sn_estimate *estimate, sn_error *error);

/* Puts the points with the most work (steps and evaluation passes, by their FLOPs) first, so that no processor is left
 * with a long cell when the others have none any more; points of equal work stay in their order.  Nothing happens where
 * there are more than 500, which hardly makes a difference, or where they cannot be built here. */
void sn_cells_longest_first(sn_cells *cells);

#endif
