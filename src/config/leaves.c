/* Owns the walk over the leaves of a config. */
#include <string.h>

#include "config/config.h"
#include "config/tree.h"

typedef struct walk {
    const sn_config *config;
    bool (*take)(void *context, const sn_leaf *leaf);
    void *context;
    sn_text path;
} walk;

static bool is_container(const cJSON *value) {
    return cJSON_IsObject(value) || cJSON_IsArray(value);
}

static bool names_kind(const walk *w, const cJSON *object) {
    for (const cJSON *member = object->child; member; member = member->next) {
        if (sn_place_of(&w->config->places, member)->is_discriminator) return true;
    }
    return false;
}

/* Containers stay whole where --set gives them whole: [30, 60] and {"learned": 0}. */
static bool is_leaf(const walk *w, const cJSON *value) {
    if (value == w->config->root) return false;
    if (!is_container(value)) return true;
    for (const cJSON *member = value->child; member; member = member->next) {
        if (is_container(member)) return false;
    }
    return cJSON_IsArray(value) || !names_kind(w, value);
}

/* The root is no key, and its place may serve a default below it. */
static bool has_meaning(const sn_config *config, const cJSON *value) {
    return value == config->root || !sn_place_of(&config->places, value)->is_meaningless;
}

static bool visit_value(walk *w, const cJSON *value, sn_leaf leaf);

static bool visit_members(walk *w, const cJSON *container, sn_leaf leaf) {
    size_t length = w->path.length;
    int index = 0;
    bool goes_on = true;
    leaf.in_list = leaf.in_list || cJSON_IsArray(container);
    for (const cJSON *member = container->child; member && goes_on; member = member->next, index++) {
        if (length > 0) sn_text_add(&w->path, ".");
        if (cJSON_IsArray(container)) {
            sn_text_addf(&w->path, "%d", index);
        } else {
            sn_text_add(&w->path, member->string);
        }
        goes_on = !w->path.failed && visit_value(w, member, leaf);
        w->path.length = length;
        if (w->path.data) w->path.data[length] = '\0';
    }
    return goes_on;
}

/* `leaf` comes with what holds for the container around the value. */
static bool visit_value(walk *w, const cJSON *value, sn_leaf leaf) {
    leaf.path = sn_text_string(&w->path);
    leaf.value = value;
    leaf.has_meaning = leaf.has_meaning && has_meaning(w->config, value);
    if (is_leaf(w, value)) return w->take(w->context, &leaf);
    leaf.is_list = cJSON_IsArray(value);
    if (leaf.is_list && !w->take(w->context, &leaf)) return false;
    leaf.is_list = false;
    return visit_members(w, value, leaf);
}

bool sn_config_leaves(const sn_config *config, bool (*take)(void *context, const sn_leaf *leaf), void *context) {
    walk w = {config, take, context, SN_TEXT_EMPTY};
    bool finished = visit_value(&w, config->root, (sn_leaf){.has_meaning = true});
    sn_text_free(&w.path);
    return finished;
}
