/* Owns the source gaussian: random inputs with random labels, for studies of signal propagation.  There is nothing to
 * learn in it. */
#include <math.h>

#include "base/rng.h"
#include "data/source.h"

/* Scales a sample to |x|^2 = n. */
static void normalize_row(double *row, size_t n) {
    double squares = 0;
    for (size_t j = 0; j < n; j++)
        squares += row[j] * row[j];
    if (squares == 0) return;
    double factor = sqrt((double)n / squares);
    for (size_t j = 0; j < n; j++)
        row[j] *= factor;
}

static void draw_gaussian(const sn_dataset *dataset, uint64_t seed, uint64_t split, bool normalize,
                          const sn_new_split *room) {
    sn_rng input = sn_rng_stream(seed, "data", "gaussian.input", split);
    sn_rng label = sn_rng_stream(seed, "data", "gaussian.label", split);
    size_t n = dataset->in_dim;
    for (size_t i = 0; i < room->n; i++) {
        for (size_t j = 0; j < n; j++)
            room->values[i * n + j] = sn_rng_normal(input, i * n + j);
        if (normalize) normalize_row(room->values + i * n, n);
        room->labels[i] = (uint32_t)sn_rng_below(label, i, dataset->out_dim);
    }
}

static sn_status load_gaussian(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    dataset->in_dim = (size_t)sn_value_integer(data, "in_dim");
    dataset->out_dim = (size_t)sn_value_integer(data, "classes");
    dataset->is_classes = true;
    sn_new_split room[2];
    sn_status status = sn_dataset_make_generated(dataset, config, data, room, error);
    if (status != SN_OK) return status;
    uint64_t seed = (uint64_t)sn_value_integer(data, "seed");
    for (uint64_t split = 0; split < 2; split++)
        draw_gaussian(dataset, seed, split, sn_value_bool(data, "normalize"), &room[split]);
    return SN_OK;
}

static const sn_key keys[] = {
    {.name = "in_dim", .types = SN_INTEGER, .fallback = "784", .min = 1, .max = 1e6, .help = "features of a sample"},
    {.name = "classes", .types = SN_INTEGER, .fallback = "10", .min = 2, .max = 1e6, .help = "classes"},
    {.name = "samples", .types = SN_INTEGER, .fallback = "1000", .min = 1, .max = 1e9, .help = "training samples"},
    {.name = "test_samples", .types = SN_INTEGER, .fallback = "0", .min = 0, .max = 1e9, .help = "test samples"},
    {.name = "normalize",
     .types = SN_BOOL,
     .fallback = "false",
     .help = "scale every sample to |x|^2/in_dim = 1; set scaling to none to keep that"},
    {0},
};

const sn_source sn_source_gaussian = {
    .kind = {.name = "gaussian",
             .help = "standard normal inputs with uniform random labels, for signal propagation (with scaling none)",
             .keys = keys,
             .formula = "x_j ~ N(0, 1), label ~ U{0, ..., classes - 1}"},
    .load = load_gaussian,
};
