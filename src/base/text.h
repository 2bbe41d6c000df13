/* Growable text.  Failure to grow is sticky: check `failed` once, at the end. */
#ifndef SN_BASE_TEXT_H
#define SN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sn_text {
    char *data; /* NUL-terminated once anything was added; NULL while empty */
    size_t length;
    size_t capacity;
    bool failed; /* out of memory at some point; the content is then not complete */
} sn_text;

/* A text that holds nothing and owns nothing. */
#define SN_TEXT_EMPTY ((sn_text){NULL, 0, 0, false})

/* Releases the content; the text is empty and usable afterwards. */
void sn_text_free(sn_text *text);

/* Empties the text; it keeps its memory, and a failure. */
void sn_text_clear(sn_text *text);

/* Appends a string, `n` bytes, or formatted text. */
void sn_text_add(sn_text *text, const char *string);
void sn_text_add_bytes(sn_text *text, const void *bytes, size_t n);
void sn_text_addf(sn_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes of the UTF-8 character at `p`, 1 where there is none; whether a terminal may be given it: newlines and tabs,
 * but no other control characters (C0, DEL, C1) and no bytes that are no UTF-8. */
size_t sn_text_step(const char *p, bool *is_visible);

/* Appends `lines`; bytes that sn_text_step tells to be not visible become "\x1b" and the like.  _line: so do newlines
 * and tabs, a name stays on its line and in its column. */
void sn_text_add_visible(sn_text *text, const char *lines);
void sn_text_add_visible_line(sn_text *text, const char *string);

/* Appends `string` as a JSON string with its quotes (RFC 8259: quote, backslash and controls escaped, DEL and C1, too).
 */
void sn_text_add_json(sn_text *text, const char *string);

/* Appends `value` with `digits` significant digits, 1 to 17 (9 repeat a float, 17 a double exactly); nan, inf and -inf
 * as such, so the result is CSV, not JSON. */
void sn_text_add_number(sn_text *text, double value, int digits);

/* Appends an integer in decimal. */
void sn_text_add_integer(sn_text *text, int64_t value);

/* As sn_text_add_number, but null where the value is not finite: what JSON can carry. */
void sn_text_add_json_number(sn_text *text, double value, int digits);

/* The content as a string: "" where nothing was added.  Owned by the text. */
const char *sn_text_string(const sn_text *text);

/* Appends `string` as sn_text_add_visible_line does, then blanks up to `columns` (see sn_text_columns). */
void sn_text_add_padded(sn_text *text, const char *string, int columns);

/* The characters, not bytes, of `n` bytes of UTF-8: the columns that they take on a terminal. */
size_t sn_text_columns(const char *bytes, size_t n);

/* Hands the content over to the caller (free()); NULL if the text failed.  The text is empty afterwards. */
char *sn_text_take(sn_text *text);

/* A copy of `string` (free()); NULL when out of memory. */
char *sn_string_copy(const char *string);

#endif
