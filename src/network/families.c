/* Owns the table of families, and binds it to the key tables. */
#include "network/families.h"

#include <string.h>

#include "network/layers.h"

#define SN_DECLARE_FAMILY(name)   extern const sn_family sn_family_##name;
#define SN_LIST_FAMILY(name)      &sn_family_##name,
#define SN_LIST_FAMILY_KIND(name) &sn_family_##name.kind,

SN_FAMILIES(SN_DECLARE_FAMILY)

const sn_family *const sn_families[] = {SN_FAMILIES(SN_LIST_FAMILY) NULL};

static const sn_key list_keys[] = {
    {.name = "layers",
     .types = SN_LIST,
     .flags = SN_REQUIRED | SN_NOT_EMPTY,
     .element = &sn_layer_element,
     .help = "the entries of the graph, in an order in which inputs come first"},
    {0},
};
static const sn_kind list_kind = {
    .name = "layers", .help = "an explicit graph", .keys = list_keys, .chosen_by = "layers"};
static const sn_kind *const network_kinds[] = {SN_FAMILIES(SN_LIST_FAMILY_KIND) & list_kind, NULL};

static const sn_key network_common_keys[] = {
    {.name = "weights",
     .types = SN_PATH | SN_NULL,
     .fallback = "null",
     .help = "safetensors file of initial weights, named LABEL.weight and LABEL.bias, and LABEL.running_mean and "
             "LABEL.running_var of batch_norm"},
    {0},
};

const sn_choice sn_network_choice = {.what = "network family",
                                     .discriminator = "family",
                                     .kinds = network_kinds,
                                     .common = network_common_keys,
                                     .fallback = SN_DEFAULT_FAMILY};

const sn_family *sn_family_of(const sn_value *network) {
    const char *name = sn_value_text(network, sn_network_choice.discriminator);
    for (const sn_family *const *family = sn_families; name && *family; family++) {
        if (strcmp((*family)->kind.name, name) == 0) return *family;
    }
    return NULL;
}
