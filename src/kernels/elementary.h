/* Elementary functions as straight-line code that the compiler turns into vector code in any `omp simd` loop: exp and
 * what is made of it.
 *
 * x = k ln 2 + r, |r| <= ln 2 / 2, a polynomial in r, and 2^k put together from bits.  No branches and no conversions
 * from float to int, so NaN passes without undefined behaviour.  Where a result can be denormal it is worked out
 * 2^SHIFT too large and brought down by the last operation, so that it is rounded once.
 *
 * The polynomials have the least greatest error (Remez); scripts/dev/fit_functions.py prints them and their errors.
 * What is promised of the whole functions stands in tests/kernels/test_elementary.c. */
#ifndef SN_KERNELS_ELEMENTARY_H
#define SN_KERNELS_ELEMENTARY_H

#include <math.h>
#include <string.h>

#include "kernels/exponential.h"
#include "kernels/variant.h"

#if SN_IS_DOUBLE
typedef uint64_t sn_bits;
#define SN_ROUNDER        SN_DOUBLE_ROUNDER
#define SN_LN2_HIGH       SN_DOUBLE_LN2_HIGH
#define SN_LN2_LOW        SN_DOUBLE_LN2_LOW
#define SN_EXPONENT_SHIFT SN_DOUBLE_DIGITS
#define SN_UPPER_HALF     0xFFFFFFFFF8000000U /* 26 of 53 digits */
#define SN_SHIFT          SN_DOUBLE_SHIFT
#define SN_UP             0x1p100
#define SN_DOWN           SN_DOUBLE_DOWN
#define SN_EXP_LOWEST     SN_DOUBLE_EXP_LOWEST
#define SN_EXP_ONE        40.0
#define SN_TANH_ONE       19.1
#else
typedef uint32_t sn_bits;
#define SN_ROUNDER        (0x1.8p23F + 127)
#define SN_LN2_HIGH       0x1.62e3p-1F
#define SN_LN2_LOW        0x1.2fefa2p-17F
#define SN_EXPONENT_SHIFT 23
#define SN_UPPER_HALF     0xFFFFF000U /* 12 of 24 digits */
#define SN_SHIFT          48
#define SN_UP             0x1p48F
#define SN_DOWN           0x1p-48F
#define SN_EXP_LOWEST     120.0F /* e^-x is 0, and so is 10^6 e^-x */
#define SN_EXP_ONE        18.0F  /* 1 + e^-x is 1 */
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

static inline real sn_abs(real x) {
    return sn_from_bits(sn_to_bits(x) & ~SN_SIGN);
}

/* x without the lower half of its digits: its square is exact. */
static inline real sn_upper_half(real x) {
    return sn_from_bits(sn_to_bits(x) & SN_UPPER_HALF);
}

/* 2^(k + shift), and r: x - low = k ln 2 + r.  The sum with the rounder has k + shift + bias in its last digits, which
 * the exponent is made of. */
static inline real sn_reduce(real x, real low, real shift, real *r) {
#if SN_IS_DOUBLE
    return sn_double_reduce(x, low, shift, r);
#else
    real rounder = SN_ROUNDER + shift;
    real shifted = (x - low) * SN_REAL(1.44269504088896340736) + rounder;
    real k = shifted - rounder;
    *r = ((x - k * SN_LN2_HIGH) - low) - k * SN_LN2_LOW;
    return sn_from_bits(sn_to_bits(shifted) << SN_EXPONENT_SHIFT);
#endif
}

/* e^r - 1 for |r| <= 0.3466; error 0.22 2^-24 of the value. */
static inline real sn_expm1_small(real r) {
#if SN_IS_DOUBLE
    return sn_double_expm1_small(r);
#else
    real p = 1.3882411357057344005e-3F;
    p = p * r + 8.366579822726318933e-3F;
    p = p * r + 0.041667204339699266292F;
    p = p * r + 0.16666543208037942095F;
    p = p * r + 0.4999999812898166844F;
    return r * r * p + r;
#endif
}

/* e^-(a + low) times 2^SHIFT for 0 <= a <= EXP_LOWEST; `low` is what a lost in rounding. */
static inline real sn_exp_minus_up(real a, real low) {
    real r, power = sn_reduce(-a, low, SN_SHIFT, &r);
    return (sn_expm1_small(r) + 1) * power;
}

/* e^-a for a >= 0, down into the denormal numbers. */
static inline real sn_exp_minus(real a) {
    return sn_exp_minus_up(a > SN_EXP_LOWEST ? SN_EXP_LOWEST : a, 0) * SN_DOWN;
}

/* e^x - 1 for x <= 0. */
static inline real sn_expm1_minus(real x) {
    real r, power = sn_reduce(x < -SN_EXP_ONE ? -SN_EXP_ONE : x, 0, 0, &r);
    return power * sn_expm1_small(r) + (power - 1);
}

/* log(1 + e) for 0 <= e <= 1, by 2 atanh(s) with s = e / (2 + e), written so that e itself is its first term; error of
 * the polynomial 0.08 2^-24. */
static inline real sn_log1p_small(real e) {
#if SN_IS_DOUBLE
    return sn_double_log1p_small(e);
#else
    real s = e / (2 + e), z = s * s;
    real p = 0.28024412266182547188F;
    p = p * z + 0.27999176644311588936F;
    p = p * z + 0.4002169454819053819F;
    p = p * z + 0.66666413266434981518F;
    return e - s * (e - z * p);
#endif
}

/* (tanh a / a - 1) / a^2 of z = a^2 for a <= 0.56; error 0.01 2^-53 and 0.74 2^-24 of tanh a. */
static inline real sn_tanh_rest(real z) {
#if SN_IS_DOUBLE
    real p = -1.9021548761859290355e-5;
    p = p * z + 8.2554572417781179188e-5;
    p = p * z - 2.3285347692626742279e-4;
    p = p * z + 5.882384159884380802e-4;
    p = p * z - 1.4554931466842958048e-3;
    p = p * z + 3.5920843763313105353e-3;
    p = p * z - 8.8632318504454393031e-3;
    p = p * z + 0.021869488340454105227;
    p = p * z - 0.053968253962190240077;
    p = p * z + 0.13333333333323944371;
    return p * z - 0.33333333333333282708;
#else
    real p = 0.01627401858971557832F;
    p = p * z - 0.052587006230481788327F;
    p = p * z + 0.13319424811263431661F;
    return p * z - 0.33332891518068930867F;
#endif
}

/* e^(2r) for |r| <= 0.1733; error 0.03 2^-53 and 0.03 2^-24. */
static inline real sn_exp_twice_small(real r) {
#if SN_IS_DOUBLE
    real p = 5.1188117622040542026e-5;
    p = p * r + 2.829562180336083103e-4;
    p = p * r + 1.4109503345995997319e-3;
    p = p * r + 6.3491804463429503109e-3;
    p = p * r + 0.0253968248707070069;
    p = p * r + 0.088888889290225019366;
    p = p * r + 0.2666666666739546556;
    p = p * r + 0.66666666666386206203;
    p = p * r + 1.3333333333332930912;
    p = p * r + 2.0000000000000071447;
    p = p * r + 2.0000000000000000615;
    return p * r + 1;
#else
    real p = 0.088555131426060176566F;
    p = p * r + 0.2679967513750701199F;
    p = p * r + 0.66669171006692579971F;
    p = p * r + 1.3333135351167775238F;
    p = p * r + 1.9999996812696854539F;
    p = p * r + 2.0000000730785714969F;
    return p * r + 1;
#endif
}

/* tanh a for a >= 0: 1 - 2 / (e^(2a) + 1) where that is at least 1/2, so that errors of the quotient weigh little;
 * below ln(3)/2 a polynomial whose first term is exact.  With 2a = k ln 2 + 2r there is no product by 2; in float
 * ln(2)/2 is so near a float that its second part is not needed. */
static inline real sn_tanh_positive(real a) {
    real z = a * a, small = a * z * sn_tanh_rest(z) + a, most = a > SN_TANH_ONE ? SN_TANH_ONE : a;
    real shifted = most * SN_REAL(2.88539008177792681472) + SN_ROUNDER, k = shifted - SN_ROUNDER;
    real power = sn_from_bits(sn_to_bits(shifted) << SN_EXPONENT_SHIFT);
#if SN_IS_DOUBLE
    real r = (most - k * (0.5 * SN_LN2_HIGH)) - k * (0.5 * SN_LN2_LOW);
#else
    real r = most - k * 0.34657359027997265471F;
#endif
    real large = 1 - 2 / (power * sn_exp_twice_small(r) + 1);
    return a < SN_REAL(0.54930614433405484570) ? small : large;
}

/* tanh of |x|, with the sign of x. */
static inline real sn_tanh(real x) {
    return sn_from_bits(sn_to_bits(sn_tanh_positive(sn_abs(x))) | (sn_to_bits(x) & SN_SIGN));
}

/* (1 + e^-x) times 2^-SHIFT, so that it is finite wherever its inverse is not 0.  1 + 2^k first, which is exact but for
 * a large k; what it lost there goes with 2^k (e^r - 1), so that in effect the sum is rounded once. */
static inline real sn_logistic_divisor(real x) {
    real r, minus = x < -SN_EXP_LOWEST ? SN_EXP_LOWEST : x > SN_EXP_ONE ? -SN_EXP_ONE : -x;
    real power = sn_reduce(minus, 0, -SN_SHIFT, &r);
    real sum = power + SN_DOWN, lost = SN_DOWN - (sum - power);
    return (power * sn_expm1_small(r) + lost) + sum;
}

/* 1 / (1 + e^-x). */
static inline real sn_sigmoid(real x) {
    return SN_DOWN / sn_logistic_divisor(x);
}

#endif
