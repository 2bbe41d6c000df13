/* Initial values: moments against the definitions, with bounds from standard errors; exact properties exactly. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/init.h"
#include "support/check.h"
#include "support/net.h"

enum { ROWS = 400, COLS = 300, COUNT = ROWS * COLS };

/* The weights of a linear layer of that init, from COLS inputs to ROWS outputs; the biases where they are asked for. */
static double *draw(const char *init, const char *label, uint64_t seed, double **biases) {
    static sn_error error;
    sn_config *config;
    sn_graph graph;
    char network[512];
    sn_dataset dimensions = {.in_dim = COLS, .out_dim = ROWS};
    snprintf(network, sizeof network,
             "{\"layers\": [{\"op\": \"linear\", \"units\": %d, \"label\": \"%s\", \"init\": %s}]}", ROWS, label, init);
    if (net_build(&config, &graph, network, &dimensions, &error)) fail_msg("%s", error.text);
    double *values = malloc(COUNT * sizeof *values);
    assert_non_null(values);
    const sn_node *node = &graph.nodes[1];
    assert_int_equal(node->params[0].count, COUNT);
    assert_int_equal(sn_init_fill(values, node, &node->params[0], seed, &error), SN_OK);
    if (biases) {
        *biases = malloc(ROWS * sizeof **biases);
        assert_non_null(*biases);
        assert_int_equal(sn_init_fill(*biases, node, &node->params[1], seed, &error), SN_OK);
    }
    sn_graph_reset(&graph);
    sn_config_free(config);
    return values;
}

typedef struct moments_case {
    const char *init;
    double variance;
    bool is_uniform; /* else normal */
} moments_case;

static const moments_case moments_cases[] = {
    {"\"pytorch\"", 1.0 / 3 / COLS, true},
    {"{\"kind\": \"pytorch\", \"gain\": 3}", 3.0 / COLS, true},
    {"\"lecun_normal\"", 1.0 / COLS, false},
    {"\"lecun_uniform\"", 1.0 / COLS, true},
    {"\"xavier_normal\"", 2.0 / (COLS + ROWS), false},
    {"\"xavier_uniform\"", 2.0 / (COLS + ROWS), true},
    {"\"he_normal\"", 2.0 / COLS, false},
    {"\"he_uniform\"", 2.0 / COLS, true},
    {"{\"kind\": \"he_normal\", \"gain\": 0.5}", 0.5 / COLS, false},
    {"{\"kind\": \"he_uniform\", \"gain\": 0.5}", 0.5 / COLS, true},
    {"{\"kind\": \"normal\", \"std\": 0.2}", 0.04, false},
    {"{\"kind\": \"normal\", \"std\": 0.2, \"gain\": 2}", 0.16, false},
};

/* Mean 0 and the variance within 4.5 standard errors; the fourth moment tells uniform (9/5) from normal (3); a uniform
 * draw stays inside its bound and comes near it. */
static void check_moments(const moments_case *c, const double *x, size_t n) {
    double sum = 0, squares = 0, fourths = 0, largest = 0, std = sqrt(c->variance), count = (double)n;
    for (size_t i = 0; i < n; i++) {
        double z = x[i] / std;
        sum += z;
        squares += z * z;
        fourths += z * z * z * z;
        largest = fmax(largest, fabs(z));
    }
    double kurtosis = c->is_uniform ? 1.8 : 3, eighth = c->is_uniform ? 9 : 105;
    bool ok = fabs(sum / count) < 4.5 / sqrt(count) && fabs(squares / count - 1) < 4.5 * sqrt((kurtosis - 1) / count) &&
              fabs(fourths / count - kurtosis) < 4.5 * sqrt((eighth - kurtosis * kurtosis) / count);
    bool reaches =
        c->is_uniform ? largest <= sqrt(3) * (1 + 1e-15) && largest > sqrt(3) * 0.999 : largest > (n > 10000 ? 4 : 2);
    if (!ok || !reaches) {
        fail_msg("%s: mean %g, variance %g, fourth moment %g, largest %g", c->init, sum / count, squares / count,
                 fourths / count, largest);
    }
}

static void test_moments(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof moments_cases / sizeof *moments_cases; i++) {
        double *weights = draw(moments_cases[i].init, "a", 1, NULL);
        check_moments(&moments_cases[i], weights, COUNT);
        free(weights);
    }
}

/* nn.Linear: weight and bias both uniform on +-1/sqrt(fan_in of the weight); other inits have no bias of their own. */
static void test_biases(void **state) {
    (void)state;
    double *biases, *weights = draw("\"pytorch\"", "a", 1, &biases), largest = 0, bound = 1 / sqrt(COLS);
    for (size_t i = 0; i < ROWS; i++)
        largest = fmax(largest, fabs(biases[i]));
    assert_true(largest <= bound && largest > 0.97 * bound);
    free(weights);
    free(biases);
    weights = draw("\"he_normal\"", "a", 1, &biases);
    assert_true(norm_of(biases, ROWS) == 0);
    free(weights);
    free(biases);
    weights = draw("\"he_normal\", \"bias_init\": {\"kind\": \"constant\", \"value\": 0.25}", "a", 1, &biases);
    for (size_t i = 0; i < ROWS; i++)
        assert_true(biases[i] == 0.25);
    free(weights);
    free(biases);
    weights = draw("\"pytorch\", \"bias_init\": {\"kind\": \"lecun_normal\"}", "a", 1, &biases);
    check_moments(&(moments_case){"bias lecun_normal", 1.0 / COLS, false}, biases, ROWS);
    free(weights);
    free(biases);
}

/* W W^T = gain^2 I, or W^T W where there are more rows than columns. */
static void check_orthogonal(const double *w, size_t rows, size_t cols, double gain) {
    bool is_tall = rows > cols;
    size_t n = is_tall ? cols : rows, dim = is_tall ? rows : cols;
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < dim; k++)
                sum += is_tall ? w[k * cols + i] * w[k * cols + j] : w[i * cols + k] * w[j * cols + k];
            worst = fmax(worst, fabs(sum - (i == j ? gain * gain : 0)));
        }
    }
    assert_true(worst < 1e-12);
}

static void test_orthogonal(void **state) {
    (void)state;
    static const int shapes[][2] = {{64, 64}, {20, 50}, {50, 20}, {1, 7}, {7, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        static sn_error error;
        sn_config *config;
        sn_graph graph;
        char network[256];
        sn_dataset dimensions = {.in_dim = (size_t)shapes[i][1], .out_dim = (size_t)shapes[i][0]};
        snprintf(
            network, sizeof network,
            "{\"layers\": [{\"op\": \"linear\", \"units\": %d, \"init\": {\"kind\": \"orthogonal\", \"gain\": 1.5}}]}",
            shapes[i][0]);
        assert_int_equal(net_build(&config, &graph, network, &dimensions, &error), SN_OK);
        const sn_param *weight = &graph.nodes[1].params[0];
        double *values = malloc(weight->count * sizeof *values);
        assert_non_null(values);
        assert_int_equal(sn_init_fill(values, &graph.nodes[1], weight, 5, &error), SN_OK);
        check_orthogonal(values, (size_t)shapes[i][0], (size_t)shapes[i][1], 1.5);
        free(values);
        sn_graph_reset(&graph);
        sn_config_free(config);
    }
}

static void test_constants(void **state) {
    (void)state;
    double *zeros = draw("\"zeros\"", "a", 1, NULL),
           *identity = draw("{\"kind\": \"identity\", \"gain\": 2}", "a", 1, NULL);
    double *constant = draw("{\"kind\": \"constant\", \"value\": -1.5}", "a", 1, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(zeros[i] == 0 && constant[i] == -1.5);
        assert_true(identity[i] == (i / COLS == i % COLS ? 2 : 0));
    }
    free(zeros);
    free(identity);
    free(constant);
}

/* ---- distributions that are no others' with another width ---- */

/* P(X <= x) */
static double normal_below(double x) {
    return 0.5 * erfc(-x / sqrt(2));
}

static double normal_density(double x) {
    return exp(-x * x / 2) / sqrt(6.283185307179586477);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What is drawn between low and high: uniform, or where there is a std the part of N(mean, std^2). */
typedef struct range_case {
    const char *init;
    double low, high, mean, std;
} range_case;

static const range_case range_cases[] = {
    {"\"uniform\"", -0.05, 0.05, 0, 0},
    {"{\"kind\": \"uniform\", \"low\": -0.3, \"high\": 1.7}", -0.3, 1.7, 0, 0},
    {"{\"kind\": \"uniform\", \"low\": 5, \"high\": 5.5}", 5, 5.5, 0, 0},
    {"\"truncated_normal\"", -2, 2, 0, 0.02},
    {"{\"kind\": \"truncated_normal\", \"std\": 1}", -2, 2, 0, 1},
    {"{\"kind\": \"truncated_normal\", \"std\": 3, \"mean\": 1}", -2, 2, 1, 3},
    {"{\"kind\": \"truncated_normal\", \"std\": 0.02, \"low\": -0.01, \"high\": 0.05}", -0.01, 0.05, 0, 0.02},
    {"{\"kind\": \"truncated_normal\", \"std\": 1, \"low\": 8, \"high\": 9}", 8, 9, 0, 1},
    {"{\"kind\": \"truncated_normal\", \"std\": 0.1, \"mean\": 0.5, \"high\": -0.7}", -2, -0.7, 0.5, 0.1},
};

/* The share of the distribution below x; in the tail that keeps its digits. */
static double share_below(const range_case *c, double x) {
    if (c->std == 0) return (x - c->low) / (c->high - c->low);
    double a = (c->low - c->mean) / c->std, b = (c->high - c->mean) / c->std, z = (x - c->mean) / c->std;
    if (a > 0) return (normal_below(-a) - normal_below(-z)) / (normal_below(-a) - normal_below(-b));
    return (normal_below(z) - normal_below(a)) / (normal_below(b) - normal_below(a));
}

/* Mean and variance in closed form. */
static void range_moments(const range_case *c, double *mean, double *variance) {
    double width = c->high - c->low;
    *mean = (c->low + c->high) / 2;
    *variance = width * width / 12;
    if (c->std == 0) return;
    double a = (c->low - c->mean) / c->std, b = (c->high - c->mean) / c->std;
    double mass = a > 0 ? normal_below(-a) - normal_below(-b) : normal_below(b) - normal_below(a);
    double shift = (normal_density(a) - normal_density(b)) / mass;
    *mean = c->mean + c->std * shift;
    *variance = c->std * c->std * (1 + (a * normal_density(a) - b * normal_density(b)) / mass - shift * shift);
}

/* Kolmogorov and Smirnov's greatest distance of the distributions: above 2 / sqrt(n) once in 1500. */
static double greatest_distance(const range_case *c, double *x) {
    double worst = 0;
    qsort(x, COUNT, sizeof *x, by_size);
    for (size_t i = 0; i < COUNT; i++) {
        double share = share_below(c, x[i]);
        worst = fmax(worst, fmax(fabs(share - (double)i / COUNT), fabs(share - (double)(i + 1) / COUNT)));
    }
    return worst;
}

static void check_range(const range_case *c, double *x) {
    double mean, variance, sum = 0, squares = 0;
    range_moments(c, &mean, &variance);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(x[i] >= c->low && x[i] <= c->high);
        sum += x[i] - mean;
        squares += (x[i] - mean) * (x[i] - mean);
    }
    /* The variance of squares is below 9 of an exponential distribution, which the far tail is near. */
    bool ok = fabs(sum / COUNT) < 4.5 * sqrt(variance / COUNT) &&
              fabs(squares / COUNT / variance - 1) < 4.5 * sqrt(8.0 / COUNT);
    double distance = greatest_distance(c, x);
    if (!ok || distance > 2 / sqrt(COUNT)) {
        fail_msg("%s: mean off by %g, variance %g of %g, distribution off by %g", c->init, sum / COUNT, squares / COUNT,
                 variance, distance);
    }
}

static void test_ranges(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof range_cases / sizeof *range_cases; k++) {
        double *x = draw(range_cases[k].init, "a", 1, NULL);
        check_range(&range_cases[k], x);
        free(x);
    }
}

enum { ZEROS = 121 }; /* of a column: 0.301 of 400 rows, rounded up */

/* So many zeros in every column; what is not zero is appended to `others`, zeros are counted by rows. */
static size_t check_columns(const double *x, double *others, int in_row[ROWS]) {
    size_t n = 0;
    for (size_t c = 0; c < COLS; c++) {
        int zeros = 0;
        for (size_t r = 0; r < ROWS; r++) {
            bool is_zero = x[r * COLS + c] == 0;
            zeros += is_zero;
            in_row[r] += is_zero;
            if (!is_zero) others[n++] = x[r * COLS + c];
        }
        assert_int_equal(zeros, ZEROS);
    }
    return n;
}

static size_t count_zeros(const double *x, size_t n) {
    size_t zeros = 0;
    for (size_t i = 0; i < n; i++)
        zeros += x[i] == 0;
    return zeros;
}

/* The zeros are in rows that are drawn for each column; the others are normal.  A bias is one column. */
static void test_sparse(void **state) {
    (void)state;
    static double others[COUNT];
    int in_row[ROWS] = {0};
    double *biases, *x = draw("{\"kind\": \"sparse\", \"sparsity\": 0.301, \"std\": 0.5}, \"bias_init\": {\"kind\": "
                              "\"sparse\", \"sparsity\": 0.75}",
                              "a", 1, &biases);
    size_t n = check_columns(x, others, in_row);
    check_moments(&(moments_case){"sparse", 0.25, false}, others, n);
    const double share = (double)ZEROS / ROWS;
    double chi_square = 0;
    for (size_t r = 0; r < ROWS; r++)
        chi_square += pow(in_row[r] - COLS * share, 2) / (COLS * share * (1 - share));
    assert_true(fabs(chi_square - ROWS) < 4.5 * sqrt(2.0 * ROWS));
    assert_int_equal(count_zeros(biases, ROWS), 300);
    free(biases);
    free(x);
}

static void test_sparse_ends(void **state) {
    (void)state;
    double *all = draw("{\"kind\": \"sparse\", \"sparsity\": 0}", "a", 1, NULL),
           *none = draw("{\"kind\": \"sparse\", \"sparsity\": 1}", "a", 1, NULL);
    assert_int_equal(count_zeros(all, COUNT), 0);
    assert_int_equal(count_zeros(none, COUNT), COUNT);
    free(all);
    free(none);
}

/* Bounds that cannot be, at their place: in a family, in a list, and of a default. */
static void test_faults(void **state) {
    (void)state;
    static const struct {
        const char *network, *fault;
    } cases[] = {
        {"{\"init\": {\"kind\": \"uniform\", \"low\": 0.1, \"high\": 0.1}}",
         "network.init.high: 0.1 is not above low, 0.1 (take constant for one value)"},
        {"{\"depth\": 2, \"init\": {\"kind\": \"uniform\", \"low\": 0.1}}",
         "network.init.high: 0.05 is not above low, 0.1 (take constant for one value)"},
        {"{\"bias_init\": {\"kind\": \"truncated_normal\", \"low\": 1, \"high\": -1}}",
         "network.bias_init.high: -1 is not above low, 1 (take constant for one value)"},
        {"{\"output_init\": {\"kind\": \"truncated_normal\", \"std\": 0.01, \"low\": 1}}",
         "network.output_init.low: 100 standard deviations from the mean nothing is left of the distribution, 30 are "
         "possible (move mean, or take uniform)"},
        {"{\"init\": {\"kind\": \"truncated_normal\", \"std\": 0.1, \"mean\": 6}}",
         "network.init.high: 40 standard deviations from the mean nothing is left of the distribution, 30 are possible "
         "(move mean, or take uniform)"},
        {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"bias_init\": {\"kind\": \"uniform\", \"high\": -3}}]}",
         "network.layers[0].bias_init.high: -3 is not above low, -0.05 (take constant for one value)"},
        {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"init\": {\"kind\": \"sparse\", \"sparsity\": 1.5}}]}",
         "network.layers[0].init.sparsity: 1.5 is too large (a number from 0 to 1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_error error;
        sn_error_clear(&error);
        sn_config *config = NULL;
        sn_graph graph = {0};
        sn_dataset dimensions = {.in_dim = 4, .out_dim = 3};
        assert_int_equal(net_build(&config, &graph, cases[i].network, &dimensions, &error), SN_INVALID);
        const char *path = strstr(error.text, "network.");
        assert_non_null(path);
        assert_string_equal(path, cases[i].fault);
        sn_graph_reset(&graph);
        sn_config_free(config);
    }
}

/* A pure function of seed and label: the same again, another with any of them; independent of each other. */
static void test_streams(void **state) {
    (void)state;
    double *first = draw("\"lecun_normal\"", "a", 1, NULL), *again = draw("\"lecun_normal\"", "a", 1, NULL);
    double *label = draw("\"lecun_normal\"", "b", 1, NULL), *seed = draw("\"lecun_normal\"", "a", 2, NULL);
    assert_memory_equal(first, again, COUNT * sizeof *first);
    double *others[] = {label, seed};
    for (int i = 0; i < 2; i++) {
        double product = 0;
        for (size_t k = 0; k < COUNT; k++)
            product += first[k] * others[i][k];
        assert_true(fabs(product) / (norm_of(first, COUNT) * norm_of(others[i], COUNT)) < 4.5 / sqrt(COUNT));
    }
    free(first);
    free(again);
    free(label);
    free(seed);
}

/* Every init of the table has a case here. */
static void test_coverage(void **state) {
    (void)state;
    static const char covered[] =
        "[pytorch][lecun_normal][lecun_uniform][xavier_normal][xavier_uniform][he_normal]"
        "[he_uniform][normal][uniform][truncated_normal][sparse][orthogonal][constant][zeros][identity]";
    int n = 0;
    for (const sn_init *const *row = sn_inits; *row; row++, n++) {
        char item[64];
        snprintf(item, sizeof item, "[%s]", (*row)->kind.name);
        if (!strstr(covered, item)) fail_msg("no case has the init %s", (*row)->kind.name);
        assert_ptr_equal(sn_init_choice.kinds[n], &(*row)->kind);
    }
    assert_null(sn_init_choice.kinds[n]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),  cmocka_unit_test(test_biases),  cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_ranges),   cmocka_unit_test(test_sparse),  cmocka_unit_test(test_sparse_ends),
        cmocka_unit_test(test_faults),   cmocka_unit_test(test_streams), cmocka_unit_test(test_constants),
        cmocka_unit_test(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
