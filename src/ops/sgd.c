/* Owns the update rule of stochastic gradient descent (momentum as PyTorch's SGD without dampening; Sutskever et al.
 * 2013).  There is one loop for steps with and without statistics, so the bits of the weights are the same. */
#include "ops/kernels.h"

static void plain_row(real *w, const real *g, size_t n, const sn_sgd *sgd) {
    real lr = (real)sgd->lr, decay = (real)sgd->weight_decay, clip = (real)sgd->clip;
    SN_SIMD for (size_t c = 0; c < n; c++) w[c] -= lr * (clip * g[c] + decay * w[c]);
}

static void momentum_row(real *w, real *v, const real *g, size_t n, const sn_sgd *sgd) {
    real lr = (real)sgd->lr, decay = (real)sgd->weight_decay, clip = (real)sgd->clip, mu = (real)sgd->momentum;
    if (sgd->nesterov) {
        SN_SIMD for (size_t c = 0; c < n; c++) {
            real own = clip * g[c] + decay * w[c];
            v[c] = mu * v[c] + own;
            w[c] -= lr * (own + mu * v[c]);
        }
    } else {
        SN_SIMD for (size_t c = 0; c < n; c++) {
            v[c] = mu * v[c] + (clip * g[c] + decay * w[c]);
            w[c] -= lr * v[c];
        }
    }
}

void SN_V(sn_sgd_update)(const sn_update_call *call) {
    for (size_t r = 0; r < call->rows; r++) {
        const real *g = sn_row(call->gradient, r);
        if (call->velocity.data) {
            momentum_row(sn_row(call->weight, r), sn_row(call->velocity, r), g, call->cols, &call->sgd);
        } else {
            plain_row(sn_row(call->weight, r), g, call->cols, &call->sgd);
        }
    }
    if (call->transposed.data) SN_V(sn_transpose)(call->transposed, call->weight, call->rows, call->cols);
}
