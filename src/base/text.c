/* Owns growable text.  Invariant: data[length] is NUL whenever data is not NULL. */
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

void sn_text_free(sn_text *text) {
    free(text->data);
    *text = SN_TEXT_EMPTY;
}

void sn_text_clear(sn_text *text) {
    text->length = 0;
    if (text->data) text->data[0] = '\0';
}

static bool reserve(sn_text *text, size_t extra) {
    if (text->failed) return false;
    size_t wanted = text->length + extra + 1;
    if (wanted <= text->capacity) return true;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < wanted)
        capacity *= 2;
    char *grown = realloc(text->data, capacity);
    if (!grown) {
        text->failed = true;
        return false;
    }
    text->data = grown;
    text->capacity = capacity;
    return true;
}

void sn_text_add_bytes(sn_text *text, const void *bytes, size_t n) {
    if (!reserve(text, n)) return;
    if (n > 0) memcpy(text->data + text->length, bytes, n);
    text->length += n;
    text->data[text->length] = '\0';
}

void sn_text_add(sn_text *text, const char *string) {
    sn_text_add_bytes(text, string, strlen(string));
}

void sn_text_addf(sn_text *text, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)n)) {
        vsnprintf(text->data + text->length, (size_t)n + 1, format, again);
        text->length += (size_t)n;
    }
    va_end(again);
}

/* U+0080 to U+009F. */
static bool is_c1(uint32_t code) {
    return code >= 0x80 && code < 0xA0;
}

size_t sn_text_step(const char *p, bool *is_visible) {
    uint32_t code;
    size_t n = sn_utf8_length(p, SIZE_MAX, &code);
    bool is_control = (code < 0x20 && code != '\n' && code != '\t') || code == 0x7F || is_c1(code);
    *is_visible = n > 0 && !is_control;
    return n > 0 ? n : 1;
}

static void add_visible(sn_text *text, const char *lines, bool is_one_line) {
    const char *shown = lines, *p = lines;
    while (*p) {
        bool is_visible = false;
        size_t n = sn_text_step(p, &is_visible);
        if (!is_visible || (is_one_line && (*p == '\n' || *p == '\t'))) {
            sn_text_add_bytes(text, shown, (size_t)(p - shown));
            for (size_t i = 0; i < n; i++)
                sn_text_addf(text, "\\x%02x", (unsigned char)p[i]);
            shown = p + n;
        }
        p += n;
    }
    sn_text_add_bytes(text, shown, (size_t)(p - shown));
}

void sn_text_add_visible(sn_text *text, const char *lines) {
    add_visible(text, lines, false);
}

void sn_text_add_visible_line(sn_text *text, const char *string) {
    add_visible(text, string, true);
}

void sn_text_add_json(sn_text *text, const char *string) {
    sn_text_add_bytes(text, "\"", 1);
    size_t n = 1;
    for (const char *p = string; *p; p += n) {
        uint32_t c;
        n = sn_utf8_length(p, SIZE_MAX, &c);
        bool is_control = c < 0x20 || c == 0x7F || (n > 0 && is_c1(c));
        if (n == 0) n = 1; /* no UTF-8 passes as it is */
        if (c == '"' || c == '\\') {
            char escaped[2] = {'\\', *p};
            sn_text_add_bytes(text, escaped, 2);
        } else if (c == '\n') {
            sn_text_add(text, "\\n");
        } else if (c == '\t') {
            sn_text_add(text, "\\t");
        } else if (is_control) {
            sn_text_addf(text, "\\u%04x", (unsigned)c);
        } else {
            sn_text_add_bytes(text, p, n);
        }
    }
    sn_text_add_bytes(text, "\"", 1);
}

void sn_text_add_number(sn_text *text, double value, int digits) {
    if (isnan(value)) {
        sn_text_add(text, "nan");
    } else if (isinf(value)) {
        sn_text_add(text, value > 0 ? "inf" : "-inf");
    } else {
        char number[SN_NUMBER_TEXT];
        sn_text_add_bytes(text, number, sn_number_write(number, value, digits));
    }
}

void sn_text_add_integer(sn_text *text, int64_t value) {
    char number[SN_NUMBER_TEXT];
    sn_text_add_bytes(text, number, sn_integer_write(number, value));
}

void sn_text_add_json_number(sn_text *text, double value, int digits) {
    if (isfinite(value)) {
        sn_text_add_number(text, value, digits);
    } else {
        sn_text_add(text, "null");
    }
}

const char *sn_text_string(const sn_text *text) {
    return text->data ? text->data : "";
}

char *sn_text_take(sn_text *text) {
    if (!reserve(text, 0)) {
        sn_text_free(text);
        return NULL;
    }
    text->data[text->length] = '\0';
    char *taken = text->data;
    *text = SN_TEXT_EMPTY;
    return taken;
}

char *sn_string_copy(const char *string) {
    size_t n = strlen(string) + 1;
    char *copy = malloc(n);
    if (copy) memcpy(copy, string, n);
    return copy;
}

size_t sn_text_columns(const char *bytes, size_t n) {
    size_t columns = 0;
    for (size_t i = 0; i < n; i++)
        columns += !sn_utf8_continues(bytes[i]);
    return columns;
}

void sn_text_add_padded(sn_text *text, const char *string, int columns) {
    size_t begin = text->length;
    sn_text_add_visible_line(text, string);
    if (text->failed) return;
    int n = (int)sn_text_columns(text->data + begin, text->length - begin);
    if (n < columns) sn_text_addf(text, "%*s", columns - n, "");
}
