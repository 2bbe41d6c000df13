/* The strict config reader: JSON text in, a resolved config out, every key of it known, typed and within its bounds.
 *
 * Reading is strict (RFC 8259, UTF-8, no duplicate keys, no trailing text, no number outside the finite doubles, whole
 * numbers exact to 2^53) and reports all errors of a file at once, a line each, in the order of the file:
 *
 *     FILE:LINE:COL: network.skip.kind: unknown value "ad", did you mean "add"? (one of: none, add, concat)
 *
 * In the resolved config every default is written out, kinds are objects that name their discriminator, keys of other
 * kinds are gone, and paths are absolute.  It is a tree of sn_value; the rest of the program reads it by the accessors
 * below and writes it by sn_config_text.  Reading a resolved config again gives the same resolved config. */
#ifndef SN_CONFIG_CONFIG_H
#define SN_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/notes.h"
#include "base/text.h"
#include "config/key.h"

typedef struct sn_config sn_config;
typedef struct cJSON sn_value; /* a value of the resolved tree, owned by its config; opaque outside src/config */

/* Limits, checked before anything is allocated for what they limit. */
enum { SN_CONFIG_MAX_DEPTH = 64 };
#define SN_CONFIG_MAX_BYTES ((size_t)64 << 20)

typedef struct sn_config_source {
    const char *path;           /* the config file; "-" is standard input (called <stdin> in messages) */
    const char *text;           /* not NULL: the config itself; `path` stands for it in messages */
    const char *base_dir;       /* what relative paths of `text` are relative to; NULL: the working directory */
    const char *const *sets;    /* --set arguments "dotted.key=value", applied in order; a list index is a number that
                                 * counts from 0 ("network.layers.3.units=8").  The value is read by the key's type: JSON
                                 * where that fits, else raw text for keys that take strings.  A path is relative to the
                                 * working directory, as elsewhere on a command line.  Errors name the --set. */
    const char *const *origins; /* (n_sets) what messages call each of them instead of "--set"; NULL: nothing else */
    size_t n_sets;
    bool is_regular; /* what is no regular file is refused: in a run directory nobody feeds a FIFO */
} sn_config_source;

/* Reads, checks and resolves a config file.  SN_IO: cannot read; SN_INVALID: anything wrong in it.  *config is for
 * sn_config_free. */
sn_status sn_config_read(sn_config **config, const sn_schema *schema, const sn_config_source *source, sn_error *error);

/* As sn_config_read from a text in memory; `name` stands for the file in messages, `base_dir` is what relative paths
 * are relative to ("": the working directory).  Neither is needed afterwards, nor is the text. */
sn_status sn_config_parse(sn_config **config, const sn_schema *schema, const char *text, size_t length,
                          const char *name, const char *base_dir, sn_error *error);

/* As sn_config_read but not resolved: the config as it was written, with --set applied, paths absolute and the name
 * given, so that it means the same wherever it is read.  Unlike a resolved config it keeps the keys of kinds that are
 * not chosen, and has no defaults: it can still be swept over kinds.  Values are not checked, only what stands in the
 * way of --set. */
sn_status sn_config_read_portable(sn_config **config, const sn_schema *schema, const sn_config_source *source,
                                  sn_error *error);

/* A --set argument with the relative paths in its value made absolute, as it would be applied to the text of a portable
 * config (free()); a copy where it has none or cannot be applied.  NULL when out of memory. */
char *sn_config_portable_set(const sn_schema *schema, const char *text, const char *set);

void sn_config_free(sn_config *config);

/* The root object. */
const sn_value *sn_config_root(const sn_config *config);

/* The value at a dotted path below `value` ("skip.kind"), NULL where it is absent or null.  NULL has nothing below it.
 */
const sn_value *sn_value_get(const sn_value *value, const char *path);

/* Typed access below `value`.  The table has promised presence and type, so there is no error: a missing number is
 * NAN, integer 0, text NULL, bool false.  An empty path "" means the value itself.  tests/run/test_look_ups.c holds
 * every path that is looked up against the table; what a step needs is filled into a record before. */
double sn_value_number(const sn_value *value, const char *path);
int64_t sn_value_integer(const sn_value *value, const char *path);
bool sn_value_bool(const sn_value *value, const char *path);
const char *sn_value_text(const sn_value *value, const char *path);

/* What a value is. */
bool sn_value_is_number(const sn_value *value);
bool sn_value_is_text(const sn_value *value);
bool sn_value_is_object(const sn_value *value);
bool sn_value_is_list(const sn_value *value);

/* Lists and objects: length, first element or member, and the one after `element` (NULL at the end), so that a walk is
 * linear; the key of a member (NULL for an element of a list). */
size_t sn_value_count(const sn_value *list);
const sn_value *sn_value_first(const sn_value *list);
const sn_value *sn_value_next(const sn_value *element);
const char *sn_value_name(const sn_value *member);

/* Element i of a list of numbers; NAN where there are fewer. */
double sn_value_element(const sn_value *list, size_t i);

/* Adds a line "FILE:LINE:COL: PATH: message" to `error`, status SN_INVALID, for a value of the resolved tree (a
 * default stands where the object that lacks it opens; a --set value is named by its --set). */
sn_status sn_config_fault(const sn_config *config, const sn_value *value, sn_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether the file or a --set gives a value of the resolved tree; else it is a default.  NULL is not given. */
bool sn_config_is_given(const sn_config *config, const sn_value *value);

/* Notes the keys that the file and each --set give and that have no effect, a line each with the reason:
 *
 *     FILE:LINE:COL: network.skip.growth has no effect: network.skip.kind is add
 */
void sn_config_note_idle(const sn_config *config, sn_notes *notes);

/* Forgets those of them that have an effect in `other`, so that what is left has none in both.  SN_FAILED when out of
 * memory. */
sn_status sn_config_keep_idle(sn_config *config, const sn_config *other, sn_error *error);

/* Whether a --set argument gives such a key, or one below it. */
bool sn_config_set_is_idle(const sn_config *config, const char *set);

/* Writes the resolved config as indented JSON (2 blanks, numbers in the shortest form that reads back exactly,
 * trailing newline). */
void sn_config_text(const sn_config *config, sn_text *text);

/* Writes any value as compact JSON on one line. */
void sn_value_text_compact(const sn_value *value, sn_text *text);

/* The hash over the meaning of a config: keys with SN_NO_MEANING left out, order of keys without effect. */
uint64_t sn_config_hash(const sn_config *config);

/* The same with the keys of SN_LENGTH left out, too: equal for runs of which one goes on where the other ends. */
uint64_t sn_config_hash_but_length(const sn_config *config);

/* Fills `text` with the dotted keys (separated by ", ") in which the meanings of two configs of one schema differ;
 * empty when they are equal. */
void sn_config_differences(const sn_config *a, const sn_config *b, sn_text *text);

/* One key of a resolved config with its value, as --set takes it. */
typedef struct sn_leaf {
    const char *path;      /* dotted, the index of a list element counts from 0; for the time of the call */
    const sn_value *value; /* a scalar or null, a list of scalars, or an object of scalars that names no kind */
    bool has_meaning;      /* it enters the hash of the config */
    bool is_list;          /* a list of objects: the leaves of its elements follow */
    bool in_list;          /* it belongs to such a list */
} sn_leaf;

/* Calls `take` for all leaves in the order of the config, until it returns false.  False when `take` did, or when out
 * of memory. */
bool sn_config_leaves(const sn_config *config, bool (*take)(void *context, const sn_leaf *leaf), void *context);

/* Parses any JSON text strictly into a tree without a schema (run.json); positions are in the messages.  *config is
 * for sn_config_free; read it by sn_config_root and the accessors. */
sn_status sn_config_parse_free(sn_config **config, const char *text, size_t length, const char *name, sn_error *error);

#endif
