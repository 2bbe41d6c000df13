/* The report's files of one run: loss.csv and gradients.csv, opened before any work, flushed after every row. */
#ifndef SN_RUN_SINK_H
#define SN_RUN_SINK_H

#include <stdio.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "report/record.h"
#include "run/directory.h"

/* How much of a file is there: its bytes, and their hash (sn_hash with seed 0). */
typedef struct sn_extent {
    uint64_t bytes, hash;
} sn_extent;

typedef struct sn_sink_position {
    sn_extent loss, gradients;
} sn_sink_position;

/* One of the two. */
typedef struct sn_csv_file {
    FILE *stream;
    char *path;
    uint64_t bytes; /* written, or kept */
    sn_hasher hasher;
} sn_csv_file;

typedef struct sn_sink {
    sn_csv_file loss, gradients;
    sn_text text;
    int digits;
} sn_sink;

/* Opens both files anew and writes their headers.  `digits`: significant digits of numbers. */
sn_status sn_sink_open(sn_sink *sink, const sn_run_directory *directory, int digits, sn_error *error);

/* Opens both files where they are at that position or longer, their beginning what it was.  Nothing is changed yet:
 * sn_sink_cut does that.  SN_INVALID: a file is shorter, or its beginning differs; the sink is closed then. */
sn_status sn_sink_reopen(sn_sink *sink, const sn_run_directory *directory, int digits, const sn_sink_position *position,
                         sn_error *error);

/* Cuts both files back to where they were reopened; rows then go on from there. */
sn_status sn_sink_cut(sn_sink *sink, sn_error *error);

/* Writes the rows of one reported step; `with_layers`: those of gradients.csv too. */
sn_status sn_sink_rows(sn_sink *sink, const sn_records *records, bool with_layers, sn_error *error);

/* Where both files end. */
void sn_sink_tell(const sn_sink *sink, sn_sink_position *position);

/* Waits until all rows are on the disk: what is saved next may count on them. */
sn_status sn_sink_sync(sn_sink *sink, sn_error *error);

/* Closes both files; SN_IO where the last bytes could not be written.  Fine on a sink that is not open. */
sn_status sn_sink_close(sn_sink *sink, sn_error *error);

#endif
