/* Logistic function. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(sigmoid, SN_READS_Y, NULL, "logistic function", "y = 1/(1 + exp(-x)), y' = y (1 - y)", NULL);
#else
#include "kernels/elementary.h"

static inline real sigmoid_value(real x, real p) {
    (void)p;
    return sn_sigmoid(x);
}

static inline real sigmoid_slope(real x, real y, real p) {
    (void)x, (void)p;
    return y * (1 - y);
}

static inline bool sigmoid_flat(real x, real y, real p) {
    (void)x, (void)p;
    return y * (1 - y) < SN_REAL(0.0125); /* 0.05 of 1/4 */
}

SN_ACTIVATION_KERNELS(sigmoid);
#endif
