/* The scale of regression targets, which nothing scales. */
#ifndef SN_DATA_TARGETS_H
#define SN_DATA_TARGETS_H

#include "data/data.h"

/* Sets target_scale, and notes it, where a target of the training split is far from mean 0 and sd 1: such losses and
 * gradients are of another size than initialisations and learning rates are made for. */
sn_status sn_targets_judge(sn_dataset *dataset, sn_error *error);

#endif
