/* Owns the measurement of OpenBLAS's rate: what this machine's products can do, the limit that steps are held to. */
#include <cblas.h>
#include <stdlib.h>

#include "base/arena.h"
#include "engine/backend.h"
#include "engine/profile.h"

static void multiply(sn_dtype dtype, size_t n, const void *a, const void *b, void *c) {
    int d = (int)n;
    if (dtype == SN_F64) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, a, d, b, d, 0, c, d);
    } else {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, a, d, b, d, 0, c, d);
    }
}

/* Small numbers of one sign pattern: neither denormals nor overflow can come of them. */
static void fill(void *to, sn_dtype dtype, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double value = (double)(i % 7) / 7 - 0.5;
        if (dtype == SN_F64) {
            ((double *)to)[i] = value;
        } else {
            ((float *)to)[i] = (float)value;
        }
    }
}

/* The best of some fifty stretches of products. */
static double best_rate(sn_dtype dtype, size_t n, unsigned char *const matrices[3], double seconds) {
    double flops = 2.0 * (double)n * (double)n * (double)n, best = 0;
    uint64_t begin = sn_profile_now(), now = begin;
    do {
        uint64_t start = now;
        double count = 0;
        do {
            multiply(dtype, n, matrices[0], matrices[1], matrices[2]);
            count++;
            now = sn_profile_now();
        } while ((double)(now - start) < 0.02e9 * seconds);
        double rate = count * flops / (double)(now - start);
        if (rate > best) best = rate;
    } while ((double)(now - begin) < 1e9 * seconds);
    return best;
}

sn_status sn_blas_rate(double *gflops, sn_dtype dtype, size_t n, double seconds, sn_error *error) {
    size_t elements = n * n, bytes = sn_align(elements * sn_dtype_size(dtype));
    sn_arena arena;
    sn_status status = sn_blas_pin(error);
    if (!status) status = sn_arena_init(&arena, 3 * bytes, "the matrices of the peak", error);
    if (status) return status;
    unsigned char *const matrices[3] = {arena.base, arena.base + bytes, arena.base + 2 * bytes};
    fill(matrices[0], dtype, elements);
    fill(matrices[1], dtype, elements);
    *gflops = best_rate(dtype, n, matrices, seconds);
    sn_arena_reset(&arena);
    return SN_OK;
}
