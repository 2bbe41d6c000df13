/* The generated sources (spirals, teacher, gaussian) and what all sources share: the table, limits, scaling. */
#include "data_fixture.h"

#include <float.h>
#include <math.h>

#include "base/rng.h"

static const double TWO_PI = 6.283185307179586476925;

/* Equal configs give equal bytes; another seed other ones; the splits differ from each other. */
static void check_determinism(const char *keys) {
    char config[256];
    sn_dataset d[3];
    for (int i = 0; i < 3; i++) {
        snprintf(config, sizeof config, "{%s, \"seed\": %d}", keys, i == 2 ? 18 : 17);
        d[i] = fixture_load_ok(config);
        assert_string_equal(d[i].origin, "generated");
        assert_true(d[i].train.n > 10 && d[i].test.n > 10);
    }
    size_t size = d[0].train.n * d[0].in_dim * sizeof(double);
    assert_memory_equal(d[0].train.values, d[1].train.values, size);
    assert_memory_not_equal(d[0].train.values, d[2].train.values, size);
    assert_memory_not_equal(d[0].train.values, d[0].test.values, d[0].in_dim * sizeof(double));
    assert_int_equal(d[0].checksum, d[1].checksum);
    assert_int_not_equal(d[0].checksum, d[2].checksum);
    if (d[0].is_classes) {
        assert_memory_equal(d[0].train.labels, d[1].train.labels, d[0].train.n * sizeof(uint32_t));
    } else {
        size = d[0].train.n * d[0].out_dim * sizeof(double);
        assert_memory_equal(d[0].train.targets, d[1].train.targets, size);
        assert_memory_not_equal(d[0].train.targets, d[2].train.targets, size);
    }
    for (int i = 0; i < 3; i++)
        sn_dataset_reset(&d[i]);
}

static void test_determinism(void **state) {
    (void)state;
    check_determinism("\"kind\": \"spirals\"");
    check_determinism("\"kind\": \"teacher\", \"noise\": 0.1");
    check_determinism("\"kind\": \"gaussian\", \"test_samples\": 20");
}

/* Without noise a point tells its place t by its radius, and t and the arm tell its angle. */
static void test_spirals_shape(void **state) {
    (void)state;
    sn_dataset d =
        fixture_load_ok("{\"kind\": \"spirals\", \"arms\": 3, \"turns\": 2.5, \"noise\": 0, \"samples\": 300}");
    size_t counts[3] = {0}, n_inner = 0;
    assert_int_equal(d.train.n, 300);
    assert_int_equal(d.test.n, 1000);
    assert_int_equal(d.in_dim, 2);
    assert_int_equal(d.out_dim, 3);
    for (size_t i = 0; i < d.train.n; i++) {
        double x = d.train.values[2 * i], y = d.train.values[2 * i + 1];
        double t = (13 * hypot(x, y) - 1) / 12;
        double angle = TWO_PI * (2.5 * t + d.train.labels[i] / 3.0);
        assert_true(t > -1e-12 && t < 1);
        assert_true(fabs(remainder(atan2(y, x) - angle, TWO_PI)) < 1e-9);
        assert_int_equal(d.train.labels[i], i % 3);
        counts[d.train.labels[i]]++;
        n_inner += t < 0.5;
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(counts[i], 100);
    assert_in_range(n_inner, 120, 180); /* 150 +- 8.7 */
    sn_dataset_reset(&d);
}

/* Mean and population standard deviation of x[0], x[step], ... */
static void measure(const double *x, size_t n, size_t step, double *mean, double *sd) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i * step];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i * step] - *mean) * (x[i * step] - *mean);
    *sd = sqrt(squares / (double)n);
}

/* The noise is its own stream: with it the same points are moved, by N(0, noise^2). */
static void test_noise(void **state) {
    (void)state;
    static const char *const sources[] = {"\"kind\": \"spirals\", \"samples\": 5000",
                                          "\"kind\": \"teacher\", \"samples\": 5000, \"out_dim\": 2"};
    for (int i = 0; i < 2; i++) {
        char config[256];
        snprintf(config, sizeof config, "{%s, \"noise\": 0}", sources[i]);
        sn_dataset clean = fixture_load_ok(config);
        snprintf(config, sizeof config, "{%s, \"noise\": 0.25}", sources[i]);
        sn_dataset noisy = fixture_load_ok(config);
        static double difference[10000];
        const double *a = i == 0 ? noisy.train.values : noisy.train.targets;
        const double *b = i == 0 ? clean.train.values : clean.train.targets;
        for (size_t k = 0; k < 10000; k++)
            difference[k] = a[k] - b[k];
        double mean = 0, sd = 0;
        measure(difference, 10000, 1, &mean, &sd);
        assert_true(fabs(mean) < 0.01);
        assert_true(fabs(sd - 0.25) < 0.0075); /* four times 0.25 / sqrt(2 * 10000) */
        sn_dataset_reset(&clean);
        sn_dataset_reset(&noisy);
    }
}

/* An own teacher: 3 inputs, two hidden layers of 4, 2 outputs; weights (fan_in, fan_out) from the named streams. */
static void teach(uint64_t seed, const double *x, double *y) {
    static const size_t dims[] = {3, 4, 4, 2};
    double h[4] = {x[0], x[1], x[2], 0};
    for (size_t l = 0; l < 3; l++) {
        sn_rng rng = sn_rng_stream(seed, "data", "teacher.weight", l);
        double z[4] = {0};
        for (size_t j = 0; j < dims[l + 1]; j++) {
            for (size_t i = 0; i < dims[l]; i++)
                z[j] += h[i] * sn_rng_normal(rng, i * dims[l + 1] + j) / sqrt((double)dims[l]);
        }
        for (size_t j = 0; j < dims[l + 1]; j++)
            h[j] = l < 2 ? tanh(z[j]) : z[j];
    }
    memcpy(y, h, 2 * sizeof *y);
}

static void test_teacher(void **state) {
    (void)state;
    sn_dataset d = fixture_load_ok("{\"kind\": \"teacher\", \"in_dim\": 3, \"width\": 4, \"out_dim\": 2, \"seed\": 5, "
                                   "\"samples\": 100, \"test_samples\": 50}");
    assert_false(d.is_classes);
    assert_int_equal(d.train.n, 100);
    assert_int_equal(d.out_dim, 2);
    assert_null(d.train.labels);
    double largest = 0;
    for (size_t i = 0; i < 150; i++) {
        const sn_samples *s = i < 100 ? &d.train : &d.test;
        size_t at = i < 100 ? i : i - 100;
        double y[2];
        teach(5, s->values + 3 * at, y);
        for (int j = 0; j < 2; j++) {
            assert_true(fabs(y[j] - s->targets[2 * at + (size_t)j]) < 1e-14);
            largest = fmax(largest, fabs(y[j]));
        }
    }
    assert_true(largest > 0.1);
    sn_dataset_reset(&d);
}

/* A linear teacher: over many outputs of one sample the variance is |x|^2 / fan_in. */
static void test_linear_teacher(void **state) {
    (void)state;
    sn_dataset d = fixture_load_ok("{\"kind\": \"teacher\", \"in_dim\": 50, \"depth\": 0, \"out_dim\": 20000, "
                                   "\"samples\": 3, \"test_samples\": 0}");
    for (size_t i = 0; i < 3; i++) {
        double mean = 0, sd = 0, squares = 0;
        measure(d.train.targets + i * 20000, 20000, 1, &mean, &sd);
        for (size_t j = 0; j < 50; j++)
            squares += pow(d.train.values[i * 50 + j], 2);
        assert_true(squares > 10);
        assert_true(fabs(sd / sqrt(squares / 50) - 1) < 0.02); /* four times 1 / sqrt(2 * 20000) */
    }
    assert_int_equal(d.test.n, 0);
    sn_dataset_reset(&d);
}

static void test_gaussian(void **state) {
    (void)state;
    sn_dataset d = fixture_load_ok("{\"kind\": \"gaussian\", \"in_dim\": 20, \"classes\": 4, \"samples\": 4000, "
                                   "\"scaling\": \"none\"}");
    double mean = 0, sd = 0;
    size_t counts[4] = {0};
    measure(d.train.values, 80000, 1, &mean, &sd);
    assert_true(fabs(mean) < 4 / sqrt(80000));
    assert_true(fabs(sd - 1) < 4 / sqrt(160000));
    for (size_t i = 0; i < d.train.n; i++)
        counts[d.train.labels[i]]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(counts[i], 880, 1120); /* 1000 +- 27 */
    assert_int_equal(d.test.n, 0);
    assert_true(d.n_scales == 1 && d.mean[0] == 0 && d.factor[0] == 1);
    sn_dataset_reset(&d);
}

static void test_gaussian_normalized(void **state) {
    (void)state;
    static const char *const shape = "\"kind\": \"gaussian\", \"in_dim\": 30, \"samples\": 50, \"test_samples\": 50";
    char config[256];
    snprintf(config, sizeof config, "{%s, \"normalize\": true}", shape);
    sn_dataset d = fixture_load_ok(config);
    snprintf(config, sizeof config, "{%s}", shape);
    sn_dataset raw = fixture_load_ok(config);
    for (size_t i = 0; i < 100; i++) {
        const double *x = (i < 50 ? d.train.values : d.test.values) + i % 50 * 30;
        const double *y = (i < 50 ? raw.train.values : raw.test.values) + i % 50 * 30;
        double squares = 0;
        for (size_t j = 0; j < 30; j++) {
            squares += x[j] * x[j];
            assert_true(fabs(x[j] / x[0] - y[j] / y[0]) < 1e-12 * fabs(y[j] / y[0])); /* the direction stays */
        }
        assert_true(fabs(squares / 30 - 1) < 1e-14);
    }
    sn_dataset_reset(&d);
    sn_dataset_reset(&raw);
}

/* Recomputed from the scaled training samples: from `low` to `high` where these are given, else mean 0 and standard
 * deviation 1; the test split goes by the same numbers, so it is only near. */
static void check_scaled(const char *scaling, double low, double high) {
    char config[256];
    snprintf(config, sizeof config,
             "{\"kind\": \"gaussian\", \"in_dim\": 7, \"samples\": 800, \"train_limit\": 500, \"test_samples\": 500, "
             "\"scaling\": \"%s\"}",
             scaling);
    sn_dataset d = fixture_load_ok(config);
    assert_int_equal(d.train.n, 500);
    assert_int_equal(d.n_scales, 7);
    for (size_t j = 0; j < 7; j++) {
        double x[2][500], mean[2], sd[2], least = DBL_MAX, most = -DBL_MAX;
        for (size_t i = 0; i < 500; i++) {
            x[0][i] = (d.train.values[i * 7 + j] - d.mean[j]) * d.factor[j];
            x[1][i] = (d.test.values[i * 7 + j] - d.mean[j]) * d.factor[j];
            least = fmin(least, x[0][i]);
            most = fmax(most, x[0][i]);
        }
        measure(x[0], 500, 1, &mean[0], &sd[0]);
        measure(x[1], 500, 1, &mean[1], &sd[1]);
        if (high > low) {
            assert_true(fabs(least - low) < 1e-15 && fabs(most - high) < 1e-15);
        } else {
            assert_true(fabs(mean[0]) < 1e-14 && fabs(sd[0] - 1) < 1e-14);
        }
        assert_true(fabs(mean[1] - mean[0]) < 0.4 * sd[0] && fabs(mean[1] - mean[0]) > 1e-6);
    }
    sn_dataset_reset(&d);
}

static void test_scaling(void **state) {
    (void)state;
    check_scaled("standardize", 0, 0);
    check_scaled("unit", 0, 1);
}

static void test_too_large(void **state) {
    (void)state;
    static const struct {
        const char *config, *message;
    } cases[] = {
        {"{\"kind\": \"gaussian\", \"in_dim\": 1000000, \"samples\": 1000}",
         "data.samples: 1000 samples of 1000000 values of 8 bytes are more than the limit of 2147483648 bytes"},
        {"{\"kind\": \"spirals\", \"test_samples\": 1000000000}",
         "data.test_samples: 1000000000 samples of 2 values of 8 bytes are more than the limit of 2147483648 bytes"},
        {"{\"kind\": \"teacher\", \"width\": 100000}",
         "data.width: 10001100000 weights of 8 bytes are more than the limit of 2147483648 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_dataset d;
        assert_int_equal(fixture_load(&d, cases[i].config), SN_INVALID);
        const char *found = strstr(fixture_error.text, "data.");
        assert_non_null(found);
        assert_string_equal(found, cases[i].message);
        assert_null(d.blocks[0]);
    }
}

/* The choice that the reader sees is the table that the loader uses. */
static void test_table(void **state) {
    (void)state;
    size_t n = 0;
    for (; sn_sources[n]; n++) {
        assert_ptr_equal(sn_source_choice.kinds[n], &sn_sources[n]->kind);
        assert_non_null(sn_sources[n]->kind.help);
        assert_non_null(sn_sources[n]->load);
    }
    assert_null(sn_source_choice.kinds[n]);
    assert_int_equal(n, 9);
    sn_dataset empty = {0};
    sn_dataset_reset(&empty);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_spirals_shape),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_teacher),
        cmocka_unit_test(test_linear_teacher),
        cmocka_unit_test(test_gaussian),
        cmocka_unit_test(test_gaussian_normalized),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
