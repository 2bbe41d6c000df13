/* Mean squared error over batch and outputs. */
#include "ops/row.h"

#if SN_DESCRIBES
const sn_loss sn_loss_mean_squared_error = {
    .kind = {.name = "mean_squared_error",
             .help = "regression: mean over batch and outputs",
             .formula = "loss = mean_j (y_j - t_j)^2"},
    .needs_classes = false,
};
#else
static sn_loss_sums mean_squared_error(const sn_loss_call *call) {
    sn_loss_sums sums = {0, 0};
    double per_output = 1 / (double)call->width;
    for (size_t r = 0; r < call->rows; r++) {
        const real *y = sn_row(call->y, r);
        const double *target = call->samples->targets + (size_t)call->indices[r] * call->width;
        real *dy = call->dy.data ? sn_row(call->dy, r) : NULL;
        double sum = 0;
        for (size_t j = 0; j < call->width; j++) {
            double error = (double)y[j] - target[j];
            sum += error * error;
            if (dy) dy[j] = (real)(2 * call->weight * per_output * error);
        }
        sums.loss += sum * per_output;
    }
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_mean_squared_error) = {.evaluate = mean_squared_error};
#endif
