/* Owns numbers and strings: bounds, exactness, words, paths. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "config/choice.h"
#include "config/expect.h"
#include "config/reader.h"
#include "config/show.h"
#include "config/suggest.h"

static void fault_number(sn_reader *reader, const cJSON *raw, const sn_key *key, const char *what) {
    sn_text text = SN_TEXT_EMPTY;
    sn_expect_number(key, &text);
    if (text.failed) reader->failed = true;
    sn_fault_value(reader->faults, raw->valueint, "%s (%s)", what, sn_text_string(&text));
    sn_text_free(&text);
}

/* Whether a number is one that the key takes. */
static bool check_number(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    char number[SN_NUMBER_TEXT], what[SN_NUMBER_TEXT + 32];
    double value = raw->valuedouble;
    bool is_bounded = key->min < key->max;
    const char *wrong = NULL;
    if (!(key->types & SN_NUMBER) && !sn_place_of(reader->places, raw)->is_whole) {
        if (value >= 0x1p53 || value <= -0x1p53) {
            fault_number(reader, raw, key, "beyond 2^53 whole numbers are not exact");
            return false;
        }
        wrong = "is not a whole number";
    } else if (is_bounded && (value < key->min || (value <= key->min && (key->flags & SN_ABOVE_MIN)))) {
        wrong = "is too small";
    } else if (is_bounded && (value > key->max || (value >= key->max && (key->flags & SN_BELOW_MAX)))) {
        wrong = "is too large";
    }
    if (!wrong) return true;
    snprintf(what, sizeof what, "%s %s", sn_number_text(value, number), wrong);
    fault_number(reader, raw, key, what);
    return false;
}

cJSON *sn_resolve_number(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    if (!check_number(reader, raw, key)) return NULL;
    double value = raw->valuedouble;
    if (!(key->types & SN_NUMBER)) value += 0.0; /* -0 is no whole number of its own */
    return sn_resolved(reader, cJSON_CreateNumber(value), raw->valueint);
}

/* A --set, the name of a file and the working directory may be anything; config.json and run.json are UTF-8. */
static bool check_encoding(sn_reader *reader, const cJSON *raw, const char *text) {
    if (sn_is_utf8(text)) return true;
    sn_fault_value(reader->faults, raw->valueint, "not UTF-8, which is what the files of a run are written in");
    return false;
}

/* A shell would put the home directory there; a file of that name is hardly meant. */
static bool begins_at_home(sn_reader *reader, const cJSON *raw) {
    if (!sn_path_begins_at_home(raw->valuestring)) return false;
    sn_fault_value(reader->faults, raw->valueint,
                   "~ is not expanded here: write the home directory out (or ./~ for a file of that name)");
    return true;
}

char *sn_absolute_path(sn_reader *reader, const cJSON *raw) {
    bool from_set = sn_place_of(reader->places, raw)->set >= 0;
    if (begins_at_home(reader, raw)) return NULL;
    errno = 0;
    char *joined = sn_path_join(from_set ? "" : reader->base_dir, raw->valuestring);
    char *absolute = joined ? sn_path_absolute(joined) : NULL;
    if (absolute && !check_encoding(reader, raw, absolute)) {
        free(absolute);
        absolute = NULL;
    } else if (!absolute && joined && errno != ENOMEM) {
        sn_fault_value(reader->faults, raw->valueint, "cannot tell what the path is relative to: no working directory");
    } else if (!absolute) {
        reader->failed = true;
    }
    free(joined);
    return absolute;
}

static cJSON *resolve_path(sn_reader *reader, const cJSON *raw) {
    char *absolute = sn_absolute_path(reader, raw);
    cJSON *node = absolute ? sn_resolved(reader, cJSON_CreateString(absolute), raw->valueint) : NULL;
    free(absolute);
    return node;
}

void sn_fault_unknown_value(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    sn_suggestion suggestion = sn_suggestion_for(raw->valuestring, reader->schema->synonyms);
    for (const char *const *word = key->words; (key->types & SN_WORD) && word && *word; word++)
        sn_suggestion_offer(&suggestion, *word);
    for (const sn_kind *const *kind = key->choice ? key->choice->kinds : NULL; kind && *kind; kind++) {
        if ((key->types & SN_KIND) && !(*kind)->chosen_by) sn_suggestion_offer(&suggestion, (*kind)->name);
    }
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "unknown value ");
    sn_show_string(raw->valuestring, &text);
    sn_suggestion_write(&suggestion, &text);
    sn_text_add(&text, " (one of: ");
    sn_expect_names(key, &text);
    sn_text_add(&text, ")");
    if (text.failed) reader->failed = true;
    sn_fault_value(reader->faults, raw->valueint, "%s", sn_text_string(&text));
    sn_text_free(&text);
}

/* A string that names no word and no kind of the key. */
static cJSON *resolve_free_string(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    bool is_empty = raw->valuestring[0] == '\0';
    if (is_empty && ((key->types & SN_PATH) || (key->flags & SN_NOT_EMPTY))) {
        sn_fault_type(reader, raw, key);
        return NULL;
    }
    if (!check_encoding(reader, raw, raw->valuestring)) return NULL;
    if (key->types & SN_PATH) return resolve_path(reader, raw);
    return sn_resolved(reader, cJSON_CreateString(raw->valuestring), raw->valueint);
}

/* A kind that is chosen by a key was named instead. */
static bool fault_named_by_key(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    const sn_kind *kind = key->types & SN_KIND ? sn_choice_find(key->choice, raw->valuestring) : NULL;
    if (!kind) return false;
    sn_fault_value(reader->faults, raw->valueint, "\"%s\" is not named but chosen by its key: {\"%s\": ...}",
                   kind->name, kind->chosen_by);
    return true;
}

cJSON *sn_resolve_string(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    const char *word = raw->valuestring;
    if ((key->types & SN_WORD) && sn_words_have(key->words, word))
        return sn_resolved(reader, cJSON_CreateString(word), raw->valueint);
    const sn_kind *kind = key->types & SN_KIND ? sn_choice_find_named(key->choice, word) : NULL;
    if (kind) return sn_resolve_kind_members(reader, raw, key->choice, kind);
    if (key->types & (SN_TEXT | SN_PATH)) return resolve_free_string(reader, raw, key);
    if (!fault_named_by_key(reader, raw, key)) sn_fault_unknown_value(reader, raw, key);
    return NULL;
}
