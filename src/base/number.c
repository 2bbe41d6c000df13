/* Owns the formatting of numbers: correctly rounded decimals out of one product with a power of ten.
 *
 * |value| = m 2^e with m < 2^53.  The digits are the integer part of |value| 10^q, q chosen so that it has as many
 * digits as are wanted.  10^q is known as an integer of 128 bits times a power of two, cut off, so that it is too small
 * by less than one unit; the product with m, shifted up to 64 bits, is then too small by less than 2^64, and its
 * bits below the point decide how to round, unless the error reaches across one half: there, and only there, snprintf
 * decides.  (Powers that 128 bits hold exactly have no error, and then a tie goes to the even digit, as printf rounds.)
 * Cut-off powers of 128 bits are those of Lemire 2021, "Number parsing at a gigabyte per second" (arXiv 2101.11408),
 * which goes the other way. */
#include "base/number.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef unsigned __int128 wide;

/* 10^q = (high 2^64 + low) 2^exponent, high with its top bit set; cut off where it does not end there. */
typedef struct power {
    uint64_t high, low;
    int exponent;
    bool is_exact;
} power;

enum {
    LEAST_POWER = -310, /* of ten: 1 digit of the largest double needs -308, */
    MOST_POWER = 345,   /* 17 digits of the smallest denormal need 340 */
    N_WORDS = 40        /* of 64 bits: 2^2496 / 10^310 has more than 128 bits left, 10^345 has 1147 */
};

static power powers[MOST_POWER - LEAST_POWER + 1];
static pthread_once_t powers_once = PTHREAD_ONCE_INIT;

/* The top 128 bits of a number of N_WORDS words, the lowest first, times 2^scale. */
static power top_bits(const uint64_t *words, int scale, bool is_exact) {
    int top = N_WORDS - 1;
    while (words[top] == 0)
        top--;
    int shift = __builtin_clzll(words[top]);
    uint64_t w[3] = {words[top], top > 0 ? words[top - 1] : 0, top > 1 ? words[top - 2] : 0};
    power p = {.high = w[0], .low = w[1], .exponent = 64 * (top - 1) - shift + scale, .is_exact = is_exact};
    if (shift > 0) {
        p.high = w[0] << shift | w[1] >> (64 - shift);
        p.low = w[1] << shift | w[2] >> (64 - shift);
        w[2] <<= shift;
    }
    for (int i = 0; i < top - 2; i++)
        p.is_exact = p.is_exact && words[i] == 0;
    p.is_exact = p.is_exact && w[2] == 0;
    return p;
}

/* Exact integers: times ten upwards; downwards 2^2496 / 10^n, where cutting off after each division by ten is the same
 * as after one by 10^n. */
static void make_powers(void) {
    uint64_t words[N_WORDS] = {1};
    for (int q = 0; q <= MOST_POWER; q++) {
        powers[q - LEAST_POWER] = top_bits(words, 0, true);
        wide carry = 0;
        for (int i = 0; i < N_WORDS; i++) {
            carry += (wide)words[i] * 10;
            words[i] = (uint64_t)carry;
            carry >>= 64;
        }
    }
    memset(words, 0, sizeof words);
    words[N_WORDS - 1] = 1;
    for (int q = -1; q >= LEAST_POWER; q--) {
        wide rest = 0;
        for (int i = N_WORDS - 1; i >= 0; i--) {
            rest = rest << 64 | words[i];
            words[i] = (uint64_t)(rest / 10);
            rest %= 10;
        }
        powers[q - LEAST_POWER] = top_bits(words, -64 * (N_WORDS - 1), false);
    }
}

/* `digits` significant digits of a number as an integer, the first one standing for 10^exponent. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

static uint64_t ten_to(int n) {
    static const uint64_t small[] = {1U,
                                     10U,
                                     100U,
                                     1000U,
                                     10000U,
                                     100000U,
                                     1000000U,
                                     10000000U,
                                     100000000U,
                                     1000000000U,
                                     10000000000U,
                                     100000000000U,
                                     1000000000000U,
                                     10000000000000U,
                                     100000000000000U,
                                     1000000000000000U,
                                     10000000000000000U,
                                     100000000000000000U};
    return small[n];
}

/* |value| 10^q: the integer part, the first 64 bits below the point, and whether bits further down are set. */
typedef struct product {
    uint64_t whole, fraction;
    bool has_more, is_exact;
} product;

/* m 2^e 10^q for an m with its top bit set; needs an integer part of 1 to 63 bits. */
static product multiply(uint64_t m, int e, int q) {
    const power *p = &powers[q - LEAST_POWER];
    wide low = (wide)m * p->low, high = (wide)m * p->high + (uint64_t)(low >> 64);
    int point = -(e + p->exponent + 64); /* bits of `high` below the point */
    product r = {.is_exact = p->is_exact, .has_more = (uint64_t)low != 0};
    r.whole = (uint64_t)(high >> point);
    r.fraction = (uint64_t)(high >> (point - 64));
    wide below = point > 64 ? high & (((wide)1 << (point - 64)) - 1) : 0;
    r.has_more = r.has_more || below != 0;
    return r;
}

/* 1: round up, 0: do not, -1: the error of the product reaches across one half. */
static int direction(const product *r) {
    const uint64_t half = (uint64_t)1 << 63;
    if (r->is_exact) {
        if (r->fraction != half) return r->fraction > half;
        return r->has_more || r->whole % 2 == 1;
    }
    if (r->fraction >= half) return r->fraction > half || r->has_more ? 1 : -1;
    return r->fraction == half - 1 ? -1 : 0;
}

/* magnitude = m 2^(binary - 64), m with its top bit set, for IEEE doubles above 0: the work of frexp without its call.
 */
static uint64_t normalize(double magnitude, int *binary) {
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    uint64_t mantissa = bits << 12 >> 1;
    int exponent = (int)(bits >> 52);
    if (exponent > 0) {
        *binary = exponent - 1022;
        return mantissa | (uint64_t)1 << 63;
    }
    int zeros = __builtin_clzll(mantissa);
    *binary = -1021 - zeros;
    return mantissa << zeros;
}

/* log10(2^n), rounded down, for -1100 < n < 1100: 78913 / 2^18 is close enough to log10(2). */
static int log10_of_power(int n) {
    enum { SCALE = 1 << 18, BIAS = 1100 * 78913 / SCALE + 1 };
    return (n * 78913 + BIAS * SCALE) / SCALE - BIAS;
}

/* False where snprintf has to decide. */
static bool to_decimal(decimal *d, double magnitude, int digits) {
    int binary;
    uint64_t m = normalize(magnitude, &binary);
    d->exponent = log10_of_power(binary - 1);
    uint64_t most = ten_to(digits);
    product r = multiply(m, binary - 64, digits - 1 - d->exponent);
    if (r.whole >= most) {
        d->exponent++;
        r = multiply(m, binary - 64, digits - 1 - d->exponent);
    }
    int up = direction(&r);
    if (up < 0) return false;
    d->digits = r.whole + (uint64_t)up;
    if (d->digits < most) return true;
    d->digits = most / 10;
    d->exponent++;
    return true;
}

size_t sn_integer_write(char out[SN_NUMBER_TEXT], int64_t value) {
    char reversed[24];
    size_t begin = sizeof reversed, sign = value < 0;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        reversed[--begin] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    size_t n = sizeof reversed - begin;
    out[0] = '-';
    memcpy(out + sign, reversed + begin, n);
    out[sign + n] = '\0';
    return sign + n;
}

/* 123.45: `before` digits, the point, the rest; with `before` not above 0 as many zeros after the point. */
static size_t write_fixed(char *out, const char *digits, int n, int before) {
    char *at = out;
    if (before <= 0) {
        *at++ = '0';
        *at++ = '.';
        for (int i = before; i < 0; i++)
            *at++ = '0';
    }
    for (int i = 0; i < n || i < before; i++) {
        if (i == before && before > 0) *at++ = '.';
        *at++ = i < n ? digits[i] : '0';
    }
    return (size_t)(at - out);
}

/* 1.2345e-07: at least two digits of the exponent. */
static size_t write_scientific(char *out, const char *digits, int n, int exponent) {
    char *at = out;
    *at++ = digits[0];
    if (n > 1) *at++ = '.';
    for (int i = 1; i < n; i++)
        *at++ = digits[i];
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    int size = exponent < 0 ? -exponent : exponent;
    if (size < 10) *at++ = '0';
    char text[SN_NUMBER_TEXT];
    size_t length = sn_integer_write(text, size);
    memcpy(at, text, length);
    return (size_t)(at - out) + length;
}

size_t sn_number_write(char out[SN_NUMBER_TEXT], double value, int digits) {
    pthread_once(&powers_once, make_powers);
    char *at = out;
    decimal d;
    if (signbit(value)) *at++ = '-';
    if (value == 0) {
        *at++ = '0';
        *at = '\0';
        return (size_t)(at - out);
    }
    if (!to_decimal(&d, fabs(value), digits)) return (size_t)snprintf(out, SN_NUMBER_TEXT, "%.*g", digits, value);
    char text[SN_NUMBER_TEXT];
    int n = (int)sn_integer_write(text, (int64_t)d.digits);
    while (n > 1 && text[n - 1] == '0')
        n--;
    bool is_fixed = d.exponent >= -4 && d.exponent < digits;
    at += is_fixed ? write_fixed(at, text, n, d.exponent + 1) : write_scientific(at, text, n, d.exponent);
    *at = '\0';
    return (size_t)(at - out);
}
