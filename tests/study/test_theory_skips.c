/* What theory says of skips, at the initialisation of the shipped configs of configs/theory: gains of residual blocks,
 * conservation in dense ones, and what is exactly 0 or exactly 1 (ReZero, Fixup).
 *
 * Gradients are taken at the signal that is carried on: out_grad_rms of hidden layer l is dLoss/dh after it. */
#include <math.h>
#include <stdio.h>

#include "support/check.h"
#include "support/initial.h"
#include "support/quadrature.h"

typedef struct residual_row {
    const char *name, *path;
    double prediction;     /* log10 of the gradient's norm before the first block over that after the last */
    double sd;             /* of a seed, measured elsewhere with PyTorch at width 512 */
    const char *widths[3]; /* the keys that hold the width */
    const char *sets[2];
} residual_row;

#define THEORY SN_SOURCE_DIR "/configs/theory/"

#define FAMILY                                                                                                         \
    { "network.width" }
#define STEM  "network.layers.0.units"
#define BLOCK "network.layers.1.layers"

/* De & Smith 2020; Yang & Schoenholz 2017 (tanh).  Depth is blocks + 1. */
/* clang-format off */
static const residual_row rows[] = {
    {"h + W relu(h), 20", THEORY "residual.json", 3.0103, 0.082, FAMILY,
     {"network.depth=21", "network.skip.branch_scale=1"}},
    {"a = 1/sqrt(50), 50", THEORY "residual.json", 0.2150, 0.027, FAMILY, {NULL}},
    {"a = 1/sqrt(200), 200", THEORY "residual.json", 0.2166, 0.014, FAMILY, {"network.depth=201"}},
    {"h + tanh(W h), 50", THEORY "residual-tanh.json", 1.5670, 0.068, {STEM, BLOCK ".1.units"}, {NULL}},
    {"h + W2 relu(W1 h), 20", THEORY "residual-two.json", 4.7712, 0.081, {STEM, BLOCK ".1.units", BLOCK ".3.units"},
     {NULL}},
};
/* clang-format on */
enum { N_ROWS = sizeof rows / sizeof *rows };

/* The predictions follow from the gain of a block; that of tanh from p' = p + V(p), backward 1 + E phi'^2, sw = 1. */
static void test_predictions(void **state) {
    (void)state;
    double p = 1, sum = 0;
    for (int l = 0; l < 50; l++) {
        sum += log10(1 + mean_square(tanh_slope, p)) / 2;
        p += mean_square(tanh, p);
    }
    const double expected[] = {10 * log10(2), 25 * log10(1 + 1.0 / 50), 100 * log10(1 + 1.0 / 200), sum, 10 * log10(3)};
    for (int i = 0; i < N_ROWS; i++)
        assert_true(fabs(rows[i].prediction - expected[i]) < 0.5001e-4);
}

static void open_row(initial *m, const residual_row *row, int seed) {
    char widths[3][64];
    const char *sets[INITIAL_MAX_SETS] = {NULL};
    int n = 0;
    for (int i = 0; i < 3 && row->widths[i]; i++) {
        snprintf(widths[i], sizeof widths[i], "%s=%d", row->widths[i], INITIAL_WIDTH);
        sets[n++] = widths[i];
    }
    for (int i = 0; i < 2 && row->sets[i]; i++)
        sets[n++] = row->sets[i];
    initial_open(m, row->path, sets, seed);
}

static double carried(const initial *m, int layer) {
    return initial_hidden(m, layer)->out_grad_rms.value;
}

static double ratio_of(const residual_row *row, int seed) {
    initial m;
    open_row(&m, row, seed);
    double ratio = log10(carried(&m, 1) / carried(&m, m.experiment.graph.n_hidden));
    initial_close(&m);
    return ratio;
}

/* The mean of n seeds within four of its standard deviations and the shift of a log-normal mean, sd^2 ln(100)/2. */
static void test_residual(void **state) {
    (void)state;
    for (int i = 0; i < N_ROWS; i++) {
        const residual_row *row = &rows[i];
        double ratios[INITIAL_SEEDS];
        for (int seed = 1; seed <= INITIAL_SEEDS; seed++)
            ratios[seed - 1] = ratio_of(row, seed);
        spread s = spread_of(ratios, INITIAL_SEEDS);
        double sd = row->sd * sqrt(512.0 / INITIAL_WIDTH);
        print_message("%-22s: predicted %7.4f, measured %7.4f (sd %.3f)\n", row->name, row->prediction, s.mean, s.sd);
        if (!(fabs(s.mean - row->prediction) < 4 * sd / sqrt(s.n) + sd * sd * log(100) / 2))
            fail_msg("%s: the mean is off", row->name);
        assert_true(s.sd > 0 && s.sd < 3 * sd);
    }
}

/* The forward half: h + tanh(W h) adds V(p) to p = |h|^2/n in every block, h + W2 relu(W1 h) triples it. */
static void test_forward(void **state) {
    (void)state;
    initial m;
    char label[32];
    double tolerance = 10 * sqrt(2.0 / INITIAL_WIDTH), p = 1, rms;
    open_row(&m, &rows[3], 1);
    for (int k = 1; k <= 50; k++) {
        snprintf(label, sizeof label, "branch.%d", k);
        rms = initial_layer(&m, label)->in_rms.value;
        assert_true(fabs(rms * rms / p - 1) < tolerance);
        p += mean_square(tanh, p);
    }
    initial_close(&m);
    open_row(&m, &rows[4], 1);
    for (int k = 1; k <= 20; k++) {
        snprintf(label, sizeof label, "inner.%d", k);
        rms = initial_layer(&m, label)->in_rms.value;
        assert_true(fabs(log10(rms * rms / 2) - (k - 1) * log10(3)) < tolerance);
    }
    initial_close(&m);
}

#define DENSE_SD 0.08 /* of a seed, at width 512: 4 (1/512 - 1/2112) is the variance of the cross terms */
enum { DENSE_LAYERS = 51, GROWTH = 32 };

/* |dh_l|^2 of every layer over that of the last; h_l has the width of the stem and what was joined since. */
static void measure_dense(double squares[DENSE_LAYERS], int seed) {
    char width[32];
    const char *sets[INITIAL_MAX_SETS] = {width};
    initial m;
    snprintf(width, sizeof width, "network.width=%d", INITIAL_WIDTH);
    initial_open(&m, THEORY "dense.json", sets, seed);
    assert_int_equal(m.experiment.graph.n_hidden, DENSE_LAYERS);
    for (int l = 0; l < DENSE_LAYERS; l++)
        squares[l] = carried(&m, l + 1) * carried(&m, l + 1) * (INITIAL_WIDTH + GROWTH * l);
    for (int l = 0; l < DENSE_LAYERS; l++)
        squares[l] /= squares[DENSE_LAYERS - 1];
    assert_true(carried(&m, 1) > 1.2 * carried(&m, DENSE_LAYERS)); /* the rms is not what is conserved */
    initial_close(&m);
}

/* E |dh_l|^2 is the same at every depth of a dense net. */
static void test_dense(void **state) {
    (void)state;
    double squares[INITIAL_SEEDS][DENSE_LAYERS], column[INITIAL_SEEDS];
    for (int seed = 1; seed <= INITIAL_SEEDS; seed++)
        measure_dense(squares[seed - 1], seed);
    for (int l = 0; l < DENSE_LAYERS; l++) {
        for (int i = 0; i < INITIAL_SEEDS; i++)
            column[i] = squares[i][l];
        spread s = spread_of(column, INITIAL_SEEDS);
        if (l % 10 == 0) print_message("|dh|^2 of layer %2d over the last: %.4f (sd %.4f)\n", l + 1, s.mean, s.sd);
        double sd = DENSE_SD * sqrt(512.0 / INITIAL_WIDTH);
        assert_true(s.sd < 3 * sd && fabs(s.mean - 1) < 4 * sd / sqrt(s.n));
    }
}

/* ReZero: with learned scales of 0 the gradient passes unchanged to the bit, the branches get none, the scales do. */
static void test_rezero(void **state) {
    (void)state;
    const char *sets[INITIAL_MAX_SETS] = {"network.skip.branch_scale={\"learned\":0}", "network.width=64"};
    initial m;
    int n_scales = 0, n_branches = 0;
    initial_open(&m, THEORY "residual.json", sets, 1);
    double stem = carried(&m, 1);
    assert_true(stem > 0);
    for (int i = 0; i < m.records.n_layers; i++) {
        const sn_layer_record *layer = &m.records.layers[i];
        if (layer->node->role == SN_ROLE_SCALE) {
            assert_true(layer->grad_norm.value > 0);
            assert_true(layer->out_grad_rms.value == stem);
            n_scales++;
        } else if (layer->node->role == SN_ROLE_HIDDEN && layer->node->layer > 1) {
            assert_true(layer->grad_norm.value == 0 && layer->grad_zero_frac.value == 1);
            n_branches++;
        }
    }
    assert_int_equal(n_scales, 50);
    assert_int_equal(n_branches, 50);
    initial_close(&m);
}

/* Fixup: with W2 = 0 the inner weights get exactly nothing, W2 itself does, and the gradient passes unchanged. */
static void test_fixup(void **state) {
    (void)state;
    const char *sets[INITIAL_MAX_SETS] = {BLOCK ".3.init=zeros"};
    initial m;
    initial_open(&m, THEORY "residual-two.json", sets, 1);
    double stem = carried(&m, 1);
    assert_true(stem > 0);
    for (int k = 1; k <= 20; k++) {
        char inner[32], outer[32];
        snprintf(inner, sizeof inner, "inner.%d", k);
        snprintf(outer, sizeof outer, "outer.%d", k);
        assert_true(initial_layer(&m, inner)->grad_norm.value == 0);
        assert_true(initial_layer(&m, outer)->grad_norm.value > 0);
        assert_true(initial_layer(&m, outer)->out_grad_rms.value == stem);
    }
    initial_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predictions), cmocka_unit_test(test_residual), cmocka_unit_test(test_forward),
        cmocka_unit_test(test_dense),       cmocka_unit_test(test_rezero),   cmocka_unit_test(test_fixup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
