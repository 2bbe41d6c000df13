/* Inverted dropout: y = m x / (1 - rate), m 0 with probability `rate`, else 1; the identity outside of training.
 *
 * Units of a sample are counted through all its positions; of channels that are dropped whole each is one unit.  One
 * block of random words serves four units: unit 64 g + 16 k + j has word k of block 16 g + j. */
#include "ops/mask.h"

#if SN_DESCRIBES
static sn_status dropout_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    return sn_dropping_build(node, &nodes[node->inputs[0]], "channel", pool, error);
}

static const char *const per_words[] = {"unit", "channel", NULL};
static const sn_key dropout_keys[] = {
    {.name = "rate",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX,
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .help = "probability of a unit to be dropped"},
    {.name = "per",
     .types = SN_WORD,
     .flags = SN_LATER,
     .fallback = "\"unit\"",
     .words = per_words,
     .help = "what is dropped: every unit by itself, or a channel of an image at all its positions (spatial dropout)"},
    {0},
};

const sn_op sn_op_dropout = {
    .kind = {.name = "dropout",
             .help = "drops units at random in training, drawn anew for every step and sample; in evaluations y = x",
             .keys = dropout_keys,
             .formula = "y = m x / (1 - rate), m = 0 with probability rate, else 1",
             .source = "Srivastava et al. 2014, JMLR 15, 1929-1958; per channel: Tompson et al. 2015, arXiv 1411.4280"},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = dropout_build,
    .pass_factor = sn_dropping_pass_factor,
};
#else
enum { BLOCKS = 16, GROUP = SN_MASK_WORDS * BLOCKS };

/* The features of a block are the units from `first` on. */
static void apply_block(const sn_masked *m, size_t block) {
    size_t positions = m->call->node->positions, width = m->call->width;
    size_t first = block % positions * m->call->node->width, end = first + width;
    uint32_t samples[SN_PANEL], words[SN_MASK_WORDS][SN_PANEL];
    sn_mask_samples(samples, m->call, block / positions);
    for (size_t at = first / GROUP * BLOCKS; at < (end + GROUP - 1) / GROUP * BLOCKS; at++) {
        size_t unit = at / BLOCKS * GROUP + at % BLOCKS;
        if (unit >= end || unit + (size_t)(SN_MASK_WORDS - 1) * BLOCKS < first) continue;
        sn_mask_words(words, samples, at, m->mask.key);
        for (size_t k = 0; k < SN_MASK_WORDS; k++, unit += BLOCKS) {
            if (unit >= first && unit < end) sn_mask_feature(m, block, unit - first, words[k]);
        }
    }
}

/* A panel of which whole channels are dropped: their words are drawn once, for all positions. */
static void apply_channels(const sn_masked *m, size_t panel) {
    size_t positions = m->call->node->positions, width = m->call->width;
    uint32_t samples[SN_PANEL], words[BLOCKS][SN_MASK_WORDS][SN_PANEL];
    sn_mask_samples(samples, m->call, panel);
    for (size_t first = 0; first < width; first += GROUP) {
        size_t n = width - first < GROUP ? width - first : GROUP;
        for (size_t j = 0; j < BLOCKS && j < n; j++)
            sn_mask_words(words[j], samples, first / GROUP * BLOCKS + j, m->mask.key);
        for (size_t b = panel * positions; b < (panel + 1) * positions; b++) {
            for (size_t c = 0; c < n; c++)
                sn_mask_feature(m, b, first + c, words[c % BLOCKS][c / BLOCKS]);
        }
    }
}

static void apply_panel(const sn_masked *m, size_t panel) {
    size_t positions = m->call->node->positions;
    if (((const sn_dropping *)m->call->node->attributes)->per_larger) {
        apply_channels(m, panel);
        return;
    }
    for (size_t b = panel * positions; b < (panel + 1) * positions; b++)
        apply_block(m, b);
}

static void dropout_forward(const sn_op_call *call) {
    sn_mask_forward(call, apply_panel);
}

static void dropout_backward(const sn_op_call *call) {
    sn_mask_backward(call, apply_panel);
}

static void dropout_push(const sn_push_call *call) {
    sn_push_symmetric(call, dropout_backward);
}

const sn_op_kernels SN_V(sn_kernels_dropout) = {
    .forward = dropout_forward,
    .backward = dropout_backward,
    .push = dropout_push,
};
#endif
