/* The config reader over a toy language: accessors, faults, meaning, texts, size, mutated input, descriptions.  What it
 * accepts and refuses is in test_config_cases.c. */
#include <stdio.h>

#include "base/file.h"
#include "config/describe.h"
#include "helpers.h"

/* ---- accessors, faults ---- */

static void test_accessors(void **state) {
    (void)state;
    sn_config *config =
        parse("{\"name\": \"n\", \"train\": {\"lr\": 0.25, \"milestones\": [3, 5, 8], \"steps\": null}}");
    const sn_value *root = sn_config_root(config), *list = sn_value_get(root, "train.milestones");
    assert_true(sn_value_is_object(root) && sn_value_is_list(list) && !sn_value_is_list(root));
    assert_true(sn_value_is_text(sn_value_get(root, "name")) && sn_value_is_number(sn_value_get(root, "train.lr")));
    assert_float_equal(sn_value_number(root, "train.lr"), 0.25, 0);
    assert_int_equal(sn_value_integer(root, "train.batch_size"), 128);
    assert_true(sn_value_bool(root, "train.shuffle"));
    assert_false(sn_value_bool(root, "train.optimizer.nesterov"));
    assert_string_equal(sn_value_text(root, "network.skip.kind"), "none");
    assert_string_equal(sn_value_text(sn_value_get(root, "name"), ""), "n");
    assert_null(sn_value_get(root, "train.steps")); /* null */
    assert_null(sn_value_get(root, "train.lr.x"));  /* below a number */
    assert_null(sn_value_get(root, "train.l"));     /* the beginning of a key */
    assert_null(sn_value_get(NULL, "train"));
    assert_null(sn_value_text(root, "train.lr"));
    assert_true(isnan(sn_value_number(root, "name")));
    assert_int_equal(sn_value_integer(root, "nothing"), 0);

    int64_t sum = 0;
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v))
        sum = 10 * sum + sn_value_integer(v, "");
    assert_int_equal(sum, 358);
    assert_int_equal(sn_value_count(list), 3);
    assert_null(sn_value_name(sn_value_first(list)));
    assert_string_equal(sn_value_name(sn_value_first(root)), "name");
    assert_int_equal(sn_value_count(root), 8);
    assert_null(sn_value_first(sn_value_get(root, "name")));
    sn_config_free(config);
    sn_config_free(NULL);
}

static void test_given(void **state) {
    (void)state;
    static const char *const sets[] = {"train.batch_size=128"};
    static const char text[] = "{\"train\": {\"lr\": 0.01, \"optimizer\": \"sgd\"}}";
    sn_config_source source = {.path = "toy", .text = text, .sets = sets, .n_sets = 1};
    sn_config *config = NULL;
    assert_int_equal(sn_config_read(&config, &toy_schema, &source, &error), SN_OK);
    const sn_value *root = sn_config_root(config);
    static const char *const given[] = {"train", "train.lr", "train.batch_size", "train.optimizer"};
    static const char *const defaults[] = {"train.shuffle", "train.optimizer.momentum", "network", "network.skip.kind"};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(sn_value_get(root, defaults[i]));
        assert_true(sn_config_is_given(config, sn_value_get(root, given[i])));
        assert_false(sn_config_is_given(config, sn_value_get(root, defaults[i])));
    }
    assert_false(sn_config_is_given(config, NULL));
    sn_config_free(config);
}

static void check_fault(const sn_config *config, const char *path, const char *expected) {
    sn_error_clear(&error);
    const sn_value *value = sn_value_get(sn_config_root(config), path);
    assert_non_null(value);
    assert_int_equal(sn_config_fault(config, value, &error, "wrong by %d", 3), SN_INVALID);
    assert_string_equal(error.text, expected);
}

static void test_fault(void **state) {
    (void)state;
    static const char text[] = "{\n \"network\": {\"layers\": [\"relu\",\n   {\"op\": \"linear\", \"units\": 3}]},\n"
                               " \"train\": {\"lr\": 1}}";
    sn_config *config = parse(text);
    check_fault(config, "", "toy:1:1: wrong by 3");
    check_fault(config, "train.lr", "toy:4:18: train.lr: wrong by 3");
    check_fault(config, "train.batch_size", "toy:4:11: train.batch_size: wrong by 3");                 /* a default */
    check_fault(config, "train.optimizer.momentum", "toy:4:11: train.optimizer.momentum: wrong by 3"); /* inside one */
    check_fault(config, "report.every", "toy:1:1: report.every: wrong by 3");
    const sn_value *second = sn_value_next(sn_value_first(sn_value_get(sn_config_root(config), "network.layers")));
    sn_error_clear(&error);
    sn_config_fault(config, sn_value_get(second, "units"), &error, "a");
    sn_config_fault(config, sn_value_get(second, "init.kind"), &error, "b");
    sn_config_fault(config, NULL, &error, "c");
    assert_string_equal(error.text, "toy:3:30: network.layers[1].units: a\n"
                                    "toy:3:4: network.layers[1].init.kind: b\ntoy:1:1: c");
    sn_config_free(config);
}

static void test_fault_of_set(void **state) {
    (void)state;
    static const char *const sets[] = {"train.lr=2", "network.skip={\"kind\": \"add\"}", "network.init.gain=2"};
    assert_int_equal(sn_file_write_atomic("d/c.json", "{\"train\": {}}", 13, &error), SN_OK);
    sn_config_source source = {.path = "d/c.json", .sets = sets, .n_sets = 3};
    sn_config *config = NULL;
    assert_int_equal(sn_config_read(&config, &toy_schema, &source, &error), SN_OK);
    check_fault(config, "train.lr", "--set train.lr=2: train.lr: wrong by 3");
    check_fault(config, "network.skip.branch_scale",
                "--set network.skip={\"kind\": \"add\"}: network.skip.branch_scale: wrong by 3");
    check_fault(config, "network.init.gain", "--set network.init.gain=2: network.init.gain: wrong by 3");
    sn_config_free(config);
}

static void test_read_errors(void **state) {
    (void)state;
    sn_config *config = NULL;
    sn_config_source absent = {.path = "d/absent.json"}, folder = {.path = "d"};
    assert_int_equal(sn_config_read(&config, &toy_schema, &absent, &error), SN_IO);
    assert_string_equal(error.text, "cannot open d/absent.json: No such file or directory");
    assert_int_equal(sn_config_read(&config, &toy_schema, &folder, &error), SN_IO);
    assert_null(config);

    FILE *file = fopen("d/big.json", "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)SN_CONFIG_MAX_BYTES + 1), 0);
    assert_int_equal(fclose(file), 0);
    sn_config_source big = {.path = "d/big.json"};
    assert_int_equal(sn_config_read(&config, &toy_schema, &big, &error), SN_INVALID);
    assert_string_equal(error.text, "d/big.json: larger than the limit of 67108864 bytes");
    assert_int_equal(unlink("d/big.json"), 0);
    assert_int_equal(sn_config_parse(&config, &toy_schema, "{}", SN_CONFIG_MAX_BYTES + 1, "t", "", &error), SN_INVALID);
    assert_string_equal(error.text, "t: larger than the limit of 67108864 bytes");
}

/* ---- text, meaning ---- */

static void test_text(void **state) {
    (void)state;
    static const char text[] =
        "{\"numbers\": [0.1, 1e21, -0.0, 5e-324, 1.7976931348623157e308, 9007199254740992],\n"
        "\"empty\": {}, \"none\": [], \"deep\": [[1], {\"a\": null, \"b\": \"\\u0001\\n\"}], \"t\": true}";
    sn_config *config = NULL;
    assert_int_equal(sn_config_parse_free(&config, text, strlen(text), "free", &error), SN_OK);
    char *written = text_of(config);
    assert_string_equal(written,
                        "{\n"
                        "  \"numbers\": [0.1, 1e+21, -0, 5e-324, 1.7976931348623157e+308, 9007199254740992],\n"
                        "  \"empty\": {},\n"
                        "  \"none\": [],\n"
                        "  \"deep\": [\n    [1],\n    {\n      \"a\": null,\n      \"b\": \"\\u0001\\n\"\n    }\n  ],\n"
                        "  \"t\": true\n}\n");
    check_fault(config, "deep", "free:2:34: deep: wrong by 3");
    assert_true(sn_value_integer(sn_value_first(sn_value_get(sn_config_root(config), "numbers")), "") == 0);
    assert_true(sn_value_integer(sn_value_next(sn_value_first(sn_value_get(sn_config_root(config), "numbers"))), "") ==
                INT64_MAX);
    free(written);
    sn_config_free(config);
    config = NULL;
    assert_int_equal(sn_config_parse_free(&config, "{\"a\": {\"b\": 1, \"b\": 2}}", 23, "free", &error), SN_INVALID);
    assert_string_equal(error.text, "free:1:16: a.b: duplicate key, the first one is on line 1");
    assert_null(config);
}

static void check_differences(const char *a_text, const char *b_text, const char *expected) {
    sn_config *a = parse(a_text), *b = parse(b_text);
    sn_text text = SN_TEXT_EMPTY;
    sn_config_differences(a, b, &text);
    assert_string_equal(sn_text_string(&text), expected);
    assert_int_equal(sn_config_hash(a) == sn_config_hash(b), expected[0] == '\0');
    sn_text_free(&text);
    sn_config_free(a);
    sn_config_free(b);
}

static void test_meaning(void **state) {
    (void)state;
    check_differences("{}", "{\"seed\": 1, \"network\": {\"depth\": 5e1, \"skip\": {\"kind\": \"none\"}}}", "");
    check_differences("{}", "{\"name\": \"x\", \"comment\": \"y\", \"$schema\": \"z\", \"report\": {\"every\": 7}}",
                      "");
    check_differences("{\"data\": {\"path\": \"a\"}}", "{\"train\": {\"comment\": [\"a\"]}}", "");
    check_differences("{\"train\": {\"lr\": 1, \"steps\": 5}}", "{\"train\": {\"steps\": 5, \"lr\": 1}}", "");
    check_differences("{\"network\": {\"skip\": {\"kind\": \"concat\", \"branch_scale\": 3}}}",
                      "{\"network\": {\"skip\": \"concat\"}}", "");
    check_differences("{}", "{\"seed\": 2}", "seed");
    check_differences("{\"train\": {\"lr\": 1}}", "{\"seed\": 2, \"train\": {\"steps\": 0}}",
                      "seed, train.lr, train.steps");
    check_differences("{}", "{\"network\": {\"skip\": \"add\"}}", "network.skip.kind");
    check_differences("{\"network\": {\"skip\": \"add\"}}",
                      "{\"network\": {\"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 1}}}}",
                      "network.skip.branch_scale");
    check_differences("{}", "{\"network\": {\"layers\": [\"relu\"]}}", "network");
    check_differences("{\"network\": {\"layers\": [\"relu\", {\"op\": \"linear\", \"units\": 2}]}}",
                      "{\"network\": {\"layers\": [\"clip\", {\"op\": \"linear\", \"units\": 3}]}}",
                      "network.layers[0].op, network.layers[1].units");
    check_differences("{\"network\": {\"layers\": [\"relu\"]}}", "{\"network\": {\"layers\": [\"relu\", \"relu\"]}}",
                      "network.layers");
    check_differences("{\"train\": {\"milestones\": [1, 2]}}", "{\"train\": {\"milestones\": [2, 1]}}",
                      "train.milestones[0], train.milestones[1]");
    check_differences("{\"train\": {\"milestones\": [1, 2, 3, 4, 5]}}",
                      "{\"train\": {\"milestones\": [5, 4, 3, 2, 1]}}", "train.milestones");
    check_differences("{\"data\": {\"test_limit\": 5}}", "{\"data\": {\"kind\": \"spirals\"}}", "data.test_limit");
    check_differences("{\"data\": {\"test_limit\": null}}", "{\"data\": {\"test_limit\": 5}}", "data.test_limit");
}

static sn_config *parse_grown(const char *text, const sn_key *later) {
    enum { N_KEYS = sizeof toy_keys / sizeof *toy_keys };
    sn_key keys[N_KEYS + 1] = {{0}};
    keys[0] = *later;
    memcpy(keys + 1, toy_keys, sizeof toy_keys);
    sn_schema grown = toy_schema;
    grown.keys = keys;
    sn_config *config = NULL;
    sn_error_clear(&error);
    assert_int_equal(sn_config_parse(&config, &grown, text, strlen(text), "toy", "/base", &error), SN_OK);
    return config;
}

static void check_differs(const sn_config *a, const sn_config *b, const char *expected) {
    sn_text text = SN_TEXT_EMPTY;
    sn_config_differences(a, b, &text);
    assert_string_equal(sn_text_string(&text), expected);
    sn_text_free(&text);
}

/* A key that came later leaves hashes as they were, at its default. */
static void test_later_key(void **state) {
    (void)state;
    static const sn_key later = {
        .name = "damping", .types = SN_NUMBER, .flags = SN_LATER, .fallback = "0.1", .min = 0, .max = 1, .help = "new"};
    sn_config *old = parse("{}"), *absent = parse_grown("{}", &later);
    sn_config *same = parse_grown("{\"damping\": 1e-1}", &later);
    sn_config *near = parse_grown("{\"damping\": 0.10000000000000002}", &later);
    sn_config *other = parse_grown("{\"damping\": 0}", &later);
    assert_true(sn_config_hash(old) == sn_config_hash(absent));
    assert_true(sn_config_hash(old) == sn_config_hash(same));
    assert_true(sn_config_hash_but_length(old) == sn_config_hash_but_length(same));
    assert_true(sn_config_hash(old) != sn_config_hash(near));
    assert_true(sn_config_hash(old) != sn_config_hash(other));
    assert_true(sn_config_hash(near) != sn_config_hash(other));
    check_differs(absent, same, "");
    check_differs(absent, other, "damping");
    check_differs(other, absent, "damping");
    check_differs(near, other, "damping");
    sn_config *const all[] = {old, absent, same, near, other};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sn_config_free(all[i]);
}

/* ---- size ---- */

enum { N_LAYERS = 30000 };

/* Some 3 MB on one line, so that a column that is counted from the start of its line would show. */
static void test_large_list(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "{\"network\": {\"layers\": [");
    for (int i = 0; i < N_LAYERS; i++)
        sn_text_addf(
            &text,
            "%s{\"op\": \"linear\", \"label\": \"layer%d\", \"inputs\": [\"layer%d\", \"input\"], \"units\": %d,"
            " \"slope\": 0.5, \"comment\": \"x\"}",
            i ? ", " : "", i, i - 1, i + 1);
    sn_text_add(&text, "]}}");
    sn_config *config = parse(sn_text_string(&text));
    int64_t i = 0;
    const sn_value *last = NULL;
    for (const sn_value *v = sn_value_first(sn_value_get(sn_config_root(config), "network.layers")); v;
         v = sn_value_next(v), i++) {
        assert_int_equal(sn_value_integer(v, "units"), i + 1);
        assert_string_equal(sn_value_text(v, "init.kind"), "pytorch");
        last = sn_value_get(v, "units");
    }
    assert_int_equal(i, N_LAYERS);
    sn_error_clear(&error);
    sn_config_fault(config, last, &error, "here");
    assert_non_null(strstr(error.text, ": network.layers[29999].units: here"));
    check_fixed_point(config);
    sn_config_free(config);
    sn_text_free(&text);
}

/* Many keys in one object, all known twice, and more faults than an error holds. */
static void test_many_faults(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    enum { N = 20000 };
    sn_text_add(&text, "{");
    for (int i = 0; i < N; i++)
        sn_text_addf(&text, "%s\"k%d\": %d", i ? ",\n" : "", i % (N / 2), i);
    sn_text_add(&text, "}");
    sn_config *config = NULL;
    sn_error_clear(&error);
    assert_int_equal(sn_config_parse(&config, &toy_schema, text.data, text.length, "many", "", &error), SN_INVALID);
    size_t n_lines = 1;
    for (const char *p = error.text; *p; p++)
        n_lines += *p == '\n';
    assert_true(n_lines > 50);
    assert_int_equal(n_lines + error.dropped, N + N / 2); /* every key is unknown, every second one a duplicate */
    sn_text_free(&text);
}

/* ---- hostile input ---- */

static uint64_t random_state = 1;

static size_t random_below(size_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % n;
}

static size_t mutate(char *text, size_t n) {
    static const char bytes[] = "{}[]:,\"\\/0123456789.eE+-tfnul \n\xc3\xa9\xff#";
    for (size_t k = random_below(4) + 1; k > 0 && n > 1; k--) {
        size_t at = random_below(n), length = random_below(n - at) % 12;
        switch (random_below(4)) {
        case 0:
            text[at] = bytes[random_below(sizeof bytes - 1)];
            break;
        case 1:
            text[at] = (char)random_below(256);
            break;
        case 2:
            memmove(text + at, text + at + length, n - at - length), n -= length;
            break;
        default:
            memmove(text + random_below(n - length), text + at, length);
        }
    }
    return n;
}

static void read_mutated(const char *seed, int *n_good) {
    char *copy = strdup(seed);
    assert_non_null(copy);
    size_t n = mutate(copy, strlen(seed));
    char *exact = malloc(n); /* without a NUL and of the exact size, so that reading past the end shows */
    assert_non_null(exact);
    memcpy(exact, copy, n);
    sn_config *config = NULL;
    sn_error_clear(&error);
    sn_status status = sn_config_parse(&config, &toy_schema, exact, n, "m", "/base", &error);
    if (status == SN_OK) {
        (*n_good)++;
        check_fixed_point(config);
    } else {
        assert_int_equal(status, SN_INVALID);
        assert_true(error.length > 0 && !config);
    }
    sn_config_free(config);
    free(copy);
    free(exact);
}

static void test_mutations(void **state) {
    (void)state;
    static const char scalars[] = "{\"name\": \"a\\u00e9\\ud83d\\ude00\", \"seed\": 12e2, \"comment\": [\"x\", \"y\"], "
                                  "\"data\": {\"kind\": \"csv\", \"path\": \"../x\", \"target\": \"t\"}, "
                                  "\"train\": {\"lr\": 1.5e-3, \"milestones\": [1, 2, 3], \"steps\": null}}";
    static const char lists[] =
        "{\"network\": {\"layers\": [{\"op\": \"linear\", \"units\": 8, "
        "\"init\": {\"kind\": \"normal\", \"std\": 0.5}}, {\"repeat\": 2, \"layers\": [\"relu\", "
        "{\"repeat\": 3, \"layers\": [{\"op\": \"add\", \"factors\": [1, 2]}]}]}]}}";
    static const char kinds[] = "{\"network\": {\"depth\": 5, \"skip\": {\"kind\": \"add\", "
                                "\"branch_scale\": {\"learned\": 0}, \"growth\": 3}}}";
    static const char *const seeds[] = {scalars, lists, kinds};
    int n_good = 0, n_read = 0;
    for (; n_read < 3000; n_read++)
        read_mutated(seeds[n_read % 3], &n_good);
    assert_true(n_good > 20 && n_good < n_read / 2);
}

/* ---- descriptions ---- */

static void check_has(const char *text, const char *what) {
    if (!strstr(text, what)) fail_msg("\"%s\" is not in:\n%s", what, text);
}

static void test_describe(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    sn_describe_keys(&toy_schema, &text);
    static const char *const rows[] = {"\nnetwork (mlp).skip (add).layers_per_block ",
                                       "\nnetwork (mlp).skip (concat).growth ",
                                       "\nnetwork (mlp).skip (add).branch_scale ",
                                       "\nnetwork (layers).layers[] (repeat).layers ",
                                       "\nnetwork.weights ",
                                       "\ntrain.lr ",
                                       "\ndata.path ",
                                       "list of op",
                                       "number above 0",
                                       "float32|float64",
                                       "number or inverse_sqrt_blocks or scale",
                                       "(as network (layers).layers[])",
                                       "(as network (mlp).init)"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_has(sn_text_string(&text), rows[i]);
    sn_text_clear(&text);
    sn_describe_kinds(&toy_skip, &text);
    assert_string_equal(sn_text_string(&text),
                        "none                    a plain chain\n"
                        "add                     residual blocks                                   y = x + "
                        "branch_scale F(x)  He et al. 2015\n"
                        "  layers_per_block = 1  whole number from 1 to 1000: layers a skip jumps\n"
                        "  branch_scale = 1      number or inverse_sqrt_blocks or scale: factor of the branch\n"
                        "concat                  dense blocks                                      y = [x, F(x)]\n"
                        "  layers_per_block = 1  whole number from 1 to 1000: layers a skip jumps\n"
                        "  growth = 12           whole number from 1 to 1000: features per block\n");
    sn_text_clear(&text);
    sn_describe_kinds(&toy_op, &text);
    check_has(sn_text_string(&text), "(every one)");
    check_has(sn_text_string(&text), "  units (required)");
    sn_text_free(&text);
}

static void check_keys(const sn_value *properties, const sn_key *keys) {
    for (; keys && keys->name; keys++) {
        if (!sn_value_get(properties, keys->name)) fail_msg("the schema lacks %s", keys->name);
    }
}

static void check_choice(const sn_value *definitions, const char *name, const sn_choice *choice) {
    const sn_value *object = sn_value_first(sn_value_get(sn_value_get(definitions, name), "anyOf"));
    while (sn_value_next(object)) /* the bare names stand before the object */
        object = sn_value_next(object);
    const sn_value *properties = sn_value_get(object, "properties");
    assert_non_null(properties);
    assert_false(sn_value_bool(object, "additionalProperties"));
    check_keys(properties, choice->common);
    size_t n_kinds = 0, n_named = 0;
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++, n_kinds++) {
        check_keys(properties, (*kind)->keys);
        n_named += !(*kind)->chosen_by;
    }
    assert_int_equal(sn_value_count(sn_value_get(object, "allOf")), n_kinds);
    const sn_value *names = sn_value_get(sn_value_get(properties, choice->discriminator), "enum");
    assert_int_equal(sn_value_count(names), n_named);
}

/* That validators accept and refuse by it what the reader does is not shown here: it takes one. */
static void test_schema(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    sn_describe_schema(&toy_schema, &text);
    sn_config *schema = NULL;
    sn_status status = sn_config_parse_free(&schema, sn_text_string(&text), text.length, "schema", &error);
    if (status != SN_OK) fail_msg("%s", error.text);
    const sn_value *root = sn_config_root(schema), *definitions = sn_value_get(root, "$defs");
    assert_string_equal(sn_value_text(root, "title"), "toy");
    check_keys(sn_value_get(root, "properties"), toy_keys);
    check_keys(sn_value_get(definitions, "train.properties"), toy_train_keys);
    check_choice(definitions, "network_family", &toy_network);
    check_choice(definitions, "op", &toy_op);
    check_choice(definitions, "skip", &toy_skip);
    check_choice(definitions, "init", &toy_init);
    check_choice(definitions, "scale", &toy_scale);
    check_choice(definitions, "data_source", &toy_data);
    check_choice(definitions, "optimizer", &toy_optimizer);
    assert_int_equal(sn_value_count(definitions), 9); /* and train, report: each once */
    sn_config_free(schema);
    sn_text_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accessors),    cmocka_unit_test(test_given),       cmocka_unit_test(test_fault),
        cmocka_unit_test(test_fault_of_set), cmocka_unit_test(test_read_errors), cmocka_unit_test(test_text),
        cmocka_unit_test(test_meaning),      cmocka_unit_test(test_later_key),   cmocka_unit_test(test_large_list),
        cmocka_unit_test(test_many_faults),  cmocka_unit_test(test_mutations),   cmocka_unit_test(test_describe),
        cmocka_unit_test(test_schema),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
