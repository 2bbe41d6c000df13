/* Owns the shape of a sample: its sizes and its text. */
#include "base/shape.h"

#include <inttypes.h>
#include <stdio.h>

sn_shape sn_shape_vector(int64_t features) {
    return (sn_shape){.rank = 1, .dim = {features}};
}

size_t sn_shape_size(const sn_shape *shape) {
    return sn_shape_positions(shape) * (size_t)sn_shape_features(shape);
}

size_t sn_shape_positions(const sn_shape *shape) {
    size_t positions = 1;
    for (int i = 0; i + 1 < shape->rank; i++)
        positions *= (size_t)shape->dim[i];
    return positions;
}

int64_t sn_shape_features(const sn_shape *shape) {
    return shape->dim[shape->rank - 1];
}

sn_shape sn_shape_with_features(const sn_shape *shape, int64_t features) {
    sn_shape other = *shape;
    other.dim[other.rank - 1] = features;
    return other;
}

bool sn_shape_same_positions(const sn_shape *a, const sn_shape *b) {
    bool equal = a->rank == b->rank;
    for (int i = 0; i + 1 < a->rank && equal; i++)
        equal = a->dim[i] == b->dim[i];
    return equal;
}

bool sn_shape_equal(const sn_shape *a, const sn_shape *b) {
    return sn_shape_same_positions(a, b) && sn_shape_features(a) == sn_shape_features(b);
}

const char *sn_shape_text(const sn_shape *shape, char out[SN_SHAPE_TEXT]) {
    int n = snprintf(out, SN_SHAPE_TEXT, "%" PRId64, shape->dim[0]);
    for (int i = 1; i < shape->rank; i++)
        n += snprintf(out + n, SN_SHAPE_TEXT - (size_t)n, "x%" PRId64, shape->dim[i]);
    return out;
}
