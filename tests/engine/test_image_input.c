/* What a network reads of the sources of images: an op that looks at positions has them as height x width positions
 * with the channels as features, of MNIST as 28x28x1; other networks read the same values as a vector. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/data_fixture.h"
#include "support/image_op.h"

enum { N = 20, SIDE_OF_MNIST = 28 };

static void write_idx(const char *name, const uint8_t *header, size_t header_size, size_t size) {
    uint8_t *bytes = malloc(header_size + size);
    assert_non_null(bytes);
    memcpy(bytes, header, header_size);
    for (size_t i = 0; i < size; i++)
        bytes[header_size + i] = (uint8_t)(size == N ? i % 10 : i * 31 + i / 97);
    fixture_write(name, bytes, header_size + size);
    free(bytes);
}

static void write_mnist(void) {
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, SIDE_OF_MNIST, 0, 0, 0, SIDE_OF_MNIST};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, N};
    assert_int_equal(mkdir(fixture_path("idx"), 0777), 0);
    write_idx("idx/train-images-idx3-ubyte", images, sizeof images, (size_t)N * SIDE_OF_MNIST * SIDE_OF_MNIST);
    write_idx("idx/t10k-images-idx3-ubyte", images, sizeof images, (size_t)N * SIDE_OF_MNIST * SIDE_OF_MNIST);
    write_idx("idx/train-labels-idx1-ubyte", labels, sizeof labels, N);
    write_idx("idx/t10k-labels-idx1-ubyte", labels, sizeof labels, N);
}

static void write_cifar(void) {
    static uint8_t records[N][3074];
    for (size_t i = 0; i < sizeof records; i++)
        records[i / 3074][i % 3074] = (uint8_t)(i % 3074 < 2 ? i / 3074 : i * 7 + i / 1024 * 50);
    assert_int_equal(mkdir(fixture_path("bin"), 0777), 0);
    fixture_write("bin/train.bin", records, sizeof records);
    fixture_write("bin/test.bin", records, sizeof records);
}

/* Value `i` of a sample as it is scaled. */
static double value_at(const sn_dataset *set, size_t sample, size_t i) {
    double raw = set->train.bytes[sample * set->in_dim + i];
    return (raw - set->mean[i % set->n_scales]) * set->factor[i % set->n_scales];
}

/* The op of the tests as the mean over positions: each channel's. */
static void check_image(const sn_dataset *set, sn_shape shape) {
    char network[160];
    test_net net;
    snprintf(
        network, sizeof network,
        "{\"layers\": [{\"op\": \"elu\", \"label\": \"pool\", \"alpha\": 2}, {\"op\": \"linear\", \"units\": %zu}]}",
        set->out_dim);
    net_open_image(&net, network, set, NULL);
    assert_true(sn_shape_equal(&net.graph.nodes[0].shape, &shape));
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, N);
    double *input = net_signal(probe, 0), *means = net_signal(probe, 1);
    size_t channels = (size_t)shape.dim[2], positions = set->in_dim / channels;
    for (size_t i = 0; i < N * set->in_dim; i++)
        assert_true(input[i] == value_at(set, i / set->in_dim, i % set->in_dim));
    for (size_t i = 0; i < N * channels; i++) {
        double sum = 0;
        for (size_t p = 0; p < positions; p++)
            sum += value_at(set, i / channels, p * channels + i % channels);
        assert_true(fabs(means[i] - sum / (double)positions) < 1e-13);
    }
    free(input);
    free(means);
    sn_probe_free(probe);
    net_close(&net);
}

static void check_vector(const sn_dataset *set) {
    char network[160];
    test_net net;
    snprintf(network, sizeof network, "{\"layers\": [{\"op\": \"linear\", \"units\": %zu}]}", set->out_dim);
    net_open(&net, network, set, SN_F64, NULL);
    sn_shape vector = sn_shape_vector((int64_t)set->in_dim);
    assert_true(sn_shape_equal(&net.graph.nodes[0].shape, &vector));
    net_close(&net);
}

static void check_source(const char *config, sn_shape shape) {
    sn_dataset set = fixture_load_ok(config);
    check_image(&set, shape);
    check_vector(&set);
    sn_dataset_reset(&set);
}

static void test_sources(void **state) {
    (void)state;
    write_mnist();
    write_cifar();
    check_source("{\"kind\": \"mnist\", \"path\": \"idx\"}", (sn_shape){3, {28, 28, 1}});
    check_source("{\"kind\": \"fashion-mnist\", \"path\": \"idx\"}", (sn_shape){3, {28, 28, 1}});
    check_source("{\"kind\": \"cifar-100\", \"path\": \"bin\"}", (sn_shape){3, {32, 32, 3}});
    check_source("{\"kind\": \"cifar-100\", \"path\": \"bin\", \"scaling\": \"per-channel\"}",
                 (sn_shape){3, {32, 32, 3}});
    check_source("{\"kind\": \"textures\", \"samples\": 20, \"height\": 5, \"width\": 9, \"channels\": 2}",
                 (sn_shape){3, {5, 9, 2}});
}

/* A step sees augmented images, an evaluation does not. */
static void test_augmented_steps(void **state) {
    (void)state;
    sn_dataset set = fixture_load_ok("{\"kind\": \"textures\", \"samples\": 20, \"height\": 6, \"width\": 8}");
    test_net net;
    net_open(&net, "{\"layers\": [{\"op\": \"linear\", \"units\": 10}]}", &set, SN_F64, NULL);
    net_randomize(&net, 1);
    sn_augment how = sn_augment_at(&(sn_augment){.crop_padding = 2, .flips = true}, 1, 0);
    sn_step step = {.batch = {.dataset = &set, .samples = &set.train, .indices = net.indices, .rows = N}};
    sn_step_result plain, augmented, again, evaluated;
    assert_int_equal(sn_engine_step(net.engine, &step, &plain), SN_OK);
    step.augment = how;
    assert_int_equal(sn_engine_step(net.engine, &step, &augmented), SN_OK);
    assert_int_equal(sn_engine_step(net.engine, &step, &again), SN_OK);
    sn_engine_evaluate(net.engine, &set, &set.train, N, &evaluated);
    assert_true(augmented.loss != plain.loss && augmented.loss == again.loss);
    assert_true(fabs(evaluated.loss - plain.loss) < 1e-12);
    net_close(&net);
    sn_dataset_reset(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sources), cmocka_unit_test(test_augmented_steps)};
    return cmocka_run_group_tests_name("image_input", tests, fixture_setup, fixture_teardown);
}
