/* The sheets of a comparison: the columns of its files, made for its varied keys. */
#ifndef SN_COMPARE_SHEETS_H
#define SN_COMPARE_SHEETS_H

#include "compare/compare.h"
#include "report/column.h"

/* A row of runs.csv and of the table of runs. */
typedef struct sn_run_row {
    const sn_comparison *comparison;
    size_t run;
} sn_run_row;

/* A row of summary.csv or differences.csv.  The figure stands first: so columns of sn_figure read it too. */
typedef struct sn_metric_row {
    sn_figure figure;
    const sn_varied *varied;
    const sn_point *point;
    const char *metric;
} sn_metric_row;

/* A row of layers.csv: the figure is that of log10 delta_rms. */
typedef struct sn_layer_row {
    sn_metric_row at;
    int64_t step, layer;
    double depth_frac;
} sn_layer_row;

/* Lists of columns, name NULL ends, for free(); their texts live as long as the varied keys; NULL when out of memory.
 * `varied` NULL: for a description, one column stands for all keys. */

/* runs.csv: run, keys, status, figures, why the run failed, its equal.  Rows are sn_run_row. */
sn_column *sn_runs_columns(const sn_varied *varied);

/* The same in the order of tables for people, without the last two; also what rows can be sorted by. */
sn_column *sn_shown_columns(const sn_varied *varied);

/* profiles.csv: run, keys, those of gradients.csv (of which whole rows are copied). */
sn_column *sn_profiles_columns(const sn_varied *varied);

/* summary.csv and differences.csv: keys but the seed, metric, statistics.  Rows are sn_metric_row. */
sn_column *sn_points_columns(const sn_varied *varied);

/* layers.csv: keys but the seed, step, layer, depth_frac, statistics.  Rows are sn_layer_row. */
sn_column *sn_layers_columns(const sn_varied *varied);

/* What columns of sn_run_row show, to tell them apart: `place` is that among the varied keys, and the figure's number.
 */
sn_cell_value sn_run_path_cell(const sn_column *column, const void *row);
sn_cell_value sn_run_status_cell(const sn_column *column, const void *row);
sn_cell_value sn_run_key_cell(const sn_column *column, const void *row);
sn_cell_value sn_run_figure_cell(const sn_column *column, const void *row);

/* What a key is called in tables: its title, or where a figure has that one, its full name. */
const char *sn_key_title(const sn_varied *varied, size_t key);

#endif
