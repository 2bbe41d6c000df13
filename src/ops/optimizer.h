/* The interface that an optimizer fulfils: how a gradient becomes the change of a weight. */
#ifndef SN_OPS_OPTIMIZER_H
#define SN_OPS_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "kernels/calls.h"

enum { SN_MAX_FORMS = 4 };

struct sn_optimizer;

/* An optimizer as a config has it. */
typedef struct sn_update_rule {
    const struct sn_optimizer *optimizer;
    int form;       /* which of its kernels */
    unsigned slots; /* bit k: the form keeps slot k of the row */
    double weight_decay;
    bool decays_all;            /* decay acts on every parameter, else on those that sn_param.decays marks */
    double own[SN_MAX_NUMBERS]; /* numbers of the row, in its order, where they are the same in every step */
} sn_update_rule;

/* A row of the table of optimizers: what a user may write, and what an update is made with. */
typedef struct sn_optimizer {
    sn_kind kind;
    const char *slots[SN_MAX_SLOTS]; /* state for every element of a parameter, by PyTorch's names; it begins with 0 */

    /* Fills form, slots and own numbers of the rule from the resolved object. */
    void (*read)(const sn_value *given, sn_update_rule *rule);

    /* Adds the faults of keys that do not go together; NULL: there can be none. */
    sn_status (*check)(const sn_config *config, const sn_value *given, sn_error *error);

    /* Sets those own numbers that the step decides, before which `number` updates were applied; NULL: there are none.
     */
    void (*at_step)(const sn_update_rule *rule, uint64_t number, double own[SN_MAX_NUMBERS]);

    /* Where a step is divided by the root of a slot (and a correction) plus eps: the slot, and in *limit the value
     * below which that root is smaller than eps; -1: no such thing.  NULL: the same. */
    int (*moment)(const sn_update_rule *rule, const double own[SN_MAX_NUMBERS], double *limit);
} sn_optimizer;

/* The kernels of one form, compiled once per precision and instruction set: see kernels/update.h. */
typedef struct sn_form_kernels {
    bool (*update)(const sn_update_call *call); /* whether all updated weights are finite */
    sn_change_sums (*change_sums)(const sn_change_call *call);
} sn_form_kernels;

typedef struct sn_optimizer_kernels {
    sn_form_kernels forms[SN_MAX_FORMS];
} sn_optimizer_kernels;

/* Keys that several optimizers have. */
#define SN_KEY_WEIGHT_DECAY(fallback_, help_)                                                                          \
    { .name = "weight_decay", .types = SN_NUMBER, .fallback = fallback_, .min = 0, .max = 1e300, .help = help_ }
#define SN_KEY_MOMENTUM(help_)                                                                                         \
    {                                                                                                                  \
        .name = "momentum", .types = SN_NUMBER, .flags = SN_BELOW_MAX, .fallback = "0", .min = 0, .max = 1,            \
        .help = help_                                                                                                  \
    }
#define SN_KEY_BETAS(fallback_, help_)                                                                                 \
    { .name = "betas", .types = SN_LIST, .fallback = fallback_, .element = &sn_beta_key, .help = help_ }
#define SN_KEY_EPS                                                                                                     \
    {                                                                                                                  \
        .name = "eps", .types = SN_NUMBER, .fallback = "1e-8", .min = 0, .max = 1e300,                                 \
        .help =                                                                                                        \
            "added to the root that the step is divided by; with 0 a weight without any gradient so far becomes nan"   \
    }
extern const sn_key sn_beta_key;

/* The check of SN_KEY_BETAS: there are two. */
sn_status sn_check_betas(const sn_config *config, const sn_value *given, sn_error *error);

/* The square of eps, for `moment`: above 0 where eps is, so that a root of exactly 0 is below it. */
double sn_eps_limit(double eps);

static inline bool sn_rule_has_slot(const sn_update_rule *rule, int k) {
    return rule->slots >> k & 1U;
}

/* The place of slot k among those that a rule keeps, and how many these are. */
static inline int sn_slot_place(unsigned slots, int k) {
    return __builtin_popcount(slots & ((1U << k) - 1));
}

static inline int sn_slot_count(unsigned slots) {
    return sn_slot_place(slots, SN_MAX_SLOTS);
}

#endif
