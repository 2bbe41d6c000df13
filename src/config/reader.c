/* Owns the way through a document: objects, lists, defaults.  See reader.h for the contract. */
#include "config/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/choice.h"
#include "config/config.h"
#include "config/document.h"
#include "config/expect.h"
#include "config/guess.h"
#include "config/suggest.h"
#include "config/tails.h"

void sn_fault_type(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "expected ");
    sn_expect_write(key, &text);
    sn_text_add(&text, ", got ");
    sn_found_write(raw, &text);
    if (text.failed) reader->failed = true;
    sn_fault_value(reader->faults, raw->valueint, "%s", sn_text_string(&text));
    sn_text_free(&text);
}

cJSON *sn_resolved(sn_reader *reader, cJSON *node, int place) {
    if (node) {
        node->valueint = place;
    } else {
        reader->failed = true;
    }
    return node;
}

cJSON *sn_resolved_container(sn_reader *reader, const cJSON *raw, cJSON *node) {
    if (reader->depth < SN_CONFIG_MAX_DEPTH) return sn_resolved(reader, node, raw->valueint);
    sn_fault_value(reader->faults, raw->valueint, "nested deeper than %d levels", SN_CONFIG_MAX_DEPTH);
    cJSON_Delete(node);
    return NULL;
}

void sn_resolved_add(sn_reader *reader, cJSON *out, const sn_key *key, const char *name, cJSON *node) {
    if (!node) return;
    sn_place *place = sn_place_of(reader->places, node);
    place->name = name;
    place->is_meaningless = key->flags & SN_NO_MEANING;
    place->is_length = key->flags & SN_LENGTH;
    place->is_guess = key->flags & SN_GUESS;
    if (cJSON_AddItemToObjectCS(out, name, node)) return;
    cJSON_Delete(node);
    reader->failed = true;
}

/* The default of a key; it stands where the object that lacks the key opens. */
static cJSON *resolve_fallback(sn_reader *reader, int around, const sn_key *key) {
    sn_document document = {.text = key->fallback,
                            .length = strlen(key->fallback),
                            .name = key->name,
                            .at = sn_place_below(reader->places, around, key->name),
                            .is_fixed = true};
    cJSON *raw = NULL;
    sn_error error;
    sn_error_clear(&error);
    sn_status status = sn_document_read(&raw, reader->places, reader->faults, &document, &error);
    if (status == SN_INVALID) {
        sn_fault_missing(reader->faults, around, key->name, "the default in the table is not JSON (%s)", error.text);
        return NULL;
    }
    cJSON *node = status == SN_OK ? sn_resolve(reader, raw, key) : NULL;
    if (status != SN_OK) reader->failed = true;
    if (node) sn_place_of(reader->places, node)->is_default = true;
    cJSON_Delete(raw);
    return node;
}

/* The stem of the file that is being read, as the value of a key that takes it by default. */
static cJSON *resolve_stem(sn_reader *reader, int around, const sn_key *key) {
    bool is_stdin = strcmp(reader->places->name, "<stdin>") == 0;
    char *stem = sn_path_stem(is_stdin ? "stdin" : reader->places->name);
    cJSON *raw = stem ? cJSON_CreateString(stem) : NULL;
    if (raw) raw->valueint = around;
    cJSON *node = raw ? sn_resolve(reader, raw, key) : NULL;
    if (!raw) reader->failed = true;
    cJSON_Delete(raw);
    free(stem);
    return node;
}

static void fault_required(sn_reader *reader, int around, const sn_key *key) {
    sn_text text = SN_TEXT_EMPTY;
    sn_expect_write(key, &text);
    if (text.failed) reader->failed = true;
    sn_fault_missing(reader->faults, around, key->name, "missing, expected %s", sn_text_string(&text));
    sn_text_free(&text);
}

/* Whether a resolved value is the default, digit for digit. */
static bool is_fallback(sn_reader *reader, int around, const sn_key *key, const cJSON *value) {
    int n_places = reader->places->n;
    cJSON *fallback = resolve_fallback(reader, around, key);
    sn_text own = SN_TEXT_EMPTY, other = SN_TEXT_EMPTY;
    sn_value_text_compact(value, &own);
    if (fallback) sn_value_text_compact(fallback, &other);
    bool is_equal = strcmp(sn_text_string(&own), sn_text_string(&other)) == 0;
    if (own.failed || other.failed) reader->failed = true;
    sn_text_free(&own);
    sn_text_free(&other);
    cJSON_Delete(fallback);
    reader->places->n = n_places;
    return is_equal;
}

static void resolve_at(sn_reader *reader, const cJSON *raw, int around, const sn_key *key, cJSON *out) {
    const cJSON *member = sn_member(raw, key->name);
    bool means_absent = cJSON_IsNull(member) && (key->types & SN_NULL) && !key->fallback;
    cJSON *node = NULL;
    if (member && !means_absent) {
        node = sn_resolve(reader, member, key);
    } else if (key->fallback) {
        node = resolve_fallback(reader, around, key);
    } else if (key->flags & SN_STEM) {
        node = resolve_stem(reader, around, key);
    } else if (key->flags & SN_REQUIRED) {
        fault_required(reader, around, key);
    }
    bool is_unsaid = node && key->fallback && key->flags & SN_LATER && is_fallback(reader, around, key, node);
    if (is_unsaid) sn_place_of(reader->places, node)->is_unsaid = true;
    sn_resolved_add(reader, out, key, key->name, node);
}

void sn_resolve_member(sn_reader *reader, const cJSON *raw, const sn_key *key, cJSON *out) {
    resolve_at(reader, raw, out->valueint, key, out);
}

void sn_tell_idle(sn_reader *reader, const cJSON *member, const char *format, ...) {
    char reason[512];
    if (!reader->idles) return;
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (!sn_idles_add(reader->idles, reader->pool, reader->places, member, reason)) reader->failed = true;
}

bool sn_idle_counts(sn_reader *reader, const cJSON *member, const cJSON *out, const sn_key *key) {
    const cJSON *value = sn_member(out, key->name);
    if (!value || !key->fallback || sn_place_of(reader->places, member)->set >= 0) return value;
    return !is_fallback(reader, out->valueint, key, value);
}

/* The member that rules by `ruler` over the members of an object: the raw one, or a default where a value rules that
 * nobody gave; NULL where none does. */
static const cJSON *find_ruler(const sn_reader *reader, const cJSON *raw, const cJSON *out, const sn_ruler *ruler) {
    bool is_elsewhere = strchr(ruler->key, '.');
    const cJSON *found = is_elsewhere ? sn_value_get(reader->root, ruler->key) : sn_member(raw, ruler->key);
    const cJSON *value = is_elsewhere ? found : sn_member(out, ruler->key);
    if (!found && ruler->value) found = value;
    if (!found || !value || cJSON_IsNull(value)) return NULL;
    if (!ruler->value) return found;
    sn_text text = SN_TEXT_EMPTY;
    sn_value_text_compact(value, &text);
    bool rules = strcmp(sn_text_string(&text), ruler->value) == 0;
    sn_text_free(&text);
    return rules ? found : NULL;
}

static void tell_ruler(sn_reader *reader, const cJSON *ruled, const cJSON *ruler, const char *value) {
    sn_text path = SN_TEXT_EMPTY;
    sn_places_path(reader->places, ruler->valueint, &path);
    sn_tell_idle(reader, ruled, "%s is %s", sn_text_string(&path), value ? value : "given");
    sn_text_free(&path);
}

/* A --set of the key that rules over one in the file is meant to. */
void sn_tell_ruled(sn_reader *reader, const cJSON *raw, const cJSON *out, const sn_key *keys) {
    for (const sn_key *key = keys; key && key->name; key++) {
        const cJSON *ruled = key->ruled_by ? sn_member(raw, key->name) : NULL;
        for (const sn_ruler *by = key->ruled_by; ruled && by->key; by++) {
            const cJSON *ruler = find_ruler(reader, raw, out, by);
            bool is_file = ruler && sn_place_of(reader->places, ruled)->set < 0;
            bool is_meant = is_file && sn_place_of(reader->places, ruler)->set >= 0;
            if (!ruler || is_meant || !sn_idle_counts(reader, ruled, out, key)) continue;
            tell_ruler(reader, ruled, ruler, by->value);
            break;
        }
    }
}

void sn_suggest_member(sn_reader *reader, const cJSON *raw, const char *name, const sn_suggestion *near,
                       sn_text *text) {
    sn_text path = SN_TEXT_EMPTY;
    sn_places_path(reader->places, raw->valueint, &path);
    sn_text_addf(&path, "%s%s", path.length > 0 ? "." : "", name);
    sn_tails_suggest(near, "", reader->schema, sn_text_string(&path), text);
    if (path.failed) reader->failed = true;
    sn_text_free(&path);
}

static void check_unknown(sn_reader *reader, const cJSON *raw, const sn_key *keys, bool is_root) {
    for (const cJSON *member = raw->child; member; member = member->next) {
        const char *name = member->string;
        if (sn_free_key(name, is_root) || sn_keys_find(keys, name)) continue;
        sn_suggestion suggestion = sn_suggestion_for(name, reader->schema->synonyms);
        sn_suggestion_offer_keys(&suggestion, keys);
        sn_suggestion_offer(&suggestion, sn_comment_key.name);
        sn_text text = SN_TEXT_EMPTY;
        sn_suggest_member(reader, raw, name, &suggestion, &text);
        bool has_suggestion = text.length > 0;
        for (const sn_key *key = keys; !has_suggestion && key->name; key++)
            sn_text_addf(&text, "%s%s", key == keys ? " (one of: " : ", ", key->name);
        if (!has_suggestion && text.length > 0) sn_text_add(&text, ")");
        if (text.failed) reader->failed = true;
        sn_fault_key(reader->faults, member->valueint, "unknown key%s", sn_text_string(&text));
        sn_text_free(&text);
    }
}

static cJSON *resolve_object(sn_reader *reader, const cJSON *raw, const sn_key *keys, bool is_root) {
    cJSON *out = sn_resolved_container(reader, raw, cJSON_CreateObject());
    if (!out) return NULL;
    if (is_root) sn_resolve_member(reader, raw, &sn_schema_key, out);
    sn_resolve_member(reader, raw, &sn_comment_key, out);
    for (const sn_key *key = keys; key->name; key++)
        sn_resolve_member(reader, raw, key, out);
    if (is_root) sn_resolve_member(reader, raw, &sn_guessed_key, out);
    if (is_root) sn_guesses_take(reader, out);
    sn_tell_ruled(reader, raw, out, keys);
    check_unknown(reader, raw, keys, is_root);
    return out;
}

cJSON *sn_resolve_root(sn_reader *reader, const cJSON *raw, const sn_key *keys) {
    static const sn_key root_key = {.types = SN_OBJECT};
    if (cJSON_IsObject(raw)) return resolve_object(reader, raw, keys, true);
    sn_fault_type(reader, raw, &root_key);
    return NULL;
}

static cJSON *resolve_list(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    if (!raw->child && (key->flags & SN_NOT_EMPTY)) {
        sn_fault_value(reader->faults, raw->valueint, "the list is empty, expected at least one element");
        return NULL;
    }
    cJSON *out = sn_resolved_container(reader, raw, cJSON_CreateArray());
    for (const cJSON *element = raw->child; out && element; element = element->next) {
        cJSON *node = sn_resolve(reader, element, key->element);
        if (node && !cJSON_AddItemToArray(out, node)) {
            cJSON_Delete(node);
            reader->failed = true;
        }
    }
    return out;
}

static cJSON *resolve_by_type(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    unsigned types = key->types;
    if (cJSON_IsNumber(raw) && (types & (SN_INTEGER | SN_NUMBER))) return sn_resolve_number(reader, raw, key);
    if (cJSON_IsString(raw) && (types & (SN_TEXT | SN_PATH | SN_WORD | SN_KIND)))
        return sn_resolve_string(reader, raw, key);
    if (cJSON_IsObject(raw) && (types & SN_KIND)) return sn_resolve_kind(reader, raw, key->choice);
    if (cJSON_IsObject(raw) && (types & SN_OBJECT)) return resolve_object(reader, raw, key->keys, false);
    if (cJSON_IsArray(raw) && (types & SN_LIST)) return resolve_list(reader, raw, key);
    if (cJSON_IsBool(raw) && (types & SN_BOOL))
        return sn_resolved(reader, cJSON_CreateBool(cJSON_IsTrue(raw)), raw->valueint);
    if (cJSON_IsNull(raw) && (types & SN_NULL)) return sn_resolved(reader, cJSON_CreateNull(), raw->valueint);
    sn_fault_type(reader, raw, key);
    return NULL;
}

cJSON *sn_resolve(sn_reader *reader, const cJSON *raw, const sn_key *key) {
    reader->depth++;
    cJSON *node = resolve_by_type(reader, raw, key);
    reader->depth--;
    return node;
}
