/* Owns the way of samples into a batch: raw values in, scaled values of the backend's precision out; images are
 * augmented on the way. */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/lanes.h"

/* Samples lie anywhere in memory: asks for one while another is converted. */
static void prefetch(const void *sample, size_t bytes) {
    enum { LINE = 64 };
    for (size_t at = 0; at < bytes; at += LINE)
        __builtin_prefetch((const char *)sample + at);
}

/* Pixels from number `first` of a sample on; unless there is one scaling for all, they are rows, or part of one row. */
static void scale_pixels(real *x, const uint8_t *sample, const sn_dataset *dataset, size_t first, size_t n) {
    const uint8_t *raw = sample + first;
    size_t row = dataset->n_scales;
    if (row == 1) {
        double mean = dataset->mean[0], factor = dataset->factor[0];
        SN_SIMD for (size_t c = 0; c < n; c++) x[c] = (real)(((double)raw[c] - mean) * factor);
        return;
    }
    const double *mean = dataset->mean + first % row, *factor = dataset->factor + first % row;
    for (size_t begin = 0; begin < n; begin += row) {
        size_t end = n - begin < row ? n - begin : row;
        SN_SIMD for (size_t c = 0; c < end; c++) x[begin + c] = (real)(((double)raw[begin + c] - mean[c]) * factor[c]);
    }
}

/* The positions of a row of an image the other way round. */
static void mirror(real *row, size_t width, size_t channels) {
    for (size_t left = 0, right = width - 1; left < right; left++, right--) {
        for (size_t c = 0; c < channels; c++) {
            real kept = row[left * channels + c];
            row[left * channels + c] = row[right * channels + c];
            row[right * channels + c] = kept;
        }
    }
}

/* A crop of the padded image.  Of every row it has pixels [left, right) that the image has, too. */
static void crop_pixels(real *x, const uint8_t *sample, const sn_dataset *dataset, sn_crop crop) {
    int height = (int)dataset->shape.dim[0], width = (int)dataset->shape.dim[1];
    size_t channels = (size_t)dataset->shape.dim[2], row_size = (size_t)width * channels;
    size_t left = crop.dx < 0 ? (size_t)-crop.dx : 0, right = (size_t)(crop.dx > 0 ? width - crop.dx : width);
    for (int y = 0; y < height; y++, x += row_size) {
        int from = y + crop.dy;
        if (from < 0 || from >= height) {
            memset(x, 0, row_size * sizeof *x);
            continue;
        }
        size_t first = (size_t)from * row_size + (size_t)((int)left + crop.dx) * channels;
        memset(x, 0, left * channels * sizeof *x);
        scale_pixels(x + left * channels, sample, dataset, first, (right - left) * channels);
        memset(x + right * channels, 0, ((size_t)width - right) * channels * sizeof *x);
        if (crop.is_mirrored) mirror(x, (size_t)width, channels);
    }
}

static void gather_bytes(const sn_gather_call *call) {
    size_t dim = call->dataset->in_dim;
    bool is_augmented = sn_augment_is_on(call->augment);
    for (size_t r = 0; r < call->rows; r++) {
        const uint8_t *sample = call->samples->bytes + (size_t)call->indices[r] * dim;
        real *x = sn_row(call->by_sample, r);
        if (r + 2 < call->rows) prefetch(call->samples->bytes + (size_t)call->indices[r + 2] * dim, dim);
        if (is_augmented) {
            crop_pixels(x, sample, call->dataset, sn_augment_draw(call->augment, call->indices[r]));
        } else {
            scale_pixels(x, sample, call->dataset, 0, dim);
        }
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

/* The rows of a panel's samples as the lanes of its blocks; blocks that follow each other without gaps are as good as
 * one. */
static void put_panel(const sn_gather_call *call, size_t panel) {
    size_t n = sn_panel_samples(call->rows, panel), lanes = n < call->lanes ? call->lanes : n;
    bool is_one = sn_is_contiguous(call->x, call->width);
    size_t n_blocks = is_one ? 1 : call->positions, width = is_one ? call->dataset->in_dim : call->width;
    for (size_t p = 0; p < n_blocks; p++) {
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
