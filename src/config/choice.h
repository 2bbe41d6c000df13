/* Look-ups in the key tables. */
#ifndef SN_CONFIG_CHOICE_H
#define SN_CONFIG_CHOICE_H

#include <stdbool.h>

#include "config/key.h"

/* Keys that need no row in any table: "comment" in every object, "$schema" and "guessed" at the top, the discriminator
 * of an object with kinds (its name is the choice's). */
extern const sn_key sn_comment_key, sn_schema_key, sn_guessed_key, sn_discriminator_key;

/* The row of that name among those that need none in a table, NULL where it is none of them. */
const sn_key *sn_free_key(const char *name, bool is_root);

/* The row of that name in a table, NULL where there is none; NULL is an empty table. */
const sn_key *sn_keys_find(const sn_key *keys, const char *name);

/* The row that a kind has for a key: its own, else the common one. */
const sn_key *sn_kind_key(const sn_choice *choice, const sn_kind *kind, const char *name);

/* The kind of that name, NULL where there is none. */
const sn_kind *sn_choice_find(const sn_choice *choice, const char *name);

/* As sn_choice_find, but only kinds that the discriminator can name. */
const sn_kind *sn_choice_find_named(const sn_choice *choice, const char *name);

/* Whether a string is one of a NULL-terminated list of words. */
bool sn_words_have(const char *const *words, const char *word);

#endif
