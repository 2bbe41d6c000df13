/* Guesses: defaults of keys that say what a file means (SN_GUESS).  A resolved config has them written out like all
 * others, and "guessed" at its top names them, so that they are told when it is read again. */
#ifndef SN_CONFIG_GUESS_H
#define SN_CONFIG_GUESS_H

#include "config/reader.h"

/* The values below the resolved root `out` that its "guessed" names become defaults, but for those of a --set; then
 * "guessed" is made anew: absent where there is no guess. */
void sn_guesses_take(sn_reader *reader, cJSON *out);

#endif
