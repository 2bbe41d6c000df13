/* UTF-8 (Unicode 15, table 3-7): overlong forms, surrogates and what lies beyond U+10FFFF are none. */
#ifndef SN_BASE_UTF8_H
#define SN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `p`, its code point in *code; 0 where none stands within `n` bytes (*code is then the byte
 * there, 0 where `n` is 0).  A NUL ends it in any case, so `n` may be SIZE_MAX in a string. */
size_t sn_utf8_length(const char *p, size_t n, uint32_t *code);

/* Whether the byte continues a character, so that the characters of a text are as many as its other bytes. */
bool sn_utf8_continues(char byte);

/* Bytes of the beginning of a text: at most `most`, and not cut inside a character. */
size_t sn_utf8_cut(const char *text, size_t most);

/* Writes the character of a code point, up to U+10FFFF, and returns its bytes, at most 4. */
size_t sn_utf8_write(char *out, uint32_t code);

bool sn_is_utf8(const char *string);

#endif
