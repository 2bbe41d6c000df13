/* The family "densenet": densely connected convolutional networks for small images.
 *
 * hidden1 is a 3x3 convolution of the image; three dense blocks of equally many layers follow, in which every layer
 * reads all features before it and adds `growth` of its own, with transitions in between (a 1x1 convolution, and the
 * mean of 2x2 positions); then the mean over all positions and the output layer.  depth counts weight layers as the
 * paper does, the output and transitions included. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "network/family.h"

enum { BLOCKS = 3 };

static const sn_key densenet_keys[] = {
    {.name = "depth",
     .types = SN_INTEGER,
     .fallback = "40",
     .min = 7,
     .max = 100000,
     .help = "weight layers with output and transitions: 3n + 4, with bottlenecks 6n + 4"},
    {.name = "growth",
     .types = SN_INTEGER,
     .fallback = "12",
     .min = 1,
     .max = 1e5,
     .help = "channels that a layer adds (growth rate)"},
    {.name = "bottleneck",
     .types = SN_BOOL,
     .fallback = "false",
     .help = "a 1x1 convolution to 4 growth channels before each 3x3 one (DenseNet-B)"},
    {.name = "compression",
     .types = SN_NUMBER,
     .flags = SN_ABOVE_MIN,
     .fallback = "1",
     .min = 0,
     .max = 1,
     .help = "share of the channels that a transition keeps (DenseNet-C: 0.5)"},
    {.name = "dropout",
     .types = SN_NUMBER,
     .fallback = "0",
     .min = 0,
     .max = 0.99,
     .help = "rate of dropout after each convolution but the first"},
    {SN_KEY_ACTIVATION, .fallback = "\"relu\""},
    {SN_KEY_NORM, .fallback = "\"batch\""},
    {SN_KEY_CONV, .fallback = "\"auto\""},
    {SN_KEY_INIT, .fallback = "\"he_normal\""},
    {SN_KEY_OUTPUT_INIT, .fallback = "null"},
    {0},
};

/* What is being written: the description, read once. */
typedef struct densenet {
    sn_family_writer w;
    bool has_bottleneck;
    double compression, dropout;
    int64_t growth, layers; /* of a block: 3x3 convolutions */
    int64_t layer, block;   /* numbers of the last ones written */
    int64_t channels;       /* of what the next entry reads */
} densenet;

static bool begin(densenet *d, const sn_value *network, sn_text *text) {
    *d = (densenet){.has_bottleneck = sn_value_bool(network, "bottleneck"),
                    .compression = sn_value_number(network, "compression"),
                    .dropout = sn_value_number(network, "dropout"),
                    .growth = sn_value_integer(network, "growth")};
    d->layers = (sn_value_integer(network, "depth") - BLOCKS - 1) / ((int64_t)BLOCKS * (d->has_bottleneck ? 2 : 1));
    d->channels = d->has_bottleneck ? 2 * d->growth : 16;
    if (!sn_family_begin(&d->w, network, text)) return false;
    d->w.conv = sn_value_text(network, "conv");
    return true;
}

/* W phi(norm(x)), and dropout. */
static void write_layer(densenet *d, int64_t channels, int64_t kernel) {
    char name[SN_FAMILY_LABEL], keys[64];
    snprintf(name, sizeof name, "hidden%" PRId64, ++d->layer);
    sn_family_norm(&d->w, name);
    sn_family_activation(&d->w, name);
    sn_family_conv(&d->w, name, (sn_family_kernel){channels, kernel, 1});
    if (d->dropout <= 0) return;
    snprintf(keys, sizeof keys, ",\"rate\":%.17g", d->dropout);
    sn_family_op(&d->w, "dropout", name, ".dropout", keys);
}

/* [x, F(x)] */
static void write_dense_layer(densenet *d) {
    static const sn_family_skip concat = {.kind = SN_SKIP_CONCAT};
    char from[SN_FAMILY_LABEL], name[SN_FAMILY_LABEL];
    memcpy(from, d->w.from, sizeof from);
    if (d->has_bottleneck) write_layer(d, 4 * d->growth, 1);
    write_layer(d, d->growth, 3);
    snprintf(name, sizeof name, "block%" PRId64, ++d->block);
    sn_family_join(&d->w, &concat, &(sn_family_block){name, from, NULL, d->growth});
    d->channels += d->growth;
}

static void write_transition(densenet *d, int number) {
    char name[SN_FAMILY_LABEL];
    d->channels = (int64_t)((double)d->channels * d->compression);
    write_layer(d, d->channels > 0 ? d->channels : 1, 1);
    snprintf(name, sizeof name, "transition%d", number);
    sn_family_op(&d->w, "avg_pool", name, "", ",\"kernel\":2,\"stride\":2");
}

static sn_status check_depth(const sn_graph_request *request, sn_error *error) {
    const sn_value *network = request->network;
    int64_t depth = sn_value_integer(network, "depth"), unit = sn_value_bool(network, "bottleneck") ? 6 : 3;
    int64_t layers = depth < BLOCKS + 1 + unit ? 1 : (depth - BLOCKS - 1) / unit;
    if (depth == layers * unit + BLOCKS + 1) return SN_OK;
    return sn_config_fault(
        request->config, sn_value_get(network, "depth"), error,
        "%" PRId64 " is not %" PRId64 "n + 4, which three blocks of n %slayers have (take %" PRId64 " or %" PRId64 ")",
        depth, unit, unit == 6 ? "pairs of " : "", layers * unit + BLOCKS + 1, (layers + 1) * unit + BLOCKS + 1);
}

static sn_status densenet_write(const sn_graph_request *request, sn_text *text, sn_error *error) {
    densenet d;
    sn_status status = check_depth(request, error), shared = sn_family_check(request, error);
    if (shared) status = shared;
    if (status || !begin(&d, request->network, text)) return status;
    d.layer = 1;
    sn_family_conv(&d.w, "hidden1", (sn_family_kernel){d.channels, 3, 1});
    for (int b = 1; b <= BLOCKS; b++) {
        for (int64_t k = 0; k < d.layers; k++)
            write_dense_layer(&d);
        if (b < BLOCKS) write_transition(&d, b);
    }
    sn_family_norm(&d.w, "output");
    sn_family_activation(&d.w, "output");
    sn_family_op(&d.w, "global_avg_pool", "pool", "", "");
    sn_family_linear(&d.w, "output", (int64_t)request->out_dim, sn_text_string(&d.w.output_init), "null");
    sn_family_end(&d.w);
    return SN_OK;
}

const sn_family sn_family_densenet = {
    .kind = {.name = "densenet",
             .help = "densely connected convolutional networks for small images",
             .keys = densenet_keys,
             .source = "Huang et al. 2016, arXiv 1608.06993"},
    .write = densenet_write,
};
