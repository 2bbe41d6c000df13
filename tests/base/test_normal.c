/* Quantiles of the normal distribution against erfc, published values, and what is cut out of it. */
#include "support/check.h"

#include <math.h>

#include "base/normal.h"

/* P(X <= x) */
static double below(double x) {
    return 0.5 * erfc(-x / sqrt(2));
}

static void test_quantile(void **state) {
    (void)state;
    static const struct {
        double p, x;
    } published[] = {{0.5, 0},
                     {0.25, -0.67448975019608174320},
                     {0.025, -1.95996398454005423552},
                     {0.001, -3.09023230616781354152},
                     {1e-20, -9.26234008979840915720}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        double x = sn_normal_quantile(published[i].p);
        if (!(fabs(x - published[i].x) <= 4e-15 * fabs(published[i].x)))
            fail_msg("%g: %.17g, not %.17g", published[i].p, x, published[i].x);
    }
    for (int i = 0; i <= 2300; i++) { /* from 0.5 to 1e-300 */
        double p = pow(10, -0.302 * pow(1.003, i)), x = sn_normal_quantile(p);
        /* an error of x is one of p, x^2 times as large */
        if (!(fabs(below(x) / p - 1) <= 2e-15 * (1 + x * x))) fail_msg("%g: P(%.17g) = %.17g", p, x, below(x));
    }
}

/* The share of [a, b] below the value is u, told by the tail that keeps its digits. */
static void check_between(double a, double b) {
    double previous = -HUGE_VAL;
    for (int i = 0; i <= 1000; i++) {
        double u = i == 1000 ? 1 - 0x1p-53 : i / 1000.0, x = sn_normal_between(u, a, b), share;
        if (a > 0) {
            share = (below(-a) - below(-x)) / (below(-a) - below(-b));
        } else {
            share = (below(x) - below(a)) / (below(b) - below(a));
        }
        assert_true(isfinite(x) && x >= a && x <= b && x > previous);
        if (!(fabs(share - u) <= 1e-12)) fail_msg("[%g, %g]: %.17g has %.17g below it, not %g", a, b, x, share, u);
        previous = x;
    }
}

static void test_between(void **state) {
    (void)state;
    check_between(-2, 2);
    check_between(-0.5, 3);
    check_between(-1e-3, 2e-3);
    check_between(-100, 100);
    check_between(-(double)INFINITY, (double)INFINITY);
    check_between(1, 4);
    check_between(8, 9);
    check_between(29, 1e300);
    check_between(-9, -8);
    check_between(-1e300, -29);
    double farthest = fabs(sn_normal_between(0, -(double)INFINITY, (double)INFINITY));
    assert_true(farthest > 8 && farthest < 9); /* as far as 53 bits of u reach */
}

/* A strip so narrow that its tails would be equal: even, and within it. */
static void test_strip(void **state) {
    (void)state;
    static const double at[] = {0, 1, -25};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        double a = at[i], b = a + 1e-12;
        for (int k = 0; k < 100; k++) {
            double x = sn_normal_between(k / 100.0, a, b);
            assert_true(x >= a && x <= b && fabs((x - a) / (b - a) - k / 100.0) < 0.01);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quantile), cmocka_unit_test(test_between),
                                       cmocka_unit_test(test_strip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
