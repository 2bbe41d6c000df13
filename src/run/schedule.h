/* Schedules: at which steps rows are written (a pure function of the step), and when the state of the run is saved. */
#ifndef SN_RUN_SCHEDULE_H
#define SN_RUN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

extern const sn_choice sn_report_schedule_choice, sn_checkpoint_choice;

typedef struct sn_report_schedule {
    bool is_log;
    int64_t every;      /* linear */
    int64_t per_decade; /* log */
    int64_t steps, steps_per_epoch;
} sn_report_schedule;

void sn_report_schedule_init(sn_report_schedule *schedule, const sn_value *report, int64_t steps,
                             int64_t steps_per_epoch);

/* Whether `step` has rows: 0, 1, 2, N-1, N, epoch ends, and what the schedule says: every n-th, or for log the rounded
 * values of 10^(k / per_decade). */
bool sn_report_is_due(const sn_report_schedule *schedule, int64_t step);

/* Whether `step` has evaluation passes: 0, epoch ends, N. */
bool sn_report_evaluates(const sn_report_schedule *schedule, int64_t step);

typedef struct sn_checkpoint_schedule {
    int64_t every;  /* steps */
    double seconds; /* that must have gone by since the last one */
    double costs;   /* and as many times what that one took */
} sn_checkpoint_schedule;

void sn_checkpoint_schedule_init(sn_checkpoint_schedule *schedule, const sn_value *train, int64_t steps_per_epoch);

/* Whether the state before `step` is to be saved, `seconds` after the last time (or the start), which took `cost`. */
bool sn_checkpoint_is_due(const sn_checkpoint_schedule *schedule, int64_t step, double seconds, double cost);

#endif
