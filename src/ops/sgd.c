/* Stochastic gradient descent, with momentum as PyTorch's SGD without dampening. */
#include "ops/optimizer_row.h"

enum { PLAIN, MOMENTUM, NESTEROV }; /* forms */
enum { MU };                        /* own numbers */

#if SN_DESCRIBES
static void read(const sn_value *given, sn_update_rule *rule) {
    rule->own[MU] = sn_value_number(given, "momentum");
    rule->form = rule->own[MU] == 0 ? PLAIN : sn_value_bool(given, "nesterov") ? NESTEROV : MOMENTUM;
    rule->slots = rule->form == PLAIN ? 0 : 1;
}

static sn_status check(const sn_config *config, const sn_value *given, sn_error *error) {
    if (!sn_value_bool(given, "nesterov") || sn_value_number(given, "momentum") > 0) return SN_OK;
    return sn_config_fault(config, sn_value_get(given, "nesterov"), error,
                           "needs a momentum above 0 (set train.optimizer.momentum)");
}

static const sn_key keys[] = {
    SN_KEY_MOMENTUM("mu in v = mu v + g"),
    {.name = "nesterov", .types = SN_BOOL, .fallback = "false", .help = "look ahead along the velocity"},
    SN_KEY_WEIGHT_DECAY("0", "added to the gradient times the weight (coupled)"),
    {0},
};

const sn_optimizer sn_optimizer_sgd = {
    .kind = {.name = "sgd",
             .help = "stochastic gradient descent",
             .keys = keys,
             .formula = "v = mu v + g + weight_decay w; w -= lr v (nesterov: lr (g + mu v))",
             .source = "Sutskever et al. 2013; as torch.optim.SGD with dampening 0"},
    .slots = {"momentum_buffer"},
    .read = read,
    .check = check,
};
#else
/* NOLINTNEXTLINE(readability-non-const-parameter): rules have one signature, with state or without */
SN_RULE(plain, {
    T own = n->clip * g + n->weight_decay * w;
    return n->lr * own;
})
SN_RULE(momentum, {
    T v = n->own[MU] * s[0] + (n->clip * g + n->weight_decay * w);
    s[0] = v;
    return n->lr * v;
})
SN_RULE(nesterov, {
    T own = n->clip * g + n->weight_decay * w;
    T v = n->own[MU] * s[0] + own;
    s[0] = v;
    return n->lr * (own + n->own[MU] * v);
})

SN_FORM(plain, plain, 0, n->weight_decay == 0 ? n->lr * n->clip : 0)
SN_FORM(momentum, momentum, 1, 0)
SN_FORM(nesterov, nesterov, 1, 0)

const sn_optimizer_kernels SN_V(sn_kernels_sgd) = {
    .forms = {
        [PLAIN] = SN_KERNELS_OF(plain), [MOMENTUM] = SN_KERNELS_OF(momentum), [NESTEROV] = SN_KERNELS_OF(nesterov)}};
#endif
