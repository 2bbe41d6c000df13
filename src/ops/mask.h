/* What the ops share that set parts of a signal to zero at random in training, and multiply the others by
 * 1 / (1 - rate).
 *
 * Whether a part is dropped is a function of (seed, op, label, step, sample, number of the part) alone, so the mask is
 * the same for any tiles and threads, and is drawn again in the backward pass instead of being kept.  A block of Philox
 * has four words, drawn for all lanes of a panel at once; idle lanes have the mask of the last sample.  Not for other
 * rooms. */
#ifndef SN_OPS_MASK_H
#define SN_OPS_MASK_H

#include <string.h>

#include "base/hash.h"
#include "ops/row.h"

typedef struct sn_dropping {
    double rate;
    bool per_larger; /* of the two words of the key "per" the second: channels, batches */
    uint64_t label;  /* its hash, and the op's */
} sn_dropping;

#if SN_DESCRIBES
/* Reads the keys "rate" and "per", whose second word is `larger`; the output has the shape of the input. */
static inline sn_status sn_dropping_build(sn_node *node, const sn_node *input, const char *larger, sn_pool *pool,
                                          sn_error *error) {
    const char *op = node->op->kind.name;
    sn_dropping *attributes = sn_pool_alloc(pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a dropout");
    attributes->rate = sn_value_number(node->config, "rate");
    attributes->per_larger = strcmp(sn_value_text(node->config, "per"), larger) == 0;
    attributes->label = sn_hash(node->label, strlen(node->label), sn_hash(op, strlen(op) + 1, 0));
    node->attributes = attributes;
    sn_node_set_shape(node, &input->shape);
    return SN_OK;
}

static inline double sn_dropping_pass_factor(const sn_node *node, int k) {
    (void)k;
    return ((const sn_dropping *)node->attributes)->rate == 0 ? 1 : 0;
}
#else
#include "base/philox.h"

enum { SN_MASK_WORDS = 4, SN_MASK_STREAM = 2 };

/* The mask of one pass. */
typedef struct sn_mask {
    uint64_t key;
    uint32_t threshold; /* a unit is dropped where its word is below */
    real factor;        /* of the others */
} sn_mask;

/* What a mask is put on: to = mask * from, or base + mask * from; base's data NULL: nothing is added to. */
typedef struct sn_masked {
    const sn_op_call *call;
    sn_mask mask;
    sn_view to, from, base;
} sn_masked;

static inline bool sn_mask_is_off(const sn_op_call *call) {
    return !call->pass->is_training || ((const sn_dropping *)call->node->attributes)->rate == 0;
}

static inline sn_mask sn_mask_of(const sn_op_call *call) {
    const sn_dropping *attributes = call->node->attributes;
    const uint64_t words[3] = {call->pass->seed, call->pass->step, attributes->label};
    double threshold = attributes->rate * 0x1p32;
    return (sn_mask){.key = sn_hash(words, sizeof words, 0),
                     .threshold = threshold < 0xFFFFFFFFU ? (uint32_t)threshold : 0xFFFFFFFFU,
                     .factor = (real)(1 / (1 - attributes->rate))};
}

/* The samples of the lanes of a panel. */
static inline void sn_mask_samples(uint32_t samples[SN_PANEL], const sn_op_call *call, size_t panel) {
    size_t n = sn_panel_samples(call->samples, panel);
    for (size_t l = 0; l < SN_PANEL; l++)
        samples[l] = call->pass->samples[panel * SN_PANEL + (l < n ? l : n - 1)];
}

/* Block `at` of the random words of these samples: of every word a row of lanes. */
static inline void sn_mask_words(uint32_t words[SN_MASK_WORDS][SN_PANEL], const uint32_t samples[SN_PANEL], size_t at,
                                 uint64_t key) {
    for (int l = 0; l < SN_PANEL; l++) {
        words[0][l] = (uint32_t)at;
        words[1][l] = samples[l];
        words[2][l] = SN_MASK_STREAM;
        words[3][l] = 0;
    }
    sn_philox(words[0], SN_PANEL, key);
}

/* What is dropped is 0 whatever it was. */
SN_ALWAYS_INLINE void sn_mask_lanes(const sn_masked *m, size_t block, size_t c, const uint32_t words[SN_PANEL],
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

static inline void sn_mask_feature(const sn_masked *m, size_t block, size_t c, const uint32_t words[SN_PANEL]) {
    if (m->call->lanes == SN_PANEL) {
        sn_mask_lanes(m, block, c, words, SN_PANEL);
    } else {
        sn_mask_lanes(m, block, c, words, m->call->lanes);
    }
}

/* Without a mask what there is is passed on as it is. */
static inline void sn_mask_pass_on(const sn_masked *m) {
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

/* Puts the mask on a panel of a signal. */
typedef void sn_mask_panel(const sn_masked *m, size_t panel);

static inline void sn_mask_apply(const sn_masked *m, sn_mask_panel *apply) {
    if (sn_mask_is_off(m->call)) {
        sn_mask_pass_on(m);
        return;
    }
    for (size_t p = 0; p < sn_panels(m->call->samples); p++)
        apply(m, p);
}

static inline void sn_mask_forward(const sn_op_call *call, sn_mask_panel *apply) {
    sn_mask_apply(&(sn_masked){.call = call, .mask = sn_mask_of(call), .to = call->y, .from = call->x[0]}, apply);
}

static inline void sn_mask_backward(const sn_op_call *call, sn_mask_panel *apply) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    sn_masked m = {.call = call, .mask = sn_mask_of(call), .to = call->dx[0], .from = call->dy};
    if (call->flow[0] == SN_FLOW_ADD) m.base = call->base[0];
    sn_mask_apply(&m, apply);
}
#endif

#endif
