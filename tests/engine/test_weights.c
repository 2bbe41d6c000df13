/* Weights to a file and back, in both precisions and across them; what is wrong with a file is said exactly. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "support/check.h"
#include "support/net.h"
#include "support/toy.h"

enum { IN = 6, OUT = 3 };

static char path[256];
static sn_dataset data;

static const char network[] = "{\"depth\": 3, \"width\": 5, \"norm\": \"layer\", "
                              "\"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0.5}}}";

static void open_random(test_net *net, sn_dtype dtype, uint64_t seed) {
    net_open(net, network, &data, dtype, NULL);
    net_randomize(net, seed);
}

static void save(const test_net *net) {
    sn_error error;
    assert_int_equal(sn_engine_save_weights(net->engine, path, &error), SN_OK);
}

static void load(test_net *net) {
    sn_error error;
    sn_error_clear(&error);
    if (sn_engine_load_weights(net->engine, path, &error)) fail_msg("%s", error.text);
}

/* The weights of `b` are those of `a`, rounded to float where one of them is; and they compute the same. */
static void check_equal(test_net *a, test_net *b, bool is_rounded) {
    for (size_t i = 0; i < sn_engine_tensor_count(a->engine); i++) {
        double *x = net_values(a, i), *y = net_values(b, i);
        for (size_t k = 0; k < net_count(a, i); k++)
            assert_true(is_rounded ? (float)x[k] == (float)y[k] : x[k] == y[k]);
        free(x);
        free(y);
    }
    double x = net_loss(a), y = net_loss(b);
    assert_true(x > 0);
    assert_true(is_rounded ? fabs(x / y - 1) < 1e-5 : x == y);
}

static void test_round_trip(void **state) {
    (void)state;
    for (int c = 0; c < 4; c++) {
        sn_dtype from = c % 2 ? SN_F64 : SN_F32, to = c / 2 ? SN_F64 : SN_F32;
        test_net a, b;
        open_random(&a, from, 1);
        open_random(&b, to, 2);
        assert_true(net_loss(&a) != net_loss(&b));
        save(&a);
        load(&b);
        check_equal(&a, &b, from != to);
        if (from == to) assert_true(sn_engine_weights_hash(a.engine) == sn_engine_weights_hash(b.engine));
        net_close(&a);
        net_close(&b);
    }
}

/* Names and shapes are PyTorch's. */
static void test_content(void **state) {
    (void)state;
    static const char *const names[] = {
        "hidden1.weight",     "hidden1.bias",     "hidden2.norm.weight", "hidden2.norm.bias",
        "hidden2.weight",     "hidden2.bias",     "block1.scale.weight", "hidden3.norm.weight",
        "hidden3.norm.bias",  "hidden3.weight",   "hidden3.bias",        "block2.scale.weight",
        "output.norm.weight", "output.norm.bias", "output.weight",       "output.bias"};
    test_net net;
    sn_error error;
    sn_safetensors *file;
    open_random(&net, SN_F64, 1);
    save(&net);
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_int_equal(sn_safetensors_count(file), 16);
    for (size_t i = 0; i < 16; i++) {
        assert_non_null(sn_safetensors_find(file, names[i]));
        assert_int_equal(net_find(&net, names[i]), i);
    }
    const sn_tensor *weight = sn_safetensors_find(file, "hidden1.weight"),
                    *scale = sn_safetensors_find(file, "block1.scale.weight");
    assert_true(weight->dtype == SN_F64 && weight->rank == 2 && weight->shape[0] == 5 && weight->shape[1] == IN);
    assert_true(scale->rank == 1 && scale->shape[0] == 1);
    double *values = net_values(&net, 0);
    assert_memory_equal(values, weight->data, 5 * IN * sizeof *values);
    free(values);
    sn_safetensors_free(file);
    net_close(&net);
}

/* Loading into `other` fails with this text; "$PATH" stands for the file. */
static void expect_failure(const char *other, const char *expected) {
    sn_error error;
    sn_text text = SN_TEXT_EMPTY;
    test_net net;
    net_open(&net, other, &data, SN_F32, NULL);
    sn_error_clear(&error);
    assert_int_equal(sn_engine_load_weights(net.engine, path, &error), SN_INVALID);
    for (const char *at = expected; *at; at++) {
        if (strncmp(at, "$PATH", 5) == 0) {
            sn_text_add(&text, path);
            at += 4;
        } else {
            sn_text_add_bytes(&text, at, 1);
        }
    }
    assert_string_equal(error.text, sn_text_string(&text));
    sn_text_free(&text);
    net_close(&net);
}

static void test_errors(void **state) {
    (void)state;
    test_net net;
    open_random(&net, SN_F32, 1);
    save(&net);
    net_close(&net);
    net_open(&net, "{\"depth\": 2, \"width\": 5}", &data, SN_F32, NULL);
    save(&net);
    net_close(&net);
    expect_failure("{\"depth\": 3, \"width\": 5}", "$PATH: no tensor \"hidden3.weight\" of shape [5, 5]\n"
                                                   "$PATH: no tensor \"hidden3.bias\" of shape [5]");
    expect_failure("{\"depth\": 1, \"width\": 5}", "$PATH: tensor \"hidden2.weight\" is not in the network\n"
                                                   "$PATH: tensor \"hidden2.bias\" is not in the network");
    expect_failure("{\"depth\": 2, \"width\": 4}",
                   "$PATH: tensor \"hidden1.weight\" has shape [5, 6], the network needs [4, 6]\n"
                   "$PATH: tensor \"hidden1.bias\" has shape [5], the network needs [4]\n"
                   "$PATH: tensor \"hidden2.weight\" has shape [5, 5], the network needs [4, 4]\n"
                   "$PATH: tensor \"hidden2.bias\" has shape [5], the network needs [4]\n"
                   "$PATH: tensor \"output.weight\" has shape [3, 5], the network needs [3, 4]");
    expect_failure("{\"depth\": 2, \"width\": 5, \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 1}}}",
                   "$PATH: no tensor \"block1.scale.weight\" of shape [1]");
}

static const char normalized[] =
    "{\"layers\": [{\"op\": \"linear\", \"units\": 2, \"label\": \"a\"}, {\"op\": "
    "\"batch_norm\", \"label\": \"n\", \"affine\": false}, {\"op\": \"linear\", \"units\": 3, "
    "\"label\": \"b\"}]}";

/* States go with the weights, named as PyTorch names them. */
static void test_states(void **state) {
    (void)state;
    test_net a, b;
    sn_error error;
    sn_safetensors *file;
    static const double mean[2] = {0.5, -3}, variance[2] = {2, 0.25};
    net_open(&a, normalized, &data, SN_F32, NULL);
    net_open(&b, normalized, &data, SN_F64, NULL);
    net_randomize(&a, 1);
    assert_int_equal(sn_engine_state_count(a.engine), 2);
    uint64_t before = sn_engine_weights_hash(a.engine);
    sn_engine_set_state(a.engine, 0, mean);
    assert_true(sn_engine_weights_hash(a.engine) != before);
    sn_engine_set_state(a.engine, 1, variance);
    save(&a);
    load(&b);
    check_equal(&a, &b, true);
    sn_tensor tensor;
    sn_engine_state(b.engine, 1, &tensor);
    assert_memory_equal(tensor.data, variance, sizeof variance);
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_int_equal(sn_safetensors_count(file), 6);
    assert_non_null(sn_safetensors_find(file, "n.running_mean"));
    assert_non_null(sn_safetensors_find(file, "n.running_var"));
    sn_safetensors_free(file);
    net_close(&a);
    net_close(&b);
}

/* Writes the tensors of `normalized` from `skip` on, and two more. */
static void save_with(size_t skip, sn_tensor more[2]) {
    static const double zeros[12];
    sn_tensor tensors[] = {{"n.running_mean", SN_F64, 1, {2}, zeros},
                           {"n.running_var", SN_F64, 1, {2}, zeros},
                           {"a.weight", SN_F64, 2, {2, IN}, zeros},
                           {"a.bias", SN_F64, 1, {2}, zeros},
                           {"b.weight", SN_F64, 2, {OUT, 2}, zeros},
                           {"b.bias", SN_F64, 1, {OUT}, zeros},
                           more[0],
                           more[1]};
    sn_error error;
    assert_int_equal(sn_safetensors_write(path, tensors + skip, 8 - skip, NULL, 0, &error), SN_OK);
}

/* What PyTorch counts beside running averages is no stranger; other whole numbers are. */
static void test_counters(void **state) {
    (void)state;
    static const int64_t count = 3;
    sn_tensor counter = {"n.num_batches_tracked", SN_I64, 0, {0}, &count};
    sn_tensor odd = {"b.num_batches_tracked", SN_I64, 0, {0}, &count};
    test_net net;
    net_open(&net, normalized, &data, SN_F32, NULL);
    save_with(0, (sn_tensor[]){counter, {"nothing", SN_F32, 1, {0}, &count}});
    expect_failure(normalized, "$PATH: tensor \"nothing\" is not in the network");
    save_with(1, (sn_tensor[]){counter, {"n.running_mean", SN_F32, 1, {2}, &count}});
    load(&net);
    net_close(&net);
    save_with(0, (sn_tensor[]){counter, odd});
    expect_failure(normalized, "$PATH: tensor \"b.num_batches_tracked\" is not in the network");
    save_with(2, (sn_tensor[]){counter, {"n.running_var", SN_I64, 1, {2}, (int64_t[2]){1, 1}}});
    expect_failure(normalized, "$PATH: no tensor \"n.running_mean\" of shape [2]\n"
                               "$PATH: tensor \"n.running_var\" holds whole numbers, the network needs F32 or F64");
}

/* A file that ends too early leaves an error that names it; a file that is not there is another status. */
static void test_broken_files(void **state) {
    (void)state;
    test_net net;
    sn_error error;
    char *bytes;
    size_t size;
    open_random(&net, SN_F32, 1);
    save(&net);
    uint64_t before = sn_engine_weights_hash(net.engine);
    sn_error_clear(&error);
    assert_int_equal(sn_file_read(path, 1 << 20, &bytes, &size, &error), SN_OK);
    assert_int_equal(sn_file_write_atomic(path, bytes, size - 1, &error), SN_OK);
    assert_int_equal(sn_engine_load_weights(net.engine, path, &error), SN_INVALID);
    assert_non_null(strstr(error.text, path));
    sn_error_clear(&error);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sn_engine_load_weights(net.engine, path, &error), SN_IO);
    assert_non_null(strstr(error.text, path));
    assert_true(sn_engine_weights_hash(net.engine) == before);
    free(bytes);
    net_close(&net);
}

static int set_up(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/skipnet-weights-XXXXXX", base && *base ? base : "/tmp");
    data = toy_classes(9, IN, OUT, 1);
    if (!mkdtemp(path)) return -1;
    strcat(path, "/w.safetensors");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    *strrchr(path, '/') = '\0';
    sn_dataset_reset(&data);
    return rmdir(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_content),
                                       cmocka_unit_test(test_errors),     cmocka_unit_test(test_states),
                                       cmocka_unit_test(test_counters),   cmocka_unit_test(test_broken_files)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
