/* What an update did against what it was meant to do: constructed cases with known answers, the published shares of
 * updates that vanish in rounding, and sums of numbers whose squares are none. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "ops/table.h"
#include "support/check.h"
#include "support/rules.h"

enum { N = 4 };

/* Gradient descent. */
typedef struct descent {
    double lr, momentum, weight_decay, clip;
    bool nesterov;
} descent;

typedef struct stall_case {
    const char *name;
    descent sgd;
    double weight[N], velocity[N], gradient[N];
    double unchanged, intended, stalled;
    double sum_abs_change, sum_abs_intended; /* ANY: not stated */
} stall_case;

static const double HALF_ULP_F32 = 0x1p-24, HALF_ULP_F64 = 0x1p-53; /* of numbers in 1 .. 2 */

#define PLAIN(lr_)                                                                                                     \
    { .lr = (lr_), .clip = 1 }

/* Powers of two, so that the sums are exact; TINY in a gradient stands for 0.4 of half an ulp of 1. */
#define TINY 1e-300
#define ANY  ((double)NAN) /* not stated */

/* clang-format off */
static const stall_case cases[] = {
    /* sgd, weights, velocities, gradients; unchanged, intended, stalled, sum |change|, sum |intended| */
    {"none stalled", PLAIN(0.5),
     {1, 2, -1, 4}, {0}, {1, -1, 0.5, 2}, 0, 4, 0, 2.25, 2.25},
    {"all stalled", PLAIN(1),
     {1, 1.5, -1.25, 1.75}, {0}, {TINY, -TINY, TINY, TINY}, 4, 4, 4, 0, ANY},
    {"half of them", PLAIN(1),
     {1, 1.5, 0x1p-40, 0}, {0}, {TINY, TINY, TINY, TINY}, 2, 4, 2, ANY, ANY},
    {"exact zeros apart", PLAIN(1),
     {1, 1.5, 1, 1}, {0}, {TINY, 0, -0.0, 0.25}, 3, 2, 1, 0.25, ANY},
    {"only zeros", PLAIN(1),
     {1, 2, 3, 4}, {0}, {0, 0, 0, 0}, 4, 0, 0, 0, 0},
    {"lr 0", PLAIN(0),
     {1, 2, 3, 4}, {0}, {1, 1, 1, 1}, 4, 0, 0, 0, 0},
    {"momentum moves without gradient", {.lr = 0.5, .momentum = 0.5, .clip = 1},
     {1, 1, 1, 1}, {1, 2, 0, -1}, {0, 0, 0, 0.5}, 2, 2, 0, 0.75, 0.75},
    {"momentum carries what would be lost", {.lr = 1, .momentum = 0.5, .clip = 1},
     {1, 1, 1, 1}, {1, 1, 0, 0}, {TINY, TINY, TINY, TINY}, 2, 4, 2, 1, ANY},
    {"weight decay", {.lr = 0.5, .weight_decay = 0.5, .clip = 1},
     {1, 2, 0, -4}, {0}, {0, 0, 0, 1}, 1, 3, 0, 1.25, 1.25},
    {"weight decay cancels", {.lr = 0.5, .weight_decay = 0.5, .clip = 1},
     {1, 2, 1, 1}, {0}, {-0.5, -1, 0, -0.5}, 3, 1, 0, 0.25, 0.25},
    {"nesterov", {.lr = 0.5, .momentum = 0.5, .clip = 1, .nesterov = true},
     {1, 1, 1, 1}, {0.5, 0, 0, 0}, {0.25, 1, 0, 0}, 2, 2, 0, 1, 1},
    {"clip", {.lr = 1, .clip = 0.25},
     {1, 2, 3, 4}, {0}, {1, 2, 0, 4}, 1, 3, 0, 1.75, 1.75},
    {"clip stalls", {.lr = 1, .clip = 0x1p-60},
     {1, 2, 3, 0}, {0}, {1, 1, 0, 1}, 3, 3, 2, 0x1p-60, 3 * 0x1p-60},
    {"lost before it reaches the weight", PLAIN(1e-30),
     {1, 1, 1, 0}, {0}, {1e-20, 1e-20, 1e-20, 1e-20}, ANY, 4, ANY, ANY, ANY},
};
/* clang-format on */

/* Arrays of the backend's precision. */
typedef struct room {
    void *weight, *old_weight, *velocity, *old_velocity, *gradient;
} room;

static void *array(const sn_backend *backend, const double *values, size_t n) {
    void *memory = malloc(n * sn_dtype_size(backend->dtype));
    assert_non_null(memory);
    backend->from_double(memory, values, n);
    return memory;
}

static room make_room(const sn_backend *backend, const double *w, const double *v, const double *g, size_t n) {
    return (room){array(backend, w, n), array(backend, w, n), array(backend, v, n), array(backend, v, n),
                  array(backend, g, n)};
}

static void free_room(room *r) {
    free(r->weight);
    free(r->old_weight);
    free(r->velocity);
    free(r->old_velocity);
    free(r->gradient);
}

static sn_update_rule rule_of_descent(const descent *sgd) {
    char text[128];
    snprintf(text, sizeof text, "{\"momentum\": %g, \"weight_decay\": %g, \"nesterov\": %s}", sgd->momentum,
             sgd->weight_decay, sgd->nesterov ? "true" : "false");
    return rule_of(text);
}

/* One update of a tile of rows x cols, and its sums. */
static sn_change_sums update(const sn_backend *backend, const room *r, size_t rows, size_t cols, descent sgd) {
    sn_update_rule rule = rule_of_descent(&sgd);
    const sn_form_kernels *kernels = sn_rule_kernels(backend, &rule);
    sn_update_call call = {.rows = rows,
                           .cols = cols,
                           .weight = {r->weight, cols},
                           .gradient = {r->gradient, cols},
                           .numbers = rule_numbers(&rule, 0, sgd.lr, sgd.clip)};
    sn_tensor_sums gradient = backend->tensor_sums(call.gradient, rows, cols);
    sn_sumsq old_squares;
    sn_change_call change = {
        .update = &call, .old_weight = {r->old_weight, cols}, .gradient = &gradient, .old_squares = &old_squares};
    if (sn_rule_has_slot(&rule, 0)) {
        call.slots[0] = (sn_view){r->velocity, cols};
        change.old_slots[0] = (sn_view){r->old_velocity, cols};
    }
    kernels->update(&call);
    return kernels->change_sums(&change);
}

static bool is_as_stated(double value, double stated) {
    return isnan(stated) || value == stated;
}

static void check_case(const sn_backend *backend, const stall_case *c) {
    double gradient[N], half_ulp = backend->dtype == SN_F32 ? HALF_ULP_F32 : HALF_ULP_F64;
    for (int i = 0; i < N; i++)
        gradient[i] = fabs(c->gradient[i]) == TINY ? copysign(0.4 * half_ulp, c->gradient[i]) : c->gradient[i];
    room r = make_room(backend, c->weight, c->velocity, gradient, N);
    sn_change_sums sums = update(backend, &r, 2, 2, c->sgd);
    free_room(&r);
    if (sums.n != N || sums.intended != c->intended || !is_as_stated(sums.unchanged, c->unchanged) ||
        !is_as_stated(sums.stalled, c->stalled) || !is_as_stated(sums.sum_abs_change, c->sum_abs_change) ||
        !is_as_stated(sums.sum_abs_intended, c->sum_abs_intended)) {
        fail_msg("%s: unchanged %g, intended %g, stalled %g, change %.17g, meant %.17g", c->name, sums.unchanged,
                 sums.intended, sums.stalled, sums.sum_abs_change, sums.sum_abs_intended);
    }
}

static const sn_backend *backend_of(sn_dtype dtype) {
    sn_error error;
    const sn_backend *backend;
    assert_int_equal(sn_backend_select(&backend, dtype, &error), SN_OK);
    return backend;
}

static void test_cases(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(backend_of(SN_F32), &cases[i]);
        check_case(backend_of(SN_F64), &cases[i]);
    }
}

/* An update of exactly half an ulp is lost where the last bit of the weight is even, and not where it is odd; the
 * smallest number times a small lr is zero in float, but was meant. */
static void test_rounding(void **state) {
    (void)state;
    double w[2] = {1.5, 1.5 + 0x1p-23}, v[2] = {0}, g[2] = {0x1p-24, 0x1p-24};
    room r = make_room(backend_of(SN_F32), w, v, g, 2);
    sn_change_sums sums = update(backend_of(SN_F32), &r, 1, 2, (descent)PLAIN(1));
    assert_true(sums.intended == 2 && sums.stalled == 1);
    free_room(&r);
    double smallest[2] = {0x1p-149, 0x1p-149};
    r = make_room(backend_of(SN_F32), smallest, v, smallest, 2);
    sums = update(backend_of(SN_F32), &r, 1, 2, (descent)PLAIN(1e-3));
    assert_true(sums.intended == 2 && sums.stalled == 2 && sums.sum_abs_change == 0 && sums.sum_abs_intended > 0);
    free_room(&r);
}

/* The share of float weights that an update of lr 1 leaves as they are. */
static double lost_share(const double *w, const double *u, double scale, size_t n) {
    const sn_backend *backend = backend_of(SN_F32);
    double *scaled = malloc(n * sizeof *scaled);
    assert_non_null(scaled);
    for (size_t i = 0; i < n; i++)
        scaled[i] = scale * u[i];
    room r = make_room(backend, w, w, scaled, n);
    sn_change_sums sums = update(backend, &r, n / 1000, 1000, (descent)PLAIN(1));
    free_room(&r);
    free(scaled);
    assert_true(sums.n == (double)n && sums.intended == (double)n && sums.stalled == sums.unchanged);
    return sums.stalled / sums.n;
}

static void check_share(double share, double expected) {
    if (!(fabs(share - expected) < 0.001)) fail_msg("lost share %.5f, published %.4f", share, expected);
}

static void test_lost_shares(void **state) {
    (void)state;
    enum { COUNT = 3000000 };
    double *w = malloc(COUNT * sizeof *w), *u = malloc(COUNT * sizeof *u);
    assert_true(w && u);
    sn_rng weights = sn_rng_stream(1, "stall", "w", 0), updates = sn_rng_stream(1, "stall", "u", 0);
    for (size_t i = 0; i < COUNT; i++) {
        w[i] = sqrt(2.0 / 128) * sn_rng_normal(weights, i);
        u[i] = sn_rng_normal(updates, i);
    }
    check_share(lost_share(w, u, 1e-7, COUNT), 0.0342);
    check_share(lost_share(w, u, 1e-8, COUNT), 0.3113);
    check_share(lost_share(w, u, 1e-9, COUNT), 0.8784);
    check_share(lost_share(w, u, 1e-10, COUNT), 0.9877);
    for (size_t i = 0; i < COUNT; i++) {
        w[i] = (2 * sn_rng_uniform(weights, i) - 1) / sqrt(128);
        u[i] = 1;
    }
    check_share(lost_share(w, u, 3e-9, COUNT), 0.2929);
    check_share(lost_share(w, u, 1e-9, COUNT), 0.6464);
    check_share(lost_share(w, u, 1e-10, COUNT), 0.9779);
    free(w);
    free(u);
}

/* Sums of tiny doubles, whose squares are not numbers any more. */
static void test_tiny_squares(void **state) {
    (void)state;
    static const double scales[] = {1, 0x1p-300, 0x1p-560, 0x1p-1000, 0x1p600, 0x1p1000};
    const sn_backend *backend = backend_of(SN_F64);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        double x[6] = {3, -4, 0, 12, 84, 0};
        for (int i = 0; i < 6; i++)
            x[i] *= scales[s];
        sn_tensor_sums sums = {0};
        for (size_t row = 0; row < 3; row++) {
            sn_tensor_sums own = backend->tensor_sums((sn_view){x + 2 * row, 2}, 1, 2);
            sn_tensor_sums_merge(&sums, &own);
        }
        assert_true(sn_sumsq_norm(sums.squares) == 85 * scales[s]);
        assert_true(sn_sumsq_rms(sums.squares, 25) == 17 * scales[s]);
        assert_true(sums.n == 6 && sums.zeros == 2 && sums.max_abs == 84 * scales[s]);
        assert_true(sums.sum_abs == 103 * scales[s]);
    }
    double odd[5] = {0, 0x1p-1060, -0x1p-1074, (double)NAN, HUGE_VAL};
    sn_tensor_sums sums = backend->tensor_sums((sn_view){odd, 5}, 1, 5);
    assert_true(sums.zeros == 1 && sums.denormals == 2 && backend->count_nonfinite((sn_view){odd, 5}, 1, 5) == 2);
    assert_true(isnan(sums.sum_abs) && isnan(sums.max_abs) && isnan(sums.squares.sum));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_lost_shares),
        cmocka_unit_test(test_tiny_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
