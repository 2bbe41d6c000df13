/* Owns the table of places.  See place.h for the contract. */
#include "config/place.h"

#include <limits.h>
#include <stdlib.h>

#include "config/show.h"

int sn_places_add(sn_places *places, const sn_place *place) {
    if (places->n == places->capacity) {
        if (places->capacity > INT_MAX / 2) return -1;
        int capacity = places->capacity ? 2 * places->capacity : 256;
        sn_place *grown = realloc(places->items, (size_t)capacity * sizeof *grown);
        if (!grown) return -1;
        places->items = grown;
        places->capacity = capacity;
    }
    places->items[places->n] = *place;
    return places->n++;
}

void sn_places_free(sn_places *places) {
    free(places->items);
    *places = (sn_places){0};
}

sn_place *sn_place_of(const sn_places *places, const cJSON *node) {
    return &places->items[node->valueint];
}

sn_place sn_place_below(const sn_places *places, int parent, const char *name) {
    const sn_place *above = &places->items[parent];
    return (sn_place){.name = name,
                      .parent = parent,
                      .index = -1,
                      .line = above->line,
                      .column = above->column,
                      .key_line = above->line,
                      .key_column = above->column,
                      .set = above->set};
}

void sn_places_path(const sn_places *places, int place, sn_text *text) {
    const sn_place *p = &places->items[place];
    if (p->parent < 0) return;
    sn_places_path(places, p->parent, text);
    if (p->index >= 0) {
        sn_text_addf(text, "[%d]", p->index);
        return;
    }
    if (places->items[p->parent].parent >= 0) sn_text_add(text, ".");
    if (sn_is_plain_name(p->name)) {
        sn_text_add(text, p->name);
    } else {
        sn_show_string(p->name, text);
    }
}
