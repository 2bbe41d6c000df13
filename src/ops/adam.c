/* Adam, and AdamW, whose weight decay is apart from the gradient. */
#include "ops/optimizer_row.h"

enum { PLAIN, AMSGRAD };
enum { BETA1, BETA2, EPS, COUPLES, REST1, REST2, CORRECTION1, CORRECTION2 }; /* COUPLES: 1 in adam, 0 in adamw */

#if SN_DESCRIBES
#include <math.h>

static void read_betas(const sn_value *given, sn_update_rule *rule) {
    const sn_value *betas = sn_value_get(given, "betas");
    rule->own[BETA1] = sn_value_element(betas, 0);
    rule->own[BETA2] = sn_value_element(betas, 1);
    rule->own[EPS] = sn_value_number(given, "eps");
    rule->own[REST1] = 1 - rule->own[BETA1];
    rule->own[REST2] = 1 - rule->own[BETA2];
    rule->form = sn_value_bool(given, "amsgrad") ? AMSGRAD : PLAIN;
    rule->slots = rule->form == AMSGRAD ? 7 : 3;
}

static void read_adam(const sn_value *given, sn_update_rule *rule) {
    read_betas(given, rule);
    rule->own[COUPLES] = 1;
}

/* The averages begin with 0: what they lack of 1 is made up for. */
static void correct_bias(const sn_update_rule *rule, uint64_t number, double own[SN_MAX_NUMBERS]) {
    double t = (double)number + 1;
    own[CORRECTION1] = 1 / (1 - pow(rule->own[BETA1], t));
    own[CORRECTION2] = 1 / sqrt(1 - pow(rule->own[BETA2], t));
}

static int moment(const sn_update_rule *rule, const double own[SN_MAX_NUMBERS], double *limit) {
    *limit = sn_eps_limit(own[EPS] / own[CORRECTION2]);
    return rule->form == AMSGRAD ? 2 : 1;
}

#define MORE_KEYS                                                                                                      \
    SN_KEY_BETAS("[0.9, 0.999]", "how much the averages of the gradient and of its square keep"), SN_KEY_EPS,          \
        {.name = "amsgrad",                                                                                            \
         .types = SN_BOOL,                                                                                             \
         .fallback = "false",                                                                                          \
         .help = "divide by the root of the largest average so far (Reddi et al. 2018, arXiv 1904.09237)"},            \
    {                                                                                                                  \
        0                                                                                                              \
    }

static const sn_key adam_keys[] = {SN_KEY_WEIGHT_DECAY("0", "added to the gradient times the weight (coupled)"),
                                   MORE_KEYS};
static const sn_key adamw_keys[] = {
    SN_KEY_WEIGHT_DECAY("0.01", "times lr times the weight, taken off beside the gradient's part (decoupled)"),
    MORE_KEYS};

const sn_optimizer sn_optimizer_adam = {
    .kind = {.name = "adam",
             .help = "steps of the size of lr along the averaged gradient (usual lr: 0.001)",
             .keys = adam_keys,
             .formula = "g += weight_decay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= lr m' / "
                        "(sqrt(v') + eps), m' = m / (1 - beta1^t), v' = v / (1 - beta2^t)",
             .source = "Kingma & Ba 2014, arXiv 1412.6980; as torch.optim.Adam"},
    .slots = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
    .read = read_adam,
    .check = sn_check_betas,
    .at_step = correct_bias,
    .moment = moment,
};

const sn_optimizer sn_optimizer_adamw = {
    .kind = {.name = "adamw",
             .help = "adam with weight decay apart from the gradient (usual lr: 0.001)",
             .keys = adamw_keys,
             .formula = "w -= lr weight_decay w, and as adam without it",
             .source = "Loshchilov & Hutter 2019, arXiv 1711.05101; as torch.optim.AdamW"},
    .slots = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
    .read = read_betas,
    .check = sn_check_betas,
    .at_step = correct_bias,
    .moment = moment,
};
#else
SN_RULE(adam, {
    T decay = n->weight_decay * w, own = n->clip * g + n->own[COUPLES] * decay;
    T m = n->own[BETA1] * s[0] + n->own[REST1] * own;
    T v = n->own[BETA2] * s[1] + n->own[REST2] * (own * own);
    s[0] = m;
    s[1] = v;
    s[2] = SN_LARGER(v, s[2]);
    return n->lr * ((1 - n->own[COUPLES]) * decay +
                    n->own[CORRECTION1] * m / (n->own[CORRECTION2] * SN_ROOT(s[2]) + n->own[EPS]));
})

SN_FORM(plain, adam, 3, 0)
SN_FORM(amsgrad, adam, 7, 0)

#define FORMS                                                                                                          \
    {                                                                                                                  \
        .forms = { [PLAIN] = SN_KERNELS_OF(plain), [AMSGRAD] = SN_KERNELS_OF(amsgrad) }                                \
    }
const sn_optimizer_kernels SN_V(sn_kernels_adam) = FORMS, SN_V(sn_kernels_adamw) = FORMS;
#endif
