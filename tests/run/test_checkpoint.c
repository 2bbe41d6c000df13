/* What a resumed run stands on: snapshots of the engine, marks as numbers, sealed files, the hash without the length,
 * the schedule of checkpoints. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "run/language.h"
#include "run/lr_schedule.h"
#include "run/mark.h"
#include "run/schedule.h"
#include "support/check.h"
#include "support/net.h"
#include "support/rules.h"
#include "support/toy.h"

static sn_error error;
static char dir[64], path[96];

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "test_checkpoint.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/file", dir);
    sn_error_clear(&error);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return rmdir(dir);
}

/* ---- files with a checksum ---- */

static void write_sealed(void) {
    const float values[3] = {1, 2, 3};
    const sn_tensor tensor = {"w", SN_F32, 1, {3}, values};
    const sn_metadata metadata[] = {{"a \"key\"", "a\tvalue"}, SN_SEAL, {"last", ""}};
    assert_int_equal(sn_safetensors_write(path, &tensor, 1, metadata, 3, &error), SN_OK);
}

static sn_status read_sealed(void) {
    sn_safetensors *file;
    sn_error_clear(&error);
    sn_status status = sn_safetensors_read(&file, path, &error);
    if (!status) status = sn_safetensors_check_seal(file, path, &error);
    sn_safetensors_free(file);
    return status;
}

/* The whole file, of which `bytes` has room for all and a NUL; its size. */
static size_t read_bytes(char *bytes, size_t capacity) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, capacity - 1, file);
    assert_true(size < capacity - 1);
    bytes[size] = '\0';
    fclose(file);
    return size;
}

static void test_seal(void **state) {
    (void)state;
    write_sealed();
    assert_int_equal(read_sealed(), SN_OK);
    sn_safetensors *file;
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_string_equal(sn_safetensors_metadata(file, "a \"key\""), "a\tvalue");
    assert_string_equal(sn_safetensors_metadata(file, "last"), "");
    assert_null(sn_safetensors_metadata(file, "w"));

    /* The checksum is the hash of all bytes with zeros in its place. */
    char bytes[1000], digits[17];
    size_t size = read_bytes(bytes, sizeof bytes);
    char *at = strstr(bytes + 8, "\"checksum\":\"");
    assert_non_null(at);
    memset(at + strlen("\"checksum\":\""), '0', 16);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)sn_hash(bytes, size, 0));
    assert_string_equal(sn_safetensors_metadata(file, "checksum"), digits);
    sn_safetensors_free(file);
}

/* Without waiting for the disk. */
static void write_bytes(const char *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Whatever bit of the file is another, it is seen. */
static void test_every_bit(void **state) {
    (void)state;
    write_sealed();
    char bytes[1000];
    size_t size = read_bytes(bytes, sizeof bytes);
    assert_true(size > 100);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        write_bytes(bytes, size);
        if (read_sealed() != SN_INVALID) fail_msg("bit %zu: not seen", bit);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    write_bytes(bytes, size);
    assert_int_equal(read_sealed(), SN_OK);
}

static void test_no_seal(void **state) {
    (void)state;
    const float value = 1;
    const sn_tensor tensor = {"w", SN_F32, 0, {0}, &value};
    const sn_metadata metadata = {"checksum", "none"};
    char expected[200];
    snprintf(expected, sizeof expected, "%s: no checksum among its metadata", path);
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(sn_safetensors_write(path, &tensor, 1, &metadata, n, &error), SN_OK);
        assert_int_equal(read_sealed(), SN_INVALID);
        assert_string_equal(error.text, expected);
    }
}

/* ---- snapshots ---- */

static const char network[] = "{\"depth\": 3, \"width\": 5, \"norm\": \"batch\", \"skip\": \"add\"}";

static void steps(test_net *net, int n) {
    for (int i = 0; i < n; i++)
        net_step(net, 0.05, NULL);
}

static void save_snapshot(const test_net *net) {
    size_t n = sn_engine_snapshot_count(net->engine);
    size_t slots = (size_t)sn_slot_count(net->options.rule.slots);
    assert_true(slots > 0);
    assert_int_equal(n, (1 + slots) * sn_engine_tensor_count(net->engine) + sn_engine_state_count(net->engine));
    sn_tensor *tensors = calloc(n, sizeof *tensors);
    assert_non_null(tensors);
    sn_engine_snapshot(net->engine, tensors);
    assert_int_equal(sn_safetensors_write(path, tensors, n, NULL, 0, &error), SN_OK);
    free(tensors);
}

static sn_status restore(const test_net *net) {
    sn_safetensors *file;
    sn_error_clear(&error);
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    sn_status status = sn_engine_restore(net->engine, file, path, &error);
    sn_safetensors_free(file);
    return status;
}

/* A network that was trained, saved, and brought back elsewhere goes on to the same bits; weights alone are not enough.
 */
static void test_snapshot(void **state) {
    (void)state;
    sn_dataset data = toy_classes(20, 6, 3, 1);
    static const char *const optimizers[] = {"{\"momentum\": 0.9, \"nesterov\": true}",
                                             "{\"kind\": \"adam\", \"amsgrad\": true}"};
    for (sn_dtype dtype = SN_F32; dtype <= SN_F64; dtype++) {
        sn_engine_options options = {.rule = rule_of(optimizers[dtype == SN_F64])};
        test_net a, b, c;
        net_open(&a, network, &data, dtype, &options);
        options.threads = 2;
        net_open(&b, network, &data, dtype, &options);
        net_open(&c, network, &data, dtype, &options);
        net_randomize(&a, 1);
        net_randomize(&b, 2);
        steps(&a, 5);
        steps(&b, 3);
        save_snapshot(&a);
        assert_int_equal(restore(&b), SN_OK);
        net_copy_weights(&c, &a);
        assert_true(sn_engine_weights_hash(a.engine) == sn_engine_weights_hash(b.engine));
        b.number = a.number;
        steps(&a, 4);
        steps(&b, 4);
        steps(&c, 4);
        assert_true(sn_engine_weights_hash(a.engine) == sn_engine_weights_hash(b.engine));
        double *x = net_values(&a, 0), *z = net_values(&c, 0);
        assert_true(distance_of(x, z, net_count(&a, 0)) > 1e-3);
        free(x);
        free(z);
        net_close(&a);
        net_close(&b);
        net_close(&c);
    }
    sn_dataset_reset(&data);
}

static void test_wrong_snapshot(void **state) {
    (void)state;
    sn_dataset data = toy_classes(20, 6, 3, 1);
    const sn_engine_options options = {.rule = rule_of("{\"momentum\": 0.9}")}, plain = {.rule = rule_of(NULL)};
    test_net a, b;
    net_open(&a, network, &data, SN_F32, &options);
    net_open(&b, network, &data, SN_F64, &options);
    save_snapshot(&a);
    assert_int_equal(restore(&b), SN_INVALID); /* bits are not converted */
    assert_non_null(strstr(error.text, "no tensor \"hidden1.weight\" as the network has it"));
    net_close(&b);
    net_open(&b, network, &data, SN_F32, &plain);
    assert_int_equal(sn_engine_save_weights(b.engine, path, &error), SN_OK);
    assert_int_equal(restore(&a), SN_INVALID);
    assert_non_null(strstr(error.text, "no tensor \"hidden1.weight.momentum_buffer\""));
    net_close(&b);
    net_close(&a);
    sn_dataset_reset(&data);
}

/* ---- marks ---- */

/* nan that was measured, what was not measured, and the last bits all come back. */
static void check_mark(int n_files) {
    enum { N = 3 };
    sn_summary_layer layers[N] = {{.layer = 1, .is_frozen = true, .delta_rms = sn_measured(1e-310)},
                                  {.layer = 2, .grad_rms = sn_measured((double)NAN)},
                                  {.layer = 3, .stalled_frac = sn_measured(-0.0)}};
    const sn_summary summary = {.name = "not kept",
                                .train_loss = sn_measured(0.1),
                                .test_accuracy = sn_measured((double)INFINITY),
                                .decades_per_layer = sn_measured(-1.0 / 3),
                                .profile_step = (int64_t)1 << 52,
                                .frozen_start = -1,
                                .frozen_end = 2,
                                .n_hidden = N,
                                .layers = layers};
    sn_mark mark, read;
    assert_int_equal(sn_mark_init(&mark, N, &error), SN_OK);
    assert_int_equal(sn_mark_init(&read, N, &error), SN_OK);
    mark.step = 77;
    mark.position = (sn_sink_position){.n_files = n_files, .files = {{12, UINT64_MAX}, {34, 1}}};
    if (n_files == SN_SINK_FILES) mark.position.files[SN_SINK_EXPONENTS] = (sn_extent){(uint64_t)1 << 40, 56};
    sn_summary_layer *own = mark.summary.layers;
    mark.summary = summary;
    mark.summary.layers = own;
    memcpy(own, layers, sizeof layers);
    int64_t integers[1 + 2 * SN_SINK_FILES];
    assert_true(sn_mark_integers(n_files) == 1 + 2 * (size_t)n_files);
    double doubles[64];
    assert_true(sn_mark_doubles(N) == 15 + 7 * N);
    sn_mark_encode(&mark, integers, doubles);
    sn_mark_decode(&read, n_files, integers, doubles);
    assert_int_equal(read.step, 77);
    assert_int_equal(read.position.n_files, n_files);
    assert_memory_equal(read.position.files, mark.position.files, (size_t)n_files * sizeof *mark.position.files);

    sn_summary_layer shown[N] = {{.layer = 0}};
    sn_summary back = {.name = "now", .status = "running", .steps = 5, .n_hidden = N, .layers = shown};
    sn_mark_recall(&read, &back);
    assert_string_equal(back.name, "now");
    assert_string_equal(back.status, "running");
    assert_true(back.steps == 5 && back.layers == shown);
    assert_true(back.train_loss.value == 0.1 && !back.test_loss.is_measured && isinf(back.test_accuracy.value));
    assert_true(back.decades_per_layer.value == -1.0 / 3 && back.profile_step == summary.profile_step);
    assert_true(back.frozen_start == -1 && back.frozen_end == 2);
    assert_true(shown[0].layer == 1 && shown[0].is_frozen && shown[0].delta_rms.value == 1e-310);
    assert_true(shown[1].layer == 2 && shown[1].grad_rms.is_measured && isnan(shown[1].grad_rms.value));
    assert_true(shown[2].layer == 3 && signbit(shown[2].stalled_frac.value) && !shown[2].is_frozen);
    sn_mark_reset(&mark);
    sn_mark_reset(&read);
}

static void test_mark(void **state) {
    (void)state;
    for (int n_files = SN_SINK_EXPONENTS; n_files <= SN_SINK_FILES; n_files++)
        check_mark(n_files);
}

/* ---- configs ---- */

static sn_config *parse(const char *text, const char *set) {
    sn_config *config = NULL;
    sn_config_source source = {.path = "text", .text = text, .sets = &set, .n_sets = set ? 1 : 0};
    sn_error_clear(&error);
    if (sn_config_read(&config, &sn_language, &source, &error)) fail_msg("%s", error.text);
    return config;
}

/* Length apart, checkpoints and reports left out, everything else counts. */
static void test_kin(void **state) {
    (void)state;
    static const struct {
        const char *set;
        bool is_same, is_kin;
    } cases[] = {{"train.epochs=1", true, true},       {"train.epochs=7", false, true},
                 {"train.steps=5", false, true},       {"train.checkpoint.every_steps=3", true, true},
                 {"report.train_eval=3", true, true},  {"train.lr=0.5", false, false},
                 {"network.depth=3", false, false},    {"train.lr_schedule.warmup_steps=1", false, false},
                 {"train.batch_size=1", false, false}, {"name=other", true, true},
                 {"train.products=null", true, true},  {"train.products=own", false, false}};
    sn_config *a = parse("{}", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_config *b = parse("{}", cases[i].set);
        bool is_same = sn_config_hash(a) == sn_config_hash(b);
        bool is_kin = sn_config_hash_but_length(a) == sn_config_hash_but_length(b);
        if (is_same != cases[i].is_same || is_kin != cases[i].is_kin) fail_msg("%s", cases[i].set);
        sn_config_free(b);
    }
    sn_config_free(a);
}

static void test_schedules(void **state) {
    (void)state;
    static const struct {
        const char *set;
        int64_t step;
        double seconds, cost;
        bool is_due;
    } cases[] = {{"train.epochs=1", 20, 30, 0.3, true},
                 {"train.epochs=1", 20, 29, 0, false},
                 {"train.epochs=1", 20, 30, 0.31, false},
                 {"train.epochs=1", 20, 32, 0.31, true},
                 {"train.epochs=1", 21, 300, 0, false},
                 {"train.checkpoint=epochs", 10, 31, 0, true},
                 {"train.checkpoint.every_steps=7", 14, 0, 9, true},
                 {"train.checkpoint.every_steps=7", 20, 1e9, 0, false},
                 {"train.checkpoint.every_minutes=0.5", 13, 30, 9, true},
                 {"train.checkpoint.every_minutes=0.5", 13, 29, 0, false},
                 {"train.checkpoint={\"every_minutes\": 2}", 20, 119, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_config *config = parse("{}", cases[i].set);
        sn_checkpoint_schedule schedule;
        sn_checkpoint_schedule_init(&schedule, sn_value_get(sn_config_root(config), "train"), 10);
        if (sn_checkpoint_is_due(&schedule, cases[i].step, cases[i].seconds, cases[i].cost) != cases[i].is_due)
            fail_msg("%s, step %lld", cases[i].set, (long long)cases[i].step);
        sn_config_free(config);
    }
    static const struct {
        const char *schedule;
        bool knows_end;
    } rates[] = {
        {"\"constant\"", false},
        {"{\"kind\": \"step\", \"every\": 5}", false},
        {"{\"kind\": \"milestones\", \"at\": [5], \"warmup_lr\": 1, \"warmup_until_error\": 0.5}", false},
        {"\"linear\"", true},
        {"\"cosine\"", true},
    };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char text[150];
        snprintf(text, sizeof text, "{\"train\": {\"lr_schedule\": %s}}", rates[i].schedule);
        sn_config *config = parse(text, NULL);
        const sn_value *given = sn_value_get(sn_config_root(config), "train.lr_schedule");
        assert_int_equal(sn_lr_schedule_knows_end(given), rates[i].knows_end);
        sn_config_free(config);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_seal),           CASE(test_every_bit), CASE(test_no_seal), CASE(test_snapshot),
        CASE(test_wrong_snapshot), CASE(test_mark),      CASE(test_kin),     CASE(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
