#include "support/functions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static long double tanh_value(long double x, long double p) {
    (void)p;
    return tanhl(x);
}

static long double tanh_slope(long double x, long double p) {
    (void)p;
    long double e = expl(-2 * fabsl(x));
    return 4 * e / ((1 + e) * (1 + e));
}

static long double sigmoid_value(long double x, long double p) {
    (void)p;
    return 1 / (1 + expl(-x));
}

static long double sigmoid_slope(long double x, long double p) {
    (void)p;
    long double e = expl(-fabsl(x));
    return e / ((1 + e) * (1 + e));
}

static const long double two_over_sqrt_pi = 1.12837916709551257389615890312154517L;

static long double erf_value(long double x, long double p) {
    (void)p;
    return erfl(x);
}

static long double erf_slope(long double x, long double p) {
    (void)p;
    return two_over_sqrt_pi * expl(-x * x);
}

/* Phi(-x) = erfc(x / sqrt 2) / 2.  What the argument loses in rounding, at x = 38 already half an ulp of double in the
 * result, is put back to first order. */
static long double normal_tail(long double x) {
    const long double c = 0.70710678118654752440084436210484904L;
    long double c_rest = fmal(-c, c, 0.5L) / (2 * c), z = x * c, z_rest = fmal(x, c, -z) + x * c_rest;
    return (erfcl(z) - z_rest * two_over_sqrt_pi * expl(-z * z)) / 2;
}

static long double gelu_value(long double x, long double p) {
    (void)p;
    return x < -200 ? -0.0L : x > 200 ? x : x * normal_tail(-x);
}

static long double gelu_slope(long double x, long double p) {
    (void)p;
    if (fabsl(x) > 200) return x > 0;
    return normal_tail(-x) + x * 0.39894228040143267793994605993438187L * expl(-x * x / 2);
}

static long double silu_value(long double x, long double p) {
    (void)p;
    return x / (1 + expl(-x));
}

static long double silu_slope(long double x, long double p) {
    (void)p;
    long double others = 1 / (1 + expl(x));
    return (1 + (others == 0 ? 0 : x * others)) / (1 + expl(-x));
}

static long double softplus_value(long double x, long double p) {
    return (x > 0 ? x : 0) + log1pl(expl(-fabsl(p * x))) / p;
}

static long double softplus_slope(long double x, long double p) {
    return 1 / (1 + expl(-p * x));
}

static long double elu_value(long double x, long double p) {
    return x > 0 ? x : p * expm1l(x);
}

static long double elu_slope(long double x, long double p) {
    return x > 0 ? 1 : p * expl(x);
}

static const long double selu_scale = 1.0507009873554804934193349852946L,
                         selu_alpha = 1.6732632423543772848170429916717L;

static long double selu_value(long double x, long double p) {
    (void)p;
    return selu_scale * elu_value(x, selu_alpha);
}

static long double selu_slope(long double x, long double p) {
    (void)p;
    return selu_scale * elu_slope(x, selu_alpha);
}

static long double relu(long double x, long double p) {
    (void)p;
    return x > 0 ? x : 0;
}

static long double leaky_relu(long double x, long double p) {
    return x > 0 ? x : p * x;
}

static long double identity(long double x, long double p) {
    (void)p;
    return x;
}

#define INFINITE ((long double)HUGE_VAL)

/* The slope of elu on the left is the exponential itself. */
const function smooth_functions[] = {
    {"tanh", NULL, 0, tanh_value, tanh_slope, 2, 2, 0, 1, {-1, 1}, false},
    {"sigmoid", NULL, 0, sigmoid_value, sigmoid_slope, 2, 4, 0, 0.25, {0, 1}, false},
    {"erf", NULL, 0, erf_value, erf_slope, 2, 2, 0, 1.1283791670955126, {-1, 1}, false},
    {"gelu", NULL, 0, gelu_value, gelu_slope, 4, 2, 0, 1.1289041452, {-0.0L, INFINITE}, false},
    {"silu", NULL, 0, silu_value, silu_slope, 4, 2, 0, 1.0998393195, {-0.0L, INFINITE}, false},
    {"softplus", "beta", 1, softplus_value, softplus_slope, 4, 2, 0, 1, {0, INFINITE}, false},
    {"softplus", "beta", 0.1865234375, softplus_value, softplus_slope, 4, 2, 0, 1, {0, INFINITE}, false},
    {"softplus", "beta", 11.4140625, softplus_value, softplus_slope, 4, 4, 0, 1, {0, INFINITE}, false},
    {"elu", "alpha", 1, elu_value, elu_slope, 4, 2, 2, 1, {-1, INFINITE}, true},
    {"elu", "alpha", 1.6640625, elu_value, elu_slope, 4, 2, 3, 1.6640625, {-1.6640625L, INFINITE}, true},
    {"selu", NULL, 0, selu_value, selu_slope, 4, 2, 3, 1.7580993408, {-1.7580993408473768599402L, INFINITE}, true},
};
const size_t n_smooth_functions = sizeof smooth_functions / sizeof *smooth_functions;

const function piecewise_functions[] = {
    {.op = "relu", .value = relu, .bends = true},
    {.op = "leaky_relu", .key = "slope", .parameter = 0.0078125, .value = leaky_relu, .bends = true},
    {.op = "leaky_relu", .key = "slope", .parameter = 0.203125, .value = leaky_relu, .bends = true},
    {.op = "identity", .value = identity},
};
const size_t n_piecewise_functions = sizeof piecewise_functions / sizeof *piecewise_functions;

const function *function_at(size_t i) {
    if (i < n_smooth_functions) return &smooth_functions[i];
    i -= n_smooth_functions;
    return i < n_piecewise_functions ? &piecewise_functions[i] : NULL;
}

const function *function_of(const char *op) {
    const function *f;
    for (size_t i = 0; (f = function_at(i)) && strcmp(f->op, op) != 0;)
        i++;
    return f;
}

void function_keys(const function *f, char keys[FUNCTION_KEYS]) {
    keys[0] = 0;
    if (f->key) snprintf(keys, FUNCTION_KEYS, ", \"%s\": %.17g", f->key, f->parameter);
}
