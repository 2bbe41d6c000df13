/* Hyperbolic tangent. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(tanh, SN_READS_Y, NULL, "hyperbolic tangent", "y = tanh(x), y' = 1 - y^2", NULL);
#else
#include "kernels/elementary.h"

static inline real tanh_value(real x, real p) {
    (void)p;
    return sn_tanh(x);
}

static inline real tanh_slope(real x, real y, real p) {
    (void)x, (void)p;
    return 1 - y * y;
}

static inline bool tanh_flat(real x, real y, real p) {
    (void)x, (void)p;
    return 1 - y * y < SN_REAL(0.05);
}

SN_ACTIVATION_KERNELS(tanh);
#endif
