/* Sigmoid linear unit, also known as swish. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(silu, SN_READS_X, NULL, "sigmoid linear unit (swish)", "y = x/(1 + exp(-x))",
              "Hendrycks & Gimpel 2016, arXiv 1606.08415; Ramachandran et al. 2017, arXiv 1710.05941");
#else
#include "kernels/elementary.h"

/* x / (1 + e^-x).  Far on the left the divisor stays scaled, else it would overflow before the quotient is 0;
 * everywhere else a scaled x would lose the denormal numbers. */
static inline real silu_value(real x, real p) {
    (void)p;
    real divisor = sn_logistic_divisor(x), least = x < -SN_EXP_LOWEST ? -SN_EXP_LOWEST : x;
    return x < -64 ? least * SN_DOWN / divisor : x / (divisor * SN_UP);
}

/* s (1 + x (1 - s)), with 1 - s from the exponential, as s is near 1 on the right. */
static inline real silu_slope(real x, real y, real p) {
    (void)y, (void)p;
    real a = sn_abs(x);
    a = a > SN_EXP_LOWEST ? SN_EXP_LOWEST : a;
    real e = sn_exp_minus(a), large = 1 / (1 + e), small = e * large;
    return x < 0 ? small * (1 - a * large) : large * (1 + a * small);
}

/* The greatest slope is at x = 2.3994. */
static inline bool silu_flat(real x, real y, real p) {
    return sn_abs(silu_slope(x, y, p)) < SN_REAL(0.05) * SN_REAL(1.09983932);
}

SN_ACTIVATION_KERNELS(silu);
#endif
