/* What tests/support/random_config.c draws: every kind and every word that a config may have, so that what is new in
 * the program's tables cannot go untested unseen.  What is left out is named here, with the reason. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "run/language.h"
#include "support/check.h"
#include "support/name_set.h"
#include "support/random_graph.h"

enum { DRAWS = 400 };

/* "report" enters no number of a run; the tests that draw vary what is reported by themselves. */
static const char *const sections[] = {"precision", "data", "network", "train", NULL};

static const char *const left_out[] = {
    "data source fashion-mnist", /* files that may not be there */
    "data source mnist",
    "data source cifar-10",
    "data source cifar-100",
    "labels fine",
    "labels coarse",
    "data source csv",
    "op repeat",                       /* counted out before a graph is built */
    "checkpoint schedule every_steps", /* when a run is saved enters none of its numbers */
    "checkpoint schedule every_minutes",
    "products own", /* who multiplies has bits of its own on every path: run_identity_test.sh and test_panels set it */
    "products openblas",
    NULL,
};

static name_set drawn, expected;
static int n_expected, n_missing;

static bool is_left_out(const char *name) {
    const char *const *out = left_out;
    while (*out && strcmp(*out, name) != 0)
        out++;
    return *out;
}

static bool is_chosen(const sn_choice *choice, const sn_kind *kind, const sn_value *object) {
    if (kind->chosen_by) return sn_value_get(object, kind->chosen_by);
    const char *name = sn_value_text(object, choice->discriminator);
    return name && strcmp(name, kind->name) == 0;
}

/* ---- what a config has ---- */

static void note_keys(const sn_key *keys, const sn_value *object);

static void note_value(const sn_key *key, const sn_value *value) {
    if (key->words && sn_value_is_text(value)) name_set_add(&drawn, "%s %s", key->name, sn_value_text(value, ""));
    if (key->keys && sn_value_is_object(value)) note_keys(key->keys, value);
    if (key->element && sn_value_is_list(value)) {
        for (const sn_value *element = sn_value_first(value); element; element = sn_value_next(element))
            note_value(key->element, element);
    }
    if (!key->choice || !sn_value_is_object(value)) return;
    for (const sn_kind *const *kind = key->choice->kinds; *kind; kind++) {
        if (!is_chosen(key->choice, *kind, value)) continue;
        name_set_add(&drawn, "%s %s", key->choice->what, (*kind)->name);
        note_keys((*kind)->keys, value);
    }
    note_keys(key->choice->common, value);
}

static void note_keys(const sn_key *keys, const sn_value *object) {
    for (const sn_key *key = keys; key && key->name; key++) {
        const sn_value *value = sn_value_get(object, key->name);
        if (value) note_value(key, value);
    }
}

static void note_config(uint64_t seed) {
    sn_text text = random_config(seed);
    sn_config *config;
    sn_error error;
    sn_error_clear(&error);
    if (sn_config_parse(&config, &sn_language, sn_text_string(&text), text.length, "random.json", "", &error))
        fail_msg("seed %d: %s\n%s", (int)seed, error.text, sn_text_string(&text));
    note_keys(sn_language.keys, sn_config_root(config));
    sn_config_free(config);
    sn_text_free(&text);
}

/* ---- what a config may have ---- */

static void expect(const char *what, const char *name) {
    char both[128];
    snprintf(both, sizeof both, "%s %s", what, name);
    if (name_set_has(&expected, "%s", both)) return;
    name_set_add(&expected, "%s", both);
    n_expected++;
    if (name_set_has(&drawn, "%s", both) != is_left_out(both)) return;
    n_missing++;
    print_error("%s \"%s\" is %s\n", what, name,
                is_left_out(both) ? "drawn: it need not be left out in tests/run/test_draws.c"
                                  : "never drawn by tests/support/random_config.c and random_graph.c");
}

static void expect_keys(const sn_key *keys);

static void expect_key(const sn_key *key) {
    for (const char *const *word = key->words; word && *word; word++)
        expect(key->name, *word);
    if (key->keys) expect_keys(key->keys);
    if (key->element) expect_key(key->element);
    if (!key->choice || name_set_has(&expected, "all of %s", key->choice->what)) return;
    name_set_add(&expected, "all of %s", key->choice->what);
    for (const sn_kind *const *kind = key->choice->kinds; *kind; kind++) {
        char name[128];
        snprintf(name, sizeof name, "%s %s", key->choice->what, (*kind)->name);
        expect(key->choice->what, (*kind)->name);
        if (!is_left_out(name)) expect_keys((*kind)->keys);
    }
    expect_keys(key->choice->common);
}

static void expect_keys(const sn_key *keys) {
    for (const sn_key *key = keys; key && key->name; key++)
        expect_key(key);
}

static void test_everything_is_drawn(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= DRAWS; seed++)
        note_config(seed);
    for (const char *const *section = sections; *section; section++) {
        const sn_key *key = sn_language.keys;
        while (key->name && strcmp(key->name, *section) != 0)
            key++;
        if (!key->name) fail_msg("a config has no key %s", *section);
        expect_key(key);
    }
    print_message("%d kinds and words, %d of them missing\n", n_expected, n_missing);
    assert_true(n_expected > 50);
    assert_int_equal(n_missing, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything_is_drawn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
