/* Files of other formats, known by their first bytes, for messages. */
#ifndef SN_BASE_MAGIC_H
#define SN_BASE_MAGIC_H

#include <stddef.h>

/* "gzip data (gunzip it first)"; NULL where the bytes are of no format that is known. */
const char *sn_magic_describe(const char *data, size_t size);

/* The same for what is taken for a safetensors file: of a file of torch.save with a line of Python that makes one. */
const char *sn_magic_describe_weights(const char *data, size_t size);

#endif
