/* Owns what makes a config portable.  See portable.h and config.h for the contracts.
 *
 * The raw tree and the key tables are walked side by side.  Which kind an object has does not matter here: a member is
 * looked at by the rows that any kind has for it, since a sweep may choose that kind. */
#include "config/portable.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/choice.h"
#include "config/config.h"
#include "config/document.h"
#include "config/tree.h"

static void make_portable(sn_reader *reader, cJSON *raw, const sn_key *key);

static void visit_path(sn_reader *reader, cJSON *raw, const sn_key *key) {
    const char *string = raw->valuestring;
    bool is_word = (key->types & SN_WORD) && sn_words_have(key->words, string);
    if (!string[0] || is_word || ((key->types & SN_KIND) && sn_choice_find_named(key->choice, string))) return;
    char *absolute = sn_absolute_path(reader, raw);
    if (absolute && !cJSON_SetValuestring(raw, absolute)) reader->failed = true;
    free(absolute);
}

static void visit_members(sn_reader *reader, cJSON *raw, const sn_key *keys) {
    for (cJSON *member = raw->child; member; member = member->next) {
        const sn_key *key = sn_keys_find(keys, member->string);
        if (key) make_portable(reader, member, key);
    }
}

static void make_portable(sn_reader *reader, cJSON *raw, const sn_key *key) {
    unsigned types = key->types;
    if (cJSON_IsString(raw) && (types & SN_PATH)) visit_path(reader, raw, key);
    for (cJSON *element = cJSON_IsArray(raw) && (types & SN_LIST) ? raw->child : NULL; element; element = element->next)
        make_portable(reader, element, key->element);
    if (!cJSON_IsObject(raw)) return;
    if (types & SN_OBJECT) visit_members(reader, raw, key->keys);
    if (!(types & SN_KIND)) return;
    visit_members(reader, raw, key->choice->common);
    for (const sn_kind *const *kind = key->choice->kinds; *kind; kind++)
        visit_members(reader, raw, (*kind)->keys);
}

/* The resolved value of a key that takes the file's stem, where the tree does not give one. */
static void add_stem(sn_reader *reader, cJSON *root, const sn_key *key) {
    if (!(key->flags & SN_STEM) || sn_member(root, key->name)) return;
    cJSON *none = cJSON_CreateObject(), *out = cJSON_CreateObject();
    if (none && out) {
        none->valueint = out->valueint = root->valueint;
        sn_resolve_member(reader, none, key, out);
        cJSON *node = cJSON_DetachItemFromObjectCaseSensitive(out, key->name);
        if (node && !cJSON_AddItemToObjectCS(root, key->name, node)) reader->failed = true;
    } else {
        reader->failed = true;
    }
    cJSON_Delete(none);
    cJSON_Delete(out);
}

bool sn_make_portable(sn_reader *reader, cJSON *root, const sn_key *keys) {
    static const sn_key root_key = {.types = SN_OBJECT};
    if (!cJSON_IsObject(root)) {
        sn_fault_type(reader, root, &root_key);
        return !reader->failed;
    }
    visit_members(reader, root, keys);
    for (const sn_key *key = keys; key->name; key++)
        add_stem(reader, root, key);
    return !reader->failed;
}

/* The value at a dotted path whose segments are keys, or indices of a list. */
static const cJSON *find(const cJSON *node, const char *path, size_t length) {
    const char *end = path + length;
    while (node && path < end) {
        char name[256];
        size_t n = strcspn(path, ".=");
        if (n >= sizeof name) return NULL;
        memcpy(name, path, n);
        name[n] = '\0';
        node = cJSON_IsArray(node) ? cJSON_GetArrayItem(node, (int)strtol(name, NULL, 10)) : sn_member(node, name);
        path += n + 1;
    }
    return node;
}

/* What stands in the portable config where a --set was applied: a path as it is (no absolute path is JSON), what holds
 * paths as JSON; else nothing. */
static void add_portable_value(const cJSON *value, sn_text *text) {
    if (value && cJSON_IsString(value) && value->valuestring[0] == '/') {
        sn_text_add(text, value->valuestring);
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        sn_value_text_compact(value, text);
    }
}

char *sn_config_portable_set(const sn_schema *schema, const char *text, const char *set) {
    size_t n_key = strcspn(set, "=");
    sn_config_source source = {.path = "config", .text = text, .sets = &set, .n_sets = 1};
    sn_config *config = NULL;
    sn_error ignored;
    sn_error_clear(&ignored);
    sn_text portable = SN_TEXT_EMPTY;
    if (sn_config_read_portable(&config, schema, &source, &ignored) == SN_OK) {
        add_portable_value(find(config->root, set, n_key), &portable);
    }
    sn_text whole = SN_TEXT_EMPTY;
    if (portable.length > 0) {
        sn_text_add_bytes(&whole, set, n_key + 1);
        sn_text_add(&whole, sn_text_string(&portable));
    } else {
        sn_text_add(&whole, set);
    }
    whole.failed |= portable.failed;
    sn_text_free(&portable);
    sn_config_free(config);
    return sn_text_take(&whole);
}
