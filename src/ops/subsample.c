/* y = every stride-th position of x, with channels of zeros: the shortcut without parameters (option A) of the residual
 * networks for small images. */
#include "ops/image.h"

typedef struct subsample_attributes {
    sn_images images;
    size_t stride, before; /* before: channels of zeros before those of x */
} subsample_attributes;

#if SN_DESCRIBES
#include <string.h>

static sn_status subsample_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    const sn_node *input = &nodes[node->inputs[0]];
    const sn_value *channels = sn_value_get(node->config, "channels");
    subsample_attributes *a = sn_pool_alloc(pool, sizeof *a);
    if (!a) return sn_error_memory(error, sizeof *a, "a subsample");
    node->attributes = a;
    sn_image in = sn_image_of(&input->shape);
    size_t stride = (size_t)sn_value_integer(node->config, "stride");
    a->images.in = in;
    a->images.out = (sn_image){(in.height + stride - 1) / stride, (in.width + stride - 1) / stride, in.channels};
    if (channels) a->images.out.channels = (size_t)sn_value_integer(channels, "");
    if (a->images.out.channels < in.channels)
        return sn_node_fault(node, error, "channels %zu are fewer than the %zu of \"%s\": zeros can only be added",
                             a->images.out.channels, in.channels, input->label);
    a->stride = stride;
    if (strcmp(sn_value_text(node->config, "zeros"), "around") == 0)
        a->before = (a->images.out.channels - in.channels) / 2;
    sn_node_set_image(node, input, a->images.out);
    return SN_OK;
}

static const char *const zeros_words[] = {"around", "after", NULL};
static const sn_key subsample_keys[] = {
    {.name = "stride",
     .types = SN_INTEGER,
     .fallback = "2",
     .min = 1,
     .max = 1e4,
     .help = "positions from one that is taken to the next, in both directions; the first is (0, 0)"},
    {.name = "channels",
     .types = SN_INTEGER | SN_NULL,
     .fallback = "null",
     .min = 1,
     .max = 1e6,
     .help = "of the output: those that the input does not have are zeros; null: as many as the input has"},
    {.name = "zeros",
     .types = SN_WORD,
     .fallback = "\"around\"",
     .words = zeros_words,
     .help = "where the zeros are: around: half of them (rounded down) before the input's channels, the others after; "
             "after: all after"},
    {0},
};

const sn_op sn_op_subsample = {
    .kind = {.name = "subsample",
             .help = "takes every stride-th position of an image and adds channels of zeros: the shortcut without "
                     "parameters, option A",
             .keys = subsample_keys,
             .formula = "y_ijc = x_(stride i)(stride j)(c - before), 0 where x has no such channel",
             .source = "He et al. 2015, arXiv 1512.03385, section 3.3"},
    .min_inputs = 1,
    .max_inputs = 1,
    .reads_image = true,
    .build = subsample_build,
};
#else
/* The block of the input that block `block` of the output takes. */
static size_t taken_by(const subsample_attributes *a, size_t block) {
    sn_image in = a->images.in, out = a->images.out;
    size_t panel = block / sn_image_positions(out), oy = block / out.width % out.height, ox = block % out.width;
    return (panel * in.height + oy * a->stride) * in.width + ox * a->stride;
}

static void subsample_forward(const sn_op_call *call) {
    const subsample_attributes *a = call->node->attributes;
    size_t n = a->images.in.channels, end = a->before + n, lanes = call->lanes;
    for (size_t b = 0; b < call->blocks; b++) {
        const real *x = sn_lanes_of(call->x[0], taken_by(a, b), 0);
        sn_set_features(sn_lanes_of(call->y, b, 0), NULL, NULL, 0, a->before, lanes);
        sn_set_features(sn_lanes_of(call->y, b, a->before), NULL, x, 1, n, lanes);
        sn_set_features(sn_lanes_of(call->y, b, end), NULL, NULL, 0, a->images.out.channels - end, lanes);
    }
}

/* The gradient of a position that was taken is its own channels of dy; of the others nothing comes. */
static void backward_block(const sn_op_call *call, size_t block) {
    const subsample_attributes *a = call->node->attributes;
    sn_image in = a->images.in, out = a->images.out;
    size_t panel = block / sn_image_positions(in), iy = block / in.width % in.height, ix = block % in.width;
    bool is_taken = iy % a->stride == 0 && ix % a->stride == 0;
    size_t by = (panel * out.height + iy / a->stride) * out.width + ix / a->stride;
    const real *dy = is_taken ? sn_lanes_of(call->dy, by, a->before) : NULL;
    sn_set_features(sn_lanes_of(call->dx[0], block, 0), sn_base_of(call, block, 0), dy, 1, in.channels, call->lanes);
}

static void subsample_backward(const sn_op_call *call) {
    const subsample_attributes *a = call->node->attributes;
    size_t blocks = sn_panels(call->samples) * sn_image_positions(a->images.in);
    for (size_t b = 0; b < blocks && call->flow[0] != SN_FLOW_NONE; b++)
        backward_block(call, b);
}

static void subsample_push(const sn_push_call *call) {
    sn_push_linear(call, subsample_forward);
}

const sn_op_kernels SN_V(sn_kernels_subsample) = {
    .forward = subsample_forward,
    .backward = subsample_backward,
    .push = subsample_push,
};
#endif
