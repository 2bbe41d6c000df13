/* The source textures: every value by its definition, any size, and what it is for: that means of classes, all that a
 * linear model has, tell nothing, while the power behind small filters tells the class. */
#include "data_fixture.h"

#include <math.h>

#include "base/rng.h"

enum { RADIUS = 3, SIDE = 7, TAPS = SIDE * SIDE };

static const double PI = 3.141592653589793238463;

/* ---- the definition ---- */

typedef struct definition {
    uint64_t seed, split;
    size_t classes, scales, height, width, channels;
    double noise;
} definition;

static void patch_of(const definition *d, size_t class, double patch[TAPS]) {
    double angles = ceil((double)d->classes / (double)d->scales), squares = 0;
    double angle = PI * floor((double)class / (double)d->scales) / angles;
    double wave = d->scales == 1 ? 4 : 4 * pow(1.5, (double)(class % d->scales) / (double)(d->scales - 1));
    for (int y = -RADIUS; y <= RADIUS; y++) {
        for (int x = -RADIUS; x <= RADIUS; x++) {
            double *tap = &patch[(y + RADIUS) * SIDE + x + RADIUS];
            double sigma = wave / 4, along = x * cos(angle) + y * sin(angle);
            *tap = exp(-(x * x + y * y) / (2 * sigma * sigma)) * cos(2 * PI * along / wave);
            squares += *tap * *tap;
        }
    }
    for (int i = 0; i < TAPS; i++)
        patch[i] /= sqrt(squares);
}

static double sign_at(const definition *d, size_t image, size_t y, size_t x) {
    sn_rng rng = sn_rng_stream(d->seed, "data", "textures.signs", d->split);
    size_t width = d->width + 2 * RADIUS, n = (d->height + 2 * RADIUS) * width, i = y * width + x;
    return sn_rng_bits(rng, image * ((n + 63) / 64) + i / 64) >> i % 64 & 1 ? 1 : -1;
}

/* Before it is rounded. */
static double value_at(const definition *d, const double patch[TAPS], size_t image, size_t p, size_t channel) {
    sn_rng light = sn_rng_stream(d->seed, "data", "textures.light", d->split);
    sn_rng noise = sn_rng_stream(d->seed, "data", "textures.noise", d->split);
    size_t n = d->height * d->width, plane = image * d->channels + channel;
    double offset = sn_rng_uniform(light, 2 * plane) * 0.6 - 0.3,
           gain = 0.2 * (1 + sn_rng_uniform(light, 2 * plane + 1));
    double texture = 0;
    for (size_t i = 0; i < TAPS; i++)
        texture += patch[i] * sign_at(d, image, p / d->width + i / SIDE, p % d->width + i % SIDE);
    uint64_t bits = sn_rng_bits(noise, plane * ((n + 3) / 4) + p / 4) >> 16 * (p % 4) & 0xFFFF;
    double drawn = (((double)bits + 0.5) / 65536 - 0.5) * sqrt(12);
    return 127.5 + 127.5 * (offset + gain * texture + d->noise * drawn);
}

static void check_value(double value, double found) {
    double wanted = fmin(fmax(floor(value + 0.5), 0), 255);
    double rest = fabs(value - floor(value) - 0.5); /* as good as half way: either neighbour */
    if (found != wanted && (rest > 1e-9 || fabs(found - wanted) > 1))
        fail_msg("%g, wanted %g (%.12g)", found, wanted, value);
}

static void check_split(const definition *d, const sn_samples *samples, size_t *n_checked) {
    size_t size = d->height * d->width * d->channels;
    double patch[TAPS];
    for (size_t i = 0; i < samples->n; i++) {
        assert_int_equal(samples->labels[i], i % d->classes);
        patch_of(d, i % d->classes, patch);
        for (size_t j = 0; j < size; j++) {
            check_value(value_at(d, patch, i, j / d->channels, j % d->channels), samples->bytes[i * size + j]);
            ++*n_checked;
        }
    }
}

static void test_definition(void **state) {
    (void)state;
    static const definition cases[] = {
        {0, 0, 10, 2, 28, 28, 1, 0.2}, {7, 0, 2, 1, 1, 1, 1, 0},  {7, 0, 3, 1, 5, 9, 3, 0.5},
        {1, 0, 40, 4, 8, 3, 2, 0.1},   {3, 0, 8, 2, 6, 7, 17, 3},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        definition d = cases[k];
        char config[512];
        size_t n_checked = 0;
        snprintf(config, sizeof config,
                 "{\"kind\": \"textures\", \"seed\": %d, \"classes\": %zu, \"height\": %zu, \"width\": %zu, "
                 "\"channels\": %zu, \"noise\": %g, \"samples\": 43, \"test_samples\": 11}",
                 (int)d.seed, d.classes, d.height, d.width, d.channels, d.noise);
        sn_dataset set = fixture_load_ok(config);
        assert_true(
            sn_shape_equal(&set.shape, &(sn_shape){3, {(int64_t)d.height, (int64_t)d.width, (int64_t)d.channels}}));
        assert_int_equal(set.in_dim, d.height * d.width * d.channels);
        assert_int_equal(set.out_dim, d.classes);
        assert_string_equal(set.origin, "generated");
        check_split(&d, &set.train, &n_checked);
        d.split = 1;
        check_split(&d, &set.test, &n_checked);
        assert_int_equal(n_checked, 54 * set.in_dim);
        sn_dataset_reset(&set);
    }
}

static void test_seed(void **state) {
    (void)state;
    sn_dataset a = fixture_load_ok("{\"kind\": \"textures\", \"seed\": 4, \"samples\": 20, \"test_samples\": 20}");
    sn_dataset b = fixture_load_ok("{\"kind\": \"textures\", \"seed\": 4, \"samples\": 20, \"test_samples\": 20}");
    sn_dataset c = fixture_load_ok("{\"kind\": \"textures\", \"seed\": 5, \"samples\": 20, \"test_samples\": 20}");
    sn_dataset more = fixture_load_ok("{\"kind\": \"textures\", \"seed\": 4, \"samples\": 30, \"test_samples\": 0}");
    size_t size = 20 * a.in_dim;
    assert_memory_equal(a.train.bytes, b.train.bytes, size);
    assert_int_equal(a.checksum, b.checksum);
    assert_memory_not_equal(a.train.bytes, c.train.bytes, size);
    assert_memory_not_equal(a.train.bytes, a.test.bytes, size);
    assert_memory_equal(a.train.bytes, more.train.bytes, size); /* the first of more are the same */
    sn_dataset_reset(&a);
    sn_dataset_reset(&b);
    sn_dataset_reset(&c);
    sn_dataset_reset(&more);
}

/* ---- what it is for ---- */

enum { CLASSES = 10, MOST_FEATURES = 784 };

/* What a classifier looks at: `n` numbers of an image. */
typedef struct view {
    size_t n;
    void (*look)(const uint8_t *image, double *features);
} view;

static void look_at_pixels(const uint8_t *image, double *features) {
    for (size_t i = 0; i < MOST_FEATURES; i++)
        features[i] = image[i] / 255.0;
}

/* The power behind a filter: a convolution, a square, a sum over the places where the filter fits. */
static double power_behind(const double patch[TAPS], const uint8_t *image, double mean) {
    double power = 0;
    for (size_t p = 0; p < 22 * 22; p++) {
        const uint8_t *corner = image + p / 22 * 28 + p % 22;
        double response = 0;
        for (size_t i = 0; i < TAPS; i++) {
            size_t at = i / SIDE * 28 + i % SIDE;
            response += patch[i] * (corner[at] - mean);
        }
        power += response * response;
    }
    return power;
}

/* The shares of the powers behind the patches of the classes. */
static void look_at_powers(const uint8_t *image, double *features) {
    const definition d = {.classes = CLASSES, .scales = 2};
    double sum = 0, mean = 0, patch[TAPS];
    for (size_t i = 0; i < MOST_FEATURES; i++)
        mean += image[i] / (double)MOST_FEATURES;
    for (size_t k = 0; k < CLASSES; k++) {
        patch_of(&d, k, patch);
        features[k] = power_behind(patch, image, mean);
        sum += features[k];
    }
    for (size_t k = 0; k < CLASSES; k++)
        features[k] /= sum;
}

/* The share of test images that are nearest to the mean of their own class. */
static double accuracy_of(const view *v, const sn_dataset *set) {
    static double means[CLASSES][MOST_FEATURES];
    double x[MOST_FEATURES];
    size_t n_right = 0;
    memset(means, 0, sizeof means);
    for (size_t i = 0; i < set->train.n; i++) {
        v->look(set->train.bytes + i * set->in_dim, x);
        for (size_t j = 0; j < v->n; j++)
            means[set->train.labels[i]][j] += x[j] * CLASSES / (double)set->train.n;
    }
    for (size_t i = 0; i < set->test.n; i++) {
        double least = INFINITY;
        size_t nearest = 0;
        v->look(set->test.bytes + i * set->in_dim, x);
        for (size_t k = 0; k < CLASSES; k++) {
            double distance = 0;
            for (size_t j = 0; j < v->n; j++)
                distance += (x[j] - means[k][j]) * (x[j] - means[k][j]);
            if (distance < least) nearest = k;
            least = fmin(least, distance);
        }
        n_right += nearest == set->test.labels[i];
    }
    return (double)n_right / (double)set->test.n;
}

static void test_convolution_is_needed(void **state) {
    (void)state;
    static const view pixels = {MOST_FEATURES, look_at_pixels}, powers = {CLASSES, look_at_powers};
    sn_dataset set = fixture_load_ok("{\"kind\": \"textures\", \"samples\": 1000, \"test_samples\": 500}");
    double linear = accuracy_of(&pixels, &set), filtered = accuracy_of(&powers, &set);
    if (linear > 0.18) fail_msg("linear in pixels: %.3f right, chance is 0.1", linear);
    if (filtered < 0.97) fail_msg("by powers behind filters: only %.3f right", filtered);
    sn_dataset_reset(&set);
}

static void test_faults(void **state) {
    (void)state;
    fixture_expect_fault(
        "{\"kind\": \"textures\", \"height\": 1000, \"width\": 1000, \"samples\": 3000}", SN_INVALID,
        "c.json:1:73: data.samples: 3000 samples of 1000000 values of 1 byte are more than the limit of "
        "2147483648 bytes");
    fixture_expect_fault(
        "{\"kind\": \"textures\", \"height\": 1, \"width\": 1, \"samples\": 300000000}", SN_INVALID,
        "c.json:1:67: data.samples: 300000000 samples of 1 value of 8 bytes are more than the limit of "
        "2147483648 bytes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_convolution_is_needed),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests_name("textures", tests, fixture_setup, fixture_teardown);
}
