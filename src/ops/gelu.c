/* Gaussian error linear unit, the exact form.  Phi by erfc, so the left tail keeps its digits. */
#include "ops/activation.h"
#include "ops/elementary.h"

static inline real normal_cdf(real x) {
#if SN_IS_DOUBLE
    return 0.5 * erfc(-x * 0.70710678118654752440);
#else
    return 0.5F * erfcf(-x * 0.70710678118654752440F);
#endif
}

static inline real gelu_value(real x, real p) {
    (void)p;
    real cdf = normal_cdf(x);
    return cdf == 0 ? 0 : x * cdf; /* -inf * 0 is not wanted */
}

static inline real gelu_slope(real x, real y, real p) {
    (void)y, (void)p;
    real density = SN_REAL(0.39894228040143267794) * sn_exp_minus(SN_REAL(0.5) * x * x);
    return normal_cdf(x) + (density == 0 ? 0 : x * density);
}

/* The greatest slope is 1.1289, at x = sqrt 2. */
static inline bool gelu_flat(real x, real y, real p) {
    real slope = gelu_slope(x, y, p);
    return (slope < 0 ? -slope : slope) < SN_REAL(0.05) * SN_REAL(1.12890410);
}

SN_ACTIVATION(gelu, SN_READS_X, NULL, "Gaussian error linear unit (exact, by erfc)", "y = x Phi(x)",
              "Hendrycks & Gimpel 2016, arXiv 1606.08415");
