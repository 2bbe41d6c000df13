/* Stochastic depth: y = m x / (1 - rate), m 0 with probability `rate` for a whole sample, or for the whole batch, else
 * 1; the identity outside of training.  A sample is one part of the mask, number 0; the batch has that of sample 0. */
#include "ops/mask.h"

#if SN_DESCRIBES
static sn_status drop_path_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    return sn_dropping_build(node, &nodes[node->inputs[0]], "batch", pool, error);
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
    .pass_factor = sn_dropping_pass_factor,
};
#else
static void apply_panel(const sn_masked *m, size_t panel) {
    size_t positions = m->call->node->positions;
    uint32_t samples[SN_PANEL] = {0}, words[SN_MASK_WORDS][SN_PANEL];
    if (!((const sn_dropping *)m->call->node->attributes)->per_larger) sn_mask_samples(samples, m->call, panel);
    sn_mask_words(words, samples, 0, m->mask.key);
    for (size_t b = panel * positions; b < (panel + 1) * positions; b++) {
        for (size_t c = 0; c < m->call->width; c++)
            sn_mask_feature(m, b, c, words[0]);
    }
}

static void drop_path_forward(const sn_op_call *call) {
    sn_mask_forward(call, apply_panel);
}

static void drop_path_backward(const sn_op_call *call) {
    sn_mask_backward(call, apply_panel);
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
