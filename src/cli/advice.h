/* What a word on the command line that is not known may have meant. */
#ifndef SN_CLI_ADVICE_H
#define SN_CLI_ADVICE_H

#include "cli/cli.h"

/* Appends what an unknown option of a verb may have meant: another option (`, did you mean --threads?`), one of other
 * verbs, or a key of the config (`, a key of the config: --set network.activation=relu`); nothing where nothing is
 * near. `word` is the option with its dashes and what follows a '='; `next` is the word after it, NULL at the end. */
void sn_advise_option(const sn_verb *verb, const char *word, const char *next, sn_text *text);

/* Appends the same for an unknown verb. */
void sn_advise_verb(const char *word, sn_text *text);

#endif
