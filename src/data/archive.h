/* Tar archives, packed by gzip or not, not for other rooms: some of their files, read into memory. */
#ifndef SN_DATA_ARCHIVE_H
#define SN_DATA_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A file that is looked for. */
typedef struct sn_member {
    const char *name; /* without its directories; the caller's */
    uint8_t *data;    /* free(), after a failure too; NULL: the archive has no such file, or it is empty */
    size_t size;
    int count; /* how often it was found; only the first is read */
} sn_member;

/* Reads the archive to its end, so that damage anywhere is seen.  SN_IO: cannot open or read.  SN_INVALID: no archive,
 * or a damaged one; a file larger than SN_DATA_MAX_BYTES. */
sn_status sn_archive_read(const char *path, sn_member *members, size_t n, sn_error *error);

#endif
