/* Owns what families share.
 *
 * The gate of a highway block is a layer of its own: it reads what the block reads, in every order, and is called after
 * the block's last layer, hiddenK.gate. */
#include "network/family.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const sn_family_norms[] = {"none", "layer", "rms", "batch", NULL};
static const char *const norm_ops[] = {NULL, "layer_norm", "rms_norm", "batch_norm"};
static const char *const scale_words[] = {"inverse_sqrt_blocks", "inverse_blocks", NULL};

static const sn_key learned_keys[] = {
    {.name = "learned", .types = SN_NUMBER, .flags = SN_REQUIRED, .help = "start value of a learned scalar per block"},
    {0},
};
static const sn_kind learned_kind = {.name = "learned",
                                     .help = "a scalar per block, trained with the rest (SkipInit, ReZero)",
                                     .keys = learned_keys,
                                     .source = "De & Smith 2020, arXiv 2002.10444; Bachlechner et al. 2020",
                                     .chosen_by = "learned"};
static const sn_kind *const scale_kinds[] = {&learned_kind, NULL};
static const sn_choice scale_choice = {.what = "scale", .discriminator = "kind", .kinds = scale_kinds};

#define BLOCK_KEY                                                                                                      \
    {                                                                                                                  \
        .name = "layers_per_block", .types = SN_INTEGER, .fallback = "1", .min = 1, .max = 1e6,                        \
        .help = "weight layers that a skip jumps over"                                                                 \
    }

#define SCALE_KEYS                                                                                                     \
    {.name = "branch_scale",                                                                                           \
     .types = SN_NUMBER | SN_WORD | SN_KIND,                                                                           \
     .fallback = "1",                                                                                                  \
     .words = scale_words,                                                                                             \
     .choice = &scale_choice,                                                                                          \
     .help = "factor of the residual branch: a number, 1/sqrt(number of blocks), 1/number of blocks, or learned"},     \
    {                                                                                                                  \
        .name = "shortcut_scale", .types = SN_NUMBER, .fallback = "1", .help = "factor of the shortcut"                \
    }

static const sn_key add_keys[] = {BLOCK_KEY, SCALE_KEYS, {0}};
static const sn_key residual_keys[] = {SCALE_KEYS, {0}};
static const sn_key concat_keys[] = {
    BLOCK_KEY,
    {.name = "growth",
     .types = SN_INTEGER,
     .fallback = "12",
     .min = 1,
     .max = 1e6,
     .help = "features that a block adds (growth rate)"},
    {0},
};
static const sn_key highway_keys[] = {
    BLOCK_KEY,
    {.name = "gate_bias",
     .types = SN_NUMBER,
     .fallback = "-2",
     .ruled_by = sn_ruled_by_weights,
     .help = "initial bias b_t of the gates; negative: blocks start by carrying x on"},
    {0},
};
static const sn_kind none_skip = {.name = "none", .help = "a plain chain of layers"};
static const sn_kind add_skip = {.name = "add",
                                 .help = "residual blocks",
                                 .keys = add_keys,
                                 .formula = "y = shortcut_scale x + branch_scale F(x)",
                                 .source = "He et al. 2015, arXiv 1512.03385"};
static const sn_kind residual_skip = {.name = "add",
                                      .help = "residual blocks",
                                      .keys = residual_keys,
                                      .formula = "y = shortcut_scale x + branch_scale F(x)",
                                      .source = "He et al. 2015, arXiv 1512.03385"};
static const sn_kind plain_skip = {.name = "none",
                                   .help = "the plain twin: the same tensors but for those of shortcuts"};
static const sn_kind concat_skip = {.name = "concat",
                                    .help = "dense blocks: every later layer reads the earlier features",
                                    .keys = concat_keys,
                                    .formula = "y = [x, F(x)]",
                                    .source = "Huang et al. 2016, arXiv 1608.06993"};
static const sn_kind highway_skip = {.name = "highway",
                                     .help =
                                         "blocks with a learned gate, layers hiddenK.gate of the init of the hidden "
                                         "layers",
                                     .keys = highway_keys,
                                     .formula = "y = t F(x) + (1 - t) x, t = sigmoid(W_t x + b_t)",
                                     .source = "Srivastava, Greff & Schmidhuber 2015, arXiv 1505.00387"};

static const sn_kind *const skip_kinds[SN_N_SKIPS + 1] = {[SN_SKIP_NONE] = &none_skip,
                                                          [SN_SKIP_ADD] = &add_skip,
                                                          [SN_SKIP_CONCAT] = &concat_skip,
                                                          [SN_SKIP_HIGHWAY] = &highway_skip};
static const char *const other_joins[SN_N_SKIPS] = {[SN_SKIP_CONCAT] = "concat", [SN_SKIP_HIGHWAY] = "gate"};
const sn_choice sn_skip_choice = {.what = "skip", .discriminator = "kind", .kinds = skip_kinds, .fallback = "none"};

static const sn_kind *const residual_kinds[] = {&residual_skip, &plain_skip, NULL};
const sn_choice sn_residual_choice = {
    .what = "skip", .discriminator = "kind", .kinds = residual_kinds, .fallback = "add"};

/* ---- reading ---- */

sn_status sn_family_check(const sn_graph_request *request, sn_error *error) {
    const sn_value *network = request->network;
    const sn_value *const inits[] = {sn_value_get(network, "init"), sn_value_get(network, "bias_init"),
                                     sn_value_get(network, "output_init")};
    sn_status status = SN_OK;
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        sn_status own = sn_init_check(request->config, inits[i], error);
        if (own) status = own;
    }
    return status;
}

sn_skip_kind sn_family_skip_kind(const sn_value *given) {
    const char *name = sn_value_text(given, "kind");
    sn_skip_kind found = SN_SKIP_NONE;
    for (int k = 0; k < SN_N_SKIPS; k++) {
        if (strcmp(skip_kinds[k]->name, name) == 0) found = (sn_skip_kind)k;
    }
    return found;
}

const char *sn_family_other_join(sn_skip_kind kind) {
    return other_joins[kind];
}

static double scale_of_word(const char *word, double n_blocks) {
    return strcmp(word, "inverse_blocks") == 0 ? 1 / n_blocks : 1 / sqrt(n_blocks);
}

/* The factor of the residual branch: a number, a word for one, or learned. */
static void read_branch_scale(sn_family_skip *skip, const sn_value *scale, int64_t n_blocks) {
    skip->learns_branch_scale = sn_value_is_object(scale);
    if (skip->learns_branch_scale) {
        skip->branch_scale = sn_value_number(scale, "learned");
    } else {
        skip->branch_scale = sn_value_is_number(scale) ? sn_value_number(scale, "")
                                                       : scale_of_word(sn_value_text(scale, ""), (double)n_blocks);
    }
}

sn_family_skip sn_family_read_skip(const sn_value *given, int64_t n_blocks) {
    sn_family_skip skip = {.kind = sn_family_skip_kind(given)};
    if (skip.kind == SN_SKIP_ADD) {
        skip.shortcut_scale = sn_value_number(given, "shortcut_scale");
        read_branch_scale(&skip, sn_value_get(given, "branch_scale"), n_blocks);
    } else if (skip.kind == SN_SKIP_CONCAT) {
        skip.growth = sn_value_integer(given, "growth");
    } else if (skip.kind == SN_SKIP_HIGHWAY) {
        skip.gate_bias = sn_value_number(given, "gate_bias");
    }
    return skip;
}

static void json_of(sn_text *out, const sn_value *network, const char *key, const char *otherwise) {
    const sn_value *value = sn_value_get(network, key);
    if (value) {
        sn_value_text_compact(value, out);
    } else {
        sn_text_add(out, otherwise);
    }
}

/* The op of a norm; NULL: none. */
static const char *norm_op(const char *word) {
    for (int i = 0; word && sn_family_norms[i]; i++) {
        if (strcmp(sn_family_norms[i], word) == 0) return norm_ops[i];
    }
    return NULL;
}

/* ---- writing ---- */

static void free_description(sn_family_writer *w) {
    sn_text_free(&w->activation);
    sn_text_free(&w->init);
    sn_text_free(&w->bias_init);
    sn_text_free(&w->output_init);
}

bool sn_family_begin(sn_family_writer *w, const sn_value *network, sn_text *text) {
    *w = (sn_family_writer){.text = text, .from = "input", .norm = norm_op(sn_value_text(network, "norm"))};
    json_of(&w->activation, network, "activation", "{\"kind\":\"identity\"}");
    json_of(&w->init, network, "init", "\"pytorch\"");
    json_of(&w->bias_init, network, "bias_init", "null");
    json_of(&w->output_init, network, "output_init", sn_text_string(&w->init));
    if (w->activation.failed || w->init.failed || w->bias_init.failed || w->output_init.failed) {
        text->failed = true;
        free_description(w);
        return false;
    }
    sn_text_add(text, "{\"layers\":[\n");
    return true;
}

void sn_family_end(sn_family_writer *w) {
    if (!w->text->failed) w->text->length -= strlen(",\n"); /* after the last entry */
    sn_text_add(w->text, "\n]}\n");
    free_description(w);
}

/* Opens an entry that reads `inputs`, labels up to a NULL. */
static void open_reading(sn_family_writer *w, const char *op, const char *label, const char *const *inputs) {
    sn_text_addf(w->text, "{\"op\":\"%s\",\"label\":\"%s\",\"inputs\":[", op, label);
    for (int k = 0; inputs[k]; k++)
        sn_text_addf(w->text, "%s\"%s\"", k > 0 ? "," : "", inputs[k]);
    sn_text_add(w->text, "]");
}

void sn_family_open(sn_family_writer *w, const char *op, const char *label) {
    open_reading(w, op, label, (const char *const[]){w->from, NULL});
}

void sn_family_close(sn_family_writer *w, const char *label) {
    sn_text_add(w->text, "},\n");
    snprintf(w->from, sizeof w->from, "%s", label);
}

/* NAME + SUFFIX. */
typedef struct label {
    char text[SN_FAMILY_LABEL];
} label;

static label label_of(const char *name, const char *suffix) {
    label l;
    snprintf(l.text, sizeof l.text, "%s%s", name, suffix);
    return l;
}

void sn_family_norm(sn_family_writer *w, const char *name) {
    if (!w->norm) return;
    label norm = label_of(name, ".norm");
    sn_family_open(w, w->norm, norm.text);
    sn_family_close(w, norm.text);
}

/* The activation is an object like {"kind":"leaky_relu","slope":0.1}; the entry has the same keys, with "op" for
 * "kind".  (Inside a string the quotes are escaped, so the key is found where it stands.) */
void sn_family_activation(sn_family_writer *w, const char *name) {
    const char *json = sn_text_string(&w->activation) + 1, *kind = strstr(json, "\"kind\":");
    label act = label_of(name, ".act");
    sn_text_addf(w->text, "{\"label\":\"%s\",\"inputs\":[\"%s\"],", act.text, w->from);
    sn_text_addf(w->text, "%.*s\"op\":%s,\n", (int)(kind - json), json, kind + strlen("\"kind\":"));
    snprintf(w->from, sizeof w->from, "%s", act.text);
}

void sn_family_linear(sn_family_writer *w, const char *name, int64_t units, const char *init, const char *bias_init) {
    sn_family_open(w, "linear", name);
    sn_text_addf(w->text, ",\"units\":%" PRId64 ",\"init\":%s,\"bias_init\":%s", units, init, bias_init);
    sn_family_close(w, name);
}

void sn_family_conv(sn_family_writer *w, const char *name, sn_family_kernel kernel) {
    sn_family_open(w, "conv2d", name);
    sn_text_addf(w->text,
                 ",\"channels\":%" PRId64 ",\"kernel\":%" PRId64 ",\"stride\":%" PRId64
                 ",\"bias\":false,\"conv\":\"%s\",\"init\":%s",
                 kernel.channels, kernel.kernel, kernel.stride, w->conv, sn_text_string(&w->init));
    sn_family_close(w, name);
}

void sn_family_op(sn_family_writer *w, const char *op, const char *name, const char *suffix, const char *keys) {
    label l = label_of(name, suffix);
    sn_family_open(w, op, l.text);
    sn_text_add(w->text, keys);
    sn_family_close(w, l.text);
}

/* y = shortcut_scale x + branch_scale F(x) */
static void join_by_add(sn_family_writer *w, const sn_family_skip *skip, const sn_family_block *block) {
    if (skip->learns_branch_scale) {
        label scale = label_of(block->name, ".scale");
        sn_family_open(w, "scale", scale.text);
        sn_text_addf(w->text, ",\"factor\":{\"learned\":%.17g}", skip->branch_scale);
        sn_family_close(w, scale.text);
    }
    open_reading(w, "add", block->name, (const char *const[]){block->from, w->from, NULL});
    sn_text_addf(w->text, ",\"factors\":[%.17g,%.17g]", skip->shortcut_scale,
                 skip->learns_branch_scale ? 1 : skip->branch_scale);
    sn_family_close(w, block->name);
}

/* y = t F(x) + (1 - t) x, t = sigmoid(W_t x + b_t) */
static void join_by_gate(sn_family_writer *w, const sn_family_skip *skip, const sn_family_block *block) {
    label branch = label_of(w->from, ""), gate = label_of(block->last, ".gate"),
          act = label_of(block->last, ".gate.act");
    char bias_init[64];
    snprintf(bias_init, sizeof bias_init, "{\"kind\":\"constant\",\"value\":%.17g}", skip->gate_bias);
    snprintf(w->from, sizeof w->from, "%s", block->from);
    sn_family_linear(w, gate.text, block->width, sn_text_string(&w->init), bias_init);
    sn_family_open(w, "sigmoid", act.text);
    sn_family_close(w, act.text);
    open_reading(w, "gate", block->name, (const char *const[]){act.text, branch.text, block->from, NULL});
    sn_family_close(w, block->name);
}

void sn_family_join(sn_family_writer *w, const sn_family_skip *skip, const sn_family_block *block) {
    if (skip->kind == SN_SKIP_ADD) {
        join_by_add(w, skip, block);
    } else if (skip->kind == SN_SKIP_HIGHWAY) {
        join_by_gate(w, skip, block);
    } else {
        open_reading(w, "concat", block->name, (const char *const[]){block->from, w->from, NULL});
        sn_family_close(w, block->name);
    }
}
