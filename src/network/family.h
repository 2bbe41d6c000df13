/* Families: short descriptions of networks.  A family is nothing but text: it writes the layer list that a user could
 * have written, and training from the written list gives the same bytes.  Here is what a family's row holds, and what
 * the families share: keys, the kinds of skips, and the writing of entries. */
#ifndef SN_NETWORK_FAMILY_H
#define SN_NETWORK_FAMILY_H

#include "base/notes.h"
#include "base/text.h"
#include "network/graph.h"
#include "network/init.h"

/* A row of the table of families. */
typedef struct sn_family {
    sn_kind kind; /* name, help, keys of the "network" object */

    /* Writes the layer list that the resolved request->network stands for, as JSON {"layers": [...]}.  Faults of the
     * description, where keys do not go together, are added to `error`; running out of memory is the text's. */
    sn_status (*write)(const sn_graph_request *request, sn_text *text, sn_error *error);

    /* Notes what does not fit together though it is no fault; NULL: there is no such thing. */
    void (*note_misfits)(const sn_value *network, sn_notes *notes);
} sn_family;

/* ---- keys ---- */

/* What rows of a family's table of keys have in common: {SN_KEY_INIT, .fallback = "\"pytorch\""}. */
#define SN_KEY_ACTIVATION .name = "activation", .types = SN_KIND, .choice = &sn_activation_choice, .help = "phi"
#define SN_KEY_NORM                                                                                                    \
    .name = "norm", .types = SN_WORD, .words = sn_family_norms,                                                        \
    .help = "normalization before phi: layer_norm, rms_norm or batch_norm"
#define SN_KEY_INIT                                                                                                    \
    .name = "init", .types = SN_KIND, .choice = &sn_init_choice, .ruled_by = sn_ruled_by_weights,                      \
    .help = "initial weights of the hidden layers"
#define SN_KEY_BIAS_INIT                                                                                               \
    .name = "bias_init", .types = SN_KIND | SN_NULL, .choice = &sn_init_choice, .ruled_by = sn_ruled_by_weights,       \
    .help = "initial biases; null: what belongs to the init (pytorch: its own, others: zeros)"
#define SN_KEY_OUTPUT_INIT                                                                                             \
    .name = "output_init", .types = SN_KIND | SN_NULL, .choice = &sn_init_choice, .ruled_by = sn_ruled_by_weights,     \
    .help = "initial weights of the output layer; null: as init"
#define SN_KEY_CONV                                                                                                    \
    .name = "conv", .types = SN_WORD, .words = sn_conv_words, .help = "how convolutions are computed: " SN_CONV_HELP
#define SN_KEY_SKIP .name = "skip", .types = SN_KIND, .choice = &sn_skip_choice, .help = "skip connections"

extern const char *const sn_family_norms[]; /* none, layer, rms, batch */
extern const sn_choice sn_skip_choice;      /* the one list of kinds of skips */
extern const sn_choice sn_residual_choice;  /* those of networks whose blocks are laid out already: none, add */

/* Adds the faults of the shared keys of a description that the key tables cannot see. */
sn_status sn_family_check(const sn_graph_request *request, sn_error *error);

/* ---- skips ---- */

/* The kinds of skips, in the order of sn_skip_choice. */
typedef enum sn_skip_kind { SN_SKIP_NONE, SN_SKIP_ADD, SN_SKIP_CONCAT, SN_SKIP_HIGHWAY, SN_N_SKIPS } sn_skip_kind;

typedef struct sn_family_skip {
    sn_skip_kind kind;
    double shortcut_scale, branch_scale; /* add; the branch's is a start value where it is learned */
    bool learns_branch_scale;            /* add */
    int64_t growth;                      /* concat */
    double gate_bias;                    /* highway */
} sn_family_skip;

/* The kind of the resolved value `given` of a key "skip", and all that it says; a branch scale of inverse_sqrt_blocks
 * is 1/sqrt(n_blocks), of inverse_blocks 1/n_blocks. */
sn_skip_kind sn_family_skip_kind(const sn_value *given);
sn_family_skip sn_family_read_skip(const sn_value *given, int64_t n_blocks);

/* The op that ends a block where no sum does: concat or gate; else NULL. */
const char *sn_family_other_join(sn_skip_kind kind);

/* ---- writing ---- */

enum { SN_FAMILY_LABEL = 64 }; /* longer labels are cut */

/* What is being written: to `text`, with the label that the next entry reads. */
typedef struct sn_family_writer {
    sn_text *text;
    sn_text activation, init, bias_init, output_init; /* as JSON */
    const char *norm;                                 /* the op, NULL: none */
    const char *conv; /* how convolutions are computed; set by families that have some */
    char from[SN_FAMILY_LABEL];
} sn_family_writer;

/* Reads the shared keys of the description, and opens the list.  False, and `text` has failed, when out of memory: then
 * there is nothing to write, nor to end. */
bool sn_family_begin(sn_family_writer *w, const sn_value *network, sn_text *text);

/* Closes the list, which has an entry, and releases what the writer holds. */
void sn_family_end(sn_family_writer *w);

/* An entry of any op that reads w->from: opened, then the caller appends keys (', "units": 8') to w->text, then closed.
 * What is closed is what the next entry reads. */
void sn_family_open(sn_family_writer *w, const char *op, const char *label);
void sn_family_close(sn_family_writer *w, const char *label);

/* The entry NAME.norm, where there are norms, and NAME.act. */
void sn_family_norm(sn_family_writer *w, const char *name);
void sn_family_activation(sn_family_writer *w, const char *name);

/* A linear layer; the inits are JSON. */
void sn_family_linear(sn_family_writer *w, const char *name, int64_t units, const char *init, const char *bias_init);

/* A convolution without bias, padded by (kernel - 1) / 2, with the init of the hidden layers. */
typedef struct sn_family_kernel {
    int64_t channels, kernel, stride;
} sn_family_kernel;

void sn_family_conv(sn_family_writer *w, const char *name, sn_family_kernel kernel);

/* The entry NAME SUFFIX of an op; `keys`: its further keys as JSON members with a comma before each, "" for none. */
void sn_family_op(sn_family_writer *w, const char *op, const char *name, const char *suffix, const char *keys);

/* A block that is to be closed: what it reads, its last layer, and the features that a gate has. */
typedef struct sn_family_block {
    const char *name, *from, *last;
    int64_t width;
} sn_family_block;

/* Joins what the block reads and its branch, w->from, as the skip says (it is none of SN_SKIP_NONE): NAME.scale and
 * NAME; NAME; or LAST.gate, LAST.gate.act and NAME, where the gate's layer has the init of the hidden layers. */
void sn_family_join(sn_family_writer *w, const sn_family_skip *skip, const sn_family_block *block);

#endif
