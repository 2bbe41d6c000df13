/* Owns the update rules under test. */
#include "support/rules.h"

#include <math.h>
#include <string.h>

#include "ops/table.h"
#include "support/check.h"

static const sn_key keys[] = {
    {.name = "optimizer", .types = SN_KIND, .fallback = "\"sgd\"", .choice = &sn_optimizer_choice, .help = "the rule"},
    {0},
};
static const sn_schema schema = {.title = "rules", .keys = keys};

sn_update_rule rule_of(const char *optimizer) {
    sn_text text = SN_TEXT_EMPTY;
    sn_config *config = NULL;
    sn_error error;
    sn_error_clear(&error);
    sn_text_addf(&text, "{\"optimizer\": %s}", optimizer ? optimizer : "\"sgd\"");
    if (sn_config_parse(&config, &schema, sn_text_string(&text), text.length, "rule", "", &error))
        fail_msg("%s", error.text);
    sn_update_rule rule;
    sn_update_rule_read(&rule, sn_value_get(sn_config_root(config), "optimizer"));
    sn_config_free(config);
    sn_text_free(&text);
    return rule;
}

sn_update_numbers rule_numbers(const sn_update_rule *rule, uint64_t number, double lr, double clip) {
    sn_update_numbers numbers = {.lr = lr, .clip = clip, .weight_decay = rule->weight_decay};
    memcpy(numbers.own, rule->own, sizeof numbers.own);
    if (rule->optimizer && rule->optimizer->at_step) rule->optimizer->at_step(rule, number, numbers.own);
    return numbers;
}

/* Each takes the gradient after clipping. */
typedef double formula(const sn_update_rule *rule, const sn_update_numbers *n, double w, double g, double *s);

static double sgd(const sn_update_rule *rule, const sn_update_numbers *n, double w, double g, double *s) {
    double own = g + n->weight_decay * w, mu = rule->own[0];
    if (mu == 0) return n->lr * own;
    s[0] = mu * s[0] + own;
    return n->lr * (rule->form == 2 ? own + mu * s[0] : s[0]);
}

/* Kingma & Ba 2014, algorithm 1; decay as in algorithm 2 of Loshchilov & Hutter 2019.  The corrections are checked
 * against PyTorch: see test_pytorch. */
static double adam(const sn_update_rule *rule, const sn_update_numbers *n, double w, double g, double *s) {
    bool couples = strcmp(rule->optimizer->kind.name, "adam") == 0;
    double beta1 = rule->own[0], beta2 = rule->own[1], eps = rule->own[2], decay = n->weight_decay * w;
    double own = couples ? g + decay : g;
    s[0] = beta1 * s[0] + (1 - beta1) * own;
    s[1] = beta2 * s[1] + (1 - beta2) * own * own;
    s[2] = fmax(s[2], s[1]);
    double m = s[0] * n->own[6], v = (rule->slots & 4U ? s[2] : s[1]) * n->own[7] * n->own[7];
    return n->lr * (m / (sqrt(v) + eps) + (couples ? 0 : decay));
}

static double rmsprop(const sn_update_rule *rule, const sn_update_numbers *n, double w, double g, double *s) {
    double alpha = rule->own[0], eps = rule->own[2], mu = rule->own[3], own = g + n->weight_decay * w;
    s[0] = alpha * s[0] + (1 - alpha) * own * own;
    s[2] = alpha * s[2] + (1 - alpha) * own;
    double v = rule->slots & 4U ? fmax(s[0] - s[2] * s[2], 0) : s[0];
    s[1] = mu * s[1] + own / (sqrt(v) + eps);
    return n->lr * s[1];
}

static double lion(const sn_update_rule *rule, const sn_update_numbers *n, double w, double g, double *s) {
    double c = rule->own[0] * s[0] + (1 - rule->own[0]) * g;
    s[0] = rule->own[1] * s[0] + (1 - rule->own[1]) * g;
    return n->lr * ((c > 0) - (c < 0) + n->weight_decay * w);
}

static const struct {
    const char *name;
    formula *meant;
} formulas[] = {{"sgd", sgd}, {"adam", adam}, {"adamw", adam}, {"rmsprop", rmsprop}, {"lion", lion}};

double rule_meant(const sn_update_rule *rule, const sn_update_numbers *numbers, double w, double g,
                  double state[SN_MAX_SLOTS]) {
    const char *name = rule->optimizer ? rule->optimizer->kind.name : "sgd";
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        if (strcmp(formulas[i].name, name) == 0) return formulas[i].meant(rule, numbers, w, numbers->clip * g, state);
    }
    fail_msg("no formula for %s in tests/support/rules.c", name);
    return 0;
}

int rule_is_below_eps(const sn_update_rule *rule, const sn_update_numbers *numbers, const double state[SN_MAX_SLOTS]) {
    const char *name = rule->optimizer ? rule->optimizer->kind.name : "sgd";
    if (strncmp(name, "adam", strlen("adam")) == 0)
        return sqrt(state[rule->slots & 4U ? 2 : 1]) * numbers->own[7] < rule->own[2];
    return strcmp(name, "rmsprop") == 0 && !(rule->slots & 4U) ? sqrt(state[0]) < rule->own[2] : -1;
}
