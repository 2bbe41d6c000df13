/* Owns the building of error records.  See error.h for the contract. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sn_error_clear(sn_error *error) {
    error->status = SN_OK;
    error->dropped = 0;
    error->length = 0;
    error->text[0] = '\0';
}

static void append_line(sn_error *error, const char *format, va_list args) {
    size_t start = error->length;
    if (start > 0 && start + 2 < sizeof error->text) error->text[start++] = '\n';
    size_t room = sizeof error->text - start;
    int n = vsnprintf(error->text + start, room, format, args);
    if (n < 0 || ((size_t)n >= room && error->length > 0)) {
        error->text[error->length] = '\0';
        error->dropped++;
        return;
    }
    error->length = (size_t)n < room ? start + (size_t)n : sizeof error->text - 1;
}

sn_status sn_error_set(sn_error *error, sn_status status, const char *format, ...) {
    sn_error_clear(error);
    error->status = status;
    va_list args;
    va_start(args, format);
    append_line(error, format, args);
    va_end(args);
    return status;
}

sn_status sn_error_add(sn_error *error, sn_status status, const char *format, ...) {
    if (error->status == SN_OK) error->status = status;
    va_list args;
    va_start(args, format);
    append_line(error, format, args);
    va_end(args);
    return error->status;
}

sn_status sn_error_io(sn_error *error, const char *action, const char *path) {
    int cause = errno;
    return sn_error_set(error, SN_IO, "cannot %s %s: %s", action, path, strerror(cause));
}

sn_status sn_error_memory(sn_error *error, size_t bytes, const char *what) {
    return sn_error_set(error, SN_FAILED, "out of memory (%zu bytes wanted for %s)", bytes, what);
}
