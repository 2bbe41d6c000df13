/* Owns the source textures: images that are told apart by the orientation and the scale of what they are made of, and
 * by nothing else.  A texture is white noise that went through a small grating, a patch of 7 x 7 pixels: a sum of
 * gratings at all places with random signs.  The mean image of every class is the same grey, and their spectra are
 * broad and overlap; so what is linear in pixels knows next to nothing of them, and a network without places learns
 * them badly, while a few small convolutions and a mean over the positions tell all.
 *
 * tests/data/test_data_textures.c shows the first and the last of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/augment.h"
#include "data/source.h"

enum {
    RADIUS = 3,
    MARGIN = 2 * RADIUS,
    SIDE = MARGIN + 1,
    TAPS = SIDE * SIDE
}; /* the signs of an image have a margin */

typedef struct textures {
    uint64_t seed, split;
    uint32_t n_classes, n_scales; /* class c has scale c mod n_scales */
    size_t height, width, channels;
    double noise;
    double *signs, *field; /* of one image: (height + MARGIN, width + MARGIN), (height, width) */
} textures;

static const double PI = 3.141592653589793238463;

/* Scales for a good number of classes: about half as many as orientations. */
static uint32_t count_scales(uint32_t n_classes) {
    uint32_t n = (uint32_t)sqrt(n_classes / 2.0);
    return n > 0 ? n : 1;
}

/* The grating of a class: of a wave of 4 to 6 pixels, under a bell of a quarter of a wave, of norm 1. */
static void make_patch(const textures *t, uint32_t class, double patch[TAPS]) {
    uint32_t n_angles = (t->n_classes + t->n_scales - 1) / t->n_scales, turn = class / t->n_scales;
    double place = t->n_scales > 1 ? (double)(class % t->n_scales) / (t->n_scales - 1) : 0;
    double angle = PI * turn / n_angles, wave = 4 * pow(1.5, place), squares = 0;
    for (int i = 0; i < TAPS; i++) {
        int row = i / SIDE - RADIUS, column = i % SIDE - RADIUS;
        double x = column, y = row, bell = exp(-8 * (x * x + y * y) / (wave * wave));
        patch[i] = bell * cos(2 * PI * (x * cos(angle) + y * sin(angle)) / wave);
        squares += patch[i] * patch[i];
    }
    for (int i = 0; i < TAPS; i++)
        patch[i] /= sqrt(squares);
}

/* The texture of image `number`: mean 0, sd 1.  Signs are as good as normal values, so many are summed. */
static void make_field(const textures *t, uint64_t number, const double patch[TAPS]) {
    sn_rng rng = sn_rng_stream(t->seed, "data", "textures.signs", t->split);
    size_t ld = t->width + MARGIN, n = (t->height + MARGIN) * ld, n_words = (n + 63) / 64;
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 64 == 0) word = sn_rng_bits(rng, number * n_words + i / 64);
        t->signs[i] = word >> i % 64 & 1 ? 1 : -1;
    }
    memset(t->field, 0, t->height * t->width * sizeof *t->field);
    for (size_t y = 0; y < t->height; y++) {
        double *row = t->field + y * t->width;
        for (size_t i = 0; i < TAPS; i++) {
            const double *signs = t->signs + (y + i / SIDE) * ld + i % SIDE;
            for (size_t x = 0; x < t->width; x++)
                row[x] += patch[i] * signs[x];
        }
    }
}

/* -1 .. 1 as 0 .. 255, to the nearest. */
static uint8_t pixel_of(double value) {
    double pixel = 128 + 127.5 * value;
    return (uint8_t)(pixel < 0 ? 0 : pixel > 255 ? 255 : pixel);
}

/* A channel of image `number`: the texture at a gain and on a ground of its own.  Noise is uniform: of 16 bits each. */
static void put_channel(const textures *t, uint64_t number, size_t channel, uint8_t *image) {
    const double spread = t->noise * 3.4641016151377545871 / 0x1p16; /* sqrt(12) is the range of sd 1 */
    sn_rng light = sn_rng_stream(t->seed, "data", "textures.light", t->split);
    sn_rng noise = sn_rng_stream(t->seed, "data", "textures.noise", t->split);
    size_t n = t->height * t->width, n_words = (n + 3) / 4;
    uint64_t at = number * t->channels + channel, word = 0;
    double offset = 0.6 * sn_rng_uniform(light, 2 * at) - 0.3, gain = 0.2 + 0.2 * sn_rng_uniform(light, 2 * at + 1);
    for (size_t p = 0; p < n; p++) {
        word = p % 4 == 0 ? sn_rng_bits(noise, at * n_words + p / 4) : word >> 16;
        double drawn = (double)(int)(word & 0xFFFF) - (0x1p15 - 0.5);
        image[p * t->channels + channel] = pixel_of(offset + gain * t->field[p] + spread * drawn);
    }
}

static void draw_textures(const textures *t, const sn_new_split *room) {
    size_t size = t->height * t->width * t->channels;
    double patch[TAPS];
    for (size_t i = 0; i < room->n; i++) {
        room->labels[i] = (uint32_t)(i % t->n_classes);
        make_patch(t, room->labels[i], patch);
        make_field(t, i, patch);
        for (size_t c = 0; c < t->channels; c++)
            put_channel(t, i, c, room->bytes + i * size);
    }
}

/* Both splits, with room for one image as it is made. */
static sn_status draw_splits(textures *t, const sn_new_split room[2], sn_error *error) {
    size_t n_signs = (t->height + MARGIN) * (t->width + MARGIN), n = n_signs + t->height * t->width;
    sn_status status = sn_memory_check(n * sizeof *t->signs, "an image", error);
    if (status) return status;
    t->signs = malloc(n * sizeof *t->signs);
    if (!t->signs) return sn_error_memory(error, n * sizeof *t->signs, "an image");
    t->field = t->signs + n_signs;
    for (t->split = 0; t->split < 2; t->split++)
        draw_textures(t, &room[t->split]);
    free(t->signs);
    return SN_OK;
}

static sn_status load_textures(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    textures t = {.seed = (uint64_t)sn_value_integer(data, "seed"),
                  .n_classes = (uint32_t)sn_value_integer(data, "classes"),
                  .height = (size_t)sn_value_integer(data, "height"),
                  .width = (size_t)sn_value_integer(data, "width"),
                  .channels = (size_t)sn_value_integer(data, "channels"),
                  .noise = sn_value_number(data, "noise")};
    t.n_scales = count_scales(t.n_classes);
    dataset->shape = (sn_shape){3, {(int64_t)t.height, (int64_t)t.width, (int64_t)t.channels}};
    dataset->in_dim = sn_shape_size(&dataset->shape);
    dataset->out_dim = t.n_classes;
    dataset->is_classes = true;
    sn_new_split room[2];
    sn_status status = sn_dataset_make_generated(dataset, config, data, room, error);
    return status ? status : draw_splits(&t, room, error);
}

static const sn_key keys[] = {
    {.name = "classes",
     .types = SN_INTEGER,
     .fallback = "10",
     .min = 2,
     .max = 1000,
     .help = "number of classes: orientations times scales, of which there are about half as many as orientations"},
    {.name = "height", .types = SN_INTEGER, .fallback = "28", .min = 1, .max = 65535, .help = "of an image, in pixels"},
    {.name = "width", .types = SN_INTEGER, .fallback = "28", .min = 1, .max = 65535, .help = "of an image, in pixels"},
    {.name = "channels", .types = SN_INTEGER, .fallback = "1", .min = 1, .max = 65535, .help = "values of a pixel"},
    {.name = "noise",
     .types = SN_NUMBER,
     .fallback = "0.2",
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of the noise on every value, where 1 is half the way from black to white"},
    {.name = "samples", .types = SN_INTEGER, .fallback = "10000", .min = 1, .max = 1e9, .help = "training samples"},
    {.name = "test_samples", .types = SN_INTEGER, .fallback = "2000", .min = 0, .max = 1e9, .help = "test samples"},
    {SN_KEY_AUGMENT},
    {0},
};

const sn_source sn_source_textures = {
    .kind = {.name = "textures",
             .help = "images of noise with an orientation and a scale, which are the class: for convolutions, since "
                     "what is linear in pixels knows next to nothing of it",
             .keys = keys,
             .formula = "127.5 (1 + offset + gain (k * s) + noise U), k(u) ~ exp(-8 u^2/L^2) cos(2 pi u.d/L) on "
                        "7 x 7 pixels, |k| = 1, s = +-1; L = 4 .. 6; offset, gain ~ U by channel"},
    .load = load_textures,
};
