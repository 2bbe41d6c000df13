/* The rows of two steps of a run's CSV, whatever the size of the file: those of step 0 are read from its head, those of
 * a late step from its end backwards.  A last line without its line end is not there yet and does not count. */
#ifndef SN_COMPARE_ENDS_H
#define SN_COMPARE_ENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sn_rows {
    const char *text; /* whole lines, each with its LF; not ended by a NUL */
    size_t length, n; /* bytes, lines */
} sn_rows;

typedef struct sn_window {
    char *data;
    size_t length, capacity;
} sn_window;

typedef struct sn_ends {
    sn_rows header;       /* the first line; n 0 where there is no whole one */
    sn_rows first, last;  /* rows of step 0, and of the step asked for */
    sn_window head, tail; /* what the rows point into; kept for the next file */
} sn_ends;

/* Reads the file into `ends`, which may hold an earlier one.  Rows begin with their step and stand in its order;
 * last_step < 0 asks for none.  A step that is not there has no rows.  SN_IO: cannot read; SN_INVALID: no regular
 * file, or lines that are no rows, named by file and, from the head, by line. */
sn_status sn_ends_read(sn_ends *ends, const char *path, int64_t last_step, sn_error *error);

void sn_ends_reset(sn_ends *ends);

/* The next cell of a line (RFC 4180, quotes kept): moves *at behind its comma or to the end.  False at the end. */
typedef struct sn_slice {
    const char *start;
    size_t length;
} sn_slice;
bool sn_line_next(const char **at, const char *end, sn_slice *cell);

#endif
