/* The tables of metrics: every column of loss.csv and gradients.csv is a row here; the CSV writer, datapackage.json and
 * `skipnet list metrics` loop over them.  A new column goes at the end of its table. */
#ifndef SN_REPORT_METRICS_H
#define SN_REPORT_METRICS_H

#include "base/text.h"
#include "report/record.h"

typedef enum sn_cell_kind { SN_CELL_EMPTY, SN_CELL_INTEGER, SN_CELL_NUMBER, SN_CELL_TEXT } sn_cell_kind;

typedef struct sn_metric_cell {
    sn_cell_kind kind;
    int64_t integer;
    double number;
    const char *text;
} sn_metric_cell;

typedef struct sn_loss_metric {
    const char *name, *type, *unit, *help; /* type: of Frictionless: integer, number, string */
    sn_metric_cell (*value)(const sn_loss_record *record);
} sn_loss_metric;

typedef struct sn_layer_metric {
    const char *name, *type, *unit, *help;
    sn_metric_cell (*value)(const sn_layer_record *record);
} sn_layer_metric;

extern const sn_loss_metric sn_loss_metrics[];   /* name NULL ends */
extern const sn_layer_metric sn_layer_metrics[]; /* name NULL ends */

/* RFC 4180: header and rows, each with its LF.  `digits`: 9 for float32 runs, 17 for float64. */
void sn_loss_csv_header(sn_text *text);
void sn_loss_csv_row(sn_text *text, const sn_loss_record *record, int digits);
void sn_gradients_csv_header(sn_text *text);
void sn_gradients_csv_rows(sn_text *text, const sn_records *records, int digits);

/* One cell; text quoted where RFC 4180 wants it. */
void sn_csv_cell(sn_text *text, const sn_metric_cell *cell, int digits);

/* Aligned table of both files' columns: file, name, type, unit, meaning; for `skipnet list metrics`. */
void sn_metrics_list(sn_text *text);

/* datapackage.json (Frictionless Data Package v1, tabular-data-resource): both CSVs with the schema of their columns
 * (name, type, unit, description; missingValues [""]; number columns may hold nan/inf, which Frictionless reads as NaN
 * and INF: say so in the description). */
void sn_datapackage(sn_text *text, const char *run_name);

#endif
