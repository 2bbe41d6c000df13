/* RMSprop. */
#include "ops/optimizer_row.h"

enum { PLAIN, MOMENTUM, CENTERED, CENTERED_MOMENTUM };
enum { ALPHA, REST, EPS, MU };

#if SN_DESCRIBES
static void read(const sn_value *given, sn_update_rule *rule) {
    bool is_centered = sn_value_bool(given, "centered");
    rule->own[ALPHA] = sn_value_number(given, "alpha");
    rule->own[REST] = 1 - rule->own[ALPHA];
    rule->own[EPS] = sn_value_number(given, "eps");
    rule->own[MU] = sn_value_number(given, "momentum");
    rule->form = (rule->own[MU] > 0 ? MOMENTUM : PLAIN) + (is_centered ? CENTERED : PLAIN);
    rule->slots = 1U | (rule->own[MU] > 0 ? 2U : 0) | (is_centered ? 4U : 0);
}

static int moment(const sn_update_rule *rule, const double own[SN_MAX_NUMBERS], double *limit) {
    *limit = sn_eps_limit(own[EPS]);
    return rule->slots & 4U ? -1 : 0; /* centered: the root is of a difference that is not kept */
}

static const sn_key keys[] = {
    {.name = "alpha",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX,
     .fallback = "0.99",
     .min = 0,
     .max = 1,
     .help = "how much the average of the squared gradient keeps"},
    SN_KEY_EPS,
    SN_KEY_MOMENTUM("mu in b = mu b + g / (sqrt(v) + eps)"),
    {.name = "centered", .types = SN_BOOL, .fallback = "false", .help = "take the square of the mean gradient off v"},
    SN_KEY_WEIGHT_DECAY("0", "added to the gradient times the weight (coupled)"),
    {0},
};

const sn_optimizer sn_optimizer_rmsprop = {
    .kind = {.name = "rmsprop",
             .help = "the gradient over the root of its mean square",
             .keys = keys,
             .formula = "g += weight_decay w; v = alpha v + (1 - alpha) g^2; b = mu b + g / (sqrt(v) + eps); w -= lr b "
                        "(centered: sqrt(v - a^2), a = alpha a + (1 - alpha) g)",
             .source = "Tieleman & Hinton 2012; Graves 2013, arXiv 1308.0850; as torch.optim.RMSprop"},
    .slots = {"square_avg", "momentum_buffer", "grad_avg"},
    .read = read,
    .moment = moment,
};
#else
SN_RULE(rmsprop, {
    T own = n->clip * g + n->weight_decay * w;
    s[0] = n->own[ALPHA] * s[0] + n->own[REST] * (own * own);
    s[1] = n->own[MU] * s[1] + own / (SN_ROOT(s[0]) + n->own[EPS]);
    return n->lr * s[1];
})
SN_RULE(centered_rmsprop, {
    T own = n->clip * g + n->weight_decay * w;
    s[0] = n->own[ALPHA] * s[0] + n->own[REST] * (own * own);
    s[2] = n->own[ALPHA] * s[2] + n->own[REST] * own;
    s[1] = n->own[MU] * s[1] + own / (SN_ROOT(SN_LARGER(s[0] - s[2] * s[2], (T){0})) + n->own[EPS]);
    return n->lr * s[1];
})

SN_FORM(plain, rmsprop, 1, 0)
SN_FORM(momentum, rmsprop, 3, 0)
SN_FORM(centered, centered_rmsprop, 5, 0)
SN_FORM(centered_momentum, centered_rmsprop, 7, 0)

const sn_optimizer_kernels SN_V(sn_kernels_rmsprop) = {
    .forms = {[PLAIN] = SN_KERNELS_OF(plain),
              [MOMENTUM] = SN_KERNELS_OF(momentum),
              [CENTERED] = SN_KERNELS_OF(centered),
              [CENTERED_MOMENTUM] = SN_KERNELS_OF(centered_momentum)}};
#endif
