/* The tables of ops and losses, and the choices that the key tables make of them. */
#ifndef SN_OPS_TABLE_H
#define SN_OPS_TABLE_H

#include "network/op.h"
#include "ops/loss.h"

/* NULL-terminated, in the order of list.h; a backend's kernels stand in the same order. */
extern const sn_op *const sn_ops[];
extern const sn_loss *const sn_losses[];

/* The place of a row in its table; the number of rows where it is none of them. */
size_t sn_op_index(const sn_op *op);
size_t sn_loss_index(const sn_loss *loss);

/* The loss of that name, NULL if there is none. */
const sn_loss *sn_loss_find(const char *name);

/* The choice for the key "loss"; those of ops are declared in network/op.h. */
extern const sn_choice sn_loss_choice;

#endif
