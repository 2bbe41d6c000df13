/* Numbers of either precision, held as doubles.
 *
 * What is drawn are numbers of the precision, so that nothing is rounded on the way to it and back. */
#ifndef SN_TESTS_SUPPORT_REALS_H
#define SN_TESTS_SUPPORT_REALS_H

#include "base/safetensors.h"

double real_get(sn_dtype dtype, const void *from, size_t i);
void real_set(sn_dtype dtype, void *to, size_t i, double value);

/* a * b + sum with one rounding. */
double real_fma(sn_dtype dtype, double a, double b, double sum);

/* The distance from 1 to the next number. */
double real_epsilon(sn_dtype dtype);

/* `n` numbers, uniform on -1 .. 1: a function of the label and the number (free()). */
double *real_draw(sn_dtype dtype, const char *label, uint64_t number, size_t n);

#endif
