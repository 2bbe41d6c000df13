/* Owns the only look at the bytes of UTF-8. */
#include "base/utf8.h"

size_t sn_utf8_length(const char *p, size_t n, uint32_t *code) {
    unsigned char c = (unsigned char)*p;
    *code = c;
    if (c < 0x80) return n > 0;
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || n < length) return 0;
    uint32_t value = c & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)p[i];
        if ((next & 0xc0) != 0x80) return 0;
        value = value << 6 | (next & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
    *code = value;
    return length;
}

bool sn_is_utf8(const char *string) {
    uint32_t code;
    size_t n = 1;
    for (; *string && n > 0; string += n)
        n = sn_utf8_length(string, SIZE_MAX, &code);
    return n > 0;
}
