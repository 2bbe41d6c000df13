/* Runs that are there already under another name: a grid that contains the config's own value, or a sweep that now
 * varies the seed, plans again what an earlier one has trained. */
#ifndef SN_SWEEP_REUSE_H
#define SN_SWEEP_REUSE_H

#include "base/error.h"
#include "base/pool.h"
#include "config/config.h"

typedef struct sn_reusable {
    uint64_t identity; /* sn_identity_with_seed */
    const char *name;  /* of the run's directory */
} sn_reusable;

typedef struct sn_reuse {
    sn_reusable *runs; /* by identity, then name */
    size_t n, capacity;
    sn_pool pool;
} sn_reuse;

/* What makes a run: the meaning of its config but for the seed, the paths of its data, whose content is not looked at,
 * and whatever a sweep varies, be it the name. */
typedef struct sn_identity_rule {
    const char *const *sets; /* (n_keys) "KEY=...", the keys that vary */
    size_t n_keys;
    bool but_length; /* runs of which one goes on where the other ends are the same */
} sn_identity_rule;
uint64_t sn_identity(const sn_config *config, const sn_identity_rule *rule);
uint64_t sn_identity_with_seed(uint64_t identity, int64_t seed);

/* Lists the finished runs in the directories below `directory` by their identities. */
sn_status sn_reuse_collect(sn_reuse *reuse, const char *directory, const sn_identity_rule *rule, sn_error *error);

/* The name of a run of that identity; NULL: there is none. */
const char *sn_reuse_find(const sn_reuse *reuse, uint64_t identity);

void sn_reuse_reset(sn_reuse *reuse);

#endif
