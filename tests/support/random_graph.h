/* Random networks as config text, for what has to hold of every graph.  They are functions of their seed. */
#ifndef SN_TESTS_SUPPORT_RANDOM_GRAPH_H
#define SN_TESTS_SUPPORT_RANDOM_GRAPH_H

#include "base/rng.h"
#include "base/shape.h"
#include "base/text.h"
#include "support/functions.h"

enum { RANDOM_MOST_NODES = 32 };

/* What is drawn: draw i of a seed is a function of both. */
typedef struct random_draws {
    sn_rng rng;
    uint64_t drawn;
} random_draws;

random_draws random_begin(uint64_t seed, const char *label);

/* Uniform on 0 .. n - 1. */
int random_below(random_draws *draws, int n);

/* One of support/functions.h: each activation of the program, with its parameter.  `is_smooth`: one that does not bend.
 */
const function *random_function(random_draws *draws, bool is_smooth);

typedef enum random_images {
    RANDOM_NO_IMAGES, /* no op that looks at height and width */
    RANDOM_OF_INPUT,  /* the input is one, `image` */
    RANDOM_MADE,      /* the input is a vector, of which images are made */
} random_images;

typedef struct random_limits {
    int in, out;    /* widths of the input and of the last node */
    int most_units; /* of a layer that is free to choose */
    int most_width; /* of a concat, but for the last that joins what nothing has read */
    bool is_smooth; /* only ops with four derivatives everywhere, and 3 features or more under a norm of rows, so that
                     * differences of the loss are exact */
    bool is_dense;  /* it begins with a concat that grows, every stage under an activation */
    bool is_ill;    /* many norms, stacked up to three deep, of an eps down to 1e-14 */
    random_images images;
    sn_shape image;
} random_limits;

/* A layer list of every op, of those on images where the limits say so: {"layers": [...]} (sn_text_free). */
sn_text random_graph(uint64_t seed, const random_limits *limits);

/* A whole config that trains for a moment on generated data: a layer list or a family, either loss and precision, odd
 * batches with a short last one (sn_text_free). */
sn_text random_config(uint64_t seed);

#endif
