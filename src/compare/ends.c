/* Owns the reading of a CSV from both ends.  A window of the file grows twofold until it holds what is wanted and the
 * row before or after it, so that at most twice as much is read as needed. */
#include "compare/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_BYTES = 1 << 16 };

typedef struct source {
    const char *path;
    int fd;
    size_t size;
    sn_error *error;
} source;

/* Fills the window with size bytes from offset on; a file that became shorter meanwhile gives fewer. */
static sn_status read_window(const source *s, sn_window *window, size_t offset, size_t size) {
    if (window->capacity < size) {
        char *data = realloc(window->data, size);
        if (!data) return sn_error_memory(s->error, size, s->path);
        window->data = data;
        window->capacity = size;
    }
    window->length = 0;
    while (window->length < size) {
        ssize_t n =
            pread(s->fd, window->data + window->length, size - window->length, (off_t)(offset + window->length));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sn_error_io(s->error, "read", s->path);
        if (n == 0) break;
        window->length += (size_t)n;
    }
    return SN_OK;
}

/* The line at `at` with its LF; false where there is no whole one. */
static bool next_line(const char *at, const char *end, sn_rows *line) {
    const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    *line = (sn_rows){at, stop ? (size_t)(stop - at) + 1 : 0, stop != NULL};
    return stop != NULL;
}

/* The step that a row begins with; -1: it does not. */
static int64_t step_of(const sn_rows *line) {
    enum { MAX_DIGITS = 18 };
    int64_t step = 0;
    size_t i = 0;
    for (; i < line->length && i < MAX_DIGITS && line->text[i] >= '0' && line->text[i] <= '9'; i++)
        step = 10 * step + (line->text[i] - '0');
    return i > 0 && i < line->length && line->text[i] == ',' ? step : -1;
}

static void take_line(sn_rows *rows, const sn_rows *line) {
    if (rows->n == 0) rows->text = line->text;
    rows->length += line->length;
    rows->n++;
}

/* Takes header and first rows out of the window; *is_all where the row after them was seen. */
static sn_status scan_head(const source *s, sn_ends *ends, bool *is_all) {
    const char *end = ends->head.data + ends->head.length;
    sn_rows line;
    ends->first = (sn_rows){0};
    *is_all = false;
    if (!next_line(ends->head.data, end, &ends->header)) return SN_OK;
    const char *at = ends->head.data + ends->header.length;
    for (size_t number = 2; next_line(at, end, &line); number++, at += line.length) {
        int64_t step = step_of(&line);
        if (step < 0) return sn_error_set(s->error, SN_INVALID, "%s:%zu: not a row with a step", s->path, number);
        *is_all = step > 0;
        if (*is_all) return SN_OK;
        take_line(&ends->first, &line);
    }
    return SN_OK;
}

static sn_status read_head(const source *s, sn_ends *ends) {
    bool is_all = false;
    for (size_t size = WINDOW_BYTES;; size *= 2) {
        if (size > s->size) size = s->size;
        sn_status status = read_window(s, &ends->head, 0, size);
        if (status == SN_OK) status = scan_head(s, ends, &is_all);
        if (status != SN_OK || is_all || size == s->size) return status;
    }
}

/* Takes the rows of `wanted` out of the window, which begins in the middle of a line unless it is_whole: then behind
 * the header.  *is_all where an earlier row was seen. */
static sn_status scan_tail(const source *s, sn_ends *ends, int64_t wanted, bool is_whole, bool *is_all) {
    const char *at = ends->tail.data, *end = at + ends->tail.length;
    sn_rows line;
    ends->last = (sn_rows){0};
    *is_all = is_whole;
    if (next_line(at, end, &line)) at += line.length;
    for (; next_line(at, end, &line); at += line.length) {
        int64_t step = step_of(&line);
        if (step < 0)
            return sn_error_set(s->error, SN_INVALID, "%s: byte %zu from its end: not a row with a step", s->path,
                                (size_t)(end - at));
        *is_all = *is_all || step < wanted;
        if (step == wanted) take_line(&ends->last, &line);
    }
    return SN_OK;
}

static sn_status read_tail(const source *s, sn_ends *ends, int64_t wanted) {
    bool is_all = false;
    for (size_t size = WINDOW_BYTES; !is_all; size *= 2) {
        if (size > s->size) size = s->size;
        sn_status status = read_window(s, &ends->tail, s->size - size, size);
        if (status == SN_OK) status = scan_tail(s, ends, wanted, size == s->size, &is_all);
        if (status != SN_OK) return status;
    }
    return SN_OK;
}

sn_status sn_ends_read(sn_ends *ends, const char *path, int64_t last_step, sn_error *error) {
    /* O_NONBLOCK: a pipe would wait for a writer. */
    source s = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), .error = error};
    struct stat info;
    ends->header = ends->first = ends->last = (sn_rows){0};
    if (s.fd < 0) return sn_error_io(error, "open", path);
    sn_status status = SN_OK;
    if (fstat(s.fd, &info) != 0) {
        status = sn_error_io(error, "read", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = sn_error_set(error, SN_INVALID, "%s: not a regular file", path);
    }
    if (status == SN_OK) s.size = (size_t)info.st_size;
    if (status == SN_OK && s.size > 0) status = read_head(&s, ends);
    if (status == SN_OK && last_step == 0) ends->last = ends->first;
    if (status == SN_OK && last_step > 0 && s.size > 0) status = read_tail(&s, ends, last_step);
    close(s.fd);
    return status;
}

void sn_ends_reset(sn_ends *ends) {
    free(ends->head.data);
    free(ends->tail.data);
    *ends = (sn_ends){0};
}

bool sn_line_next(const char **at, const char *end, sn_slice *cell) {
    const char *p = *at;
    bool is_quoted = false;
    if (p > end) return false;
    cell->start = p;
    for (; p < end && (is_quoted || *p != ','); p++)
        is_quoted = is_quoted != (*p == '"');
    cell->length = (size_t)(p - cell->start);
    *at = p + 1;
    return true;
}
