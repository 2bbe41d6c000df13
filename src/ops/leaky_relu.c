/* Leaky rectified linear unit. */
#include "ops/activation.h"

#if SN_DESCRIBES
static const sn_key leaky_relu_keys[] = {
    {.name = "slope", .types = SN_NUMBER, .fallback = "0.01", .help = "slope for x <= 0"},
    {0},
};

SN_ACTIVATION(leaky_relu, SN_READS_X, leaky_relu_keys, "relu with a slope on the left", "y = x > 0 ? x : slope x",
              "Maas et al. 2013");
#else
static inline real leaky_relu_value(real x, real p) {
    return x > 0 ? x : p * x;
}

static inline real leaky_relu_slope(real x, real y, real p) {
    (void)y;
    return x > 0 ? 1 : p;
}

static inline bool leaky_relu_flat(real x, real y, real p) {
    (void)y, (void)p;
    return x <= 0;
}

SN_ACTIVATION_KERNELS(leaky_relu);
#endif
