/* Errors: one record, owned by the caller, filled where the fault is found.
 *
 * Every function that can fail returns an sn_status and takes an sn_error *.  On SN_OK the record is untouched.
 * Library code never prints and never exits; main turns the status into the exit status of the process.
 * A message says what is wrong, where (file, line, key), what was expected and what to do. */
#ifndef SN_BASE_ERROR_H
#define SN_BASE_ERROR_H

#include <stddef.h>

/* The values are the exit statuses of the program, but for SN_INTERRUPTED (the signal is raised again). */
typedef enum sn_status {
    SN_OK = 0,
    SN_FAILED = 1,      /* failure while running: memory, internal */
    SN_INVALID = 2,     /* usage, config, or the content of a data or weights file */
    SN_DIVERGED = 3,    /* a non-finite value appeared in training */
    SN_IO = 4,          /* cannot open, read or write */
    SN_INTERRUPTED = 5, /* a signal asked the run to end */
} sn_status;

enum { SN_ERROR_CAPACITY = 16384 };

typedef struct sn_error {
    sn_status status;
    size_t dropped; /* lines that did not fit */
    size_t length;
    char text[SN_ERROR_CAPACITY]; /* lines separated by '\n', no trailing newline */
} sn_error;

/* Empties the record. */
void sn_error_clear(sn_error *error);

/* Replaces the content by one message; returns `status`, so that callers can `return sn_error_set(...)`. */
sn_status sn_error_set(sn_error *error, sn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a line.  The status of the first line stays.  Lines past the capacity are counted in `dropped`. */
sn_status sn_error_add(sn_error *error, sn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* SN_IO: "cannot ACTION PATH: <text of the current errno>". */
sn_status sn_error_io(sn_error *error, const char *action, const char *path);

/* SN_FAILED: "out of memory (N bytes wanted for WHAT)". */
sn_status sn_error_memory(sn_error *error, size_t bytes, const char *what);

#endif
