/* How many values of a tensor there are of each exponent, floor(log2 |x|): exact counts, which may be merged in any
 * order.  Zeros and values that are not finite have none, and are counted apart. */
#ifndef SN_BASE_EXPONENTS_H
#define SN_BASE_EXPONENTS_H

#include <stdint.h>

/* Exponents from that of the least denormal number up, and how many there are. */
enum {
    SN_LEAST_EXPONENT_F32 = -149,
    SN_N_EXPONENTS_F32 = 127 + 149 + 1,
    SN_LEAST_EXPONENT_F64 = -1074,
    SN_N_EXPONENTS_F64 = 1023 + 1074 + 1,
};

typedef struct sn_exponents {
    uint64_t *counts; /* of exponent least + i at [i]; 0 outside of `begin` to, not with, `end` */
    int least;
    int begin, end; /* equal: no value has an exponent */
    uint64_t zeros, infinite, nans;
} sn_exponents;

/* `n` values, 1 or more, of that exponent. */
static inline void sn_exponents_add(sn_exponents *exponents, int exponent, uint64_t n) {
    int i = exponent - exponents->least;
    if (exponents->begin == exponents->end) exponents->begin = exponents->end = i;
    if (i < exponents->begin) exponents->begin = i;
    if (i >= exponents->end) exponents->end = i + 1;
    exponents->counts[i] += n;
}

void sn_exponents_merge(sn_exponents *into, const sn_exponents *other);

/* Nothing is counted; the memory stays. */
void sn_exponents_clear(sn_exponents *exponents);

/* All values that were counted. */
uint64_t sn_exponents_total(const sn_exponents *exponents);

#endif
