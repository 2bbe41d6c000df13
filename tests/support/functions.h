/* The activations in long double, as what src/ops is held against, and what is promised of each.  A new activation
 * needs a row here: test_elementary fails by its name where there is none, and what is drawn at random comes from here
 * too. */
#ifndef SN_TESTS_SUPPORT_FUNCTIONS_H
#define SN_TESTS_SUPPORT_FUNCTIONS_H

#include <stdbool.h>
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
    bool bends;                 /* some derivative jumps at 0 */
} function;

extern const function smooth_functions[];
extern const size_t n_smooth_functions;

/* Piecewise linear: without what is promised of the smooth ones.  All but the last are of the relu kind. */
extern const function piecewise_functions[];
extern const size_t n_piecewise_functions;

/* All of them, the smooth ones first; NULL from their number on. */
const function *function_at(size_t i);

/* The first row of an activation; NULL: it has none. */
const function *function_of(const char *op);

/* The function's parameter as a further key of a JSON object, ', "slope": 0.25'; nothing where it has none. */
enum { FUNCTION_KEYS = 64 };
void function_keys(const function *f, char keys[FUNCTION_KEYS]);

#endif
