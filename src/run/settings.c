/* Owns the look-ups of what an experiment is told outside its data and its layers. */
#include "run/settings.h"

#include <string.h>

#include "ops/table.h"

static sn_products products_of(const sn_value *train) {
    const char *word = sn_value_text(train, "products");
    if (!word) return SN_PRODUCTS_BY_PATH;
    return strcmp(word, SN_PRODUCTS_OPENBLAS_NAME) == 0 ? SN_PRODUCTS_OPENBLAS : SN_PRODUCTS_OWN;
}

static void fill_train(sn_settings *s, const sn_value *train) {
    sn_update_rule_read(&s->rule, sn_value_get(train, "optimizer"));
    s->clip_norm = sn_value_get(train, "clip_norm") ? sn_value_number(train, "clip_norm") : 0;
    s->products = products_of(train);
    s->batch_size = (size_t)sn_value_integer(train, "batch_size");
    s->shuffles = sn_value_bool(train, "shuffle");
    s->epochs = sn_value_integer(train, "epochs");
    s->steps = sn_value_get(train, "steps") ? sn_value_integer(train, "steps") : -1;
}

void sn_settings_fill(sn_settings *settings, const sn_config *config) {
    const sn_value *root = sn_config_root(config), *report = sn_value_get(root, "report");
    *settings = (sn_settings){
        .name = sn_value_text(root, "name"),
        .weights = sn_value_text(root, "network.weights"),
        .seed = (uint64_t)sn_value_integer(root, "seed"),
        .precision = strcmp(sn_value_text(root, "precision"), "float64") == 0 ? SN_F64 : SN_F32,
        .train_eval = (size_t)sn_value_integer(report, "train_eval"),
        .saves_initial = sn_value_bool(report, "save_initial"),
        .counts_exponents = sn_value_bool(report, "exponents"),
    };
    fill_train(settings, sn_value_get(root, "train"));
}
