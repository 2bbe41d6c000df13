/* The geometry of a convolution, free of precision. */
#ifndef SN_KERNELS_CONV_AXIS_H
#define SN_KERNELS_CONV_AXIS_H

#include <stddef.h>

#include "base/panel.h"

enum { SN_CONV_MOST_KERNEL = 11 }; /* taps along an axis */

/* One axis: position o of the output reads the positions o * stride - padding + t of the input, for the taps t of the
 * kernel; what lies outside is zero. */
typedef struct sn_conv_axis {
    size_t in, out, kernel, stride, padding;
} sn_conv_axis;

/* Elements of room that the gradient of `rows` x `cols` features needs: rows of the input turned around, and a sum for
 * every tap. */
static inline size_t sn_conv_gradient_room(const sn_conv_axis *y, const sn_conv_axis *x, size_t rows, size_t cols) {
    size_t padded = sn_panels(cols) * SN_PANEL;
    return padded * (y->kernel * x->in * SN_PANEL + y->kernel * x->kernel * rows);
}

#endif
