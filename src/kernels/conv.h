/* Convolutions of signals in panels, direct: products over windows, nothing is copied together. */
#ifndef SN_KERNELS_CONV_H
#define SN_KERNELS_CONV_H

#include "base/panel.h"
#include "kernels/conv_axis.h"
#include "kernels/variant.h"

/* A convolution over the height (y) and the width (x) of images, or its transpose. */
typedef struct sn_convolution {
    sn_conv_axis y, x;
    bool is_transposed;   /* from the output's positions to the input's: what a backward pass needs */
    size_t panels, lanes; /* lanes that are to be computed of each of them: fewer than SN_PANEL in a call of one */
    size_t from_features, to_features;
    const real *weight;        /* tap (t, u) of features i of `to` and j of `from` at i * to_step + j * from_step + */
    size_t to_step, from_step; /* t * x.kernel + u */
    sn_view from, to;
    sn_view base;     /* what the sums are added to, may be `to`; data NULL: */
    const real *bias; /* (to_features); NULL: zero */
} sn_convolution;

/* Writes `to`; whether all of it is finite.  A sum has its products in the order of the taps, row by row, and of the
 * features of `from` for each of them. */
bool SN_V(sn_convolve)(const sn_convolution *c);

/* The gradient by the weights. */
typedef struct sn_conv_gradient {
    sn_conv_axis y, x;
    size_t samples;    /* whole panels, but for the last one */
    sn_view in;        /* the input, from its first feature that is wanted on, */
    sn_view dy;        /* the gradient by the output likewise */
    size_t rows, cols; /* features of the output, of the input */
    sn_view gradient;  /* (rows, cols * taps), as the weights lie */
    real *room;        /* sn_conv_gradient_room elements */
} sn_conv_gradient;

/* Writes the gradient; whether all of it is finite.  A sum has its products in the order of the panels, the output's
 * positions and the samples. */
bool SN_V(sn_conv_gradient_of)(const sn_conv_gradient *g);

#endif
