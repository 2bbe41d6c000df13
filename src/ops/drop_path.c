/* Stochastic depth: y = m x / (1 - rate), m 0 with probability `rate` for a whole sample, or for the whole batch, else
 * 1; the identity outside of training.
 *
 * Whether a branch is dropped is a function of (seed, label, step, sample) alone, as a dropout's mask is, and is drawn
 * again in the backward pass. */
#include <string.h>

#include "base/hash.h"
#include "ops/image.h"

typedef struct drop_path_attributes {
    double rate;
    bool per_batch;
    uint64_t label; /* its hash */
} drop_path_attributes;

#if SN_DESCRIBES
static sn_status drop_path_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    drop_path_attributes *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a drop_path");
    attributes->rate = sn_value_number(node->config, "rate");
    attributes->per_batch = strcmp(sn_value_text(node->config, "per"), "batch") == 0;
    attributes->label = sn_hash(node->label, strlen(node->label), sn_hash("drop_path", sizeof "drop_path", 0));
    node->attributes = attributes;
    sn_node_set_shape(node, &nodes[node->inputs[0]].shape);
    return SN_OK;
}

static double drop_path_pass_factor(const sn_node *node, int k) {
    (void)k;
    return ((const drop_path_attributes *)node->attributes)->rate == 0 ? 1 : 0;
}

static const char *const per_words[] = {"sample", "batch", NULL};
static const sn_key drop_path_keys[] = {
    {.name = "rate",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX | SN_REQUIRED,
     .min = 0,
     .max = 1,
     .help = "probability of being dropped"},
    {.name = "per", .types = SN_WORD, .fallback = "\"sample\"", .words = per_words, .help = "what one draw is for"},
    {0},
};

const sn_op sn_op_drop_path = {
    .kind = {.name = "drop_path",
             .help = "stochastic depth: drops all of a sample's signal, or of the batch's, at random in training; in "
                     "evaluations y = x",
             .keys = drop_path_keys,
             .formula = "y = m x / (1 - rate), m = 0 with probability rate, else 1",
             .source = "Huang et al. 2016, arXiv 1603.09382"},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = drop_path_build,
    .pass_factor = drop_path_pass_factor,
};
#else
#include "base/philox.h"

enum { STREAM = 3 };

/* The factor of each lane of a panel: 0 where it is dropped. */
static void set_factors(real factors[SN_PANEL], const sn_op_call *call, size_t panel) {
    const drop_path_attributes *a = call->node->attributes;
    const uint64_t words[3] = {call->pass->seed, call->pass->step, a->label};
    uint64_t key = sn_hash(words, sizeof words, 0);
    size_t n = sn_panel_samples(call->samples, panel);
    bool draws = call->pass->is_training && a->rate > 0;
    for (size_t l = 0; l < SN_PANEL; l++) {
        uint32_t sample = a->per_batch ? 0 : call->pass->samples[panel * SN_PANEL + (l < n ? l : n - 1)];
        uint32_t counter[4] = {0, sample, STREAM, a->per_batch};
        if (draws) sn_philox(counter, 1, key);
        bool is_dropped = draws && (double)counter[0] < a->rate * 0x1p32;
        factors[l] = is_dropped ? 0 : draws ? (real)(1 / (1 - a->rate)) : 1;
    }
}

/* A feature of a block; what is dropped is 0 whatever it was. */
SN_ALWAYS_INLINE void apply_lanes(real *to, const real *base, const real *from, const real factors[SN_PANEL],
                                  size_t lanes) {
    real kept[SN_PANEL];
    SN_SIMD for (size_t l = 0; l < lanes; l++) kept[l] = factors[l] != 0 ? factors[l] * from[l] : 0;
    if (base) {
        SN_SIMD for (size_t l = 0; l < lanes; l++) to[l] = base[l] + kept[l];
    } else {
        SN_SIMD for (size_t l = 0; l < lanes; l++) to[l] = kept[l];
    }
}

/* to = factor from, of a feature of a block; `base` NULL: nothing is added to. */
static void apply_feature(const sn_op_call *call, real *to, const real *base, const real *from,
                          const real factors[SN_PANEL]) {
    if (call->lanes == SN_PANEL) {
        apply_lanes(to, base, from, factors, SN_PANEL);
    } else {
        apply_lanes(to, base, from, factors, call->lanes);
    }
}

/* The whole signal, on top of the base where `adds`. */
static void apply(const sn_op_call *call, sn_view to, sn_view from, bool adds) {
    real factors[SN_PANEL];
    for (size_t b = 0; b < call->blocks; b++) {
        if (b % call->node->positions == 0) set_factors(factors, call, b / call->node->positions);
        for (size_t c = 0; c < call->width; c++)
            apply_feature(call, sn_lanes_of(to, b, c), adds ? sn_lanes_of(call->base[0], b, c) : NULL,
                          sn_lanes_of(from, b, c), factors);
    }
}

static void drop_path_forward(const sn_op_call *call) {
    apply(call, call->y, call->x[0], false);
}

static void drop_path_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    apply(call, call->dx[0], call->dy, call->flow[0] == SN_FLOW_ADD);
}

static void drop_path_push(const sn_push_call *call) {
    sn_push_symmetric(call, drop_path_backward);
}

const sn_op_kernels SN_V(sn_kernels_drop_path) = {
    .forward = drop_path_forward,
    .backward = drop_path_backward,
    .push = drop_path_push,
};
#endif
