/* Augmentation of images: each sample of a training batch is a crop of the padded image, and may be mirrored.
 *
 * What is done to a sample is a pure function of (seed, epoch, sample): it depends on no thread, no batch and no step
 * before, so a run can resume anywhere.  It is done where a batch is gathered; no image is ever kept augmented. */
#ifndef SN_DATA_AUGMENT_H
#define SN_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "config/key.h"

typedef struct sn_augment {
    int crop_padding; /* pixels at each side, less than height and width; 0: images are not cropped */
    bool flips;       /* about the vertical axis, for half of the samples */
    sn_rng rng;       /* of an epoch; unused where nothing is drawn */
} sn_augment;

/* Pixel (y, x) of the augmented image is pixel (y + dy, x' + dx) of the sample, where x' is x or, mirrored,
 * width - 1 - x; where the sample has no such pixel it is 0 after scaling. */
typedef struct sn_crop {
    int dy, dx;
    bool is_mirrored;
} sn_crop;

static inline bool sn_augment_is_on(const sn_augment *augment) {
    return augment->crop_padding > 0 || augment->flips;
}

/* The same for the samples of an epoch. */
sn_augment sn_augment_at(const sn_augment *augment, uint64_t seed, uint64_t epoch);

/* What is done to a sample, by its number in the split: dy and dx uniform on -crop_padding .. crop_padding. */
sn_crop sn_augment_draw(const sn_augment *augment, uint32_t sample);

/* For the table of a source of images: the key "augment", an object of augment_keys. */
extern const sn_key sn_augment_keys[];
#define SN_KEY_AUGMENT                                                                                                 \
    .name = "augment", .types = SN_OBJECT, .flags = SN_LATER, .fallback = "{}", .keys = sn_augment_keys,               \
    .help = "what is done to the images of training batches, anew in every epoch; evaluations see them as they are"

#endif
