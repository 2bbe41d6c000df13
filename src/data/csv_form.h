/* What the text of a table looks like before it is read: its first two lines. */
#ifndef SN_DATA_CSV_FORM_H
#define SN_DATA_CSV_FORM_H

#include "base/csv.h"
#include "base/text.h"

/* SN_INVALID where the first line has no delimiter, but one that others take, as the second has: data.delimiter is
 * asked for. */
sn_status sn_csv_check_delimiter(const sn_csv *csv, sn_error *error);

/* A delimiter that stands equally often, and at all, in the first two lines, as that of the reader does not; NUL where
 * there is none. */
char sn_csv_other_delimiter(const sn_csv *csv);

/* Appends a question for that delimiter; nothing for NUL. */
void sn_csv_ask_delimiter(char delimiter, sn_text *text);

/* Appends what a cell that is no number may be, going by what stands in it: cells of another delimiter, a decimal
 * comma. False where it tells nothing. */
bool sn_csv_advise_cell(const sn_csv *csv, const char *cell, sn_text *text);

/* How many cells the second line has, quotes respected; 0 where there is none. */
size_t sn_csv_second_width(const sn_csv *csv);

#endif
