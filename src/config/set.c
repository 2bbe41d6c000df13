/* Owns --set.  See set.h for the contract.
 *
 * The dotted key is walked down the raw tree and the key tables side by side, so that the value can be read by the type
 * of its key and an unknown key is told at once, with the names that are known there. */
#include "config/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/choice.h"
#include "config/document.h"
#include "config/expect.h"
#include "config/suggest.h"
#include "config/tails.h"

enum { MAX_PATH = 512 };

/* Where the walk is: a container of the raw tree, and what the tables say about it. */
typedef struct walk {
    sn_setter *setter;
    int set;
    char path[MAX_PATH];    /* the dotted key; the segment that is looked at ends with a NUL */
    const char *value_text; /* what stands after the '=' */
    cJSON *node;
    const sn_key *key;
} walk;

/* What may stand under a name: a row, and the types that all rows of that name allow. */
typedef struct target {
    const sn_key *key;
    unsigned types;
} target;

static sn_place place_for(const walk *w, const cJSON *around, const char *name, int index) {
    sn_place place = sn_place_below(w->setter->places, around->valueint, name);
    place.index = index;
    place.set = w->set;
    return place;
}

/* ---- the tables ---- */

static void look_in_kinds(target *found, const walk *w, const char *name) {
    const sn_choice *choice = w->key->choice;
    const cJSON *named = sn_member(w->node, choice->discriminator);
    const sn_kind *kind = cJSON_IsString(named) ? sn_choice_find_named(choice, named->valuestring) : NULL;
    if (strcmp(name, choice->discriminator) == 0) *found = (target){&sn_discriminator_key, SN_TEXT};
    if (!found->key && kind) found->key = sn_kind_key(choice, kind, name);
    if (!found->key) found->key = sn_keys_find(choice->common, name);
    if (found->key) {
        found->types = found->key->types;
        return;
    }
    for (const sn_kind *const *other = choice->kinds; *other; other++) {
        const sn_key *key = sn_keys_find((*other)->keys, name);
        if (!key) continue;
        if (!found->key) found->key = key;
        found->types |= key->types;
    }
}

static target find_target(const walk *w, const char *name) {
    target found = {NULL, 0};
    if (cJSON_IsArray(w->node)) return (target){w->key->element, w->key->element->types};
    found.key = sn_free_key(name, w->node == w->setter->root);
    if (!found.key && (w->key->types & SN_OBJECT)) found.key = sn_keys_find(w->key->keys, name);
    if (found.key) found.types = found.key->types;
    if (!found.key && (w->key->types & SN_KIND)) look_in_kinds(&found, w, name);
    return found;
}

static const char *argument_of(const walk *w) {
    return w->setter->places->sets[w->set];
}

static void fault_unknown(const walk *w, const char *name) {
    sn_suggestion suggestion = sn_suggestion_for(name, w->setter->schema->synonyms);
    const sn_choice *choice = w->key->types & SN_KIND ? w->key->choice : NULL;
    if (w->key->types & SN_OBJECT) sn_suggestion_offer_keys(&suggestion, w->key->keys);
    for (const sn_kind *const *kind = choice ? choice->kinds : NULL; kind && *kind; kind++)
        sn_suggestion_offer_keys(&suggestion, (*kind)->keys);
    if (choice) sn_suggestion_offer_keys(&suggestion, choice->common);
    if (choice) sn_suggestion_offer(&suggestion, choice->discriminator);
    sn_text text = SN_TEXT_EMPTY;
    sn_text around = SN_TEXT_EMPTY, whole = SN_TEXT_EMPTY;
    sn_text_add_bytes(&around, w->path, (size_t)(name - w->path));
    sn_text_add_bytes(&whole, argument_of(w), strcspn(argument_of(w), "="));
    if (suggestion.best && whole.length > strlen(w->path)) {
        sn_text_addf(&text, ", did you mean \"%s%s\"?", sn_text_string(&around), suggestion.best);
    } else {
        sn_tails_suggest(&suggestion, sn_text_string(&around), w->setter->schema, sn_text_string(&whole), &text);
    }
    text.failed |= around.failed || whole.failed;
    sn_text_free(&around);
    sn_text_free(&whole);
    if (text.failed) w->setter->failed = true;
    sn_fault_set(w->setter->faults, w->set, "unknown key \"%s\"%s", w->path, sn_text_string(&text));
    sn_text_free(&text);
}

/* ---- the tree ---- */

/* Gives a node the name of a member (cJSON's own way to replace a member by name does not look whether the copy of the
 * name could be made). */
static bool set_name(cJSON *node, const char *name) {
    size_t size = strlen(name) + 1;
    node->string = cJSON_malloc(size);
    if (node->string) memcpy(node->string, name, size);
    return node->string;
}

/* Puts `child` (owned; NULL: memory ran out) under a name of the object, or in the place of an element. */
static cJSON *put(const walk *w, const char *name, cJSON *old, cJSON *child) {
    cJSON_bool is_put = 0;
    if (child && !old) {
        is_put = cJSON_AddItemToObject(w->node, name, child);
    } else if (child && (cJSON_IsArray(w->node) || set_name(child, name))) {
        is_put = cJSON_ReplaceItemViaPointer(w->node, old, child);
    }
    if (is_put) {
        if (child->string) sn_place_of(w->setter->places, child)->name = child->string;
        return child;
    }
    cJSON_Delete(child);
    w->setter->failed = true;
    return NULL;
}

static cJSON *with_place(const walk *w, cJSON *node, sn_place place) {
    if (node) node->valueint = sn_places_add(w->setter->places, &place);
    if (node && node->valueint >= 0) return node;
    cJSON_Delete(node);
    return NULL;
}

/* A JSON text as a raw value, all of it at one place. */
static sn_status read_json(const walk *w, const char *text, sn_place place, cJSON **node, sn_error *error) {
    sn_document document = {.text = text, .length = strlen(text), .name = "value", .at = place, .is_fixed = true};
    sn_error_clear(error);
    sn_status status = sn_document_read(node, w->setter->places, w->setter->faults, &document, error);
    if (status == SN_FAILED) w->setter->failed = true;
    return status;
}

static bool names_kind(const cJSON *node, const sn_key *key) {
    const char *string = cJSON_GetStringValue(node);
    return string && (key->types & SN_KIND) && sn_choice_find_named(key->choice, string);
}

/* Whether the segment of the path after `name` chooses a kind by its presence: the default kind is not meant then. */
static bool chooses_by_key(const sn_key *key, const char *name) {
    const char *next = name + strlen(name) + 1;
    size_t length = strcspn(next, ".");
    const sn_kind *const *kind = key->types & SN_KIND ? key->choice->kinds : NULL;
    for (; kind && *kind; kind++) {
        const char *by = (*kind)->chosen_by;
        if (by && strlen(by) == length && strncmp(by, next, length) == 0) return true;
    }
    return false;
}

/* What a container under `name` begins as where the config does not have it yet. */
static cJSON *new_container(const walk *w, const char *name, const sn_key *key, sn_place place) {
    sn_error error;
    cJSON *node = NULL;
    if (key->fallback && !chooses_by_key(key, name)) read_json(w, key->fallback, place, &node, &error);
    if (names_kind(node, key) || cJSON_IsObject(node) || cJSON_IsArray(node)) return node;
    cJSON_Delete(node);
    return with_place(w, key->types & (SN_KIND | SN_OBJECT) ? cJSON_CreateObject() : cJSON_CreateArray(), place);
}

/* {"kind": string} for the bare string, at its place. */
static cJSON *unfold(const walk *w, const cJSON *bare, const sn_choice *choice) {
    sn_place below = sn_place_below(w->setter->places, bare->valueint, choice->discriminator);
    cJSON *object = cJSON_CreateObject();
    cJSON *name = with_place(w, cJSON_CreateString(bare->valuestring), below);
    if (object) object->valueint = bare->valueint;
    if (object && name && cJSON_AddItemToObject(object, choice->discriminator, name)) return object;
    cJSON_Delete(object);
    cJSON_Delete(name);
    return NULL;
}

static bool can_replace(const cJSON *node, const sn_key *key) {
    const char *string = cJSON_GetStringValue(node);
    bool is_word = string && (key->types & SN_WORD) && sn_words_have(key->words, string);
    return is_word || (cJSON_IsNumber(node) && (key->types & (SN_INTEGER | SN_NUMBER))) ||
           (cJSON_IsBool(node) && (key->types & SN_BOOL)) || (cJSON_IsNull(node) && (key->types & SN_NULL));
}

/* The container under `name`, made where it is not there.  NULL where the file's value is of a wrong type: resolving
 * will say so. */
static cJSON *enter(const walk *w, const char *name, cJSON *child, const sn_key *key) {
    int index = child ? sn_place_of(w->setter->places, child)->index : -1;
    sn_place place = place_for(w, w->node, key->name, index);
    if (!child && !key->fallback && !(key->types & (SN_KIND | SN_OBJECT))) {
        sn_fault_set(w->setter->faults, w->set, "\"%s\" is not given, it has no elements", w->path);
        return NULL;
    }
    if (!child) child = put(w, name, NULL, new_container(w, name, key, place));
    if (names_kind(child, key)) return put(w, name, child, unfold(w, child, key->choice));
    if (cJSON_IsObject(child)) return key->types & (SN_KIND | SN_OBJECT) ? child : NULL;
    if (cJSON_IsArray(child)) return key->types & SN_LIST ? child : NULL;
    if (!child || !can_replace(child, key)) return NULL;
    cJSON *fresh = key->types & (SN_KIND | SN_OBJECT) ? cJSON_CreateObject() : cJSON_CreateArray();
    return put(w, name, child, with_place(w, fresh, place));
}

/* The element of a list; NULL and a fault where `name` is no index of one. */
static cJSON *find_element(const walk *w, const char *name) {
    size_t n = strspn(name, "0123456789");
    unsigned long count = 0, index = n > 0 && n < 10 && !name[n] ? strtoul(name, NULL, 10) : (unsigned long)-1;
    cJSON *found = NULL;
    for (cJSON *element = w->node->child; element; element = element->next) {
        if (count++ == index) found = element;
    }
    int n_before = (int)(name - w->path) - 1;
    if (found) return found;
    if (n == 0 || name[n]) {
        sn_fault_set(w->setter->faults, w->set, "\"%s\" is no index: %.*s is a list of %lu elements, counted from 0",
                     name, n_before, w->path, count);
    } else {
        sn_fault_set(w->setter->faults, w->set, "no element %s: %.*s is a list of %lu elements, counted from 0", name,
                     n_before, w->path, count);
    }
    return NULL;
}

/* ---- the value ---- */

static bool fits(const cJSON *node, unsigned types) {
    return (cJSON_IsNumber(node) && (types & (SN_INTEGER | SN_NUMBER))) || (cJSON_IsBool(node) && (types & SN_BOOL)) ||
           (cJSON_IsNull(node) && (types & SN_NULL)) || (cJSON_IsArray(node) && (types & SN_LIST)) ||
           (cJSON_IsObject(node) && (types & (SN_KIND | SN_OBJECT))) ||
           (cJSON_IsString(node) && (types & (SN_TEXT | SN_PATH | SN_WORD | SN_KIND)));
}

/* Whether a text that is not JSON was meant to be: then the scanner's message helps more than the type's. */
static bool looks_like_json(const char *text) {
    char *end;
    if (text[0] && strchr("{[\"", text[0])) return true;
    strtod(text, &end);
    return end != text && *end == '\0';
}

/* JSON where that is of the key's type, else the raw text where the key takes strings; else what it is, for resolving
 * to refuse.  NULL: nothing to put. */
static cJSON *read_value(const walk *w, unsigned types, sn_place place) {
    sn_error error;
    cJSON *node = NULL;
    const char *text = w->value_text;
    size_t n_faults = sn_faults_count(w->setter->faults);
    sn_status status = read_json(w, text, place, &node, &error);
    if (status == SN_FAILED || fits(node, types)) return node;
    bool takes_any_text = types & (SN_TEXT | SN_PATH), takes_strings = takes_any_text || (types & (SN_WORD | SN_KIND));
    if (status == SN_INVALID && !takes_any_text && looks_like_json(text)) {
        sn_fault_set(w->setter->faults, w->set, "cannot read the value (%s)", error.text);
        return NULL;
    }
    bool is_scalar = !cJSON_IsObject(node) && !cJSON_IsArray(node);
    if (node && !(takes_any_text || (takes_strings && is_scalar))) return node;
    sn_faults_truncate(w->setter->faults, n_faults);
    cJSON_Delete(node);
    node = with_place(w, cJSON_CreateString(text), place);
    if (!node) w->setter->failed = true;
    return node;
}

/* ---- the walk ---- */

static void put_value(const walk *w, const char *name, cJSON *old, unsigned types) {
    int index = old ? sn_place_of(w->setter->places, old)->index : -1;
    cJSON *node = read_value(w, types, place_for(w, w->node, index < 0 ? name : NULL, index));
    if (node) put(w, name, old, node);
}

static void fault_no_keys(const walk *w, const sn_key *key) {
    sn_text text = SN_TEXT_EMPTY;
    sn_expect_write(key, &text);
    if (text.failed) w->setter->failed = true;
    sn_fault_set(w->setter->faults, w->set, "\"%s\" takes %s and has no keys", w->path, sn_text_string(&text));
    sn_text_free(&text);
}

/* One segment of the dotted key; whether the walk goes on. */
static bool step(walk *w, const char *name, bool is_last) {
    cJSON *child = cJSON_IsArray(w->node) ? find_element(w, name) : sn_member(w->node, name);
    if (cJSON_IsArray(w->node) && !child) return false;
    target found = find_target(w, name);
    if (!found.key) {
        fault_unknown(w, name);
    } else if (is_last) {
        put_value(w, name, child, found.types);
    } else if (!(found.types & (SN_KIND | SN_OBJECT | SN_LIST))) {
        fault_no_keys(w, found.key);
    } else {
        w->node = enter(w, name, child, found.key);
        w->key = found.key;
        return w->node != NULL;
    }
    return false;
}

/* Splits the argument; false and a fault where it has not the form key=value. */
static bool split(walk *w, const char *argument) {
    const char *equals = strchr(argument, '=');
    size_t n = equals ? (size_t)(equals - argument) : 0;
    const char *wrong = NULL;
    if (!equals) {
        wrong = "no \"=\", expected KEY=VALUE";
    } else if (n == 0) {
        wrong = "no key before the \"=\", expected KEY=VALUE";
    } else if (n >= MAX_PATH) {
        wrong = "the key is too long";
    } else {
        memcpy(w->path, argument, n);
        w->path[n] = '\0';
        w->value_text = equals + 1;
        if (w->path[0] == '.' || w->path[n - 1] == '.' || strstr(w->path, "..")) wrong = "an empty name in the key";
    }
    if (wrong) sn_fault_set(w->setter->faults, w->set, "%s", wrong);
    return !wrong;
}

void sn_set_apply(sn_setter *setter, int set) {
    sn_key root_key = {.types = SN_OBJECT, .keys = setter->schema->keys};
    walk w = {.setter = setter, .set = set, .node = setter->root, .key = &root_key};
    if (!split(&w, argument_of(&w))) return;
    char *name = w.path;
    bool goes_on = true;
    while (goes_on) {
        char *dot = strchr(name, '.');
        if (dot) *dot = '\0';
        goes_on = step(&w, name, !dot);
        if (dot) *dot = '.';
        name = dot ? dot + 1 : name;
    }
}
