/* Softplus, a smooth relu. */
#include "ops/activation.h"

#if SN_DESCRIBES
static const sn_key softplus_keys[] = {
    {.name = "beta", .types = SN_NUMBER, .fallback = "1", .min = 1e-6, .max = 1e6, .help = "sharpness of the bend"},
    {0},
};

SN_ACTIVATION(softplus, SN_READS_X, softplus_keys, "smooth relu (without PyTorch's threshold)",
              "y = log(1 + exp(beta x)) / beta", "Dugas et al. 2000");
#else
#include "kernels/elementary.h"

/* The exact a b = product + the result; no part of it may overflow. */
static inline real product_rest(real a, real b, real product) {
    real a_high = sn_upper_half(a), b_high = sn_upper_half(b), a_low = a - a_high, b_low = b - b_high;
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

/* max(x, 0) + log(1 + e^-|beta x|) / beta.  The rounding of beta x would be an error of |beta x| ulp of the
 * exponential. Far out the logarithm is its argument, which stays scaled until it is divided by beta: it may be
 * denormal. */
static inline real softplus_value(real x, real p) {
    real a = sn_abs(x), most = SN_EXP_LOWEST / p;
    a = a > most ? most : a;
    real z = p * a, exponential = sn_exp_minus_up(z, product_rest(p, a, z)), e = exponential * SN_DOWN;
    real rest = (z > 64 ? exponential : sn_log1p_small(e)) / p;
    rest = z > 64 ? rest * SN_DOWN : rest;
    return x > 0 ? x + rest : rest;
}

static inline real softplus_slope(real x, real y, real p) {
    (void)y;
    return sn_sigmoid(p * x);
}

static inline bool softplus_flat(real x, real y, real p) {
    return softplus_slope(x, y, p) < SN_REAL(0.05);
}

SN_ACTIVATION_KERNELS(softplus);
#endif
