/* Errors of the activations in units in the last place, on every backend that this CPU runs, in both precisions,
 * against long double: a dense sweep over all magnitudes, denormal numbers, zeros, infinities and NaN. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ops/table.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/functions.h"
#include "support/net.h"

#ifdef SN_CHECKED
enum { POINTS = 1 << 17 }; /* unoptimised and under sanitizers */
#else
enum { POINTS = 1 << 20 };
#endif

/* Arguments: every magnitude of the precision with both signs, and evenly over three ranges where things happen. */
static double *make_arguments(sn_dtype dtype) {
    double *x = malloc(POINTS * sizeof *x);
    assert_non_null(x);
    sn_rng rng = sn_rng_stream(1, "test", "arguments", 0);
    for (int i = 0; i < POINTS; i++) {
        static const double reach[] = {0, 40, 6, 1};
        double u = sn_rng_uniform(rng, (uint64_t)i);
        if (i % 4) {
            x[i] = reach[i % 4] * (2 * u - 1);
        } else {
            bool is_float = dtype == SN_F32;
            int exponent = (int)((is_float ? 278 : 2099) * u) - (is_float ? 149 : 1074);
            x[i] = ldexp((i % 8 ? 1 : -1) * (1 + sn_rng_uniform(rng, (uint64_t)i + POINTS)), exponent);
        }
    }
    static const double special[] = {0, -0.0, 0x1p-149, -0x1p-149, 88.5, -88.5, 103.5, -103.9, -104.5, 9.0, 9.1, 19.1};
    memcpy(x, special, sizeof special);
    for (int i = 0; i < POINTS && dtype == SN_F32; i++)
        x[i] = (double)(float)x[i];
    return x;
}

/* y = phi(x) and dx = phi'(x) by the op of a backend, as doubles; `lanes` elements in a row, SN_PANEL: all in one. */
static void run_op(const sn_backend *backend, const sn_node *node, size_t lanes, const double *x, double *y,
                   double *slope) {
    size_t size = sn_dtype_size(backend->dtype), room = POINTS + SN_PANEL, width = 1;
    double *ones = malloc(room * sizeof *ones);
    void *memory = calloc(4 * room, size);
    assert_true(ones && memory);
    for (size_t i = 0; i < room; i++)
        ones[i] = 1;
    sn_view v[4];
    for (size_t k = 0; k < 4; k++)
        v[k] = (sn_view){(char *)memory + k * room * size, lanes};
    backend->from_double(v[0].data, x, POINTS);
    backend->from_double(v[2].data, ones, room);
    sn_flow flow = SN_FLOW_WRITE;
    sn_op_call call = {.node = node,
                       .blocks = (POINTS + lanes - 1) / lanes,
                       .lanes = lanes,
                       .width = width,
                       .widths = &width,
                       .x = &v[0],
                       .y = v[1],
                       .dy = v[2],
                       .dx = &v[3],
                       .flow = &flow};
    const sn_op_kernels *kernels = backend->ops[sn_op_index(node->op)];
    kernels->forward(&call);
    kernels->backward(&call);
    for (int i = 0; i < POINTS; i++) {
        bool is_float = backend->dtype == SN_F32;
        y[i] = is_float ? (double)((float *)v[1].data)[i] : ((double *)v[1].data)[i];
        slope[i] = is_float ? (double)((float *)v[3].data)[i] : ((double *)v[3].data)[i];
    }
    free(ones);
    free(memory);
}

static double ulps(double value, long double exact, sn_dtype dtype) {
    int digits = dtype == SN_F32 ? FLT_MANT_DIG : DBL_MANT_DIG, least = dtype == SN_F32 ? FLT_MIN_EXP : DBL_MIN_EXP;
    long double largest = dtype == SN_F32 ? (long double)FLT_MAX : (long double)DBL_MAX;
    if (isinf(value) && fabsl(exact) > largest) return 0;
    int exponent = exact == 0 ? least : ilogbl(exact) + 1;
    if (exponent < least) exponent = least;
    return (double)fabsl(((long double)value - exact) / ldexpl(1, exponent - digits));
}

/* {"op": ...} with the function's parameter. */
static void describe(const function *f, const char *discriminator, char *out, size_t capacity) {
    char keys[FUNCTION_KEYS];
    function_keys(f, keys);
    snprintf(out, capacity, "{\"%s\": \"%s\"%s}", discriminator, f->op, keys);
}

/* Node 1 of the graph is the function. */
static void build_op(const function *f, sn_config **config, sn_graph *graph) {
    static sn_error error;
    char network[512], op[256];
    sn_dataset dimensions = {.in_dim = 61, .out_dim = 1};
    describe(f, "op", op, sizeof op);
    snprintf(network, sizeof network, "{\"layers\": [%s, {\"op\": \"linear\", \"units\": 1}]}", op);
    if (net_build(config, graph, network, &dimensions, &error)) fail_msg("%s", error.text);
}

static int n_failures;

/* The greatest of some errors, and where it is; NaN counts as the greatest. */
typedef struct worst {
    double error, at;
} worst;

static void remember(worst *w, double error, double at) {
    if (!(error <= w->error)) *w = (worst){error, at};
}

/* Whole vectors; what is left at the end of a row does the same, by test_places. */
static void check_function(const function *f, const sn_backend *backend, const double *x, const long double *exact) {
    sn_config *config;
    sn_graph graph;
    double *y = malloc(POINTS * sizeof *y), *slope = malloc(POINTS * sizeof *slope);
    assert_true(y && slope);
    build_op(f, &config, &graph);
    run_op(backend, &graph.nodes[1], SN_PANEL, x, y, slope);
    double epsilon = backend->dtype == SN_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    worst value = {0}, epsilons = {0}, slope_ulps = {0};
    for (int i = 0; i < POINTS; i++) {
        double error = fabs((double)((long double)slope[i] - exact[2 * i + 1])) / (epsilon * f->greatest_slope);
        remember(&value, ulps(y[i], exact[2 * i], backend->dtype), x[i]);
        remember(&epsilons, error, x[i]);
        if (f->most_slope_ulps > 0) remember(&slope_ulps, ulps(slope[i], exact[2 * i + 1], backend->dtype), x[i]);
    }
    print_message("%s(%g) %s %s: value within %.2f ulp (at %.9g), slope within %.2f epsilon (at %.9g)", f->op,
                  f->parameter, backend->simd, backend->dtype == SN_F32 ? "float" : "double", value.error, value.at,
                  epsilons.error, epsilons.at);
    if (f->most_slope_ulps > 0) print_message(", %.2f ulp (at %.9g)", slope_ulps.error, slope_ulps.at);
    print_message("\n");
    if (!(value.error <= f->most) || !(epsilons.error <= f->most_slope) || !(slope_ulps.error <= f->most_slope_ulps))
        n_failures++;
    sn_graph_reset(&graph);
    sn_config_free(config);
    free(y);
    free(slope);
}

/* Runs `check` with every backend that this CPU can run. */
static void for_backends(sn_dtype dtype, void (*check)(const sn_backend *backend, const void *argument),
                         const void *argument) {
    const sn_backend *backends[MOST_BACKENDS];
    size_t n = runnable_backends(backends, dtype);
    for (size_t i = 0; i < n; i++)
        check(backends[i], argument);
}

typedef struct sweep {
    const function *f;
    const double *x;
    const long double *exact; /* value and slope per argument */
} sweep;

static void check_sweep(const sn_backend *backend, const void *argument) {
    const sweep *s = argument;
    check_function(s->f, backend, s->x, s->exact);
}

static void check_precision(sn_dtype dtype) {
    n_failures = 0;
    double *x = make_arguments(dtype);
    long double *exact = malloc(2 * POINTS * sizeof *exact);
    assert_non_null(exact);
    for (size_t k = 0; k < n_smooth_functions; k++) {
        const function *f = &smooth_functions[k];
        for (int i = 0; i < POINTS; i++) {
            exact[2 * i] = f->value((long double)x[i], (long double)f->parameter);
            exact[2 * i + 1] = f->slope((long double)x[i], (long double)f->parameter);
        }
        for_backends(dtype, check_sweep, &(sweep){f, x, exact});
    }
    free(exact);
    free(x);
    assert_int_equal(n_failures, 0);
}

static void test_float(void **state) {
    (void)state;
    check_precision(SN_F32);
}

static void test_double(void **state) {
    (void)state;
    if (LDBL_MANT_DIG < 64) skip();
    check_precision(SN_F64);
}

/* One element by the op of a backend; `saturated` tells whether it counts as such. */
static double one(const sn_backend *backend, const sn_node *node, double x, bool *saturated) {
    double in[1], out[1], value[1] = {x};
    size_t width = 1;
    sn_view view = {in, 1};
    backend->from_double(in, value, 1);
    sn_op_call call = {.node = node, .blocks = 1, .lanes = 1, .width = 1, .widths = &width, .x = &view, .y = {out, 1}};
    const sn_op_kernels *kernels = backend->ops[sn_op_index(node->op)];
    kernels->forward(&call);
    *saturated = kernels->saturated(&call) == 1;
    float single;
    memcpy(&single, out, sizeof single);
    return backend->dtype == SN_F32 ? (double)single : out[0];
}

static void check_value(const sn_backend *backend, const sn_node *node, double x, double expected) {
    bool saturated;
    double y = one(backend, node, x, &saturated);
    if (backend->dtype == SN_F32) expected = (double)(float)expected;
    bool same = isnan(expected) ? isnan(y) : y == expected && signbit(y) == signbit(expected);
    if (!same) fail_msg("%s of %g is %.17g on %s", node->op->kind.name, x, y, backend->simd);
}

/* Saturated where |phi'| < 0.05 max |phi'|, by the exact slope. */
static void check_saturation(const sn_backend *backend, const sn_node *node, const function *f) {
    int n = 0;
    for (int i = -512; i <= 512; i++) {
        double x = i / 16.0;
        double share = fabs((double)f->slope((long double)x, (long double)f->parameter)) / f->greatest_slope;
        bool saturated;
        one(backend, node, x, &saturated);
        if (fabs(share - 0.05) < 1e-4) continue;
        if (saturated != (share < 0.05)) fail_msg("%s at %g: saturated %d", f->op, x, saturated);
        n += saturated;
    }
    assert_true(n > 50);
}

static void check_special(const sn_backend *backend, const void *argument) {
    const function *f = argument;
    sn_config *config;
    sn_graph graph;
    build_op(f, &config, &graph);
    sn_node *node = &graph.nodes[1];
    check_value(backend, node, -HUGE_VAL, (double)f->at_infinity[0]);
    check_value(backend, node, HUGE_VAL, (double)f->at_infinity[1]);
    check_value(backend, node, (double)NAN, (double)NAN);
    long double at_zero = f->value(0, (long double)f->parameter);
    bool saturated;
    assert_true(ulps(one(backend, node, 0, &saturated), at_zero, backend->dtype) <= f->most);
    if (at_zero == 0) check_value(backend, node, 0, 0);
    if (at_zero == 0) check_value(backend, node, -0.0, -0.0);
    check_saturation(backend, node, f);
    sn_graph_reset(&graph);
    sn_config_free(config);
}

/* Piecewise linear: values that are exact or one product, and the flat side. */
static void check_pieces(const sn_backend *backend, const void *argument) {
    const function *f = argument;
    static const double x[] = {-3, -0x1p-126, 0x1p-126, 2.5, 0x1p100};
    sn_config *config;
    sn_graph graph;
    build_op(f, &config, &graph);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        bool saturated;
        double y = one(backend, &graph.nodes[1], x[i], &saturated);
        assert_true(ulps(y, f->value((long double)x[i], (long double)f->parameter), backend->dtype) <= 1);
        assert_true(saturated == (x[i] < 0 && strcmp(f->op, "identity") != 0));
    }
    check_value(backend, &graph.nodes[1], (double)NAN, (double)NAN);
    check_value(backend, &graph.nodes[1], HUGE_VAL, HUGE_VAL);
    sn_graph_reset(&graph);
    sn_config_free(config);
}

static void test_special_values(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++) {
        sn_dtype dtype = d ? SN_F64 : SN_F32;
        for (size_t k = 0; k < n_smooth_functions; k++)
            for_backends(dtype, check_special, &smooth_functions[k]);
        for (size_t k = 0; k < n_piecewise_functions; k++)
            for_backends(dtype, check_pieces, &piecewise_functions[k]);
    }
}

/* An element has the same bits wherever it stands: in one long row, and in lanes of a panel that is not full. */
static void check_places(const sn_backend *backend, const void *argument) {
    static const size_t lanes[] = {SN_PANEL, 1, 7, 12};
    const sweep *s = argument;
    sn_config *config;
    sn_graph graph;
    double *y[2], *slope[2];
    build_op(s->f, &config, &graph);
    for (int i = 0; i < 2; i++) {
        y[i] = malloc(POINTS * sizeof *y[i]);
        slope[i] = malloc(POINTS * sizeof *slope[i]);
        assert_true(y[i] && slope[i]);
    }
    for (size_t k = 0; k < sizeof lanes / sizeof *lanes; k++) {
        run_op(backend, &graph.nodes[1], lanes[k], s->x, y[k > 0], slope[k > 0]);
        if (k == 0) continue;
        assert_memory_equal(y[0], y[1], POINTS * sizeof *y[0]);
        assert_memory_equal(slope[0], slope[1], POINTS * sizeof *slope[0]);
    }
    for (int i = 0; i < 2; i++) {
        free(y[i]);
        free(slope[i]);
    }
    sn_graph_reset(&graph);
    sn_config_free(config);
}

static void test_places(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++) {
        double *x = make_arguments(d ? SN_F64 : SN_F32);
        for (size_t k = 0; k < n_smooth_functions; k++)
            for_backends(d ? SN_F64 : SN_F32, check_places, &(sweep){&smooth_functions[k], x, NULL});
        free(x);
    }
}

/* The activation of a family with a parameter of its own: the same function as an entry of that parameter. */
static void check_family(const sn_backend *backend, const void *argument) {
    const function *f = argument;
    static sn_error error;
    sn_config *config;
    sn_graph graph;
    sn_dataset dimensions = {.in_dim = 5, .out_dim = 2};
    char network[512], activation[256];
    describe(f, "kind", activation, sizeof activation);
    snprintf(network, sizeof network, "{\"depth\": 4, \"width\": 6, \"activation\": %s, \"skip\": \"add\"}",
             activation);
    if (net_build(&config, &graph, network, &dimensions, &error)) fail_msg("%s", error.text);
    int n = 0;
    for (int i = 1; i < graph.n_nodes; i++) {
        sn_node *node = &graph.nodes[i];
        if (!node->op->is_activation) continue;
        bool saturated;
        double left = one(backend, node, -0.75, &saturated), right = one(backend, node, 0.75, &saturated);
        assert_true(ulps(left, f->value(-0.75L, (long double)f->parameter), backend->dtype) <= 4);
        assert_true(ulps(right, f->value(0.75L, (long double)f->parameter), backend->dtype) <= 4);
        n++;
    }
    assert_int_equal(n, 4);
    sn_graph_reset(&graph);
    sn_config_free(config);
}

static void test_families(void **state) {
    (void)state;
    for (size_t k = 0; k < n_smooth_functions; k++)
        for_backends(SN_F64, check_family, &smooth_functions[k]);
    for (size_t k = 0; k < n_piecewise_functions; k++)
        for_backends(SN_F32, check_family, &piecewise_functions[k]);
}

static void check_row(const char *name, const char *key) {
    const function *f = function_of(name);
    const char *known = f ? f->key : NULL;
    if (!f)
        fail_msg("the activation %s has no row in tests/support/functions.c: what it is to compute, in long double",
                 name);
    if (key ? !known || strcmp(key, known) != 0 : known != NULL)
        fail_msg("the activation %s has the key %s, in tests/support/functions.c it has %s", name, key ? key : "(none)",
                 known ? known : "none");
}

/* Every activation of the program has a row, and its parameter, where it has one, the right key. */
static void test_all_have_rows(void **state) {
    (void)state;
    int n = 0;
    for (const sn_kind *const *kind = sn_activation_choice.kinds; *kind; kind++, n++)
        check_row((*kind)->name, (*kind)->keys ? (*kind)->keys->name : NULL);
    assert_true(n >= 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_have_rows), cmocka_unit_test(test_float),
                                       cmocka_unit_test(test_double),        cmocka_unit_test(test_special_values),
                                       cmocka_unit_test(test_places),        cmocka_unit_test(test_families)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
