/* Rectified linear unit. */
#include "ops/activation.h"

#if SN_DESCRIBES
SN_ACTIVATION(relu, SN_READS_Y, NULL, "rectified linear unit", "y = max(x, 0), y' = [x > 0]", "Nair & Hinton 2010");
#else
/* Written so that NaN passes. */
static inline real relu_value(real x, real p) {
    (void)p;
    return x < 0 ? 0 : x;
}

static inline real relu_slope(real x, real y, real p) {
    (void)x, (void)p;
    return y > 0 ? 1 : 0;
}

static inline bool relu_flat(real x, real y, real p) {
    (void)x, (void)p;
    return y <= 0;
}

static void relu_wake(const sn_op_call *call, unsigned char *awake) {
    sn_lane_rows e = {call->blocks, call->width, call->lanes};
    SN_FOR_ROWS(e) {
        const real *y = sn_lanes_of(call->y, b, r);
        sn_count seen = 0;
        SN_SIMD_SUM(seen) for (size_t l = 0; l < e.cols; l++) seen += !relu_flat(0, y[l], 0);
        awake[r] |= seen != 0;
    }
}

SN_ACTIVATION_KERNELS(relu, .wake = relu_wake);
#endif
