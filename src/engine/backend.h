/* Which variant of the ops runs: by precision, and by what the CPU can do. */
#ifndef SN_ENGINE_BACKEND_H
#define SN_ENGINE_BACKEND_H

#include "base/error.h"
#include "ops/backend.h"

/* The backend of a precision for this CPU.  The environment variable SKIPNET_SIMD (generic, avx2, avx512) forces a
 * path; SN_INVALID where the name is unknown or the CPU cannot run it. */
sn_status sn_backend_select(const sn_backend **backend, sn_dtype dtype, sn_error *error);

/* Pins OpenBLAS to one thread: threads are the engine's own.  SN_FAILED if it does not obey.  Every other thread that
 * calls OpenBLAS has to pin itself too. */
sn_status sn_blas_pin(sn_error *error);
void sn_blas_pin_thread(void);

/* OpenBLAS takes a buffer for each thread that calls it, at the first product, and where it cannot have one it tries
 * for ever (0.3.21).  So this asks beforehand whether there is room for calls of `threads` threads at once; SN_FAILED,
 * the remedy named, where there is none. */
sn_status sn_blas_check_room(int threads, sn_error *error);

/* What OpenBLAS says of itself: version and build, the core its kernels are for, "pthread", "openmp" or "serial". */
const char *sn_blas_config(void);
const char *sn_blas_core(void);
const char *sn_blas_threading(void);

/* Rates in GFLOP/s of products of n x n matrices (2 n^3 operations) on one thread. */
typedef struct sn_product_rates {
    double openblas;
    double backend; /* as the ops multiply */
} sn_product_rates;

/* The best rates on the calling thread, in about `seconds` of products of each; they alternate, so that a busy machine
 * disturbs both alike.  `by_openblas`: so do the ops (sn_uses_openblas). */
sn_status sn_backend_rates(sn_product_rates *rates, const sn_backend *backend, bool by_openblas, size_t n,
                           double seconds, sn_error *error);

#endif
