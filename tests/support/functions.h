/* The activations in long double, as what src/ops is held against, and what is promised of each. */
#ifndef SN_TESTS_SUPPORT_FUNCTIONS_H
#define SN_TESTS_SUPPORT_FUNCTIONS_H

#include <stddef.h>

typedef struct function {
    const char *op, *key; /* the key of the op's parameter; NULL: it has none */
    double parameter;     /* exact in float */
    long double (*value)(long double x, long double p);
    long double (*slope)(long double x, long double p);
    double most;                /* ulps of the value, in both precisions */
    double most_slope;          /* epsilons of the greatest slope */
    double most_slope_ulps;     /* ulps of the slope; 0: not promised */
    double greatest_slope;      /* max |slope| */
    long double at_infinity[2]; /* the values at -inf and +inf */
} function;

extern const function smooth_functions[];
extern const size_t n_smooth_functions;

/* Piecewise linear: `value` and `op` only.  All but the last are of the relu kind. */
extern const function piecewise_functions[];
extern const size_t n_piecewise_functions;

#endif
