/* Documents: a JSON text, checked strictly, as a cJSON tree whose nodes know their places. */
#ifndef SN_CONFIG_DOCUMENT_H
#define SN_CONFIG_DOCUMENT_H

#include "base/error.h"
#include "config/fault.h"
#include "config/place.h"

typedef struct sn_document {
    const char *text;
    size_t length;
    const char *name; /* for messages of the scanner */
    sn_place at;      /* the place of the root: what it belongs to */
    bool is_fixed;    /* all of it stands where `at` does (a default, a --set) instead of where the text has it */
} sn_document;

/* Reads the text into *root (cJSON_Delete) and its places into `places`.  A lexical error ends the reading and is the
 * only content of `error`; duplicate keys are added to `faults`.  SN_FAILED: out of memory. */
sn_status sn_document_read(cJSON **root, sn_places *places, sn_faults *faults, const sn_document *document,
                           sn_error *error);

/* The first member of that name, NULL if there is none or `object` is not an object. */
cJSON *sn_member(const cJSON *object, const char *name);

#endif
