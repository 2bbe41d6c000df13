/* Mean-field theory against the instrument: plain networks of the shipped config theory/mean-field at initialisation.
 *
 * The prediction is computed here (Poole et al. 2016, arXiv 1606.05340; Schoenholz et al. 2017, arXiv 1611.01232):
 * q^1 = sw^2 |x|^2/n + sb^2, q^(l+1) = sw^2 V(q^l) + sb^2 with V(q) = E phi(sqrt(q) Z)^2, and
 * |delta^1|^2/|delta^L|^2 = prod_(l < L) chi(q^l) with chi(q) = sw^2 E phi'(sqrt(q) Z)^2. */
#include <math.h>
#include <stdio.h>

#include "support/check.h"
#include "support/initial.h"
#include "support/quadrature.h"

enum { DEPTH = 50 };

/* V and E phi'^2 of an activation; closed forms where they exist, else the activation and its slope for quadrature. */
typedef struct theory_phi {
    const char *name;
    double (*value)(double), (*slope)(double);
    double v_factor, slope_square; /* where `value` is NULL: V(q) = v_factor q, E phi'^2 = slope_square */
} theory_phi;

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double sigmoid_slope(double x) {
    return sigmoid(x) * sigmoid(-x);
}

static double erf_slope(double x) {
    return 2 / sqrt(M_PI) * exp(-x * x);
}

static const theory_phi phi_tanh = {"tanh", tanh, tanh_slope, 0, 0};
static const theory_phi phi_sigmoid = {"sigmoid", sigmoid, sigmoid_slope, 0, 0};
static const theory_phi phi_erf = {"erf", erf, erf_slope, 0, 0};
static const theory_phi phi_relu = {"relu", NULL, NULL, 0.5, 0.5};
static const theory_phi phi_identity = {"identity", NULL, NULL, 1, 1};

static double v_of(const theory_phi *phi, double q) {
    return phi->value ? mean_square(phi->value, q) : phi->v_factor * q;
}

static double chi_of(const theory_phi *phi, double sw, double q) {
    return sw * sw * (phi->slope ? mean_square(phi->slope, q) : phi->slope_square);
}

/* log10 |delta^1|/|delta^L| for an input of |x|^2/n = 1. */
static double predict(const theory_phi *phi, double sw, double sb) {
    double q = sw * sw + sb * sb, sum = 0;
    for (int l = 1; l < DEPTH; l++) {
        sum += log10(chi_of(phi, sw, q)) / 2;
        q = sw * sw * v_of(phi, q) + sb * sb;
    }
    return sum;
}

static double fixed_point(const theory_phi *phi, double sw, double sb) {
    double q = sw * sw + sb * sb, before = 0;
    for (int i = 0; i < 10000 && fabs(q - before) > 1e-12; i++) {
        before = q;
        q = sw * sw * v_of(phi, q) + sb * sb;
    }
    return q;
}

typedef struct mean_field_row {
    const theory_phi *phi;
    double sw, sb;
    double q, chi; /* the published fixed point */
    double prediction, sd;
    double c; /* of the finite width: see accept */
    const char *sets[INITIAL_MAX_SETS];
} mean_field_row;

#define SETS(phi_, sw_, sb_)                                                                                           \
    { "network.activation=" phi_, "network.init.gain=" sw_, "network.bias_init.std=" sb_ }
#define SQRT2 "1.4142135623730951"

/* sd: of 16 seeds at width 512, measured elsewhere with PyTorch.  q is NAN where any q is a fixed point. */
static const mean_field_row rows[] = {
    {&phi_tanh, 1.3, 0.3, 0.607047, 0.93980743, -0.8107, 0.133, 4, SETS("tanh", "1.3", "0.3")},
    {&phi_tanh, 0.5, 0.3, 0.113409, 0.20853670, -16.7397, 0.114, 4, SETS("tanh", "0.5", "0.3")},
    {&phi_tanh, 1.0, 0, 0, 1, -0.9174, 0.115, 4, SETS("tanh", "1", "0")},
    {&phi_relu, M_SQRT2, 0, (double)NAN, 1, 0, 0.160, 5, SETS("relu", SQRT2, "0")},
    {&phi_relu, 1, 0, 0, 0.5, -7.3752, 0.160, 5, SETS("relu", "1", "0")},
    {&phi_identity, 1, 0, (double)NAN, 1, 0, 0.089, 2, SETS("identity", "1", "0")},
    {&phi_sigmoid, 1, 0, 0.264687, 0.05572071, -30.7722, 0.105, 3, SETS("sigmoid", "1", "0")},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* erf has closed forms: V = (2/pi) asin(2q/(1 + 2q)), E phi'^2 = (4/pi)/sqrt(1 + 4q). */
static void test_quadrature(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        double q = 0.01 * pow(3, i);
        assert_true(fabs(v_of(&phi_erf, q) - 2 / M_PI * asin(2 * q / (1 + 2 * q))) < 1e-14);
        assert_true(fabs(chi_of(&phi_erf, 1, q) - 4 / M_PI / sqrt(1 + 4 * q)) < 1e-14);
    }
}

/* The recursion of this file gives the published numbers, to their last digit. */
static void test_published(void **state) {
    (void)state;
    for (int i = 0; i < N_ROWS; i++) {
        const mean_field_row *r = &rows[i];
        assert_true(fabs(predict(r->phi, r->sw, r->sb) - r->prediction) < 0.5001e-4);
        double q = isnan(r->q) || r->q == 0 ? 0 : fixed_point(r->phi, r->sw, r->sb);
        if (r->q > 0) assert_true(fabs(q - r->q) < 0.5001e-6);
        if (!isnan(r->q)) assert_true(fabs(r->sw * r->sw * v_of(r->phi, q) + r->sb * r->sb - q) < 1e-11);
        assert_true(fabs(chi_of(r->phi, r->sw, q) - r->chi) < 0.5001e-8);
    }
}

/* Two points of tanh's critical line, chi = 1. */
static void test_critical_line(void **state) {
    (void)state;
    static const double points[][2] = {{1.760955, 0.05}, {1.049996, 2.01e-5}};
    for (int i = 0; i < 2; i++) {
        double sw = sqrt(points[i][0]), sb = sqrt(points[i][1]), q = fixed_point(&phi_tanh, sw, sb);
        assert_true(q > 1e-3);
        assert_true(fabs(chi_of(&phi_tanh, sw, q) - 1) < 3e-6);
    }
}

static void open_row(initial *m, const mean_field_row *row, int seed) {
    char width[32];
    const char *sets[INITIAL_MAX_SETS] = {row->sets[0], row->sets[1], row->sets[2], width};
    snprintf(width, sizeof width, "network.width=%d", INITIAL_WIDTH);
    initial_open(m, SN_SOURCE_DIR "/configs/theory/mean-field.json", sets, seed);
    assert_int_equal(m->experiment.graph.n_hidden, DEPTH);
}

/* A finite width spreads ln(ratio^2) with a variance of about c (L - 1)/N and shifts its mean by half of that; the
 * mean of n seeds has to lie within that shift and four of its standard deviations.  The spread has to be there, too.
 */
static void accept(const mean_field_row *row, const double *ratios) {
    spread s = spread_of(ratios, INITIAL_SEEDS);
    double sd = row->sd * sqrt(512.0 / INITIAL_WIDTH), shift = row->c * (DEPTH - 1) / (2 * INITIAL_WIDTH * log(100));
    print_message("%-8s sw %.4f sb %.1f: predicted %8.4f, measured %8.4f (sd %.3f)\n", row->phi->name, row->sw, row->sb,
                  row->prediction, s.mean, s.sd);
    if (!(fabs(s.mean - row->prediction) < 4 * sd / sqrt(s.n) + shift)) fail_msg("%s: the mean is off", row->phi->name);
    assert_true(s.sd > 0 && s.sd < 3 * sd);
    if (!INITIAL_IS_SMALL) assert_true(s.sd > sd / 4);
}

static void test_mean_field(void **state) {
    (void)state;
    for (int i = 0; i < N_ROWS; i++) {
        double ratios[INITIAL_SEEDS];
        for (int seed = 1; seed <= INITIAL_SEEDS; seed++) {
            initial m;
            open_row(&m, &rows[i], seed);
            assert_true(m.records.loss.log10_delta_ratio.is_measured);
            ratios[seed - 1] = m.records.loss.log10_delta_ratio.value;
            initial_close(&m);
        }
        accept(&rows[i], ratios);
    }
}

/* The forward half of the theory: preact_rms^2 of layer l is q^l. */
static void test_variance(void **state) {
    (void)state;
    const mean_field_row *row = &rows[0];
    initial m;
    open_row(&m, row, 1);
    double q = row->sw * row->sw + row->sb * row->sb;
    for (int l = 1; l <= DEPTH; l++) {
        double rms = initial_hidden(&m, l)->preact_rms.value;
        assert_true(fabs(rms * rms / q - 1) < 8 * sqrt(2.0 / INITIAL_WIDTH));
        q = row->sw * row->sw * v_of(row->phi, q) + row->sb * row->sb;
    }
    initial_close(&m);
}

/* The trap: without biases |gW| = |delta^l| |phi(z^(l-1))| is the same in every layer of a relu net, though delta falls
 * by seven decades. */
static void test_flat_weight_gradients(void **state) {
    (void)state;
    initial m;
    open_row(&m, &rows[4], 1);
    double last = initial_hidden(&m, DEPTH)->grad_norm.value, spread_limit = sqrt(512.0 / INITIAL_WIDTH) / 2;
    for (int l = 2; l < DEPTH; l++)
        assert_true(fabs(log10(initial_hidden(&m, l)->grad_norm.value / last)) < spread_limit);
    assert_true(m.records.loss.log10_delta_ratio.value < -5);
    initial_close(&m);
}

/* sigmoid: decades per layer on a batch of real size with softmax, for Glorot's init (sw = 1) and PyTorch's
 * (sw^2 = 1/3), in the shipped config sigmoid50. */
static void test_sigmoid_slope(void **state) {
    (void)state;
    static const struct {
        const char *init;
        double factor;
    } cases[] = {{"network.init=xavier_normal", 0.236052}, {"network.init=pytorch", 0.141449}};
    for (int i = 0; i < 2; i++) {
        const char *sets[INITIAL_MAX_SETS] = {
            cases[i].init, "data={\"kind\":\"gaussian\",\"samples\":128,\"scaling\":\"none\"}", "precision=float64"};
        double sw = i ? sqrt(1.0 / 3) : 1;
        assert_true(fabs(sqrt(chi_of(&phi_sigmoid, sw, fixed_point(&phi_sigmoid, sw, 0))) - cases[i].factor) < 5e-6);
        initial m;
        initial_open(&m, SN_SOURCE_DIR "/configs/sigmoid50.json", sets, 1);
        assert_true(fabs(m.records.loss.decades_per_layer.value / log10(cases[i].factor) - 1) < 0.05);
        initial_close(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quadrature),    cmocka_unit_test(test_published),
        cmocka_unit_test(test_critical_line), cmocka_unit_test(test_mean_field),
        cmocka_unit_test(test_variance),      cmocka_unit_test(test_flat_weight_gradients),
        cmocka_unit_test(test_sigmoid_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
