/* The key tables as text for people and programs: `skipnet list keys` and `skipnet schema`. */
#ifndef SN_CONFIG_DESCRIBE_H
#define SN_CONFIG_DESCRIBE_H

#include "base/text.h"
#include "config/key.h"

/* An aligned table of all keys with dotted path, type and bounds, default and help; the keys of a kind stand under it
 * as "network.skip (add).layers_per_block". */
void sn_describe_keys(const sn_schema *schema, sn_text *text);

/* An aligned table of the kinds of one choice: name, help, formula, source, and the kind's own keys with defaults. */
void sn_describe_kinds(const sn_choice *choice, sn_text *text);

/* A JSON Schema (draft 2020-12) that accepts what the reader accepts as far as JSON Schema can say it: types, bounds,
 * words, kinds, defaults, descriptions, no unknown keys. */
void sn_describe_schema(const sn_schema *schema, sn_text *text);

#endif
