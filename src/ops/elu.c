/* Exponential linear unit. */
#include "ops/activation.h"

#if SN_DESCRIBES
static const sn_key elu_keys[] = {
    {.name = "alpha", .types = SN_NUMBER, .fallback = "1", .help = "-y far on the left"},
    {0},
};

SN_ACTIVATION(elu, SN_READS_X, elu_keys, "exponential linear unit", "y = x > 0 ? x : alpha (exp(x) - 1)",
              "Clevert et al. 2015, arXiv 1511.07289");
#else
#include "kernels/elementary.h"

static inline real elu_value(real x, real p) {
    return x < 0 ? p * sn_expm1_minus(x) : x;
}

/* From x, not as y + alpha, which is 0 long before the slope is. */
static inline real elu_slope(real x, real y, real p) {
    (void)y;
    return x > 0 ? 1 : p * sn_exp_minus(-x);
}

/* The greatest slope: 1 on the right, alpha at 0 from the left. */
static inline bool elu_flat(real x, real y, real p) {
    real left = sn_abs(p), greatest = left > 1 ? left : 1;
    return sn_abs(elu_slope(x, y, p)) < SN_REAL(0.05) * greatest;
}

SN_ACTIVATION_KERNELS(elu);
#endif
