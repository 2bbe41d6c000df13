/* Owns the tables of ops, losses and optimizers, and binds them to the key tables. */
#include "ops/table.h"

#include <string.h>

#include "network/layers.h"
#include "ops/list.h"

#define SN_DECLARE_OP(name)          extern const sn_op sn_op_##name;
#define SN_DECLARE_LOSS(name)        extern const sn_loss sn_loss_##name;
#define SN_DECLARE_OPTIMIZER(name)   extern const sn_optimizer sn_optimizer_##name;
#define SN_LIST_OP(name)             &sn_op_##name,
#define SN_LIST_LOSS(name)           &sn_loss_##name,
#define SN_LIST_OPTIMIZER(name)      &sn_optimizer_##name,
#define SN_LIST_OP_KIND(name)        &sn_op_##name.kind,
#define SN_LIST_LOSS_KIND(name)      &sn_loss_##name.kind,
#define SN_LIST_OPTIMIZER_KIND(name) &sn_optimizer_##name.kind,

SN_OPS(SN_DECLARE_OP)
SN_LOSSES(SN_DECLARE_LOSS)
SN_OPTIMIZERS(SN_DECLARE_OPTIMIZER)

const sn_op *const sn_ops[] = {SN_OPS(SN_LIST_OP) NULL};
const sn_loss *const sn_losses[] = {SN_LOSSES(SN_LIST_LOSS) NULL};
const sn_optimizer *const sn_optimizers[] = {SN_OPTIMIZERS(SN_LIST_OPTIMIZER) NULL};

static const sn_kind *const op_kinds[] = {SN_OPS(SN_LIST_OP_KIND) & sn_repeat_kind, NULL};
static const sn_kind *const activation_kinds[] = {SN_ACTIVATIONS(SN_LIST_OP_KIND) NULL};
static const sn_kind *const loss_kinds[] = {SN_LOSSES(SN_LIST_LOSS_KIND) NULL};
static const sn_kind *const optimizer_kinds[] = {SN_OPTIMIZERS(SN_LIST_OPTIMIZER_KIND) NULL};

static const char *const decays_words[] = {"matrices", "all", NULL};
static const sn_ruler without_decay[] = {{.key = "weight_decay", .value = "0"}, {0}};
static const sn_key optimizer_keys[] = {
    {.name = "decays",
     .types = SN_WORD,
     .flags = SN_LATER,
     .fallback = "\"matrices\"",
     .words = decays_words,
     .ruled_by = without_decay,
     .help = "what weight_decay acts on: matrices: not biases, norms and learned scales; all: every parameter"},
    {0},
};

const sn_choice sn_op_choice = {.what = "op", .discriminator = "op", .kinds = op_kinds, .common = sn_layer_common_keys};
const sn_choice sn_activation_choice = {
    .what = "activation", .discriminator = "kind", .kinds = activation_kinds, .fallback = "tanh"};
const sn_choice sn_loss_choice = {
    .what = "loss", .discriminator = "kind", .kinds = loss_kinds, .fallback = "softmax_cross_entropy"};
const sn_choice sn_optimizer_choice = {.what = "optimizer",
                                       .discriminator = "kind",
                                       .kinds = optimizer_kinds,
                                       .common = optimizer_keys,
                                       .fallback = "sgd"};

size_t sn_op_index(const sn_op *op) {
    size_t i = 0;
    while (sn_ops[i] && sn_ops[i] != op)
        i++;
    return i;
}

size_t sn_loss_index(const sn_loss *loss) {
    size_t i = 0;
    while (sn_losses[i] && sn_losses[i] != loss)
        i++;
    return i;
}

const sn_loss *sn_loss_find(const char *name) {
    for (const sn_loss *const *loss = sn_losses; *loss; loss++) {
        if (strcmp((*loss)->kind.name, name) == 0) return *loss;
    }
    return NULL;
}

const sn_form_kernels *sn_rule_kernels(const sn_backend *backend, const sn_update_rule *rule) {
    size_t i = 0;
    while (rule->optimizer && sn_optimizers[i] != rule->optimizer)
        i++;
    return &backend->optimizers[i]->forms[rule->form];
}

void sn_update_rule_read(sn_update_rule *rule, const sn_value *given) {
    const sn_optimizer *const *row = sn_optimizers;
    while (strcmp((*row)->kind.name, sn_value_text(given, "kind")) != 0)
        row++;
    *rule = (sn_update_rule){.optimizer = *row,
                             .weight_decay = sn_value_number(given, "weight_decay"),
                             .decays_all = strcmp(sn_value_text(given, "decays"), "all") == 0};
    (*row)->read(given, rule);
}
