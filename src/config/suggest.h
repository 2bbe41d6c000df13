/* Did you mean: the nearest of several names to one that is not known. */
#ifndef SN_CONFIG_SUGGEST_H
#define SN_CONFIG_SUGGEST_H

#include <stdbool.h>

#include "base/text.h"
#include "config/key.h"

typedef struct sn_suggestion {
    const char *word;
    const sn_synonym *synonyms;
    bool is_whole;    /* a name that only begins with the word is not meant */
    const char *best; /* NULL: nothing offered so far is near */
    int distance;
} sn_suggestion;

/* Whether two words are equal but for capitals and the choice of '-', ' ' or '_'. */
bool sn_same_word(const char *a, const char *b);

/* Begins a search for what `word` may have meant; `synonyms` may be NULL. */
sn_suggestion sn_suggestion_for(const char *word, const sn_synonym *synonyms);

/* Offers a name.  A synonym counts most, then the Damerau-Levenshtein distance (neighbours may be swapped once; case
 * and the choice of '-', ' ' or '_' do not count), then a name that begins with the word.  Of equals the first wins. */
void sn_suggestion_offer(sn_suggestion *suggestion, const char *candidate);

/* Offers the names of a table of keys; NULL is an empty one. */
void sn_suggestion_offer_keys(sn_suggestion *suggestion, const sn_key *keys);

/* Appends `, did you mean "..."?`, or nothing. */
void sn_suggestion_write(const sn_suggestion *suggestion, sn_text *text);

#endif
