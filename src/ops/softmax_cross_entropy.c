/* Softmax and cross-entropy from the logits, in double: loss = log sum_j exp(z_j) - z_label.
 *
 * With m the largest logit and e_j = exp(z_j - m), the rest s = sum of e_j without the label's: when the label has the
 * largest logit the loss is log1p(s), and the gradient at the label is -s / (s + e_label), so neither loses its digits
 * when the network is right by far. */
#include "ops/row.h"

#if SN_DESCRIBES
const sn_loss sn_loss_softmax_cross_entropy = {
    .kind = {.name = "softmax_cross_entropy",
             .help = "classification: cross-entropy of the softmax of the outputs, mean over the batch",
             .formula = "loss = log sum_j exp(z_j) - z_label"},
    .needs_classes = true,
};
#else
#include <math.h>

static size_t largest(const real *z, size_t n) {
    size_t best = 0;
    for (size_t j = 1; j < n; j++) {
        if (z[j] > z[best]) best = j;
    }
    return best;
}

/* The sum of e_j without the label's; NaN among the logits makes it NaN. */
static double rest_sum(const real *z, size_t n, size_t label, double max) {
    double rest = 0;
    for (size_t j = 0; j < n; j++)
        rest += j == label ? 0 : exp((double)z[j] - max);
    return rest;
}

static void write_gradient(const sn_loss_call *call, size_t r, size_t label, double max, double rest) {
    const real *z = sn_row(call->y, r);
    real *dz = sn_row(call->dy, r);
    double own = exp((double)z[label] - max), total = rest + own;
    for (size_t j = 0; j < call->width; j++)
        dz[j] = (real)(call->weight * (exp((double)z[j] - max) / total));
    dz[label] = (real)(-call->weight * (rest / total));
}

static sn_loss_sums softmax_cross_entropy(const sn_loss_call *call) {
    sn_loss_sums sums = {0, 0};
    for (size_t r = 0; r < call->rows; r++) {
        const real *z = sn_row(call->y, r);
        size_t label = call->samples->labels[call->indices[r]], best = largest(z, call->width);
        double max = (double)z[best], rest = rest_sum(z, call->width, label, max), gap = max - (double)z[label];
        sums.loss += best == label ? log1p(rest) : gap + log(rest + exp(-gap));
        sums.correct += best == label && rest == rest;
        if (call->dy.data) write_gradient(call, r, label, max, rest);
    }
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_softmax_cross_entropy) = {.evaluate = softmax_cross_entropy};
#endif
