/* The config reader over a toy language: cases as data (config_cases.txt).  Every config that is read must also
 * come out the same when its resolved text is read again. */
#include <stdio.h>

#include "base/file.h"
#include "helpers.h"

enum { MAX_SETS = 16, MIN_CASES = 200 };

/* The format of the cases:
 *
 * === NAME            begins a case; the lines up to the next marker are the config
 * --- sets            --set arguments, one per line
 * --- error           the exact error text
 * --- resolved PATH   the resolved value at PATH (all of it without one), compared as compact JSON
 *
 * <xHH> is a byte, <N*TEXT> is TEXT N times, <CWD> the working directory; lines that begin with # before the first
 * case are comments.  The config is the file d/c.json. */

typedef struct test_case {
    sn_text name, config, sets, error, resolved, path;
} test_case;

static void add_line(sn_text *text, const char *line, size_t n) {
    if (text->data) sn_text_add(text, "\n");
    sn_text_add_bytes(text, line, n);
}

/* What <...> stands for, `inside` being what is between the brackets; false where it is no such thing. */
static bool expand_mark(const char *inside, size_t n, sn_text *to) {
    char *end, cwd[4096];
    if (n == 3 && strncmp(inside, "CWD", n) == 0) {
        assert_non_null(getcwd(cwd, sizeof cwd));
        sn_text_add(to, cwd);
        return true;
    }
    if (n == 3 && inside[0] == 'x') {
        sn_text_add_bytes(to, &(char){(char)strtoul(inside + 1, &end, 16)}, 1);
        return end == inside + n;
    }
    unsigned long count = strtoul(inside, &end, 10);
    if (end == inside || *end != '*') return false;
    for (; count > 0; count--)
        sn_text_add_bytes(to, end + 1, (size_t)(inside + n - (end + 1)));
    return true;
}

static void expand(const char *from, sn_text *to) {
    sn_text_add(to, "");
    while (*from) {
        const char *close = *from == '<' ? strchr(from, '>') : NULL;
        if (close && expand_mark(from + 1, (size_t)(close - from) - 1, to)) {
            from = close + 1;
        } else {
            sn_text_add_bytes(to, from++, 1);
        }
    }
}

/* The case at *at, which moves behind it; false at the end of the file. */
static bool next_case(const char **at, test_case *c) {
    *c = (test_case){0};
    sn_text *section = NULL;
    bool began = false;
    for (const char *line = *at; *line; line = *at) {
        size_t n = strcspn(line, "\n");
        if (strncmp(line, "=== ", 4) == 0) {
            if (began) break;
            began = true;
            sn_text_add_bytes(&c->name, line + 4, n - 4);
            section = &c->config;
        } else if (strncmp(line, "--- sets", 8) == 0) {
            section = &c->sets;
        } else if (strncmp(line, "--- error", 9) == 0) {
            section = &c->error;
        } else if (strncmp(line, "--- resolved", 12) == 0) {
            section = &c->resolved;
            if (n > 13) sn_text_add_bytes(&c->path, line + 13, n - 13);
        } else if (section) {
            add_line(section, line, n);
        }
        *at = line + n + (line[n] == '\n');
    }
    /* The empty line between two cases belongs to neither. */
    if (section && section->length > 0 && section->data[section->length - 1] == '\n')
        section->data[--section->length] = '\0';
    return began;
}

static void free_case(test_case *c) {
    sn_text *texts[] = {&c->name, &c->config, &c->sets, &c->error, &c->resolved, &c->path};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sn_text_free(texts[i]);
}

static size_t split_lines(char *lines, const char **out) {
    size_t n = 0;
    for (char *line = lines; line && *line; n++) {
        assert_true(n < MAX_SETS);
        out[n] = line;
        line = strchr(line, '\n');
        if (line) *line++ = '\0';
    }
    return n;
}

static void compact(const char *json, sn_text *out) {
    sn_config *tree = NULL;
    if (sn_config_parse_free(&tree, json, strlen(json), "expected", &error) != SN_OK) fail_msg("%s", error.text);
    sn_value_text_compact(sn_config_root(tree), out);
    sn_config_free(tree);
}

static int report(const test_case *c, const char *what, const char *expected, const char *got) {
    if (strcmp(expected, got) == 0) return 0;
    print_error("case %s: %s\n--- expected\n%s\n--- got\n%s\n", c->name.data, what, expected, got);
    return 1;
}

static int check_resolved(const test_case *c, const sn_config *config) {
    sn_text json = SN_TEXT_EMPTY, expected = SN_TEXT_EMPTY, got = SN_TEXT_EMPTY;
    check_fixed_point(config);
    expand(sn_text_string(&c->resolved), &json);
    compact(json.data, &expected);
    const sn_value *value = sn_value_get(sn_config_root(config), sn_text_string(&c->path));
    if (value) {
        sn_value_text_compact(value, &got);
    } else {
        sn_text_add(&got, "null"); /* or absent; the cases say which by the object around it */
    }
    int failed = report(c, "resolved", expected.data, sn_text_string(&got));
    sn_text_free(&json);
    sn_text_free(&expected);
    sn_text_free(&got);
    return failed;
}

static int run_case(test_case *c) {
    sn_text config_text = SN_TEXT_EMPTY, expected = SN_TEXT_EMPTY, sets_text = SN_TEXT_EMPTY;
    const char *sets[MAX_SETS];
    expand(sn_text_string(&c->config), &config_text);
    expand(sn_text_string(&c->error), &expected);
    expand(sn_text_string(&c->sets), &sets_text);
    assert_int_equal(sn_file_write_atomic("d/c.json", config_text.data, config_text.length, &error), SN_OK);
    sn_config_source source = {.path = "d/c.json", .sets = sets, .n_sets = split_lines(sets_text.data, sets)};
    sn_config *config = NULL;
    sn_error_clear(&error);
    sn_status status = sn_config_read(&config, &toy_schema, &source, &error);
    assert_true(c->error.data || c->resolved.data); /* a case that expects nothing proves nothing */
    int failed = report(c, "error", expected.data, error.text);
    if (c->error.data) {
        assert_int_equal(status, SN_INVALID);
        assert_null(config);
    }
    if (c->resolved.data && config) failed += check_resolved(c, config);
    sn_config_free(config);
    sn_text_free(&config_text);
    sn_text_free(&expected);
    sn_text_free(&sets_text);
    return failed;
}

static void test_cases(void **state) {
    (void)state;
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(sn_file_read(SN_TEST_DIR "/config/config_cases.txt", 1 << 20, &data, &size, &error), SN_OK);
    int n_cases = 0, n_failed = 0;
    test_case c;
    for (const char *at = data; next_case(&at, &c); n_cases++) {
        n_failed += run_case(&c);
        free_case(&c);
    }
    free(data);
    assert_true(n_cases >= MIN_CASES);
    assert_int_equal(n_failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
