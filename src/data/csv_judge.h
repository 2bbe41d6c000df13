/* What a CSV file looks like once it has been read: labels and targets that are missing, and all that was read by a
 * guess. */
#ifndef SN_DATA_CSV_JUDGE_H
#define SN_DATA_CSV_JUDGE_H

#include "base/notes.h"
#include "data/csv_labels.h"
#include "data/csv_table.h"

/* SN_INVALID where labels or targets are missing: empty cells and what programs write for them (sn_csv_is_missing) are
 * no classes and no numbers.  The message tells how many there are and in which rows. */
sn_status sn_table_check_targets(const sn_table *table, const sn_table_columns *columns, sn_error *error);

/* Notes a first row that was taken as a header and could be data. */
void sn_table_note_header(const sn_table *table, sn_notes *notes);

/* Notes row names that were left out, and features that only count the rows. */
void sn_table_note_columns(const sn_table *table, const sn_table_columns *columns, sn_notes *notes);

/* Notes classes that look like the numbers of a regression, or too many for names. */
void sn_labels_note_numbers(const sn_labels *labels, const sn_table *table, const sn_table_columns *columns,
                            sn_notes *notes);

/* Notes classes whose labels differ in blanks or case only. */
void sn_labels_note_twins(const sn_labels *labels, const sn_table *table, const sn_table_columns *columns,
                          sn_notes *notes);

#endif
