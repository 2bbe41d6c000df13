/* Files mapped into memory: read where they lie, and shared by all processes that read the same one. */
#ifndef SN_BASE_MAPPING_H
#define SN_BASE_MAPPING_H

#include <stddef.h>

#include "base/error.h"

typedef struct sn_mapping {
    void *data; /* page-aligned, only to be read; NULL: nothing is mapped */
    size_t size;
} sn_mapping;

/* Maps the whole file `path` for reading.  SN_IO: it is not there, or cannot be opened or mapped.  SN_INVALID: it is
 * empty, not a regular file (a link is not followed, a FIFO not waited for), or belongs to another user, who could
 * change what was read already.  Replacing the file by rename or removing it leaves the mapping as it is. */
sn_status sn_mapping_open(sn_mapping *mapping, const char *path, sn_error *error);

/* Fine on a zeroed record, which it is afterwards. */
void sn_mapping_reset(sn_mapping *mapping);

#endif
