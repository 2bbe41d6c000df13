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

/* Features in blocks, so that what is gathered stays in registers down the rows. */
static void relu_wake(const sn_op_call *call, unsigned char *awake) {
    enum { BLOCK = 64 };
    size_t width = call->node->width;
    for (size_t begin = 0; begin < width; begin += BLOCK) {
        size_t n = width - begin < BLOCK ? width - begin : BLOCK;
        sn_count seen[BLOCK] = {0};
        for (size_t r = 0; r < call->rows; r++) {
            const real *y = sn_row(call->y, r) + begin;
            SN_SIMD for (size_t c = 0; c < n; c++) seen[c] |= !relu_flat(0, y[c], 0);
        }
        for (size_t c = 0; c < n; c++)
            awake[begin + c] |= seen[c] != 0;
    }
}

SN_ACTIVATION_KERNELS(relu, .wake = relu_wake);
#endif
