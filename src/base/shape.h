/* The shape of one sample of a signal. */
#ifndef SN_BASE_SHAPE_H
#define SN_BASE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rank 1 (features) or rank 3 (height, width, channels): an image is height x width positions, and at each of them as
 * many features as it has channels. */
typedef struct sn_shape {
    int rank;
    int64_t dim[3];
} sn_shape;

/* A vector of `features`. */
sn_shape sn_shape_vector(int64_t features);

/* Elements of one sample: positions times features. */
size_t sn_shape_size(const sn_shape *shape);

/* Positions: height x width, 1 for vectors. */
size_t sn_shape_positions(const sn_shape *shape);

/* Features of one position: the last dimension. */
int64_t sn_shape_features(const sn_shape *shape);

/* The same positions with other features. */
sn_shape sn_shape_with_features(const sn_shape *shape, int64_t features);

bool sn_shape_equal(const sn_shape *a, const sn_shape *b);

/* Whether a position of one is a position of the other: equal but for the features. */
bool sn_shape_same_positions(const sn_shape *a, const sn_shape *b);

/* Writes "64" or "28x28x1" into `out`. */
enum { SN_SHAPE_TEXT = 72 };
const char *sn_shape_text(const sn_shape *shape, char out[SN_SHAPE_TEXT]);

#endif
