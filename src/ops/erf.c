/* Error function: the activation whose mean-field theory has closed forms. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(erf, SN_READS_X, NULL, "error function", "y = erf(x), y' = 2/sqrt(pi) exp(-x^2)",
              "Williams 1996, Computing with infinite networks");
#else
#include "kernels/normal.h"

static inline real erf_value(real x, real p) {
    (void)p;
    return sn_erf(x);
}

static inline real erf_slope(real x, real y, real p) {
    (void)y, (void)p;
    return SN_REAL(1.12837916709551257390) * sn_exp_minus(x * x);
}

static inline bool erf_flat(real x, real y, real p) {
    (void)y, (void)p;
    return sn_exp_minus(x * x) < SN_REAL(0.05);
}

SN_ACTIVATION_KERNELS(erf);
#endif
