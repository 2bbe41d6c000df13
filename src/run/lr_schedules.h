/* The list of learning-rate schedules.  A new one is a file src/run/lr_NAME.c that defines its row sn_lr_NAME
 * (lr_schedule.h), and one line here. */
#ifndef SN_RUN_LR_SCHEDULES_H
#define SN_RUN_LR_SCHEDULES_H

#define SN_LR_SCHEDULES(X)                                                                                             \
    X(constant)                                                                                                        \
    X(step)                                                                                                            \
    X(milestones)                                                                                                      \
    X(linear)                                                                                                          \
    X(cosine)

/* The schedule of a config that names none. */
#define SN_DEFAULT_LR_SCHEDULE "constant"

#endif
