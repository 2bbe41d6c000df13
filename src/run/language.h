/* The language of configs: the key tables of all rooms put together, and what people call things elsewhere. */
#ifndef SN_RUN_LANGUAGE_H
#define SN_RUN_LANGUAGE_H

#include "config/key.h"

extern const sn_schema sn_language;

/* The choices that `skipnet list` can show, by name: "ops", "activations", ...; `name` NULL ends. */
typedef struct sn_list_entry {
    const char *name;
    const sn_choice *choice;
} sn_list_entry;

extern const sn_list_entry sn_language_lists[];

#endif
