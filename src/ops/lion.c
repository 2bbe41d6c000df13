/* Lion: steps of one size, by the sign of an average. */
#include "ops/optimizer_row.h"

enum { BETA1, BETA2, REST1, REST2 };

#if SN_DESCRIBES
static void read(const sn_value *given, sn_update_rule *rule) {
    const sn_value *betas = sn_value_get(given, "betas");
    rule->own[BETA1] = sn_value_element(betas, 0);
    rule->own[BETA2] = sn_value_element(betas, 1);
    rule->own[REST1] = 1 - rule->own[BETA1];
    rule->own[REST2] = 1 - rule->own[BETA2];
    rule->slots = 1;
}

static const sn_key keys[] = {
    SN_KEY_BETAS("[0.9, 0.99]", "how much of the average goes into the sign, and how much it keeps"),
    SN_KEY_WEIGHT_DECAY("0", "times lr times the weight, taken off beside the sign (decoupled)"),
    {0},
};

const sn_optimizer sn_optimizer_lion = {
    .kind = {.name = "lion",
             .help = "the sign of an average of gradients (usual lr: 0.0001)",
             .keys = keys,
             .formula = "w -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay w); m = beta2 m + (1 - beta2) g",
             .source = "Chen et al. 2023, arXiv 2302.06675, algorithm 2"},
    .slots = {"exp_avg"},
    .read = read,
    .check = sn_check_betas,
};
#else
SN_RULE(lion, {
    T own = n->clip * g, c = n->own[BETA1] * s[0] + n->own[REST1] * own;
    s[0] = n->own[BETA2] * s[0] + n->own[REST2] * own;
    return n->lr * (SN_DIRECTION(c) + n->weight_decay * w);
})

SN_FORM(plain, lion, 1, 0)

const sn_optimizer_kernels SN_V(sn_kernels_lion) = {.forms = {SN_KERNELS_OF(plain)}};
#endif
