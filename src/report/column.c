/* Owns how a column's cell is found in its record. */
#include "report/column.h"

#include <string.h>

static const void *member(const sn_column *column, const void *record) {
    return (const char *)record + column->place;
}

sn_cell_value sn_column_integer(const sn_column *column, const void *record) {
    return sn_cell_integer(*(const int64_t *)member(column, record));
}

sn_cell_value sn_column_number(const sn_column *column, const void *record) {
    return sn_cell_number(*(const double *)member(column, record));
}

sn_cell_value sn_column_measure(const sn_column *column, const void *record) {
    return sn_cell_measure(*(const sn_measure *)member(column, record));
}

sn_cell_value sn_column_count(const sn_column *column, const void *record) {
    const sn_measure *measure = member(column, record);
    return measure->is_measured ? sn_cell_integer((int64_t)measure->value)
                                : (sn_cell_value){.kind = SN_CELL_OF_NOTHING};
}

const sn_column *sn_column_find(const sn_column *columns, const char *name) {
    while (columns->name && strcmp(columns->name, name) != 0)
        columns++;
    return columns->name ? columns : NULL;
}

size_t sn_column_total(const sn_column *columns) {
    size_t n = 0;
    while (columns[n].name)
        n++;
    return n;
}
