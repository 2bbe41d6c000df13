/* Elementary functions as straight-line code that the compiler turns into vector code in any `omp simd` loop.
 *
 * exp and expm1: x = k ln 2 + r, |r| <= ln 2 / 2, a Taylor polynomial in r whose remainder is below half an ulp, and
 * 2^k put together from bits.  No branches and no conversions from float to int, so NaN passes without undefined
 * behaviour. */
#ifndef SN_OPS_ELEMENTARY_H
#define SN_OPS_ELEMENTARY_H

#include <math.h>
#include <string.h>

#include "ops/variant.h"

#if SN_IS_DOUBLE
typedef uint64_t sn_bits;
typedef int64_t sn_signed_bits;
#define SN_ROUNDER        0x1.8p52
#define SN_LN2_HIGH       0x1.62e42feep-1
#define SN_LN2_LOW        0x1.a39ef35793c76p-33
#define SN_EXPONENT_SHIFT 52
#define SN_EXPONENT_BIAS  1023
#define SN_EXP_LOWEST     746.0
#define SN_TANH_ONE       19.1
#else
typedef uint32_t sn_bits;
typedef int32_t sn_signed_bits;
#define SN_ROUNDER        0x1.8p23F
#define SN_LN2_HIGH       0x1.62e3p-1F
#define SN_LN2_LOW        0x1.2fefa2p-17F
#define SN_EXPONENT_SHIFT 23
#define SN_EXPONENT_BIAS  127
#define SN_EXP_LOWEST     104.0F
#define SN_TANH_ONE       9.1F
#endif

/* The bit of the sign, and the bits of the least normal number: one step of the exponent. */
#define SN_SIGN         ((sn_bits)1 << (8 * sizeof(real) - 1))
#define SN_LEAST_NORMAL ((sn_bits)1 << SN_EXPONENT_SHIFT)

static inline sn_bits sn_to_bits(real x) {
    sn_bits bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline real sn_from_bits(sn_bits bits) {
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Infinities and NaN have the largest exponent: a step more reaches into the bit of the sign, which is set for them
 * alone.  Bits of several numbers may be gathered by `or`: integer work with a short chain. */
static inline sn_bits sn_overflow_bits(real x) {
    return (sn_to_bits(x) & ~SN_SIGN) + SN_LEAST_NORMAL;
}

/* 2^k for a k in the range of the exponents. */
static inline real sn_power_of_two(sn_bits k) {
    return sn_from_bits((k + SN_EXPONENT_BIAS) << SN_EXPONENT_SHIFT);
}

/* k as bits, and r: x = k ln 2 + r. */
static inline sn_bits sn_reduce(real x, real *r) {
    real shifted = x * SN_REAL(1.44269504088896340736) + SN_ROUNDER;
    real k = shifted - SN_ROUNDER;
    *r = (x - k * SN_LN2_HIGH) - k * SN_LN2_LOW;
    return sn_to_bits(shifted) - sn_to_bits(SN_ROUNDER);
}

/* e^r - 1 for |r| <= 0.3466: r + r^2 (1/2! + r/3! + ...). */
static inline real sn_expm1_small(real r) {
#if SN_IS_DOUBLE
    real p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
#else
    real p = 1.0F / 5040.0F;
    p = p * r + 1.0F / 720.0F;
#endif
    p = p * r + SN_REAL(0.00833333333333333333);
    p = p * r + SN_REAL(0.04166666666666666667);
    p = p * r + SN_REAL(0.16666666666666666667);
    p = p * r + SN_REAL(0.5);
    return r * r * p + r;
}

/* e^-a for a >= 0, down into the denormal numbers. */
static inline real sn_exp_minus(real a) {
    real r, x = -(a > SN_EXP_LOWEST ? SN_EXP_LOWEST : a);
    sn_bits k = sn_reduce(x, &r);
    sn_bits half = (sn_bits)((sn_signed_bits)k >> 1);
    return (sn_expm1_small(r) + 1) * sn_power_of_two(half) * sn_power_of_two(k - half);
}

#if SN_IS_DOUBLE
/* tanh a for a >= 0: e / (e + 2), e = e^(2a) - 1. */
static inline real sn_tanh_positive(real a) {
    real r;
    a = a > SN_TANH_ONE ? SN_TANH_ONE : a;
    sn_bits k = sn_reduce(2 * a, &r);
    real scale = sn_power_of_two(k);
    real e = scale * sn_expm1_small(r) + (scale - 1);
    return e / (e + 2);
}
#else
/* tanh a for a >= 0: 1 - 2 / (e^(2a) + 1) where that is at least 1/2.  Below, at a < ln(3)/2, both roundings of the
 * quotient would weigh double; there a + a^3 P(a^2), P of least greatest error (Remez): 3.6e-8 of the value. */
static inline real sn_tanh_positive(real a) {
    real r, square = a * a;
    real p = 0.016448907573F;
    p = p * square - 0.052677578599F;
    p = p * square + 0.133208118706F;
    p = p * square - 0.333329502545F;
    real small = a * square * p + a, most = a > SN_TANH_ONE ? SN_TANH_ONE : a;
    sn_bits k = sn_reduce(2 * most, &r);
    real scale = sn_power_of_two(k);
    real large = 1 - 2 / (scale * sn_expm1_small(r) + (scale + 1));
    return a < 0.549306144F ? small : large;
}
#endif

/* tanh of |x|, with the sign of x. */
static inline real sn_tanh(real x) {
    sn_bits bits = sn_to_bits(x), sign = bits & SN_SIGN;
    return sn_from_bits(sn_to_bits(sn_tanh_positive(sn_from_bits(bits ^ sign))) | sign);
}

/* 1 / (1 + e^-x), without overflow and without losing the small values on the left: e / (1 + e) with e = e^-|x|.  In
 * float what the sum 1 + e lost in rounding is put back, as a relative change of the quotient. */
static inline real sn_sigmoid(real x) {
    real e = sn_exp_minus(sn_from_bits(sn_to_bits(x) & ~SN_SIGN)), sum = 1 + e;
    real y = (x < 0 ? e : 1) / sum;
#if SN_IS_DOUBLE
    return y;
#else
    return y - y * (e - (sum - 1));
#endif
}

#endif
