/* Networks that PyTorch has computed in float64 (tests/pytorch/make_fixtures.py, which says what a fixture holds):
 * losses of ten steps, every gradient, every weight after them.  PyTorch is not needed here.
 *
 * Distances are |a - b| / max(|a|, |b|) in 2-norms over a tensor: 1e-10 in double, 1e-4 in float. */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/table.h"
#include "run/language.h"
#include "support/check.h"
#include "support/net.h"

enum { FEW_STEPS = 10, LEAST_FIXTURES = 64 };

typedef struct fixture {
    char name[64];
    sn_config *config;
    sn_safetensors *tensors;
    sn_dataset data; /* its arrays are those of `tensors` and `labels` */
    uint32_t *labels;
    test_loss loss;
    test_net net;
    double tolerance;
    double largest; /* norm of the largest gradient of a tensor */
} fixture;

/* The worst distance of each kind over all fixtures, and how much was compared. */
typedef struct tally {
    double loss, gradient, weight;
    int fixtures, gradients, zeros, zeros_by_theory, states;
} tally;

static const sn_tensor *stored(const fixture *f, const char *prefix, const char *name) {
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const sn_tensor *tensor = sn_safetensors_find(f->tensors, full);
    if (!tensor || tensor->dtype != SN_F64) fail_msg("%s has no tensor %s of doubles", f->name, full);
    return tensor;
}

static void read_files(fixture *f, const char *path) {
    static sn_error error;
    char tensors[512];
    int stem = (int)(strlen(path) - strlen(".json"));
    snprintf(tensors, sizeof tensors, "%.*s.safetensors", stem, path);
    sn_config_source source = {.path = path};
    sn_error_clear(&error);
    if (sn_config_read(&f->config, &sn_language, &source, &error)) fail_msg("%s", error.text);
    if (sn_safetensors_read(&f->tensors, tensors, &error)) fail_msg("%s", error.text);
    snprintf(f->name, sizeof f->name, "%s", sn_value_text(sn_config_root(f->config), "name"));
}

/* Classes are stored as rows with a single one; targets, of which no row is such: NULL. */
static uint32_t *labels_of(const double *targets, size_t n, size_t classes) {
    uint32_t *labels = calloc(n, sizeof *labels);
    size_t n_labels = 0;
    assert_non_null(labels);
    for (size_t i = 0; i < n; i++) {
        size_t n_zeros = 0;
        for (size_t c = 0; c < classes; c++) {
            n_zeros += targets[i * classes + c] == 0;
            if (targets[i * classes + c] == 1) labels[i] = (uint32_t)c;
        }
        n_labels += targets[i * classes + labels[i]] == 1 && n_zeros == classes - 1;
    }
    assert_true(n_labels == n || n_labels == 0);
    if (n_labels == n) return labels;
    free(labels);
    return NULL;
}

static void set_data(fixture *f) {
    static const double none = 0, one = 1;
    const sn_tensor *input = stored(f, "", "input"), *targets = stored(f, "", "targets");
    size_t n = (size_t)input->shape[0];
    assert_int_equal(targets->shape[0], n);
    f->data = (sn_dataset){.in_dim = (size_t)input->shape[1],
                           .out_dim = (size_t)targets->shape[1],
                           .shape = sn_shape_vector(input->shape[1]),
                           .n_scales = 1,
                           .mean = &none,
                           .factor = &one,
                           .train = {.n = n, .values = input->data}};
    f->data.train.labels = f->labels = labels_of(targets->data, n, f->data.out_dim);
    f->data.is_classes = f->labels;
    if (!f->labels) f->data.train.targets = targets->data;
}

static void open_fixture(fixture *f, const char *path, sn_dtype dtype) {
    *f = (fixture){.tolerance = dtype == SN_F64 ? 1e-10 : 1e-4};
    read_files(f, path);
    /* Long ones are there for their update rules. */
    if (dtype == SN_F64 && stored(f, "", "losses")->shape[0] > FEW_STEPS) f->tolerance = 1e-12;
    const sn_value *train = sn_value_get(sn_config_root(f->config), "train");
    sn_text network = SN_TEXT_EMPTY, loss = SN_TEXT_EMPTY;
    set_data(f);
    sn_value_text_compact(sn_value_get(train, "loss"), &loss);
    f->loss = loss_open(sn_text_string(&loss), &f->data);
    sn_text_free(&loss);
    double clip = sn_value_number(train, "clip_norm");
    sn_engine_options options = {.batch = (size_t)sn_value_integer(train, "batch_size"),
                                 .objective = f->loss.objective,
                                 .clip_norm = isnan(clip) ? 0 : clip,
                                 .keeps_gradients = true};
    sn_update_rule_read(&options.rule, sn_value_get(train, "optimizer"));
    sn_value_text_compact(sn_value_get(sn_config_root(f->config), "network"), &network);
    net_open(&f->net, sn_text_string(&network), &f->data, dtype, &options);
    sn_text_free(&network);
}

static void close_fixture(fixture *f) {
    net_close(&f->net);
    loss_close(&f->loss);
    free(f->labels);
    sn_safetensors_free(f->tensors);
    sn_config_free(f->config);
}

static void set_weights(fixture *f) {
    size_t n = sn_engine_tensor_count(f->net.engine), n_stored = 0;
    for (size_t i = 0; i < n; i++) {
        sn_tensor tensor;
        sn_engine_tensor(f->net.engine, i, &tensor);
        const sn_tensor *initial = stored(f, "initial/", tensor.name);
        assert_int_equal(initial->rank, tensor.rank);
        assert_memory_equal(initial->shape, tensor.shape, (size_t)tensor.rank * sizeof *tensor.shape);
        sn_engine_set_tensor(f->net.engine, i, initial->data);
    }
    for (size_t i = 0; i < sn_safetensors_count(f->tensors); i++)
        n_stored += strncmp(sn_safetensors_at(f->tensors, i)->name, "initial/", strlen("initial/")) == 0;
    assert_int_equal(n_stored, n);
}

static void check(const fixture *f, const char *what, const char *name, double distance, double *worst) {
    if (!(distance <= f->tolerance)) fail_msg("%s: %s %s is off by %g", f->name, what, name, distance);
    if (distance > *worst) *worst = distance;
}

static void check_loss(const fixture *f, const char *what, double value, double expected, tally *sums) {
    assert_true(expected > 0);
    check(f, what, "", fabs(value / expected - 1), &sums->loss);
}

static void check_gradient(const fixture *f, size_t i, tally *sums) {
    sn_tensor tensor;
    sn_engine_tensor(f->net.engine, i, &tensor);
    size_t n = net_count(&f->net, i);
    const double *expected = stored(f, "gradient/", tensor.name)->data;
    double *gradient = net_gradient(&f->net, i), size = norm_of(expected, n);
    sums->gradients++;
    if (net_is_cancelled(&f->net, i)) {
        /* The bias of a layer before a batch normalization: there is nothing for rounding to be relative to. */
        if (norm_of(gradient, n) > f->tolerance * f->largest) fail_msg("%s: %s is not zero", f->name, tensor.name);
        sums->zeros_by_theory++;
    } else {
        /* An exact zero has to be one here too: any other value would be at distance 1. */
        check(f, "gradient", tensor.name, distance_of(gradient, expected, n), &sums->gradient);
        if (size == 0) sums->zeros++;
        assert_true(size == 0 || size > 1e-4 * f->largest);
    }
    free(gradient);
}

static void check_gradients(fixture *f, tally *sums) {
    size_t n = sn_engine_tensor_count(f->net.engine);
    for (size_t i = 0; i < n; i++) {
        sn_tensor tensor;
        sn_engine_tensor(f->net.engine, i, &tensor);
        f->largest = fmax(f->largest, norm_of(stored(f, "gradient/", tensor.name)->data, net_count(&f->net, i)));
    }
    assert_true(f->largest > 1e-3);
    for (size_t i = 0; i < n; i++)
        check_gradient(f, i, sums);
}

/* Batches in order; the last of a pass over the data is short where they do not divide them. */
static void check_steps(fixture *f, tally *sums) {
    const double *losses = stored(f, "", "losses")->data;
    size_t begin = 0;
    double lr = sn_value_number(sn_config_root(f->config), "train.lr");
    for (int step = 0; step < stored(f, "", "losses")->shape[0]; step++) {
        size_t left = f->data.train.n - begin, rows = left < f->net.batch ? left : f->net.batch;
        check_loss(f, "loss", net_step_at(&f->net, begin, rows, lr, NULL).loss, losses[step], sums);
        begin = rows == left ? 0 : begin + rows;
        if (step == 0) check_gradients(f, sums);
    }
}

/* All weights after the steps; together they have moved by more than the tolerance could hide. */
static void check_weights(const fixture *f, tally *sums) {
    double moved = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(f->net.engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(f->net.engine, i, &tensor);
        const double *expected = stored(f, "final/", tensor.name)->data;
        double *values = net_values(&f->net, i);
        check(f, "final", tensor.name, distance_of(values, expected, net_count(&f->net, i)), &sums->weight);
        moved = fmax(moved, distance_of(stored(f, "initial/", tensor.name)->data, expected, net_count(&f->net, i)));
        free(values);
    }
    assert_true(moved > 100 * f->tolerance);
}

/* Running averages of batch normalization. */
static void check_states(const fixture *f, tally *sums) {
    for (size_t i = 0; i < sn_engine_state_count(f->net.engine); i++) {
        sn_tensor tensor;
        sn_engine_state(f->net.engine, i, &tensor);
        size_t n = (size_t)tensor.shape[0];
        double *values = calloc(n, sizeof *values);
        assert_non_null(values);
        for (size_t k = 0; k < n; k++)
            values[k] =
                tensor.dtype == SN_F64 ? ((const double *)tensor.data)[k] : (double)((const float *)tensor.data)[k];
        check(f, "state", tensor.name, distance_of(values, stored(f, "state/", tensor.name)->data, n), &sums->weight);
        free(values);
        sums->states++;
    }
}

static void check_fixture(const char *path, sn_dtype dtype, tally *sums) {
    fixture f;
    open_fixture(&f, path, dtype);
    set_weights(&f);
    check_steps(&f, sums);
    check_weights(&f, sums);
    check_states(&f, sums);
    check_loss(&f, "evaluation", net_loss(&f.net), *(const double *)stored(&f, "", "evaluation")->data, sums);
    sums->fixtures++;
    close_fixture(&f);
}

static void check_all(sn_dtype dtype) {
    tally sums = {0};
    glob_t found;
    assert_int_equal(glob(SN_TEST_DIR "/pytorch/fixtures/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_fixture(found.gl_pathv[i], dtype, &sums);
    globfree(&found);
    print_message("%d networks, %d gradients (%d exact zeros, %d zeros by theory); worst: loss %.1e, gradient %.1e, "
                  "weights %.1e\n",
                  sums.fixtures, sums.gradients, sums.zeros, sums.zeros_by_theory, sums.loss, sums.gradient,
                  sums.weight);
    assert_true(sums.fixtures >= LEAST_FIXTURES);
    assert_true(sums.gradients >= 8 * sums.fixtures);
    assert_true(10 * (sums.zeros + sums.zeros_by_theory) < sums.gradients);
}

static void test_double(void **state) {
    (void)state;
    check_all(SN_F64);
}

static void test_float(void **state) {
    (void)state;
    check_all(SN_F32);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_double), cmocka_unit_test(test_float)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
