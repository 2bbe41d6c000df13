/* Values as a message shows them. */
#ifndef SN_CONFIG_SHOW_H
#define SN_CONFIG_SHOW_H

#include <stdbool.h>

#include "base/text.h"

enum { SN_NUMBER_TEXT = 40 };

/* Writes the shortest form of a finite number that reads back exactly; whole numbers up to 2^53 without exponent. */
const char *sn_number_text(double value, char out[SN_NUMBER_TEXT]);

/* Appends a string in quotes, as JSON, cut with "..." where it is long. */
void sn_show_string(const char *string, sn_text *text);

/* Whether a key can stand bare in a dotted path: not empty, not long, no control characters or quotes. */
bool sn_is_plain_name(const char *name);

#endif
