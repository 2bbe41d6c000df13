/* Owns the text of numbers and strings in messages.  See show.h for the contract. */
#include "config/show.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { MAX_SHOWN = 60 };

const char *sn_number_text(double value, char out[SN_NUMBER_TEXT]) {
    bool is_negative_zero = value == 0 && signbit(value);
    if (value == trunc(value) && fabs(value) <= 0x1p53 && !is_negative_zero) {
        snprintf(out, SN_NUMBER_TEXT, "%.0f", value);
        return out;
    }
    int fewest = fabs(value) < DBL_MIN ? 1 : 15; /* a denormal has fewer digits than 15; others lose their zeros */
    for (int digits = fewest; digits <= 17; digits++) {
        snprintf(out, SN_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(out, NULL) == value) break;
    }
    return out;
}

void sn_show_string(const char *string, sn_text *text) {
    size_t n = sn_utf8_cut(string, MAX_SHOWN);
    sn_text shown = SN_TEXT_EMPTY;
    sn_text_add_bytes(&shown, string, n);
    sn_text_add_json(text, sn_text_string(&shown));
    if (string[n]) sn_text_add(text, "...");
    if (shown.failed) text->failed = true;
    sn_text_free(&shown);
}

bool sn_is_plain_name(const char *name) {
    size_t n = 0;
    for (; name[n]; n++) {
        if ((unsigned char)name[n] < 0x20 || name[n] == 0x7f || name[n] == '"' || n == MAX_SHOWN) return false;
    }
    return n > 0;
}
