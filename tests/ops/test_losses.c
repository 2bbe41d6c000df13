/* The losses at outputs where formulas as they stand in the books break down: values and gradients known in closed
 * form.  With q = exp(-50), 1 + q is 1 in double, so what is right by far is q to the last digits. */
#include <math.h>
#include <string.h>

#include "engine/backend.h"
#include "ops/objective.h"
#include "ops/table.h"
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

static sn_loss_sums evaluate(const sn_objective *objective, const sn_samples *samples, const double *z, sn_view dz) {
    static const uint32_t index = 0;
    sn_error error;
    const sn_backend *backend;
    double outputs[N];
    assert_int_equal(sn_backend_select(&backend, SN_F64, &error), SN_OK);
    memcpy(outputs, z, sizeof outputs);
    sn_loss_call call = {.attributes = objective->attributes,
                         .one_hot = objective->one_hot,
                         .rows = 1,
                         .width = N,
                         .y = {outputs, N},
                         .samples = samples,
                         .indices = &index,
                         .dy = dz,
                         .weight = 1};
    return backend->losses[sn_loss_index(objective->loss)]->evaluate(&call);
}

static bool is_near(double value, double expected) {
    return fabs(value - expected) <= ACCURACY * fabs(expected);
}

static void test_closed_forms(void **state) {
    (void)state;
    sn_dataset data = two_classes();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *r = &rows[i];
        double dz[N];
        test_loss loss = loss_open(r->loss, &data);
        sn_loss_sums sums = evaluate(&loss.objective, &data.train, r->z, (sn_view){dz, N});
        if (!is_near(sums.loss, r->value) || !is_near(dz[0], r->gradient[0]) || !is_near(dz[1], r->gradient[1]))
            fail_msg("%s at %g, %g: loss %.17g, gradient %.17g, %.17g", r->loss, r->z[0], r->z[1], sums.loss, dz[0],
                     dz[1]);
        assert_int_equal(sums.correct, r->is_right);
        loss_close(&loss);
    }
}

static void check_nan(const char *config, const double z[N]) {
    double dz[N];
    sn_dataset data = two_classes();
    test_loss loss = loss_open(config, &data);
    sn_loss_sums sums = evaluate(&loss.objective, &data.train, z, (sn_view){dz, N});
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
    double dz[N];
    test_loss loss = loss_open(BINARY, &data);
    sn_loss_sums sums = evaluate(&loss.objective, &data.train, z, (sn_view){dz, N});
    assert_true(is_near(sums.loss, 600) && is_near(dz[0], 0.375) && is_near(dz[1], -0.375));
    assert_true(sums.correct == 0);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
