/* The family "mlp": plain, residual (add), dense (concat) and highway multilayer perceptrons.
 *
 * hidden1 maps the input to `width`; the other hidden layers form blocks of layers_per_block, the last block takes what
 * is left. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "network/family.h"

static const char *const orders[] = {"pre", "inside", "post", NULL};

static const sn_key mlp_keys[] = {
    {.name = "depth",
     .types = SN_INTEGER,
     .fallback = "50",
     .min = 1,
     .max = 100000,
     .help = "hidden weight layers; the output layer is extra"},
    {.name = "width", .types = SN_INTEGER, .fallback = "64", .min = 1, .max = 1e6, .help = "units of a hidden layer"},
    {SN_KEY_ACTIVATION, .fallback = "\"tanh\""},
    {.name = "order",
     .types = SN_WORD,
     .fallback = "\"pre\"",
     .words = orders,
     .help = "pre: W phi(norm(x)) + b; inside: phi(norm(W x + b)); post: as inside, a block's last phi after the add"},
    {SN_KEY_NORM, .fallback = "\"none\""},
    {SN_KEY_INIT, .fallback = "\"pytorch\""},
    {SN_KEY_BIAS_INIT, .fallback = "null"},
    {SN_KEY_OUTPUT_INIT, .fallback = "null"},
    {SN_KEY_SKIP, .fallback = "\"none\""},
    {0},
};

typedef enum order { PRE, INSIDE, POST } order;

/* What is being written: the description, read once. */
typedef struct mlp {
    sn_family_writer w;
    order order;
    sn_family_skip skip;
    int64_t depth, width, per_block, n_blocks;
} mlp;

static order order_of(const sn_value *network) {
    const char *word = sn_value_text(network, "order");
    int i = 0;
    while (orders[i + 1] && strcmp(orders[i], word) != 0)
        i++;
    return (order)i;
}

/* A plain net is one block of all layers. */
static bool begin(mlp *m, const sn_value *network, sn_text *text) {
    const sn_value *skip = sn_value_get(network, "skip");
    *m = (mlp){.order = order_of(network),
               .depth = sn_value_integer(network, "depth"),
               .width = sn_value_integer(network, "width")};
    bool is_plain = sn_family_skip_kind(skip) == SN_SKIP_NONE;
    m->per_block = is_plain ? m->depth : sn_value_integer(network, "skip.layers_per_block");
    m->n_blocks = (m->depth - 1 + m->per_block - 1) / m->per_block;
    m->skip = sn_family_read_skip(skip, m->n_blocks);
    return sn_family_begin(&m->w, network, text);
}

static void write_linear(mlp *m, const char *name, int64_t units, const sn_text *init) {
    sn_family_linear(&m->w, name, units, sn_text_string(init), sn_text_string(&m->w.bias_init));
}

/* phi(norm(.)) */
static void write_phi(mlp *m, const char *name) {
    sn_family_norm(&m->w, name);
    sn_family_activation(&m->w, name);
}

static void write_hidden(mlp *m, int64_t k, int64_t units, bool last_of_branch) {
    char name[32];
    snprintf(name, sizeof name, "hidden%" PRId64, k);
    if (m->order == PRE && k > 1) write_phi(m, name);
    write_linear(m, name, units, &m->w.init);
    if (m->order == PRE) return;
    sn_family_norm(&m->w, name);
    if (m->order == INSIDE || !last_of_branch) sn_family_activation(&m->w, name);
}

static void write_block(mlp *m, int64_t index) {
    char from[SN_FAMILY_LABEL], name[32], last_name[32];
    int64_t first = 2 + (index - 1) * m->per_block, last = first + m->per_block - 1;
    if (last > m->depth) last = m->depth;
    memcpy(from, m->w.from, sizeof from);
    snprintf(name, sizeof name, "block%" PRId64, index);
    snprintf(last_name, sizeof last_name, "hidden%" PRId64, last);
    for (int64_t k = first; k <= last; k++) {
        int64_t units = m->skip.kind == SN_SKIP_CONCAT && k == last ? m->skip.growth : m->width;
        write_hidden(m, k, units, k == last && m->skip.kind == SN_SKIP_ADD);
    }
    if (m->skip.kind == SN_SKIP_NONE) return;
    sn_family_join(&m->w, &m->skip, &(sn_family_block){name, from, last_name, m->width});
    if (m->skip.kind == SN_SKIP_ADD && m->order == POST) sn_family_activation(&m->w, name);
}

static sn_status check_order(const sn_graph_request *request, sn_error *error) {
    const sn_value *network = request->network;
    const char *join = sn_family_other_join(sn_family_skip_kind(sn_value_get(network, "skip")));
    if (!join || order_of(network) != POST) return SN_OK;
    return sn_config_fault(request->config, sn_value_get(network, "order"), error,
                           "order post needs skip add or none: after a %s no sum stands to be activated "
                           "(use pre or inside)",
                           join);
}

static sn_status mlp_write(const sn_graph_request *request, sn_text *text, sn_error *error) {
    mlp m;
    sn_status status = check_order(request, error), shared = sn_family_check(request, error);
    if (shared) status = shared;
    if (status || !begin(&m, request->network, text)) return status;
    write_hidden(&m, 1, m.width, false);
    for (int64_t b = 1; b <= m.n_blocks; b++)
        write_block(&m, b);
    if (m.order == PRE) write_phi(&m, "output");
    write_linear(&m, "output", (int64_t)request->out_dim, &m.w.output_init);
    sn_family_end(&m.w);
    return SN_OK;
}

static void mlp_note_misfits(const sn_value *network, sn_notes *notes) {
    int64_t per_block = sn_value_integer(network, "skip.layers_per_block"); /* 0: there are no blocks */
    int64_t in_blocks = sn_value_integer(network, "depth") - 1;
    if (per_block > 0 && in_blocks == 0) {
        sn_note_always(notes, "network.skip has no effect: network.depth is 1, and blocks begin after the first layer");
    } else if (per_block > 0 && per_block > in_blocks) {
        sn_note_always(notes,
                       "network.skip.layers_per_block is %" PRId64 ", network.depth leaves %" PRId64
                       " layer%s for blocks: there is one, of %" PRId64,
                       per_block, in_blocks, in_blocks == 1 ? "" : "s", in_blocks);
    }
}

const sn_family sn_family_mlp = {
    .kind = {.name = "mlp", .help = "multilayer perceptron with optional skips", .keys = mlp_keys},
    .write = mlp_write,
    .note_misfits = mlp_note_misfits,
};
