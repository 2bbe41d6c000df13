/* --set: changes to the raw tree of a config before it is resolved. */
#ifndef SN_CONFIG_SET_H
#define SN_CONFIG_SET_H

#include <stddef.h>

#include "config/fault.h"
#include "config/key.h"

typedef struct sn_setter {
    const sn_schema *schema;
    sn_places *places;
    sn_faults *faults;
    cJSON *root; /* the raw tree */
    bool failed; /* out of memory */
} sn_setter;

/* Applies places->sets[set], "dotted.key=value".  Objects on the way are made, beginning with the key's default; a bare
 * string that names a kind becomes an object.  What cannot be applied is a fault; types and bounds are checked when the
 * tree is resolved. */
void sn_set_apply(sn_setter *setter, int set);

#endif
