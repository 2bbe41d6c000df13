/* How a sweep may grow: by cells, and with --resume in the length of its runs, but it does not change under the runs
 * that are there. */
#ifndef SN_SWEEP_GROWTH_H
#define SN_SWEEP_GROWTH_H

#include "config/config.h"

typedef struct sn_growth {
    const char *file; /* the config that lies there */
    const char *out;  /* the sweep's directory */
    bool resume;      /* its runs may become longer */
} sn_growth;

/* Judges one cell by the old config and the fresh one.  SN_INVALID: they differ in more than may be, or the runs would
 * be shorter, or their learning rates depend on the length. */
sn_status sn_growth_check(const sn_growth *growth, const sn_config *old, const sn_config *fresh, sn_error *error);

#endif
