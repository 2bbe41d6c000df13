/* Learning rates: what the row of a schedule holds, and the rate of a step.  Every schedule may begin with a warm-up,
 * by a number of steps or by result (warmup.h). */
#ifndef SN_RUN_LR_SCHEDULE_H
#define SN_RUN_LR_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

extern const sn_choice sn_lr_schedule_choice;

/* Where a rate is asked for: the step of the run, and what it is after the warm-up. */
typedef struct sn_lr_moment {
    int64_t step;     /* updates applied before */
    int64_t t, total; /* steps since the end of the warm-up, and from there to the end of the run */
} sn_lr_moment;

/* A row of the table of schedules. */
typedef struct sn_lr_row {
    sn_kind kind;   /* name, help, keys, formula */
    bool knows_end; /* the rate of a step depends on how many follow: a run of it cannot be made longer */

    /* What the row reads from its keys once, for free(); NULL when out of memory.  NULL: it has no keys. */
    void *(*read)(const sn_value *given, int64_t steps_per_epoch);

    /* The share of train.lr that is the rate of a step after the warm-up. */
    double (*share)(const void *keys, const sn_lr_moment *moment);

    /* Adds faults of keys that the table cannot see; NULL: there are none. */
    void (*check)(const sn_config *config, const sn_value *given, sn_error *error);
} sn_lr_row;

/* train.lr and train.lr_schedule: what the learning rate of a step is made of. */
typedef struct sn_lr_schedule {
    const sn_lr_row *row;
    void *keys; /* the row's own */
    double lr;
    int64_t warmup_steps;
    double warmup_lr, warmup_until_error; /* of a warm-up by result; else 0 */
    int64_t steps;                        /* of the run */
} sn_lr_schedule;

/* `train` is the resolved object, `steps` the updates of the whole run.  For sn_lr_schedule_reset. */
sn_status sn_lr_schedule_init(sn_lr_schedule *schedule, const sn_value *train, int64_t steps, int64_t steps_per_epoch,
                              sn_error *error);

/* Fine on a zeroed record. */
void sn_lr_schedule_reset(sn_lr_schedule *schedule);

/* Adds the faults of train.lr_schedule that the key tables cannot see; `has_accuracy`: a step tells the share of its
 * batch that is right. */
void sn_lr_schedule_check(const sn_config *config, bool has_accuracy, sn_error *error);

/* Whether the warm-up goes on until a result. */
bool sn_lr_schedule_by_result(const sn_lr_schedule *schedule);

/* Whether a schedule, the resolved train.lr_schedule, knows the end: see sn_lr_row. */
bool sn_lr_schedule_knows_end(const sn_value *given);

/* The learning rate of `step` (updates applied before it), where the warm-up ends before step `warmup_end`: -1 as long
 * as that is not known.  By steps: lr (step + 1) / warmup_steps for the first warmup_steps; by result: warmup_lr. */
double sn_learning_rate(const sn_lr_schedule *schedule, int64_t warmup_end, int64_t step);

#endif
