/* Philox4x32-10 on several blocks at once (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), inline
 * so that kernels get it as vector code. */
#ifndef SN_BASE_PHILOX_H
#define SN_BASE_PHILOX_H

#include <stddef.h>
#include <stdint.h>

/* Turns `n` counters into `n` blocks of random bits, in place: word k of block j is words[k * n + j]. */
static inline void sn_philox(uint32_t *words, size_t n, uint64_t key) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t *a = words, *b = words + n, *c = words + 2 * n, *d = words + 3 * n;
    for (int round = 0; round < 10; round++) {
        _Pragma("omp simd") for (size_t j = 0; j < n; j++) {
            uint64_t p = (uint64_t)0xD2511F53U * a[j], q = (uint64_t)0xCD9E8D57U * c[j];
            a[j] = (uint32_t)(q >> 32) ^ b[j] ^ k0;
            b[j] = (uint32_t)q;
            c[j] = (uint32_t)(p >> 32) ^ d[j] ^ k1;
            d[j] = (uint32_t)p;
        }
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
}

#endif
