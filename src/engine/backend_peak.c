/* Owns the measurement of products: what this machine can do, the limit that steps are held to. */
#include <math.h>

#include "base/arena.h"
#include "base/clock.h"
#include "engine/backend.h"
#include "engine/profile.h"

typedef struct products {
    const sn_backend *backend;
    sn_product_call call;
} products;

static void as_ops_do(const products *p) {
    p->backend->multiply(&p->call);
}

static void as_openblas_does(const products *p) {
    sn_product_call call = p->call;
    call.by_openblas = true;
    p->backend->multiply(&call);
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

/* The rate of a stretch of products of about `seconds`, in GFLOP/s. */
static double stretch_rate(const products *p, void (*multiply)(const products *p), double seconds) {
    double n = (double)p->call.n, count = 0;
    uint64_t start = sn_clock_nanoseconds(), now;
    do {
        multiply(p);
        count++;
        now = sn_clock_nanoseconds();
    } while ((double)(now - start) < 1e9 * seconds);
    return count * 2 * n * n * n / (double)(now - start);
}

/* The best of some fifty stretches of each. */
static sn_product_rates best_rates(const products *p, double seconds) {
    sn_product_rates best = {0};
    uint64_t begin = sn_clock_nanoseconds();
    do {
        best.openblas = fmax(best.openblas, stretch_rate(p, as_openblas_does, 0.02 * seconds));
        best.backend = fmax(best.backend, stretch_rate(p, as_ops_do, 0.02 * seconds));
    } while ((double)(sn_clock_nanoseconds() - begin) < 2e9 * seconds);
    return best;
}

sn_status sn_backend_rates(sn_product_rates *rates, const sn_backend *backend, bool by_openblas, size_t n,
                           double seconds, sn_error *error) {
    size_t elements = n * n, bytes = sn_align(elements * sn_dtype_size(backend->dtype));
    sn_arena arena;
    sn_status status = sn_blas_pin(error);
    if (!status) status = sn_blas_check_room(1, error);
    if (!status) status = sn_arena_init(&arena, 3 * bytes, "the matrices of the peak", error);
    if (status) return status;
    products p = {.backend = backend, .call = {.m = n, .n = n, .k = n, .by_openblas = by_openblas}};
    p.call.a = (sn_view){arena.base, n};
    p.call.b = (sn_view){arena.base + bytes, n};
    p.call.c = (sn_view){arena.base + 2 * bytes, n};
    fill(p.call.a.data, backend->dtype, elements);
    fill(p.call.b.data, backend->dtype, elements);
    *rates = best_rates(&p, seconds);
    sn_arena_reset(&arena);
    return SN_OK;
}
