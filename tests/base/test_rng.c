/* Random numbers: Philox against a second implementation that passes the published vectors, and statistics.
 *
 * All draws are fixed by their keys, so a test passes or fails for ever; the bounds are those that a right generator
 * would break about once in a thousand choices of key (5 standard deviations for moments). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N_DRAWS = 200000 };

/* Philox4x32-10 as figure 2 and section 3.2 of the paper describe it, on arrays. */
static void reference_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
    const uint64_t multiplier[2] = {0xD2511F53, 0xCD9E8D57};
    const uint32_t weyl[2] = {0x9E3779B9, 0xBB67AE85};
    memcpy(out, counter, 4 * sizeof *out);
    for (uint32_t round = 0; round < 10; round++) {
        uint32_t high[2], low[2];
        for (int i = 0; i < 2; i++) {
            uint64_t product = multiplier[i] * out[2 * i];
            high[i] = (uint32_t)(product / 0x100000000U);
            low[i] = (uint32_t)(product % 0x100000000U);
        }
        out[0] = high[1] ^ out[1] ^ (key[0] + round * weyl[0]);
        out[2] = high[0] ^ out[3] ^ (key[1] + round * weyl[1]);
        out[1] = low[1];
        out[3] = low[0];
    }
}

/* The known-answer vectors that are published with Random123. */
static void test_reference_knows_the_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        reference_philox(out, cases[i].counter, cases[i].key);
        assert_memory_equal(out, cases[i].answer, sizeof out);
    }
}

static void reference_block(uint32_t out[4], uint64_t key, uint64_t i, uint32_t lane) {
    const uint32_t counter[4] = {(uint32_t)i, (uint32_t)(i >> 32), lane, 0};
    const uint32_t keys[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    reference_philox(out, counter, keys);
}

static void test_bits_known_answer(void **state) {
    (void)state;
    assert_true(sn_rng_bits((sn_rng){0}, 0) == 0xe169c58d6627e8d5U);
}

static void test_bits_and_uniform_are_philox(void **state) {
    (void)state;
    const uint64_t keys[] = {0, 1, UINT64_MAX, 0x0123456789abcdefU, 0xffffffff00000000U};
    const uint64_t counters[] = {0, 1, 2, 1000, UINT32_MAX, 0x100000000U, 0xfedcba9876543210U, UINT64_MAX};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        for (size_t c = 0; c < sizeof counters / sizeof counters[0]; c++) {
            uint32_t w[4];
            reference_block(w, keys[k], counters[c], 0);
            uint64_t bits = w[0] + w[1] * 0x100000000U;
            assert_true(sn_rng_bits((sn_rng){keys[k]}, counters[c]) == bits);
            double uniform = (ldexp(w[1], 21) + floor(ldexp(w[0], -11))) * 0x1p-53;
            assert_true(sn_rng_uniform((sn_rng){keys[k]}, counters[c]) == uniform);
        }
    }
}

/* Box and Muller's formula on the second lane, in long double. */
static void test_normal_is_box_muller(void **state) {
    (void)state;
    const long double pi = acosl(-1.0L);
    for (uint64_t i = 0; i < 1000; i++) {
        uint32_t w[4];
        reference_block(w, 77, i, 1);
        long double u = (ldexpl(w[1], 21) + floorl(ldexpl(w[0], -11))) * 0x1p-53L;
        long double v = (ldexpl(w[3], 21) + floorl(ldexpl(w[2], -11))) * 0x1p-53L;
        long double expected = sqrtl(-2 * logl(1 - u)) * cosl(2 * pi * v);
        double got = sn_rng_normal((sn_rng){77}, i);
        assert_true(fabsl((long double)got - expected) <= 1e-14L);
        assert_true(isfinite(got));
    }
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The Kolmogorov-Smirnov statistic sqrt(n) D; above 1.95 once in a thousand samples of the right distribution. */
static double kolmogorov_smirnov(double *sample, size_t n, double (*distribution)(double)) {
    qsort(sample, n, sizeof *sample, compare_doubles);
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double f = distribution(sample[i]);
        worst = fmax(worst, fmax(f - (double)i / (double)n, (double)(i + 1) / (double)n - f));
    }
    return worst * sqrt((double)n);
}

static double uniform_distribution(double x) {
    return x;
}

static double normal_distribution(double x) {
    return 0.5 * erfc(-x / sqrt(2.0));
}

/* The mean of (x - centre)^power. */
static double moment(const double *sample, size_t n, double centre, int power) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow(sample[i] - centre, power);
    return sum / (double)n;
}

static double *draw(double (*value)(sn_rng, uint64_t), const char *label) {
    double *sample = malloc(N_DRAWS * sizeof *sample);
    assert_non_null(sample);
    sn_rng rng = sn_rng_stream(1, "test", label, 0);
    for (uint64_t i = 0; i < N_DRAWS; i++)
        sample[i] = value(rng, i);
    return sample;
}

static void test_uniform_statistics(void **state) {
    (void)state;
    double *u = draw(sn_rng_uniform, "uniform");
    double n = N_DRAWS;
    assert_true(fabs(moment(u, N_DRAWS, 0, 1) - 0.5) < 5 * sqrt(1.0 / 12 / n));
    assert_true(fabs(moment(u, N_DRAWS, 0.5, 2) - 1.0 / 12) < 5 * sqrt(1.0 / 180 / n));
    double serial = 0; /* neighbours are uncorrelated: variance of a product 1/144 */
    for (size_t i = 0; i + 1 < N_DRAWS; i++)
        serial += (u[i] - 0.5) * (u[i + 1] - 0.5);
    assert_true(fabs(serial / n) < 5 * sqrt(1.0 / 144 / n));
    assert_true(kolmogorov_smirnov(u, N_DRAWS, uniform_distribution) < 1.95);
    assert_true(u[0] >= 0 && u[N_DRAWS - 1] < 1); /* sorted by now */
    free(u);
}

static void test_normal_statistics(void **state) {
    (void)state;
    double *z = draw(sn_rng_normal, "normal");
    double n = N_DRAWS;
    assert_true(fabs(moment(z, N_DRAWS, 0, 1)) < 5 * sqrt(1 / n));
    assert_true(fabs(moment(z, N_DRAWS, 0, 2) - 1) < 5 * sqrt(2 / n));
    assert_true(fabs(moment(z, N_DRAWS, 0, 3)) < 5 * sqrt(15 / n));
    assert_true(fabs(moment(z, N_DRAWS, 0, 4) - 3) < 5 * sqrt(96 / n));
    assert_true(kolmogorov_smirnov(z, N_DRAWS, normal_distribution) < 1.95);
    double beyond = 0, share = 2 * normal_distribution(-3);
    for (size_t i = 0; i < N_DRAWS; i++)
        beyond += fabs(z[i]) > 3;
    assert_true(fabs(beyond / n - share) < 5 * sqrt(share / n));
    free(z);
}

/* Every bit is one in half of the draws. */
static void test_bits_are_fair(void **state) {
    (void)state;
    int n_ones[64] = {0};
    for (uint64_t i = 0; i < N_DRAWS; i++) {
        uint64_t bits = sn_rng_bits((sn_rng){5}, i);
        for (int b = 0; b < 64; b++)
            n_ones[b] += (int)(bits >> b & 1);
    }
    for (int b = 0; b < 64; b++)
        assert_true(fabs(n_ones[b] - N_DRAWS / 2.0) < 5 * sqrt(N_DRAWS / 4.0));
}

static double chi_square(const int *counts, size_t n, double expected) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

static void test_below(void **state) {
    (void)state;
    const sn_rng rng = {9};
    int counts[7] = {0};
    for (uint64_t i = 0; i < 70000; i++) {
        uint64_t k = sn_rng_below(rng, i, 7);
        assert_true(k < 7);
        counts[k]++;
        assert_int_equal(sn_rng_below(rng, i, 1), 0);
    }
    assert_true(chi_square(counts, 7, 10000) < 22.46); /* 6 degrees of freedom, one in a thousand */
    bool upper = false;
    const uint64_t huge = (1ULL << 63) + 1;
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t k = sn_rng_below(rng, i, huge);
        assert_true(k < huge);
        upper = upper || k > huge / 2;
    }
    assert_true(upper);
}

static void test_permutation_is_uniform(void **state) {
    (void)state;
    int counts[256] = {0};
    const uint64_t n_draws = 48000;
    for (uint64_t step = 0; step < n_draws; step++) {
        uint32_t p[4];
        sn_rng_permutation(sn_rng_stream(3, "order", "", step), p, 4);
        counts[p[0] << 6 | p[1] << 4 | p[2] << 2 | p[3]]++;
    }
    int used[24], n_used = 0;
    for (int i = 0; i < 256; i++) {
        if (counts[i] == 0) continue;
        assert_true(n_used < 24);
        used[n_used++] = counts[i];
    }
    assert_int_equal(n_used, 24);
    assert_true(chi_square(used, 24, (double)n_draws / 24) < 49.73); /* 23 degrees of freedom */
}

static void test_permutation_sizes(void **state) {
    (void)state;
    const uint32_t sizes[] = {0, 1, 2, 1000, 60000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint32_t n = sizes[s], n_fixed = 0;
        uint32_t *items = malloc((n + 1) * sizeof *items);
        bool *seen = calloc(n + 1, sizeof *seen);
        assert_true(items && seen);
        items[n] = 12345; /* stays: nothing is written past the end */
        sn_rng_permutation((sn_rng){n}, items, n);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(items[i] < n);
            assert_false(seen[items[i]]);
            seen[items[i]] = true;
            n_fixed += items[i] == i;
        }
        assert_int_equal(items[n], 12345);
        if (n >= 1000) assert_true(n_fixed <= 8); /* Poisson with mean 1 */
        free(items);
        free(seen);
    }
}

static void test_streams(void **state) {
    (void)state;
    const sn_rng base = sn_rng_stream(1, "init", "hidden1.weight", 0);
    assert_true(base.key == sn_rng_stream(1, "init", "hidden1.weight", 0).key);
    const sn_rng others[] = {
        sn_rng_stream(2, "init", "hidden1.weight", 0),          sn_rng_stream(1, "order", "hidden1.weight", 0),
        sn_rng_stream(1, "init", "hidden2.weight", 0),          sn_rng_stream(1, "init", "hidden1.weight", 1),
        sn_rng_stream(1, "inithidden1.weight", "", 0),          sn_rng_stream(1, "", "inithidden1.weight", 0),
        sn_rng_stream(1, "hidden1.weight", "init", 0),          sn_rng_stream(0, "init", "hidden1.weight", 1),
        sn_rng_stream(1ULL << 32, "init", "hidden1.weight", 0),
    };
    const double n = 10000;
    for (size_t s = 0; s < sizeof others / sizeof others[0]; s++) {
        assert_true(others[s].key != base.key);
        double product = 0, shifted = 0;
        for (uint64_t i = 0; i < 10000; i++) {
            double z = sn_rng_normal(base, i);
            product += z * sn_rng_normal(others[s], i);
            shifted += z * sn_rng_normal(others[s], i + 1);
        }
        assert_true(fabs(product / n) < 5 / sqrt(n));
        assert_true(fabs(shifted / n) < 5 / sqrt(n));
    }
}

/* Many streams, each used for one value: as good as one stream. */
static void test_first_values_across_streams(void **state) {
    (void)state;
    enum { N = 20000 };
    double *first = malloc(N * sizeof *first);
    assert_non_null(first);
    for (uint64_t step = 0; step < N; step++)
        first[step] = sn_rng_uniform(sn_rng_stream(1, "order", "", step), 0);
    assert_true(kolmogorov_smirnov(first, N, uniform_distribution) < 1.95);
    free(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_knows_the_answers),
        cmocka_unit_test(test_bits_known_answer),
        cmocka_unit_test(test_bits_and_uniform_are_philox),
        cmocka_unit_test(test_normal_is_box_muller),
        cmocka_unit_test(test_uniform_statistics),
        cmocka_unit_test(test_normal_statistics),
        cmocka_unit_test(test_bits_are_fair),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_permutation_is_uniform),
        cmocka_unit_test(test_permutation_sizes),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_first_values_across_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
