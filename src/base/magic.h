/* Files of other formats, known by their first bytes, for messages. */
#ifndef SN_BASE_MAGIC_H
#define SN_BASE_MAGIC_H

#include <stddef.h>

/* "gzip data (gunzip it first)"; NULL where the bytes are of no format that is known. */
const char *sn_magic_describe(const char *data, size_t size);

#endif
