/* Owns the comparison that a sweep will come to, without its figures. */
#include "sweep/foresee.h"

#include "base/file.h"

/* Runs of an earlier launch: a sweep grows, and the comparison is of all that is there. */
static sn_status add_earlier_runs(const sn_cells *cells, sn_comparison *comparison, sn_error *error) {
    sn_error none;
    sn_error_clear(&none);
    if (!sn_path_exists(cells->out)) return SN_OK;
    sn_status status = sn_comparison_add(comparison, cells->out, &none);
    bool is_empty = status == SN_INVALID;
    return status == SN_OK || is_empty ? SN_OK : sn_error_add(error, status, "%s", none.text);
}

/* The seed is no key of a grid point: one run stands for all seeds of a point. */
static sn_status add_points(const sn_cells *cells, sn_comparison *comparison, sn_error *error) {
    sn_status status = SN_OK;
    for (size_t p = 0; p < cells->n_points && !status; p++) {
        sn_config *config = NULL;
        status = sn_cells_config(cells, p, &config, error);
        if (!status) status = sn_comparison_plan(comparison, config, error);
        sn_config_free(config);
    }
    return status;
}

sn_status sn_cells_foresee(const sn_cells *cells, const sn_expectations *expectations, sn_error *error) {
    sn_comparison comparison = {.only_runs = true}; /* the list that lies there is about to be replaced */
    sn_status status = add_earlier_runs(cells, &comparison, error);
    if (!status) status = add_points(cells, &comparison, error);
    if (!status) status = sn_comparison_foresee(&comparison, error);
    if (!status) status = sn_expectations_match(expectations, &comparison, error);
    sn_comparison_reset(&comparison);
    return status;
}
