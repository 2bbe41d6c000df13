/* Mean squared error over batch and outputs; of class labels that to 1 at the label and 0 elsewhere. */
#include "ops/row.h"

#if SN_DESCRIBES
#include "base/csv.h"

static bool are_numbers(const char *const *names, size_t n) {
    double number = 0;
    for (size_t c = 0; c < n; c++) {
        if (sn_csv_number(names[c], &number) != SN_CELL_NUMBER) return false;
    }
    return true;
}

/* Who asks for this loss and leaves data.task open may have numbers to predict. */
static sn_status mean_squared_error_build(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    const sn_dataset *data = request->data;
    const sn_value *task = sn_value_get(sn_config_root(request->config), "data.task");
    (void)objective, (void)error;
    if (!task || !data->class_names || sn_config_is_given(request->config, task)) return SN_OK;
    if (!are_numbers(data->class_names, data->out_dim)) return SN_OK;
    sn_note_always(request->notes,
                   "%s: its numbers are taken as %zu classes, and mean_squared_error holds the outputs to 0 and 1: set "
                   "data.task to \"classes\" if that is meant, to \"regression\" if the numbers are to be predicted",
                   data->origin, data->out_dim);
    return SN_OK;
}

const sn_loss sn_loss_mean_squared_error = {
    .kind = {.name = "mean_squared_error",
             .help = "regression, or classes as 0 and 1 (one-hot): mean over batch and outputs",
             .formula = "loss = mean_j (y_j - t_j)^2"},
    .accepts = SN_LABELS | SN_TARGETS,
    .build = mean_squared_error_build,
};
#else
#include "ops/targets.h"

SN_ALWAYS_INLINE void add_output(double *loss, double *slope, const real *y, const double *t, size_t lanes) {
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        double error = (double)y[l] - t[l];
        loss[l] += error * error;
        slope[l] = 2 * error;
    }
}

static sn_loss_sums mean_squared_error(const sn_loss_call *call) {
    return sn_mean_of_outputs(call, add_output);
}

const sn_loss_kernels SN_V(sn_kernels_mean_squared_error) = {.evaluate = mean_squared_error};
#endif
