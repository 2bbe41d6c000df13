/* Data sets: two splits in memory, their scaling, and the table of sources.
 *
 * A source loads raw values; the scaling is applied where a batch is gathered, so that images stay bytes.
 *
 * The scaling is fitted to the training split as it is used (after train_limit) and applied to both splits:
 *
 *     scaling      images                                 other samples
 *     standardize  (pixel/255 - m) / s, one m and s for   (x - mean) / sd for every feature
 *                  all pixels
 *     per-channel  the same, with m and s of its channel  an error
 *     unit         pixel/255                              min-max to [0, 1] for every feature
 *     none         pixel, 0..255                          x
 *
 * Augmentation of images (data/augment.h) comes after the scaling.
 *
 * m, s, mean and sd are means and population standard deviations, those of images from exact integer sums.  A constant
 * feature becomes 0 (factor 1).  Targets are never scaled.  The default, standardize, also changes the samples of
 * teacher and gaussian a little: studies of signal propagation set scaling to none. */
#ifndef SN_DATA_DATA_H
#define SN_DATA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mapping.h"
#include "base/notes.h"
#include "base/pool.h"
#include "base/shape.h"
#include "config/config.h"
#include "data/augment.h"

/* One split.  Exactly one of `bytes` and `values` is set, and exactly one of `labels` and `targets`. */
typedef struct sn_samples {
    size_t n;
    const uint8_t *bytes;   /* (n, in_dim), raw pixels 0..255 */
    const double *values;   /* (n, in_dim), raw features */
    const uint32_t *labels; /* (n), each < out_dim */
    const double *targets;  /* (n, out_dim), as they are: targets are not scaled */
    const uint32_t *rows;   /* (n), the row of the CSV file (from 1, a header included); NULL: no such file */
} sn_samples;

/* Of the first n_pixels of a training split of images: what the scaling is fitted from. */
typedef struct sn_pixel_sums {
    uint64_t n_pixels; /* 0: not summed */
    uint64_t sum, squares;
} sn_pixel_sums;

typedef struct sn_dataset {
    sn_samples train, test; /* test.n may be 0 */
    size_t in_dim;
    size_t out_dim;  /* number of classes, or of regression targets */
    bool is_classes; /* labels (true) or targets (false) */
    sn_shape shape;  /* of a sample: an image has rank 3; in_dim elements */
    size_t n_scales; /* 1 (one scaling for all features), width * channels of an image (those of every row), in_dim */
    const double *mean; /* (n_scales): value of feature j = (raw - mean[j % n_scales]) * factor[j % n_scales] */
    const double *factor;
    sn_augment augment;       /* what the config wants for training batches; its stream is not set */
    sn_pixel_sums sums;       /* where they come with the data, else zero; private to src/data */
    const char *target_scale; /* "mean 58721, sd 3856" of targets far from 0 and 1, of `pool`; NULL: near, or classes */
    const char *const *class_names; /* (out_dim) what the file calls the classes, in UTF-8, of `pool`; NULL: nothing */
    uint64_t checksum;              /* of raw values, labels and targets of both splits after the limits */
    char *origin;                   /* where it came from, for people: a directory, a file, "generated"; of `pool` */
    sn_pool pool;
    sn_notes *notes; /* while it is loaded: what a source tells besides; NULL: nobody wants it; private to src/data */
    void *blocks[8]; /* big memory, free()d with the set; private to src/data */
    sn_mapping mapping; /* the same, of a cache; private to src/data */
} sn_dataset;

/* One row of the table of sources.  `data` is the resolved "data" object of `config`.  The source fills the splits,
 * dimensions, shape and origin, and notes what it read by a guess; limits, scaling and checksum are done by
 * sn_dataset_load for all sources. */
typedef struct sn_source {
    sn_kind kind; /* name, help, the source's own keys */
    sn_status (*load)(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error);
} sn_source;

/* NULL-terminated. */
extern const sn_source *const sn_sources[];

/* The choice for the key "data": the kinds are those of sn_sources; common keys seed, train_limit, test_limit,
 * scaling (path belongs to the kinds that read files, since csv requires it and images do not). */
extern const sn_choice sn_source_choice;

/* Loads what data[...] asks for.  Errors: SN_INVALID (content; file with byte offset or row), SN_IO (cannot read; a
 * missing file names the package to install, the variable SKIPNET_DATA and the key data.path).  `notes` (NULL: none)
 * are the caller's, also after an error: what was read by a guess, and what looks as if it was meant otherwise. */
sn_status sn_dataset_load(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_notes *notes,
                          sn_error *error);

/* Releases everything; the record is empty afterwards.  Fine on a zeroed record. */
void sn_dataset_reset(sn_dataset *dataset);

#endif
