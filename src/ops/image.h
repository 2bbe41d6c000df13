/* What the ops share that look at height and width.  A vector counts as an image of one position, its features as the
 * channels.  Not for other rooms. */
#ifndef SN_OPS_IMAGE_H
#define SN_OPS_IMAGE_H

#include "ops/row.h"

typedef struct sn_image {
    size_t height, width, channels;
} sn_image;

/* The image that goes into a node, and the one that comes out. */
typedef struct sn_images {
    sn_image in, out;
} sn_images;

static inline size_t sn_image_positions(sn_image image) {
    return image.height * image.width;
}

#if SN_DESCRIBES
static inline sn_image sn_image_of(const sn_shape *shape) {
    size_t features = (size_t)sn_shape_features(shape);
    if (shape->rank == 1) return (sn_image){1, 1, features};
    return (sn_image){(size_t)shape->dim[0], (size_t)shape->dim[1], features};
}

/* Sets the node's shape; a vector that keeps its one position stays a vector. */
static inline void sn_node_set_image(sn_node *node, const sn_node *input, sn_image image) {
    sn_shape shape = {3, {(int64_t)image.height, (int64_t)image.width, (int64_t)image.channels}};
    if (input->shape.rank == 1 && sn_image_positions(image) == 1) shape = sn_shape_vector(shape.dim[2]);
    sn_node_set_shape(node, &shape);
}
#else

/* to = base + factor from, for `n` features of a block; of what is NULL nothing is added. */
SN_ALWAYS_INLINE void sn_set_features(real *to, const real *base, const real *from, real factor, size_t n,
                                      size_t lanes) {
    sn_lane_rows e = sn_lane_rows_of(1, n, lanes, true);
    for (size_t at = 0; at < e.rows * SN_PANEL; at += SN_PANEL) {
        if (from && base) {
            SN_SIMD for (size_t c = at; c < at + e.cols; c++) to[c] = base[c] + factor * from[c];
        } else if (from) {
            SN_SIMD for (size_t c = at; c < at + e.cols; c++) to[c] = factor * from[c];
        } else if (base && base != to) {
            SN_SIMD for (size_t c = at; c < at + e.cols; c++) to[c] = base[c];
        } else if (!base) {
            SN_SIMD for (size_t c = at; c < at + e.cols; c++) to[c] = 0;
        }
    }
}

/* What the contribution to an input's gradient is added to, from a feature of a block on; NULL: nothing. */
static inline const real *sn_base_of(const sn_op_call *call, size_t block, size_t feature) {
    return call->flow[0] == SN_FLOW_ADD ? sn_lanes_of(call->base[0], block, feature) : NULL;
}
#endif

#endif
