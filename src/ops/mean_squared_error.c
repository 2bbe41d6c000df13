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

SN_ALWAYS_INLINE sn_loss_sums evaluate(const sn_loss_call *call, size_t lanes) {
    const double *target[SN_PANEL];
    double loss[SN_PANEL] = {0}, per_output = 1 / (double)call->width, slope = 2 * call->weight * per_output;
    sn_largest best;
    sn_set_largest(&best, call, lanes);
    for (size_t l = 0; l < lanes; l++)
        target[l] = sn_target_of(call, l);
    for (size_t j = 0; j < call->width; j++) {
        const real *y = sn_lanes_of(call->y, 0, j);
        double error[SN_PANEL];
        for (size_t l = 0; l < lanes; l++)
            error[l] = (double)y[l] - target[l][j];
        SN_SIMD for (size_t l = 0; l < lanes; l++) loss[l] += error[l] * error[l];
        if (!call->dy.data) continue;
        real *dy = sn_lanes_of(call->dy, 0, j);
        SN_SIMD for (size_t l = 0; l < lanes; l++) dy[l] = (real)(slope * error[l]);
    }
    SN_SIMD for (size_t l = 0; l < lanes; l++) loss[l] *= per_output;
    return sn_sums_of(call, loss, &best);
}

static sn_loss_sums mean_squared_error(const sn_loss_call *call) {
    sn_loss_sums sums = call->lanes == SN_PANEL ? evaluate(call, SN_PANEL) : evaluate(call, call->lanes);
    sn_clear_idle(call);
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_mean_squared_error) = {.evaluate = mean_squared_error};
#endif
