/* Owns the list of keys without effect: what is told of each, and which --set is one. */
#include "config/idle.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/fault.h"
#include "config/tree.h"

enum { MAX_TOLD = 100 }; /* of a text, which may have any number of them */

struct sn_idle {
    sn_idle *next;
    const char *key;  /* as a --set names it */
    const char *line; /* what is told; NULL: past the limit, only counted */
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
    bool is_told = where.set >= 0 || idles->n_told++ < MAX_TOLD;
    where.line = where.key_line;
    where.column = where.key_column;
    sn_text key = SN_TEXT_EMPTY, line = SN_TEXT_EMPTY;
    add_set_key(places, idle->valueint, &key);
    if (is_told) {
        sn_place_write(places, &where, &line);
        sn_places_path(places, idle->valueint, &line);
        sn_text_addf(&line, " has no effect: %s", reason);
    }
    sn_idle *fresh = sn_pool_alloc(pool, sizeof *fresh);
    if (fresh) {
        *fresh = (sn_idle){.key = sn_pool_string(pool, sn_text_string(&key)),
                           .line = is_told ? sn_pool_string(pool, sn_text_string(&line)) : NULL};
    }
    bool is_whole = fresh && fresh->key && (fresh->line || !is_told) && !key.failed && !line.failed;
    sn_text_free(&key);
    sn_text_free(&line);
    if (!is_whole) return false;
    *(idles->last ? &idles->last->next : &idles->first) = fresh;
    idles->last = fresh;
    idles->n++;
    return true;
}

void sn_config_note_idle(const sn_config *config, sn_notes *notes) {
    size_t n_more = 0;
    for (const sn_idle *idle = config->idles.first; idle; idle = idle->next) {
        if (idle->line) sn_note_always(notes, "%s", idle->line);
        n_more += !idle->line;
    }
    if (n_more > 0) sn_note_always(notes, "%zu more keys of %s have no effect", n_more, config->places.name);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All keys in order (free()); NULL when out of memory. */
static const char **sort_keys(const sn_idles *idles) {
    const char **keys = malloc((idles->n + 1) * sizeof *keys);
    if (!keys) return NULL;
    size_t n = 0;
    for (const sn_idle *idle = idles->first; idle; idle = idle->next)
        keys[n++] = idle->key;
    qsort(keys, n, sizeof *keys, by_name);
    return keys;
}

sn_status sn_config_keep_idle(sn_config *config, const sn_config *other, sn_error *error) {
    const char **keys = sort_keys(&other->idles);
    if (!keys) return sn_error_memory(error, other->idles.n * sizeof *keys, "keys without effect");
    sn_idles *idles = &config->idles;
    idles->last = NULL;
    idles->n = 0;
    for (sn_idle **link = &idles->first; *link;) {
        if (bsearch(&(*link)->key, keys, other->idles.n, sizeof *keys, by_name)) {
            idles->last = *link;
            idles->n++;
            link = &(*link)->next;
        } else {
            *link = (*link)->next;
        }
    }
    free(keys);
    return SN_OK;
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
