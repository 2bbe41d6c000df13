/* Owns the step from text to tree.  See document.h for the contract.
 *
 * The scanner gives tokens with positions; cJSON's constructors build the tree from them.  (cJSON's own parser would
 * have to be told the positions afterwards, cuts numbers at 63 characters, and takes much that is not JSON.)  All is
 * linear in the size of the text but the search for duplicates, which sorts the keys of each object. */
#include "config/document.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

typedef struct buffer {
    char *data;
    size_t size;
} buffer;

typedef struct builder {
    const sn_document *document;
    sn_places *places;
    sn_faults *faults;
    sn_error *error;
    cJSON *root;
    cJSON *open[SN_JSON_MAX_DEPTH + 1]; /* the objects and lists around the current token */
    int n_children[SN_JSON_MAX_DEPTH + 1];
    int depth;
    sn_json_token key; /* of the member that comes next */
    buffer key_text, string;
    cJSON **members; /* of the object that closes, for the search for duplicates */
    size_t capacity;
} builder;

cJSON *sn_member(const cJSON *object, const char *name) {
    if (!cJSON_IsObject(object)) return NULL;
    for (cJSON *member = object->child; member; member = member->next) {
        if (strcmp(member->string, name) == 0) return member;
    }
    return NULL;
}

static bool decode(buffer *to, const sn_json_token *token) {
    if (to->size < token->length) {
        char *grown = realloc(to->data, 2 * token->length);
        if (!grown) return false;
        to->data = grown;
        to->size = 2 * token->length;
    }
    sn_json_string(token, to->data, to->size);
    return true;
}

/* The exponent after the 'e' at p, cut where it is beyond any number of this size. */
static long read_exponent(const char *p, const char *end) {
    enum { MUCH = 100000 };
    long exponent = 0;
    bool is_negative = false;
    for (p++; p < end; p++) {
        if (*p == '-') is_negative = true;
        if (*p >= '0' && *p <= '9' && exponent < MUCH) exponent = 10 * exponent + (*p - '0');
    }
    return is_negative ? -exponent : exponent;
}

/* Whether the number's text, not only its nearest double, is a whole number of size 2^53 at most. */
static bool is_whole(const sn_json_token *token) {
    enum { MAX_DIGITS = 17 };
    const uint64_t limit = (uint64_t)1 << 53;
    uint64_t value = 0;
    long exponent = 0, n_zeros = 0; /* zeros that were seen and are not yet in `value` */
    bool in_fraction = false;
    const char *p = token->start, *end = token->start + token->length;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') in_fraction = true;
        if (*p < '0' || *p > '9') continue;
        if (in_fraction) exponent--;
        n_zeros++;
        if (*p == '0') continue;
        for (; n_zeros > 0 && value <= limit; n_zeros--)
            value *= 10;
        value += (uint64_t)(*p - '0');
        n_zeros = 0;
        if (value > limit) return false;
    }
    if (value == 0) return true;
    if (p < end) exponent += read_exponent(p, end);
    exponent += n_zeros;
    if (exponent < 0 || exponent > MAX_DIGITS) return false;
    for (; exponent > 0 && value <= limit; exponent--)
        value *= 10;
    return value <= limit;
}

static cJSON *make_node(builder *b, const sn_json_token *token) {
    switch (token->kind) {
    case SN_JSON_OBJECT_OPEN:
        return cJSON_CreateObject();
    case SN_JSON_ARRAY_OPEN:
        return cJSON_CreateArray();
    case SN_JSON_STRING:
        return decode(&b->string, token) ? cJSON_CreateString(b->string.data) : NULL;
    case SN_JSON_NUMBER:
        return cJSON_CreateNumber(sn_json_number(token));
    case SN_JSON_TRUE:
        return cJSON_CreateTrue();
    case SN_JSON_FALSE:
        return cJSON_CreateFalse();
    default:
        return cJSON_CreateNull();
    }
}

static sn_place make_place(const builder *b, const sn_json_token *token) {
    sn_place place = b->document->at;
    if (!b->document->is_fixed) {
        place.line = token->line;
        place.column = token->column;
    }
    place.is_whole = token->kind == SN_JSON_NUMBER && is_whole(token);
    if (b->depth == 0) return place;
    const cJSON *around = b->open[b->depth - 1];
    place.parent = around->valueint;
    place.name = NULL;
    place.index = cJSON_IsArray(around) ? b->n_children[b->depth - 1] : -1;
    bool has_key = !b->document->is_fixed && place.index < 0;
    place.key_line = has_key ? b->key.line : place.line;
    place.key_column = has_key ? b->key.column : place.column;
    return place;
}

static bool attach(builder *b, cJSON *node) {
    if (b->depth == 0) {
        b->root = node;
        return true;
    }
    cJSON *around = b->open[b->depth - 1];
    b->n_children[b->depth - 1]++;
    if (cJSON_IsArray(around)) return cJSON_AddItemToArray(around, node);
    if (!cJSON_AddItemToObject(around, b->key_text.data, node)) return false;
    sn_place_of(b->places, node)->name = node->string;
    return true;
}

static sn_status add_value(builder *b, const sn_json_token *token) {
    sn_place place = make_place(b, token);
    cJSON *node = make_node(b, token);
    if (node) node->valueint = sn_places_add(b->places, &place);
    if (!node || node->valueint < 0 || !attach(b, node)) {
        cJSON_Delete(node);
        return sn_error_memory(b->error, b->document->length, "a config");
    }
    if (token->kind == SN_JSON_OBJECT_OPEN || token->kind == SN_JSON_ARRAY_OPEN) {
        b->open[b->depth] = node;
        b->n_children[b->depth++] = 0;
    }
    return SN_OK;
}

/* Places are numbered in the order of the text. */
static int by_name(const void *left, const void *right) {
    const cJSON *a = *(cJSON *const *)left, *b = *(cJSON *const *)right;
    int order = strcmp(a->string, b->string);
    return order ? order : (a->valueint > b->valueint) - (a->valueint < b->valueint);
}

static sn_status check_duplicates(builder *b, const cJSON *object) {
    size_t n = (size_t)b->n_children[b->depth], i = 0;
    if (n < 2) return SN_OK;
    if (n > b->capacity) {
        cJSON **grown = realloc(b->members, 2 * n * sizeof(cJSON *));
        if (!grown) return sn_error_memory(b->error, 2 * n * sizeof(cJSON *), "a config");
        b->members = grown;
        b->capacity = 2 * n;
    }
    cJSON *member = NULL;
    cJSON_ArrayForEach(member, object) b->members[i++] = member;
    qsort(b->members, n, sizeof(cJSON *), by_name);
    size_t first = 0;
    for (i = 1; i < n; i++) {
        if (strcmp(b->members[i]->string, b->members[first]->string) != 0) {
            first = i;
        } else {
            sn_fault_key(b->faults, b->members[i]->valueint, "duplicate key, the first one is on line %d",
                         sn_place_of(b->places, b->members[first])->key_line);
        }
    }
    return SN_OK;
}

static sn_status take(builder *b, const sn_json_token *token) {
    switch (token->kind) {
    case SN_JSON_END:
    case SN_JSON_ARRAY_CLOSE:
        b->depth -= token->kind == SN_JSON_ARRAY_CLOSE;
        return SN_OK;
    case SN_JSON_OBJECT_CLOSE:
        b->depth--;
        return check_duplicates(b, b->open[b->depth]);
    case SN_JSON_KEY:
        b->key = *token;
        if (decode(&b->key_text, token)) return SN_OK;
        return sn_error_memory(b->error, token->length, "a key");
    default:
        return add_value(b, token);
    }
}

sn_status sn_document_read(cJSON **root, sn_places *places, sn_faults *faults, const sn_document *document,
                           sn_error *error) {
    builder b = {.document = document, .places = places, .faults = faults, .error = error};
    sn_json_scanner scanner;
    sn_json_init(&scanner, document->text, document->length, document->name);
    sn_json_token token = {.kind = SN_JSON_NULL};
    sn_status status = SN_OK;
    while (status == SN_OK && token.kind != SN_JSON_END) {
        status = sn_json_next(&scanner, &token, error);
        if (status == SN_OK) status = take(&b, &token);
    }
    free(b.key_text.data);
    free(b.string.data);
    free(b.members);
    if (status != SN_OK) {
        cJSON_Delete(b.root);
        b.root = NULL;
    }
    *root = b.root;
    return status;
}
