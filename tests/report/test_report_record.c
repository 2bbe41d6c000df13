/* Records: every statistic against a recomputation from raw tensors in long double; what is empty, what is not finite.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "report/metrics.h"
#include "report_fixture.h"

/* ---- what is expected, in long double ---- */

static long double expect_norm(const double *x, size_t n) {
    long double max = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        max = fmaxl(max, fabsl((long double)x[i]));
    for (size_t i = 0; i < n && max > 0; i++)
        sum += (long double)x[i] / max * ((long double)x[i] / max);
    return max * sqrtl(sum);
}

static long double expect_rms(const double *x, size_t n) {
    return expect_norm(x, n) / sqrtl((long double)n);
}

static long double expect_mean(const double *x, size_t n, bool of_abs) {
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += of_abs ? fabsl((long double)x[i]) : (long double)x[i];
    return sum / (long double)n;
}

static int n_compared;

static void assert_value(sn_measure measure, long double expected) {
    assert_true(measure.is_measured);
    long double off = fabsl((long double)measure.value - expected);
    assert_true(off <= 4e-14L * fabsl(expected));
    n_compared += expected != 0;
}

/* A mean cancels: the error counts against the root mean square. */
static void assert_mean(sn_measure measure, const double *x, size_t n) {
    assert_true(measure.is_measured);
    assert_true(fabsl((long double)measure.value - expect_mean(x, n, false)) <= 4e-14L * expect_rms(x, n));
    n_compared++;
}

/* ---- every statistic ---- */

typedef struct raw {
    double gradient[N], weight[N], after[N], meant[N], bias[N_BIAS], output[N], delta[N], carried[N], input[N];
} raw;

static void draw(double *x, size_t n, double scale, const char *name, uint64_t node) {
    sn_rng rng = sn_rng_stream(1, "test", name, node);
    for (size_t i = 0; i < n; i++)
        x[i] = scale * sn_rng_normal(rng, i);
}

/* Gradients of all sizes around `scale`, with exact zeros and one denormal; plain gradient descent in double. */
static void draw_raw(raw *r, double scale, uint64_t node) {
    draw(r->gradient, N, scale, "gradient", node);
    for (size_t i = 0; i < N; i += 10)
        r->gradient[i] = 0;
    r->gradient[1] = 3e-310;
    draw(r->weight, N, 0.1, "weight", node);
    draw(r->bias, N_BIAS, scale, "bias", node);
    draw(r->output, N, 1, "output", node);
    draw(r->delta, N, scale, "delta", node);
    draw(r->carried, N, 3 * scale, "carried", node);
    draw(r->input, N, 0.5, "input", node);
    for (size_t i = 0; i < N; i++) {
        r->meant[i] = 0.01 * r->gradient[i];
        r->after[i] = r->weight[i] - r->meant[i];
    }
}

static void observe(sn_node_sums *sums, const raw *r) {
    sums->gradient = sums_of(r->gradient, N);
    sums->weight = squares_of(r->weight, N);
    sums->bias_gradient = sums_of(r->bias, N_BIAS);
    sums->change = change_of(r->weight, r->after, r->meant, N);
    sums->change.moments = 16;
    sums->change.below_eps = 3;
    sums->output = signal_of(r->output, N);
    sums->delta = signal_of(r->delta, N);
    sums->carried = signal_of(r->carried, N);
    sums->input = signal_of(r->input, N);
    sums->saturated = 9;
    sums->units = (sn_unit_sums){12, 5};
}

static void check_weight(const sn_layer_record *record, const raw *r) {
    long double max = 0, zeros = 0, denormals = 0;
    for (size_t i = 0; i < N; i++) {
        max = fmaxl(max, fabsl((long double)r->gradient[i]));
        zeros += r->gradient[i] == 0;
        denormals += fpclassify(r->gradient[i]) == FP_SUBNORMAL;
    }
    assert_true(zeros == 6 && denormals >= 1);
    assert_value(record->grad_norm, expect_norm(r->gradient, N));
    assert_value(record->grad_rms, expect_rms(r->gradient, N));
    assert_value(record->grad_mean_abs, expect_mean(r->gradient, N, true));
    assert_value(record->grad_max_abs, max);
    assert_value(record->grad_zero_frac, zeros / N);
    assert_value(record->grad_denormal_frac, denormals / N);
    assert_value(record->weight_norm, expect_norm(r->weight, N));
    assert_value(record->bias_grad_norm, expect_norm(r->bias, N_BIAS));
}

static void check_update(const sn_layer_record *record, const raw *r) {
    double change[N];
    long double same = 0, meant = 0, stalled = 0, sum_meant = 0;
    for (size_t i = 0; i < N; i++) {
        change[i] = r->after[i] - r->weight[i];
        same += r->after[i] == r->weight[i];
        meant += r->meant[i] != 0;
        stalled += r->meant[i] != 0 && r->after[i] == r->weight[i];
        sum_meant += fabsl((long double)r->meant[i]);
    }
    assert_value(record->update_norm, expect_norm(change, N));
    assert_value(record->update_ratio, expect_norm(change, N) / expect_norm(r->weight, N));
    assert_value(record->unchanged_frac, same / N);
    assert_value(record->stalled_frac, stalled / meant);
    assert_value(record->applied_ratio, expect_mean(change, N, true) * N / sum_meant);
    assert_int_equal(record->is_frozen, stalled / meant > 0.5L);
}

static void check_signals(const sn_layer_record *record, const raw *r) {
    assert_value(record->delta_rms, expect_rms(r->delta, N) * ROWS);
    assert_value(record->out_grad_rms, expect_rms(r->carried, N) * ROWS);
    assert_value(record->preact_rms, expect_rms(r->output, N));
    assert_value(record->in_rms, expect_rms(r->input, N));
    assert_value(record->in_saturated_frac, 9.0L / N);
    assert_mean(record->preact_mean, r->output, N);
    assert_mean(record->in_mean, r->input, N);
}

/* A column that the metric table makes of a record. */
static sn_measure cell_of(const sn_layer_record *record, const char *name) {
    const sn_column *column = sn_column_find(sn_gradients_sheet.columns, name);
    assert_non_null(column);
    sn_cell_value cell = column->value(column, record);
    assert_true(cell.kind == SN_CELL_OF_NUMBER || cell.kind == SN_CELL_OF_NOTHING);
    return cell.kind == SN_CELL_OF_NUMBER ? sn_measured(cell.number) : SN_NOT_MEASURED;
}

/* `last`: the last hidden layer. */
static void check_made_columns(const sn_layer_record *record, const raw *r, const raw *last) {
    assert_value(cell_of(record, "grad_ratio"), expect_norm(r->gradient, N) / expect_norm(r->weight, N));
    assert_value(cell_of(record, "out_grad_ratio"), expect_rms(r->carried, N) / expect_rms(last->carried, N));
    assert_value(cell_of(record, "dead_unit_frac"), 5.0L / 12);
    assert_value(cell_of(record, "eps_frac"), 3.0L / 16);
}

/* The gradient and the change of all nodes together, from the raw values of all nodes. */
static void check_network(network *net, const raw *r, int n) {
    double gradients[3 * (N + N_BIAS)], changes[3 * N];
    long double meant = 0, stalled = 0, frozen = 0;
    size_t g = 0, c = 0;
    for (int k = 0; k < n; k++) {
        for (size_t i = 0; i < N; i++) {
            gradients[g++] = r[k].gradient[i];
            changes[c++] = r[k].after[i] - r[k].weight[i];
            meant += r[k].meant[i] != 0;
            stalled += r[k].meant[i] != 0 && r[k].after[i] == r[k].weight[i];
        }
        for (size_t i = 0; i < N_BIAS; i++)
            gradients[g++] = r[k].bias[i];
        frozen += net->records.layers[k].is_frozen && k < 2; /* the third is the output */
    }
    const sn_loss_record *loss = &net->records.loss;
    assert_value(loss->grad_norm, expect_norm(gradients, g));
    assert_value(loss->update_norm, expect_norm(changes, c));
    assert_value(loss->stalled_frac, stalled / meant);
    assert_value(loss->frozen_layers, frozen);
    assert_value(loss->nonfinite, 5);
}

static void check_scale(double scale) {
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_OUTPUT};
    static network net;
    static raw r[3];
    build(&net, roles, 3);
    for (int k = 0; k < 3; k++) {
        draw_raw(&r[k], scale, (uint64_t)k);
        observe(&net.sums[k], &r[k]);
        sn_sumsq_merge(&net.observation.gradient, net.sums[k].gradient.squares);
        sn_sumsq_merge(&net.observation.gradient, net.sums[k].bias_gradient.squares);
        sn_change_sums_merge(&net.observation.change, &net.sums[k].change);
    }
    net.observation.nonfinite = 5;
    derive(&net, 0.01, true);
    for (int k = 0; k < 3; k++) {
        const sn_layer_record *record = &net.records.layers[k];
        assert_ptr_equal(record->node, &net.nodes[k + 1]);
        assert_int_equal(record->step, 42);
        assert_true(record->n_params == N + N_BIAS);
        check_weight(record, &r[k]);
        check_update(record, &r[k]);
        check_signals(record, &r[k]);
        check_made_columns(record, &r[k], &r[1]);
    }
    assert_int_equal(net.records.loss.step, 42);
    check_network(&net, r, 3);
    drop(&net);
}

static void test_statistics(void **state) {
    (void)state;
    static const double scales[] = {1, 1e-15, 3e-16, 1e-30, 1e-200, 1e-290, 1e200};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        n_compared = 0;
        check_scale(scales[i]);
        assert_true(n_compared > 50);
    }
}

/* ---- what is empty, what is not finite ---- */

static void test_without_update(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_OUTPUT};
    static network net;
    static raw r;
    build(&net, roles, 2);
    draw_raw(&r, 1, 0);
    for (int k = 0; k < 2; k++)
        observe(&net.sums[k], &r);
    net.observation.gradient = net.sums[0].gradient.squares;
    net.observation.change = net.sums[0].change;
    for (int pass = 0; pass < 2; pass++) {
        derive(&net, 0.01, pass == 1);
        const sn_layer_record *record = &net.records.layers[0];
        assert_true(record->grad_norm.is_measured && record->delta_rms.is_measured && record->weight_norm.is_measured);
        const sn_measure updates[] = {record->update_norm,           record->update_ratio,
                                      record->unchanged_frac,        record->stalled_frac,
                                      record->applied_ratio,         net.records.loss.update_norm,
                                      net.records.loss.stalled_frac, net.records.loss.frozen_layers};
        for (size_t i = 0; i < sizeof updates / sizeof *updates; i++)
            assert_int_equal(updates[i].is_measured, pass);
        assert_false(record->is_frozen);
    }
    drop(&net);
}

/* A step that diverged in its signals: no update, whatever the caller thinks. */
static void test_nothing_observed(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN};
    static network net;
    build(&net, roles, 2);
    derive(&net, 0.01, true);
    const sn_layer_record *r = &net.records.layers[1];
    const sn_measure layer[] = {r->grad_norm,    r->grad_rms,       r->grad_mean_abs,  r->grad_max_abs,
                                r->weight_norm,  r->grad_zero_frac, r->update_norm,    r->grad_denormal_frac,
                                r->update_ratio, r->unchanged_frac, r->stalled_frac,   r->applied_ratio,
                                r->delta_rms,    r->out_grad_rms,   r->preact_mean,    r->preact_rms,
                                r->in_mean,      r->in_rms,         r->bias_grad_norm, r->in_saturated_frac};
    for (size_t i = 0; i < sizeof layer / sizeof *layer; i++)
        assert_false(layer[i].is_measured);
    static const char *const made[] = {"grad_ratio", "out_grad_ratio", "dead_unit_frac", "eps_frac"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        assert_false(cell_of(r, made[i]).is_measured);
    const sn_loss_record *loss = &net.records.loss;
    const sn_measure rest[] = {loss->batch_loss,
                               loss->batch_accuracy,
                               loss->train_loss,
                               loss->train_accuracy,
                               loss->test_loss,
                               loss->test_accuracy,
                               loss->lr,
                               loss->grad_norm,
                               loss->update_norm,
                               loss->stalled_frac,
                               loss->frozen_layers,
                               loss->log10_delta_ratio,
                               loss->decades_per_layer};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        assert_false(rest[i].is_measured);
    assert_true(loss->nonfinite.is_measured && loss->nonfinite.value == 0);
    drop(&net);
}

static void test_zero_weights(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN};
    static const double zeros[N];
    static network net;
    double after[N], meant[N];
    for (size_t i = 0; i < N; i++)
        after[i] = -(meant[i] = 0.5);
    build(&net, roles, 1);
    net.sums[0].weight = squares_of(zeros, N);
    net.sums[0].gradient = sums_of(zeros, N);
    net.sums[0].change = net.observation.change = change_of(zeros, after, meant, N);
    derive(&net, 0.01, true);
    const sn_layer_record *record = &net.records.layers[0];
    assert_true(record->weight_norm.is_measured && record->weight_norm.value == 0);
    assert_true(record->grad_zero_frac.is_measured && record->grad_zero_frac.value == 1);
    assert_value(record->update_norm, 0.5L * sqrtl(N));
    assert_false(record->update_ratio.is_measured);
    assert_false(cell_of(record, "grad_ratio").is_measured);
    assert_value(record->applied_ratio, 1);
    drop(&net);
}

static void test_not_finite(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_HIDDEN};
    static network net;
    static raw r;
    build(&net, roles, 3);
    draw_raw(&r, 1, 0);
    for (int k = 0; k < 3; k++)
        observe(&net.sums[k], &r);
    r.gradient[5] = (double)NAN;
    r.delta[7] = (double)INFINITY;
    r.output[8] = -(double)INFINITY;
    observe(&net.sums[1], &r);
    net.observation.gradient = net.sums[1].gradient.squares;
    net.observation.change = net.sums[1].change;
    net.observation.nonfinite = 1;
    derive(&net, 0.01, true);
    const sn_layer_record *record = &net.records.layers[1];
    const sn_measure nans[] = {record->grad_norm, record->grad_rms, record->grad_mean_abs, net.records.loss.grad_norm};
    for (size_t i = 0; i < sizeof nans / sizeof *nans; i++)
        assert_true(nans[i].is_measured && isnan(nans[i].value));
    assert_true(record->delta_rms.is_measured && isinf(record->delta_rms.value));
    assert_true(record->preact_mean.is_measured && record->preact_mean.value == -(double)INFINITY);
    assert_true(record->grad_zero_frac.is_measured && record->grad_zero_frac.value == 0.1);
    assert_true(net.records.loss.nonfinite.value == 1);
    assert_false(net.records.loss.decades_per_layer.is_measured);
    assert_true(net.records.loss.log10_delta_ratio.is_measured); /* the ends are finite */
    drop(&net);
}

/* Nothing is carried to the last hidden layer, or there is none. */
static void test_nothing_to_carry(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_OUTPUT};
    static const double zeros[N];
    static network net;
    static raw r;
    for (int first = 0; first < 3; first += 2) {
        int n = 3 - first;
        build(&net, roles + first, n);
        draw_raw(&r, 1, 0);
        for (int k = 0; k < n; k++)
            observe(&net.sums[k], &r);
        if (n > 1) net.sums[1].carried = signal_of(zeros, N);
        derive(&net, 0.01, true);
        for (int k = 0; k < n; k++) {
            assert_true(net.records.layers[k].out_grad_rms.is_measured);
            assert_false(cell_of(&net.records.layers[k], "out_grad_ratio").is_measured);
        }
        drop(&net);
    }
}

static void test_not_an_activation(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN};
    static network net;
    static raw r;
    build(&net, roles, 2);
    draw_raw(&r, 1, 0);
    for (int k = 0; k < 2; k++)
        observe(&net.sums[k], &r);
    net.sums[0].saturated = -1;
    net.sums[1].saturated = 0;
    net.sums[1].bias_gradient = (sn_tensor_sums){0};
    derive(&net, 0.01, true);
    assert_false(net.records.layers[0].in_saturated_frac.is_measured);
    assert_true(net.records.layers[0].in_rms.is_measured && net.records.layers[0].bias_grad_norm.is_measured);
    assert_true(net.records.layers[1].in_saturated_frac.is_measured);
    assert_true(net.records.layers[1].in_saturated_frac.value == 0);
    assert_false(net.records.layers[1].bias_grad_norm.is_measured);
    drop(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics),       cmocka_unit_test(test_without_update),
        cmocka_unit_test(test_nothing_observed), cmocka_unit_test(test_zero_weights),
        cmocka_unit_test(test_not_finite),       cmocka_unit_test(test_not_an_activation),
        cmocka_unit_test(test_nothing_to_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
