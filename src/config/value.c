/* Owns the access to resolved values and their text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/show.h"
#include "config/tree.h"

static const sn_value *find_member(const sn_value *object, const char *name, size_t n) {
    for (const sn_value *member = object->child; member; member = member->next) {
        if (strncmp(member->string, name, n) == 0 && member->string[n] == '\0') return member;
    }
    return NULL;
}

const sn_value *sn_value_get(const sn_value *value, const char *path) {
    while (value && *path) {
        size_t n = strcspn(path, ".");
        value = cJSON_IsObject(value) ? find_member(value, path, n) : NULL;
        path += n + (path[n] == '.');
    }
    return cJSON_IsNull(value) ? NULL : value;
}

double sn_value_number(const sn_value *value, const char *path) {
    const sn_value *found = sn_value_get(value, path);
    return cJSON_IsNumber(found) ? found->valuedouble : (double)NAN;
}

int64_t sn_value_integer(const sn_value *value, const char *path) {
    const sn_value *found = sn_value_get(value, path);
    if (!cJSON_IsNumber(found)) return 0;
    if (found->valuedouble >= 0x1p63) return INT64_MAX;
    return found->valuedouble <= -0x1p63 ? INT64_MIN : (int64_t)found->valuedouble;
}

bool sn_value_bool(const sn_value *value, const char *path) {
    return cJSON_IsTrue(sn_value_get(value, path));
}

const char *sn_value_text(const sn_value *value, const char *path) {
    const sn_value *found = sn_value_get(value, path);
    return cJSON_IsString(found) ? found->valuestring : NULL;
}

bool sn_value_is_number(const sn_value *value) {
    return cJSON_IsNumber(value);
}

bool sn_value_is_text(const sn_value *value) {
    return cJSON_IsString(value);
}

bool sn_value_is_object(const sn_value *value) {
    return cJSON_IsObject(value);
}

bool sn_value_is_list(const sn_value *value) {
    return cJSON_IsArray(value);
}

static bool is_container(const sn_value *value) {
    return cJSON_IsObject(value) || cJSON_IsArray(value);
}

size_t sn_value_count(const sn_value *list) {
    size_t n = 0;
    for (const sn_value *element = sn_value_first(list); element; element = element->next)
        n++;
    return n;
}

const sn_value *sn_value_first(const sn_value *list) {
    return is_container(list) ? list->child : NULL;
}

const sn_value *sn_value_next(const sn_value *element) {
    return element ? element->next : NULL;
}

double sn_value_element(const sn_value *list, size_t i) {
    const sn_value *element = sn_value_first(list);
    while (i-- > 0)
        element = sn_value_next(element);
    return sn_value_number(element, "");
}

const char *sn_value_name(const sn_value *member) {
    return member ? member->string : NULL;
}

/* ---- text ---- */

static void write_scalar(const sn_value *value, sn_text *text) {
    char number[SN_NUMBER_TEXT];
    if (cJSON_IsString(value)) {
        sn_text_add_json(text, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        sn_text_add(text, sn_number_text(value->valuedouble, number));
    } else if (cJSON_IsBool(value)) {
        sn_text_add(text, cJSON_IsTrue(value) ? "true" : "false");
    } else {
        sn_text_add(text, "null");
    }
}

static void open_line(int depth, sn_text *text) {
    sn_text_addf(text, "\n%*s", 2 * depth, "");
}

/* A list of scalars stays on one line, and so does an empty container. */
static bool fits_on_line(const sn_value *value) {
    if (cJSON_IsObject(value)) return !value->child;
    for (const sn_value *element = value->child; element; element = element->next) {
        if (is_container(element)) return false;
    }
    return true;
}

static void write_indented(const sn_value *value, int depth, sn_text *text) {
    if (!is_container(value)) {
        write_scalar(value, text);
        return;
    }
    bool is_object = cJSON_IsObject(value), on_line = fits_on_line(value);
    sn_text_add(text, is_object ? "{" : "[");
    for (const sn_value *member = value->child; member; member = member->next) {
        if (!on_line) open_line(depth + 1, text);
        if (is_object) {
            sn_text_add_json(text, member->string);
            sn_text_add(text, ": ");
        }
        write_indented(member, depth + 1, text);
        if (member->next) sn_text_add(text, on_line ? ", " : ",");
    }
    if (!on_line) open_line(depth, text);
    sn_text_add(text, is_object ? "}" : "]");
}

void sn_config_text(const sn_config *config, sn_text *text) {
    write_indented(config->root, 0, text);
    sn_text_add(text, "\n");
}

void sn_value_text_compact(const sn_value *value, sn_text *text) {
    if (!is_container(value)) {
        write_scalar(value, text);
        return;
    }
    bool is_object = cJSON_IsObject(value);
    sn_text_add(text, is_object ? "{" : "[");
    for (const sn_value *member = value->child; member; member = member->next) {
        if (is_object) {
            sn_text_add_json(text, member->string);
            sn_text_add(text, ":");
        }
        sn_value_text_compact(member, text);
        if (member->next) sn_text_add(text, ",");
    }
    sn_text_add(text, is_object ? "}" : "]");
}
