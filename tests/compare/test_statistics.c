/* Statistics over seeds: quantiles of Student's t against a published table, figures against calculations by hand. */
#include "support/check.h"

#include <math.h>

#include "compare/statistics.h"

static void assert_near(double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance)) fail_msg("%.17g is not %.17g within %g", actual, expected, tolerance);
}

/* NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2 (three decimals), and the closed forms for one and two
 * degrees of freedom: tan(pi (p - 1/2)), (2p - 1) sqrt(2 / (4 p (1 - p))). */
static void test_t_quantiles_of_the_table(void **state) {
    (void)state;
    const struct {
        size_t df;
        double p90, p95, p975, p99, p995;
    } rows[] = {{1, 3.078, 6.314, 12.706, 31.821, 63.657}, {2, 1.886, 2.920, 4.303, 6.965, 9.925},
                {3, 1.638, 2.353, 3.182, 4.541, 5.841},    {4, 1.533, 2.132, 2.776, 3.747, 4.604},
                {5, 1.476, 2.015, 2.571, 3.365, 4.032},    {9, 1.383, 1.833, 2.262, 2.821, 3.250},
                {10, 1.372, 1.812, 2.228, 2.764, 3.169},   {29, 1.311, 1.699, 2.045, 2.462, 2.756},
                {30, 1.310, 1.697, 2.042, 2.457, 2.750},   {100, 1.290, 1.660, 1.984, 2.364, 2.626}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_near(sn_student_t_quantile(0.90, rows[i].df), rows[i].p90, 5.01e-4);
        assert_near(sn_student_t_quantile(0.95, rows[i].df), rows[i].p95, 5.01e-4);
        assert_near(sn_student_t_quantile(0.975, rows[i].df), rows[i].p975, 5.01e-4);
        assert_near(sn_student_t_quantile(0.99, rows[i].df), rows[i].p99, 5.01e-4);
        assert_near(sn_student_t_quantile(0.995, rows[i].df), rows[i].p995, 5.01e-4);
    }
}

static void test_t_quantiles_in_closed_form(void **state) {
    (void)state;
    const double pi = 3.14159265358979323846;
    for (int i = 1; i < 100; i++) {
        double p = i / 100.0, size = fabs(2 * p - 1);
        double two = (2 * p - 1) * sqrt(2 / (4 * p * (1 - p)));
        assert_near(sn_student_t_quantile(p, 1), tan(pi * (p - 0.5)), 1e-11 * (1 + 1 / (1 - size)));
        assert_near(sn_student_t_quantile(p, 2), two, 1e-11 * (1 + 1 / (1 - size)));
        /* Four degrees of freedom: 2 sign(p - 1/2) sqrt(q - 1), q = cos(acos(sqrt(a)) / 3) / sqrt(a), a = 4p(1 - p). */
        double a = 4 * p * (1 - p), q = cos(acos(fmin(sqrt(a), 1)) / 3) / sqrt(a);
        double four = (p < 0.5 ? -2 : 2) * sqrt(fmax(q - 1, 0));
        assert_near(sn_student_t_quantile(p, 4), four, 1e-7 + 1e-11 / (1 - size));
    }
}

/* To 1e-6, and the normal distribution where the degrees of freedom are many. */
static void test_t_quantiles_for_95_percent(void **state) {
    (void)state;
    assert_near(sn_student_t_quantile(0.975, 1), 12.7062047362, 1e-9);
    assert_near(sn_student_t_quantile(0.975, 2), 4.3026527297, 1e-9);
    assert_near(sn_student_t_quantile(0.975, 3), 3.1824463053, 1e-9);
    assert_near(sn_student_t_quantile(0.975, 4), 2.7764451052, 1e-9);
    assert_near(sn_student_t_quantile(0.975, 9), 2.2621571628, 1e-9);
    assert_near(sn_student_t_quantile(0.025, 4), -2.7764451052, 1e-9);
    assert_near(sn_student_t_quantile(0.5, 7), 0, 1e-12);
    assert_near(sn_student_t_quantile(0.975, 10000000), 1.9599639845, 1e-6);
}

static void assert_measured(sn_measure measure, double expected) {
    assert_true(measure.is_measured);
    assert_near(measure.value, expected, 1e-12);
}

static void assert_no_means(const sn_figure *figure) {
    assert_false(figure->mean.is_measured || figure->sd.is_measured || figure->ci95_low.is_measured ||
                 figure->ci95_high.is_measured);
}

/* 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, sd sqrt(13); half the interval 4.30265... sqrt(13/3). */
static void test_three_values(void **state) {
    (void)state;
    sn_figure f;
    double half = 4.302652729749464 * sqrt(13.0 / 3);
    sn_figure_compute(&f, (double[]){9, 2, 4}, 3, 3, 0);
    assert_measured(f.mean, 5);
    assert_measured(f.sd, sqrt(13));
    assert_measured(f.median, 4);
    assert_measured(f.min, 2);
    assert_measured(f.max, 9);
    assert_measured(f.ci95_low, 5 - half);
    assert_measured(f.ci95_high, 5 + half);
}

static void test_two_and_four_values(void **state) {
    (void)state;
    sn_figure f;
    sn_figure_compute(&f, (double[]){-1, -3}, 2, 2, 0);
    assert_measured(f.mean, -2);
    assert_measured(f.sd, sqrt(2));
    assert_measured(f.median, -2);
    assert_measured(f.ci95_high, -2 + 12.706204736174705);
    sn_figure_compute(&f, (double[]){10, 1, 3, 2}, 4, 4, 0);
    assert_measured(f.median, 2.5);
    assert_measured(f.sd, sqrt((36 + 9 + 1 + 4) / 3.0));
}

/* What speaks for some of the runs only is not told as if it spoke for all. */
static void test_no_means(void **state) {
    (void)state;
    sn_figure f;
    sn_figure_compute(&f, (double[]){7}, 1, 1, 0);
    assert_no_means(&f);
    assert_measured(f.median, 7);
    assert_measured(f.min, 7);
    assert_measured(f.max, 7);
    sn_figure_compute(&f, (double[]){1, 2, 3}, 3, 3, 1);
    assert_no_means(&f);
    assert_measured(f.median, 2);
    assert_int_equal(f.n_diverged, 1);
    sn_figure_compute(&f, (double[]){1, 2}, 2, 3, 0);
    assert_no_means(&f);
    assert_measured(f.median, 1.5);
    sn_figure_compute(&f, (double[]){0}, 0, 3, 0);
    assert_no_means(&f);
    assert_false(f.median.is_measured || f.min.is_measured || f.max.is_measured);
}

/* Three times 0.1 is not 0.3, and one third of it not 0.1. */
static void test_equal_values(void **state) {
    (void)state;
    sn_figure f;
    sn_figure_compute(&f, (double[]){0.1, 0.1, 0.1}, 3, 3, 0);
    assert_true(f.mean.value == 0.1 && f.sd.value == 0 && f.ci95_low.value == 0.1 && f.ci95_high.value == 0.1);
}

static void test_not_finite(void **state) {
    (void)state;
    sn_figure f;
    sn_figure_compute(&f, (double[]){-INFINITY, 2, 4}, 3, 3, 0);
    assert_true(f.mean.is_measured && f.mean.value == -(double)INFINITY);
    assert_true(f.sd.is_measured && isnan(f.sd.value));
    assert_true(f.min.value == -(double)INFINITY);
    assert_measured(f.median, 2);
    sn_figure_compute(&f, (double[]){-INFINITY, -INFINITY}, 2, 2, 0);
    assert_true(f.median.value == -(double)INFINITY);
    sn_figure_compute(&f, (double[]){(double)NAN, 1, 5}, 3, 3, 1);
    assert_measured(f.median, 3);
    assert_measured(f.max, 5);
    sn_figure_compute(&f, (double[]){(double)NAN, (double)NAN}, 2, 2, 2);
    assert_true(f.median.is_measured && isnan(f.median.value) && isnan(f.min.value) && isnan(f.max.value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t_quantiles_of_the_table),
        cmocka_unit_test(test_t_quantiles_in_closed_form),
        cmocka_unit_test(test_t_quantiles_for_95_percent),
        cmocka_unit_test(test_three_values),
        cmocka_unit_test(test_two_and_four_values),
        cmocka_unit_test(test_no_means),
        cmocka_unit_test(test_equal_values),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
