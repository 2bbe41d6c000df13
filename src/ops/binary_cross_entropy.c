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
/* "row 17 of FILE" of a sample, or its number where there is no file. */
static void add_place(const sn_samples *samples, size_t at, const sn_loss_request *request, sn_text *text) {
    bool is_test = samples == &request->data->test;
    const char *test_path = is_test ? sn_value_text(sn_config_root(request->config), "data.test_path") : NULL;
    if (samples->rows) {
        sn_text_addf(text, "row %u of %s", samples->rows[at], test_path ? test_path : request->data->origin);
    } else {
        sn_text_addf(text, "%s sample %zu", is_test ? "test" : "training", at);
    }
}

static sn_status check_targets(const sn_samples *samples, const sn_loss_request *request, sn_error *error) {
    size_t out_dim = request->data->out_dim;
    for (size_t i = 0; i < samples->n * out_dim; i++) {
        if (samples->targets[i] >= 0 && samples->targets[i] <= 1) continue;
        sn_text place = SN_TEXT_EMPTY;
        add_place(samples, i / out_dim, request, &place);
        sn_config_fault(request->config, request->loss, error,
                        "binary_cross_entropy needs targets from 0 to 1, %s has %.9g (scale the targets, or take "
                        "mean_squared_error)",
                        sn_text_string(&place), samples->targets[i]);
        sn_text_free(&place);
        return SN_INVALID;
    }
    return SN_OK;
}

static sn_status binary_cross_entropy_build(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    (void)objective;
    if (request->data->is_classes) return SN_OK;
    sn_status status = check_targets(&request->data->train, request, error);
    return status ? status : check_targets(&request->data->test, request, error);
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
#include "kernels/exponential.h"
#include "ops/targets.h"

SN_ALWAYS_INLINE void add_output(double *loss, double *slope, const real *z, const double *t, size_t lanes) {
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        /* Of the side that z is on the target has `right`, of the other one `wrong`. */
        bool is_positive = z[l] > 0;
        double size = fabs((double)z[l]), e = sn_double_exp_minus(size), others = 1 - t[l];
        double right = is_positive ? t[l] : others, wrong = is_positive ? others : t[l];
        double toward = (wrong - right * e) / (1 + e);
        slope[l] = is_positive ? toward : -toward;
        loss[l] += sn_double_log1p_small(e) + wrong * size;
    }
}

static sn_loss_sums binary_cross_entropy(const sn_loss_call *call) {
    return sn_mean_of_outputs(call, add_output);
}

const sn_loss_kernels SN_V(sn_kernels_binary_cross_entropy) = {.evaluate = binary_cross_entropy};
#endif
