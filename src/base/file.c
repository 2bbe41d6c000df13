/* Owns whole-file input and output, and the handling of paths.  See file.h for the contract.
 *
 * A short read or write and EINTR are normal and looped over; every return value of the system is looked at, that of
 * close included, since a network file system reports a full disk there. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define TOO_LARGE "%s: larger than the limit of %zu bytes"

static sn_status read_all(int fd, const char *name, size_t limit, sn_text *text, sn_error *error) {
    enum { FIRST_LOOK = 1 << 24 };
    char block[1 << 16];
    for (size_t next_look = FIRST_LOOK;;) { /* a pipe announces nothing, and need not end */
        if (text->length >= next_look) {
            sn_status status = sn_memory_check(next_look, name, error);
            if (status) return status;
            next_look *= 2;
        }
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sn_error_io(error, "read", name);
        if (n == 0) return SN_OK;
        if ((size_t)n > limit - text->length) return sn_error_set(error, SN_INVALID, TOO_LARGE, name, limit);
        sn_text_add_bytes(text, block, (size_t)n);
        if (text->failed) return sn_error_memory(error, text->length + (size_t)n, name);
    }
}

/* What a regular file announces is looked at before it is read; a pipe announces nothing. */
static sn_status check_size(int fd, const char *name, size_t limit, sn_error *error) {
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0) return SN_OK;
    size_t size = (size_t)info.st_size;
    if (size > limit) return sn_error_set(error, SN_INVALID, TOO_LARGE, name, limit);
    return sn_memory_check(size, name, error);
}

sn_status sn_file_check_regular(const char *path, sn_error *error) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: not a regular file", path);
}

sn_status sn_file_read(const char *path, size_t limit, char **data, size_t *size, sn_error *error) {
    *data = NULL;
    *size = 0;
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "<stdin>" : path;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return sn_error_io(error, "open", name);

    sn_text text = SN_TEXT_EMPTY;
    sn_status status = check_size(fd, name, limit, error);
    if (status == SN_OK) status = read_all(fd, name, limit, &text, error);
    if (!is_stdin) close(fd); /* nothing was written: close has nothing to report */
    if (status == SN_OK) {
        *size = text.length;
        *data = sn_text_take(&text);
        if (!*data) status = sn_error_memory(error, *size + 1, name);
    }
    sn_text_free(&text);
    return status;
}

sn_status sn_file_read_regular(const char *path, size_t limit, char **data, size_t *size, sn_error *error) {
    *data = NULL;
    *size = 0;
    sn_status status = sn_file_check_regular(path, error);
    return status ? status : sn_file_read(path, limit, data, size, error);
}

bool sn_file_read_failed(sn_status status, const char *path) {
    return status == SN_FAILED || (status == SN_IO && sn_path_exists(path));
}

static bool write_all(int fd, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Some file systems know no fsync; that is no failure to write. */
bool sn_fd_sync(int fd) {
    int result;
    do {
        result = fsync(fd);
    } while (result != 0 && errno == EINTR);
    return result == 0 || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
}

/* A directory that may be written but not read cannot be opened for fsync; what it holds is right all the same. */
static bool sync_dir(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES;
    bool synced = sn_fd_sync(fd);
    int cause = errno;
    close(fd);
    errno = cause;
    return synced;
}

/* Not mkstemp: that makes files for the owner alone, where the umask should rule.  The name is of this process and
 * this call, so only a remnant of a dead process can stand in the way. */
static int open_temporary(const char *path, char **temporary, sn_error *error) {
    static atomic_uint n_calls;
    sn_text name = SN_TEXT_EMPTY;
    sn_text_addf(&name, "%s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&n_calls, 1));
    size_t size = name.length + 1;
    *temporary = sn_text_take(&name);
    if (!*temporary) {
        sn_error_memory(error, size, "a file name");
        return -1;
    }
    unlink(*temporary);
    int fd = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) sn_error_io(error, "create", *temporary);
    return fd;
}

/* rename would replace a device such as /dev/null by a file. */
static sn_status check_target(const char *path, sn_error *error) {
    struct stat info;
    if (lstat(path, &info) != 0 || S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) return SN_OK;
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return sn_error_io(error, "write", path);
    }
    return sn_error_set(error, SN_IO, "cannot write %s: not a regular file", path);
}

sn_status sn_file_write_atomic(const char *path, const void *data, size_t size, sn_error *error) {
    return sn_file_write_pieces(path, &(sn_piece){data, size}, 1, error);
}

sn_status sn_file_writer_open(sn_file_writer *writer, const char *path, sn_error *error) {
    *writer = (sn_file_writer){.fd = -1};
    sn_status status = check_target(path, error);
    if (status != SN_OK) return status;
    writer->path = sn_string_copy(path);
    if (!writer->path) {
        sn_error_memory(error, strlen(path) + 1, "a path");
        return SN_FAILED;
    }
    writer->fd = open_temporary(path, &writer->temporary, error);
    if (writer->fd >= 0) return SN_OK;
    free(writer->path);
    free(writer->temporary);
    *writer = (sn_file_writer){.fd = -1};
    return error->status == SN_FAILED ? SN_FAILED : SN_IO;
}

sn_status sn_file_writer_add(sn_file_writer *writer, const void *data, size_t size, sn_error *error) {
    if (writer->cause == 0 && !write_all(writer->fd, data, size)) writer->cause = errno;
    if (writer->cause == 0) return SN_OK;
    errno = writer->cause;
    return sn_error_io(error, "write", writer->path);
}

/* Closes the file and puts it in its place. */
static sn_status finish_writing(sn_file_writer *writer, sn_error *error) {
    sn_status status = sn_file_writer_add(writer, "", 0, error);
    if (status == SN_OK && !sn_fd_sync(writer->fd)) status = sn_error_io(error, "write", writer->path);
    int closed = close(writer->fd);
    writer->fd = -1;
    if (closed != 0 && status == SN_OK) status = sn_error_io(error, "write", writer->path);
    if (status == SN_OK && rename(writer->temporary, writer->path) != 0)
        status = sn_error_io(error, "replace", writer->path);
    return status;
}

sn_status sn_file_writer_commit(sn_file_writer *writer, sn_error *error) {
    char *dir = sn_path_dir(writer->path);
    sn_status status = SN_FAILED;
    if (!dir) {
        sn_error_memory(error, strlen(writer->path) + 1, "a path");
        goto out;
    }
    status = finish_writing(writer, error);
    if (status != SN_OK) goto out;
    free(writer->temporary); /* it has the other name now */
    writer->temporary = NULL;
    if (!sync_dir(dir)) status = sn_error_io(error, "sync the directory", dir);
out:
    sn_file_writer_drop(writer);
    free(dir);
    return status;
}

void sn_file_writer_drop(sn_file_writer *writer) {
    if (writer->path && writer->fd >= 0) close(writer->fd);
    if (writer->temporary) unlink(writer->temporary);
    free(writer->path);
    free(writer->temporary);
    *writer = (sn_file_writer){.fd = -1};
}

sn_status sn_file_write_pieces(const char *path, const sn_piece *pieces, size_t n, sn_error *error) {
    sn_file_writer writer;
    sn_status status = sn_file_writer_open(&writer, path, error);
    if (status != SN_OK) return status;
    for (size_t i = 0; i < n && status == SN_OK; i++)
        status = sn_file_writer_add(&writer, pieces[i].data, pieces[i].size, error);
    if (status == SN_OK) return sn_file_writer_commit(&writer, error);
    sn_file_writer_drop(&writer);
    return status;
}

int sn_file_create(const char *path, sn_error *error) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) sn_error_io(error, "create", path);
    return fd;
}

int sn_file_reopen(const char *path, sn_error *error) {
    struct stat info;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno != ELOOP) {
        sn_error_io(error, "open", path);
        return -1;
    }
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
    if (fd >= 0) close(fd);
    sn_error_set(error, SN_INVALID, "%s: not a regular file (a link is not followed)", path);
    return -1;
}

sn_status sn_file_keep(const char *path, const char *other, sn_error *error) {
    if (unlink(other) != 0 && errno != ENOENT) return sn_error_io(error, "remove", other);
    if (link(path, other) == 0 || rename(path, other) == 0) return SN_OK;
    return sn_error_io(error, "keep a copy of", path);
}

/* BASE.PID-N.tmp, see open_temporary. */
bool sn_is_remnant(const char *name, const char *base) {
    size_t n = strlen(base);
    if (strncmp(name, base, n) != 0 || name[n] != '.') return false;
    const char *at = name + n + 1;
    for (int part = 0; part < 2; part++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || at[digits] != "-."[part]) return false;
        at += digits + 1;
    }
    return strcmp(at, "tmp") == 0;
}

static sn_status make_dirs(const char *path, mode_t mode, sn_error *error) {
    if (path[0] == '\0' || sn_path_is_dir(path)) return SN_OK;
    char *prefix = sn_string_copy(path);
    if (!prefix) return sn_error_memory(error, strlen(path) + 1, "a path");

    /* A parent that cannot be made may well exist (on a read-only file system, say): the last one decides. */
    int cause = 0;
    for (char *at = prefix + 1; *at; at++) {
        if (*at != '/') continue;
        *at = '\0';
        if (mkdir(prefix, mode) != 0 && errno != EEXIST && cause == 0) cause = errno;
        *at = '/';
    }
    if (mkdir(prefix, mode) != 0 && (errno != ENOENT || cause == 0)) cause = errno;
    free(prefix);
    if (sn_path_is_dir(path)) return SN_OK;
    errno = cause == EEXIST ? ENOTDIR : cause;
    return sn_error_io(error, "make the directory", path);
}

sn_status sn_dir_make(const char *path, sn_error *error) {
    return make_dirs(path, 0777, error);
}

sn_status sn_dir_make_private(const char *path, sn_error *error) {
    return make_dirs(path, 0700, error);
}

char *sn_dir_missing(const char *path) {
    char *missing = NULL, *at = sn_path_absolute(path);
    while (at && !sn_path_exists(at)) {
        free(missing);
        missing = at;
        at = sn_path_dir(missing);
    }
    free(at);
    return missing;
}

void sn_dir_remove_empty(const char *path, const char *outermost) {
    char *at = sn_path_absolute(path);
    while (at && rmdir(at) == 0 && strcmp(at, outermost) != 0) {
        char *parent = sn_path_dir(at);
        free(at);
        at = parent;
    }
    free(at);
}

sn_status sn_file_check_mark(const char *path, const char *mark, sn_file_mark *found, sn_error *error) {
    char head[SN_MARK_WITHIN];
    struct stat info;
    bool is_there = lstat(path, &info) == 0 && (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode));
    *found = is_there ? SN_MARK_MISSING : SN_MARK_NO_FILE;
    if (!is_there || !S_ISREG(info.st_mode)) return SN_OK;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return sn_error_io(error, "open", path);
    ssize_t n;
    do {
        n = read(fd, head, sizeof head);
    } while (n < 0 && errno == EINTR);
    sn_status status = n < 0 ? sn_error_io(error, "read", path) : SN_OK;
    close(fd);
    if (n > 0 && memmem(head, (size_t)n, mark, strlen(mark))) *found = SN_MARK_FOUND;
    return status;
}

bool sn_path_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

bool sn_path_is_dir(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool sn_path_begins_at_home(const char *path) {
    return path[0] == '~' && (!path[1] || strchr(path, '/'));
}

char *sn_path_join(const char *base, const char *name) {
    size_t n = strlen(base);
    if (n == 0 || name[0] == '/') return sn_string_copy(name);
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, base[n - 1] == '/' ? "%s%s" : "%s/%s", base, name);
    return sn_text_take(&text);
}

/* The length of path without trailing slashes; of "/" and "//" it is 1. */
static size_t trimmed_length(const char *path) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

char *sn_path_dir(const char *path) {
    size_t n = trimmed_length(path);
    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n == 0) return sn_string_copy(".");
    while (n > 1 && path[n - 1] == '/')
        n--;
    return strndup(path, n);
}

/* Appends the parts of `path` to `out`, which holds "" (the root) or "/a/b"; ".." takes the last part away. */
static void fold_parts(sn_text *out, const char *path) {
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (out->length > 0 && out->data[--out->length] != '/')
                continue;
        } else if (n > 0 && !(n == 1 && path[0] == '.')) {
            sn_text_add(out, "/");
            sn_text_add_bytes(out, path, n);
        }
        path += n + (path[n] == '/');
    }
}

char *sn_path_absolute(const char *path) {
    sn_text out = SN_TEXT_EMPTY;
    if (path[0] != '/') {
        char *cwd = getcwd(NULL, 0);
        if (!cwd) return NULL;
        fold_parts(&out, cwd);
        free(cwd);
    }
    fold_parts(&out, path);
    if (out.length == 0) sn_text_add(&out, "/");
    return sn_text_take(&out);
}

char *sn_path_stem(const char *path) {
    size_t end = trimmed_length(path), start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t dot = end;
    while (dot > start && path[dot - 1] != '.')
        dot--;
    if (dot > start + 1) end = dot - 1; /* a leading dot begins a name, not an extension */
    return strndup(path + start, end - start);
}
