/* Binary cross-entropy of every output by itself, from the logits, in double:
 *
 *     loss = mean_j [(1 - t_j) softplus(z_j) + t_j softplus(-z_j)],    dz_j = (1 - t_j) sigma(z_j) - t_j sigma(-z_j)
 *
 * With e = exp(-|z|) the smaller of the two softplus is log1p(e), the larger |z| more, and the sigmoids are 1 / (1 + e)
 * and e / (1 + e), so neither overflows, nor loses its digits where the network is right by far. */
#include <math.h>

#include "ops/objective.h"
#include "ops/row.h"

#if SN_DESCRIBES
static sn_status check_split(const sn_samples *samples, const char *split, const sn_loss_request *request,
                             sn_error *error) {
    const sn_dataset *data = request->data;
    for (size_t i = 0; i < samples->n * data->out_dim; i++) {
        double t = samples->targets[i];
        if (t >= 0 && t <= 1) continue;
        size_t at = i / data->out_dim;
        return sn_config_fault(request->config, request->loss, error,
                               "binary_cross_entropy needs targets from 0 to 1, %s %zu of %s has %.9g (scale the "
                               "targets, or take mean_squared_error)",
                               samples->rows ? "row" : split, samples->rows ? (size_t)samples->rows[at] : at,
                               data->origin, t);
    }
    return SN_OK;
}

static sn_status binary_cross_entropy_build(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    (void)objective;
    if (request->data->is_classes) return SN_OK;
    sn_status status = check_split(&request->data->train, "training sample", request, error);
    return status ? status : check_split(&request->data->test, "test sample", request, error);
}

static void sigmoids(double *p, const double *z, size_t n) {
    for (size_t j = 0; j < n; j++)
        p[j] = 1 / (1 + exp(-z[j]));
}

const sn_loss sn_loss_binary_cross_entropy = {
    .kind = {.name = "binary_cross_entropy",
             .help =
                 "classes as 0 and 1 (one-hot), or targets from 0 to 1: cross-entropy of the sigmoid of each output, "
                 "mean over batch and outputs",
             .formula = "loss = mean_j [-t_j log sigma(z_j) - (1 - t_j) log(1 - sigma(z_j))]",
             .source = "as torch.nn.BCEWithLogitsLoss"},
    .accepts = SN_LABELS | SN_TARGETS,
    .build = binary_cross_entropy_build,
    .probabilities = sigmoids,
};
#else
#include "ops/targets.h"

static sn_loss_sums binary_cross_entropy(const sn_loss_call *call) {
    sn_loss_sums sums = {0, 0};
    double per_output = 1 / (double)call->width;
    for (size_t r = 0; r < call->rows; r++) {
        const real *z = sn_row(call->y, r);
        const double *target = sn_target_of(call, r);
        real *dz = call->dy.data ? sn_row(call->dy, r) : NULL;
        double sum = 0;
        for (size_t j = 0; j < call->width; j++) {
            /* Of the side that z is on the target has `right`, of the other one `wrong`. */
            double t = target[j], size = fabs((double)z[j]), e = exp(-size);
            double right = z[j] > 0 ? t : 1 - t, wrong = z[j] > 0 ? 1 - t : t;
            double slope = (wrong - right * e) / (1 + e);
            sum += log1p(e) + wrong * size;
            if (dz) dz[j] = (real)(call->weight * per_output * (z[j] > 0 ? slope : -slope));
        }
        sums.loss += sum * per_output;
        sums.correct += sn_is_right(call, r, sum);
    }
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_binary_cross_entropy) = {.evaluate = binary_cross_entropy};
#endif
