/* Owns the reading of IDX files.  zlib reads plain files as they are, so both forms take the same way.  The size is
 * checked before anything is allocated for it, and memory grows with what the file holds, not with what it announces.
 */
#include "data/idx.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/source.h"

enum { BUFFER_BYTES = 1 << 16 }; /* of zlib, for what it reads */

typedef struct reader {
    const char *path;
    gzFile file;
    uint64_t offset; /* bytes read so far */
    sn_error *error;
} reader;

/* SN_INVALID: "PATH: byte offset N: ..."; offsets into compressed files count the uncompressed bytes. */
static sn_status fault(const reader *r, uint64_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));
static sn_status fault(const reader *r, uint64_t offset, const char *format, ...) {
    char *message = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&message, format, args);
    va_end(args);
    if (n < 0) return sn_error_memory(r->error, 0, "a message");
    sn_error_set(r->error, SN_INVALID, "%s: byte offset %llu%s: %s", r->path, (unsigned long long)offset,
                 gzdirect(r->file) ? "" : " (uncompressed)", message);
    free(message);
    return SN_INVALID;
}

/* Why gzread gave no byte; SN_OK means the end of the file. */
static sn_status explain_stop(const reader *r) {
    int cause = errno;
    int code = Z_OK;
    const char *message = gzerror(r->file, &code);
    if (code == Z_OK || code == Z_STREAM_END) return SN_OK;
    if (code == Z_ERRNO) {
        errno = cause;
        return sn_error_io(r->error, "read", r->path);
    }
    if (code == Z_MEM_ERROR) return sn_error_memory(r->error, BUFFER_BYTES, r->path);
    size_t prefix = strlen(r->path); /* zlib starts its messages with "PATH: " */
    if (strncmp(message, r->path, prefix) == 0 && message[prefix] == ':') message += prefix + 2;
    /* Not a byte offset of the damage: zlib gives up on all that it had unpacked ahead. */
    return sn_error_set(r->error, SN_INVALID, "%s: the gzip data are damaged after byte offset %llu (uncompressed): %s",
                        r->path, (unsigned long long)r->offset, message);
}

/* Reads up to `size` bytes; *n is short only at the end of the file. */
static sn_status read_some(reader *r, void *out, size_t size, size_t *n) {
    enum { MOST = 1 << 30 }; /* gzread returns an int */
    *n = 0;
    while (*n < size) {
        size_t want = size - *n < MOST ? size - *n : MOST;
        errno = 0;
        int got = gzread(r->file, (char *)out + *n, (unsigned)want);
        if (got <= 0) return explain_stop(r);
        *n += (size_t)got;
        r->offset += (size_t)got;
    }
    return SN_OK;
}

static sn_status read_header(reader *r, sn_idx *idx, int rank) {
    unsigned char header[4 + 4 * SN_IDX_MAX_RANK] = {0};
    size_t size = 4 + 4 * (size_t)rank, n = 0;
    sn_status status = read_some(r, header, size, &n);
    if (status != SN_OK) return status;
    if (n == 0) return fault(r, 0, "the file is empty, expected an IDX header of %zu bytes", size);

    uint32_t word[1 + SN_IDX_MAX_RANK] = {0};
    for (size_t i = 0; i < n / 4 * 4; i++)
        word[i / 4] = word[i / 4] << 8 | header[i];
    uint32_t magic = 0x0800U | (uint32_t)rank; /* 0x08: unsigned bytes */
    if (n >= 4 && word[0] != magic) {
        return fault(r, 0, "magic number 0x%08x, expected 0x%08x (unsigned bytes in %d dimension%s)", word[0], magic,
                     rank, rank == 1 ? "" : "s");
    }
    if (n < size) return fault(r, n, "the file ends, expected an IDX header of %zu bytes", size);
    memcpy(idx->dims, word + 1, (size_t)rank * sizeof *word);
    return SN_OK;
}

/* "60000 x 28 x 28" */
static void describe_dims(const sn_idx *idx, int rank, sn_text *text) {
    for (int i = 0; i < rank; i++)
        sn_text_addf(text, "%s%u", i > 0 ? " x " : "", idx->dims[i]);
}

static sn_status check_size(const reader *r, sn_idx *idx, int rank, const char *dims) {
    uint64_t size = 1;
    for (int i = 0; i < rank; i++) {
        if (idx->dims[i] == 0) return fault(r, 4 + 4 * (uint64_t)i, "dimension %d of %s is 0", i + 1, dims);
        if (size > SN_DATA_MAX_BYTES / idx->dims[i]) {
            return fault(r, 4, "the header announces %s bytes, more than the limit of %llu", dims,
                         (unsigned long long)SN_DATA_MAX_BYTES);
        }
        size *= idx->dims[i];
    }
    idx->size = (size_t)size;
    return SN_OK;
}

/* The bytes that the header announces, *n fewer at the end of the file. */
static sn_status read_bytes(reader *r, sn_idx *idx, size_t *n) {
    enum { FIRST = 1 << 16 };
    size_t room = 0, got = 0;
    *n = 0;
    while (*n == room && *n < idx->size) {
        room = room == 0 ? FIRST : 4 * room;
        if (room > idx->size) room = idx->size;
        sn_status checked = sn_memory_check(room, r->path, r->error);
        if (checked != SN_OK) return checked;
        uint8_t *data = realloc(idx->data, room);
        if (!data) return sn_error_memory(r->error, room, r->path);
        idx->data = data;
        sn_status status = read_some(r, data + *n, room - *n, &got);
        if (status != SN_OK) return status;
        *n += got;
    }
    return SN_OK;
}

static sn_status read_data(reader *r, sn_idx *idx, const char *dims) {
    uint64_t expected = r->offset + idx->size;
    size_t n = 0;
    sn_status status = read_bytes(r, idx, &n);
    if (status != SN_OK) return status;
    if (n < idx->size) {
        return fault(r, r->offset, "the file ends, expected %llu bytes (a header and %s)", (unsigned long long)expected,
                     dims);
    }
    /* The byte past the end has to be asked for in any case: it makes zlib compare the checksum. */
    unsigned char extra = 0;
    status = read_some(r, &extra, 1, &n);
    if (status == SN_OK && n > 0) {
        status = fault(r, expected, "more bytes than the header announces (%s)", dims);
    }
    return status;
}

sn_status sn_idx_read(sn_idx *idx, const char *path, int rank, sn_error *error) {
    *idx = (sn_idx){0};
    sn_text dims = SN_TEXT_EMPTY;
    errno = 0;
    reader r = {.path = path, .file = gzopen(path, "rbe"), .error = error};
    if (!r.file) {
        return errno == 0 ? sn_error_memory(error, BUFFER_BYTES, path) : sn_error_io(error, "open", path);
    }
    gzbuffer(r.file, BUFFER_BYTES);
    sn_status status = read_header(&r, idx, rank);
    if (status == SN_OK) {
        describe_dims(idx, rank, &dims);
        status = check_size(&r, idx, rank, sn_text_string(&dims));
    }
    if (status == SN_OK) status = read_data(&r, idx, sn_text_string(&dims));
    gzclose(r.file);
    sn_text_free(&dims);
    if (status != SN_OK) {
        free(idx->data);
        *idx = (sn_idx){0};
    }
    return status;
}
