/* exp and log(1 + x) of doubles, whatever the precision of the data: what losses are formed in.  Straight-line code as
 * in elementary.h, which says how it works and takes its own doubles from here.  No result depends on the C library. */
#ifndef SN_KERNELS_EXPONENTIAL_H
#define SN_KERNELS_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

#define SN_DOUBLE_ROUNDER    (0x1.8p52 + 1023)
#define SN_DOUBLE_LN2_HIGH   0x1.62e42feep-1
#define SN_DOUBLE_LN2_LOW    0x1.a39ef35793c76p-33
#define SN_DOUBLE_SHIFT      100
#define SN_DOUBLE_DOWN       0x1p-100
#define SN_DOUBLE_EXP_LOWEST 770.0
enum { SN_DOUBLE_DIGITS = 52 };

static inline uint64_t sn_double_to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double sn_double_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^(k + shift), and r: x - low = k ln 2 + r.  The sum with the rounder has k + shift + bias in its last digits, which
 * the exponent is made of. */
static inline double sn_double_reduce(double x, double low, double shift, double *r) {
    double rounder = SN_DOUBLE_ROUNDER + shift;
    double shifted = (x - low) * 1.44269504088896340736 + rounder;
    double k = shifted - rounder;
    *r = ((x - k * SN_DOUBLE_LN2_HIGH) - low) - k * SN_DOUBLE_LN2_LOW;
    return sn_double_from_bits(sn_double_to_bits(shifted) << SN_DOUBLE_DIGITS);
}

/* e^r - 1 for |r| <= 0.3466; error 0.16 2^-53 of the value. */
static inline double sn_double_expm1_small(double r) {
    double p = 2.5053714836818305808e-8;
    p = p * r + 2.7626158581529811058e-7;
    p = p * r + 2.7557408027559746674e-6;
    p = p * r + 2.4801504987425295773e-5;
    p = p * r + 1.9841269718206066297e-4;
    p = p * r + 1.3888888931786767358e-3;
    p = p * r + 8.3333333333899964378e-3;
    p = p * r + 0.041666666666576137643;
    p = p * r + 0.16666666666666588560;
    p = p * r + 0.50000000000000052217;
    return r * r * p + r;
}

/* e^-a for a >= 0, down into the denormal numbers. */
static inline double sn_double_exp_minus(double a) {
    double r, most = a > SN_DOUBLE_EXP_LOWEST ? SN_DOUBLE_EXP_LOWEST : a;
    double power = sn_double_reduce(-most, 0, SN_DOUBLE_SHIFT, &r);
    return (sn_double_expm1_small(r) + 1) * power * SN_DOUBLE_DOWN;
}

/* log(1 + e) for 0 <= e <= 1, by 2 atanh(s) with s = e / (2 + e), written so that e itself is its first term; error of
 * the polynomial 0.45 2^-53. */
static inline double sn_double_log1p_small(double e) {
    double s = e / (2 + e), z = s * s;
    double p = 0.17748836685661390107;
    p = p * z + 0.098983147150484710932;
    p = p * z + 0.13587244420354146203;
    p = p * z + 0.15364192294004412071;
    p = p * z + 0.18182820718376885787;
    p = p * z + 0.22222192655314041175;
    p = p * z + 0.28571429063173081837;
    p = p * z + 0.39999999995997731981;
    p = p * z + 0.66666666666677872848;
    return e - s * (e - z * p);
}

/* log(1 + x) for 0 <= x < 2^1000: 1 + x = 2^k (1 + e), with what the sum loses in rounding put back to e, which is x
 * itself where x < 1. */
static inline double sn_double_log1p(double x) {
    double sum = 1 + x, whole = sum - x, lost = (1 - whole) + (x - (sum - whole));
    uint64_t exponent = sn_double_to_bits(sum) >> SN_DOUBLE_DIGITS;
    double scale = sn_double_from_bits((2046 - exponent) << SN_DOUBLE_DIGITS);
    double k = sn_double_from_bits(exponent | sn_double_to_bits(0x1p52)) - (0x1p52 + 1023);
    double e = (sum * scale - 1) + lost * scale;
    return k * SN_DOUBLE_LN2_HIGH + (sn_double_log1p_small(e) + k * SN_DOUBLE_LN2_LOW);
}

#endif
