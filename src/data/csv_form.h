/* What the text of a table looks like before it is read: its first two lines. */
#ifndef SN_DATA_CSV_FORM_H
#define SN_DATA_CSV_FORM_H

#include "base/csv.h"

/* SN_INVALID where the first line has no delimiter, but one that others take, as the second has: data.delimiter is
 * asked for. */
sn_status sn_csv_check_delimiter(const sn_csv *csv, sn_error *error);

/* How many cells the second line has, quotes respected; 0 where there is none. */
size_t sn_csv_second_width(const sn_csv *csv);

#endif
