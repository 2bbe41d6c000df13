/* The way of images into a batch against a naive twin, on every SIMD path that runs here and in both precisions: scaled
 * as a whole or by channel, as they are or cropped and mirrored, with a row per sample and in panels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/panel.h"
#include "base/rng.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/reals.h"

enum { SAMPLES = 40, MOST_ROWS = 37, GAP = 3 };

typedef struct images {
    sn_dataset set;
    uint8_t *bytes;
    double *scales;
} images;

static images make_images(sn_shape shape, bool by_channel) {
    size_t size = sn_shape_size(&shape), n_scales = by_channel ? (size_t)(shape.dim[1] * shape.dim[2]) : 1;
    images made = {.bytes = malloc(SAMPLES * size), .scales = malloc(2 * n_scales * sizeof(double))};
    assert_true(made.bytes && made.scales);
    for (size_t i = 0; i < SAMPLES * size; i++)
        made.bytes[i] = (uint8_t)sn_rng_below(sn_rng_stream(1, "test", "images", size), i, 256);
    for (size_t j = 0; j < n_scales; j++) {
        made.scales[j] = 100.3 + 7.7 * (double)(j % (size_t)shape.dim[2]);
        made.scales[n_scales + j] = 0.017 + 0.003 * (double)(j % (size_t)shape.dim[2]);
    }
    made.set = (sn_dataset){.train = {.n = SAMPLES, .bytes = made.bytes},
                            .in_dim = size,
                            .shape = shape,
                            .n_scales = n_scales,
                            .mean = made.scales,
                            .factor = made.scales + n_scales};
    return made;
}

static void drop_images(images *made) {
    free(made->bytes);
    free(made->scales);
}

/* Value `i` of a sample as a step sees it, from the words of augment.h. */
static double twin(const sn_dataset *set, const sn_augment *augment, uint32_t sample, size_t i) {
    int height = (int)set->shape.dim[0], width = (int)set->shape.dim[1], channels = (int)set->shape.dim[2];
    int channel = (int)i % channels, x = (int)i / channels % width, y = (int)i / channels / width;
    sn_crop crop = sn_augment_draw(augment, sample);
    int from_y = y + crop.dy, from_x = (crop.is_mirrored ? width - 1 - x : x) + crop.dx;
    if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) return 0;
    double raw = set->train.bytes[sample * set->in_dim + (size_t)((from_y * width + from_x) * channels + channel)];
    size_t scale = set->n_scales == 1 ? 0 : (size_t)channel;
    return (raw - set->mean[scale]) * set->factor[scale];
}

static double rounded(sn_dtype dtype, double value) {
    return dtype == SN_F32 ? (double)(float)value : value;
}

/* A batch in memory that begins as NaN. */
typedef struct batch {
    sn_gather_call call;
    uint32_t indices[MOST_ROWS];
    size_t wider; /* features of other signals that lie beside those of a block */
    size_t row_values, panel_values;
} batch;

static void gather(batch *b, const sn_backend *backend, const sn_dataset *set, const sn_augment *augment) {
    size_t rows = b->call.rows, size = sn_dtype_size(backend->dtype), positions = sn_shape_positions(&set->shape);
    size_t ld = (set->in_dim / positions + b->wider) * SN_PANEL;
    b->row_values = rows * (set->in_dim + GAP);
    b->panel_values = sn_panels(rows) * positions * ld;
    void *memory = malloc(b->row_values * size), *panels = aligned_alloc(SN_ALIGNMENT, b->panel_values * size);
    assert_true(memory && panels);
    memset(memory, 0xFF, b->row_values * size);
    memset(panels, 0xFF, b->panel_values * size);
    b->call = (sn_gather_call){.dataset = set,
                               .samples = &set->train,
                               .indices = b->indices,
                               .augment = augment,
                               .rows = rows,
                               .lanes = SN_PANEL,
                               .positions = positions,
                               .width = set->in_dim / positions,
                               .by_sample = {memory, set->in_dim + GAP},
                               .x = {panels, ld}};
    for (size_t r = 0; r < rows; r++)
        b->indices[r] = (uint32_t)((r * 7 + 3) % SAMPLES);
    backend->gather(&b->call);
}

/* Lane `lane` of the panels, which repeats the last sample where there is none, and its row. */
static void check_lane(const batch *b, sn_dtype dtype, size_t lane, size_t *n_padded) {
    const sn_gather_call *call = &b->call;
    size_t r = lane < call->rows ? lane : call->rows - 1;
    for (size_t i = 0; i < call->dataset->in_dim; i++) {
        double wanted = rounded(dtype, twin(call->dataset, call->augment, b->indices[r], i));
        size_t block = lane / SN_PANEL * call->positions + i / call->width;
        size_t at = block * call->x.ld + i % call->width * SN_PANEL + lane % SN_PANEL;
        double in_panel = real_get(dtype, call->x.data, at);
        double in_row = real_get(dtype, call->by_sample.data, r * call->by_sample.ld + i);
        if (in_panel != wanted) fail_msg("lane %zu, value %zu: %g, wanted %g", lane, i, in_panel, wanted);
        if (in_row != wanted) fail_msg("row %zu, value %zu: %g, wanted %g", r, i, in_row, wanted);
        *n_padded += wanted == 0;
    }
}

/* Nothing is written between the rows, nor between the blocks. */
static void check_gaps(const batch *b, sn_dtype dtype) {
    const sn_gather_call *call = &b->call;
    size_t dim = call->dataset->in_dim, size = call->width * SN_PANEL;
    for (size_t i = 0; i < call->rows * GAP; i++)
        assert_true(isnan(real_get(dtype, call->by_sample.data, i / GAP * (dim + GAP) + dim + i % GAP)));
    for (size_t block = 0; block < sn_panels(call->rows) * call->positions; block++) {
        for (size_t i = size; i < call->x.ld; i++)
            assert_true(isnan(real_get(dtype, call->x.data, block * call->x.ld + i)));
    }
}

static void check_batch(const batch *b, sn_dtype dtype, size_t *n_padded) {
    for (size_t lane = 0; lane < sn_panels(b->call.rows) * SN_PANEL; lane++)
        check_lane(b, dtype, lane, n_padded);
    check_gaps(b, dtype);
}

static void check_images(const sn_backend *backend, sn_shape shape, bool by_channel, size_t *n_padded) {
    static const sn_augment all[] = {{0}, {.crop_padding = 1}, {.flips = true}, {.crop_padding = 4, .flips = true}};
    static const size_t all_rows[] = {1, 16, 19, MOST_ROWS};
    images made = make_images(shape, by_channel);
    for (size_t k = 0; k < 16; k++) {
        sn_augment augment = sn_augment_at(&all[k / 4], 11, k);
        if (augment.crop_padding >= shape.dim[0] || augment.crop_padding >= shape.dim[1]) continue;
        batch b = {.call.rows = all_rows[k % 4], .wider = k % 3};
        gather(&b, backend, &made.set, &augment);
        check_batch(&b, backend->dtype, n_padded);
        free(b.call.by_sample.data);
        free(b.call.x.data);
    }
    drop_images(&made);
}

static void test_gather(void **state) {
    (void)state;
    static const sn_shape shapes[] = {{3, {1, 1, 1}}, {3, {2, 5, 1}},   {3, {28, 28, 1}}, {3, {5, 2, 3}},
                                      {3, {9, 7, 2}}, {3, {32, 32, 3}}, {3, {6, 8, 17}}};
    for (int precision = 0; precision < 2; precision++) {
        const sn_backend *backends[MOST_BACKENDS];
        size_t n = runnable_backends(backends, precision == 0 ? SN_F32 : SN_F64), n_padded = 0;
        for (size_t k = 0; k < n * 2 * sizeof shapes / sizeof *shapes; k++)
            check_images(backends[k % n], shapes[k / n / 2], k / n % 2, &n_padded);
        assert_true(n_padded > 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gather)};
    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
