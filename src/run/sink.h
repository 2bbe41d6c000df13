/* The report's files of one run: loss.csv and gradients.csv, opened before any work, flushed after every row. */
#ifndef SN_RUN_SINK_H
#define SN_RUN_SINK_H

#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "report/record.h"
#include "run/directory.h"

typedef struct sn_sink {
    FILE *loss, *gradients;
    char *loss_path, *gradients_path;
    sn_text text;
    int digits;
} sn_sink;

/* Opens both files anew and writes their headers.  `digits`: significant digits of numbers. */
sn_status sn_sink_open(sn_sink *sink, const sn_run_directory *directory, int digits, sn_error *error);

/* Writes the rows of one reported step; `with_layers`: those of gradients.csv too. */
sn_status sn_sink_rows(sn_sink *sink, const sn_records *records, bool with_layers, sn_error *error);

/* Closes both files; SN_IO where the last bytes could not be written.  Fine on a sink that is not open. */
sn_status sn_sink_close(sn_sink *sink, sn_error *error);

#endif
