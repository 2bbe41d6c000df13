/* The tables of ops, losses and optimizers, and the choices that the key tables make of them. */
#ifndef SN_OPS_TABLE_H
#define SN_OPS_TABLE_H

#include "network/op.h"
#include "ops/backend.h"
#include "ops/loss.h"
#include "ops/optimizer.h"

/* NULL-terminated, in the order of list.h; a backend's kernels stand in the same order. */
extern const sn_op *const sn_ops[];
extern const sn_loss *const sn_losses[];
extern const sn_optimizer *const sn_optimizers[];

/* The place of a row in its table; the number of rows where it is none of them. */
size_t sn_op_index(const sn_op *op);
size_t sn_loss_index(const sn_loss *loss);

/* The loss of that name, NULL if there is none. */
const sn_loss *sn_loss_find(const char *name);

/* The kernels of a rule; those of plain gradient descent where it has no optimizer. */
const sn_form_kernels *sn_rule_kernels(const sn_backend *backend, const sn_update_rule *rule);

/* The rule that a resolved object of sn_optimizer_choice stands for. */
void sn_update_rule_read(sn_update_rule *rule, const sn_value *given);

/* The choices for the keys "loss" and "optimizer"; those of ops are declared in network/op.h. */
extern const sn_choice sn_loss_choice, sn_optimizer_choice;

#endif
