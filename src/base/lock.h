/* A lock on a directory: a file that the holder keeps flock-ed and that names it. */
#ifndef SN_BASE_LOCK_H
#define SN_BASE_LOCK_H

#include <stdbool.h>

#include "base/error.h"

typedef struct sn_lock {
    int fd; /* -1: not held */
    char *path;
} sn_lock;

#define SN_LOCK_NONE ((sn_lock){-1, NULL})

/* Takes the lock file `path` (made when absent) and writes "pid PID on HOST" into it; never waits.  A file left behind
 * by a dead process is taken over.  When another process holds it: SN_INVALID, the message naming the holder.  Cannot
 * open or write: SN_IO.  Where the file system has no locks: SN_OK with lock->fd == -1, so that the caller can warn
 * (the file then stays, empty). */
sn_status sn_lock_take(sn_lock *lock, const char *path, sn_error *error);

/* Whether another process holds the lock file.  Nothing is made, written or kept; a process that takes the lock at this
 * very moment waits for the look to end.  Unknown: the file cannot be opened, or its file system has no locks. */
typedef enum sn_lock_state { SN_LOCK_FREE, SN_LOCK_HELD, SN_LOCK_UNKNOWN } sn_lock_state;
sn_lock_state sn_lock_look(const char *path);

/* Removes the lock file and gives the lock up; nothing to do where it is not held. */
void sn_lock_release(sn_lock *lock);

#endif
