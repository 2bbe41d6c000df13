/* What a key takes and what was found instead, in words. */
#ifndef SN_CONFIG_EXPECT_H
#define SN_CONFIG_EXPECT_H

#include <cjson/cJSON.h>

#include "base/text.h"
#include "config/key.h"

/* Appends all that a key takes: `a number above 0, "inverse_sqrt_blocks" or {"learned": ...}`. */
void sn_expect_write(const sn_key *key, sn_text *text);

/* Appends what a key takes for a number: "a whole number, at least 1". */
void sn_expect_number(const sn_key *key, sn_text *text);

/* Appends the same without its article, for tables: "whole number, at least 1". */
void sn_expect_number_short(const sn_key *key, sn_text *text);

/* Appends what a key takes, strings first and bare: "none, add, concat", "inverse_sqrt_blocks, {"learned": ...},
 * a number". */
void sn_expect_names(const sn_key *key, sn_text *text);

/* Appends what a value is: `the string "abc"`, "a list", "null". */
void sn_found_write(const cJSON *value, sn_text *text);

#endif
