/* Owns the scaling.  Images have one scaling for all pixels or for those of a channel, fitted in exact integer
 * arithmetic; other samples one per feature.  A constant feature is recognised by its range, not by a standard
 * deviation that rounding keeps above 0. */
#include "data/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sn_scaling_words[] = {"standardize", SN_SCALING_PER_CHANNEL, "unit", "none", NULL};

/* Sums over a block that 32 bits hold: 2^15 * 255^2 < 2^32.  The compiler makes vector code of the inner loop. */
sn_pixel_sums sn_scaling_sum(const sn_samples *samples, size_t in_dim) {
    enum { BLOCK = 1 << 15 };
    size_t n = samples->n * in_dim;
    sn_pixel_sums sums = {.n_pixels = n};
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t end = n - start < BLOCK ? n : start + BLOCK;
        uint32_t block_sum = 0, block_squares = 0;
        for (size_t i = start; i < end; i++) {
            uint32_t pixel = samples->bytes[i];
            block_sum += pixel;
            block_squares += pixel * pixel;
        }
        sums.sum += block_sum;
        sums.squares += block_squares;
    }
    return sums;
}

/* (pixel/255 - m) / s with the mean m and the population standard deviation s of pixel/255 is the same as
 * (pixel - 255 m) / (255 s), where the 255 drop out. */
static void standardize(const sn_pixel_sums *sums, double *mean, double *factor) {
    uint64_t n = sums->n_pixels;
    unsigned __int128 spread =
        (unsigned __int128)n * sums->squares - (unsigned __int128)sums->sum * sums->sum; /* n^2 variance */
    *mean = (double)sums->sum / (double)n;
    *factor = spread == 0 ? 1 : (double)n / sqrt((double)spread);
}

static void standardize_pixels(const sn_dataset *dataset, double *mean, double *factor) {
    sn_pixel_sums sums = dataset->sums;
    if (sums.n_pixels != dataset->train.n * dataset->in_dim) sums = sn_scaling_sum(&dataset->train, dataset->in_dim);
    standardize(&sums, mean, factor);
}

/* Adds rows of `width` bytes to sums of their columns, (2, width): of values, of squares. */
static void sum_columns(const uint8_t *rows, size_t n, size_t width, uint32_t *restrict sums) {
    for (size_t r = 0; r < n; r++) {
        const uint8_t *row = rows + r * width;
        for (size_t j = 0; j < width; j++) {
            uint32_t pixel = row[j];
            sums[j] += pixel;
            sums[width + j] += pixel * pixel;
        }
    }
}

/* The sums of each channel, from those of the columns of images: that is a loop of vectors.  `columns`: (2, width). */
static void sum_channels(const sn_dataset *dataset, sn_pixel_sums *channels, uint32_t *columns) {
    enum { BLOCK = 1 << 15 }; /* as above */
    size_t n_channels = (size_t)dataset->shape.dim[2], width = (size_t)dataset->shape.dim[1] * n_channels;
    size_t n_rows = dataset->train.n * (size_t)dataset->shape.dim[0];
    for (size_t start = 0; start < n_rows; start += BLOCK) {
        memset(columns, 0, 2 * width * sizeof *columns);
        sum_columns(dataset->train.bytes + start * width, n_rows - start < BLOCK ? n_rows - start : BLOCK, width,
                    columns);
        for (size_t j = 0; j < width; j++) {
            channels[j % n_channels].sum += columns[j];
            channels[j % n_channels].squares += columns[width + j];
        }
    }
    for (size_t c = 0; c < n_channels; c++)
        channels[c].n_pixels = n_rows * (size_t)dataset->shape.dim[1];
}

/* Scales of the pixels of one row, which are those of every row: (width * channels). */
static sn_status standardize_channels(const sn_dataset *dataset, double *mean, double *factor, sn_error *error) {
    size_t n_channels = (size_t)dataset->shape.dim[2], width = dataset->n_scales;
    size_t size = n_channels * sizeof(sn_pixel_sums) + 2 * width * sizeof(uint32_t);
    sn_pixel_sums *channels = calloc(1, size);
    if (!channels) return sn_error_memory(error, size, "the scaling");
    sum_channels(dataset, channels, (uint32_t *)(channels + n_channels));
    for (size_t j = 0; j < width; j++)
        standardize(&channels[j % n_channels], &mean[j], &factor[j]);
    free(channels);
    return SN_OK;
}

static void find_ranges(const sn_samples *train, size_t in_dim, double *low, double *high) {
    memcpy(low, train->values, in_dim * sizeof *low);
    memcpy(high, train->values, in_dim * sizeof *high);
    for (size_t i = 1; i < train->n; i++) {
        const double *row = train->values + i * in_dim;
        for (size_t j = 0; j < in_dim; j++) {
            low[j] = row[j] < low[j] ? row[j] : low[j];
            high[j] = row[j] > high[j] ? row[j] : high[j];
        }
    }
}

/* Two passes: the squares are those of differences from the mean, so that nothing cancels. */
static void sum_features(const sn_samples *train, size_t in_dim, double *mean, double *squares) {
    memset(mean, 0, in_dim * sizeof *mean);
    memset(squares, 0, in_dim * sizeof *squares);
    for (size_t i = 0; i < train->n; i++) {
        for (size_t j = 0; j < in_dim; j++)
            mean[j] += train->values[i * in_dim + j];
    }
    for (size_t j = 0; j < in_dim; j++)
        mean[j] /= (double)train->n;
    for (size_t i = 0; i < train->n; i++) {
        for (size_t j = 0; j < in_dim; j++) {
            double difference = train->values[i * in_dim + j] - mean[j];
            squares[j] += difference * difference;
        }
    }
}

static sn_status fit_features(const sn_dataset *dataset, bool is_unit, double *mean, double *factor, sn_error *error) {
    size_t in_dim = dataset->in_dim;
    double *low = malloc(2 * in_dim * sizeof *low);
    if (!low) return sn_error_memory(error, 2 * in_dim * sizeof *low, "the scaling");
    double *high = low + in_dim;
    find_ranges(&dataset->train, in_dim, low, high);
    if (!is_unit) sum_features(&dataset->train, in_dim, mean, factor);

    sn_status status = SN_OK;
    for (size_t j = 0; j < in_dim && status == SN_OK; j++) {
        double spread = is_unit ? high[j] - low[j] : sqrt(factor[j] / (double)dataset->train.n);
        bool is_constant = !(high[j] > low[j]);
        if (is_unit || is_constant) mean[j] = low[j];
        factor[j] = is_constant ? 1 : 1 / spread;
        if (!isfinite(mean[j]) || !isfinite(factor[j]) || factor[j] == 0) {
            status = sn_error_set(error, SN_INVALID,
                                  "%s: feature %zu runs from %g to %g, which double precision cannot scale; "
                                  "set data.scaling to none",
                                  dataset->origin, j, low[j], high[j]);
        }
    }
    free(low);
    return status;
}

/* One channel is the whole image: then its scale is that of all pixels. */
static size_t count_scales(const sn_dataset *dataset, bool is_none, bool is_per_channel) {
    size_t n_channels = (size_t)sn_shape_features(&dataset->shape);
    if (is_none) return 1;
    if (!dataset->train.bytes) return dataset->in_dim;
    return is_per_channel && n_channels > 1 ? (size_t)dataset->shape.dim[1] * n_channels : 1;
}

sn_status sn_scaling_fit(sn_dataset *dataset, const char *scaling, sn_error *error) {
    bool is_unit = strcmp(scaling, "unit") == 0;
    bool is_none = strcmp(scaling, "none") == 0;
    size_t n_scales = count_scales(dataset, is_none, strcmp(scaling, SN_SCALING_PER_CHANNEL) == 0);
    double *mean = sn_pool_alloc(&dataset->pool, 2 * n_scales * sizeof *mean);
    if (!mean) return sn_error_memory(error, 2 * n_scales * sizeof *mean, "the scaling");
    double *factor = mean + n_scales;
    dataset->n_scales = n_scales;
    dataset->mean = mean;
    dataset->factor = factor;

    if (!is_none && !dataset->train.bytes) return fit_features(dataset, is_unit, mean, factor, error);
    if (n_scales > 1) return standardize_channels(dataset, mean, factor, error);
    mean[0] = 0;
    factor[0] = is_none ? 1 : 1.0 / 255;
    if (!is_none && !is_unit) standardize_pixels(dataset, mean, factor);
    return SN_OK;
}
