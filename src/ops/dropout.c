/* Inverted dropout: y = m x / (1 - rate), m 0 with probability `rate`, else 1; the identity outside of training.
 *
 * Whether a unit is dropped is a function of (seed, label, step, sample, unit) alone, so the mask is the same for any
 * tiles and threads, and is drawn again in the backward pass instead of being kept.  Units of a sample are counted
 * through all its positions.  One block of Philox serves four units, and a group of blocks is drawn at once: unit
 * 64 g + 16 k + j has word k of block 16 g + j. */
#include <string.h>

#include "base/hash.h"
#include "ops/row.h"

typedef struct dropout_attributes {
    double rate;
    uint64_t label; /* its hash */
} dropout_attributes;

#if SN_DESCRIBES
static sn_status dropout_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    dropout_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a dropout");
    attributes->rate = sn_value_number(node->config, "rate");
    attributes->label = sn_hash(node->label, strlen(node->label), sn_hash("dropout", sizeof "dropout", 0));
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    return SN_OK;
}

static double dropout_pass_factor(const sn_node *node, int k) {
    (void)k;
    return ((const dropout_attributes *)node->attributes)->rate == 0 ? 1 : 0;
}

static const sn_key dropout_keys[] = {
    {.name = "rate",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX,
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .help = "probability of a unit to be dropped"},
    {0},
};

const sn_op sn_op_dropout = {
    .kind = {.name = "dropout",
             .help = "drops units at random in training, drawn anew for every step and sample; in evaluations y = x",
             .keys = dropout_keys,
             .formula = "y = m x / (1 - rate), m = 0 with probability rate, else 1",
             .source = "Srivastava et al. 2014, JMLR 15, 1929-1958"},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = dropout_build,
    .pass_factor = dropout_pass_factor,
};
#else
#include "base/philox.h"

enum { BLOCKS = 16, GROUP = 4 * BLOCKS, LANE = 2 };

/* The mask of one pass. */
typedef struct mask {
    uint64_t key;
    uint32_t threshold; /* a unit is dropped where its word is below */
    real factor;        /* of the others; 0 is never multiplied, so that what is dropped is 0 whatever it was */
} mask;

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

/* The words of the 64 units from 64 `group` on, of one sample. */
static inline void draw_words(const mask *m, uint32_t sample, size_t group, uint32_t words[GROUP]) {
    for (uint32_t j = 0; j < BLOCKS; j++) {
        words[j] = (uint32_t)group * BLOCKS + j;
        words[BLOCKS + j] = sample;
        words[2 * BLOCKS + j] = LANE;
        words[3 * BLOCKS + j] = 0;
    }
    sn_philox(words, BLOCKS, m->key);
}

/* to = mask * from, or base + mask * from, for the `n` units of one group. */
static inline void apply_group(const mask *m, const uint32_t words[GROUP], real *to, const real *from, const real *base,
                               size_t n) {
    uint32_t threshold = m->threshold;
    real factor = m->factor;
    SN_SIMD for (size_t c = 0; c < n; c++) {
        real own = words[c] < threshold ? 0 : factor * from[c];
        to[c] = base ? base[c] + own : own;
    }
}

/* Some units of one sample: `n` from unit `first` on. */
typedef struct units {
    uint32_t sample;
    size_t first, n;
} units;

static units units_of_row(const sn_op_call *call, size_t r) {
    size_t positions = call->node->positions, width = call->node->width;
    return (units){call->pass->samples[r / positions], r % positions * width, width};
}

/* The same for a row. */
static void apply(const mask *m, units u, real *to, const real *from, const real *base) {
    uint32_t words[GROUP];
    for (size_t done = 0, n; done < u.n; done += n) {
        size_t unit = u.first + done, skipped = unit % GROUP;
        n = u.n - done < GROUP - skipped ? u.n - done : GROUP - skipped;
        draw_words(m, u.sample, unit / GROUP, words);
        apply_group(m, words + skipped, to + done, from + done, base ? base + done : NULL, n);
    }
}

static void dropout_forward(const sn_op_call *call) {
    size_t width = call->node->width;
    if (is_identity(call)) {
        for (size_t r = 0; r < call->rows; r++)
            memcpy(sn_row(call->y, r), sn_row(call->x[0], r), width * sizeof(real));
        return;
    }
    mask m = mask_of(call);
    for (size_t r = 0; r < call->rows; r++)
        apply(&m, units_of_row(call, r), sn_row(call->y, r), sn_row(call->x[0], r), NULL);
}

/* Without a mask the gradient is passed on as it is. */
static void pass_on(const sn_op_call *call, size_t r) {
    const real *dy = sn_row(call->dy, r), *base = call->flow[0] == SN_FLOW_ADD ? sn_row(call->base[0], r) : NULL;
    real *dx = sn_row(call->dx[0], r);
    SN_SIMD for (size_t c = 0; c < call->node->width; c++) dx[c] = base ? base[c] + dy[c] : dy[c];
}

static void dropout_backward(const sn_op_call *call) {
    bool passes = is_identity(call);
    mask m = mask_of(call);
    for (size_t r = 0; r < call->rows && call->flow[0] != SN_FLOW_NONE; r++) {
        const real *base = call->flow[0] == SN_FLOW_ADD ? sn_row(call->base[0], r) : NULL;
        if (passes) {
            pass_on(call, r);
        } else {
            apply(&m, units_of_row(call, r), sn_row(call->dx[0], r), sn_row(call->dy, r), base);
        }
    }
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
