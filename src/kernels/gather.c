/* Owns the way of samples into a batch: raw values in, scaled values of the backend's precision out. */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/lanes.h"

/* Samples lie anywhere in memory: asks for one while another is converted. */
static void prefetch(const void *sample, size_t bytes) {
    enum { LINE = 64 };
    for (size_t at = 0; at < bytes; at += LINE)
        __builtin_prefetch((const char *)sample + at);
}

/* One scaling for all features. */
static void gather_bytes(const sn_gather_call *call) {
    size_t dim = call->dataset->in_dim;
    double mean = call->dataset->mean[0], factor = call->dataset->factor[0];
    for (size_t r = 0; r < call->rows; r++) {
        const uint8_t *raw = call->samples->bytes + (size_t)call->indices[r] * dim;
        real *x = sn_row(call->by_sample, r);
        if (r + 2 < call->rows) prefetch(call->samples->bytes + (size_t)call->indices[r + 2] * dim, dim);
        SN_SIMD for (size_t c = 0; c < dim; c++) x[c] = (real)(((double)raw[c] - mean) * factor);
    }
}

static void scale_row(real *x, const double *raw, const sn_dataset *dataset) {
    const double *mean = dataset->mean, *factor = dataset->factor;
    double m = mean[0], f = factor[0];
    if (dataset->n_scales == 1) {
        SN_SIMD for (size_t c = 0; c < dataset->in_dim; c++) x[c] = (real)((raw[c] - m) * f);
        return;
    }
    SN_SIMD for (size_t c = 0; c < dataset->in_dim; c++) x[c] = (real)((raw[c] - mean[c]) * factor[c]);
}

static void gather_values(const sn_gather_call *call) {
    const sn_dataset *dataset = call->dataset;
    size_t dim = dataset->in_dim;
    for (size_t r = 0; r < call->rows; r++) {
        const double *raw = call->samples->values + (size_t)call->indices[r] * dim;
        real *x = sn_row(call->by_sample, r);
        if (r + 1 < call->rows) prefetch(call->samples->values + (size_t)call->indices[r + 1] * dim, dim * sizeof *raw);
        scale_row(x, raw, dataset);
    }
}

/* The rows of a panel's samples as the lanes of its blocks. */
static void put_panel(const sn_gather_call *call, size_t panel) {
    size_t n = sn_panel_samples(call->rows, panel), lanes = n < call->lanes ? call->lanes : n, width = call->width;
    for (size_t p = 0; p < call->positions; p++) {
        sn_view from = {sn_row(call->by_sample, panel * SN_PANEL) + p * width, call->by_sample.ld};
        sn_view to = {sn_lanes_of(call->x, panel * call->positions + p, 0), SN_PANEL};
        SN_V(sn_transpose)(to, from, n, width);
        for (size_t c = 0; c < width && n < lanes; c++) {
            real *x = sn_row(to, c);
            for (size_t l = n; l < lanes; l++)
                x[l] = x[n - 1];
        }
    }
}

void SN_V(sn_gather)(const sn_gather_call *call) {
    if (call->samples->bytes) {
        gather_bytes(call);
    } else {
        gather_values(call);
    }
    for (size_t panel = 0; panel < sn_panels(call->rows); panel++)
        put_panel(call, panel);
}
