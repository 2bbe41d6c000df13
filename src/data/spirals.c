/* Owns the source spirals: arms wound around each other, after the two spirals of Lang & Witbrock (1988), whose radius
 * goes from 1/13 to 1 of the outer one, so that the arms do not meet in the middle. */
#include <math.h>

#include "base/rng.h"
#include "data/source.h"

typedef struct spirals {
    uint64_t seed;
    uint32_t n_arms;
    double turns, noise;
} spirals;

static const double TWO_PI = 6.283185307179586476925;

/* Sample i lies on arm i mod n_arms, at a uniformly drawn place t in [0, 1) along the radius. */
static void draw_spirals(const spirals *s, uint64_t split, const sn_new_split *room) {
    sn_rng place = sn_rng_stream(s->seed, "data", "spirals.place", split);
    sn_rng noise = sn_rng_stream(s->seed, "data", "spirals.noise", split);
    for (size_t i = 0; i < room->n; i++) {
        uint32_t arm = (uint32_t)(i % s->n_arms);
        double t = sn_rng_uniform(place, i);
        double radius = (1 + 12 * t) / 13;
        double angle = TWO_PI * (s->turns * t + (double)arm / s->n_arms);
        room->values[2 * i] = radius * cos(angle) + s->noise * sn_rng_normal(noise, 2 * i);
        room->values[2 * i + 1] = radius * sin(angle) + s->noise * sn_rng_normal(noise, 2 * i + 1);
        room->labels[i] = arm;
    }
}

static sn_status load_spirals(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    spirals s = {.seed = (uint64_t)sn_value_integer(data, "seed"),
                 .n_arms = (uint32_t)sn_value_integer(data, "arms"),
                 .turns = sn_value_number(data, "turns"),
                 .noise = sn_value_number(data, "noise")};
    dataset->in_dim = 2;
    dataset->out_dim = s.n_arms;
    dataset->is_classes = true;
    sn_new_split room[2];
    sn_status status = sn_dataset_make_generated(dataset, config, data, room, error);
    if (status != SN_OK) return status;
    for (uint64_t split = 0; split < 2; split++)
        draw_spirals(&s, split, &room[split]);
    return SN_OK;
}

static const sn_key keys[] = {
    {.name = "arms", .types = SN_INTEGER, .fallback = "2", .min = 2, .max = 1e6, .help = "spiral arms, the classes"},
    {.name = "turns", .types = SN_NUMBER, .fallback = "1.5", .min = 0, .max = 1e6, .help = "turns of an arm"},
    {.name = "noise",
     .types = SN_NUMBER,
     .fallback = "0.02",
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of the noise on both coordinates; the outer radius is 1"},
    {.name = "samples", .types = SN_INTEGER, .fallback = "2000", .min = 1, .max = 1e9, .help = "training samples"},
    {.name = "test_samples", .types = SN_INTEGER, .fallback = "1000", .min = 0, .max = 1e9, .help = "test samples"},
    {0},
};

const sn_source sn_source_spirals = {
    .kind = {.name = "spirals",
             .help = "points of the plane on interleaved spirals, one class per arm",
             .keys = keys,
             .formula =
                 "r (cos a, sin a) + noise N(0, 1), r = (1 + 12 t)/13, a = 2 pi (turns t + arm/arms), t ~ U[0, 1)",
             .source = "Lang & Witbrock 1988, Learning to tell two spirals apart"},
    .load = load_spirals,
};
