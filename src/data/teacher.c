/* Owns the source teacher: regression on the outputs of a random tanh network.  Both splits share the network. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/source.h"

typedef struct teacher {
    uint64_t seed;
    size_t in_dim, width, depth, out_dim;
    double noise;
    double *weights; /* layer after layer, each (fan_in, fan_out) */
    double *signal;  /* (2, widest): what a layer reads and what it writes */
} teacher;

/* Layer l of depth + 1: l == depth is the linear output. */
static size_t fan_in(const teacher *t, size_t l) {
    return l == 0 ? t->in_dim : t->width;
}

static size_t fan_out(const teacher *t, size_t l) {
    return l == t->depth ? t->out_dim : t->width;
}

static size_t widest(const teacher *t) {
    size_t most = t->in_dim > t->out_dim ? t->in_dim : t->out_dim;
    return most > t->width ? most : t->width;
}

static size_t count_weights(const teacher *t) {
    size_t n = 0;
    for (size_t l = 0; l <= t->depth; l++)
        n += fan_in(t, l) * fan_out(t, l);
    return n;
}

static void draw_weights(const teacher *t) {
    double *w = t->weights;
    for (size_t l = 0; l <= t->depth; l++) {
        sn_rng rng = sn_rng_stream(t->seed, "data", "teacher.weight", l);
        size_t n = fan_in(t, l) * fan_out(t, l);
        double sd = 1 / sqrt((double)fan_in(t, l));
        for (size_t i = 0; i < n; i++)
            *w++ = sd * sn_rng_normal(rng, i);
    }
}

/* out = W^T in; the sums run over i in order, side by side, so vector code gives the same bits as plain code. */
static void apply_layer(double *out, const double *in, const double *w, size_t n_in, size_t n_out) {
    memset(out, 0, n_out * sizeof *out);
    for (size_t i = 0; i < n_in; i++) {
        for (size_t j = 0; j < n_out; j++)
            out[j] += w[i * n_out + j] * in[i];
    }
}

static void forward(const teacher *t, const double *input, double *output) {
    const double *in = input, *w = t->weights;
    for (size_t l = 0; l < t->depth; l++) {
        double *out = t->signal + l % 2 * widest(t);
        apply_layer(out, in, w, fan_in(t, l), t->width);
        for (size_t j = 0; j < t->width; j++)
            out[j] = tanh(out[j]);
        w += fan_in(t, l) * t->width;
        in = out;
    }
    apply_layer(output, in, w, fan_in(t, t->depth), t->out_dim);
}

static void draw_teacher(const teacher *t, uint64_t split, const sn_new_split *room) {
    sn_rng input = sn_rng_stream(t->seed, "data", "teacher.input", split);
    sn_rng noise = sn_rng_stream(t->seed, "data", "teacher.noise", split);
    for (size_t i = 0; i < room->n; i++) {
        double *x = room->values + i * t->in_dim, *y = room->targets + i * t->out_dim;
        for (size_t j = 0; j < t->in_dim; j++)
            x[j] = sn_rng_normal(input, i * t->in_dim + j);
        forward(t, x, y);
        for (size_t j = 0; t->noise > 0 && j < t->out_dim; j++)
            y[j] += t->noise * sn_rng_normal(noise, i * t->out_dim + j);
    }
}

static sn_status draw_samples(teacher *t, const sn_new_split room[2], sn_error *error) {
    size_t n_weights = count_weights(t), n_signal = 2 * widest(t);
    sn_status status = sn_memory_check((n_weights + n_signal) * sizeof *t->weights, "the teacher", error);
    if (status) return status;
    t->weights = calloc(n_weights + n_signal, sizeof *t->weights);
    if (!t->weights) return sn_error_memory(error, (n_weights + n_signal) * sizeof *t->weights, "the teacher");
    t->signal = t->weights + n_weights;
    draw_weights(t);
    for (uint64_t split = 0; split < 2; split++)
        draw_teacher(t, split, &room[split]);
    free(t->weights);
    return SN_OK;
}

static sn_status load_teacher(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    teacher t = {.seed = (uint64_t)sn_value_integer(data, "seed"),
                 .in_dim = (size_t)sn_value_integer(data, "in_dim"),
                 .width = (size_t)sn_value_integer(data, "width"),
                 .depth = (size_t)sn_value_integer(data, "depth"),
                 .out_dim = (size_t)sn_value_integer(data, "out_dim"),
                 .noise = sn_value_number(data, "noise")};
    if (count_weights(&t) > SN_DATA_MAX_BYTES / sizeof(double)) {
        return sn_config_fault(config, sn_value_get(data, "width"), error,
                               "%zu weights of 8 bytes are more than the limit of %llu bytes", count_weights(&t),
                               (unsigned long long)SN_DATA_MAX_BYTES);
    }
    dataset->in_dim = t.in_dim;
    dataset->out_dim = t.out_dim;
    sn_new_split room[2];
    sn_status status = sn_dataset_make_generated(dataset, config, data, room, error);
    return status == SN_OK ? draw_samples(&t, room, error) : status;
}

static const sn_ruler without_layers[] = {{.key = "depth", .value = "0"}, {0}};

static const sn_key keys[] = {
    {.name = "in_dim", .types = SN_INTEGER, .fallback = "10", .min = 1, .max = 1e5, .help = "features of a sample"},
    {.name = "width",
     .types = SN_INTEGER,
     .fallback = "32",
     .min = 1,
     .max = 1e5,
     .ruled_by = without_layers,
     .help = "units of a hidden layer"},
    {.name = "depth",
     .types = SN_INTEGER,
     .fallback = "2",
     .min = 0,
     .max = 1e5,
     .help = "hidden tanh layers; the linear output layer is extra, 0 leaves it alone"},
    {.name = "out_dim", .types = SN_INTEGER, .fallback = "1", .min = 1, .max = 1e5, .help = "targets"},
    {.name = "noise",
     .types = SN_NUMBER,
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of normal noise on the targets of both splits"},
    {.name = "samples", .types = SN_INTEGER, .fallback = "5000", .min = 1, .max = 1e9, .help = "training samples"},
    {.name = "test_samples", .types = SN_INTEGER, .fallback = "1000", .min = 0, .max = 1e9, .help = "test samples"},
    {0},
};

const sn_source sn_source_teacher = {
    .kind = {.name = "teacher",
             .help = "regression on the outputs of a random tanh network without biases",
             .keys = keys,
             .formula = "h_0 = x ~ N(0, 1), h_l = tanh(W_l h_(l-1)), y = W_out h_depth + noise N(0, 1), "
                        "W ~ N(0, 1/fan_in)"},
    .load = load_teacher,
};
