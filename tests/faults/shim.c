/* Preloaded into the program: lets calls of the C library fail, as a broken disk, a full one or a network file system
 * would.  Only files whose path begins with a given prefix are concerned, so that libraries and /proc stay whole.
 *
 *   FAULT=CALL:K:ERRNO[:stay]  the K-th call of CALL fails with that errno (a name from the table below); with "stay"
 *                              all later ones too.  A write for which there is no space first writes half.
 *   FAULT=short:N              nothing fails, but a read or write moves at most N bytes
 *   FAULT=eof:K                from the K-th read on files end where they are
 *   FAULT=clock:SECONDS        every look at a clock finds it SECONDS further on, the wall clock also back and forth
 *   FAULT_BELOW=PREFIX         the files concerned
 *   FAULT_LOG=FILE             gets a line "CALL PATH" for each call that failed
 *
 * Streams: the C library's own do not call write through a symbol that can be replaced, so fopen makes a stream of this
 * file's read and write. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 1024, MAX_PATH = 512, MAX_STREAMS = 64 };

static const struct {
    const char *name;
    int number;
} causes[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR},
              {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"EROFS", EROFS},   {"ENOLCK", ENOLCK},
              {"ENOSYS", ENOSYS}, {"ESTALE", ESTALE}, {"EPERM", EPERM},   {"ENOMEM", ENOMEM}};

static struct {
    char call[16];
    long at; /* which call fails, from 1; for short: bytes; for clock: seconds */
    int cause;
    bool stays;
    const char *below, *log;
} fault;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long n_calls;
static char paths[MAX_FD][MAX_PATH]; /* of open descriptors concerned; else "" */
static struct {
    FILE *stream;
    int fd;
} streams[MAX_STREAMS];

/* Runs before main, after the constructors of libraries: what those open is nobody's business here. */
__attribute__((constructor)) static void read_environment(void) {
    const char *text = getenv("FAULT"), *below = getenv("FAULT_BELOW");
    char cause[16] = "", mode[8] = "";
    if (!text) return;
    if (sscanf(text, "%15[a-z]:%ld:%15[A-Z]:%7s", fault.call, &fault.at, cause, mode) < 2) _exit(99);
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (strcmp(cause, causes[i].name) == 0) fault.cause = causes[i].number;
    }
    if (cause[0] && !fault.cause) _exit(99);
    fault.stays = strcmp(mode, "stay") == 0;
    fault.log = getenv("FAULT_LOG");
    fault.below = below ? below : "";
}

static bool is_below(const char *path) {
    return fault.below && fault.below[0] && strncmp(path, fault.below, strlen(fault.below)) == 0;
}

static const char *path_of(int fd) {
    return fd >= 0 && fd < MAX_FD ? paths[fd] : "";
}

static void write_log(const char *call, const char *path) {
    char line[MAX_PATH + 32];
    int n = snprintf(line, sizeof line, "%s %s\n", call, path);
    int fd = fault.log ? (int)syscall(SYS_openat, AT_FDCWD, fault.log, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (fd < 0) return;
    syscall(SYS_write, fd, line, (size_t)n);
    syscall(SYS_close, fd);
}

/* Counts the call; if it has to fail, how many failed before it, else -1. */
static long count(const char *call, const char *path) {
    if (strcmp(call, fault.call) != 0 || !is_below(path)) return -1;
    pthread_mutex_lock(&mutex);
    long before = ++n_calls - fault.at;
    pthread_mutex_unlock(&mutex);
    if (before < 0 || (before > 0 && !fault.stays)) return -1;
    write_log(call, path);
    return before;
}

static bool fails(const char *call, const char *path) {
    if (count(call, path) < 0) return false;
    errno = fault.cause;
    return true;
}

static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

#define CALL_NEXT(name, type) ((type)(next(name)))

static void remember(int fd, const char *path) {
    if (fd >= 0 && fd < MAX_FD) snprintf(paths[fd], MAX_PATH, "%s", is_below(path) ? path : "");
}

static int open_with(const char *name, const char *path, int flags, mode_t mode) {
    if (fails("open", path)) return -1;
    int fd = CALL_NEXT(name, int (*)(const char *, int, ...))(path, flags, mode);
    remember(fd, path);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_with("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_with("open64", path, flags, mode);
}

static size_t shortened(const char *path, size_t size) {
    bool is_short = strcmp(fault.call, "short") == 0 && is_below(path);
    return is_short && size > (size_t)fault.at ? (size_t)fault.at : size;
}

static bool is_at_end(const char *path) {
    if (strcmp(fault.call, "eof") != 0 || !is_below(path)) return false;
    pthread_mutex_lock(&mutex);
    bool is_over = ++n_calls >= fault.at;
    pthread_mutex_unlock(&mutex);
    if (is_over) write_log("eof", path);
    return is_over;
}

ssize_t read(int fd, void *data, size_t size) {
    const char *path = path_of(fd);
    if (fails("read", path)) return -1;
    if (is_at_end(path)) return 0;
    return CALL_NEXT("read", ssize_t(*)(int, void *, size_t))(fd, data, shortened(path, size));
}

ssize_t pread(int fd, void *data, size_t size, off_t offset) {
    const char *path = path_of(fd);
    if (fails("read", path)) return -1;
    if (is_at_end(path)) return 0;
    return CALL_NEXT("pread", ssize_t(*)(int, void *, size_t, off_t))(fd, data, shortened(path, size), offset);
}

/* What is left of a write's size; 0: it fails. */
static size_t admitted(const char *path, size_t size) {
    long before = count("write", path);
    bool is_space = fault.cause == ENOSPC || fault.cause == EDQUOT;
    if (before == 0 && is_space && fault.stays && size > 1) return size / 2;
    if (before >= 0) return 0;
    return shortened(path, size);
}

ssize_t write(int fd, const void *data, size_t size) {
    size_t some = size ? admitted(path_of(fd), size) : 0;
    if (some > 0 || size == 0) return CALL_NEXT("write", ssize_t(*)(int, const void *, size_t))(fd, data, some);
    errno = fault.cause;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    size_t some = size ? admitted(path_of(fd), size) : 0;
    if (some > 0 || size == 0) {
        return CALL_NEXT("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(fd, data, some, offset);
    }
    errno = fault.cause;
    return -1;
}

/* The descriptor is gone, whatever close says, as on Linux. */
int close(int fd) {
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s", path_of(fd));
    if (fd >= 0 && fd < MAX_FD) paths[fd][0] = '\0';
    int result = CALL_NEXT("close", int (*)(int))(fd);
    return fails("close", path) ? -1 : result;
}

int fsync(int fd) {
    return fails("fsync", path_of(fd)) ? -1 : CALL_NEXT("fsync", int (*)(int))(fd);
}

int fdatasync(int fd) {
    return fails("fsync", path_of(fd)) ? -1 : CALL_NEXT("fdatasync", int (*)(int))(fd);
}

int ftruncate(int fd, off_t size) {
    return fails("truncate", path_of(fd)) ? -1 : CALL_NEXT("ftruncate", int (*)(int, off_t))(fd, size);
}

int flock(int fd, int operation) {
    return fails("flock", path_of(fd)) ? -1 : CALL_NEXT("flock", int (*)(int, int))(fd, operation);
}

int rename(const char *from, const char *to) {
    return fails("rename", to) ? -1 : CALL_NEXT("rename", int (*)(const char *, const char *))(from, to);
}

int link(const char *from, const char *to) {
    return fails("link", to) ? -1 : CALL_NEXT("link", int (*)(const char *, const char *))(from, to);
}

int unlink(const char *path) {
    return fails("unlink", path) ? -1 : CALL_NEXT("unlink", int (*)(const char *))(path);
}

int mkdir(const char *path, mode_t mode) {
    return fails("mkdir", path) ? -1 : CALL_NEXT("mkdir", int (*)(const char *, mode_t))(path, mode);
}

DIR *opendir(const char *path) {
    return fails("opendir", path) ? NULL : CALL_NEXT("opendir", DIR * (*)(const char *))(path);
}

/* ---- streams */

static ssize_t stream_read(void *cookie, char *data, size_t size) {
    return read((int)(intptr_t)cookie, data, size);
}

/* Goes on after a short write, as a stream of the C library does. */
static ssize_t stream_write(void *cookie, const char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = write((int)(intptr_t)cookie, data + done, size - done);
        if (n < 0) return (ssize_t)done;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int stream_seek(void *cookie, off64_t *offset, int whence) {
    off_t at = lseek((int)(intptr_t)cookie, *offset, whence);
    *offset = at;
    return at < 0 ? -1 : 0;
}

static int stream_close(void *cookie) {
    int fd = (int)(intptr_t)cookie;
    for (int i = 0; i < MAX_STREAMS; i++) {
        if (streams[i].stream && streams[i].fd == fd) streams[i].stream = NULL;
    }
    return close(fd);
}

static int flags_of(const char *mode) {
    int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    if (mode[0] == 'w') flags |= O_CREAT | O_TRUNC;
    if (mode[0] == 'a') flags |= O_CREAT | O_APPEND;
    return flags | (strchr(mode, 'e') ? O_CLOEXEC : 0);
}

static FILE *open_stream(const char *name, const char *path, const char *mode) {
    if (!is_below(path)) return CALL_NEXT(name, FILE * (*)(const char *, const char *))(path, mode);
    int fd = open_with("open", path, flags_of(mode), 0666);
    if (fd < 0) return NULL;
    FILE *stream = fopencookie((void *)(intptr_t)fd, mode,
                               (cookie_io_functions_t){stream_read, stream_write, stream_seek, stream_close});
    for (int i = 0; i < MAX_STREAMS && stream; i++) {
        if (streams[i].stream) continue;
        streams[i].stream = stream;
        streams[i].fd = fd;
        return stream;
    }
    _exit(99);
}

FILE *fopen(const char *path, const char *mode) {
    return open_stream("fopen", path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
    return open_stream("fopen64", path, mode);
}

int fileno(FILE *stream) {
    for (int i = 0; i < MAX_STREAMS; i++) {
        if (streams[i].stream == stream) return streams[i].fd;
    }
    return CALL_NEXT("fileno", int (*)(FILE *))(stream);
}

/* ---- clocks */

/* How far a clock is off at this look; the wall clock also steps back. */
static long jump(bool is_wall) {
    if (strcmp(fault.call, "clock") != 0) return 0;
    pthread_mutex_lock(&mutex);
    long n = ++n_calls;
    pthread_mutex_unlock(&mutex);
    if (n == 1) write_log("clock", "-");
    return is_wall && n % 2 ? -n * fault.at : n * fault.at;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0) now->tv_sec += jump(clock == CLOCK_REALTIME);
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (result == 0) now->tv_sec += jump(true);
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
