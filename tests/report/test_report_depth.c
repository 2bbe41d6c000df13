/* Records over depth: places of layers, the slope of delta with known answers, the rules for frozen layers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report_fixture.h"

/* ---- depth ---- */

static void test_depth_frac(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_NORM,   SN_ROLE_HIDDEN, SN_ROLE_GATE,
                                    SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_OUTPUT};
    static const double expected[] = {-1, 0, -1, 0.5, 1, -1};
    static network net;
    build(&net, roles, 6);
    derive(&net, 0.01, true);
    for (int k = 0; k < 6; k++) {
        sn_measure frac = net.records.layers[k].depth_frac;
        assert_int_equal(frac.is_measured, expected[k] >= 0);
        if (frac.is_measured) assert_true(frac.value == expected[k]);
    }
    drop(&net);
    build(&net, roles, 2);
    derive(&net, 0.01, true);
    assert_true(net.records.layers[1].depth_frac.is_measured && net.records.layers[1].depth_frac.value == 0);
    drop(&net);
}

/* Sets the delta of node `k` so that delta_rms is `value`. */
static void set_delta(network *net, int k, double value) {
    net->sums[k].delta = signal_of(&(double){value / ROWS}, 1);
}

/* A plain network whose delta falls by a quarter of a decade per layer; the roles between count for nothing. */
static void test_slope_of_a_line(void **state) {
    (void)state;
    static network net;
    sn_role roles[40];
    for (int k = 0; k < 40; k++)
        roles[k] = k == 39 ? SN_ROLE_OUTPUT : k % 4 == 3 ? SN_ROLE_GATE : SN_ROLE_HIDDEN;
    build(&net, roles, 40);
    assert_int_equal(net.graph.n_hidden, 30);
    int hidden = 0;
    for (int k = 0; k < 40; k++)
        set_delta(&net, k, roles[k] == SN_ROLE_HIDDEN ? pow(10, 0.25 * hidden++ - 300) : 1e9);
    derive(&net, 0.01, true);
    assert_true(fabs(net.records.loss.decades_per_layer.value - -0.25) < 1e-12);
    assert_true(fabs(net.records.loss.log10_delta_ratio.value - -0.25 * 29) < 1e-12);
    set_delta(&net, 4, 0); /* left out, which does not bend the line; its place still counts */
    set_delta(&net, 10, 0);
    derive(&net, 0.01, true);
    assert_true(net.records.loss.decades_per_layer.is_measured);
    assert_true(fabs(net.records.loss.decades_per_layer.value - -0.25) < 1e-12);
    drop(&net);
}

/* Points off any line, against the normal equations in long double. */
static void test_slope_of_points(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_HIDDEN};
    static const double delta[] = {3e-7, 0, 2e-9, 5e-1, 7e2};
    static network net;
    build(&net, roles, 5);
    long double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int k = 0; k < 5; k++) {
        set_delta(&net, k, delta[k]);
        if (delta[k] == 0) continue;
        long double at = 5 - k, level = log10l((long double)delta[k]);
        n++;
        x += at;
        y += level;
        xx += at * at;
        xy += at * level;
    }
    long double slope = (n * xy - x * y) / (n * xx - x * x);
    derive(&net, 0.01, true);
    assert_true(net.records.loss.decades_per_layer.is_measured && slope < -2);
    assert_true(fabsl((long double)net.records.loss.decades_per_layer.value - slope) < 1e-13L);
    assert_true(fabs(net.records.loss.log10_delta_ratio.value - log10(3e-7 / 7e2)) < 1e-13);
    drop(&net);
}

typedef struct slope_case {
    int n;
    bool has_ratio, has_slope;
    double delta[4];
} slope_case;

static void test_slope_empty(void **state) {
    (void)state;
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_HIDDEN, SN_ROLE_HIDDEN};
    const slope_case cases[] = {
        {0, false, false, {0}},
        {1, false, false, {1}},
        {2, true, false, {1, 2}},
        {3, true, true, {1, 2, 3}},
        {3, true, false, {1, 0, 3}},
        {4, true, true, {1, 0, 3, 4}},
        {4, false, true, {0, 2, 3, 4}},
        {4, false, true, {1, 2, 3, 0}},
        {4, false, false, {0, 0, 0, 0}},
        {4, true, false, {1, (double)INFINITY, 3, 4}},
        {4, false, false, {(double)NAN, 2, 3, 4}},
        {4, false, false, {1, 2, 3, (double)INFINITY}},
    };
    static network net;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        build(&net, roles, cases[i].n);
        for (int k = 0; k < cases[i].n; k++)
            set_delta(&net, k, cases[i].delta[k]);
        derive(&net, 0.01, true);
        assert_int_equal(net.records.loss.log10_delta_ratio.is_measured, cases[i].has_ratio);
        assert_int_equal(net.records.loss.decades_per_layer.is_measured, cases[i].has_slope);
        drop(&net);
    }
}

/* ---- frozen ---- */

typedef struct frozen_case {
    int meant, stalled, changed; /* weights of N that were to change, of those without effect, that changed */
    bool is_frozen;
    double lr, grad_norm;
    double stalled_frac; /* < 0: empty */
} frozen_case;

static void check_frozen(const frozen_case *c) {
    static const sn_role roles[] = {SN_ROLE_HIDDEN, SN_ROLE_OUTPUT};
    static network net;
    double before[N], after[N], meant[N];
    for (int i = 0; i < N; i++) {
        before[i] = 1;
        meant[i] = i < c->meant ? 1e-20 : 0;
        after[i] = i >= c->stalled && i < c->stalled + c->changed ? 1 + DBL_EPSILON : 1;
    }
    build(&net, roles, 2);
    for (int k = 0; k < 2; k++) {
        net.sums[k].change = change_of(before, after, meant, N);
        net.sums[k].gradient = sums_of(&(double){c->grad_norm}, 1);
        sn_change_sums_merge(&net.observation.change, &net.sums[k].change);
    }
    net.observation.gradient = net.sums[0].gradient.squares;
    derive(&net, c->lr, true);
    const sn_layer_record *record = &net.records.layers[0];
    assert_int_equal(record->stalled_frac.is_measured, c->stalled_frac >= 0);
    if (c->stalled_frac >= 0) assert_true(fabs(record->stalled_frac.value - c->stalled_frac) < 1e-15);
    assert_int_equal(record->applied_ratio.is_measured, c->meant > 0);
    assert_int_equal(record->is_frozen, c->is_frozen);
    assert_int_equal(net.records.layers[1].is_frozen, c->is_frozen);
    assert_true(net.records.loss.frozen_layers.is_measured);
    assert_true(net.records.loss.frozen_layers.value == c->is_frozen); /* of two frozen layers one is hidden */
    drop(&net);
}

static void test_frozen(void **state) {
    (void)state;
    const frozen_case cases[] = {
        {N, N, 0, true, 0.01, 1, 1},            /* all stalled */
        {N, 0, N, false, 0.01, 1, 0},           /* none */
        {N, N / 2, N / 2, false, 0.01, 1, 0.5}, /* half is not more than half */
        {N, N / 2 + 1, N / 2 - 1, true, 0.01, 1, 31.0 / 60},
        {10, 6, 4, true, 0.01, 1, 0.6}, /* exact zeros stand apart: shares are of the 10 */
        {10, 4, 6, false, 0.01, 1, 0.4},
        {0, 0, 0, true, 0.01, 1, -1}, /* an exactly zero gradient in a network that has one */
        {0, 0, 0, true, 0.01, 1e-250, -1},
        {0, 0, 0, false, 0.01, 0, -1},           /* there is nothing to learn from at all */
        {0, 0, 0, false, 0, 1, -1},              /* lr 0 */
        {0, 0, 0, false, 0.01, (double)NAN, -1}, /* diverging, not frozen */
        {1, 0, 1, false, 0.01, 1, 0},            /* a single weight that moves */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_frozen(&cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth_frac),      cmocka_unit_test(test_slope_of_a_line),
        cmocka_unit_test(test_slope_of_points), cmocka_unit_test(test_slope_empty),
        cmocka_unit_test(test_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
