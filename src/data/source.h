/* What the sources share, not for other rooms: their rows, the memory of the splits, the splits of generated data. */
#ifndef SN_DATA_SOURCE_H
#define SN_DATA_SOURCE_H

#include "data/data.h"

/* No file is read and no split is made beyond this size: an absurd header or config fails before it allocates. */
#define SN_DATA_MAX_BYTES ((uint64_t)1 << 31)

extern const sn_source sn_source_fashion_mnist;
extern const sn_source sn_source_mnist;
extern const sn_source sn_source_cifar_10;
extern const sn_source sn_source_cifar_100;
extern const sn_source sn_source_textures;
extern const sn_source sn_source_csv;
extern const sn_source sn_source_spirals;
extern const sn_source sn_source_teacher;
extern const sn_source sn_source_gaussian;

/* Memory for count elements of `size` bytes, not filled, owned by the dataset; NULL with an error for `what`. */
void *sn_dataset_block(sn_dataset *dataset, size_t count, size_t size, const char *what, sn_error *error);

/* Hands a malloc-ed block over to the dataset. */
void sn_dataset_adopt(sn_dataset *dataset, void *memory);

/* The checksum of the dataset as it is.  A source may set it already, for all samples that there are before the limits
 * of the config. */
uint64_t sn_dataset_hash(const sn_dataset *dataset);

/* A split while it is being filled: bytes where the dataset has the shape of images, else values; labels or targets, as
 * dataset->is_classes says. */
typedef struct sn_new_split {
    size_t n;
    uint8_t *bytes;   /* (n, in_dim) */
    double *values;   /* (n, in_dim) */
    uint32_t *labels; /* (n) */
    double *targets;  /* (n, out_dim) */
} sn_new_split;

/* Makes room for n samples of the dataset's dimensions and points *samples (a split of the same dataset) at it. */
sn_status sn_dataset_make_room(sn_dataset *dataset, sn_samples *samples, size_t n, sn_new_split *room, sn_error *error);

/* For generated sources, whose dimensions and shape are set already: reads the keys samples and test_samples, checks
 * the size, makes room[0] (train) and room[1] (test). */
sn_status sn_dataset_make_generated(sn_dataset *dataset, const sn_config *config, const sn_value *data,
                                    sn_new_split room[2], sn_error *error);

#endif
