/* The counts of exponents against frexp, one element at a time, on every SIMD path that runs here, in both precisions:
 * random bits (all exponents, denormals, infinities, NaN), values in a narrow range with zeros among them, differences
 * that rounding would carry to the next power of two, odd sizes, rows with gaps. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "support/check.h"

enum { ROWS = 3, MOST_COLS = 6000 };

/* Up to several blocks of the kernel, and what a tile has. */
static const size_t all_cols[] = {1, 2, 7, 15, 16, 31, 32, 33, 64, 127, 130, 784, 4096, MOST_COLS};

typedef enum content { RANDOM_BITS, NARROW, HALF_ZEROS, DENORMALS, WIDE, N_CONTENTS } content;

typedef struct matrix {
    void *memory;
    sn_view view;
} matrix;

static bool is_float(const sn_backend *backend) {
    return backend->dtype == SN_F32;
}

static double value_at(const sn_backend *backend, sn_view view, size_t r, size_t c) {
    size_t at = r * view.ld + c;
    return is_float(backend) ? (double)((float *)view.data)[at] : ((double *)view.data)[at];
}

/* Some bits of their own for every exponent, of either precision. */
static double random_bits(const sn_backend *backend, uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float narrow;
    double wide;
    memcpy(&narrow, &low, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return is_float(backend) ? (double)narrow : wide;
}

static double draw(const sn_backend *backend, content what, sn_rng rng, uint64_t i) {
    double x = 2 * sn_rng_uniform(rng, 2 * i) - 1, other = sn_rng_uniform(rng, 2 * i + 1);
    double least_normal = is_float(backend) ? 0x1p-126 : 0x1p-1022;
    switch (what) {
    case RANDOM_BITS:
        return random_bits(backend, (uint64_t)(other * 0x1p32) << 32 | (uint64_t)(fabs(x) * 0x1p32));
    case NARROW:
        return 0.1 * x;
    case HALF_ZEROS:
        return other < 0.5 ? copysign(0, x) : x;
    case DENORMALS:
        return x * least_normal * exp2(-20 * other);
    default:
        return x * exp2(-100 * other);
    }
}

/* The gaps between rows hold NaN. */
static void make_matrix(const sn_backend *backend, matrix *m, content what, size_t cols, size_t gap, uint64_t seed) {
    size_t ld = cols + gap, size = sn_dtype_size(backend->dtype);
    sn_rng rng = sn_rng_stream(seed, "exponents", "values", 0);
    m->memory = malloc(ROWS * ld * size);
    assert_non_null(m->memory);
    for (size_t i = 0; i < ROWS * ld; i++) {
        double value = i % ld < cols ? draw(backend, what, rng, i) : (double)NAN;
        backend->from_double((char *)m->memory + i * size, &value, 1);
    }
    m->view = (sn_view){m->memory, ld};
}

static void open_counts(const sn_backend *backend, sn_exponents *counts) {
    *counts = (sn_exponents){.least = is_float(backend) ? SN_LEAST_EXPONENT_F32 : SN_LEAST_EXPONENT_F64};
    counts->counts = calloc(is_float(backend) ? SN_N_EXPONENTS_F32 : SN_N_EXPONENTS_F64, sizeof *counts->counts);
    assert_non_null(counts->counts);
}

static void count_value(sn_exponents *counts, double x) {
    int exponent;
    if (isnan(x)) {
        counts->nans++;
    } else if (isinf(x)) {
        counts->infinite++;
    } else if (frexp(x, &exponent) == 0) { /* a magnitude of 0.5 to 1, times 2^exponent */
        counts->zeros++;
    } else {
        ++*sn_exponents_range(counts, exponent - 1, exponent - 1);
    }
}

/* The exponent of the exact difference is that of the rounded one, unless this is a power of two that the exact one
 * does not reach; any number between half of it and itself has the right exponent. */
static double difference(const sn_backend *backend, double a, double b) {
    double d = is_float(backend) ? (double)((float)a - (float)b) : a - b;
    if (isinf(d) && isfinite(a) && isfinite(b)) return is_float(backend) ? (double)FLT_MAX : DBL_MAX;
    if (!isfinite(d) || d == 0) return d;
    int exponent;
    bool is_power = fabs(frexp(d, &exponent)) == 0.5;
    double greater = fabs(a) > fabs(b) ? a : -b, less = greater == a ? -b : a; /* exact: d - greater */
    bool falls_short = (less - (d - greater)) * (d > 0 ? 1 : -1) < 0;
    return is_power && falls_short ? 0.75 * d : d;
}

static void counts_are(const sn_backend *backend, const sn_exponents *found, const sn_exponents *expected) {
    assert_true(found->zeros == expected->zeros && found->nans == expected->nans);
    assert_true(found->infinite == expected->infinite);
    int n = is_float(backend) ? SN_N_EXPONENTS_F32 : SN_N_EXPONENTS_F64;
    for (int i = 0; i < n; i++) {
        bool is_inside = i >= found->begin && i < found->end;
        if (found->counts[i] == expected->counts[i] && (is_inside || found->counts[i] == 0)) continue;
        fail_msg("%s: %d values of exponent %d, expected %d", backend->simd, (int)found->counts[i], found->least + i,
                 (int)expected->counts[i]);
    }
}

static uint64_t n_zeros, n_nans, n_infinite, n_denormals;

static void note_kinds(const sn_backend *backend, const sn_exponents *counts) {
    n_zeros += counts->zeros;
    n_nans += counts->nans;
    n_infinite += counts->infinite;
    int n = is_float(backend) ? 23 : 52;
    for (int i = 0; i < n; i++)
        n_denormals += counts->counts[i];
}

static void check(const sn_backend *backend, sn_view x, sn_view minus, size_t cols) {
    sn_exponents found, expected;
    open_counts(backend, &found);
    open_counts(backend, &expected);
    for (size_t i = 0; i < ROWS * cols; i++) {
        double value = value_at(backend, x, i / cols, i % cols);
        if (minus.data) value = difference(backend, value, value_at(backend, minus, i / cols, i % cols));
        count_value(&expected, value);
    }
    sn_exponents_call call = {.rows = ROWS, .cols = cols, .x = x, .minus = minus, .counts = &found};
    backend->count_exponents(&call);
    assert_true(sn_exponents_total(&found) == ROWS * cols);
    counts_are(backend, &found, &expected);
    note_kinds(backend, &found);
    backend->count_exponents(&call); /* adds to what is there */
    sn_exponents_merge(&expected, &expected);
    counts_are(backend, &found, &expected);
    sn_exponents_clear(&found);
    assert_true(sn_exponents_total(&found) == 0);
    free(found.counts);
    free(expected.counts);
}

/* Every content, and the difference of every two. */
static void check_size(const sn_backend *backend, size_t cols, size_t gap) {
    matrix x, minus;
    for (content a = 0; a < N_CONTENTS; a++) {
        make_matrix(backend, &x, a, cols, gap, 1);
        check(backend, x.view, (sn_view){NULL, 0}, cols);
        check(backend, x.view, x.view, cols);
        for (content b = 0; b < N_CONTENTS; b++) {
            make_matrix(backend, &minus, b, cols, gap == 0 ? 2 : 0, 2);
            check(backend, x.view, minus.view, cols);
            free(minus.memory);
        }
        free(x.memory);
    }
}

/* Differences that rounding carries to the next power of two, or beyond all numbers. */
static void check_rounding(const sn_backend *backend) {
    static const double pairs[][2] = {
        {1, 0x1p-30},  {-1, -0x1p-60},       {1, -0x1p-30},          {0x1p-40, 1},          {-0x1p-70, -0x1p10},
        {0x1p-149, 0}, {0x1p-149, 0x1p-126}, {0x1.8p-126, 0x1p-126}, {HUGE_VAL, HUGE_VAL},  {HUGE_VAL, 1},
        {-0.0, 0},     {0x1p127, -0x1p127},  {0x1p1023, -0x1p1023},  {0x1p-1074, 0x1p-1022}};
    enum { N = sizeof pairs / sizeof *pairs };
    double memory[2][ROWS * N];
    size_t size = sn_dtype_size(backend->dtype);
    for (size_t i = 0; i < 2 * ROWS * N; i++)
        backend->from_double((char *)memory[i % 2] + i / 2 * size, &pairs[i / 2 % N][i % 2], 1);
    check(backend, (sn_view){memory[0], N}, (sn_view){memory[1], N}, N);
    sn_exponents counts;
    open_counts(backend, &counts);
    backend->count_exponents(
        &(sn_exponents_call){.rows = 1, .cols = 1, .x = {memory[0], 1}, .minus = {memory[1], 1}, .counts = &counts});
    assert_true(counts.counts[-1 - counts.least] == 1 && sn_exponents_total(&counts) == 1); /* 1 - 2^-30 */
    free(counts.counts);
}

static void check_precision(const char *simd, sn_dtype dtype) {
    const sn_backend *backend;
    sn_error error;
    sn_error_clear(&error);
    setenv("SKIPNET_SIMD", simd, 1);
    if (sn_backend_select(&backend, dtype, &error) != SN_OK) return; /* this CPU cannot */
    for (size_t i = 0; i < sizeof all_cols / sizeof *all_cols; i++) {
        check_size(backend, all_cols[i], 0);
        check_size(backend, all_cols[i], 3);
    }
    check_rounding(backend);
}

static void test_kernels(void **state) {
    (void)state;
    static const char *const simds[] = {"generic", "avx2", "avx512"};
    const char *forced = getenv("SKIPNET_SIMD");
    char *kept = forced ? strdup(forced) : NULL;
    for (size_t i = 0; i < sizeof simds / sizeof *simds; i++) {
        check_precision(simds[i], SN_F32);
        check_precision(simds[i], SN_F64);
    }
    assert_true(n_zeros > 1000 && n_nans > 100 && n_infinite > 0 && n_denormals > 1000);
    if (kept) setenv("SKIPNET_SIMD", kept, 1);
    if (!kept) unsetenv("SKIPNET_SIMD");
    free(kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
