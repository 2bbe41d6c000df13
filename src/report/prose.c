/* Owns the wording of numbers for people.  Nothing is rounded to zero or to all: see sn_prose_share. */
#include "report/prose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sn_prose_number(double value, char out[SN_SHORT_TEXT]) {
    snprintf(out, SN_SHORT_TEXT, value == 0 ? "0" : isnan(value) ? "nan" : "%.1e", value);
    char *e = strchr(out, 'e');
    if (e) snprintf(e, SN_SHORT_TEXT - (size_t)(e - out), "e%ld", strtol(e + 1, NULL, 10));
    return out;
}

const char *sn_prose_share(double share, sn_rounding rounding, char out[SN_SHORT_TEXT]) {
    static const double SLACK = 1e-9; /* 0.998 * 1000 is not 998 */
    if (!(share >= 0 && share <= 1)) return sn_prose_number(share, out);
    double exact = share * 1000;
    int tenths = (int)(rounding == SN_ROUND_DOWN ? floor(exact + SLACK)
                       : rounding == SN_ROUND_UP ? ceil(exact - SLACK)
                                                 : round(exact));
    const char *sign = "";
    if (share > 0 && tenths == 0 && rounding != SN_ROUND_DOWN) {
        tenths = 1;
        sign = rounding == SN_ROUND_NEAREST ? "<" : "";
    } else if (share < 1 && tenths == 1000 && rounding != SN_ROUND_UP) {
        tenths = 999;
        sign = rounding == SN_ROUND_NEAREST ? ">" : "";
    }
    if (share == 0 || share == 1) {
        snprintf(out, SN_SHORT_TEXT, "%d%%", tenths / 10);
    } else {
        snprintf(out, SN_SHORT_TEXT, "%s%d.%d%%", sign, tenths / 10, tenths % 10);
    }
    return out;
}

void sn_prose_wrap(sn_text *text, const char *prose, int columns) {
    int used = 0;
    while (*prose) {
        size_t n = strcspn(prose, " ");
        int width = (int)sn_text_columns(prose, n);
        if (used > 0) {
            bool fits = used + 1 + width <= columns;
            sn_text_add(text, fits ? " " : "\n");
            used = fits ? used + 1 : 0;
        }
        sn_text_add_bytes(text, prose, n);
        used += width;
        prose += n + (prose[n] == ' ');
    }
    sn_text_add(text, "\n");
}
