/* The scaling of the features, fitted to the training split. */
#ifndef SN_DATA_SCALE_H
#define SN_DATA_SCALE_H

#include "data/data.h"

/* Exact, of all pixels of a split of images of in_dim pixels. */
sn_pixel_sums sn_scaling_sum(const sn_samples *samples, size_t in_dim);

/* The words of the key data.scaling, NULL-terminated; one is for images alone. */
#define SN_SCALING_PER_CHANNEL "per-channel"
extern const char *const sn_scaling_words[];

/* Sets n_scales, mean and factor by dataset->train, as the comment of sn_dataset says.  SN_INVALID where the numbers
 * are too large or too small to be scaled in double precision. */
sn_status sn_scaling_fit(sn_dataset *dataset, const char *scaling, sn_error *error);

#endif
