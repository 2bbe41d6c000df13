/* The report's files of one run: loss.csv, gradients.csv and, where exponents are counted, exponents.csv, opened before
 * any work, flushed after every row. */
#ifndef SN_RUN_SINK_H
#define SN_RUN_SINK_H

#include <stdio.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "report/column.h"
#include "run/directory.h"

/* How much of a file is there: its bytes, and their hash (sn_hash with seed 0). */
typedef struct sn_extent {
    uint64_t bytes, hash;
} sn_extent;

/* The files, in the order of sn_run_sheets. */
typedef enum sn_sink_file { SN_SINK_LOSS, SN_SINK_GRADIENTS, SN_SINK_EXPONENTS, SN_SINK_FILES } sn_sink_file;

typedef struct sn_sink_position {
    int n_files; /* that are written, the first ones */
    sn_extent files[SN_SINK_FILES];
} sn_sink_position;

/* One of them. */
typedef struct sn_csv_file {
    FILE *stream;
    char *path;
    uint64_t bytes; /* written, or kept */
    sn_hasher hasher;
} sn_csv_file;

/* What a run writes. */
typedef struct sn_sink_options {
    int digits; /* significant ones of numbers */
    bool has_exponents;
} sn_sink_options;

typedef struct sn_sink {
    sn_csv_file files[SN_SINK_FILES];
    int n_files; /* the first ones */
    sn_text text;
    int digits;
} sn_sink;

/* The sheets of the files, for their description; NULL ends them. */
void sn_sink_sheets(const sn_sink_options *options, const sn_sheet *sheets[SN_SINK_FILES + 1]);

/* Opens all files anew and writes their headers. */
sn_status sn_sink_open(sn_sink *sink, const sn_run_directory *directory, const sn_sink_options *options,
                       sn_error *error);

/* Opens all files where they are at that position or longer, their beginning what it was.  Nothing is changed yet:
 * sn_sink_cut does that.  SN_INVALID: a file is shorter, or its beginning differs; the sink is closed then. */
sn_status sn_sink_reopen(sn_sink *sink, const sn_run_directory *directory, const sn_sink_options *options,
                         const sn_sink_position *position, sn_error *error);

/* Cuts all files back to where they were reopened; rows then go on from there. */
sn_status sn_sink_cut(sn_sink *sink, sn_error *error);

/* Writes the rows of one reported step; `with_layers`: not those of loss.csv alone. */
sn_status sn_sink_rows(sn_sink *sink, const sn_records *records, bool with_layers, sn_error *error);

/* Where all files end. */
void sn_sink_tell(const sn_sink *sink, sn_sink_position *position);

/* Waits until all rows are on the disk: what is saved next may count on them. */
sn_status sn_sink_sync(sn_sink *sink, sn_error *error);

/* Closes all files; SN_IO where the last bytes could not be written.  Fine on a sink that is not open. */
sn_status sn_sink_close(sn_sink *sink, sn_error *error);

#endif
