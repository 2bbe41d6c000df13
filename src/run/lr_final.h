/* What schedules share that go down to a share of the rate at the end of the run; not for other rooms. */
#ifndef SN_RUN_LR_FINAL_H
#define SN_RUN_LR_FINAL_H

#include <stdlib.h>

#include "run/lr_schedule.h"

/* Their only key, {SN_KEY_FINAL}, as they read it. */
#define SN_KEY_FINAL                                                                                                   \
    .name = "final", .types = SN_NUMBER, .fallback = "0", .min = 0, .max = 1,                                          \
    .help = "share of the rate that is left at the end"

static inline void *sn_lr_final_read(const sn_value *given, int64_t steps_per_epoch) {
    (void)steps_per_epoch;
    double *final = malloc(sizeof *final);
    if (final) *final = sn_value_number(given, "final");
    return final;
}

#endif
