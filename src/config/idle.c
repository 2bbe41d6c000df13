/* Owns the list of keys without effect: what is told of each, and which --set is one. */
#include "config/idle.h"

#include <string.h>

#include "config/config.h"
#include "config/fault.h"
#include "config/tree.h"

enum { MAX_KEPT = 100 }; /* of a text, which may have any number of them */

struct sn_idle {
    sn_idle *next;
    const char *key;  /* as a --set names it */
    const char *line; /* what is told */
};

/* Appends the path of a place as a --set has it: the index of an element as a name among names. */
static void add_set_key(const sn_places *places, int place, sn_text *text) {
    const sn_place *p = &places->items[place];
    if (p->parent >= 0 && places->items[p->parent].parent >= 0) {
        add_set_key(places, p->parent, text);
        sn_text_add(text, ".");
    }
    if (p->index >= 0) {
        sn_text_addf(text, "%d", p->index);
    } else if (p->name) {
        sn_text_add(text, p->name);
    }
}

bool sn_idles_add(sn_idles *idles, sn_pool *pool, const sn_places *places, const cJSON *idle, const char *reason) {
    sn_place where = *sn_place_of(places, idle);
    if (where.set < 0 && idles->n_kept++ >= MAX_KEPT) {
        idles->n_dropped++;
        return true;
    }
    where.line = where.key_line;
    where.column = where.key_column;
    sn_text key = SN_TEXT_EMPTY, line = SN_TEXT_EMPTY;
    add_set_key(places, idle->valueint, &key);
    sn_place_write(places, &where, &line);
    sn_places_path(places, idle->valueint, &line);
    sn_text_addf(&line, " has no effect: %s", reason);
    sn_idle *fresh = sn_pool_alloc(pool, sizeof *fresh);
    if (fresh) {
        *fresh = (sn_idle){.key = sn_pool_string(pool, sn_text_string(&key)),
                           .line = sn_pool_string(pool, sn_text_string(&line))};
    }
    bool is_whole = fresh && fresh->key && fresh->line && !key.failed && !line.failed;
    sn_text_free(&key);
    sn_text_free(&line);
    if (!is_whole) return false;
    *(idles->last ? &idles->last->next : &idles->first) = fresh;
    idles->last = fresh;
    return true;
}

void sn_config_note_idle(const sn_config *config, sn_notes *notes) {
    for (const sn_idle *idle = config->idles.first; idle; idle = idle->next)
        sn_note_always(notes, "%s", idle->line);
    if (config->idles.n_dropped > 0)
        sn_note_always(notes, "%zu more keys of %s have no effect", config->idles.n_dropped, config->places.name);
}

static bool has_key(const sn_idles *idles, const char *key) {
    const sn_idle *idle = idles->first;
    while (idle && strcmp(idle->key, key) != 0)
        idle = idle->next;
    return idle;
}

void sn_config_keep_idle(sn_config *config, const sn_config *other) {
    sn_idles *idles = &config->idles;
    idles->last = NULL;
    for (sn_idle **link = &idles->first; *link;) {
        if (has_key(&other->idles, (*link)->key)) {
            idles->last = *link;
            link = &(*link)->next;
        } else {
            *link = (*link)->next;
        }
    }
}

bool sn_config_set_is_idle(const sn_config *config, const char *set) {
    size_t n = strcspn(set, "=");
    for (const sn_idle *idle = config->idles.first; idle; idle = idle->next) {
        size_t n_idle = strlen(idle->key);
        if (n_idle > n || strncmp(idle->key, set, n_idle) != 0) continue;
        if (n_idle == n || set[n_idle] == '.') return true; /* what stands below it goes the same way */
    }
    return false;
}
