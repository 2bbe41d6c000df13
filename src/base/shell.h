/* Words of a POSIX shell. */
#ifndef SN_BASE_SHELL_H
#define SN_BASE_SHELL_H

#include <stdbool.h>

#include "base/text.h"

/* Appends `word` so that a POSIX shell reads exactly its bytes as one word, on one line: bare where nothing in it is
 * special, else in single quotes.  A newline becomes "$n", so that a command with one of those
 * begins with SN_SHELL_NEWLINE. */
void sn_text_add_shell(sn_text *text, const char *word);

/* Takes the next word of a command that was written by sn_text_add_shell: fills `word` with its bytes and moves *at
 * behind it.  False at the end. */
bool sn_shell_next(const char **at, sn_text *word);

/* Sets n to a newline without having one in it: command substitution drops those at the end. */
#define SN_SHELL_NEWLINE "n=$(printf '\\n.'); n=${n%.}; "

#endif
