/* Owns what is drawn for augmented images, and the keys that ask for it. */
#include "data/augment.h"

#include <stddef.h>

sn_augment sn_augment_at(const sn_augment *augment, uint64_t seed, uint64_t epoch) {
    sn_augment at = *augment;
    if (sn_augment_is_on(augment)) at.rng = sn_rng_stream(seed, "augment", "", epoch);
    return at;
}

sn_crop sn_augment_draw(const sn_augment *augment, uint32_t sample) {
    enum { DY, DX, MIRROR, N_DRAWN };
    uint64_t first = (uint64_t)sample * N_DRAWN;
    sn_crop crop = {0};
    if (augment->crop_padding > 0) {
        uint64_t n = 2 * (uint64_t)augment->crop_padding + 1;
        crop.dy = (int)sn_rng_below(augment->rng, first + DY, n) - augment->crop_padding;
        crop.dx = (int)sn_rng_below(augment->rng, first + DX, n) - augment->crop_padding;
    }
    crop.is_mirrored = augment->flips && sn_rng_below(augment->rng, first + MIRROR, 2) == 1;
    return crop;
}

const sn_key sn_augment_keys[] = {
    {.name = "crop_padding",
     .types = SN_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 65535,
     .help = "pixels of padding at each side, of which a crop of the image's own size is drawn; padded is after the "
             "scaling, with 0, which is the mean where that is standardize; 0: no crop"},
    {.name = "flip",
     .types = SN_BOOL,
     .fallback = "false",
     .help = "mirror every second image, drawn at random, left to right"},
    {0},
};
