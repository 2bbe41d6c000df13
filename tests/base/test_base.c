/* Text, errors, notes, hashes, pools and arenas.  Random numbers are in test_rng.c, files in test_file.c. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/notes.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/utf8.h"

static sn_error error;

/* ---- text ---- */

static void test_text_empty(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    assert_string_equal(sn_text_string(&text), "");
    sn_text_add(&text, "");
    sn_text_add_bytes(&text, NULL, 0);
    assert_int_equal(text.length, 0);
    assert_string_equal(sn_text_string(&text), "");
    char *taken = sn_text_take(&text);
    assert_string_equal(taken, "");
    free(taken);
    assert_null(text.data);
    sn_text_free(&text);
}

/* U+00E9 has two bytes, U+2192 three, U+1F600 four. */
static void test_text_columns(void **state) {
    (void)state;
    const char *string = "a\xc3\xa9\xe2\x86\x92\xf0\x9f\x98\x80";
    assert_int_equal(sn_text_columns("", 0), 0);
    assert_int_equal(sn_text_columns(string, strlen(string)), 4);
    assert_int_equal(sn_text_columns(string, 3), 2);
}

/* A character at the end of each length is there whole or not at all. */
static void test_utf8_cut(void **state) {
    (void)state;
    const char *string = "a\xc3\xa9\xe2\x86\x92\xf0\x9f\x98\x80";
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 10};
    for (size_t most = 0; most < sizeof kept / sizeof *kept; most++)
        assert_int_equal(sn_utf8_cut(string, most), kept[most]);
}

/* What is written is read again, for each code point but the surrogates; where no byte is, none is looked at. */
static void test_utf8_write(void **state) {
    (void)state;
    uint32_t n_read = 0;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char bytes[4];
        uint32_t read;
        size_t n = sn_utf8_write(bytes, code);
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        assert_int_equal(sn_utf8_length(bytes, n, &read), is_surrogate ? 0 : n);
        assert_int_equal(sn_utf8_length(bytes, n - 1, &read), 0);
        n_read += !is_surrogate;
    }
    assert_int_equal(n_read, 0x110000 - 0x800);
    uint32_t read = 1;
    assert_int_equal(sn_utf8_length(NULL, 0, &read), 0);
    assert_int_equal(read, 0);
}

static void test_text_grows(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    for (int i = 0; i < 10000; i++)
        sn_text_addf(&text, "%04d,", i);
    assert_false(text.failed);
    assert_int_equal(text.length, 50000);
    assert_memory_equal(text.data + 4 * 5, "0004,", 5);
    assert_string_equal(text.data + 49995, "9999,");

    const char *data = text.data;
    sn_text_clear(&text);
    assert_int_equal(text.length, 0);
    assert_string_equal(sn_text_string(&text), "");
    sn_text_add(&text, "again");
    assert_ptr_equal(text.data, data); /* clearing keeps the memory */

    char *taken = sn_text_take(&text);
    assert_string_equal(taken, "again");
    free(taken);
    sn_text_add(&text, "usable");
    assert_string_equal(sn_text_string(&text), "usable");
    sn_text_free(&text);
}

static void test_text_bytes_with_zeros(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add_bytes(&text, "a\0b", 3);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.data, "a\0b", 4);
    sn_text_free(&text);
}

static void test_text_failure_is_sticky(void **state) {
    (void)state;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "kept");
    text.failed = true;
    sn_text_add(&text, "lost");
    sn_text_addf(&text, "%d", 1);
    assert_string_equal(sn_text_string(&text), "kept");
    assert_null(sn_text_take(&text));
    assert_null(text.data); /* released, not leaked */
}

static void test_text_json(void **state) {
    (void)state;
    static const struct {
        const char *string, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"say \"hi\"", "\"say \\\"hi\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"line\nbreak\ttab", "\"line\\nbreak\\ttab\""},
        {"\r\b\f\x01\x1f", "\"\\u000d\\u0008\\u000c\\u0001\\u001f\""},
        {"\xc2 \x9b", "\"\xc2 \x9b\""},                                               /* no UTF-8 */
        {"\x7f\xc2\x9b", "\"\\u007f\\u009b\""},                                       /* DEL and C1 */
        {"/ \xc3\xa9 \xc2\xa0 \xe2\x86\x92", "\"/ \xc3\xa9 \xc2\xa0 \xe2\x86\x92\""}, /* UTF-8 passes as it is */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_text text = SN_TEXT_EMPTY;
        sn_text_add_json(&text, cases[i].string);
        assert_string_equal(sn_text_string(&text), cases[i].json);
        sn_text_free(&text);
    }
}

/* Newlines, tabs and UTF-8 pass; control characters and what is no UTF-8 (overlong, cut, surrogate) are shown. */
static void test_text_visible(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"a\tb\nc", "a\tb\nc"},
        {"\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80 \xc2\xa0", "\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80 \xc2\xa0"},
        {"\x1b[31mred\r\x7f", "\\x1b[31mred\\x0d\\x7f"},
        {"\xc2\x9b"
         "2J \x9b",
         "\\xc2\\x9b"
         "2J \\x9b"},
        {"\xc0\xaf \xed\xa0\x80 \xe2\x86", "\\xc0\\xaf \\xed\\xa0\\x80 \\xe2\\x86"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_text text = SN_TEXT_EMPTY;
        sn_text_add_visible(&text, cases[i][0]);
        assert_string_equal(sn_text_string(&text), cases[i][1]);
        sn_text_free(&text);
    }
}

/* A name stays on its line; its column is as wide as what is shown of it. */
static void test_text_padded(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "          |"},
        {"a\tb\nc", "a\\x09b\\x0ac|"},
        {"\xc3\xa9", "\xc3\xa9         |"},
        {"\x1b[m", "\\x1b[m    |"},
        {"longer than that", "longer than that|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_text text = SN_TEXT_EMPTY;
        sn_text_add_padded(&text, cases[i][0], 10);
        sn_text_add(&text, "|");
        assert_string_equal(sn_text_string(&text), cases[i][1]);
        sn_text_free(&text);
    }
}

static void test_text_numbers(void **state) {
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *csv, *json;
    } cases[] = {
        {0, 9, "0", "0"},
        {-0.0, 9, "-0", "-0"},
        {1, 17, "1", "1"},
        {0.1, 9, "0.1", "0.1"},
        {0.1, 17, "0.10000000000000001", "0.10000000000000001"},
        {1e-15, 9, "1e-15", "1e-15"},
        {1.0 / 3, 9, "0.333333333", "0.333333333"},
        {1e22, 17, "1e+22", "1e+22"},
        {DBL_TRUE_MIN, 17, "4.9406564584124654e-324", "4.9406564584124654e-324"},
        {0x1p-149, 9, "1.40129846e-45", "1.40129846e-45"},
        {DBL_MAX, 17, "1.7976931348623157e+308", "1.7976931348623157e+308"},
        {(double)NAN, 9, "nan", "null"},
        {-(double)NAN, 9, "nan", "null"},
        {(double)INFINITY, 9, "inf", "null"},
        {-(double)INFINITY, 17, "-inf", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_text text = SN_TEXT_EMPTY;
        sn_text_add_number(&text, cases[i].value, cases[i].digits);
        assert_string_equal(sn_text_string(&text), cases[i].csv);
        sn_text_clear(&text);
        sn_text_add_json_number(&text, cases[i].value, cases[i].digits);
        assert_string_equal(sn_text_string(&text), cases[i].json);
        sn_text_free(&text);
    }
}

/* Any finite bit pattern, printed and read back, is itself: 17 digits for a double, 9 for a float. */
static void test_text_numbers_are_exact(void **state) {
    (void)state;
    int n_denormals = 0, n_floats = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t bits = sn_rng_bits((sn_rng){1}, i);
        if (i % 4 == 0) bits &= 0x800fffffffffffffU; /* a denormal */
        double value;
        memcpy(&value, &bits, sizeof value);
        uint32_t half = (uint32_t)(bits >> 3);
        if (i % 4 == 1) half &= 0x807fffffU;
        float single;
        memcpy(&single, &half, sizeof single);

        sn_text text = SN_TEXT_EMPTY;
        if (isfinite(value)) {
            sn_text_add_number(&text, value, 17);
            double again = strtod(text.data, NULL);
            assert_memory_equal(&again, &value, sizeof value);
            n_denormals += fpclassify(value) == FP_SUBNORMAL;
        }
        sn_text_clear(&text);
        if (isfinite(single)) {
            sn_text_add_number(&text, (double)single, 9);
            float again = strtof(text.data, NULL);
            assert_memory_equal(&again, &single, sizeof single);
            n_floats++;
        }
        sn_text_free(&text);
    }
    assert_true(n_denormals >= 5000);
    assert_true(n_floats > 15000);
}

static void test_string_copy(void **state) {
    (void)state;
    const char *string = "label";
    char *copy = sn_string_copy(string);
    assert_string_equal(copy, string);
    assert_ptr_not_equal(copy, string);
    free(copy);
}

/* ---- errors ---- */

static void test_error_set_and_add(void **state) {
    (void)state;
    sn_error_clear(&error);
    assert_int_equal(error.status, SN_OK);
    assert_string_equal(error.text, "");
    assert_int_equal(sn_error_add(&error, SN_INVALID, "first %d", 1), SN_INVALID);
    assert_int_equal(sn_error_add(&error, SN_IO, "second"), SN_INVALID); /* the first status stays */
    assert_string_equal(error.text, "first 1\nsecond");
    assert_int_equal(error.length, strlen(error.text));
    assert_int_equal(sn_error_set(&error, SN_FAILED, "instead"), SN_FAILED);
    assert_string_equal(error.text, "instead");
    assert_int_equal(error.status, SN_FAILED);
}

static void test_error_capacity(void **state) {
    (void)state;
    char line[101];
    memset(line, 'x', 100);
    line[100] = '\0';
    sn_error_clear(&error);
    enum { LINES = 1000 };
    for (int i = 0; i < LINES; i++)
        sn_error_add(&error, SN_INVALID, "%s", line);
    size_t fit = (SN_ERROR_CAPACITY - 1 + 1) / 101; /* 100 characters and a newline each, but for the last */
    assert_int_equal(error.dropped, LINES - fit);
    assert_int_equal(error.length, fit * 101 - 1);
    assert_int_equal(strlen(error.text), error.length);

    size_t dropped = error.dropped; /* a short line may still fit: none is cut in the middle */
    sn_error_add(&error, SN_INVALID, "%s", "short");
    assert_int_equal(error.dropped, dropped);
    assert_string_equal(error.text + error.length - 6, "\nshort");
}

static void test_error_one_line_too_long(void **state) {
    (void)state;
    size_t n = 2 * SN_ERROR_CAPACITY;
    char *line = malloc(n + 1);
    assert_non_null(line);
    memset(line, 'y', n);
    line[n] = '\0';
    sn_error_set(&error, SN_INVALID, "%s", line);
    free(line);
    assert_int_equal(error.length, SN_ERROR_CAPACITY - 1);
    assert_int_equal(strlen(error.text), SN_ERROR_CAPACITY - 1);
    sn_error_add(&error, SN_INVALID, "more");
    assert_int_equal(error.dropped, 1);
    assert_int_equal(strlen(error.text), SN_ERROR_CAPACITY - 1);
}

static void test_error_kinds(void **state) {
    (void)state;
    errno = ENOENT;
    assert_int_equal(sn_error_io(&error, "open", "a/b"), SN_IO);
    assert_string_equal(error.text, "cannot open a/b: No such file or directory");
    assert_int_equal(sn_error_memory(&error, 123, "a plan"), SN_FAILED);
    assert_string_equal(error.text, "out of memory (123 bytes wanted for a plan)");
}

/* ---- hashes ---- */

/* The first value is the published one of XXH3-64 of nothing; the others say what chaining relies on. */
static void test_hash(void **state) {
    (void)state;
    assert_true(sn_hash("", 0, 0) == 0x2d06800538d394c2U);
    assert_true(sn_hash("a", 1, 0) != sn_hash("a", 1, 1));
    assert_true(sn_hash("ab", 2, 0) != sn_hash("ba", 2, 0));
    assert_true(sn_hash("b", 1, sn_hash("a", 1, 0)) != sn_hash("a", 1, sn_hash("b", 1, 0)));
}

/* Cut anywhere, asked in between. */
static void test_hasher(void **state) {
    (void)state;
    enum { N = 3000 };
    char bytes[N];
    for (int i = 0; i < N; i++)
        bytes[i] = (char)(i * i % 251);
    for (size_t piece = 1; piece < N; piece = piece * 3 + 1) {
        sn_hasher hasher;
        assert_true(sn_hasher_init(&hasher));
        assert_true(sn_hasher_digest(&hasher) == sn_hash("", 0, 0));
        for (size_t at = 0; at < N; at += piece) {
            size_t n = N - at < piece ? N - at : piece;
            sn_hasher_add(&hasher, bytes + at, n);
            assert_true(sn_hasher_digest(&hasher) == sn_hash(bytes, at + n, 0));
        }
        sn_hasher_reset(&hasher);
    }
}

/* ---- pools ---- */

static void test_pool(void **state) {
    (void)state;
    enum { N = 5000 };
    sn_pool pool = {NULL};
    static unsigned char *items[N];
    for (size_t i = 0; i < N; i++) {
        size_t size = i % 500 == 499 ? 100000 : i % 97; /* some larger than a chunk, some empty */
        items[i] = sn_pool_alloc(&pool, size);
        assert_non_null(items[i]);
        assert_int_equal((uintptr_t)items[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(items[i][k], 0);
        memset(items[i], (int)(i % 255) + 1, size);
    }
    for (size_t i = 0; i < N; i++) {
        size_t size = i % 500 == 499 ? 100000 : i % 97;
        for (size_t k = 0; k < size; k++)
            assert_int_equal(items[i][k], i % 255 + 1); /* nobody wrote over it */
    }
    sn_pool_free(&pool);
    assert_null(pool.chunks);
    char *copy = sn_pool_string(&pool, "after");
    assert_string_equal(copy, "after");
    sn_pool_free(&pool);
    sn_pool_free(&pool);
}

/* ---- notes ---- */

static void test_notes(void **state) {
    (void)state;
    sn_notes notes = SN_NOTES_EMPTY;
    sn_text text = SN_TEXT_EMPTY;
    sn_note(NULL, "nobody %d", 1);
    sn_note_always(NULL, "nobody %d", 2);
    sn_notes_write(&notes, &text);
    assert_string_equal(sn_text_string(&text), "");
    sn_note_always(&notes, "%s: first", "a.csv");
    for (int i = 0; i < SN_NOTES_SHOWN + 3; i++)
        sn_note(&notes, "each");
    sn_note_always(&notes, "last");
    sn_notes_write(&notes, &text);
    const char *const start = "warning: a.csv: first\nwarning: each\nwarning: each\n";
    const char *const end = "warning: each\nwarning: last\n(3 more warnings)\n";
    assert_int_equal(strncmp(sn_text_string(&text), start, strlen(start)), 0);
    assert_string_equal(text.data + text.length - strlen(end), end);
    sn_text_free(&text);
    sn_notes_reset(&notes);
    sn_notes_json(&notes, &text);
    sn_note_always(&notes, "a \"%s\"", "x\ny\x7F\x1B[0m");
    sn_note_always(&notes, "b\xE4");
    sn_notes_json(&notes, &text);
    assert_string_equal(sn_text_string(&text), "[][\"a \\\"x?y??[0m\\\"\", \"b?\"]");
    sn_text_free(&text);
    sn_notes_reset(&notes);
    sn_notes_write(&notes, &text);
    assert_string_equal(sn_text_string(&text), "");
    sn_text_free(&text);
}

/* ---- arenas ---- */

#ifdef SN_CHECKED
enum { FRESH = 0xff }; /* as floats and doubles: NaN */
#else
enum { FRESH = 0 };
#endif

static void test_align(void **state) {
    (void)state;
    assert_int_equal(sn_align(0), 0);
    assert_int_equal(sn_align(1), 64);
    assert_int_equal(sn_align(64), 64);
    assert_int_equal(sn_align(65), 128);
}

static void test_arena(void **state) {
    (void)state;
    const size_t sizes[] = {0, 1, 64, 1000, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        sn_arena arena;
        assert_int_equal(sn_arena_init(&arena, sizes[i], "a test", &error), SN_OK);
        assert_non_null(arena.base);
        assert_int_equal((uintptr_t)arena.base % SN_ALIGNMENT, 0);
        assert_true(arena.size >= sizes[i]);
        for (size_t k = 0; k < arena.size; k++)
            assert_int_equal(arena.base[k], FRESH);
        for (size_t k = 1; k < arena.size; k++)
            assert_int_equal(arena.base[k], arena.base[0]);
        sn_arena_reset(&arena);
        assert_null(arena.base);
        sn_arena_reset(&arena);
    }
}

static void test_arena_too_large(void **state) {
    (void)state;
    sn_arena arena;
    assert_int_equal(sn_arena_init(&arena, SIZE_MAX, "a test", &error), SN_FAILED);
    assert_string_equal(error.text, "out of memory (18446744073709551615 bytes wanted for a test)");
    assert_null(arena.base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_empty),
        cmocka_unit_test(test_text_columns),
        cmocka_unit_test(test_utf8_cut),
        cmocka_unit_test(test_utf8_write),
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_text_bytes_with_zeros),
        cmocka_unit_test(test_text_failure_is_sticky),
        cmocka_unit_test(test_text_json),
        cmocka_unit_test(test_text_visible),
        cmocka_unit_test(test_text_padded),
        cmocka_unit_test(test_text_numbers),
        cmocka_unit_test(test_text_numbers_are_exact),
        cmocka_unit_test(test_string_copy),
        cmocka_unit_test(test_error_set_and_add),
        cmocka_unit_test(test_error_capacity),
        cmocka_unit_test(test_error_one_line_too_long),
        cmocka_unit_test(test_error_kinds),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_hasher),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_align),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
