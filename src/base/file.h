/* Files and directories: whole-file reads, atomic writes, paths, locks.  All paths are UTF-8 byte strings. */
#ifndef SN_BASE_FILE_H
#define SN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Reads a whole file into *data (free()), one NUL byte added past *size.  Larger than `limit` bytes: SN_INVALID, larger
 * than the memory that there is: SN_FAILED, both before it is read.  `path` "-" reads standard input. */
sn_status sn_file_read(const char *path, size_t limit, char **data, size_t *size, sn_error *error);

/* SN_INVALID where `path` is there and no regular file: to open it might wait for ever, to read it never end. */
sn_status sn_file_check_regular(const char *path, sn_error *error);

/* Reads a whole file, but SN_INVALID where it is no regular one. */
sn_status sn_file_read_regular(const char *path, size_t limit, char **data, size_t *size, sn_error *error);

/* Whether a failed reading of `path` is nobody's fault but the system's: no memory, or a file that is there and cannot
 * be read.  Else what it holds is wrong, or it is missing. */
bool sn_file_read_failed(sn_status status, const char *path);

/* Writes a temporary file PATH.PID-N.tmp beside `path`, fsyncs it, renames it over `path` and fsyncs the directory:
 * afterwards `path` holds either the old content or the new one, whole.  SN_IO on failure, the temporary file removed.
 */
sn_status sn_file_write_atomic(const char *path, const void *data, size_t size, sn_error *error);

/* The same for a content in `n` pieces, one after the other. */
typedef struct sn_piece {
    const void *data;
    size_t size;
} sn_piece;
sn_status sn_file_write_pieces(const char *path, const sn_piece *pieces, size_t n, sn_error *error);

/* The same for a content that comes in parts, so that it never stands in memory as a whole.  After _open the writer is
 * for _commit or _drop, once.  A failed _add is told again by _commit. */
typedef struct sn_file_writer {
    char *path, *temporary; /* owned; NULL: closed */
    int fd, cause;          /* cause: errno of the first write that failed, else 0 */
} sn_file_writer;
sn_status sn_file_writer_open(sn_file_writer *writer, const char *path, sn_error *error);
sn_status sn_file_writer_add(sn_file_writer *writer, const void *data, size_t size, sn_error *error);
sn_status sn_file_writer_commit(sn_file_writer *writer, sn_error *error);

/* Gives up: `path` keeps its old content.  Fine on a zeroed writer and after _commit. */
void sn_file_writer_drop(sn_file_writer *writer);

/* Makes `other` one more name of the file `path`, in place of what it named before: the content stays when `path` is
 * then replaced.  Where the file system has no such links `path` is renamed. */
sn_status sn_file_keep(const char *path, const char *other, sn_error *error);

/* Opens a file that is written as it grows.  _create makes it and fails where anything has its name; _reopen takes a
 * regular file for reading and writing.  Neither follows a symbolic link, and neither waits for the other end of a
 * FIFO.  A descriptor to be closed, or -1 with the error: SN_IO; SN_INVALID where it is no regular file. */
int sn_file_create(const char *path, sn_error *error);
int sn_file_reopen(const char *path, sn_error *error);

/* Whether the beginning of the file `path` holds `mark`: how files are told that skipnet wrote.  A link holds none;
 * what is neither a regular file nor a link counts as no file. */
enum { SN_MARK_WITHIN = 4096 }; /* bytes */
typedef enum sn_file_mark { SN_MARK_NO_FILE, SN_MARK_MISSING, SN_MARK_FOUND } sn_file_mark;
sn_status sn_file_check_mark(const char *path, const char *mark, sn_file_mark *found, sn_error *error);

/* Waits until all that was written to `fd` is on the disk; fine where the file system knows no such thing. */
bool sn_fd_sync(int fd);

/* Whether `name` could be that of a temporary file of sn_file_write_atomic for the file `base`. */
bool sn_is_remnant(const char *name, const char *base);

/* Makes the directory and its parents; an existing one is no error. */
sn_status sn_dir_make(const char *path, sn_error *error);

/* The same; what it makes is for this user alone. */
sn_status sn_dir_make_private(const char *path, sn_error *error);

/* The outermost directory that sn_dir_make would make for `path` (free()), NULL where it would make none, or when out
 * of memory. */
char *sn_dir_missing(const char *path);

/* Removes the directory `path` and those above it up to and with `outermost`, as long as they are empty. */
void sn_dir_remove_empty(const char *path, const char *outermost);

bool sn_path_exists(const char *path);
bool sn_path_is_dir(const char *path);

/* Whether a shell would put a home directory there: ~, ~/... and ~NAME/... */
bool sn_path_begins_at_home(const char *path);

/* "BASE/NAME" (free()), or a copy of NAME where it is absolute or BASE is "".  NULL when out of memory. */
char *sn_path_join(const char *base, const char *name);

/* The directory part of a path ("." where it has none), free(); NULL when out of memory. */
char *sn_path_dir(const char *path);

/* The absolute form of a path, symbolic links kept, "." and ".." and "//" folded (free()); NULL when out of memory
 * or the working directory is gone. */
char *sn_path_absolute(const char *path);

/* The last part of a path without its extension ("configs/deep50.json" -> "deep50"), free(). */
char *sn_path_stem(const char *path);

#endif
