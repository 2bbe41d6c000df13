/* Owns the collection of faults.  See fault.h for the contract. */
#include "config/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sn_reader_fault {
    int set, line, column;
    size_t order; /* of discovery, for faults at one position */
    char *text;
};

enum {
    MAX_FAULTS = 4096, /* more lines than an error record holds; a hostile file shall not cost memory */
    MAX_MESSAGE = 2048,
};

void sn_place_write(const sn_places *places, const sn_place *place, sn_text *text) {
    if (place->set >= 0) {
        sn_text_addf(text, "%s %s: ", places->origins ? places->origins[place->set] : "--set",
                     places->sets[place->set]);
    } else {
        sn_text_addf(text, "%s:%d:%d: ", places->name, place->line, place->column);
    }
}

static bool reserve_fault(sn_faults *faults) {
    if (faults->n < faults->capacity) return true;
    size_t capacity = faults->capacity ? 2 * faults->capacity : 16;
    sn_reader_fault *grown = realloc(faults->items, capacity * sizeof *grown);
    if (!grown) return false;
    faults->items = grown;
    faults->capacity = capacity;
    return true;
}

/* `where` is the place with the position that the message shall have. */
static void add(sn_faults *faults, const sn_place *where, const char *path, const char *message) {
    sn_text text = SN_TEXT_EMPTY;
    sn_place_write(faults->places, where, &text);
    if (path[0]) sn_text_addf(&text, "%s: ", path);
    sn_text_add(&text, message);
    char *line = sn_text_take(&text);
    if (!line || !reserve_fault(faults)) {
        free(line);
        faults->failed = true;
        return;
    }
    faults->items[faults->n] = (sn_reader_fault){where->set, where->line, where->column, faults->n, line};
    faults->n++;
}

static void add_at(sn_faults *faults, const sn_place *where, int place, const char *name, const char *message) {
    if (faults->n == MAX_FAULTS) {
        faults->dropped++;
        return;
    }
    sn_text path = SN_TEXT_EMPTY;
    sn_places_path(faults->places, place, &path);
    if (name) sn_text_addf(&path, "%s%s", path.length > 0 ? "." : "", name);
    if (path.failed) faults->failed = true;
    add(faults, where, sn_text_string(&path), message);
    sn_text_free(&path);
}

void sn_fault_value(sn_faults *faults, int place, const char *format, ...) {
    char message[MAX_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    add_at(faults, &faults->places->items[place], place, NULL, message);
}

void sn_fault_key(sn_faults *faults, int place, const char *format, ...) {
    char message[MAX_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    sn_place where = faults->places->items[place];
    where.line = where.key_line;
    where.column = where.key_column;
    add_at(faults, &where, place, NULL, message);
}

void sn_fault_missing(sn_faults *faults, int place, const char *name, const char *format, ...) {
    char message[MAX_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    add_at(faults, &faults->places->items[place], place, name, message);
}

void sn_fault_set(sn_faults *faults, int set, const char *format, ...) {
    char message[MAX_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    sn_place where = {.set = set};
    if (faults->n == MAX_FAULTS) {
        faults->dropped++;
    } else {
        add(faults, &where, "", message);
    }
}

size_t sn_faults_count(const sn_faults *faults) {
    return faults->n + faults->dropped;
}

void sn_faults_truncate(sn_faults *faults, size_t count) {
    if (count >= sn_faults_count(faults)) return;
    faults->dropped = count > faults->n ? count - faults->n : 0;
    while (faults->n > count)
        free(faults->items[--faults->n].text);
}

static int by_position(const void *left, const void *right) {
    const sn_reader_fault *a = left, *b = right;
    if (a->set != b->set) return a->set < b->set ? -1 : 1;
    if (a->line != b->line) return a->line < b->line ? -1 : 1;
    if (a->column != b->column) return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

sn_status sn_faults_tell(sn_faults *faults, sn_error *error) {
    if (faults->failed) return sn_error_memory(error, sizeof *faults->items, "the faults of a config");
    if (faults->n == 0) return SN_OK;
    qsort(faults->items, faults->n, sizeof *faults->items, by_position);
    sn_error_clear(error);
    for (size_t i = 0; i < faults->n; i++)
        sn_error_add(error, SN_INVALID, "%s", faults->items[i].text);
    error->dropped += faults->dropped;
    return SN_INVALID;
}

void sn_faults_free(sn_faults *faults) {
    sn_faults_truncate(faults, 0);
    free(faults->items);
    *faults = (sn_faults){0};
}
