/* IDX files, the format of MNIST and its kin (http://yann.lecun.com/exdb/mnist): big-endian header, then bytes. */
#ifndef SN_DATA_IDX_H
#define SN_DATA_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { SN_IDX_MAX_RANK = 3 };

typedef struct sn_idx {
    uint32_t dims[SN_IDX_MAX_RANK]; /* the first `rank` are set */
    size_t size;                    /* their product */
    uint8_t *data;                  /* (dims), free() */
} sn_idx;

/* Reads a file of unsigned bytes in `rank` dimensions (1 to 3), gzip-compressed or plain.  SN_IO: cannot open or read.
 * SN_INVALID: anything but exactly the bytes that the header announces; the message has the file and the byte offset
 * (in the uncompressed content). */
sn_status sn_idx_read(sn_idx *idx, const char *path, int rank, sn_error *error);

#endif
