/* Pieces of text for people: short numbers, shares, wrapped lines.  Private to src/report. */
#ifndef SN_REPORT_PROSE_H
#define SN_REPORT_PROSE_H

#include "base/text.h"

/* "1.1e-14": two significant digits and the exponent, at every size; "0", "nan", "inf". */
enum { SN_SHORT_TEXT = 16 };
const char *sn_prose_number(double value, char out[SN_SHORT_TEXT]);

typedef enum sn_rounding { SN_ROUND_NEAREST, SN_ROUND_DOWN, SN_ROUND_UP } sn_rounding;

/* A share as a percentage with one decimal.  "0%" and "100%" are exact: what only comes near them is "<0.1%" and
 * ">99.9%"; rounded down at most "99.9%", rounded up at least "0.1%". */
const char *sn_prose_share(double share, sn_rounding rounding, char out[SN_SHORT_TEXT]);

/* Appends `prose` (words separated by single blanks) in lines of at most `columns` characters, each with its LF. */
void sn_prose_wrap(sn_text *text, const char *prose, int columns);

#endif
