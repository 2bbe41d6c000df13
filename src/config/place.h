/* Places: where every value of a tree comes from, for messages.
 *
 * A cJSON node carries the number of its place in `valueint`, a field that cJSON itself deprecates and that nothing
 * here uses for its value; so the place of a node is found at once, in trees of any size.  A resolved value takes over
 * the place of the raw one. */
#ifndef SN_CONFIG_PLACE_H
#define SN_CONFIG_PLACE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/text.h"
#include "config/key.h"

typedef struct sn_place {
    const char *name;         /* the key of a member; NULL elsewhere; not owned */
    int parent;               /* the place of the object or list around it; -1: the root */
    int index;                /* of an element of a list; -1 elsewhere */
    int line, column;         /* of the value */
    int key_line, key_column; /* of its key */
    int set;                  /* the number of the --set it comes from; -1: the text */
    bool is_whole;            /* a number that the text gives as an exact whole number up to 2^53 */
    bool is_meaningless;      /* left out of the meaning: SN_NO_MEANING */
    bool is_unsaid;           /* SN_LATER and at its default: not in the hash, but other values differ from it */
    bool is_length;           /* how long a run goes on: SN_LENGTH */
    bool is_default;          /* the text does not give it */
    bool is_guess;            /* its default is a guess: SN_GUESS */
    bool is_discriminator;    /* names the kind of the object around it */
} sn_place;

typedef struct sn_places {
    sn_place *items;
    int n, capacity;
    const char *name;           /* what the text is called */
    const char *const *sets;    /* the --set arguments as given */
    const char *const *origins; /* what each is called; NULL: --set */
} sn_places;

/* Adds a place; its number, -1 when out of memory. */
int sn_places_add(sn_places *places, const sn_place *place);

void sn_places_free(sn_places *places);

/* The place of a node. */
sn_place *sn_place_of(const sn_places *places, const cJSON *node);

/* A place for something that is not written in the text and so stands where `parent` stands: a default. */
sn_place sn_place_below(const sn_places *places, int parent, const char *name);

/* Appends the path "network.layers[3].units"; nothing for the root. */
void sn_places_path(const sn_places *places, int place, sn_text *text);

#endif
