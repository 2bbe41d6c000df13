/* Linked into a second program with --wrap, so that the calls that skipnet's own code makes come here first: one of
 * them fails, as memory that is used up would.  Those of libraries are not concerned, but for cJSON, which asks through
 * hooks.
 *
 *   FAIL_ALLOCATION=K   the K-th allocation fails; "K-": all from the K-th on
 *   ALLOCATION_LOG=FILE gets the number of allocations that were made, when the program exits */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

static atomic_long n_calls;
static long failing; /* 0: none */
static bool stays;

static bool fails(void) {
    long n = atomic_fetch_add(&n_calls, 1) + 1;
    if (failing == 0 || n < failing || (n > failing && !stays)) return false;
    errno = ENOMEM;
    return true;
}

#define WRAP(type, name, parameters, arguments)                                                                        \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters {                                                                                    \
        return fails() ? NULL : __real_##name arguments;                                                               \
    }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *old, size_t size), (old, size))
WRAP(char *, strndup, (const char *text, size_t n), (text, n))
WRAP(char *, realpath, (const char *path, char *out), (path, out))
WRAP(char *, getcwd, (char *out, size_t size), (out, size))
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode))
WRAP(DIR *, opendir, (const char *path), (path))

#define WRAP_STATUS(name, failure, parameters, arguments)                                                              \
    int __real_##name parameters;                                                                                      \
    int __wrap_##name parameters;                                                                                      \
    int __wrap_##name parameters {                                                                                     \
        return fails() ? (failure) : __real_##name arguments;                                                          \
    }

typedef int (*filter)(const struct dirent *);
typedef int (*order)(const struct dirent **, const struct dirent **);

WRAP_STATUS(posix_memalign, ENOMEM, (void **out, size_t alignment, size_t size), (out, alignment, size))
WRAP_STATUS(scandir, -1, (const char *path, struct dirent ***out, filter keep, order by), (path, out, keep, by))
WRAP_STATUS(pthread_create, EAGAIN,
            (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),
            (thread, attributes, start, argument))

static void write_log(void) {
    const char *path = getenv("ALLOCATION_LOG");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd < 0) return;
    dprintf(fd, "%ld\n", atomic_load(&n_calls));
    close(fd);
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FAIL_ALLOCATION");
    char *end = NULL;
    failing = text ? strtol(text, &end, 10) : 0;
    stays = end && *end == '-';
    cJSON_InitHooks(&(cJSON_Hooks){__wrap_malloc, free});
    atexit(write_log);
}
