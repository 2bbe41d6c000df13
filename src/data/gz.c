/* Owns what goes through zlib on its way in. */
#include "data/gz.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"

enum { BUFFER_BYTES = 1 << 16 }; /* of zlib, for what it reads */

sn_status sn_gz_open(sn_gz *gz, const char *path, sn_error *error) {
    *gz = (sn_gz){.path = path};
    errno = 0;
    gz->file = gzopen(path, "rbe");
    if (!gz->file) {
        return errno == 0 ? sn_error_memory(error, BUFFER_BYTES, path) : sn_error_io(error, "open", path);
    }
    gzbuffer(gz->file, BUFFER_BYTES);
    return SN_OK;
}

void sn_gz_close(sn_gz *gz) {
    if (gz->file) gzclose(gz->file);
    gz->file = NULL;
}

sn_status sn_gz_fault(const sn_gz *gz, uint64_t offset, sn_error *error, const char *format, ...) {
    char *message = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&message, format, args);
    va_end(args);
    if (n < 0) return sn_error_memory(error, 0, "a message");
    sn_error_set(error, SN_INVALID, "%s: byte offset %llu%s: %s", gz->path, (unsigned long long)offset,
                 gzdirect(gz->file) ? "" : " (uncompressed)", message);
    free(message);
    return SN_INVALID;
}

/* Why gzread gave no byte; SN_OK means the end of the file. */
static sn_status explain_stop(const sn_gz *gz, sn_error *error) {
    int cause = errno;
    int code = Z_OK;
    const char *message = gzerror(gz->file, &code);
    if (code == Z_OK || code == Z_STREAM_END) return SN_OK;
    if (code == Z_ERRNO) {
        errno = cause;
        return sn_error_io(error, "read", gz->path);
    }
    if (code == Z_MEM_ERROR) return sn_error_memory(error, BUFFER_BYTES, gz->path);
    size_t prefix = strlen(gz->path); /* zlib starts its messages with "PATH: " */
    if (strncmp(message, gz->path, prefix) == 0 && message[prefix] == ':') message += prefix + 2;
    /* Not a byte offset of the damage: zlib gives up on all that it had unpacked ahead. */
    return sn_error_set(error, SN_INVALID, "%s: the gzip data are damaged after byte offset %llu (uncompressed): %s",
                        gz->path, (unsigned long long)gz->offset, message);
}

sn_status sn_gz_read(sn_gz *gz, void *out, size_t size, size_t *n, sn_error *error) {
    enum { MOST = 1 << 30 }; /* gzread returns an int */
    *n = 0;
    while (*n < size) {
        size_t want = size - *n < MOST ? size - *n : MOST;
        errno = 0;
        int got = gzread(gz->file, (char *)out + *n, (unsigned)want);
        if (got <= 0) return explain_stop(gz, error);
        *n += (size_t)got;
        gz->offset += (size_t)got;
    }
    return SN_OK;
}

sn_status sn_gz_read_block(sn_gz *gz, size_t most, uint8_t **data, size_t *n, sn_error *error) {
    enum { FIRST = 1 << 16 };
    size_t room = 0, got = 0;
    *data = NULL;
    *n = 0;
    while (*n == room && *n < most) {
        room = room == 0 ? FIRST : 4 * room;
        if (room > most) room = most;
        sn_status status = sn_memory_check(room, gz->path, error);
        if (status) return status;
        uint8_t *larger = realloc(*data, room);
        if (!larger) return sn_error_memory(error, room, gz->path);
        *data = larger;
        status = sn_gz_read(gz, *data + *n, room - *n, &got, error);
        if (status) return status;
        *n += got;
    }
    return SN_OK;
}
