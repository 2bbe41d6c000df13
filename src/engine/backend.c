/* Owns the choice of a variant, and what has to be known of OpenBLAS. */
#include "engine/backend.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

extern const sn_backend sn_backend_f32_generic, sn_backend_f64_generic;
#ifdef SN_HAS_X86_VARIANTS
extern const sn_backend sn_backend_f32_avx2, sn_backend_f64_avx2, sn_backend_f32_avx512, sn_backend_f64_avx512;
#endif

/* From the best to the one that always runs. */
static const sn_backend *const backends[] = {
#ifdef SN_HAS_X86_VARIANTS
    &sn_backend_f32_avx512,  &sn_backend_f64_avx512,  &sn_backend_f32_avx2, &sn_backend_f64_avx2,
#endif
    &sn_backend_f32_generic, &sn_backend_f64_generic,
};

static bool cpu_runs(const char *simd) {
#ifdef SN_HAS_X86_VARIANTS
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
    if (strcmp(simd, "avx512") == 0) return avx2 && (avx512 || SN_EMULATES_AVX512);
    if (strcmp(simd, "avx2") == 0) return avx2;
#endif
    return strcmp(simd, "generic") == 0;
}

sn_status sn_backend_select(const sn_backend **backend, sn_dtype dtype, sn_error *error) {
    const char *forced = getenv("SKIPNET_SIMD");
    bool is_known = false;
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (forced && *forced && strcmp(forced, backends[i]->simd) != 0) continue;
        is_known = true;
        if (backends[i]->dtype != dtype || !cpu_runs(backends[i]->simd)) continue;
        *backend = backends[i];
        return SN_OK;
    }
    return sn_error_set(error, SN_INVALID, "SKIPNET_SIMD=%s: %s", forced,
                        is_known ? "this CPU cannot run it (unset it, or take generic)"
                                 : "unknown (one of: generic, avx2, avx512)");
}

/* OpenMP keeps a number of threads per thread, and an OpenBLAS built with it takes that of its caller (OpenBLAS issue
 * 3933).  Other builds have not loaded OpenMP. */
void sn_blas_pin_thread(void) {
    void (*set)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set) set(1);
}

sn_status sn_blas_pin(sn_error *error) {
    sn_blas_pin_thread();
    openblas_set_num_threads(1);
    int n = openblas_get_num_threads();
    if (n == 1) return SN_OK;
    return sn_error_set(error, SN_FAILED, "OpenBLAS keeps %d threads (set OPENBLAS_NUM_THREADS=1)", n);
}

/* A buffer of OpenBLAS on x86-64 with kernels for many cores; elsewhere it is smaller. */
#define BLAS_BUFFER_BYTES ((size_t)128 << 20)

/* Asks as OpenBLAS asks; what is had is given back at once. */
sn_status sn_blas_check_room(int threads, sn_error *error) {
    size_t bytes = (size_t)threads * BLAS_BUFFER_BYTES;
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        return sn_error_set(error, SN_FAILED,
                            "out of memory: OpenBLAS wants %zu MiB of address space for products on %d threads (raise "
                            "the limit, see ulimit -v, or take fewer --threads)",
                            bytes >> 20, threads);
    }
    munmap(room, bytes);
    return SN_OK;
}

const char *sn_blas_config(void) {
    return openblas_get_config();
}

const char *sn_blas_core(void) {
    return openblas_get_corename();
}

const char *sn_blas_threading(void) {
    static const char *const names[] = {"serial", "pthread", "openmp"};
    int parallel = openblas_get_parallel();
    return parallel >= 0 && parallel <= 2 ? names[parallel] : "unknown";
}
