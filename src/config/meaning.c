/* Owns the meaning of configs: its hash, and where two of them differ.
 *
 * Left out is what SN_NO_MEANING marks, and what SN_LATER marks at its default.  The members of an object are combined
 * by a sum, so their order has no effect; the elements of a list are chained, so theirs has. */
#include <string.h>

#include "base/hash.h"
#include "config/config.h"
#include "config/document.h"
#include "config/tree.h"

/* Which members count. */
typedef bool filter(const sn_place *place);

static bool has_meaning(const sn_place *place) {
    return !place->is_meaningless && !place->is_unsaid;
}

static bool is_of_every_length(const sn_place *place) {
    return has_meaning(place) && !place->is_length;
}

static bool counts(const sn_config *config, const cJSON *value) {
    return has_meaning(sn_place_of(&config->places, value));
}

static uint64_t hash_by(const sn_config *config, const cJSON *value, filter *takes) {
    uint64_t sum = 0;
    if (cJSON_IsString(value)) return sn_hash(value->valuestring, strlen(value->valuestring), 's');
    if (cJSON_IsNumber(value)) {
        double number = value->valuedouble + 0.0; /* -0 means 0 */
        return sn_hash(&number, sizeof number, 'n');
    }
    if (cJSON_IsArray(value)) {
        for (const cJSON *element = value->child; element; element = element->next) {
            uint64_t pair[2] = {sum, hash_by(config, element, takes)};
            sum = sn_hash(pair, sizeof pair, 'l');
        }
        return sn_hash(&sum, sizeof sum, 'L');
    }
    if (!cJSON_IsObject(value)) return sn_hash("", 0, cJSON_IsTrue(value) ? 't' : cJSON_IsFalse(value) ? 'f' : '0');
    for (const cJSON *member = value->child; member; member = member->next) {
        if (takes(sn_place_of(&config->places, member)))
            sum += sn_hash(member->string, strlen(member->string), hash_by(config, member, takes));
    }
    return sn_hash(&sum, sizeof sum, 'o');
}

static uint64_t hash_value(const sn_config *config, const cJSON *value) {
    return hash_by(config, value, has_meaning);
}

uint64_t sn_config_hash(const sn_config *config) {
    return hash_value(config, config->root);
}

uint64_t sn_config_hash_but_length(const sn_config *config) {
    return hash_by(config, config->root, is_of_every_length);
}

/* ---- differences ---- */

typedef struct comparison {
    const sn_config *a, *b;
    sn_text *text;
} comparison;

static void compare_values(const comparison *c, const cJSON *a, const cJSON *b);

static void name_difference(const comparison *c, const sn_config *config, const cJSON *value) {
    if (c->text->length > 0) sn_text_add(c->text, ", ");
    sn_places_path(&config->places, value->valueint, c->text);
}

/* NULL: the object names no kind. */
static const cJSON *find_discriminator(const sn_config *config, const cJSON *object) {
    for (const cJSON *member = object->child; member; member = member->next) {
        if (sn_place_of(&config->places, member)->is_discriminator) return member;
    }
    return NULL;
}

static void compare_members(const comparison *c, const cJSON *a, const cJSON *b) {
    for (const cJSON *member = a->child; member; member = member->next) {
        const cJSON *other = sn_member(b, member->string);
        if (!counts(c->a, member) && !(other && counts(c->b, other))) continue;
        if (other) {
            compare_values(c, member, other);
        } else {
            name_difference(c, c->a, member);
        }
    }
    for (const cJSON *member = b->child; member; member = member->next) {
        if (counts(c->b, member) && !sn_member(a, member->string)) name_difference(c, c->b, member);
    }
}

/* Where the kinds differ, the keys differ because of it: the discriminator alone is named. */
static void compare_objects(const comparison *c, const cJSON *a, const cJSON *b) {
    const cJSON *kind_a = find_discriminator(c->a, a), *kind_b = find_discriminator(c->b, b);
    if (!kind_a != !kind_b) {
        name_difference(c, c->a, a);
    } else if (kind_a && strcmp(kind_a->valuestring, kind_b->valuestring) != 0) {
        name_difference(c, c->a, kind_a);
    } else {
        compare_members(c, a, b);
    }
}

/* Lists of one length that differ in a few elements are compared by element, others as a whole. */
static void compare_lists(const comparison *c, const cJSON *a, const cJSON *b) {
    enum { FEW = 3 };
    size_t n_different = 0;
    const cJSON *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next)
        n_different += hash_value(c->a, x) != hash_value(c->b, y);
    if (x || y || n_different > FEW) {
        name_difference(c, c->a, a);
        return;
    }
    for (x = a->child, y = b->child; x && y; x = x->next, y = y->next)
        compare_values(c, x, y);
}

static void compare_values(const comparison *c, const cJSON *a, const cJSON *b) {
    if (hash_value(c->a, a) == hash_value(c->b, b)) return;
    if (cJSON_IsObject(a) && cJSON_IsObject(b)) {
        compare_objects(c, a, b);
    } else if (cJSON_IsArray(a) && cJSON_IsArray(b)) {
        compare_lists(c, a, b);
    } else {
        name_difference(c, c->a, a);
    }
}

void sn_config_differences(const sn_config *a, const sn_config *b, sn_text *text) {
    comparison c = {a, b, text};
    sn_text_clear(text);
    compare_values(&c, a->root, b->root);
}
