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
    int begin, end; /* both 0: no value has an exponent */
    uint64_t zeros, infinite, nans;
} sn_exponents;

/* The counts of the exponents from `lowest` to `highest`, to be added to. */
static inline uint64_t *sn_exponents_range(sn_exponents *exponents, int lowest, int highest) {
    int begin = lowest - exponents->least, end = highest - exponents->least + 1;
    if (exponents->begin == exponents->end) exponents->begin = begin;
    if (begin < exponents->begin) exponents->begin = begin;
    if (end > exponents->end) exponents->end = end;
    return exponents->counts + begin;
}

void sn_exponents_merge(sn_exponents *into, const sn_exponents *other);

/* Nothing is counted; the memory stays. */
void sn_exponents_clear(sn_exponents *exponents);

/* All values that were counted. */
uint64_t sn_exponents_total(const sn_exponents *exponents);

#endif
