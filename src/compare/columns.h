/* The columns of a comparison's files, as tables: CSV writer, terminal, data package and --help loop over them. */
#ifndef SN_COMPARE_COLUMNS_H
#define SN_COMPARE_COLUMNS_H

#include "base/text.h"
#include "report/summary.h"

/* What summary.csv does with a column of runs.csv. */
typedef enum sn_metric_place { SN_NO_METRIC, SN_METRIC, SN_METRIC_LAST } sn_metric_place;

/* A figure of a run: a column of runs.csv, behind run, varied keys and status. */
typedef struct sn_run_column {
    const char *name, *title; /* in the CSV; in the table, NULL: not there */
    const char *type;         /* of Frictionless: integer, number */
    const char *unit, *help;
    int digits; /* significant, in the table */
    sn_metric_place metric;
    sn_measure (*value)(const sn_summary *summary); /* NULL: out of a CSV of the run */
    const char *loss_column;                        /* of loss.csv; NULL with value NULL: log10 of the first hidden
                                                     * layer's delta_rms, of gradients.csv */
    const char *live_column;                        /* of loss.csv, where a run that is not closed has the figure */
    bool at_end; /* in the row of the last update, not of step 0; for what is out of a CSV */
} sn_run_column;

enum { SN_N_RUN_COLUMNS = 17 };
extern const sn_run_column sn_run_columns[SN_N_RUN_COLUMNS];

/* The metrics of summary.csv in their order, as numbers of run columns; how many. */
int sn_metric_columns(int columns[SN_N_RUN_COLUMNS]);

/* Other columns: name, type, unit, meaning. */
typedef struct sn_column_text {
    const char *name, *type, *unit, *help;
} sn_column_text;

extern const sn_column_text sn_run_path_column, sn_status_column, sn_metric_column;

/* Behind the figures of runs.csv. */
extern const sn_column_text sn_reason_column, sn_equal_column;

/* One CSV cell each, without the comma. */
void sn_text_cell(sn_text *text, const char *string);
void sn_measure_cell(sn_text *text, sn_measure measure);

#endif
