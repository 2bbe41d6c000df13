/* The configs that come with the program and are called by name.
 *
 * NAME is the path of NAME.json below a directory of configs: "spirals", "studies/depth".  The directories, in the
 * order of the search: those of the environment variable SKIPNET_CONFIGS (separated by colons), that of the installed
 * program (found from where the program lies), that of the source tree it was built in. */
#ifndef SN_RUN_SHIPPED_H
#define SN_RUN_SHIPPED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"

typedef struct sn_shipped_config {
    const char *name;
    const char *path;  /* absolute */
    const char *shows; /* the first sentence of its comment; "" where it has none or cannot be read */
} sn_shipped_config;

typedef struct sn_shipped {
    sn_shipped_config *configs; /* (n), those of a directory by name, its subdirectories behind its files */
    size_t n, room;
    sn_pool pool; /* owns the strings */
} sn_shipped;

/* Finds the config that `operand` of a command line means; *path (free()) is `operand` itself where such a file or
 * directory is there, where it is "-", and where it names a place ("/...", "./...", "NAME.json"), else that of the
 * shipped config (then *is_shipped).  SN_IO where there is neither. */
sn_status sn_shipped_find(const char *operand, char **path, bool *is_shipped, sn_error *error);

/* All of them; of several with one name that which sn_shipped_find finds.  Free by sn_shipped_reset. */
sn_status sn_shipped_list(sn_shipped *shipped, sn_error *error);
void sn_shipped_reset(sn_shipped *shipped);

#endif
