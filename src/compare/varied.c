/* Owns the settings of many runs: reading them out of configs, and access to them.  varied_select.c finds what varies.
 *
 * Keys and values are interned, so that a run is a short list of pairs of numbers and comparing is comparing numbers.
 * The order of the keys is a linked list: a key that a run brings anew stands behind its neighbour of that run. */
#include "compare/varied.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "compare/settings.h"
#include "network/family.h"

typedef struct collector {
    sn_varied *varied;
    uint32_t previous; /* the key before, in the order of this config */
    uint32_t list;     /* the list that is being read; SN_NO_STRING: none */
    size_t list_length;
    uint64_t list_hash; /* over its leaves so far */
    sn_text text;
} collector;

/* Room for one more item: the array, grown where it was full; *ok false when there is no memory, the array is then as
 * it was. */
static void *grow(void *items, size_t *capacity, size_t n, size_t size, bool *ok) {
    *ok = true;
    if (n < *capacity) return items;
    size_t wanted = *capacity ? 2 * *capacity : 64;
    void *grown = realloc(items, wanted * size);
    *ok = grown != NULL;
    if (grown) *capacity = wanted;
    return grown ? grown : items;
}

/* ---- values ---- */

/* The text begins with the type: the word 1 is not the number 1. */
static uint32_t intern_value(sn_varied *v, const char *typed) {
    size_t before = v->values.n;
    bool ok = false;
    v->facts = grow(v->facts, &v->fact_capacity, before, sizeof *v->facts, &ok);
    if (!ok) return SN_NO_STRING;
    uint32_t value = sn_intern_add(&v->values, typed);
    if (value == before) {
        bool is_number = typed[0] == SN_VALUE_NUMBER;
        v->facts[value] = (struct sn_value_facts){typed[0], is_number ? strtod(typed + 1, NULL) : 0};
    }
    return value;
}

uint32_t sn_varied_word(sn_varied *varied, const char *word) {
    sn_text typed = SN_TEXT_EMPTY;
    sn_text_addf(&typed, "%c%s", SN_VALUE_TEXT, word);
    uint32_t value = typed.failed ? SN_NO_STRING : intern_value(varied, sn_text_string(&typed));
    sn_text_free(&typed);
    return value;
}

static char type_of(const sn_value *value) {
    if (!sn_value_get(value, "")) return SN_VALUE_NULL;
    if (sn_value_is_number(value)) return SN_VALUE_NUMBER;
    if (sn_value_is_text(value)) return SN_VALUE_TEXT;
    return sn_value_is_list(value) || sn_value_is_object(value) ? SN_VALUE_JSON : SN_VALUE_BOOL;
}

static uint32_t value_of(collector *c, const sn_value *value) {
    char type = type_of(value);
    sn_text_clear(&c->text);
    sn_text_addf(&c->text, "%c", type);
    if (type == SN_VALUE_TEXT) {
        sn_text_add(&c->text, sn_value_text(value, ""));
    } else {
        sn_value_text_compact(value, &c->text);
    }
    return c->text.failed ? SN_NO_STRING : intern_value(c->varied, sn_text_string(&c->text));
}

/* ---- keys ---- */

static uint32_t add_key(collector *c, const char *path, bool is_path) {
    sn_varied *v = c->varied;
    uint32_t before = (uint32_t)v->paths.n;
    bool ok = false;
    v->keys = grow(v->keys, &v->key_capacity, before, sizeof *v->keys, &ok);
    if (!ok) return SN_NO_STRING;
    uint32_t key = sn_intern_add(&v->paths, path);
    if (key == SN_NO_STRING) return key;
    if (key == before) {
        uint32_t *link = c->previous == SN_NO_STRING ? &v->first : &v->keys[c->previous].next;
        v->keys[key] = (struct sn_key_facts){.next = *link, .list = c->list, .is_path = is_path};
        *link = key;
    }
    c->previous = key;
    return key;
}

static bool add_setting(sn_varied *v, uint32_t key, uint32_t value) {
    if (key == SN_NO_STRING || value == SN_NO_STRING) return false;
    bool ok = false;
    v->settings = grow(v->settings, &v->setting_capacity, v->n_settings, sizeof *v->settings, &ok);
    if (!ok) return false;
    v->settings[v->n_settings++] = (struct sn_setting){key, value};
    struct sn_key_facts *facts = &v->keys[key];
    facts->is_many = facts->is_many || (facts->n_runs > 0 && facts->value != value);
    facts->value = value;
    facts->n_runs++;
    return true;
}

/* What a list says as one value: its length, and a hash of what is in it. */
static bool close_list(collector *c) {
    char typed[64];
    if (c->list == SN_NO_STRING) return true;
    uint32_t list = c->list;
    c->list = SN_NO_STRING;
    snprintf(typed, sizeof typed, "%c%zu %s %08x", SN_VALUE_TEXT, c->list_length,
             c->list_length == 1 ? "entry" : "entries", (unsigned)(c->list_hash >> 32));
    return add_setting(c->varied, list, intern_value(c->varied, typed));
}

static bool open_list(collector *c, const sn_leaf *leaf) {
    uint32_t list = add_key(c, leaf->path, false);
    if (list == SN_NO_STRING) return false;
    c->varied->keys[list].is_list = true;
    c->list = list;
    c->list_length = sn_value_count(leaf->value);
    c->list_hash = 0;
    return true;
}

static bool take_leaf(void *context, const sn_leaf *leaf) {
    collector *c = context;
    if (!leaf->in_list && !close_list(c)) return false;
    bool is_path =
        !leaf->has_meaning && strncmp(leaf->path, "data.", 5) == 0 && strcmp(leaf->path, "data.comment") != 0;
    if (!leaf->has_meaning && !is_path) return true;
    if (leaf->is_list) return leaf->in_list || open_list(c, leaf);
    uint32_t value = value_of(c, leaf->value), key = add_key(c, leaf->path, is_path);
    if (!add_setting(c->varied, key, value)) return false;
    if (leaf->in_list) {
        c->list_hash = sn_hash(leaf->path, strlen(leaf->path), c->list_hash);
        c->list_hash = sn_hash(sn_text_string(&c->text), c->text.length, c->list_hash);
    }
    return true;
}

/* Skip kinds first, so that their order is that of their table. */
static bool begin(sn_varied *v) {
    if (v->n_runs > 0) return true;
    v->first = SN_NO_STRING;
    for (const sn_kind *const *kind = sn_skip_choice.kinds; *kind; kind++) {
        if (sn_varied_word(v, (*kind)->name) == SN_NO_STRING) return false;
    }
    return true;
}

sn_status sn_varied_add(sn_varied *varied, const sn_config *config, sn_error *error) {
    sn_varied *v = varied;
    collector c = {.varied = v, .previous = SN_NO_STRING, .list = SN_NO_STRING, .text = SN_TEXT_EMPTY};
    bool ok = begin(v);
    if (ok) v->runs = grow(v->runs, &v->run_capacity, v->n_runs, sizeof *v->runs, &ok);
    if (ok) {
        v->runs[v->n_runs] = (struct sn_run_settings){v->n_settings, 0};
        ok = !config || (sn_config_leaves(config, take_leaf, &c) && close_list(&c));
        v->runs[v->n_runs].n = v->n_settings - v->runs[v->n_runs].first;
        v->n_runs++;
    }
    sn_text_free(&c.text);
    return ok ? SN_OK : sn_error_memory(error, v->n_settings * sizeof *v->settings, "the keys of the runs");
}

void sn_varied_reset(sn_varied *varied) {
    sn_intern_reset(&varied->paths);
    sn_intern_reset(&varied->values);
    free(varied->keys);
    free(varied->facts);
    free(varied->settings);
    free(varied->runs);
    free(varied->columns);
    free(varied->cells);
    *varied = (sn_varied){0};
}

/* ---- access ---- */

bool sn_varied_knows(const sn_varied *varied, size_t run) {
    return varied->runs[run].n > 0;
}

uint32_t sn_varied_value(const sn_varied *varied, size_t run, uint32_t key) {
    const struct sn_setting *settings = varied->settings + varied->runs[run].first;
    for (size_t i = 0; i < varied->runs[run].n; i++) {
        if (settings[i].key == key) return settings[i].value;
    }
    return SN_NO_STRING;
}

const uint32_t *sn_varied_cells(const sn_varied *varied, size_t run) {
    return varied->cells + run * varied->n_columns;
}

const char *sn_varied_name(const sn_varied *varied, size_t column) {
    return varied->paths.strings[varied->columns[column]];
}

static bool ends_with(const char *path, const char *tail) {
    size_t n = strlen(path), n_tail = strlen(tail);
    return n == n_tail ? strcmp(path, tail) == 0
                       : n > n_tail && path[n - n_tail - 1] == '.' && strcmp(path + n - n_tail, tail) == 0;
}

static bool is_unique(const sn_varied *varied, const char *tail) {
    int n = 0;
    for (size_t k = 0; k < varied->paths.n && n < 2; k++)
        n += ends_with(varied->paths.strings[k], tail);
    return n < 2;
}

const char *sn_varied_title(const sn_varied *varied, size_t column) {
    const char *name = sn_varied_name(varied, column), *tail = name + strlen(name);
    do {
        for (tail--; tail > name && tail[-1] != '.';)
            tail--;
    } while (tail > name && !is_unique(varied, tail));
    return tail;
}

size_t sn_varied_find(const sn_varied *varied, const char *name) {
    size_t column = 0;
    while (column < varied->n_columns && strcmp(sn_varied_name(varied, column), name) != 0)
        column++;
    return column;
}

const char *sn_varied_type(const sn_varied *varied, size_t column) {
    bool is_integer = true, is_number = true, is_bool = true;
    for (size_t i = 0; i < varied->n_runs; i++) {
        uint32_t cell = sn_varied_cells(varied, i)[column];
        if (cell == SN_NO_STRING) continue;
        const struct sn_value_facts *facts = &varied->facts[cell];
        is_bool = is_bool && facts->type == SN_VALUE_BOOL;
        is_number = is_number && facts->type == SN_VALUE_NUMBER;
        is_integer = is_integer && is_number && !strpbrk(sn_varied_text(varied, cell), ".e");
    }
    return is_bool ? "boolean" : is_integer ? "integer" : is_number ? "number" : "string";
}

const char *sn_varied_text(const sn_varied *varied, uint32_t cell) {
    return cell == SN_NO_STRING ? "" : varied->values.strings[cell] + 1;
}

bool sn_varied_means(const sn_varied *varied, uint32_t cell, const char *text) {
    if (cell == SN_NO_STRING) return false;
    if (strcmp(sn_varied_text(varied, cell), text) == 0) return true;
    if (varied->facts[cell].type != SN_VALUE_NUMBER) return false;
    char *end = NULL;
    double number = strtod(text, &end);
    return end != text && !*end && number == varied->facts[cell].number;
}

/* Numbers before words: the types in this order. */
static int rank(const sn_varied *varied, uint32_t cell) {
    if (cell == SN_NO_STRING) return 0;
    char type = varied->facts[cell].type;
    return type == SN_VALUE_NULL ? 1 : type == SN_VALUE_NUMBER ? 2 : 3;
}

int sn_varied_order(const sn_varied *varied, uint32_t a, uint32_t b) {
    if (a == b) return 0;
    int rank_a = rank(varied, a), rank_b = rank(varied, b);
    if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
    if (rank_a == 2) return varied->facts[a].number < varied->facts[b].number ? -1 : 1;
    return a < b ? -1 : 1;
}
