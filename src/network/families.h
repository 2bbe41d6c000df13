/* The list of families.  A new one is a file src/network/NAME.c that defines its row sn_family_NAME (family.h), and one
 * line here. */
#ifndef SN_NETWORK_FAMILIES_H
#define SN_NETWORK_FAMILIES_H

#include "network/family.h"

#define SN_FAMILIES(X) X(mlp) X(resnet) X(densenet)

/* The family of a config that names none: the first of them. */
#define SN_DEFAULT_FAMILY "mlp"

extern const sn_family *const sn_families[]; /* NULL-terminated */

/* The family of a resolved "network" object; NULL: it is an explicit list. */
const sn_family *sn_family_of(const sn_value *network);

/* The choice for the key "network": a family, or an explicit list of layers. */
extern const sn_choice sn_network_choice;

#endif
