/* What the ops share that move a square window over an image: where it stands, and what it sees.  Positions outside of
 * the image are seen by nobody.  Not for other rooms. */
#ifndef SN_OPS_POOLING_H
#define SN_OPS_POOLING_H

#include "ops/image.h"

typedef struct sn_pooling {
    sn_images images;
    size_t kernel, stride, padding;
} sn_pooling;

/* Places along one axis, from begin up to, not with, end; there are none where end is not above begin. */
typedef struct sn_span {
    size_t begin, end;
} sn_span;

#if SN_DESCRIBES
/* Of the keys of a pooling op those that the ops share. */
#define SN_POOL_KEYS                                                                                                   \
    {.name = "kernel",                                                                                                 \
     .types = SN_INTEGER,                                                                                              \
     .fallback = "2",                                                                                                  \
     .min = 1,                                                                                                         \
     .max = 1e4,                                                                                                       \
     .help = "height and width of the window"},                                                                        \
        {.name = "stride",                                                                                             \
         .types = SN_INTEGER | SN_NULL,                                                                                \
         .fallback = "null",                                                                                           \
         .min = 1,                                                                                                     \
         .max = 1e4,                                                                                                   \
         .help = "positions from one window to the next; null: as many as the kernel has"},                            \
    {                                                                                                                  \
        .name = "padding", .types = SN_INTEGER, .fallback = "0", .min = 0, .max = 5e3,                                 \
        .help = "positions that are added on every side, half of the kernel at most"                                   \
    }

/* Reads these keys; the output has as many windows as fit, and the channels of the input. */
static inline sn_status sn_pooling_build(sn_pooling *window, sn_node *node, const sn_node *input, sn_error *error) {
    const sn_value *stride = sn_value_get(node->config, "stride");
    size_t kernel = (size_t)sn_value_integer(node->config, "kernel");
    size_t padding = (size_t)sn_value_integer(node->config, "padding");
    sn_image in = sn_image_of(&input->shape);
    if (2 * padding > kernel)
        return sn_node_fault(node, error, "a padding of %zu is more than half of the kernel, %zu", padding, kernel);
    if (in.height + 2 * padding < kernel || in.width + 2 * padding < kernel)
        return sn_node_fault(node, error, "a kernel of %zu does not fit into \"%s\", %zux%zu with a padding of %zu",
                             kernel, input->label, in.height, in.width, padding);
    *window = (sn_pooling){.images = {in, in}, .kernel = kernel, .padding = padding};
    window->stride = stride ? (size_t)sn_value_integer(stride, "") : kernel;
    window->images.out.height = (in.height + 2 * padding - kernel) / window->stride + 1;
    window->images.out.width = (in.width + 2 * padding - kernel) / window->stride + 1;
    sn_node_set_image(node, input, window->images.out);
    return SN_OK;
}
#else
/* What window `o` sees along an axis of `n` positions: some. */
static inline sn_span sn_pooling_sees(const sn_pooling *window, size_t o, size_t n) {
    size_t begin = o * window->stride, end = begin + window->kernel - window->padding;
    return (sn_span){begin > window->padding ? begin - window->padding : 0, end < n ? end : n};
}

/* The windows of `n` along an axis that see position `i`. */
static inline sn_span sn_pooling_seeing(const sn_pooling *window, size_t i, size_t n) {
    size_t at = i + window->padding, last = at / window->stride;
    size_t begin = at < window->kernel ? 0 : (at - window->kernel) / window->stride + 1;
    return (sn_span){begin, last < n ? last + 1 : n};
}
#endif

#endif
