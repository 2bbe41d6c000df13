/* Owns the merging of sums.  Exponents of squares are brought to the larger one, which loses nothing that counts. */
#include "base/sums.h"

#include <math.h>

void sn_sumsq_merge(sn_sumsq *into, sn_sumsq other) {
    if (other.sum == 0) return;
    if (into->exponent == other.exponent) {
        into->sum += other.sum;
    } else if (into->sum == 0) {
        *into = other;
    } else if (into->exponent > other.exponent) {
        into->sum += ldexp(other.sum, 2 * (other.exponent - into->exponent));
    } else {
        into->sum = other.sum + ldexp(into->sum, 2 * (into->exponent - other.exponent));
        into->exponent = other.exponent;
    }
}

double sn_sumsq_norm(sn_sumsq value) {
    return ldexp(sqrt(value.sum), value.exponent);
}

double sn_sumsq_rms(sn_sumsq value, double n) {
    return n > 0 ? ldexp(sqrt(value.sum / n), value.exponent) : (double)NAN;
}

void sn_signal_sums_merge(sn_signal_sums *into, const sn_signal_sums *other) {
    into->n += other->n;
    into->sum += other->sum;
    sn_sumsq_merge(&into->squares, other->squares);
}

void sn_tensor_sums_merge(sn_tensor_sums *into, const sn_tensor_sums *other) {
    into->n += other->n;
    into->sum_abs += other->sum_abs;
    if (!(other->max_abs <= into->max_abs)) into->max_abs = other->max_abs; /* NaN stays */
    sn_sumsq_merge(&into->squares, other->squares);
    into->zeros += other->zeros;
    into->denormals += other->denormals;
}

void sn_change_sums_merge(sn_change_sums *into, const sn_change_sums *other) {
    into->n += other->n;
    sn_sumsq_merge(&into->change, other->change);
    into->sum_abs_change += other->sum_abs_change;
    into->sum_abs_intended += other->sum_abs_intended;
    into->unchanged += other->unchanged;
    into->intended += other->intended;
    into->stalled += other->stalled;
    into->moments += other->moments;
    into->below_eps += other->below_eps;
}
