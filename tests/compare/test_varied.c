/* Which keys vary among configs, in which order, and what a run's cells say. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "compare/varied.h"
#include "run/language.h"

static sn_error error;

/* Configs as JSON texts up to NULL. */
static sn_varied varied_of(const char *const *texts, bool data_differ) {
    sn_varied varied = {0};
    for (; *texts; texts++) {
        sn_config *config = NULL;
        sn_error_clear(&error);
        if (sn_config_parse(&config, &sn_language, *texts, strlen(*texts), "text", "/", &error))
            fail_msg("%s", error.text);
        assert_int_equal(sn_varied_add(&varied, config, &error), SN_OK);
        sn_config_free(config);
    }
    assert_int_equal(sn_varied_select(&varied, data_differ, &error), SN_OK);
    return varied;
}

/* "network.depth|seed", then a line of cells per run. */
static void assert_table(const sn_varied *varied, const char *expected) {
    sn_text text = SN_TEXT_EMPTY;
    for (size_t c = 0; c < varied->n_columns; c++)
        sn_text_addf(&text, "%s%s", c ? "|" : "", sn_varied_name(varied, c));
    for (size_t i = 0; i < varied->n_runs; i++) {
        sn_text_add(&text, "\n");
        for (size_t c = 0; c < varied->n_columns; c++)
            sn_text_addf(&text, "%s%s", c ? "|" : "", sn_varied_text(varied, sn_varied_cells(varied, i)[c]));
    }
    assert_string_equal(sn_text_string(&text), expected);
    sn_text_free(&text);
}

static void check(const char *const *texts, bool data_differ, const char *expected) {
    sn_varied varied = varied_of(texts, data_differ);
    assert_table(&varied, expected);
    sn_varied_reset(&varied);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_order_is_that_of_the_config_and_seed_last(void **state) {
    (void)state;
    check(TEXTS("{\"seed\": 1, \"train\": {\"lr\": 0.1}, \"network\": {\"depth\": 3}}",
                "{\"seed\": 2, \"train\": {\"lr\": 1e-5}, \"network\": {\"depth\": 3}}",
                "{\"seed\": 2, \"train\": {\"lr\": 0.1}, \"network\": {\"depth\": 4}}"),
          false, "network.depth|train.lr|seed\n3|0.1|1\n3|1e-05|2\n4|0.1|2");
}

static void test_nothing_varies(void **state) {
    (void)state;
    check(TEXTS("{}"), false, "\n");
    check(TEXTS("{\"name\": \"a\", \"comment\": \"x\", \"report\": {\"train_eval\": 5}}",
                "{\"name\": \"b\", \"report\": {\"train_eval\": 6}}"),
          false, "\n\n");
}

/* growth belongs to concat: that it is there says nothing that skip.kind does not say. */
static void test_keys_of_another_kind(void **state) {
    (void)state;
    check(TEXTS("{\"network\": {\"skip\": \"none\"}}", "{\"network\": {\"skip\": \"concat\"}}",
                "{\"network\": {\"skip\": \"add\"}}"),
          false, "network.skip.kind\nnone\nconcat\nadd");
    check(TEXTS("{\"network\": {\"skip\": \"none\"}}", "{\"network\": {\"skip\": \"concat\"}}",
                "{\"network\": {\"skip\": {\"kind\": \"concat\", \"growth\": 3}}}"),
          false, "network.skip.kind|network.skip.growth\nnone|\nconcat|12\nconcat|3");
}

/* A number, a word and an object are values of one key, and null is one too. */
static void test_values_of_several_types(void **state) {
    (void)state;
    check(TEXTS("{\"network\": {\"skip\": {\"kind\": \"add\", \"branch_scale\": 0.5}}}",
                "{\"network\": {\"skip\": {\"kind\": \"add\", \"branch_scale\": \"inverse_sqrt_blocks\"}}}",
                "{\"network\": {\"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0}}}}"),
          false, "network.skip.branch_scale\n0.5\ninverse_sqrt_blocks\n{\"learned\":0}");
    check(TEXTS("{\"train\": {\"clip_norm\": 1, \"shuffle\": false}}", "{}"), false,
          "train.shuffle|train.clip_norm\nfalse|1\ntrue|null");
}

#define LAYERS(units, more)                                                                                            \
    "{\"network\": {\"layers\": [{\"op\": \"linear\", \"units\": " units "}, {\"op\": \"tanh\"}" more                  \
    ", {\"op\": \"linear\", \"units\": 2}]}}"

static void test_lists_of_layers(void **state) {
    (void)state;
    check(TEXTS(LAYERS("8", ""), LAYERS("9", "")), false, "network.layers.0.units\n8\n9");
    sn_varied varied = varied_of(TEXTS(LAYERS("8", ""), LAYERS("8", ", {\"op\": \"linear\", \"units\": 7}")), false);
    assert_int_equal(varied.n_columns, 1);
    assert_string_equal(sn_varied_name(&varied, 0), "network.layers");
    const char *a = sn_varied_text(&varied, sn_varied_cells(&varied, 0)[0]);
    const char *b = sn_varied_text(&varied, sn_varied_cells(&varied, 1)[0]);
    assert_memory_equal(a, "3 entries ", 10);
    assert_memory_equal(b, "4 entries ", 10);
    sn_varied_reset(&varied);
    varied =
        varied_of(TEXTS("{\"network\": {\"layers\": [{\"op\": \"linear\", \"units\": 2}]}}", LAYERS("8", "")), false);
    assert_memory_equal(sn_varied_text(&varied, sn_varied_cells(&varied, 0)[0]), "1 entry ", 8);
    sn_varied_reset(&varied);
    /* A family against a list: that one of them has it is the difference. */
    varied = varied_of(TEXTS("{}", LAYERS("8", "")), false);
    assert_int_equal(varied.n_columns, 1);
    assert_string_equal(sn_varied_name(&varied, 0), "network.layers");
    assert_int_equal(sn_varied_cells(&varied, 0)[0], SN_NO_STRING);
    sn_varied_reset(&varied);
}

static void test_paths_where_data_differ(void **state) {
    (void)state;
    const char *const *texts = TEXTS("{\"data\": {\"kind\": \"mnist\", \"path\": \"/a\"}}",
                                     "{\"data\": {\"kind\": \"mnist\", \"path\": \"/b\"}}");
    check(texts, false, "\n\n");
    check(texts, true, "data.path\n/a\n/b");
    /* Initial weights belong to the meaning of a config, whatever their path. */
    check(TEXTS("{}", "{\"network\": {\"weights\": \"w\"}}"), false, "network.weights\nnull\n/w");
}

static void test_unknown_config(void **state) {
    (void)state;
    sn_varied varied = {0};
    sn_config *config = NULL;
    const char *text = "{\"network\": {\"depth\": 3}}";
    assert_int_equal(sn_varied_add(&varied, NULL, &error), SN_OK);
    assert_int_equal(sn_config_parse(&config, &sn_language, text, strlen(text), "text", "", &error), SN_OK);
    assert_int_equal(sn_varied_add(&varied, config, &error), SN_OK);
    sn_config_free(config);
    assert_int_equal(sn_varied_select(&varied, false, &error), SN_OK);
    assert_false(sn_varied_knows(&varied, 0));
    assert_true(sn_varied_knows(&varied, 1));
    assert_table(&varied, "\n\n");
    sn_varied_reset(&varied);
}

static void test_names_types_and_meanings(void **state) {
    (void)state;
    sn_varied varied =
        varied_of(TEXTS("{\"seed\": 1, \"data\": {\"kind\": \"spirals\", \"seed\": 3}, \"network\": "
                        "{\"depth\": 3, \"skip\": \"none\", \"norm\": \"none\"}, \"train\": {\"lr\": 1}}",
                        "{\"seed\": 2, \"data\": {\"kind\": \"spirals\", \"seed\": 4}, \"network\": "
                        "{\"depth\": 30, \"skip\": \"add\", \"norm\": \"layer\"}, \"train\": {\"lr\": "
                        "1e-3, \"shuffle\": false}}"),
                  false);
    const char *const expected[] = {"seed integer", "depth integer",   "norm string", "skip.kind string",
                                    "lr number",    "shuffle boolean", "seed integer"};
    assert_int_equal(varied.n_columns, 7);
    assert_int_equal(varied.n_grid, 6);
    for (size_t c = 0; c < varied.n_columns; c++) {
        sn_text text = SN_TEXT_EMPTY;
        sn_text_addf(&text, "%s %s", sn_varied_title(&varied, c), sn_varied_type(&varied, c));
        const char *wanted = c == 0 ? "data.seed integer" : expected[c];
        assert_string_equal(sn_text_string(&text), wanted);
        sn_text_free(&text);
    }
    size_t lr = sn_varied_find(&varied, "train.lr"), skip = sn_varied_find(&varied, "network.skip.kind");
    uint32_t small = sn_varied_cells(&varied, 1)[lr], large = sn_varied_cells(&varied, 0)[lr];
    assert_true(sn_varied_means(&varied, small, "0.001") && sn_varied_means(&varied, small, "1e-3"));
    assert_false(sn_varied_means(&varied, small, "0.0011") || sn_varied_means(&varied, small, "0.001x"));
    assert_false(sn_varied_means(&varied, SN_NO_STRING, ""));
    assert_true(sn_varied_order(&varied, small, large) < 0 && sn_varied_order(&varied, large, small) > 0);
    assert_true(sn_varied_order(&varied, SN_NO_STRING, small) < 0);
    assert_true(sn_varied_order(&varied, sn_varied_cells(&varied, 0)[skip], sn_varied_cells(&varied, 1)[skip]) < 0);
    assert_int_equal(sn_varied_find(&varied, "network.width"), varied.n_columns);
    sn_varied_reset(&varied);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_that_of_the_config_and_seed_last),
        cmocka_unit_test(test_nothing_varies),
        cmocka_unit_test(test_keys_of_another_kind),
        cmocka_unit_test(test_values_of_several_types),
        cmocka_unit_test(test_lists_of_layers),
        cmocka_unit_test(test_paths_where_data_differ),
        cmocka_unit_test(test_unknown_config),
        cmocka_unit_test(test_names_types_and_meanings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
