/* y = x: a linear network's "activation", or a name for a signal. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(identity, 0, NULL, "passes its input on", "y = x", NULL);
#else
static inline real identity_value(real x, real p) {
    (void)p;
    return x;
}

static inline real identity_slope(real x, real y, real p) {
    (void)x, (void)y, (void)p;
    return 1;
}

static inline bool identity_flat(real x, real y, real p) {
    (void)x, (void)y, (void)p;
    return false;
}

SN_ACTIVATION_KERNELS(identity);
#endif
