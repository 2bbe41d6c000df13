/* Owns lock files.  The flock is the lock, the file only its place and the note of who holds it: the lock of a dead
 * process is gone with the process, whatever the file says, so there are no stale locks to reason about.
 *
 * The holder removes the file before it lets go.  Whoever opened the file before that and locks it after holds a file
 * that no path leads to; so a lock counts only if the path still leads to the locked file. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { MAX_ATTEMPTS = 100, NOTE_BYTES = 320 };

static int flock_now(int fd, int operation) {
    int result;
    do {
        result = flock(fd, operation | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return result;
}

/* Somebody may only be looking (sn_lock_look), which takes microseconds: a lock that stays taken is a holder's. */
static int flock_unless_held(int fd) {
    enum { LOOKS = 5, MILLISECOND = 1000000 };
    int result = flock_now(fd, LOCK_EX);
    for (int i = 0; i < LOOKS && result != 0 && errno == EWOULDBLOCK; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 2L * MILLISECOND}, NULL);
        result = flock_now(fd, LOCK_EX);
    }
    return result;
}

static bool is_still_at(int fd, const char *path) {
    struct stat held, found;
    return fstat(fd, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev &&
           held.st_ino == found.st_ino;
}

/* The first line of the note of the holder, as far as it can be printed.  It may be empty: the holder writes the note
 * after it has locked. */
static void read_note(int fd, char note[NOTE_BYTES]) {
    ssize_t n = pread(fd, note, NOTE_BYTES - 1, 0);
    size_t length = 0;
    while (n > 0 && length < (size_t)n && note[length] >= ' ' && note[length] != 0x7f)
        length++;
    note[length] = '\0';
}

static sn_status write_note(int fd, const char *path, sn_error *error) {
    char host[256] = "", note[NOTE_BYTES];
    if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "unknown host");
    int length = snprintf(note, sizeof note, "pid %ld on %s\n", (long)getpid(), host);
    if (ftruncate(fd, 0) != 0) return sn_error_io(error, "write", path);
    for (int done = 0; done < length;) {
        ssize_t n = pwrite(fd, note + done, (size_t)(length - done), done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sn_error_io(error, "write", path);
        done += (int)n;
    }
    return SN_OK;
}

static sn_status refuse_lock(int fd, const char *path, sn_error *error) {
    int cause = errno;
    if (cause == ENOLCK || cause == ENOSYS || cause == EOPNOTSUPP) return SN_OK;
    if (cause != EWOULDBLOCK) return sn_error_io(error, "lock", path);
    char note[NOTE_BYTES];
    read_note(fd, note);
    return sn_error_set(error, SN_INVALID, "%s: in use by another process (%s); wait for it or stop it", path,
                        note[0] ? note : "it has not yet said which");
}

/* Leaves the locked file in *held, or -1 where there is none to be had. */
static sn_status lock_file(int *held, const char *path, sn_error *error) {
    *held = -1;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0) return sn_error_io(error, "open", path);
        if (flock_unless_held(fd) != 0) {
            sn_status status = refuse_lock(fd, path, error);
            close(fd);
            return status;
        }
        if (is_still_at(fd, path)) {
            *held = fd;
            return SN_OK;
        }
        close(fd);
    }
    return sn_error_set(error, SN_IO, "cannot lock %s: other processes keep replacing it", path);
}

sn_status sn_lock_take(sn_lock *lock, const char *path, sn_error *error) {
    *lock = SN_LOCK_NONE;
    char *copy = sn_string_copy(path);
    if (!copy) return sn_error_memory(error, strlen(path) + 1, "a path");
    int fd = -1;
    sn_status status = lock_file(&fd, path, error);
    if (status != SN_OK || fd < 0) {
        free(copy);
        return status;
    }
    *lock = (sn_lock){fd, copy};
    status = write_note(fd, path, error);
    if (status != SN_OK) sn_lock_release(lock);
    return status;
}

sn_lock_state sn_lock_look(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_none = fd < 0 && (errno == ENOENT || errno == ELOOP); /* a link in its place is nobody's lock */
    if (fd < 0) return is_none ? SN_LOCK_FREE : SN_LOCK_UNKNOWN;
    sn_lock_state state = SN_LOCK_FREE;
    if (flock_now(fd, LOCK_SH) != 0) state = errno == EWOULDBLOCK ? SN_LOCK_HELD : SN_LOCK_UNKNOWN;
    close(fd);
    return state;
}

void sn_lock_release(sn_lock *lock) {
    if (lock->fd >= 0) {
        unlink(lock->path);
        close(lock->fd);
    }
    free(lock->path);
    *lock = SN_LOCK_NONE;
}
