/* Inverted dropout: y = m x / (1 - rate), m 0 with probability `rate`, else 1; the identity outside of training.
 *
 * Whether a unit is dropped is a function of (seed, label, step, sample, unit) alone, so the mask is the same for any
 * tiles and threads, and is drawn again in the backward pass instead of being kept.  Units of a sample are counted
 * through all its positions; of channels that are dropped whole each is one unit.  One block of Philox serves four
 * units: unit 64 g + 16 k + j has word k of block 16 g + j. It is drawn for all lanes of a panel at once; idle ones
 * have the mask of the last sample. */
#include <string.h>

#include "base/hash.h"
#include "ops/row.h"

typedef struct dropout_attributes {
    double rate;
    bool per_channel; /* a channel of an image is one unit */
    uint64_t label;   /* its hash */
} dropout_attributes;

#if SN_DESCRIBES
static sn_status dropout_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    dropout_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a dropout");
    attributes->rate = sn_value_number(node->config, "rate");
    attributes->per_channel = strcmp(sn_value_text(node->config, "per"), "channel") == 0;
    attributes->label = sn_hash(node->label, strlen(node->label), sn_hash("dropout", sizeof "dropout", 0));
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    return SN_OK;
}

static double dropout_pass_factor(const sn_node *node, int k) {
    (void)k;
    return ((const dropout_attributes *)node->attributes)->rate == 0 ? 1 : 0;
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
    .pass_factor = dropout_pass_factor,
};
#else
#include "base/philox.h"

enum { WORDS = 4, BLOCKS = 16, GROUP = WORDS * BLOCKS, STREAM = 2 };

/* The mask of one pass. */
typedef struct mask {
    uint64_t key;
    uint32_t threshold; /* a unit is dropped where its word is below */
    real factor;        /* of the others */
} mask;

/* What a mask is put on: to = mask * from, or base + mask * from; base's data NULL: nothing is added to. */
typedef struct masked {
    const sn_op_call *call;
    mask mask;
    sn_view to, from, base;
} masked;

static bool is_identity(const sn_op_call *call) {
    return !call->pass->is_training || ((const dropout_attributes *)call->node->attributes)->rate == 0;
}

static mask mask_of(const sn_op_call *call) {
    const dropout_attributes *attributes = call->node->attributes;
    const uint64_t words[3] = {call->pass->seed, call->pass->step, attributes->label};
    double threshold = attributes->rate * 0x1p32;
    return (mask){.key = sn_hash(words, sizeof words, 0),
                  .threshold = threshold < 0xFFFFFFFFU ? (uint32_t)threshold : 0xFFFFFFFFU,
                  .factor = (real)(1 / (1 - attributes->rate))};
}

/* The samples of the lanes of a panel. */
static void set_samples(uint32_t samples[SN_PANEL], const sn_op_call *call, size_t panel) {
    size_t n = sn_panel_samples(call->samples, panel);
    for (size_t l = 0; l < SN_PANEL; l++)
        samples[l] = call->pass->samples[panel * SN_PANEL + (l < n ? l : n - 1)];
}

/* Block `at` of the random words of these samples: of every word a row of lanes. */
static inline void draw_words(uint32_t words[WORDS][SN_PANEL], const uint32_t samples[SN_PANEL], size_t at,
                              uint64_t key) {
    for (int l = 0; l < SN_PANEL; l++) {
        words[0][l] = (uint32_t)at;
        words[1][l] = samples[l];
        words[2][l] = STREAM;
        words[3][l] = 0;
    }
    sn_philox(words[0], SN_PANEL, key);
}

/* What is dropped is 0 whatever it was. */
SN_ALWAYS_INLINE void apply_lanes(const masked *m, size_t block, size_t c, const uint32_t words[SN_PANEL],
                                  size_t lanes) {
    const real *from = sn_lanes_of(m->from, block, c);
    const real *base = m->base.data ? sn_lanes_of(m->base, block, c) : NULL;
    real *to = sn_lanes_of(m->to, block, c), factor = m->mask.factor;
    uint32_t threshold = m->mask.threshold;
    real kept[SN_PANEL];
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        real own = from[l];
        kept[l] = words[l] < threshold ? 0 : own;
    }
    if (base) {
        SN_SIMD for (size_t l = 0; l < lanes; l++) to[l] = base[l] + factor * kept[l];
    } else {
        SN_SIMD for (size_t l = 0; l < lanes; l++) to[l] = factor * kept[l];
    }
}

static void apply_feature(const masked *m, size_t block, size_t c, const uint32_t words[SN_PANEL]) {
    if (m->call->lanes == SN_PANEL) {
        apply_lanes(m, block, c, words, SN_PANEL);
    } else {
        apply_lanes(m, block, c, words, m->call->lanes);
    }
}

/* The features of a block are the units from `first` on. */
static void apply_block(const masked *m, size_t block) {
    size_t positions = m->call->node->positions, width = m->call->width;
    size_t first = block % positions * m->call->node->width, end = first + width;
    uint32_t samples[SN_PANEL], words[WORDS][SN_PANEL];
    set_samples(samples, m->call, block / positions);
    for (size_t at = first / GROUP * BLOCKS; at < (end + GROUP - 1) / GROUP * BLOCKS; at++) {
        size_t unit = at / BLOCKS * GROUP + at % BLOCKS;
        if (unit >= end || unit + (size_t)(WORDS - 1) * BLOCKS < first) continue;
        draw_words(words, samples, at, m->mask.key);
        for (size_t k = 0; k < WORDS; k++, unit += BLOCKS) {
            if (unit >= first && unit < end) apply_feature(m, block, unit - first, words[k]);
        }
    }
}

/* A panel of which whole channels are dropped: their words are drawn once, for all positions. */
static void apply_channels(const masked *m, size_t panel) {
    size_t positions = m->call->node->positions, width = m->call->width;
    uint32_t samples[SN_PANEL], words[BLOCKS][WORDS][SN_PANEL];
    set_samples(samples, m->call, panel);
    for (size_t first = 0; first < width; first += GROUP) {
        size_t n = width - first < GROUP ? width - first : GROUP;
        for (size_t j = 0; j < BLOCKS && j < n; j++)
            draw_words(words[j], samples, first / GROUP * BLOCKS + j, m->mask.key);
        for (size_t b = panel * positions; b < (panel + 1) * positions; b++) {
            for (size_t c = 0; c < n; c++)
                apply_feature(m, b, first + c, words[c % BLOCKS][c / BLOCKS]);
        }
    }
}

/* Without a mask what there is is passed on as it is. */
static void pass_on(const masked *m) {
    sn_lane_rows e = sn_lane_rows_of(m->call->blocks, m->call->width, m->call->lanes, false);
    SN_FOR_ROWS(e) {
        const real *from = sn_lanes_of(m->from, b, r), *base = m->base.data ? sn_lanes_of(m->base, b, r) : NULL;
        real *to = sn_lanes_of(m->to, b, r);
        if (base) {
            SN_SIMD for (size_t c = 0; c < e.cols; c++) to[c] = base[c] + from[c];
        } else {
            memcpy(to, from, e.cols * sizeof(real));
        }
    }
}

static void apply(const masked *m) {
    if (is_identity(m->call)) {
        pass_on(m);
        return;
    }
    if (((const dropout_attributes *)m->call->node->attributes)->per_channel) {
        for (size_t p = 0; p < sn_panels(m->call->samples); p++)
            apply_channels(m, p);
        return;
    }
    for (size_t b = 0; b < m->call->blocks; b++)
        apply_block(m, b);
}

static void dropout_forward(const sn_op_call *call) {
    apply(&(masked){.call = call, .mask = mask_of(call), .to = call->y, .from = call->x[0]});
}

static void dropout_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    masked m = {.call = call, .mask = mask_of(call), .to = call->dx[0], .from = call->dy};
    if (call->flow[0] == SN_FLOW_ADD) m.base = call->base[0];
    apply(&m);
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
