/* Keys in the wrong place: which keys of a language end as a path does that none of them is. */
#ifndef SN_CONFIG_TAILS_H
#define SN_CONFIG_TAILS_H

#include <stdbool.h>

#include "base/text.h"
#include "config/key.h"
#include "config/suggest.h"

enum { SN_TAILS_SHOWN = 4, SN_TAIL_LENGTH = 128 };

typedef struct sn_tails {
    char found[SN_TAILS_SHOWN][SN_TAIL_LENGTH]; /* dotted; N is the index of an element of a list */
    int n;                                      /* there may be more than are shown */
} sn_tails;

/* Finds the keys called as the last name of `path` is ("train.momentum"); of several those that have most of its other
 * names on their way.  '-' and '_' are equal, and so are capitals.  True where there are any. */
bool sn_tails_find(sn_tails *tails, const sn_schema *schema, const char *path);

/* The same for a name that no key has: those of the nearest name are found; with `is_whole` not of one that only begins
 * so. */
bool sn_tails_find_near(sn_tails *tails, const sn_schema *schema, const char *path, bool is_whole);

/* Appends what the unknown key `path` may have meant: `, did you mean "train.lr"?`.  `near` is what is known at that
 * place, and `around` what stands before its name.  Appends nothing where nothing is near. */
void sn_tails_suggest(const sn_suggestion *near, const char *around, const sn_schema *schema, const char *path,
                      sn_text *text);

#endif
