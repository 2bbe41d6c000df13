/* Owns the strict scanner.  See json.h for the contract.
 *
 * The state is what the grammar allows next (`expect`) and the stack of open brackets.  Every byte is looked at once
 * for its meaning and once for its column.  A string ends on the line it begins on, so columns inside it are counted
 * from its start. */
#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/magic.h"
#include "base/utf8.h"

enum expect { START, VALUE, VALUE_OR_CLOSE, KEY, KEY_OR_CLOSE, COMMA_OR_CLOSE, END };

/* ---- messages ---- */

static void move_mark(sn_json_scanner *s, const char *to) {
    for (; s->mark < to; s->mark++)
        s->column += !sn_utf8_continues(*s->mark);
}

__attribute__((format(printf, 4, 5))) static sn_status fail(sn_json_scanner *s, const char *at, sn_error *error,
                                                            const char *format, ...) {
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    move_mark(s, at);
    return sn_error_set(error, SN_INVALID, "%s:%d:%d: %s", s->name, s->line, s->column, message);
}

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What stands at `at`, for messages: a word, a character, the end. */
static const char *describe_found(const sn_json_scanner *s, const char *at, char out[64]) {
    uint32_t code;
    if (at >= s->end) {
        snprintf(out, 64, "the end of the text");
    } else if (is_word_byte(*at)) {
        int n = 0;
        while (n < 32 && at + n < s->end && is_word_byte(at[n]))
            n++;
        snprintf(out, 64, "\"%.*s\"", n, at);
    } else if (sn_utf8_length(at, (size_t)(s->end - at), &code) == 0) {
        snprintf(out, 64, "the byte 0x%02X, which is not UTF-8", (unsigned char)*at);
    } else if (code < 0x20 || code == 0x7f || code > 0x7e) {
        snprintf(out, 64, "the character U+%04X", code);
    } else {
        snprintf(out, 64, *at == '"' ? "'%c'" : "\"%c\"", *at);
    }
    return out;
}

static bool in_object(const sn_json_scanner *s) {
    return s->depth > 0 && s->stack[s->depth - 1] == '{';
}

static const char *describe_expected(const sn_json_scanner *s) {
    switch ((enum expect)s->expect) {
    case KEY:
        return "a key in double quotes";
    case KEY_OR_CLOSE:
        return "a key in double quotes or \"}\"";
    case VALUE_OR_CLOSE:
        return "a value or \"]\"";
    case COMMA_OR_CLOSE:
        return in_object(s) ? "\",\" or \"}\"" : "\",\" or \"]\"";
    case END:
        return "nothing after the value";
    case START:
    case VALUE:
        break;
    }
    return "a value";
}

/* What people write who take JSON for another language. */
static const char *find_hint(const sn_json_scanner *s) {
    static const struct {
        const char *start, *hint;
    } hints[] = {{"//", "; JSON has no comments (a key \"comment\" may hold text)"},
                 {"/*", "; JSON has no comments (a key \"comment\" may hold text)"},
                 {"#", "; JSON has no comments (a key \"comment\" may hold text)"},
                 {"'", "; JSON writes strings in double quotes"},
                 {"True", "; JSON writes true"},
                 {"False", "; JSON writes false"},
                 {"None", "; JSON writes null"},
                 {"NaN", "; JSON has no NaN"},
                 {"Infinity", "; JSON has no infinity"},
                 {".", "; JSON writes 0.5, not .5"},
                 {"+", "; JSON writes no plus sign"}};
    bool after_comma = s->expect == KEY || (s->expect == VALUE && s->depth > 0 && !in_object(s));
    if (after_comma && s->at < s->end && (*s->at == '}' || *s->at == ']')) return "; JSON has no trailing comma";
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        size_t n = strlen(hints[i].start);
        if ((size_t)(s->end - s->at) >= n && memcmp(s->at, hints[i].start, n) == 0) return hints[i].hint;
    }
    return "";
}

static sn_status unexpected(sn_json_scanner *s, sn_error *error) {
    char found[64];
    return fail(s, s->at, error, "unexpected %s, expected %s%s", describe_found(s, s->at, found), describe_expected(s),
                find_hint(s));
}

/* ---- strings ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits after "\u", -1 where they are not digits. */
static int32_t hex_code(const char *p, const char *end) {
    if (end - p < 4) return -1;
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        code = code * 16 + digit;
    }
    return code;
}

static bool is_high(int32_t code) {
    return code >= 0xd800 && code <= 0xdbff;
}

static bool is_low(int32_t code) {
    return code >= 0xdc00 && code <= 0xdfff;
}

/* `*p` is at the backslash and moves past the escape. */
static sn_status scan_escape(sn_json_scanner *s, const char **p, sn_error *error) {
    const char *at = *p;
    if (s->end - at >= 2 && strchr("\"\\/bfnrt", at[1]) && at[1] != '\0') {
        *p = at + 2;
        return SN_OK;
    }
    if (s->end - at < 2 || at[1] != 'u')
        return fail(s, at, error, "bad escape in a string, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    int32_t code = hex_code(at + 2, s->end);
    if (code < 0) return fail(s, at, error, "bad escape in a string, expected four hexadecimal digits after \\u");
    if (code == 0) return fail(s, at, error, "\\u0000 in a string; text cannot hold a NUL");
    *p = at + 6;
    if (is_low(code)) return fail(s, at, error, "lone surrogate \\u%04x in a string", (unsigned)code);
    if (!is_high(code)) return SN_OK;
    bool is_pair = s->end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' && is_low(hex_code(*p + 2, s->end));
    if (!is_pair)
        return fail(s, at, error, "lone surrogate \\u%04x in a string, expected a pair with \\udc00 to \\udfff",
                    (unsigned)code);
    *p += 6;
    return SN_OK;
}

/* s->at is at the opening quote and moves past the closing one. */
static sn_status scan_string(sn_json_scanner *s, sn_error *error) {
    const char *p = s->at + 1;
    while (p < s->end && *p != '"') {
        unsigned char c = (unsigned char)*p;
        uint32_t code;
        if (c == '\\') {
            sn_status status = scan_escape(s, &p, error);
            if (status != SN_OK) return status;
        } else if (c == '\n' || c == '\r') {
            return fail(s, s->at, error, "the string does not end on its line, expected a closing quote");
        } else if (c < 0x20) {
            return fail(s, p, error, "control character U+%04X in a string, expected \\u%04x", c, c);
        } else {
            size_t n = sn_utf8_length(p, (size_t)(s->end - p), &code);
            if (n == 0) return fail(s, p, error, "invalid UTF-8 in a string (byte 0x%02X)", c);
            p += n;
        }
    }
    if (p >= s->end) return fail(s, s->at, error, "the string does not end, expected a closing quote");
    s->at = p + 1;
    return SN_OK;
}

/* Decodes the escape at p, which the scanner has checked; returns where it ends. */
static const char *decode_escape(const char *p, const char *end, uint32_t *code) {
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *name = strchr(names, p[1]);
    if (p[1] != 'u') {
        *code = (uint32_t)(unsigned char)(name ? values[name - names] : p[1]);
        return p + 2;
    }
    int32_t unit = hex_code(p + 2, end);
    *code = (uint32_t)unit;
    if (!is_high(unit)) return p + 6;
    *code = 0x10000 + (((uint32_t)unit & 0x3ff) << 10) + ((uint32_t)hex_code(p + 8, end) & 0x3ff);
    return p + 12;
}

size_t sn_json_string(const sn_json_token *token, char *out, size_t capacity) {
    const char *p = token->start + 1, *end = token->start + token->length - 1;
    char *to = out, *limit = out + capacity - 1; /* a place for the NUL stays free */
    while (p < end) {
        char bytes[4], *stop = bytes;
        if (*p == '\\') {
            uint32_t code;
            p = decode_escape(p, end, &code);
            stop += sn_utf8_write(bytes, code);
        } else {
            *stop++ = *p++;
        }
        if (stop - bytes > limit - to) break;
        memcpy(to, bytes, (size_t)(stop - bytes));
        to += stop - bytes;
    }
    *to = '\0';
    return (size_t)(to - out);
}

/* ---- numbers ---- */

static const char *skip_digits(const char *p, const char *end) {
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* Where the number that begins at p ends by the grammar of RFC 8259; NULL where there is none. */
static const char *number_end(const char *p, const char *end) {
    if (p < end && *p == '-') p++;
    const char *digits = p;
    p = skip_digits(p, end);
    if (p == digits || (*digits == '0' && p - digits > 1)) return NULL;
    if (p < end && *p == '.') {
        digits = ++p;
        p = skip_digits(p, end);
        if (p == digits) return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        digits = p;
        p = skip_digits(p, end);
        if (p == digits) return NULL;
    }
    return p;
}

double sn_json_number(const sn_json_token *token) {
    char digits[SN_JSON_MAX_NUMBER + 1]; /* strtod needs a NUL, the text need not have one */
    size_t n = token->length < sizeof digits - 1 ? token->length : sizeof digits - 1;
    memcpy(digits, token->start, n);
    digits[n] = '\0';
    return strtod(digits, NULL);
}

static bool has_nonzero_digit(const sn_json_token *token) {
    for (size_t i = 0; i < token->length && token->start[i] != 'e' && token->start[i] != 'E'; i++) {
        if (token->start[i] >= '1' && token->start[i] <= '9') return true;
    }
    return false;
}

/* "08", "-007.5" */
static bool has_leading_zeros(const sn_json_scanner *s) {
    const char *p = s->at + (*s->at == '-');
    return s->end - p >= 2 && p[0] == '0' && p[1] >= '0' && p[1] <= '9';
}

static sn_status fail_zeros(sn_json_scanner *s, sn_error *error) {
    enum { MOST = 40 };
    const char *sign = *s->at == '-' ? "-" : "", *p = s->at + strlen(sign), *end = p;
    while (s->end - p >= 2 && p[0] == '0' && p[1] >= '0' && p[1] <= '9')
        p++;
    while (end < s->end && (is_word_byte(*end) || strchr(".+-", *end)) && *end)
        end++;
    int length = end - p < MOST ? (int)(end - p) : MOST;
    return fail(s, s->at, error, "bad number, JSON has no leading zeros: write %s%.*s%s", sign, length, p,
                end - p > MOST ? "..." : "");
}

static sn_status scan_number(sn_json_scanner *s, sn_json_token *token, sn_error *error) {
    const char *end = number_end(s->at, s->end);
    if (!end && has_leading_zeros(s)) return fail_zeros(s, error);
    if (!end || (end < s->end && (is_word_byte(*end) || *end == '.')))
        return fail(s, s->at, error, "bad number, expected one like -12, 0.5 or 1e-3");
    size_t length = (size_t)(end - s->at);
    if (length > SN_JSON_MAX_NUMBER)
        return fail(s, s->at, error, "a number of %zu characters, the limit is %d", length, SN_JSON_MAX_NUMBER);
    token->length = length;
    double value = sn_json_number(token);
    if (!isfinite(value) || (value == 0 && has_nonzero_digit(token)))
        return fail(s, s->at, error, "the number %.*s%s is too %s for a double", length < 40 ? (int)length : 40, s->at,
                    length > 40 ? "..." : "", value == 0 ? "near to zero" : "large");
    token->kind = SN_JSON_NUMBER;
    s->at = end;
    return SN_OK;
}

/* ---- grammar ---- */

static void skip_space(sn_json_scanner *s) {
    for (; s->at < s->end; s->at++) {
        char c = *s->at;
        if (c == '\n') {
            s->line++;
            s->mark = s->at + 1;
            s->column = 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            break;
        }
    }
}

static void value_done(sn_json_scanner *s) {
    s->expect = s->depth > 0 ? COMMA_OR_CLOSE : END;
}

static sn_status open_bracket(sn_json_scanner *s, sn_json_token *token, sn_error *error) {
    if (s->depth == SN_JSON_MAX_DEPTH) return fail(s, s->at, error, "nested deeper than %d levels", SN_JSON_MAX_DEPTH);
    bool is_object = *s->at == '{';
    s->stack[s->depth++] = (unsigned char)*s->at++;
    s->expect = is_object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
    token->kind = is_object ? SN_JSON_OBJECT_OPEN : SN_JSON_ARRAY_OPEN;
    return SN_OK;
}

static void close_bracket(sn_json_scanner *s, sn_json_token *token) {
    token->kind = *s->at == '}' ? SN_JSON_OBJECT_CLOSE : SN_JSON_ARRAY_CLOSE;
    s->at++;
    s->depth--;
    value_done(s);
}

static sn_status scan_key(sn_json_scanner *s, sn_json_token *token, sn_error *error) {
    if (*s->at != '"') return unexpected(s, error);
    sn_status status = scan_string(s, error);
    if (status != SN_OK) return status;
    token->kind = SN_JSON_KEY;
    token->length = (size_t)(s->at - token->start);
    move_mark(s, s->at);
    skip_space(s);
    if (s->at >= s->end || *s->at != ':') {
        char found[64];
        return fail(s, s->at, error, "unexpected %s, expected \":\" after a key", describe_found(s, s->at, found));
    }
    s->at++;
    s->expect = VALUE;
    return SN_OK;
}

static sn_status scan_word(sn_json_scanner *s, sn_json_token *token, sn_error *error) {
    static const struct {
        const char *word;
        sn_json_kind kind;
    } words[] = {{"true", SN_JSON_TRUE}, {"false", SN_JSON_FALSE}, {"null", SN_JSON_NULL}};
    size_t n = 0;
    while (s->at + n < s->end && is_word_byte(s->at[n]))
        n++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (n != strlen(words[i].word) || memcmp(s->at, words[i].word, n) != 0) continue;
        token->kind = words[i].kind;
        s->at += n;
        return SN_OK;
    }
    return unexpected(s, error);
}

static sn_status scan_value(sn_json_scanner *s, sn_json_token *token, sn_error *error) {
    char c = *s->at;
    if (c == '{' || c == '[') return open_bracket(s, token, error);
    sn_status status;
    if (c == '"') {
        token->kind = SN_JSON_STRING;
        status = scan_string(s, error);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        status = scan_number(s, token, error);
    } else {
        status = scan_word(s, token, error);
    }
    if (status == SN_OK) value_done(s);
    return status;
}

/* Byte order marks are what Windows editors leave: that of UTF-8 is passed over. */
static sn_status check_start(sn_json_scanner *s, sn_error *error) {
    size_t n = (size_t)(s->end - s->at);
    if (n >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0) {
        s->at += 3;
        s->mark = s->at; /* columns count from behind it */
    }
    if (n >= 2 && (memcmp(s->at, "\xff\xfe", 2) == 0 || memcmp(s->at, "\xfe\xff", 2) == 0))
        return fail(s, s->at, error, "the text is UTF-16; save it as UTF-8");
    const char *other = sn_magic_describe(s->at, (size_t)(s->end - s->at));
    if (other) return fail(s, s->at, error, "this is no JSON text but %s", other);
    skip_space(s);
    if (s->at == s->end) return fail(s, s->at, error, "the text is empty, expected a value");
    s->expect = VALUE;
    return SN_OK;
}

void sn_json_init(sn_json_scanner *scanner, const char *text, size_t length, const char *name) {
    *scanner = (sn_json_scanner){.text = text,
                                 .end = text + length,
                                 .at = text,
                                 .name = name,
                                 .line = 1,
                                 .mark = text,
                                 .column = 1,
                                 .expect = START};
}

static bool may_close(const sn_json_scanner *s) {
    bool expected = s->expect == KEY_OR_CLOSE || s->expect == VALUE_OR_CLOSE || s->expect == COMMA_OR_CLOSE;
    return expected && *s->at == (in_object(s) ? '}' : ']');
}

static sn_status scan_token(sn_json_scanner *s, sn_json_token *token, sn_error *error) {
    token->kind = SN_JSON_END;
    if (s->at == s->end && s->expect == END) return SN_OK;
    if (s->at == s->end || s->expect == END) return unexpected(s, error);
    if (may_close(s)) {
        close_bracket(s, token);
        return SN_OK;
    }
    if (s->expect == COMMA_OR_CLOSE) return unexpected(s, error);
    if (s->expect == KEY || s->expect == KEY_OR_CLOSE) return scan_key(s, token, error);
    return scan_value(s, token, error);
}

sn_status sn_json_next(sn_json_scanner *scanner, sn_json_token *token, sn_error *error) {
    sn_json_scanner *s = scanner;
    if (s->expect == START) {
        sn_status status = check_start(s, error);
        if (status != SN_OK) return status;
    }
    skip_space(s);
    if (s->expect == COMMA_OR_CLOSE && s->at < s->end && *s->at == ',') {
        s->at++;
        s->expect = in_object(s) ? KEY : VALUE;
        skip_space(s);
    }
    move_mark(s, s->at);
    *token = (sn_json_token){.start = s->at, .line = s->line, .column = s->column};
    sn_status status = scan_token(s, token, error);
    if (status == SN_OK && token->kind != SN_JSON_KEY) token->length = (size_t)(s->at - token->start);
    return status;
}
