/* The family "resnet": residual networks for small images, and their plain twins.
 *
 * hidden1 is a 3x3 convolution of the image; stages of equally many blocks follow, each of a width of its own, and the
 * first block of every stage but the first halves the image; then the mean over all positions and the output layer.
 * depth counts as the papers do: weight layers, output included, projections not. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "network/family.h"

static const char *const block_words[] = {"basic", "bottleneck", NULL};
static const char *const shortcut_words[] = {"A", "B", "C", NULL};
static const char *const order_words[] = {"post", "pre", NULL};
static const char *const rule_words[] = {"linear", "uniform", NULL};
static const char *const per_words[] = {"sample", "batch", NULL};

static const sn_key width_key = {.types = SN_INTEGER, .min = 1, .max = 1e5};

static const sn_key drop_keys[] = {
    {.name = "rate",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX,
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help = "share of branches left out: of the last block, or of all; 0: none"},
    {.name = "rule",
     .types = SN_WORD,
     .fallback = "\"linear\"",
     .words = rule_words,
     .help = "linear: block l of L has the rate l / L times `rate`; uniform: all have it"},
    {.name = "per",
     .types = SN_WORD,
     .fallback = "\"sample\"",
     .words = per_words,
     .help = "what a draw is for: each sample, or the whole batch, as in the paper"},
    {0},
};

static const sn_key resnet_keys[] = {
    {.name = "depth",
     .types = SN_INTEGER,
     .fallback = "20",
     .min = 4,
     .max = 100000,
     .help = "weight layers with the output: stages x blocks x 2 (bottleneck: 3) and 2, so 6n + 2 or 9n + 2 of three "
             "stages"},
    {.name = "block",
     .types = SN_WORD,
     .fallback = "\"basic\"",
     .words = block_words,
     .help = "basic: two 3x3 convolutions; bottleneck: 1x1, 3x3, and 1x1 to four times the width"},
    {.name = "widths",
     .types = SN_LIST,
     .fallback = "[16, 32, 64]",
     .element = &width_key,
     .min = 1,
     .max = 16,
     .help = "channels of the stages"},
    {.name = "shortcut",
     .types = SN_WORD,
     .fallback = "\"A\"",
     .words = shortcut_words,
     .help = "where shapes change: A: every second position, channels padded with zeros; B: a 1x1 convolution; C: a "
             "1x1 convolution in every block"},
    {.name = "order",
     .types = SN_WORD,
     .fallback = "\"post\"",
     .words = order_words,
     .help = "post: convolution, norm, phi, a block's last phi after the add; pre: norm, phi, convolution"},
    {.name = "drop_path",
     .types = SN_OBJECT,
     .fallback = "{}",
     .keys = drop_keys,
     .help = "stochastic depth: branches are left out at random in training (Huang et al. 2016, arXiv 1603.09382)"},
    {SN_KEY_ACTIVATION, .fallback = "\"relu\""},
    {SN_KEY_NORM, .fallback = "\"batch\""},
    {SN_KEY_CONV, .fallback = "\"auto\""},
    {SN_KEY_INIT, .fallback = "\"he_normal\""},
    {SN_KEY_OUTPUT_INIT, .fallback = "null"},
    {.name = "skip",
     .types = SN_KIND,
     .fallback = "\"add\"",
     .choice = &sn_residual_choice,
     .help = "skip connections (networks with concat are the family densenet)"},
    {0},
};

/* What is being written: the description, read once. */
typedef struct resnet {
    sn_family_writer w;
    const sn_value *network;
    sn_family_skip skip;
    bool is_pre, is_bottleneck;
    char shortcut;          /* 'A', 'B' or 'C' */
    int64_t stages, blocks; /* of a stage */
    int64_t layer, block;   /* numbers of the last ones written */
    int64_t channels;       /* of what the next entry reads */
} resnet;

static int64_t layers_of_block(const sn_value *network) {
    return strcmp(sn_value_text(network, "block"), "basic") == 0 ? 2 : 3;
}

static bool begin(resnet *r, const sn_value *network, sn_text *text) {
    *r = (resnet){.network = network,
                  .is_pre = strcmp(sn_value_text(network, "order"), "pre") == 0,
                  .is_bottleneck = layers_of_block(network) == 3,
                  .shortcut = *sn_value_text(network, "shortcut"),
                  .stages = (int64_t)sn_value_count(sn_value_get(network, "widths"))};
    r->blocks = (sn_value_integer(network, "depth") - 2) / (r->stages * layers_of_block(network));
    r->skip = sn_family_read_skip(sn_value_get(network, "skip"), r->stages * r->blocks);
    if (!sn_family_begin(&r->w, network, text)) return false;
    r->w.conv = sn_value_text(network, "conv");
    return true;
}

static void write_phi(resnet *r, const char *name) {
    sn_family_norm(&r->w, name);
    sn_family_activation(&r->w, name);
}

/* A weight layer of a branch. */
typedef struct layer {
    sn_family_kernel kernel;
    bool is_first, is_last;
} layer;

/* The first norm and phi of a block in order pre are written with the block. */
static void write_layer(resnet *r, layer l, char name[SN_FAMILY_LABEL]) {
    snprintf(name, SN_FAMILY_LABEL, "hidden%" PRId64, ++r->layer);
    if (r->is_pre && !l.is_first) write_phi(r, name);
    sn_family_conv(&r->w, name, l.kernel);
    if (r->is_pre) return;
    sn_family_norm(&r->w, name);
    if (!l.is_last || r->skip.kind == SN_SKIP_NONE) sn_family_activation(&r->w, name);
}

static void write_branch(resnet *r, int64_t width, int64_t stride, char name[SN_FAMILY_LABEL]) {
    if (r->is_bottleneck) {
        write_layer(r, (layer){{width, 1, stride}, true, false}, name);
        write_layer(r, (layer){{width, 3, 1}, false, false}, name);
        write_layer(r, (layer){{4 * width, 1, 1}, false, true}, name);
    } else {
        write_layer(r, (layer){{width, 3, stride}, true, false}, name);
        write_layer(r, (layer){{width, 3, 1}, false, true}, name);
    }
}

/* The shortcut of a block that needs one: reads r->w.from and leaves its label there. */
static void write_shortcut(resnet *r, const char *block, int64_t channels, int64_t stride) {
    char text[128];
    if (r->shortcut == 'A') {
        snprintf(text, sizeof text, ",\"stride\":%" PRId64 ",\"channels\":%" PRId64, stride, channels);
        sn_family_op(&r->w, "subsample", block, ".subsample", text);
        return;
    }
    snprintf(text, sizeof text, "%s.projection", block);
    sn_family_conv(&r->w, text, (sn_family_kernel){channels, 1, stride});
    if (!r->is_pre) sn_family_norm(&r->w, text);
}

static void write_drop_path(resnet *r, const char *block) {
    const sn_value *drop = sn_value_get(r->network, "drop_path");
    double rate = sn_value_number(drop, "rate");
    char keys[128];
    if (rate <= 0) return;
    bool is_linear = strcmp(sn_value_text(drop, "rule"), "linear") == 0;
    if (is_linear) rate *= (double)r->block / (double)(r->stages * r->blocks);
    snprintf(keys, sizeof keys, ",\"rate\":%.17g,\"per\":\"%s\"", rate, sn_value_text(drop, "per"));
    sn_family_op(&r->w, "drop_path", block, ".drop_path", keys);
}

static void copy_label(char to[SN_FAMILY_LABEL], const char *label) {
    snprintf(to, SN_FAMILY_LABEL, "%s", label);
}

/* In order pre a shortcut that changes shapes reads what is normed and activated, as in the authors' code: the block's
 * first norm and phi serve both. */
static void write_block(resnet *r, int64_t width, int64_t stride) {
    char from[SN_FAMILY_LABEL], shortcut[SN_FAMILY_LABEL], name[SN_FAMILY_LABEL], last[SN_FAMILY_LABEL];
    int64_t channels = r->is_bottleneck ? 4 * width : width;
    snprintf(name, sizeof name, "block%" PRId64, ++r->block);
    snprintf(last, sizeof last, "hidden%" PRId64, r->layer + 1);
    copy_label(shortcut, r->w.from);
    if (r->is_pre) write_phi(r, last);
    copy_label(from, r->w.from);
    bool changes = channels != r->channels || stride > 1;
    if (r->skip.kind == SN_SKIP_ADD && (changes || r->shortcut == 'C')) {
        if (!changes) copy_label(r->w.from, shortcut);
        write_shortcut(r, name, channels, stride);
        copy_label(shortcut, r->w.from);
        copy_label(r->w.from, from);
    }
    write_branch(r, width, stride, last);
    r->channels = channels;
    if (r->skip.kind == SN_SKIP_NONE) return;
    write_drop_path(r, name);
    sn_family_join(&r->w, &r->skip, &(sn_family_block){name, shortcut, last, channels});
    if (!r->is_pre) sn_family_activation(&r->w, name);
}

static sn_status check_depth(const sn_graph_request *request, sn_error *error) {
    const sn_value *network = request->network;
    int64_t depth = sn_value_integer(network, "depth"), per_block = layers_of_block(network);
    int64_t stages = (int64_t)sn_value_count(sn_value_get(network, "widths")), unit = stages * per_block;
    int64_t blocks = depth < 2 + unit ? 1 : (depth - 2) / unit;
    if (depth == blocks * unit + 2) return SN_OK;
    return sn_config_fault(request->config, sn_value_get(network, "depth"), error,
                           "%" PRId64 " is not %" PRId64 "n + 2, which %" PRId64 " stages of blocks of %" PRId64
                           " layers have (take %" PRId64 " or %" PRId64 ")",
                           depth, unit, stages, per_block, blocks * unit + 2, (blocks + 1) * unit + 2);
}

static sn_status resnet_write(const sn_graph_request *request, sn_text *text, sn_error *error) {
    resnet r;
    char name[SN_FAMILY_LABEL];
    sn_status status = check_depth(request, error), shared = sn_family_check(request, error);
    if (shared) status = shared;
    if (status || !begin(&r, request->network, text)) return status;
    const sn_value *widths = sn_value_get(request->network, "widths");
    r.channels = (int64_t)sn_value_element(widths, 0);
    snprintf(name, sizeof name, "hidden%" PRId64, ++r.layer);
    sn_family_conv(&r.w, name, (sn_family_kernel){r.channels, 3, 1});
    if (!r.is_pre) write_phi(&r, name);
    for (int64_t stage = 0; stage < r.stages; stage++) {
        for (int64_t b = 0; b < r.blocks; b++)
            write_block(&r, (int64_t)sn_value_element(widths, (size_t)stage), stage > 0 && b == 0 ? 2 : 1);
    }
    if (r.is_pre) write_phi(&r, "output");
    sn_family_op(&r.w, "global_avg_pool", "pool", "", "");
    sn_family_linear(&r.w, "output", (int64_t)request->out_dim, sn_text_string(&r.w.output_init), "null");
    sn_family_end(&r.w);
    return SN_OK;
}

const sn_family sn_family_resnet = {
    .kind = {.name = "resnet",
             .help = "residual convolutional networks for small images, and their plain twins",
             .keys = resnet_keys,
             .source = "He et al. 2015, arXiv 1512.03385, section 4.2; order pre: He et al. 2016, arXiv 1603.05027"},
    .write = resnet_write,
};
