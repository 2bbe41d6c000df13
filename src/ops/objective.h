/* Objectives: losses made ready for a config and its data. */
#ifndef SN_OPS_OBJECTIVE_H
#define SN_OPS_OBJECTIVE_H

#include "base/error.h"
#include "ops/loss.h"

/* Finds the loss that the config asks for, holds what it accepts to what the data have, and builds it.  SN_INVALID:
 * FILE:LINE:COL with the losses or values that go. */
sn_status sn_objective_build(sn_objective *objective, const sn_loss_request *request, sn_error *error);

/* What the samples weigh together in the mean of the loss. */
double sn_objective_weight(const sn_objective *objective, const sn_samples *samples, const uint32_t *indices, size_t n);

/* ---- for the rows of losses ---- */

/* What rows of a loss's table of keys have in common: {SN_KEY_CLASS_WEIGHTS, .flags = 0}. */
#define SN_KEY_CLASS_WEIGHTS                                                                                           \
    .name = "class_weights", .types = SN_LIST | SN_WORD | SN_NULL, .fallback = "null", .words = sn_class_weight_words, \
    .element = &sn_class_weight_element

extern const char *const sn_class_weight_words[];
extern const sn_key sn_class_weight_element;

/* The weights (out_dim) that the key class_weights of the loss asks for, of the request's pool; *weights NULL: it asks
 * for none.  Balanced ones are n / (n_classes count_c) over the training split, as scikit-learn has them, and are told
 * in a note.  SN_INVALID: not one number for each class; no weight on any training sample; balanced, and a class that
 * no training sample has. */
sn_status sn_class_weights(const double **weights, const sn_loss_request *request, sn_error *error);

#endif
