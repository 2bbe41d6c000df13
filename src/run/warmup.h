/* How far the warm-up of the learning rate is.
 *
 * By steps it is known when it ends.  By result it ends when the mean batch error of the last 100 steps is below a
 * bound: the error of a step is the share of its batch that is wrong, short batches count as whole ones, and there is
 * no mean before there are 100 steps.  The step after that is the first one of the schedule (He et al. 2015, arXiv
 * 1512.03385, section 4.2). */
#ifndef SN_RUN_WARMUP_H
#define SN_RUN_WARMUP_H

#include "run/lr_schedule.h"

enum { SN_WARMUP_WINDOW = 100, SN_WARMUP_DOUBLES = 1 + SN_WARMUP_WINDOW };

typedef struct sn_warmup {
    int64_t end;                     /* the first step after it; -1: not known yet */
    double errors[SN_WARMUP_WINDOW]; /* that of step s stands at s % SN_WARMUP_WINDOW; by result only */
} sn_warmup;

void sn_warmup_init(sn_warmup *warmup, const sn_lr_schedule *schedule);

/* Takes the accuracy that step `step` had, before its update.  Every step is to be noted, in order; the same one again
 * changes nothing. */
void sn_warmup_note(sn_warmup *warmup, const sn_lr_schedule *schedule, int64_t step, double accuracy);

/* The mean error over the window that ends before `step`, which is SN_WARMUP_WINDOW or more. */
double sn_warmup_error(const sn_warmup *warmup);

/* As numbers, for a file.  What is decoded may lie at any address; false where it is the state before no step of that
 * number. */
void sn_warmup_encode(const sn_warmup *warmup, double doubles[SN_WARMUP_DOUBLES]);
bool sn_warmup_decode(sn_warmup *warmup, const void *doubles, int64_t step);

#endif
