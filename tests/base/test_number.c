/* Numbers as text, byte for byte against printf of the C library: random bits, floats, powers of ten and two and their
 * neighbours, denormals, ties and their neighbours, short decimals. */
#include "support/check.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/rng.h"
#include "base/text.h"

static uint64_t n_compared;

static void compare(double value, int digits) {
    char expected[64], actual[SN_NUMBER_TEXT];
    if (!isfinite(value)) return;
    int length = snprintf(expected, sizeof expected, "%.*g", digits, value);
    size_t n = sn_number_write(actual, value, digits);
    n_compared++;
    if (n == (size_t)length && strcmp(expected, actual) == 0) return;
    fail_msg("%a with %d digits: printf has %s, this %s", value, digits, expected, actual);
}

/* With the digits of both precisions, both signs, and its neighbours. */
static void compare_around(double value) {
    const double values[] = {value, nextafter(value, INFINITY), nextafter(value, -INFINITY)};
    for (size_t i = 0; i < 3; i++) {
        for (int digits = 9; digits <= 17; digits += 8) {
            compare(values[i], digits);
            compare(-values[i], digits);
        }
    }
}

static void want_compared(uint64_t least) {
    assert_true(n_compared >= least);
    n_compared = 0;
}

/* Random numbers of the test `name`. */
static uint64_t bits(const char *name, uint64_t i) {
    return sn_rng_bits(sn_rng_stream(7, "test", name, 0), i);
}

static double as_double(uint64_t pattern) {
    double value;
    memcpy(&value, &pattern, sizeof value);
    return value;
}

/* SN_TEST_NUMBERS=100 makes it a hundred times as many. */
static uint64_t amount(uint64_t n) {
    const char *factor = getenv("SN_TEST_NUMBERS");
    return factor ? n * strtoull(factor, NULL, 10) : n;
}

static void random_bits(void **state) {
    (void)state;
    sn_rng rng = sn_rng_stream(7, "test", "bits", 0);
    for (uint64_t i = 0; i < amount(500000); i++) {
        double value = as_double(sn_rng_bits(rng, i));
        compare(value, 9);
        compare(value, 17);
    }
    want_compared(990000);
}

/* What the columns hold: magnitudes from 1e-40 to 1e10, floats and doubles. */
static void usual_magnitudes(void **state) {
    (void)state;
    sn_rng rng = sn_rng_stream(7, "test", "usual", 0);
    for (uint64_t i = 0; i < amount(300000); i++) {
        double value = pow(10, 50 * sn_rng_uniform(rng, 2 * i) - 40) * (sn_rng_uniform(rng, 2 * i + 1) - 0.5);
        compare(value, 9);
        compare((double)(float)value, 9);
        compare(value, 17);
        compare((double)(float)value, 17);
    }
    want_compared(1200000);
}

static void denormals(void **state) {
    (void)state;
    for (uint64_t i = 0; i < amount(100000); i++) {
        uint64_t mantissa = bits("denormals", i) >> 12;
        double value = as_double(mantissa >> (i % 52));
        compare(value, 9);
        compare(value, 17);
    }
    compare_around(DBL_TRUE_MIN);
    compare_around(DBL_MIN);
    compare_around(DBL_MAX);
    compare_around(FLT_TRUE_MIN);
    compare_around(FLT_MAX);
    want_compared(200000);
}

static void powers(void **state) {
    (void)state;
    for (int k = -323; k <= 308; k++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", k);
        double value = strtod(text, NULL);
        for (int m = 1; m < 10; m++)
            compare_around(value * m);
        for (int digits = 1; digits <= 17; digits++) {
            compare(value, digits);
            compare(nextafter(value, 0), digits);
        }
    }
    for (int k = -1074; k <= 1023; k++)
        compare_around(ldexp(1, k));
    want_compared(110000);
}

/* Exact ties: integers that end in a 5 where they are cut, and binary fractions. */
static void ties(void **state) {
    (void)state;
    for (uint64_t i = 0; i < amount(100000); i++) {
        uint64_t r = bits("ties", i);
        double whole = (double)(r % 900000000 + 100000000);
        compare_around(whole + 0.5);
        compare_around(10 * whole + 5);
        compare_around(1000 * whole + 500);
        compare_around(ldexp((double)(r >> 11), -(int)(r % 80)));
    }
    for (int digits = 1; digits <= 17; digits++) {
        for (int i = 0; i < 20000; i++)
            compare((i + 0.5) / 64, digits);
    }
    want_compared(4000000);
}

static void short_decimals(void **state) {
    (void)state;
    for (int i = 0; i <= 20000; i++) {
        compare_around(i / 1000.0);
        compare_around(i * 1e-7);
        compare_around(i * 1e5);
    }
    compare(0.0, 9);
    compare(-0.0, 9);
    compare(-0.0, 17);
    want_compared(700000);
}

static void integers(void **state) {
    (void)state;
    const int64_t edges[] = {0, 1, -1, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN};
    char expected[32], actual[SN_NUMBER_TEXT];
    for (size_t i = 0; i < 10 + 100000; i++) {
        int64_t value = i < 10 ? edges[i] : (int64_t)bits("integers", i) >> (i % 64);
        int length = snprintf(expected, sizeof expected, "%" PRId64, value);
        assert_int_equal(sn_integer_write(actual, value), length);
        assert_string_equal(actual, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bits), cmocka_unit_test(usual_magnitudes),
        cmocka_unit_test(denormals),   cmocka_unit_test(powers),
        cmocka_unit_test(ties),        cmocka_unit_test(short_decimals),
        cmocka_unit_test(integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
