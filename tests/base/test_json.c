/* The strict scanner: tokens with positions, decoded strings, numbers, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

static sn_error error;

/* Scans to the end; the error of the first refusal, "" where there is none. */
static const char *scan(const char *text, size_t length) {
    sn_json_scanner scanner;
    sn_json_token token = {.kind = SN_JSON_NULL};
    sn_error_clear(&error);
    sn_json_init(&scanner, text, length, "t");
    while (token.kind != SN_JSON_END) {
        if (sn_json_next(&scanner, &token, &error) != SN_OK) {
            assert_int_equal(error.status, SN_INVALID);
            break;
        }
        assert_true(token.start >= text && token.start + token.length <= text + length);
    }
    return error.text;
}

static void test_tokens(void **state) {
    (void)state;
    static const char text[] = "{ \"a\\\"é\" :\n\t[1.5e2, \"x€\", true,false , null], \"b\": {},\n\"c\": [] }\n";
    static const struct {
        sn_json_kind kind;
        const char *text;
        int line, column;
    } expected[] = {
        {SN_JSON_OBJECT_OPEN, "{", 1, 1},  {SN_JSON_KEY, "\"a\\\"é\"", 1, 3}, {SN_JSON_ARRAY_OPEN, "[", 2, 2},
        {SN_JSON_NUMBER, "1.5e2", 2, 3},   {SN_JSON_STRING, "\"x€\"", 2, 10}, {SN_JSON_TRUE, "true", 2, 16},
        {SN_JSON_FALSE, "false", 2, 21},   {SN_JSON_NULL, "null", 2, 29},     {SN_JSON_ARRAY_CLOSE, "]", 2, 33},
        {SN_JSON_KEY, "\"b\"", 2, 36},     {SN_JSON_OBJECT_OPEN, "{", 2, 41}, {SN_JSON_OBJECT_CLOSE, "}", 2, 42},
        {SN_JSON_KEY, "\"c\"", 3, 1},      {SN_JSON_ARRAY_OPEN, "[", 3, 6},   {SN_JSON_ARRAY_CLOSE, "]", 3, 7},
        {SN_JSON_OBJECT_CLOSE, "}", 3, 9}, {SN_JSON_END, "", 4, 1},           {SN_JSON_END, "", 4, 1},
    };
    sn_json_scanner scanner;
    sn_json_init(&scanner, text, strlen(text), "t");
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        sn_json_token token;
        assert_int_equal(sn_json_next(&scanner, &token, &error), SN_OK);
        assert_int_equal(token.kind, expected[i].kind);
        assert_int_equal(token.length, strlen(expected[i].text));
        assert_memory_equal(token.start, expected[i].text, token.length);
        assert_int_equal(token.line, expected[i].line);
        assert_int_equal(token.column, expected[i].column);
    }
}

static sn_json_token first_token(const char *text) {
    sn_json_scanner scanner;
    sn_json_token token;
    sn_json_init(&scanner, text, strlen(text), "t");
    if (sn_json_next(&scanner, &token, &error) != SN_OK) fail_msg("%s", error.text);
    return token;
}

static void test_strings(void **state) {
    (void)state;
    static const struct {
        const char *json, *decoded;
    } cases[] = {
        {"\"\"", ""},
        {"\"abc\"", "abc"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83D\\uDe00\"", "Aé€😀"},
        {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff\"",
         "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\"é€😀\"", "é€😀"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_json_token token = first_token(cases[i].json);
        char *out = malloc(token.length); /* what the contract calls enough, exactly */
        assert_non_null(out);
        assert_int_equal(sn_json_string(&token, out, token.length), strlen(cases[i].decoded));
        assert_string_equal(out, cases[i].decoded);
        free(out);
    }
    sn_json_token token = first_token("\"ab\\u00e9c\"");
    char small[4];
    assert_int_equal(sn_json_string(&token, small, sizeof small), 2); /* never half a character of an escape */
    assert_string_equal(small, "ab");
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        const char *json;
        double value;
    } cases[] = {
        {"0", 0},           {"-0", -0.0},
        {"12", 12},         {"-1.5", -1.5},
        {"1e3", 1e3},       {"1E+3", 1e3},
        {"2.5e-3", 2.5e-3}, {"9007199254740993", 9007199254740992.0},
        {"5e-324", 5e-324}, {"1.7976931348623157e308", 1.7976931348623157e308},
        {"0e999", 0},       {"0.0000e-999", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_json_token token = first_token(cases[i].json);
        double value = sn_json_number(&token);
        assert_int_equal(token.kind, SN_JSON_NUMBER);
        assert_memory_equal(&value, &cases[i].value, sizeof value); /* bits: -0 is not 0 */
    }
    /* Past the end of the text there may be more digits; they are not the number's. */
    sn_json_scanner scanner;
    sn_json_token token;
    sn_json_init(&scanner, "123456", 3, "t");
    assert_int_equal(sn_json_next(&scanner, &token, &error), SN_OK);
    assert_float_equal(sn_json_number(&token), 123, 0);
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "t:1:1: the text is empty, expected a value"},
        {"{} x", "t:1:4: unexpected \"x\", expected nothing after the value"},
        {"1 2", "t:1:3: unexpected \"2\", expected nothing after the value"},
        {"[1 2]", "t:1:4: unexpected \"2\", expected \",\" or \"]\""},
        {"[,1]", "t:1:2: unexpected \",\", expected a value or \"]\""},
        {"[1,,2]", "t:1:4: unexpected \",\", expected a value"},
        {"{\"a\":1,}", "t:1:8: unexpected \"}\", expected a key in double quotes; JSON has no trailing comma"},
        {"{1:2}", "t:1:2: unexpected \"1\", expected a key in double quotes or \"}\""},
        {"{\"a\"\n1}", "t:2:1: unexpected \"1\", expected \":\" after a key"},
        {"{\"a\":}", "t:1:6: unexpected \"}\", expected a value"},
        {"]", "t:1:1: unexpected \"]\", expected a value"},
        {"nul", "t:1:1: unexpected \"nul\", expected a value"},
        {"nulll", "t:1:1: unexpected \"nulll\", expected a value"},
        {"-", "t:1:1: bad number, expected one like -12, 0.5 or 1e-3"},
        {"01", "t:1:1: bad number, JSON has no leading zeros: write 1"},
        {"[-007.50]", "t:1:2: bad number, JSON has no leading zeros: write -7.50"},
        {"00", "t:1:1: bad number, JSON has no leading zeros: write 0"},
        {"[00.5e-03,1]", "t:1:2: bad number, JSON has no leading zeros: write 0.5e-03"},
        {"1.e3", "t:1:1: bad number, expected one like -12, 0.5 or 1e-3"},
        {"1e+", "t:1:1: bad number, expected one like -12, 0.5 or 1e-3"},
        {"1.2.3", "t:1:1: bad number, expected one like -12, 0.5 or 1e-3"},
        {"[1e309]", "t:1:2: the number 1e309 is too large for a double"},
        {"[-1e309]", "t:1:2: the number -1e309 is too large for a double"},
        {"[1e-400]", "t:1:2: the number 1e-400 is too near to zero for a double"},
        {"\"a", "t:1:1: the string does not end, expected a closing quote"},
        {"\"a\\", "t:1:3: bad escape in a string, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"},
        {"\"\\u12", "t:1:2: bad escape in a string, expected four hexadecimal digits after \\u"},
        {"\"é\x01\"", "t:1:3: control character U+0001 in a string, expected \\u0001"},
        {"\x01", "t:1:1: unexpected the character U+0001, expected a value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(scan(cases[i].text, strlen(cases[i].text)), cases[i].message);
}

static bool accepts_bytes(const unsigned char *bytes, size_t n) {
    char text[8] = "\"";
    memcpy(text + 1, bytes, n);
    text[n + 1] = '"';
    bool is_accepted = scan(text, n + 2)[0] == '\0';
    text[n + 1] = '\0';
    assert_int_equal(sn_is_utf8(text + 1), is_accepted);
    return is_accepted;
}

/* Every sequence of two bytes and, over the borders, of three and four, against the ranges of RFC 3629, section 4. */
static void test_utf8(void **state) {
    (void)state;
    int n_good = 0;
    for (unsigned a = 0x80; a < 0x100; a++) {
        for (unsigned b = 0; b < 0x100; b++) {
            const unsigned char pair[2] = {(unsigned char)a, (unsigned char)b};
            bool good = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
            assert_int_equal(accepts_bytes(pair, 2), good);
            const unsigned char three[3] = {(unsigned char)a, (unsigned char)b, 0x80};
            bool good3 = (a == 0xe0 && b >= 0xa0 && b <= 0xbf) || (a == 0xed && b >= 0x80 && b <= 0x9f) ||
                         (a >= 0xe1 && a <= 0xef && a != 0xed && b >= 0x80 && b <= 0xbf);
            assert_int_equal(accepts_bytes(three, 3), good3);
            const unsigned char four[4] = {(unsigned char)a, (unsigned char)b, 0xbf, 0x80};
            bool good4 = (a == 0xf0 && b >= 0x90 && b <= 0xbf) || (a == 0xf4 && b >= 0x80 && b <= 0x8f) ||
                         (a >= 0xf1 && a <= 0xf3 && b >= 0x80 && b <= 0xbf);
            assert_int_equal(accepts_bytes(four, 4), good4);
            n_good += good + good3 + good4;
        }
    }
    assert_true(n_good > 2000);
}

static void test_depth(void **state) {
    (void)state;
    char text[2 * SN_JSON_MAX_DEPTH + 2];
    memset(text, '[', SN_JSON_MAX_DEPTH);
    memset(text + SN_JSON_MAX_DEPTH, ']', SN_JSON_MAX_DEPTH);
    assert_string_equal(scan(text, (size_t)2 * SN_JSON_MAX_DEPTH), "");
    memset(text, '[', SN_JSON_MAX_DEPTH + 1);
    assert_string_equal(scan(text, SN_JSON_MAX_DEPTH + 1), "t:1:65: nested deeper than 64 levels");
}

/* Digits that a fixed buffer of a lenient parser would cut. */
static void test_long_numbers(void **state) {
    (void)state;
    char digits[SN_JSON_MAX_NUMBER + 2];
    memset(digits, '0', sizeof digits);
    digits[1] = '.';
    digits[200] = '7';
    sn_json_scanner scanner;
    sn_json_token token;
    sn_json_init(&scanner, digits, SN_JSON_MAX_NUMBER, "t");
    assert_int_equal(sn_json_next(&scanner, &token, &error), SN_OK);
    assert_float_equal(sn_json_number(&token), 7e-199, 0);
    assert_string_equal(scan(digits, SN_JSON_MAX_NUMBER + 1), "t:1:1: a number of 2001 characters, the limit is 2000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),       cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_utf8),    cmocka_unit_test(test_depth),
        cmocka_unit_test(test_long_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
