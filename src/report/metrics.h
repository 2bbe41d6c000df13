/* The sheets of a run: every column of loss.csv, gradients.csv and (in exponents.c) exponents.csv is a row of a table;
 * the CSV writer, datapackage.json and `skipnet list metrics` loop over them.  A new column goes at the end of its
 * table. */
#ifndef SN_REPORT_METRICS_H
#define SN_REPORT_METRICS_H

#include "report/column.h"

extern const sn_sheet sn_loss_sheet;          /* of sn_loss_record */
extern const sn_sheet sn_gradients_sheet;     /* of sn_layer_record */
extern const sn_sheet sn_exponents_sheet;     /* of no record: sn_exponents_csv_rows makes its rows */
extern const sn_sheet *const sn_run_sheets[]; /* all that a run may have, NULL ends */

/* The rows of gradients.csv of one step. */
void sn_gradients_csv_rows(sn_text *text, const sn_records *records, int digits);

/* The rows of exponents.csv of one step whose exponents were counted: they are read where the engine has them. */
void sn_exponents_csv_rows(sn_text *text, const sn_records *records);

/* Aligned table of all columns of a run's files: file, name, type, unit, meaning; for `skipnet list metrics`. */
void sn_metrics_list(sn_text *text);

/* datapackage.json (Frictionless Data Package v1, tabular-data-resource): the sheets with the schema of their columns
 * (name, type, unit, description; missingValues [""]; number columns may hold nan/inf, which Frictionless reads as NaN
 * and INF: it says so in the description). */
void sn_datapackage(sn_text *text, const char *run_name, const sn_sheet *const *sheets);

#endif
