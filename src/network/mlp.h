/* The family "mlp": plain, residual (add), dense (concat) and highway multilayer perceptrons. */
#ifndef SN_NETWORK_MLP_H
#define SN_NETWORK_MLP_H

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"

extern const sn_kind sn_mlp_kind;
extern const sn_choice sn_skip_choice; /* the key "skip" of the family */

/* The op that ends a block of the resolved "network" object where no sum does: concat or gate; else NULL. */
const char *sn_mlp_other_join(const sn_value *network);

/* Writes the layer list that the resolved "network" object stands for, as JSON {"layers": [...]}. */
void sn_mlp_expand(const sn_value *network, size_t out_dim, sn_text *text);

#endif
