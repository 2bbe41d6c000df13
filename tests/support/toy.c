/* Owns the data sets of the tests.  All memory is the pool's. */
#include "support/toy.h"

#include "base/rng.h"
#include "support/check.h"

static double *normal_values(sn_pool *pool, size_t count, const char *label, uint64_t seed) {
    double *values = sn_pool_alloc(pool, count * sizeof *values);
    assert_non_null(values);
    sn_rng rng = sn_rng_stream(seed, "toy", label, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = sn_rng_normal(rng, i);
    return values;
}

static sn_dataset toy(size_t n, size_t in, size_t out, uint64_t seed) {
    static const double none = 0, one = 1;
    sn_dataset data = {.in_dim = in,
                       .out_dim = out,
                       .shape = sn_shape_vector((int64_t)(int64_t)in),
                       .n_scales = 1,
                       .mean = &none,
                       .factor = &one,
                       .train = {.n = n}};
    data.train.values = normal_values(&data.pool, n * in, "values", seed);
    return data;
}

sn_dataset toy_classes(size_t n, size_t in, size_t out, uint64_t seed) {
    sn_dataset data = toy(n, in, out, seed);
    uint32_t *labels = sn_pool_alloc(&data.pool, n * sizeof *labels);
    assert_non_null(labels);
    sn_rng rng = sn_rng_stream(seed, "toy", "labels", 0);
    for (size_t i = 0; i < n; i++)
        labels[i] = (uint32_t)sn_rng_below(rng, i, out);
    data.train.labels = labels;
    data.is_classes = true;
    return data;
}

sn_dataset toy_targets(size_t n, size_t in, size_t out, uint64_t seed) {
    sn_dataset data = toy(n, in, out, seed);
    data.train.targets = normal_values(&data.pool, n * out, "targets", seed);
    return data;
}
