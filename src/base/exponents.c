/* Owns counts of exponents.  Most tensors have a score of them, so that only the part in use is touched. */
#include "base/exponents.h"

void sn_exponents_merge(sn_exponents *into, const sn_exponents *other) {
    for (int i = other->begin; i < other->end; i++) {
        if (other->counts[i] > 0) sn_exponents_add(into, other->least + i, other->counts[i]);
    }
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
