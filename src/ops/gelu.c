/* Gaussian error linear unit, the exact form. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(gelu, SN_READS_X, NULL, "Gaussian error linear unit (exact, no tanh)", "y = x Phi(x)",
              "Hendrycks & Gimpel 2016, arXiv 1606.08415");
#else
#include "kernels/normal.h"

static inline real bounded_abs(real x) {
    real a = sn_abs(x);
    return a > SN_NORMAL_LOWEST ? SN_NORMAL_LOWEST : a;
}

/* x Phi(x), beyond +-1 by the tail, which keeps its digits on the left. */
static inline real gelu_value(real x, real p) {
    (void)p;
    real a = bounded_abs(x), middle = x * sn_normal_middle(x);
    real outer = sn_normal_exp_up(a) * sn_normal_tail(a) * SN_DOWN;
    return x < -1 ? -outer : x > 1 ? x - outer : middle;
}

/* Phi(x) + x Phi'(x). */
static inline real gelu_slope(real x, real y, real p) {
    (void)y, (void)p;
    real a = bounded_abs(x), exponential = sn_normal_exp_up(a) * SN_DOWN;
    real tail = exponential * sn_normal_tail(a) / a, density = SN_REAL(0.39894228040143267794) * exponential;
    real cdf = x < -1 ? tail : x > 1 ? 1 - tail : sn_normal_middle(x);
    return cdf + (x < 0 ? -a : a) * density;
}

/* The greatest slope is at x = sqrt 2. */
static inline bool gelu_flat(real x, real y, real p) {
    return sn_abs(gelu_slope(x, y, p)) < SN_REAL(0.05) * SN_REAL(1.12890410);
}

SN_ACTIVATION_KERNELS(gelu);
#endif
