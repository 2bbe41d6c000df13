/* Every shipped config loads, has a comment, builds its graph; the twins differ in the skip, or the norm, only. */
#include "support/check.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config.h"
#include "engine/backend.h"
#include "network/graph.h"
#include "ops/table.h"
#include "run/language.h"

static sn_error error;

static sn_config *read_config(const char *path) {
    sn_config *config = NULL;
    sn_config_source source = {.path = path};
    sn_error_clear(&error);
    if (sn_config_read(&config, &sn_language, &source, &error)) fail_msg("%s", error.text);
    return config;
}

/* All shipped configs: those of configs/ and of its folders. */
static glob_t find_configs(void) {
    glob_t found;
    assert_int_equal(glob(SN_SOURCE_DIR "/configs/*.json", 0, NULL, &found), 0);
    assert_int_equal(glob(SN_SOURCE_DIR "/configs/*/*.json", GLOB_APPEND, NULL, &found), 0);
    assert_true(found.gl_pathc >= 16);
    return found;
}

/* The shape of a sample. */
static sn_shape input_of(const sn_value *root) {
    const char *kind = sn_value_text(root, "data.kind");
    int64_t in_dim = sn_value_integer(root, "data.in_dim"); /* 0: images */
    if (strcmp(kind, "spirals") == 0) return sn_shape_vector(2);
    if (strcmp(kind, "cifar-10") == 0) return (sn_shape){3, {32, 32, 3}};
    return in_dim ? sn_shape_vector(in_dim) : (sn_shape){3, {28, 28, 1}};
}

static void builds(const sn_config *config) {
    const sn_backend *backend = NULL;
    sn_graph graph;
    assert_int_equal(sn_backend_select(&backend, SN_F32, &error), SN_OK);
    const sn_value *root = sn_config_root(config);
    bool is_flat = strcmp(sn_value_text(root, "data.kind"), "spirals") == 0;
    sn_graph_request request = {.config = config,
                                .network = sn_value_get(root, "network"),
                                .ops = sn_ops,
                                .input = input_of(root),
                                .out_dim = is_flat ? 2 : 10};
    if (sn_graph_build(&graph, &request, &error)) fail_msg("%s", error.text);
    assert_true(graph.n_params > 0);
    sn_graph_reset(&graph);
}

static void test_all_load(void **state) {
    (void)state;
    glob_t found = find_configs();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        sn_config *config = read_config(found.gl_pathv[i]);
        const sn_value *root = sn_config_root(config);
        const char *stem = strrchr(found.gl_pathv[i], '/') + 1, *name = sn_value_text(root, "name");
        assert_non_null(sn_value_get(root, "comment"));
        assert_int_equal(strncmp(stem, name, strlen(name)), 0);
        assert_string_equal(stem + strlen(name), ".json");
        builds(config);
        sn_config_free(config);
    }
    globfree(&found);
}

static void differs_only_in(const char *part, const char *first, const char *twin) {
    sn_config *plain = read_config(first), *other = read_config(twin);
    sn_text keys = SN_TEXT_EMPTY;
    sn_config_differences(plain, other, &keys);
    assert_false(keys.failed);
    assert_true(keys.length > 0);
    char *rest = keys.data;
    for (char *key; (key = strtok_r(rest, ", ", &rest));) {
        if (strncmp(key, part, strlen(part)) != 0) fail_msg("%s differs in %s", twin, key);
    }
    sn_text_free(&keys);
    sn_config_free(plain);
    sn_config_free(other);
}

static void test_twins(void **state) {
    (void)state;
    const char *deep50 = SN_SOURCE_DIR "/configs/deep50.json";
    differs_only_in("network.skip", deep50, SN_SOURCE_DIR "/configs/deep50-add.json");
    differs_only_in("network.skip", deep50, SN_SOURCE_DIR "/configs/deep50-concat.json");
    differs_only_in("network.skip", deep50, SN_SOURCE_DIR "/configs/highway50.json");
    differs_only_in("network.norm", deep50, SN_SOURCE_DIR "/configs/deep50-batchnorm.json");
    const char *degradation = SN_SOURCE_DIR "/configs/degradation/plain.json";
    differs_only_in("network.skip", degradation, SN_SOURCE_DIR "/configs/degradation/resid.json");
    differs_only_in("network.skip", degradation, SN_SOURCE_DIR "/configs/degradation/dense.json");
}

static void is_fixed_point(const char *path) {
    sn_config *config = read_config(path), *again = NULL;
    sn_text first = SN_TEXT_EMPTY, second = SN_TEXT_EMPTY;
    sn_config_text(config, &first);
    if (sn_config_parse(&again, &sn_language, sn_text_string(&first), first.length, "resolved", "/", &error)) {
        fail_msg("%s", error.text);
    }
    sn_config_text(again, &second);
    assert_string_equal(sn_text_string(&first), sn_text_string(&second));
    assert_true(sn_config_hash(config) == sn_config_hash(again));
    sn_text_free(&first);
    sn_text_free(&second);
    sn_config_free(config);
    sn_config_free(again);
}

/* The resolved text of every config reads back to itself. */
static void test_resolved_is_fixed_point(void **state) {
    (void)state;
    glob_t found = find_configs();
    for (size_t i = 0; i < found.gl_pathc; i++)
        is_fixed_point(found.gl_pathv[i]);
    globfree(&found);
}

static void test_name_is_stem(void **state) {
    (void)state;
    const char *names[][2] = {{"configs/deep.v2.json", "deep.v2"}, {"plain", "plain"}, {"<stdin>", "stdin"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sn_config *config = NULL;
        assert_int_equal(sn_config_parse(&config, &sn_language, "{}", 2, names[i][0], "", &error), SN_OK);
        assert_string_equal(sn_value_text(sn_config_root(config), "name"), names[i][1]);
        sn_config_free(config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_load),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_name_is_stem),
        cmocka_unit_test(test_resolved_is_fixed_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
