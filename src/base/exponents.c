/* Owns counts of exponents.  Most tensors have a score of them, so that only the part in use is touched. */
#include "base/exponents.h"

#include <stddef.h>

void sn_exponents_merge(sn_exponents *into, const sn_exponents *other) {
    int n = other->end - other->begin, lowest = other->least + other->begin;
    uint64_t *counts = n > 0 ? sn_exponents_range(into, lowest, lowest + n - 1) : NULL;
    for (int i = 0; i < n; i++)
        counts[i] += other->counts[other->begin + i];
    into->zeros += other->zeros;
    into->infinite += other->infinite;
    into->nans += other->nans;
}

void sn_exponents_clear(sn_exponents *exponents) {
    for (int i = exponents->begin; i < exponents->end; i++)
        exponents->counts[i] = 0;
    exponents->begin = exponents->end = 0;
    exponents->zeros = exponents->infinite = exponents->nans = 0;
}

uint64_t sn_exponents_total(const sn_exponents *exponents) {
    uint64_t n = exponents->zeros + exponents->infinite + exponents->nans;
    for (int i = exponents->begin; i < exponents->end; i++)
        n += exponents->counts[i];
    return n;
}
