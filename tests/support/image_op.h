/* An op of the tests alone that looks at images: with it a network reads an image as one.  In double only.  A config
 * writes it as "elu", which it replaces in the tables:
 *
 *     {"op": "elu", "alpha": 1}   mixes neighbours: y_p = sum_t w_t x_{p+t-1} + b - d x_p, for every channel, positions
 *                                 counted in a ring; w is "weight" (3, channels), b "bias", d "damping"
 *     {"op": "elu", "alpha": 2}   the mean over the positions: a vector of the channels
 *
 * It has what no op of the program has: three parameters, gradients in parts along the batch, and a copy (w in reverse)
 * that is derived from the whole tensor. */
#ifndef SN_TESTS_SUPPORT_IMAGE_OP_H
#define SN_TESTS_SUPPORT_IMAGE_OP_H

#include "support/net.h"

/* As net_open, in double and with the op of the tests. */
void net_open_image(test_net *net, const char *network, const sn_dataset *data, const sn_engine_options *options);

/* As toy_classes, of images. */
sn_dataset toy_images(size_t n, sn_shape shape, size_t out, uint64_t seed);

#endif
