/* Owns the look-ups in key tables, and the rows of the keys that are allowed without being in one. */
#include "config/choice.h"

#include <string.h>

static const sn_key comment_line = {.types = SN_TEXT, .help = "a line of the comment"};

const sn_key sn_comment_key = {.name = "comment",
                               .types = SN_TEXT | SN_LIST,
                               .flags = SN_NO_MEANING,
                               .element = &comment_line,
                               .help = "text for people, allowed in every object"};
const sn_key sn_schema_key = {
    .name = "$schema", .types = SN_TEXT, .flags = SN_NO_MEANING, .help = "the JSON Schema of this file, for editors"};
static const sn_key guessed_path = {.types = SN_TEXT, .help = "the path of a key"};
const sn_key sn_guessed_key = {.name = "guessed",
                               .types = SN_LIST,
                               .flags = SN_NO_MEANING,
                               .element = &guessed_path,
                               .help = "keys of a resolved config that nobody gave and that are told as guesses"};
const sn_key sn_discriminator_key = {.types = SN_TEXT, .help = "which kind it is"};

const sn_key *sn_keys_find(const sn_key *keys, const char *name) {
    for (; keys && keys->name; keys++) {
        if (strcmp(keys->name, name) == 0) return keys;
    }
    return NULL;
}

const sn_key *sn_free_key(const char *name, bool is_root) {
    const sn_key *const rows[] = {&sn_comment_key, &sn_schema_key, &sn_guessed_key};
    for (size_t i = 0; i < (is_root ? sizeof rows / sizeof *rows : 1); i++) {
        if (strcmp(rows[i]->name, name) == 0) return rows[i];
    }
    return NULL;
}

const sn_key *sn_kind_key(const sn_choice *choice, const sn_kind *kind, const char *name) {
    const sn_key *own = sn_keys_find(kind->keys, name);
    return own ? own : sn_keys_find(choice->common, name);
}

const sn_kind *sn_choice_find(const sn_choice *choice, const char *name) {
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        if (strcmp((*kind)->name, name) == 0) return *kind;
    }
    return NULL;
}

const sn_kind *sn_choice_find_named(const sn_choice *choice, const char *name) {
    const sn_kind *kind = sn_choice_find(choice, name);
    return kind && !kind->chosen_by ? kind : NULL;
}

bool sn_words_have(const char *const *words, const char *word) {
    for (; words && *words; words++) {
        if (strcmp(*words, word) == 0) return true;
    }
    return false;
}
