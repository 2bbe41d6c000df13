/* Owns interned strings. */
#include "compare/intern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint32_t *find_slot(const sn_intern *intern, const char *string) {
    size_t mask = intern->n_slots - 1;
    for (size_t i = sn_hash(string, strlen(string), 0) & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &intern->slots[i];
        if (*slot == 0 || strcmp(intern->strings[*slot - 1], string) == 0) return slot;
    }
}

static bool grow_slots(sn_intern *intern) {
    size_t n_slots = intern->n_slots ? 2 * intern->n_slots : 256;
    uint32_t *slots = calloc(n_slots, sizeof *slots);
    if (!slots) return false;
    free(intern->slots);
    intern->slots = slots;
    intern->n_slots = n_slots;
    for (size_t i = 0; i < intern->n; i++)
        *find_slot(intern, intern->strings[i]) = (uint32_t)i + 1;
    return true;
}

static bool grow_strings(sn_intern *intern) {
    size_t capacity = intern->capacity ? 2 * intern->capacity : 128;
    const char **strings = realloc(intern->strings, capacity * sizeof *strings);
    if (!strings) return false;
    intern->strings = strings;
    intern->capacity = capacity;
    return true;
}

uint32_t sn_intern_add(sn_intern *intern, const char *string) {
    if (2 * intern->n >= intern->n_slots && !grow_slots(intern)) return SN_NO_STRING;
    uint32_t *slot = find_slot(intern, string);
    if (*slot) return *slot - 1;
    if (intern->n + 1 >= SN_NO_STRING) return SN_NO_STRING;
    if (intern->n == intern->capacity && !grow_strings(intern)) return SN_NO_STRING;
    const char *copy = sn_pool_string(&intern->pool, string);
    if (!copy) return SN_NO_STRING;
    intern->strings[intern->n++] = copy;
    *slot = (uint32_t)intern->n;
    return *slot - 1;
}

uint32_t sn_intern_find(const sn_intern *intern, const char *string) {
    return intern->n_slots ? *find_slot(intern, string) - 1 : SN_NO_STRING;
}

void sn_intern_reset(sn_intern *intern) {
    free(intern->strings);
    free(intern->slots);
    sn_pool_free(&intern->pool);
    *intern = (sn_intern){0};
}
