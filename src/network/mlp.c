/* Owns the family "mlp": writes the layer list that a short description stands for.
 *
 * The gate of a highway block is a layer of its own: it reads what the block reads, in every order, and is called after
 * the block's last hidden layer, hiddenK.gate.
 *
 * hidden1 maps the input to `width`; the other hidden layers form blocks of layers_per_block, the last block takes what
 * is left.  The family is nothing but this text: training from the written list gives the same bytes. */
#include "network/mlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "network/init.h"
#include "network/op.h"

static const char *const norms[] = {"none", "layer", "batch", NULL};
static const char *const norm_ops[] = {NULL, "layer_norm", "batch_norm"};
static const char *const orders[] = {"pre", "inside", "post", NULL};
static const char *const scale_words[] = {"inverse_sqrt_blocks", NULL};

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

static const sn_key add_keys[] = {
    BLOCK_KEY,
    {.name = "branch_scale",
     .types = SN_NUMBER | SN_WORD | SN_KIND,
     .fallback = "1",
     .words = scale_words,
     .choice = &scale_choice,
     .help = "factor of the residual branch: a number, 1/sqrt(number of blocks), or learned"},
    {.name = "shortcut_scale", .types = SN_NUMBER, .fallback = "1", .help = "factor of the shortcut"},
    {0},
};
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

/* The one list of skip kinds.  Where no sum ends a block, the op that does. */
typedef enum skip { PLAIN, ADD, CONCAT, HIGHWAY, N_SKIPS } skip;
static const sn_kind *const skip_kinds[N_SKIPS + 1] = {
    [PLAIN] = &none_skip, [ADD] = &add_skip, [CONCAT] = &concat_skip, [HIGHWAY] = &highway_skip};
static const char *const other_joins[N_SKIPS] = {[CONCAT] = "concat", [HIGHWAY] = "gate"};
const sn_choice sn_skip_choice = {.what = "skip", .discriminator = "kind", .kinds = skip_kinds, .fallback = "none"};

static const sn_key mlp_keys[] = {
    {.name = "depth",
     .types = SN_INTEGER,
     .fallback = "50",
     .min = 1,
     .max = 100000,
     .help = "hidden weight layers; the output layer is extra"},
    {.name = "width", .types = SN_INTEGER, .fallback = "64", .min = 1, .max = 1e6, .help = "units of a hidden layer"},
    {.name = "activation", .types = SN_KIND, .fallback = "\"tanh\"", .choice = &sn_activation_choice, .help = "phi"},
    {.name = "order",
     .types = SN_WORD,
     .fallback = "\"pre\"",
     .words = orders,
     .help = "pre: W phi(norm(x)) + b; inside: phi(norm(W x + b)); post: as inside, a block's last phi after the add"},
    {.name = "norm",
     .types = SN_WORD,
     .fallback = "\"none\"",
     .words = norms,
     .help = "normalization before phi: layer_norm or batch_norm"},
    {.name = "init",
     .types = SN_KIND,
     .fallback = "\"pytorch\"",
     .choice = &sn_init_choice,
     .ruled_by = sn_ruled_by_weights,
     .help = "initial weights of the hidden layers"},
    {.name = "bias_init",
     .types = SN_KIND | SN_NULL,
     .fallback = "null",
     .choice = &sn_init_choice,
     .ruled_by = sn_ruled_by_weights,
     .help = "initial biases; null: what belongs to the init (pytorch: its own, others: zeros)"},
    {.name = "output_init",
     .types = SN_KIND | SN_NULL,
     .fallback = "null",
     .choice = &sn_init_choice,
     .ruled_by = sn_ruled_by_weights,
     .help = "initial weights of the output layer; null: as init"},
    {.name = "skip", .types = SN_KIND, .fallback = "\"none\"", .choice = &sn_skip_choice, .help = "skip connections"},
    {0},
};

const sn_kind sn_mlp_kind = {.name = "mlp", .help = "multilayer perceptron with optional skips", .keys = mlp_keys};

typedef enum order { PRE, INSIDE, POST } order;

/* The writer's state: the description, read once, and the label that the next entry reads. */
typedef struct writer {
    sn_text *text;
    sn_text activation, init, bias_init, output_init; /* as JSON */
    const char *norm;                                 /* the op, NULL: none */
    order order;
    skip skip;
    long depth, width, per_block, n_blocks;
    double shortcut_scale, branch_scale; /* add; the branch's is a start value where it is learned */
    bool learns_branch_scale;            /* add */
    long growth;                         /* concat */
    double gate_bias;                    /* highway */
    char from[64];
} writer;

static void json_of(sn_text *out, const sn_value *network, const char *key, const char *otherwise) {
    const sn_value *value = sn_value_get(network, key);
    if (value) {
        sn_value_text_compact(value, out);
    } else {
        sn_text_add(out, otherwise);
    }
}

static int word_index(const char *const *words, const char *word) {
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0) return i;
    }
    return 0;
}

static skip skip_of(const sn_value *network) {
    const char *name = sn_value_text(network, "skip.kind");
    skip found = PLAIN;
    for (int k = 0; k < N_SKIPS; k++) {
        if (strcmp(skip_kinds[k]->name, name) == 0) found = (skip)k;
    }
    return found;
}

const char *sn_mlp_other_join(const sn_value *network) {
    return other_joins[skip_of(network)];
}

/* The factor of the residual branch: a number, 1/sqrt(n_blocks), or learned. */
static void read_branch_scale(writer *w, const sn_value *scale) {
    w->learns_branch_scale = sn_value_is_object(scale);
    if (w->learns_branch_scale) {
        w->branch_scale = sn_value_number(scale, "learned");
    } else {
        w->branch_scale = sn_value_is_number(scale) ? sn_value_number(scale, "") : 1 / sqrt((double)w->n_blocks);
    }
}

/* What the kind of skip has of its own. */
static void read_skip(writer *w, const sn_value *given) {
    w->per_block = w->skip == PLAIN ? w->depth : (long)sn_value_integer(given, "layers_per_block");
    w->n_blocks = (w->depth - 1 + w->per_block - 1) / w->per_block;
    if (w->skip == ADD) {
        w->shortcut_scale = sn_value_number(given, "shortcut_scale");
        read_branch_scale(w, sn_value_get(given, "branch_scale"));
    } else if (w->skip == CONCAT) {
        w->growth = (long)sn_value_integer(given, "growth");
    } else if (w->skip == HIGHWAY) {
        w->gate_bias = sn_value_number(given, "gate_bias");
    }
}

static void read_description(writer *w, const sn_value *network, sn_text *text) {
    *w = (writer){.text = text, .from = "input"};
    json_of(&w->activation, network, "activation", "\"tanh\"");
    json_of(&w->init, network, "init", "\"pytorch\"");
    json_of(&w->bias_init, network, "bias_init", "null");
    json_of(&w->output_init, network, "output_init", sn_text_string(&w->init));
    w->norm = norm_ops[word_index(norms, sn_value_text(network, "norm"))];
    w->order = (order)word_index(orders, sn_value_text(network, "order"));
    w->skip = skip_of(network);
    w->depth = (long)sn_value_integer(network, "depth");
    w->width = (long)sn_value_integer(network, "width");
    read_skip(w, sn_value_get(network, "skip"));
}

static void free_description(writer *w) {
    sn_text_free(&w->activation);
    sn_text_free(&w->init);
    sn_text_free(&w->bias_init);
    sn_text_free(&w->output_init);
}

/* The next entry reads NAME + SUFFIX. */
static void set_from(writer *w, const char *name, const char *suffix) {
    snprintf(w->from, sizeof w->from, "%s%s", name, suffix);
}

/* phi(norm(.)) before or after the layer `name`. */
static void write_norm(writer *w, const char *name) {
    if (!w->norm) return;
    sn_text_addf(w->text, "{\"op\":\"%s\",\"label\":\"%s.norm\",\"inputs\":[\"%s\"]},\n", w->norm, name, w->from);
    set_from(w, name, ".norm");
}

/* The activation is an object like {"kind":"leaky_relu","slope":0.1}; the entry has the same keys, with "op" for
 * "kind".  (Inside a string the quotes are escaped, so the key is found where it stands.) */
static void write_activation(writer *w, const char *name) {
    const char *json = sn_text_string(&w->activation) + 1, *kind = strstr(json, "\"kind\":");
    sn_text_addf(w->text, "{\"label\":\"%s.act\",\"inputs\":[\"%s\"],", name, w->from);
    sn_text_addf(w->text, "%.*s\"op\":%s,\n", (int)(kind - json), json, kind + strlen("\"kind\":"));
    set_from(w, name, ".act");
}

static void write_linear(writer *w, const char *name, long units, const sn_text *init) {
    sn_text_addf(w->text, "{\"op\":\"linear\",\"label\":\"%s\",\"inputs\":[\"%s\"],\"units\":%ld,", name, w->from,
                 units);
    sn_text_addf(w->text, "\"init\":%s,\"bias_init\":%s},\n", sn_text_string(init), sn_text_string(&w->bias_init));
    set_from(w, name, "");
}

static void write_hidden(writer *w, long k, long units, bool last_of_branch) {
    char name[32];
    snprintf(name, sizeof name, "hidden%ld", k);
    if (w->order == PRE && k > 1) {
        write_norm(w, name);
        write_activation(w, name);
    }
    write_linear(w, name, units, &w->init);
    if (w->order == PRE) return;
    write_norm(w, name);
    if (w->order == INSIDE || !last_of_branch) write_activation(w, name);
}

/* y = shortcut_scale x + branch_scale F(x); F(x) is w->from. */
static void write_add(writer *w, const char *block, const char *x) {
    if (w->learns_branch_scale) {
        sn_text_addf(w->text,
                     "{\"op\":\"scale\",\"label\":\"%s.scale\",\"inputs\":[\"%s\"],\"factor\":{\"learned\":%.17g}},\n",
                     block, w->from, w->branch_scale);
        set_from(w, block, ".scale");
    }
    sn_text_addf(w->text, "{\"op\":\"add\",\"label\":\"%s\",\"inputs\":[\"%s\",\"%s\"],\"factors\":[%.17g,%.17g]},\n",
                 block, x, w->from, w->shortcut_scale, w->learns_branch_scale ? 1 : w->branch_scale);
    set_from(w, block, "");
}

/* y = t F(x) + (1 - t) x, t = sigmoid(W_t x + b_t); F(x) is w->from, `k` the number of its last layer. */
static void write_gate(writer *w, const char *block, const char *x, long k) {
    char gate[64];
    snprintf(gate, sizeof gate, "hidden%ld.gate", k);
    sn_text_addf(w->text, "{\"op\":\"linear\",\"label\":\"%s\",\"inputs\":[\"%s\"],\"units\":%ld,\"init\":%s,", gate, x,
                 w->width, sn_text_string(&w->init));
    sn_text_addf(w->text, "\"bias_init\":{\"kind\":\"constant\",\"value\":%.17g}},\n", w->gate_bias);
    sn_text_addf(w->text, "{\"op\":\"sigmoid\",\"label\":\"%s.act\",\"inputs\":[\"%s\"]},\n", gate, gate);
    sn_text_addf(w->text, "{\"op\":\"gate\",\"label\":\"%s\",\"inputs\":[\"%s.act\",\"%s\",\"%s\"]},\n", block, gate,
                 w->from, x);
    set_from(w, block, "");
}

static void write_block(writer *w, long index) {
    char x[64], block[32];
    snprintf(x, sizeof x, "%s", w->from);
    snprintf(block, sizeof block, "block%ld", index);
    long first = 2 + (index - 1) * w->per_block, last = first + w->per_block - 1;
    if (last > w->depth) last = w->depth;
    for (long k = first; k <= last; k++) {
        long units = w->skip == CONCAT && k == last ? w->growth : w->width;
        write_hidden(w, k, units, k == last && w->skip == ADD);
    }
    if (w->skip == CONCAT) {
        sn_text_addf(w->text, "{\"op\":\"concat\",\"label\":\"%s\",\"inputs\":[\"%s\",\"%s\"]},\n", block, x, w->from);
        set_from(w, block, "");
    } else if (w->skip == ADD) {
        write_add(w, block, x);
        if (w->order == POST) write_activation(w, block);
    } else if (w->skip == HIGHWAY) {
        write_gate(w, block, x, last);
    }
}

void sn_mlp_expand(const sn_value *network, size_t out_dim, sn_text *text) {
    writer w;
    read_description(&w, network, text);
    if (w.activation.failed || w.init.failed || w.bias_init.failed || w.output_init.failed) {
        text->failed = true;
        free_description(&w);
        return;
    }
    sn_text_add(text, "{\"layers\":[\n");
    write_hidden(&w, 1, w.width, false);
    for (long b = 1; b <= w.n_blocks; b++)
        write_block(&w, b);
    if (w.order == PRE) {
        write_norm(&w, "output");
        write_activation(&w, "output");
    }
    write_linear(&w, "output", (long)out_dim, &w.output_init);
    if (!text->failed) text->length -= 2; /* the comma and newline after the last entry */
    sn_text_add(text, "\n]}\n");
    free_description(&w);
}
