/* The order of a table's rows. */
#ifndef SN_COMPARE_SORT_H
#define SN_COMPARE_SORT_H

#include "compare/compare.h"

/* What a table is sorted by. */
typedef enum sn_sort_kind { SN_SORT_NOT, SN_SORT_RUN, SN_SORT_STATUS, SN_SORT_KEY, SN_SORT_FIGURE } sn_sort_kind;
typedef struct sn_sort {
    sn_sort_kind kind;
    bool is_descending;
    size_t column; /* of the varied keys, or of the figures */
} sn_sort;

/* Finds the column that `name` means: run, status, a varied key or a figure, by its name or its title in the table;
 * with a "-" before it, descending.  NULL: not sorted.  SN_INVALID: there is no such column. */
sn_status sn_sort_find(sn_sort *sort, const sn_comparison *comparison, const char *name, sn_error *error);

/* Whether that column of the table of runs is the one. */
bool sn_sort_is_by(const sn_sort *sort, const sn_column *column);

/* The runs, and the points, in that order: (n) their numbers, for free(); NULL when out of memory.  What has no value
 * stands last, either way; equal ones keep their order, and so do points where the column is not theirs. */
size_t *sn_sort_runs(const sn_sort *sort, const sn_comparison *comparison);
size_t *sn_sort_points(const sn_sort *sort, const sn_comparison *comparison);

#endif
