/* Files that gzip may have packed, not for other rooms: zlib reads plain ones as they are, so both take the same way.
 * Offsets count the bytes of the content, unpacked. */
#ifndef SN_DATA_GZ_H
#define SN_DATA_GZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sn_gz {
    const char *path;      /* the caller's */
    struct gzFile_s *file; /* NULL: closed */
    uint64_t offset;       /* bytes read so far */
} sn_gz;

/* SN_IO where it cannot be opened. */
sn_status sn_gz_open(sn_gz *gz, const char *path, sn_error *error);

/* Fine on a zeroed record. */
void sn_gz_close(sn_gz *gz);

/* Reads up to `size` bytes; *n is short only at the end of the file.  SN_INVALID: the packed data are damaged, which a
 * checksum behind them tells too: only who reads past the end knows that they are not. */
sn_status sn_gz_read(sn_gz *gz, void *out, size_t size, size_t *n, sn_error *error);

/* Reads up to `most` bytes into *data (free(), after a failure too); *n is fewer at the end of the file.  Memory grows
 * with what the file holds, not with `most`. */
sn_status sn_gz_read_block(sn_gz *gz, size_t most, uint8_t **data, size_t *n, sn_error *error);

/* SN_INVALID: "PATH: byte offset N: ...", and that this is of the content where the file is packed. */
sn_status sn_gz_fault(const sn_gz *gz, uint64_t offset, sn_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
