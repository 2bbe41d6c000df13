/* Owns the list of guesses in a resolved config. */
#include "config/guess.h"

#include "config/choice.h"
#include "config/config.h"
#include "config/document.h"

static void mark(const sn_reader *reader, const cJSON *out, const char *path) {
    const cJSON *value = sn_value_get(out, path);
    sn_place *place = value ? sn_place_of(reader->places, value) : NULL;
    if (place && place->is_guess && place->set < 0) place->is_default = true;
}

static cJSON *new_node(sn_reader *reader, cJSON *node, int around, int index) {
    sn_place place = sn_place_below(reader->places, around, NULL);
    place.index = index;
    int number = node ? sn_places_add(reader->places, &place) : -1;
    if (number >= 0) return sn_resolved(reader, node, number);
    cJSON_Delete(node);
    reader->failed = true;
    return NULL;
}

static void add_path(sn_reader *reader, cJSON *list, int place) {
    sn_text path = SN_TEXT_EMPTY;
    sn_places_path(reader->places, place, &path);
    cJSON *node = new_node(reader, cJSON_CreateString(sn_text_string(&path)), list->valueint, cJSON_GetArraySize(list));
    if (path.failed || (node && !cJSON_AddItemToArray(list, node))) reader->failed = true;
    sn_text_free(&path);
}

static void collect(sn_reader *reader, const cJSON *object, cJSON *list) {
    for (const cJSON *member = object->child; member && !reader->failed; member = member->next) {
        const sn_place *place = sn_place_of(reader->places, member);
        if (place->is_guess && place->is_default) add_path(reader, list, member->valueint);
        if (cJSON_IsObject(member)) collect(reader, member, list);
    }
}

void sn_guesses_take(sn_reader *reader, cJSON *out) {
    cJSON *named = cJSON_DetachItemFromObjectCaseSensitive(out, sn_guessed_key.name);
    for (const cJSON *path = named ? named->child : NULL; path; path = path->next)
        mark(reader, out, path->valuestring);
    cJSON_Delete(named);
    cJSON *list = new_node(reader, cJSON_CreateArray(), out->valueint, -1);
    if (!list) return;
    collect(reader, out, list);
    if (list->child) {
        sn_resolved_add(reader, out, &sn_guessed_key, sn_guessed_key.name, list);
    } else {
        cJSON_Delete(list);
    }
}
