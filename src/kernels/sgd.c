/* Owns the update rule of stochastic gradient descent (momentum as PyTorch's SGD without dampening; Sutskever et al.
 * 2013).  There is one loop for steps with and without statistics, so the bits of the weights are the same. */
#include "kernels/elementary.h"
#include "kernels/kernels.h"

/* Rows return sn_overflow_bits of all updated weights. */
static sn_bits plain_row(real *w, const real *g, size_t n, const sn_sgd *sgd) {
    real lr = (real)sgd->lr, decay = (real)sgd->weight_decay, clip = (real)sgd->clip;
    sn_bits found = 0;
    SN_SIMD_OR(found) for (size_t c = 0; c < n; c++) {
        w[c] -= lr * (clip * g[c] + decay * w[c]);
        found |= sn_overflow_bits(w[c]);
    }
    return found;
}

static sn_bits momentum_row(real *w, real *v, const real *g, size_t n, const sn_sgd *sgd) {
    real lr = (real)sgd->lr, decay = (real)sgd->weight_decay, clip = (real)sgd->clip, mu = (real)sgd->momentum;
    sn_bits found = 0;
    SN_SIMD_OR(found) for (size_t c = 0; c < n; c++) {
        v[c] = mu * v[c] + (clip * g[c] + decay * w[c]);
        w[c] -= lr * v[c];
        found |= sn_overflow_bits(w[c]);
    }
    return found;
}

static sn_bits nesterov_row(real *w, real *v, const real *g, size_t n, const sn_sgd *sgd) {
    real lr = (real)sgd->lr, decay = (real)sgd->weight_decay, clip = (real)sgd->clip, mu = (real)sgd->momentum;
    sn_bits found = 0;
    SN_SIMD_OR(found) for (size_t c = 0; c < n; c++) {
        real own = clip * g[c] + decay * w[c];
        v[c] = mu * v[c] + own;
        w[c] -= lr * (own + mu * v[c]);
        found |= sn_overflow_bits(w[c]);
    }
    return found;
}

bool SN_V(sn_sgd_update)(const sn_update_call *call) {
    sn_bits found = 0;
    size_t rows = call->rows, cols = call->cols;
    sn_view v = call->velocity;
    sn_flatten(&rows, &cols, call->weight.ld == cols && call->gradient.ld == cols && (!v.data || v.ld == cols));
    for (size_t r = 0; r < rows; r++) {
        real *w = sn_row(call->weight, r);
        const real *g = sn_row(call->gradient, r);
        if (!v.data) {
            found |= plain_row(w, g, cols, &call->sgd);
        } else if (call->sgd.nesterov) {
            found |= nesterov_row(w, sn_row(v, r), g, cols, &call->sgd);
        } else {
            found |= momentum_row(w, sn_row(v, r), g, cols, &call->sgd);
        }
    }
    return !(found & SN_SIGN);
}
