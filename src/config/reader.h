/* The reader: raw values of a document, resolved by the rows of the key tables.
 *
 * Every function gives a new resolved value (cJSON_Delete) or NULL where the raw one is at fault; the faults are
 * collected and reading goes on.  Nothing is written into the raw tree but the places it shares with the resolved
 * one. */
#ifndef SN_CONFIG_READER_H
#define SN_CONFIG_READER_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "config/fault.h"
#include "config/idle.h"
#include "config/key.h"
#include "config/place.h"
#include "config/suggest.h"

typedef struct sn_reader {
    sn_places *places;
    sn_faults *faults;
    const sn_schema *schema;
    const cJSON *root;    /* of the raw tree, for rulers of other objects; NULL: there are none */
    const char *base_dir; /* what relative paths of the file are relative to */
    sn_pool *pool;        /* of the config, for `idles` */
    sn_idles *idles;      /* NULL: they are not wanted */
    int depth;            /* containers around the value that is being resolved */
    bool failed;          /* out of memory */
} sn_reader;

/* Resolves a value by the types, bounds and tables of a key. */
cJSON *sn_resolve(sn_reader *reader, const cJSON *raw, const sn_key *key);

/* Resolves the top-level object. */
cJSON *sn_resolve_root(sn_reader *reader, const cJSON *raw, const sn_key *keys);

/* Parts of sn_resolve: numbers, strings, kinds.  `raw` is of a type that the key takes. */
cJSON *sn_resolve_number(sn_reader *reader, const cJSON *raw, const sn_key *key);
cJSON *sn_resolve_string(sn_reader *reader, const cJSON *raw, const sn_key *key);
cJSON *sn_resolve_kind(sn_reader *reader, const cJSON *raw, const sn_choice *choice);

/* The object for a kind that is chosen already; `raw` is an object, or the bare string that names the kind. */
cJSON *sn_resolve_kind_members(sn_reader *reader, const cJSON *raw, const sn_choice *choice, const sn_kind *kind);

/* A node for the resolved tree, at the place of a raw one; a NULL node means that memory ran out. */
cJSON *sn_resolved(sn_reader *reader, cJSON *node, int place);

/* As sn_resolved for an object or list.  It is refused (NULL) where it nests deeper than can be read again: a bare
 * string that stands for an object adds a level, and the defaults of a faulty table may go round in a circle. */
cJSON *sn_resolved_container(sn_reader *reader, const cJSON *raw, cJSON *node);

/* Resolves the member for one row, the default where `raw` (NULL: no object) has none, and adds it to `out`. */
void sn_resolve_member(sn_reader *reader, const cJSON *raw, const sn_key *key, cJSON *out);

/* Adds a resolved node (NULL: nothing) under a name that outlives the tree. */
void sn_resolved_add(sn_reader *reader, cJSON *out, const sn_key *key, const char *name, cJSON *node);

/* The absolute form of a string that is a path: relative to base_dir, from a --set to the working directory (free()).
 * NULL: a fault, or out of memory. */
char *sn_absolute_path(sn_reader *reader, const cJSON *raw);

/* Appends what an unknown member may have meant, `near` being what is known there, or nothing. */
void sn_suggest_member(sn_reader *reader, const cJSON *raw, const char *name, const sn_suggestion *near, sn_text *text);

/* Tells that a raw member has no effect, and why. */
void sn_tell_idle(sn_reader *reader, const cJSON *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tells the members of an object of these rows that have a ruler.  `out` is the resolved object. */
void sn_tell_ruled(sn_reader *reader, const cJSON *raw, const cJSON *out, const sn_key *keys);

/* Whether a raw member that has no effect is worth a word: a file may have the default written out. */
bool sn_idle_counts(sn_reader *reader, const cJSON *member, const cJSON *out, const sn_key *key);

/* Fault: the value is of no type that the key takes. */
void sn_fault_type(sn_reader *reader, const cJSON *raw, const sn_key *key);

/* Fault: the string is none of the key's words and kinds. */
void sn_fault_unknown_value(sn_reader *reader, const cJSON *raw, const sn_key *key);

#endif
