/* Owns what is known of the bytes of UTF-8; all others see characters and code points. */
#include "base/utf8.h"

#include <string.h>

bool sn_utf8_continues(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t sn_utf8_length(const char *p, size_t n, uint32_t *code) {
    *code = 0;
    if (n == 0) return 0;
    unsigned char c = (unsigned char)*p;
    *code = c;
    if (c < 0x80) return 1;
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || n < length) return 0;
    uint32_t value = c & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (!sn_utf8_continues(p[i])) return 0;
        value = value << 6 | ((unsigned char)p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
    *code = value;
    return length;
}

size_t sn_utf8_cut(const char *text, size_t most) {
    size_t n = strnlen(text, most);
    while (n > 0 && sn_utf8_continues(text[n]))
        n--;
    return n;
}

size_t sn_utf8_write(char *out, uint32_t code) {
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0}; /* by length */
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(first[length] | code);
    return length;
}

bool sn_is_utf8(const char *string) {
    uint32_t code;
    size_t n = 1;
    for (; *string && n > 0; string += n)
        n = sn_utf8_length(string, SIZE_MAX, &code);
    return n > 0;
}
