/* Initial values of parameters: the table of inits. */
#ifndef SN_NETWORK_INIT_H
#define SN_NETWORK_INIT_H

#include "base/error.h"
#include "base/rng.h"
#include "config/config.h"
#include "network/op.h"

/* One row: fills values[0 .. param->count), row-major. */
typedef struct sn_init {
    sn_kind kind;
    sn_status (*fill)(double *values, const sn_param *param, const sn_value *init, sn_rng rng, sn_error *error);

    /* Adds a fault of keys that do not go together; NULL: there is none. */
    sn_status (*check)(const sn_config *config, const sn_value *init, sn_error *error);
} sn_init;

extern const sn_init *const sn_inits[]; /* NULL-terminated */
extern const sn_choice sn_init_choice;

/* Of keys that say what weights begin as: network.weights brings them. */
extern const sn_ruler sn_ruled_by_weights[];

/* Adds the faults of a resolved init of `config` that the key tables cannot see; NULL has none. */
sn_status sn_init_check(const sn_config *config, const sn_value *init, sn_error *error);

/* Fills the initial values of a parameter from the stream of (seed, "init", "LABEL.NAME"): a pure function of seed,
 * label, name, shape and init, so twins of one seed start equal. */
sn_status sn_init_fill(double *values, const sn_node *node, const sn_param *param, uint64_t seed, sn_error *error);

#endif
