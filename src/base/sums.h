/* Sums that statistics are made of, free of precision: gathered in double over tiles, merged in a fixed order.
 *
 * Squares of tiny doubles underflow, so a sum of squares carries a power of two: value = sum * 4^exponent. */
#ifndef SN_BASE_SUMS_H
#define SN_BASE_SUMS_H

#include <stddef.h>

typedef struct sn_sumsq {
    double sum;
    int exponent; /* 0 unless the values would leave the range of double when squared */
} sn_sumsq;

void sn_sumsq_merge(sn_sumsq *into, sn_sumsq other);

/* sqrt of the sum: a 2-norm; with `n`, sqrt(sum / n): a root mean square (NaN where n is 0). */
double sn_sumsq_norm(sn_sumsq value);
double sn_sumsq_rms(sn_sumsq value, double n);

/* Of a signal, or of weights. */
typedef struct sn_signal_sums {
    double n, sum;
    sn_sumsq squares;
} sn_signal_sums;

void sn_signal_sums_merge(sn_signal_sums *into, const sn_signal_sums *other);

/* Of a gradient tensor. */
typedef struct sn_tensor_sums {
    double n, sum_abs, max_abs;
    sn_sumsq squares;
    double zeros, denormals;
} sn_tensor_sums;

void sn_tensor_sums_merge(sn_tensor_sums *into, const sn_tensor_sums *other);

/* Of what an update did to a tensor, against what it was meant to do (in double, before rounding). */
typedef struct sn_change_sums {
    double n;
    sn_sumsq change; /* squares of the real change */
    double sum_abs_change, sum_abs_intended;
    double unchanged; /* elements whose bits are the same */
    double intended;  /* elements whose intended update is not zero */
    double stalled;   /* of those, elements whose bits are the same */
    double moments;   /* elements whose step is divided by a root of what the optimizer keeps, plus eps; 0: none */
    double below_eps; /* of those, elements whose root is smaller than eps */
} sn_change_sums;

void sn_change_sums_merge(sn_change_sums *into, const sn_change_sums *other);

#endif
