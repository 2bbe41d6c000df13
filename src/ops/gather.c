/* Owns the way of samples into a batch: raw values in, scaled values of the backend's precision out. */
#include "ops/kernels.h"

/* Samples lie anywhere in memory: asks for one while the one before it is converted. */
static void prefetch_bytes(const sn_gather_call *call, size_t r) {
    enum { LINE = 64 };
    if (r >= call->rows) return;
    size_t dim = call->dataset->in_dim;
    const uint8_t *raw = call->samples->bytes + (size_t)call->indices[r] * dim;
    for (size_t c = 0; c < dim; c += LINE)
        __builtin_prefetch(raw + c);
}

/* One scaling for all features. */
static void gather_bytes(const sn_gather_call *call) {
    size_t dim = call->dataset->in_dim;
    double mean = call->dataset->mean[0], factor = call->dataset->factor[0];
    for (size_t r = 0; r < call->rows; r++) {
        const uint8_t *raw = call->samples->bytes + (size_t)call->indices[r] * dim;
        real *x = sn_row(call->x, r);
        prefetch_bytes(call, r + 2);
        SN_SIMD for (size_t c = 0; c < dim; c++) x[c] = (real)(((double)raw[c] - mean) * factor);
    }
}

static void gather_values(const sn_gather_call *call) {
    const sn_dataset *dataset = call->dataset;
    size_t dim = dataset->in_dim, step = dataset->n_scales > 1;
    for (size_t r = 0; r < call->rows; r++) {
        const double *raw = call->samples->values + (size_t)call->indices[r] * dim;
        real *x = sn_row(call->x, r);
        for (size_t c = 0; c < dim; c++)
            x[c] = (real)((raw[c] - dataset->mean[c * step]) * dataset->factor[c * step]);
    }
}

void SN_V(sn_gather)(const sn_gather_call *call) {
    if (call->samples->bytes) {
        gather_bytes(call);
    } else {
        gather_values(call);
    }
}
