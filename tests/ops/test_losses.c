/* The losses at outputs where formulas as they stand in the books break down: values and gradients known in closed
 * form.  With q = exp(-50), 1 + q is 1 in double, so what is right by far is q to the last digits.  And panels of any
 * number of samples, whose idle lanes must not matter. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "ops/objective.h"
#include "ops/table.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/net.h"

enum { N = 2 };

static const double Q = 1.9287498479639178e-22, ACCURACY = 1e-15;

/* Outputs of a sample of two classes, whose label is 0, and what comes of them. */
typedef struct row {
    const char *loss;
    double z[N];
    double value, gradient[N]; /* of a call of weight 1 */
    bool is_right;
} row;

#define WEIGHTED "{\"class_weights\": [3, 1]}"
#define SMOOTHED "{\"label_smoothing\": 0.1}"
#define UNWANTED "{\"label_smoothing\": 0.1, \"class_weights\": [0, 2]}"
#define SOFTMAX  "\"softmax_cross_entropy\""
#define BINARY   "\"binary_cross_entropy\""
#define SQUARED  "\"mean_squared_error\""
#define HINGE    "\"hinge\""

static const row rows[] = {
    {SOFTMAX, {50, 0}, Q, {-Q, Q}, true},
    {SOFTMAX, {-800, 800}, 1600, {-1, 1}, false},
    {SOFTMAX, {0, 0}, M_LN2, {-0.5, 0.5}, true}, /* the first of equals counts */
    {WEIGHTED, {50, 0}, 3 * Q, {-3 * Q, 3 * Q}, true},
    {WEIGHTED, {-800, 800}, 4800, {-3, 3}, false},
    {SMOOTHED, {800, -800}, 80, {0.05, -0.05}, true},
    {SMOOTHED, {-800, 800}, 1520, {-0.95, 0.95}, false},
    {UNWANTED, {0, 50}, 0.1 * Q, {0.1 * Q, -0.1 * Q}, false}, /* all mass is on class 1 */
    {BINARY, {50, -50}, Q, {-Q / 2, Q / 2}, true},
    {BINARY, {-800, 800}, 800, {-0.5, 0.5}, false},
    {BINARY, {0, 0}, M_LN2, {-0.25, 0.25}, true},
    {SQUARED, {3, -1}, 2.5, {2, -1}, true},
    {HINGE, {1, 0}, 0, {0, 0}, true}, /* at the bend, by no more than the margin */
    {HINGE, {0, 1}, 1, {-0.5, 0.5}, false},
    {"{\"kind\": \"hinge\", \"p\": 2, \"margin\": 3, \"class_weights\": [4, 1]}", {1, 0}, 8, {-8, 8}, true},
};

static sn_dataset two_classes(void) {
    static const uint32_t labels[] = {0, 1};
    return (sn_dataset){.out_dim = N, .is_classes = true, .train = {.n = 2, .labels = labels}};
}

/* A panel of outputs of two classes or targets, and what comes of it, as doubles. */
typedef struct panel {
    size_t samples, lanes;
    const double *z;         /* (samples, N) */
    const uint32_t *indices; /* (samples) */
    sn_loss_sums sums;
    double dz[N][SN_PANEL];
} panel;

static double element(const void *data, size_t i, sn_dtype dtype) {
    return dtype == SN_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

/* Idle lanes repeat the last sample; what lies behind the lanes is NaN, and the gradient there stays NaN. */
static void evaluate_panel(panel *p, const sn_backend *backend, const sn_objective *objective,
                           const sn_samples *samples) {
    double z[N][SN_PANEL], unset[N * SN_PANEL], y[N * SN_PANEL], dy[N * SN_PANEL];
    for (size_t i = 0; i < N * SN_PANEL; i++) {
        size_t j = i / SN_PANEL, l = i % SN_PANEL, sample = l < p->samples ? l : p->samples - 1;
        z[j][l] = l < p->lanes ? p->z[sample * N + j] : (double)NAN;
        unset[i] = (double)NAN;
    }
    backend->from_double(y, z[0], N * SN_PANEL);
    backend->from_double(dy, unset, N * SN_PANEL);
    sn_loss_call call = {.attributes = objective->attributes,
                         .one_hot = objective->one_hot,
                         .rows = p->samples,
                         .width = N,
                         .lanes = p->lanes,
                         .y = {y, N * SN_PANEL},
                         .samples = samples,
                         .indices = p->indices,
                         .dy = {dy, N * SN_PANEL},
                         .weight = 1};
    p->sums = backend->losses[sn_loss_index(objective->loss)]->evaluate(&call);
    for (size_t i = 0; i < N * SN_PANEL; i++)
        p->dz[i / SN_PANEL][i % SN_PANEL] = element(dy, i, backend->dtype);
}

/* One sample, by the backend of the environment. */
static panel evaluate(const sn_objective *objective, const sn_samples *samples, const double z[N]) {
    static const uint32_t index = 0;
    static sn_error error;
    const sn_backend *backend;
    assert_int_equal(sn_backend_select(&backend, SN_F64, &error), SN_OK);
    panel p = {.samples = 1, .lanes = SN_PANEL, .z = z, .indices = &index};
    evaluate_panel(&p, backend, objective, samples);
    return p;
}

static bool is_near(double value, double expected) {
    return fabs(value - expected) <= ACCURACY * fabs(expected);
}

static void test_closed_forms(void **state) {
    (void)state;
    sn_dataset data = two_classes();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *r = &rows[i];
        test_loss loss = loss_open(r->loss, &data);
        panel p = evaluate(&loss.objective, &data.train, r->z);
        double first = p.dz[0][0], second = p.dz[1][0];
        if (!is_near(p.sums.loss, r->value) || !is_near(first, r->gradient[0]) || !is_near(second, r->gradient[1]))
            fail_msg("%s at %g, %g: loss %.17g, gradient %.17g, %.17g", r->loss, r->z[0], r->z[1], p.sums.loss, first,
                     second);
        assert_int_equal(p.sums.correct, r->is_right);
        loss_close(&loss);
    }
}

static void check_nan(const char *config, const double z[N]) {
    sn_dataset data = two_classes();
    test_loss loss = loss_open(config, &data);
    sn_loss_sums sums = evaluate(&loss.objective, &data.train, z).sums;
    if (!isnan(sums.loss) || sums.correct != 0) fail_msg("%s: %g, %g", config, sums.loss, sums.correct);
    loss_close(&loss);
}

/* What is not a number is seen, at the label and elsewhere, and is never right. */
static void test_nan(void **state) {
    (void)state;
    static const double at_label[] = {(double)NAN, 0}, elsewhere[] = {1, (double)NAN};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_nan(rows[i].loss, at_label);
        check_nan(rows[i].loss, elsewhere);
    }
}

/* Targets between 0 and 1, of which both sides cost something. */
static void test_shares(void **state) {
    (void)state;
    static const double targets[] = {0.25, 0.75}, z[] = {800, -800};
    sn_dataset data = {.out_dim = N, .train = {.n = 1, .targets = targets}};
    test_loss loss = loss_open(BINARY, &data);
    panel p = evaluate(&loss.objective, &data.train, z);
    assert_true(is_near(p.sums.loss, 600) && is_near(p.dz[0][0], 0.375) && is_near(p.dz[1][0], -0.375));
    assert_true(p.sums.correct == 0);
    loss_close(&loss);
}

/* The mean is divided by what the samples of these classes weigh, not by their number; a hinge's is not. */
static void test_weights(void **state) {
    (void)state;
    static const uint32_t labels[] = {0, 1, 1, 0}, indices[] = {0, 1, 2};
    sn_dataset data = {.out_dim = N, .is_classes = true, .train = {.n = 4, .labels = labels}};
    static const struct {
        const char *loss;
        double weight;
    } cases[] = {{WEIGHTED, 5}, {SMOOTHED, 3}, {SQUARED, 3}, {"{\"kind\": \"hinge\", \"class_weights\": [3, 1]}", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_loss loss = loss_open(cases[i].loss, &data);
        assert_true(sn_objective_weight(&loss.objective, &data.train, indices, 3) == cases[i].weight);
        loss_close(&loss);
    }
}

/* log(1 + e^-d) and the logistic function of -d in long double, over all differences d of two outputs that matter, on
 * every backend: the exponential and the logarithm of the losses are the program's own. */
static void check_accuracy(const char *config, double share, const sn_backend *backend) {
    enum { POINTS = 20000 };
    static const uint32_t index = 0;
    sn_dataset data = two_classes();
    test_loss loss = loss_open(config, &data);
    for (int i = 0; i < POINTS; i++) {
        double reach = i % 2 ? 700 : 4, d = reach * (2.0 * i / POINTS - 1), z[N] = {d, share < 1 ? -d : 0};
        panel p = {.samples = 1, .lanes = SN_PANEL, .z = z, .indices = &index};
        evaluate_panel(&p, backend, &loss.objective, &data.train);
        long double e = expl(-fabsl((long double)d)), value = log1pl(e) + (d < 0 ? -(long double)d : 0);
        double slope = (double)(share * (d < 0 ? 1 : e) / (1 + e));
        if (!is_near(p.sums.loss, (double)value) || !is_near(p.dz[0][0], -slope) || !is_near(p.dz[1][0], slope))
            fail_msg("%s at %.17g on %s: loss %.17g, gradient %.17g, %.17g", config, d, backend->simd, p.sums.loss,
                     p.dz[0][0], p.dz[1][0]);
    }
    loss_close(&loss);
}

static void test_accuracy(void **state) {
    (void)state;
    const sn_backend *backends[MOST_BACKENDS];
    size_t n = runnable_backends(backends, SN_F64);
    for (size_t i = 0; i < n; i++) {
        check_accuracy(SOFTMAX, 1, backends[i]);
        check_accuracy(BINARY, 0.5, backends[i]);
    }
}

/* The samples of a panel one by one: its sums, and the gradient of every lane. */
static void check_one_by_one(const panel *p, const sn_backend *backend, const sn_objective *objective,
                             const sn_samples *samples) {
    sn_loss_sums sums = {0, 0};
    for (size_t l = 0; l < p->samples; l++) {
        panel one = {.samples = 1, .lanes = SN_PANEL, .z = p->z + l * N, .indices = p->indices + l};
        evaluate_panel(&one, backend, objective, samples);
        sums.loss += one.sums.loss;
        sums.correct += one.sums.correct;
        for (size_t j = 0; j < N; j++)
            assert_true(p->dz[j][l] == one.dz[j][0]);
    }
    assert_true(p->sums.loss == sums.loss && p->sums.correct == sums.correct);
    for (size_t i = p->samples * N; i < N * SN_PANEL; i++) {
        double idle = p->dz[i % N][i / N];
        assert_true(i / N < p->lanes ? idle == 0 : isnan(idle));
    }
}

static void check_panels(const char *config, const sn_dataset *data, const sn_backend *backend) {
    test_loss loss = loss_open(config, data);
    double z[SN_PANEL * N];
    uint32_t indices[SN_PANEL];
    sn_rng rng = sn_rng_stream(1, "test", config, 0);
    for (uint32_t i = 0; i < SN_PANEL; i++) {
        indices[i] = SN_PANEL - 1 - i;
        z[N * i] = 4 * sn_rng_uniform(rng, 2 * i) - 2;
        z[N * i + 1] = 4 * sn_rng_uniform(rng, 2 * i + 1) - 2;
    }
    for (size_t samples = 1; samples <= SN_PANEL; samples++) {
        for (size_t lanes = samples; lanes <= SN_PANEL; lanes++) {
            panel p = {.samples = samples, .lanes = lanes, .z = z, .indices = indices};
            evaluate_panel(&p, backend, &loss.objective, &data->train);
            assert_true(p.sums.loss > 0 || samples < SN_PANEL);
            check_one_by_one(&p, backend, &loss.objective, &data->train);
        }
    }
    loss_close(&loss);
}

static void check_losses(const sn_backend *backend) {
    uint32_t labels[SN_PANEL];
    double targets[SN_PANEL * N];
    for (uint32_t i = 0; i < SN_PANEL; i++) {
        labels[i] = i % 3 == 0;
        targets[N * i] = i / 16.0;
        targets[N * i + 1] = 1 - i / 32.0;
    }
    sn_dataset classes = {.out_dim = N, .is_classes = true, .train = {.n = SN_PANEL, .labels = labels}};
    sn_dataset numbers = {.out_dim = N, .train = {.n = SN_PANEL, .targets = targets}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_panels(rows[i].loss, &classes, backend);
    check_panels(SQUARED, &numbers, backend);
    check_panels(BINARY, &numbers, backend);
}

/* What a sample gives has the same bits in any lane of any panel, and what is idle gives nothing. */
static void test_idle_lanes(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++) {
        const sn_backend *backends[MOST_BACKENDS];
        size_t n = runnable_backends(backends, d ? SN_F64 : SN_F32);
        for (size_t i = 0; i < n; i++)
            check_losses(backends[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms), cmocka_unit_test(test_nan),      cmocka_unit_test(test_shares),
        cmocka_unit_test(test_weights),      cmocka_unit_test(test_accuracy), cmocka_unit_test(test_idle_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
