/* The kernels of the statistics against plain sums in long double, on every SIMD path that runs here, in both
 * precisions: odd sizes, rows with gaps, denormals, values whose squares are no doubles, and every rule of the update.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "ops/table.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/rules.h"

enum { MOST = 3 * 200 };

static const size_t all_cols[] = {1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 130};
static const size_t all_gaps[] = {0, 3};

/* Values around `scale`; `odd` of a hundred are zeros of both signs, as many the least denormal number. */
typedef struct kind {
    double scale, odd;
    bool only_double;
} kind;

static const kind kinds[] = {
    {1, 0, false},     {1, 20, false},    {1e-30, 5, false}, {1e30, 5, false}, {1e-42, 5, false}, {0, 0, false},
    {1e-200, 0, true}, {1e-200, 5, true}, {1e200, 0, true},  {1e200, 5, true}, {1e-310, 5, true}, {1e-157, 5, true},
};

/* A matrix of the backend's precision, and its values. */
typedef struct matrix {
    double values[MOST];
    void *memory;
    sn_view view;
    size_t rows, cols;
} matrix;

static double value_at(const sn_backend *backend, sn_view view, size_t r, size_t c) {
    size_t at = r * view.ld + c;
    return backend->dtype == SN_F32 ? (double)((float *)view.data)[at] : ((double *)view.data)[at];
}

static void read_matrix(const sn_backend *backend, matrix *m) {
    for (size_t i = 0; i < m->rows * m->cols; i++)
        m->values[i] = value_at(backend, m->view, i / m->cols, i % m->cols);
}

/* The gaps between rows hold NaN. */
static void make_matrix(const sn_backend *backend, matrix *m, const double *values, size_t gap) {
    size_t ld = m->cols + gap, size = sn_dtype_size(backend->dtype);
    double nan_value = (double)NAN;
    m->memory = malloc(m->rows * ld * size);
    assert_non_null(m->memory);
    for (size_t i = 0; i < m->rows * ld; i++) {
        size_t r = i / ld, c = i % ld;
        backend->from_double((char *)m->memory + i * size, c < m->cols ? &values[r * m->cols + c] : &nan_value, 1);
    }
    m->view = (sn_view){m->memory, ld};
    read_matrix(backend, m);
}

static void draw(const sn_backend *backend, double *values, size_t n, const kind *k, const char *name) {
    sn_rng rng = sn_rng_stream(1, "sums", name, 0);
    for (size_t i = 0; i < n; i++) {
        double which = 100 * sn_rng_uniform(rng, 2 * i), x = 2 * sn_rng_uniform(rng, 2 * i + 1) - 1;
        double least = backend->dtype == SN_F32 ? 0x1p-149 : 0x1p-1074;
        values[i] = which < k->odd ? copysign(0, x) : which < 2 * k->odd ? copysign(least, x) : k->scale * x;
    }
}

static void near(double found, long double expected, long double scale, const char *what) {
    if (!(fabsl(found - expected) <= 1e-13L * scale)) fail_msg("%s: %.17g, expected %.17Lg", what, found, expected);
}

static void norm_is(sn_sumsq squares, const double *x, size_t n, const char *what) {
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (long double)x[i] * x[i];
    long double norm = sqrtl(sum);
    if (norm < DBL_MIN) norm = (double)norm;
    near(sn_sumsq_norm(squares), norm, norm + 0x1p-1030L, what);
}

static int n_scaled;

static void check_matrix(const sn_backend *backend, matrix *m) {
    size_t n = m->rows * m->cols;
    long double sum = 0, sum_abs = 0;
    double max = 0, zeros = 0, denormals = 0, least = backend->dtype == SN_F32 ? (double)FLT_MIN : DBL_MIN;
    for (size_t i = 0; i < n; i++) {
        double a = fabs(m->values[i]);
        sum += m->values[i];
        sum_abs += a;
        max = fmax(max, a);
        zeros += a == 0;
        denormals += a > 0 && a < least;
    }
    sn_signal_sums signal = backend->signal_sums(m->view, m->rows, m->cols);
    assert_true(signal.n == (double)n);
    near(signal.sum, sum, sum_abs, "sum");
    norm_is(signal.squares, m->values, n, "norm of a signal");
    sn_tensor_sums tensor = backend->tensor_sums(m->view, m->rows, m->cols);
    assert_true(tensor.n == (double)n && tensor.max_abs == max);
    assert_true(tensor.zeros == zeros && tensor.denormals == denormals);
    near(tensor.sum_abs, sum_abs, sum_abs, "sum of magnitudes");
    norm_is(tensor.squares, m->values, n, "norm of a tensor");
    assert_true(backend->count_nonfinite(m->view, m->rows, m->cols) == 0);
    n_scaled += tensor.squares.exponent != 0;
}

static void check_sums(const sn_backend *backend, const kind *k, size_t cols, size_t gap) {
    double values[MOST];
    matrix m = {.rows = 3, .cols = cols};
    draw(backend, values, MOST, k, "values");
    make_matrix(backend, &m, values, gap);
    check_matrix(backend, &m);
    free(m.memory);
}

/* One value that is not finite, at every place of a row. */
static void check_nonfinite(const sn_backend *backend, size_t cols) {
    for (size_t at = 0; at < 3 * cols; at += cols / 3 + 1) {
        double values[MOST];
        matrix m = {.rows = 3, .cols = cols};
        draw(backend, values, MOST, &kinds[0], "values");
        values[at] = at % 2 ? (double)NAN : -HUGE_VAL;
        make_matrix(backend, &m, values, 1);
        sn_tensor_sums tensor = backend->tensor_sums(m.view, 3, cols);
        assert_true(at % 2 ? isnan(tensor.max_abs) : isinf(tensor.max_abs));
        assert_true(!isfinite(tensor.sum_abs) && !isfinite(tensor.squares.sum));
        assert_true(!isfinite(backend->signal_sums(m.view, 3, cols).squares.sum));
        assert_true(backend->count_nonfinite(m.view, 3, cols) == 1);
        free(m.memory);
    }
}

typedef struct update_case {
    const char *optimizer;
    double lr, clip;
    kind gradient;
    bool only_double;
    double weight; /* scale */
} update_case;

static const char momentum[] = "{\"momentum\": 0.9}", nesterov[] = "{\"momentum\": 0.9, \"nesterov\": true}";

static const update_case updates[] = {
    {"\"sgd\"", 0.5, 1, {1e-3, 0, false}, false, 1},
    {"\"sgd\"", 0.5, 1, {1e-7, 10, false}, false, 1},
    {"{\"weight_decay\": 0.1}", 0.5, 0.25, {1e-7, 10, false}, false, 1},
    {momentum, 0.5, 1, {1e-7, 10, false}, false, 1},
    {"{\"momentum\": 0.9, \"weight_decay\": 1e-7}", 0.5, 1, {1e-8, 10, false}, false, 1},
    {nesterov, 0.5, 1, {1e-7, 10, false}, false, 1},
    {"\"sgd\"", 1e-310, 1, {1e-20, 10, false}, false, 1}, /* some of it is zero even in double */
    {"\"sgd\"", 0, 1, {1, 10, false}, false, 1},
    {"{\"momentum\": 0.5}", 0, 1, {1, 10, false}, false, 1},
    {"\"sgd\"", 0.5, 1, {1e-16, 10, false}, true, 1},
    {"{\"weight_decay\": 1e-16}", 0.5, 1, {1e-16, 10, false}, true, 1},
    {momentum, 0.5, 1, {1e-16, 10, false}, true, 1},
    {nesterov, 0.5, 1, {1e-16, 10, false}, true, 1},
    {"\"sgd\"", 0.5, 1, {1e-200, 10, false}, true, 1e-200},
    {"\"sgd\"", 0.5, 1, {1e200, 0, false}, true, 1e200},
    {"\"sgd\"", 0.5, 1, {1e-310, 10, false}, true, 1e-310},
    {"\"adam\"", 1e-3, 0.5, {1e-3, 5, false}, false, 1},
    {"\"adam\"", 1e-7, 1, {1e-12, 5, false}, false, 1},
    {"{\"kind\": \"adam\", \"amsgrad\": true, \"weight_decay\": 0.1}", 1e-6, 1, {1e-2, 5, false}, false, 1},
    {"{\"kind\": \"adam\", \"betas\": [0, 0], \"eps\": 0.25}", 1e-6, 1, {1e-2, 5, false}, false, 1},
    {"{\"kind\": \"adamw\", \"amsgrad\": true}", 1e-6, 2, {1e-2, 5, false}, false, 1},
    {"\"adamw\"", 1e-6, 2, {1e-2, 5, false}, false, 1},
    {"\"rmsprop\"", 1e-7, 0.5, {1e-2, 5, false}, false, 1},
    {"{\"kind\": \"rmsprop\", \"centered\": true}", 1e-7, 1, {1e-2, 5, false}, false, 1},
    {"{\"kind\": \"rmsprop\", \"momentum\": 0.9}", 1e-7, 1, {1e-2, 5, false}, false, 1},
    {"{\"kind\": \"rmsprop\", \"momentum\": 0.9, \"centered\": true, \"weight_decay\": 1e-3}",
     1e-7,
     1,
     {1e-2, 5, false},
     false,
     1},
    {"\"lion\"", 3e-8, 1, {1e-9, 5, false}, false, 1},
    {"{\"kind\": \"lion\", \"weight_decay\": 0.5}", 3e-8, 1, {1e-9, 5, false}, false, 1},
};
enum { N_UPDATES = sizeof updates / sizeof *updates };

/* The tile before the update, and the matrices of the update. */
typedef struct tile {
    matrix old_weight, weight, gradient, old_slots[SN_MAX_SLOTS], slots[SN_MAX_SLOTS];
} tile;

static int n_stalled, n_changed;

/* In double, what was done is what was meant, but for rounding. */
static void compare_update(const sn_backend *backend, double did, double meant, double weight, const char *optimizer) {
    double tolerance = 1e-12 * (fabs(meant) + fabs(weight));
    if (backend->dtype == SN_F64 && !(fabs(did + meant) <= tolerance + 0x1p-1070))
        fail_msg("%s: the weight changed by %g, meant was %g", optimizer, did, -meant);
}

static void compare_change(const sn_backend *backend, const update_case *c, const sn_update_numbers *numbers,
                           const tile *t, const sn_change_sums *sums) {
    sn_update_rule rule = rule_of(c->optimizer);
    size_t n = t->weight.rows * t->weight.cols;
    long double sum_abs = 0, sum_meant = 0;
    double change[MOST], same = 0, intended = 0, stalled = 0;
    for (size_t i = 0; i < n; i++) {
        double before = t->old_weight.values[i], after = t->weight.values[i], state[SN_MAX_SLOTS] = {0};
        for (int k = 0; k < SN_MAX_SLOTS; k++)
            if (sn_rule_has_slot(&rule, k)) state[k] = t->old_slots[k].values[i];
        double meant = rule_meant(&rule, numbers, before, t->gradient.values[i], state);
        bool is_same = before == after && !signbit(before) == !signbit(after);
        change[i] = after - before;
        compare_update(backend, change[i], meant, before, c->optimizer);
        sum_abs += fabs(change[i]);
        sum_meant += fabs(meant);
        same += is_same;
        intended += meant != 0;
        stalled += is_same && meant != 0;
    }
    if (sums->n != (double)n || sums->unchanged != same || sums->intended != intended || sums->stalled != stalled) {
        fail_msg("%s: unchanged %g %g, intended %g %g, stalled %g %g of %d", c->optimizer, sums->unchanged, same,
                 sums->intended, intended, sums->stalled, stalled, (int)n);
    }
    near(sums->sum_abs_change, sum_abs, sum_abs, "sum of changes");
    near(sums->sum_abs_intended, sum_meant, sum_meant + 0x1p-1030L, c->optimizer);
    norm_is(sums->change, change, n, "norm of the change");
    n_stalled += stalled > 0 && stalled < intended;
    n_changed += same < (double)n;
}

/* State as it can be: the average of squares is not below the square of the average. */
static void open_slots(const sn_backend *backend, tile *t, const sn_update_rule *rule, const kind *k, size_t gap) {
    double v[MOST], squares[MOST];
    draw(backend, v, MOST, k, "v");
    for (size_t i = 0; i < MOST; i++)
        squares[i] = 2 * v[i] * v[i];
    for (int s = 0; s < SN_MAX_SLOTS; s++) {
        const double *values = rule->optimizer->slots[s] && strstr(rule->optimizer->slots[s], "sq") ? squares : v;
        t->slots[s] = t->old_slots[s] = (matrix){.rows = 3, .cols = t->weight.cols};
        if (!sn_rule_has_slot(rule, s)) continue;
        make_matrix(backend, &t->slots[s], values, gap);
        make_matrix(backend, &t->old_slots[s], values, 0);
    }
}

static void open_tile(const sn_backend *backend, tile *t, const update_case *c, size_t cols, size_t gap) {
    double w[MOST], g[MOST];
    matrix *all[] = {&t->old_weight, &t->weight, &t->gradient};
    double *values[] = {w, w, g};
    sn_update_rule rule = rule_of(c->optimizer);
    draw(backend, w, MOST, &(kind){.scale = c->weight, .odd = 3}, "w");
    draw(backend, g, MOST, &c->gradient, "g");
    for (size_t i = 0; i < 3; i++) {
        *all[i] = (matrix){.rows = 3, .cols = cols};
        make_matrix(backend, all[i], values[i], i % 2 ? 0 : gap);
    }
    open_slots(backend, t, &rule, &c->gradient, gap);
}

static void close_tile(tile *t) {
    free(t->old_weight.memory);
    free(t->weight.memory);
    free(t->gradient.memory);
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        free(t->slots[k].memory);
        free(t->old_slots[k].memory);
    }
}

static void check_change(const sn_backend *backend, const update_case *c, size_t cols, size_t gap) {
    tile t;
    sn_sumsq old_squares;
    sn_update_rule rule = rule_of(c->optimizer);
    const sn_form_kernels *kernels = sn_rule_kernels(backend, &rule);
    open_tile(backend, &t, c, cols, gap);
    sn_update_call update = {.rows = 3,
                             .cols = cols,
                             .weight = t.weight.view,
                             .gradient = t.gradient.view,
                             .numbers = rule_numbers(&rule, 2, c->lr, c->clip)};
    sn_change_call call = {.update = &update, .old_weight = t.old_weight.view, .old_squares = &old_squares};
    for (int k = 0; k < SN_MAX_SLOTS; k++)
        update.slots[k] = t.slots[k].view, call.old_slots[k] = t.old_slots[k].view;
    sn_tensor_sums gradient = backend->tensor_sums(update.gradient, 3, cols);
    call.gradient = &gradient;
    assert_true(kernels->update(&update));
    read_matrix(backend, &t.weight);
    sn_change_sums sums = kernels->change_sums(&call);
    compare_change(backend, c, &update.numbers, &t, &sums);
    norm_is(old_squares, t.old_weight.values, 3 * cols, "norm of the weights");
    close_tile(&t);
}

static bool has_case(const sn_optimizer *optimizer, int form) {
    for (size_t i = 0; i < N_UPDATES; i++) {
        sn_update_rule rule = rule_of(updates[i].optimizer);
        if (rule.optimizer == optimizer && rule.form == form) return true;
    }
    return false;
}

static void check_forms(const sn_backend *backend, size_t number) {
    const sn_optimizer *optimizer = sn_optimizers[number];
    for (int form = 0; form < SN_MAX_FORMS && backend->optimizers[number]->forms[form].update; form++)
        if (!has_case(optimizer, form)) fail_msg("no update of %s, form %d, in this file", optimizer->kind.name, form);
}

/* No optimizer, and no form of one, is without a case. */
static void test_every_form(void **state) {
    (void)state;
    const sn_backend *backend;
    sn_error error;
    assert_int_equal(sn_backend_select(&backend, SN_F32, &error), SN_OK);
    for (size_t i = 0; sn_optimizers[i]; i++)
        check_forms(backend, i);
}

static void check_backend(const sn_backend *backend, size_t cols, size_t gap) {
    bool is_double = backend->dtype == SN_F64;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (is_double || !kinds[i].only_double) check_sums(backend, &kinds[i], cols, gap);
    }
    for (size_t i = 0; i < N_UPDATES; i++) {
        if (is_double || !updates[i].only_double) check_change(backend, &updates[i], cols, gap);
    }
    check_nonfinite(backend, cols);
}

static void check_precision(const char *simd, sn_dtype dtype) {
    sn_error error;
    const sn_backend *backend;
    setenv("SKIPNET_SIMD", simd, 1);
    if (sn_backend_select(&backend, dtype, &error)) return; /* this processor does not run it */
    n_scaled = n_stalled = n_changed = 0;
    for (size_t i = 0; i < sizeof all_cols / sizeof *all_cols; i++) {
        for (size_t g = 0; g < sizeof all_gaps / sizeof *all_gaps; g++)
            check_backend(backend, all_cols[i], all_gaps[g]);
    }
    assert_true(n_stalled > 20 && n_changed > 20);
    assert_int_equal(n_scaled > 20, dtype == SN_F64);
}

static void same_bits(const double *a, const double *b, size_t n, const char *simd) {
    if (memcmp(a, b, n * sizeof *a) != 0) fail_msg("%s: sums have other bits than on the path before it", simd);
}

enum { N_SUMS = 5 };

static void sums_of(const sn_backend *backend, const kind *k, size_t cols, size_t gap, double sums[N_SUMS]) {
    double values[MOST];
    matrix m = {.rows = 3, .cols = cols};
    draw(backend, values, MOST, k, "values");
    make_matrix(backend, &m, values, gap);
    sn_signal_sums signal = backend->signal_sums(m.view, m.rows, cols);
    sn_tensor_sums tensor = backend->tensor_sums(m.view, m.rows, cols);
    const double found[N_SUMS] = {signal.sum, signal.squares.sum, signal.squares.exponent, tensor.sum_abs,
                                  tensor.squares.sum};
    memcpy(sums, found, sizeof found);
    free(m.memory);
}

/* The order of a sum does not depend on the width of vectors.  Squares of floats are exact in double, so the generic
 * path, whose products and sums are rounded apart, agrees where data are floats. */
static void same_on_paths(sn_dtype dtype, size_t cols, size_t gap) {
    const sn_backend *backends[MOST_BACKENDS];
    size_t n = runnable_backends(backends, dtype);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (dtype == SN_F32 && kinds[k].only_double) continue;
        double sums[MOST_BACKENDS][N_SUMS];
        for (size_t i = 0; i < n; i++)
            sums_of(backends[i], &kinds[k], cols, gap, sums[i]);
        for (size_t i = dtype == SN_F32 ? 1 : 2; i < n; i++)
            same_bits(sums[i - 1], sums[i], N_SUMS, backends[i]->simd);
    }
}

static void test_paths(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof all_cols / sizeof *all_cols; i++) {
        for (size_t g = 0; g < sizeof all_gaps / sizeof *all_gaps; g++) {
            same_on_paths(SN_F32, all_cols[i], all_gaps[g]);
            same_on_paths(SN_F64, all_cols[i], all_gaps[g]);
        }
    }
}

static void test_kernels(void **state) {
    (void)state;
    static const char *const names[] = {"generic", "avx2", "avx512"};
    const char *environment = getenv("SKIPNET_SIMD");
    char *kept = environment ? strdup(environment) : NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_precision(names[i], SN_F32);
        check_precision(names[i], SN_F64);
    }
    if (kept) setenv("SKIPNET_SIMD", kept, 1);
    if (!kept) unsetenv("SKIPNET_SIMD");
    free(kept);
}

/* Sums of squares with exponents, in any order of merging. */
static void test_merge(void **state) {
    (void)state;
    static const sn_sumsq parts[] = {{0, 0}, {2, 0}, {1, -600}, {3, 600}, {0, 0}, {4, 600}};
    for (size_t first = 0; first < 6; first++) {
        sn_sumsq sum = {0, 0};
        for (size_t i = 0; i < 6; i++)
            sn_sumsq_merge(&sum, parts[(first + i) % 6]);
        assert_true(sum.sum == 7 && sum.exponent == 600);
    }
    sn_sumsq small = {2, 0};
    sn_sumsq_merge(&small, (sn_sumsq){8, -1});
    assert_true(small.sum == 4 && small.exponent == 0);
    small = (sn_sumsq){8, -1};
    sn_sumsq_merge(&small, (sn_sumsq){2, 0});
    assert_true(small.sum == 4 && small.exponent == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels), cmocka_unit_test(test_paths),
                                       cmocka_unit_test(test_every_form), cmocka_unit_test(test_merge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
