/* Owns numbers of either precision, held as doubles. */
#include "support/reals.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "support/check.h"

double real_get(sn_dtype dtype, const void *from, size_t i) {
    return dtype == SN_F64 ? ((const double *)from)[i] : (double)((const float *)from)[i];
}

void real_set(sn_dtype dtype, void *to, size_t i, double value) {
    if (dtype == SN_F64) {
        ((double *)to)[i] = value;
    } else {
        ((float *)to)[i] = (float)value;
    }
}

double real_fma(sn_dtype dtype, double a, double b, double sum) {
    return dtype == SN_F64 ? fma(a, b, sum) : (double)fmaf((float)a, (float)b, (float)sum);
}

double real_epsilon(sn_dtype dtype) {
    return dtype == SN_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

double *real_draw(sn_dtype dtype, const char *label, uint64_t number, size_t n) {
    sn_rng rng = sn_rng_stream(1, "test", label, number);
    double *values = malloc(n * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++) {
        double value = 2 * sn_rng_uniform(rng, i) - 1;
        values[i] = dtype == SN_F64 ? value : (double)(float)value;
    }
    return values;
}
