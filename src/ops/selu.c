/* Scaled exponential linear unit: elu with constants that hold mean 0 and variance 1 fixed. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(selu, SN_READS_X, NULL, "scaled exponential linear unit",
              "y = 1.0507010 (x > 0 ? x : 1.6732632 (exp(x) - 1))", "Klambauer et al. 2017, arXiv 1706.02515");
#else
#include "kernels/elementary.h"

static const real selu_scale = SN_REAL(1.0507009873554804934193349852946);
static const real selu_scale_alpha = SN_REAL(1.7580993408473768599402175208123);

static inline real selu_value(real x, real p) {
    (void)p;
    return x < 0 ? selu_scale_alpha * sn_expm1_minus(x) : selu_scale * x;
}

static inline real selu_slope(real x, real y, real p) {
    (void)y, (void)p;
    return x > 0 ? selu_scale : selu_scale_alpha * sn_exp_minus(-x);
}

/* The greatest slope is the one at 0 from the left. */
static inline bool selu_flat(real x, real y, real p) {
    return selu_slope(x, y, p) < SN_REAL(0.05) * selu_scale_alpha;
}

SN_ACTIVATION_KERNELS(selu);
#endif
