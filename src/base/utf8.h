/* UTF-8 (Unicode 15, table 3-7): overlong forms, surrogates and what lies beyond U+10FFFF are none. */
#ifndef SN_BASE_UTF8_H
#define SN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `p`, its code point in *code; 0 where none stands within `n` bytes.  A NUL ends it in any
 * case, so `n` may be SIZE_MAX in a string. */
size_t sn_utf8_length(const char *p, size_t n, uint32_t *code);

bool sn_is_utf8(const char *string);

#endif
