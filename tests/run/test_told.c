/* Over the key tables of the program: every key of a kind that is not chosen is told with the reason, and is no --set
 * that counts; every key is found by its last name alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/notes.h"
#include "config/choice.h"
#include "config/config.h"
#include "run/language.h"
#include "support/check.h"

static sn_error error;
static int n_idle, n_found;

enum { NUMBERS = SN_INTEGER | SN_NUMBER };

/* A value that a key takes, as --set has it. */
static const char *value_of(const sn_key *key) {
    static char number[64];
    if (key->fallback && strcmp(key->fallback, "null") != 0) return key->fallback;
    if (key->types & NUMBERS) {
        snprintf(number, sizeof number, "%.17g", key->min < 1 ? 1 : key->min);
        return number;
    }
    if (key->types & SN_KIND) return key->choice->kinds[0]->name;
    if (key->types & SN_LIST) return key->element->types & NUMBERS ? "[1, 2]" : NULL;
    return key->types & SN_BOOL ? "true" : "x";
}

/* ---- keys without effect ---- */

enum { MAX_SETS = 8, SET_SIZE = 256 };

typedef struct settings {
    char texts[MAX_SETS][SET_SIZE];
    const char *sets[MAX_SETS];
    size_t n;
} settings;

static void add_set(settings *s, const char *path, const char *name, const char *value) {
    assert_true(s->n < MAX_SETS);
    int n = snprintf(s->texts[s->n], SET_SIZE, "%s.%s=%s", path, name, value);
    assert_true(n > 0 && n < SET_SIZE);
    s->sets[s->n] = s->texts[s->n];
    s->n++;
}

/* `key` is set where `chosen` is the kind that it does not belong to. */
static void check_idle(const char *path, const sn_choice *choice, const sn_kind *chosen, const sn_key *key) {
    settings s = {.n = 0};
    add_set(&s, path, choice->discriminator, chosen->name);
    for (const sn_key *own = chosen->keys; own && own->name; own++) {
        if (own->flags & SN_REQUIRED) add_set(&s, path, own->name, value_of(own));
    }
    add_set(&s, path, key->name, value_of(key));
    sn_config_source source = {.path = "none.json", .text = "{}", .sets = s.sets, .n_sets = s.n};
    sn_config *config = NULL;
    if (sn_config_read(&config, &sn_language, &source, &error)) fail_msg("%s", error.text);
    char expected[1024];
    const char *set = s.sets[s.n - 1];
    snprintf(expected, sizeof expected, "warning: --set %s: %s.%s has no effect: %s.%s is %s\n", set, path, key->name,
             path, choice->discriminator, chosen->name);
    sn_notes notes = SN_NOTES_EMPTY;
    sn_text told = SN_TEXT_EMPTY;
    sn_config_note_idle(config, &notes);
    sn_notes_write(&notes, &told);
    assert_string_equal(sn_text_string(&told), expected);
    assert_true(sn_config_set_is_idle(config, set));
    assert_false(sn_config_set_is_idle(config, s.sets[0]));
    n_idle++;
    sn_text_free(&told);
    sn_notes_reset(&notes);
    sn_config_free(config);
}

static void check_kind(const char *path, const sn_choice *choice, const sn_kind *owner) {
    for (const sn_key *key = owner->keys; key && key->name && !owner->chosen_by; key++) {
        for (const sn_kind *const *other = choice->kinds; *other && value_of(key); other++) {
            if (!(*other)->chosen_by && !sn_kind_key(choice, *other, key->name)) check_idle(path, choice, *other, key);
        }
    }
}

static void check_choice(const char *path, const sn_choice *choice) {
    for (const sn_kind *const *owner = choice->kinds; *owner; owner++)
        check_kind(path, choice, *owner);
}

/* ---- keys by their last names ---- */

static void check_tail(const char *path, const char *name) {
    char set[SET_SIZE];
    snprintf(set, sizeof set, "nowhere.%s=1", name);
    const char *sets[] = {set};
    sn_config_source source = {.path = "none.json", .text = "{}", .sets = sets, .n_sets = 1};
    sn_config *config = NULL;
    sn_error_clear(&error);
    assert_int_equal(sn_config_read(&config, &sn_language, &source, &error), SN_INVALID);
    bool has_more = strstr(error.text, "...?"); /* as of "kind" */
    char quoted[SET_SIZE + 2];
    snprintf(quoted, sizeof quoted, "\"%s\"", path);
    if (!strstr(error.text, quoted) && !has_more) fail_msg("%s: no %s", error.text, quoted);
    n_found += !has_more;
}

static void walk(const char *prefix, const sn_key *keys) {
    for (; keys && keys->name; keys++) {
        char path[SET_SIZE], below[SET_SIZE + 1];
        snprintf(path, sizeof path, "%s%s", prefix, keys->name);
        snprintf(below, sizeof below, "%s.", path);
        check_tail(path, keys->name);
        if (keys->types & SN_OBJECT) walk(below, keys->keys);
        if (!(keys->types & SN_KIND)) continue;
        check_choice(path, keys->choice);
        walk(below, keys->choice->common);
        for (const sn_kind *const *kind = keys->choice->kinds; *kind; kind++)
            walk(below, (*kind)->keys);
    }
}

static void test_all(void **state) {
    (void)state;
    walk("", sn_language.keys);
    assert_true(n_idle >= 100);
    assert_true(n_found >= 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
