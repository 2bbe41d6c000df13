/* Guards around the slices of the arenas, in checked builds: what a kernel, OpenBLAS's too, writes or reads beyond its
 * slice shows, where the address sanitizer sees one big block.
 *
 * A guard holds a pattern that is a NaN in both precisions.  Signals are filled with NaN when their lifetime begins, so
 * that nothing is read which the step has not written.  A damaged guard ends the program with the name of the slice
 * before it.  Elsewhere SN_GUARD is 0, and all of this is nothing.  Not for other rooms. */
#ifndef SN_ENGINE_GUARD_H
#define SN_ENGINE_GUARD_H

#include "engine/internal.h"

/* The panels of a walk: a group of them in the scratch memory of its thread. */
typedef struct sn_guard_lane {
    unsigned char *scratch;
    size_t panel, panels;
} sn_guard_lane;

/* Prepares the guards of a fresh engine and writes all that stay where they are. */
sn_status sn_guard_init(sn_engine *engine, sn_error *error);

/* Begins the lifetimes of signals at time `time`: NaN, and guards around those in scratch. */
void sn_guard_begin(const sn_engine *engine, const sn_guard_lane *lane, int time);

/* Aborts where a guard is damaged that stays where it is: those of all but scratch signals. */
void sn_guard_verify(const sn_engine *engine);

/* Aborts where a signal in scratch whose lifetime ends at `time` has a damaged guard. */
void sn_guard_end(const sn_engine *engine, const sn_guard_lane *lane, int time);

#endif
