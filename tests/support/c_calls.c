/* Owns the reading of calls in C text. */
#include "support/c_calls.h"

#include <ctype.h>
#include <string.h>

#include "support/check.h"

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* The length of the string or character constant that starts at `text`; 0: none starts here. */
static size_t quoted_length(const char *text) {
    if (*text != '"' && *text != '\'') return 0;
    size_t n = 1;
    while (text[n] && text[n] != *text)
        n += text[n] == '\\' && text[n + 1] ? 2 : 1;
    return text[n] ? n + 1 : n;
}

static size_t comment_length(const char *text) {
    if (strncmp(text, "//", 2) == 0) return strcspn(text, "\n");
    if (strncmp(text, "/*", 2) != 0) return 0;
    const char *end = strstr(text + 2, "*/");
    return end ? (size_t)(end + 2 - text) : strlen(text);
}

void c_blank_comments(char *text) {
    while (*text) {
        size_t quoted = quoted_length(text), comment = comment_length(text);
        for (size_t i = 0; i < comment; i++)
            if (text[i] != '\n') text[i] = ' ';
        text += quoted ? quoted : comment ? comment : 1;
    }
}

static void append(char *argument, const char *text, size_t n) {
    size_t length = strlen(argument);
    if (isspace((unsigned char)*text)) {
        if (length == 0 || argument[length - 1] == ' ') return;
        text = " ";
    }
    assert_true(length + n < C_CALL_TEXT);
    memcpy(argument + length, text, n);
    argument[length + n] = '\0';
}

static void end_argument(c_call *call) {
    char *argument = call->arguments[call->n_arguments];
    size_t length = strlen(argument);
    if (length > 0 && argument[length - 1] == ' ') argument[length - 1] = '\0';
    call->n_arguments++;
}

/* `text` stands behind the opening parenthesis. */
static void read_arguments(c_call *call, const char *text) {
    for (int depth = 1; *text;) {
        size_t n = quoted_length(text);
        depth += n == 0 && strchr("([{", *text) ? 1 : 0;
        depth -= n == 0 && strchr(")]}", *text) ? 1 : 0;
        bool ends = depth == 0 || (depth == 1 && *text == ',');
        if (ends) end_argument(call);
        if (depth == 0) return;
        assert_true(call->n_arguments < C_CALL_ARGUMENTS);
        if (!ends) append(call->arguments[call->n_arguments], text, n ? n : 1);
        text += n ? n : 1;
    }
}

static int line_at(const char *text, size_t position) {
    int line = 1;
    for (size_t i = 0; i < position; i++)
        line += text[i] == '\n';
    return line;
}

void c_read_call(const char *text, size_t position, c_call *call) {
    *call = (c_call){.line = line_at(text, position)};
    const char *rest = text + position + strspn(text + position, " \t\n");
    call->is_call = *rest == '(';
    if (call->is_call) read_arguments(call, rest + 1);
}

bool c_next_word(const char *text, size_t *position, char word[C_CALL_TEXT]) {
    const char *p = text + *position;
    while (*p && !is_word(*p))
        p += quoted_length(p) ? quoted_length(p) : 1;
    size_t n = 0;
    while (is_word(p[n]))
        n++;
    assert_true(n < C_CALL_TEXT);
    memcpy(word, p, n);
    word[n] = '\0';
    *position = (size_t)(p + n - text);
    return n > 0;
}
