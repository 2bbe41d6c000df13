/* Axes: what the cells of a sweep vary.  A grid is an axis of one key, a file of points one of several. */
#ifndef SN_SWEEP_AXES_H
#define SN_SWEEP_AXES_H

#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"

typedef struct sn_axis {
    size_t n_keys, n_values;
    const char **keys; /* (n_keys) dotted */
    const char **sets; /* (n_values, n_keys) "KEY=VALUE" */
    const char *
        *words; /* (n_values, n_keys) the sets as they go into a command; filled by their user, NULL until then */
    const char **origins; /* (n_values) what messages put before a set: "--grid", "--points FILE: row 3:" */
} sn_axis;

/* An axis "KEY=V1,V2,...".  A value that begins with {, [ or " reaches to its closing counterpart, so commas inside it
 * do not part values.  SN_INVALID: no key, no or an empty value, one that is not closed, a value twice.  The axis lives
 * in the pool. */
sn_status sn_axis_grid(sn_axis *axis, sn_pool *pool, const char *grid, sn_error *error);

/* An axis from a CSV file: a header of keys, a row for each value.  SN_INVALID with file and row: an empty cell, a row
 * of another length, a row or a key twice, no rows. */
sn_status sn_axis_points(sn_axis *axis, sn_pool *pool, const char *path, sn_error *error);

/* SN_INVALID where a key stands on two axes or among the sets, or one replaces what holds a key that is set before it
 * (network.skip after network.skip.kind). */
sn_status sn_axes_check(const sn_axis *axes, size_t n_axes, const char *const *sets, size_t n_sets, sn_error *error);

#endif
