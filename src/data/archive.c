/* Owns the reading of archives.  libarchive knows tar; what it reads is unpacked by zlib, since libarchive does not
 * look at gzip's checksum and would take damaged pixels for sound ones. */
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/gz.h"
#include "data/source.h"

enum { CHUNK_BYTES = 1 << 16 };

typedef struct unpacker {
    sn_gz gz;
    struct archive *archive;
    sn_status status; /* of the reading; what went wrong is in `error` already */
    sn_error *error;
    unsigned char chunk[CHUNK_BYTES];
} unpacker;

/* What libarchive calls for more bytes; -1 makes it fail. */
static la_ssize_t feed(struct archive *archive, void *context, const void **bytes) {
    unpacker *u = context;
    size_t n = 0;
    (void)archive;
    u->status = sn_gz_read(&u->gz, u->chunk, sizeof u->chunk, &n, u->error);
    *bytes = u->chunk;
    return u->status ? -1 : (la_ssize_t)n;
}

/* Why libarchive failed. */
static sn_status fault(const unpacker *u) {
    if (u->status) return u->status;
    const char *message = archive_error_string(u->archive);
    if (archive_errno(u->archive) == ENOMEM) return sn_error_memory(u->error, 0, u->gz.path);
    return sn_error_set(u->error, SN_INVALID, "%s: not a tar archive, or a damaged one: %s", u->gz.path,
                        message ? message : "no reason is known");
}

static sn_status grow(const unpacker *u, sn_member *member, size_t *room, size_t size) {
    if (size > SN_DATA_MAX_BYTES) {
        return sn_error_set(u->error, SN_INVALID, "%s: %s has more than the limit of %llu bytes", u->gz.path,
                            member->name, (unsigned long long)SN_DATA_MAX_BYTES);
    }
    if (size <= *room) return SN_OK;
    *room = size > 2 * *room ? size : 2 * *room;
    sn_status status = sn_memory_check(*room, u->gz.path, u->error);
    if (status) return status;
    uint8_t *larger = realloc(member->data, *room);
    if (!larger) return sn_error_memory(u->error, *room, u->gz.path);
    member->data = larger;
    return SN_OK;
}

/* Memory grows with what comes, not with what the archive announces; so a file with holes is not taken. */
static sn_status read_member(unpacker *u, sn_member *member) {
    size_t room = 0, size = 0;
    const void *bytes = NULL;
    la_int64_t offset = 0;
    for (;;) {
        int code = archive_read_data_block(u->archive, &bytes, &size, &offset);
        bool is_end = code == ARCHIVE_EOF;
        if (is_end && (size_t)offset == member->size) return SN_OK;
        if (!is_end && code != ARCHIVE_OK && code != ARCHIVE_WARN) return fault(u);
        if ((size_t)offset != member->size) {
            return sn_error_set(u->error, SN_INVALID, "%s: %s is stored with holes, which is not supported", u->gz.path,
                                member->name);
        }
        sn_status status = grow(u, member, &room, member->size + size);
        if (status) return status;
        if (size > 0) memcpy(member->data + member->size, bytes, size);
        member->size += size;
    }
}

/* The member that an entry is, NULL for none. */
static sn_member *find_member(struct archive_entry *entry, sn_member *members, size_t n) {
    const char *path = archive_entry_pathname(entry);
    if (!path) path = archive_entry_pathname_utf8(entry); /* in a locale that cannot say it */
    if (!path || archive_entry_filetype(entry) != AE_IFREG) return NULL;
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < n; i++) {
        if (strcmp(members[i].name, slash ? slash + 1 : path) == 0) return &members[i];
    }
    return NULL;
}

static sn_status read_entries(unpacker *u, sn_member *members, size_t n) {
    struct archive_entry *entry = NULL;
    for (;;) {
        int code = archive_read_next_header(u->archive, &entry);
        if (code == ARCHIVE_EOF) return SN_OK;
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return fault(u);
        sn_member *member = find_member(entry, members, n);
        sn_status status = member && member->count++ == 0 ? read_member(u, member) : SN_OK;
        if (status) return status;
    }
}

/* What follows the archive in its file: zlib looks at the checksum behind the last byte. */
static sn_status read_rest(unpacker *u) {
    size_t n = sizeof u->chunk;
    sn_status status = SN_OK;
    while (status == SN_OK && n == sizeof u->chunk)
        status = sn_gz_read(&u->gz, u->chunk, sizeof u->chunk, &n, u->error);
    return status;
}

static sn_status unpack(unpacker *u, sn_member *members, size_t n) {
    u->archive = archive_read_new();
    if (!u->archive) return sn_error_memory(u->error, 0, u->gz.path);
    bool is_open = archive_read_support_format_tar(u->archive) == ARCHIVE_OK &&
                   archive_read_open(u->archive, u, NULL, feed, NULL) == ARCHIVE_OK;
    sn_status status = is_open ? read_entries(u, members, n) : fault(u);
    if (status == SN_OK) status = read_rest(u);
    archive_read_free(u->archive);
    return status;
}

sn_status sn_archive_read(const char *path, sn_member *members, size_t n, sn_error *error) {
    unpacker *u = calloc(1, sizeof *u);
    if (!u) return sn_error_memory(error, sizeof *u, path);
    u->error = error;
    sn_status status = sn_gz_open(&u->gz, path, error);
    if (status == SN_OK) status = unpack(u, members, n);
    sn_gz_close(&u->gz);
    free(u);
    return status;
}
