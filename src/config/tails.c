/* Owns the walk over the names of all keys.  The tables may refer to each other in circles: no list is entered inside a
 * list, and no path has more than MAX_DEPTH names. */
#include "config/tails.h"

#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

static const char separators[] = ".[]";

typedef struct walk {
    const char *wanted;     /* a path */
    const char *name;       /* what the last name of a key has to be */
    sn_suggestion *nearest; /* not NULL: the names are only offered */
    sn_tails *tails;
    int best; /* score of what was found */
    char path[SN_TAIL_LENGTH];
    int depth;
    bool in_list;
} walk;

static const char *last_name(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* Whether a dotted path has the name of n characters before its last one. */
static bool passes(const char *path, const char *name, size_t n) {
    for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
        if ((size_t)(dot - path) == n && strncmp(path, name, n) == 0) return true;
    }
    return false;
}

/* How much of the wanted path, but for its last name, is on the way of a key; of equals one outside of lists. */
static int score(const walk *w) {
    int count = w->in_list ? 0 : 1;
    for (const char *name = w->wanted; name < last_name(w->wanted);) {
        size_t n = strcspn(name, separators);
        count += n > 0 && passes(w->path, name, n) ? 2 : 0;
        name += n + strspn(name + n, separators);
    }
    return count;
}

static void take(walk *w, const char *name) {
    if (w->nearest) sn_suggestion_offer(w->nearest, name);
    if (w->nearest || !sn_same_word(name, w->name)) return;
    sn_tails *tails = w->tails;
    int fit = score(w);
    if (fit > w->best) tails->n = 0;
    bool is_new = fit >= w->best;
    for (int i = 0; i < tails->n && i < SN_TAILS_SHOWN; i++)
        is_new = is_new && strcmp(tails->found[i], w->path) != 0; /* kinds share keys */
    if (!is_new) return;
    w->best = fit;
    if (tails->n < SN_TAILS_SHOWN) memcpy(tails->found[tails->n], w->path, sizeof w->path);
    tails->n++;
}

static void visit_keys(walk *w, const sn_key *keys);

static void visit_below(walk *w, const sn_key *key);

static void visit(walk *w, const sn_key *key, const char *name) {
    size_t length = strlen(w->path);
    int n = snprintf(w->path + length, sizeof w->path - length, "%s%s", length > 0 ? "." : "", name);
    if (n > 0 && (size_t)n < sizeof w->path - length && w->depth < MAX_DEPTH) {
        w->depth++;
        take(w, name);
        if (key) visit_below(w, key);
        w->depth--;
    }
    w->path[length] = '\0';
}

static void visit_list(walk *w, const sn_key *element) {
    size_t length = strlen(w->path);
    if (w->in_list || length + sizeof ".N" > sizeof w->path) return;
    memcpy(w->path + length, ".N", sizeof ".N");
    w->in_list = true;
    visit_below(w, element);
    w->in_list = false;
    w->path[length] = '\0';
}

static void visit_below(walk *w, const sn_key *key) {
    if (key->types & SN_OBJECT) visit_keys(w, key->keys);
    if (key->types & SN_LIST) visit_list(w, key->element);
    if (!(key->types & SN_KIND)) return;
    visit(w, NULL, key->choice->discriminator);
    visit_keys(w, key->choice->common);
    for (const sn_kind *const *kind = key->choice->kinds; *kind; kind++)
        visit_keys(w, (*kind)->keys);
}

static void visit_keys(walk *w, const sn_key *keys) {
    for (; keys && keys->name; keys++)
        visit(w, keys, keys->name);
}

static bool find(sn_tails *tails, const sn_schema *schema, const char *path, const char *name) {
    *tails = (sn_tails){.n = 0};
    walk w = {.wanted = path, .name = name, .tails = tails};
    visit_keys(&w, schema->keys);
    return tails->n > 0;
}

bool sn_tails_find(sn_tails *tails, const sn_schema *schema, const char *path) {
    return find(tails, schema, path, last_name(path));
}

bool sn_tails_find_near(sn_tails *tails, const sn_schema *schema, const char *path, bool is_whole) {
    sn_suggestion nearest = sn_suggestion_for(last_name(path), schema->synonyms);
    nearest.is_whole = is_whole;
    walk w = {.wanted = path, .nearest = &nearest};
    visit_keys(&w, schema->keys);
    *tails = (sn_tails){.n = 0};
    return nearest.best && find(tails, schema, path, nearest.best);
}

static void write_tails(const sn_tails *tails, sn_text *text) {
    int shown = tails->n < SN_TAILS_SHOWN ? tails->n : SN_TAILS_SHOWN;
    sn_text_add(text, ", did you mean ");
    for (int i = 0; i < shown; i++) {
        const char *gap = i == 0 ? "" : i + 1 == tails->n ? " or " : ", ";
        sn_text_addf(text, "%s\"%s\"", gap, tails->found[i]);
    }
    sn_text_add(text, tails->n > shown ? ", ...?" : "?");
}

void sn_tails_suggest(const sn_suggestion *near, const char *around, const sn_schema *schema, const char *path,
                      sn_text *text) {
    sn_tails tails;
    bool is_synonym = near->best && near->distance < 0;
    bool is_found = !is_synonym && sn_tails_find(&tails, schema, path);
    if (!is_found && near->best) {
        sn_text_addf(text, ", did you mean \"%s%s\"?", around, near->best);
    } else if (is_found || sn_tails_find_near(&tails, schema, path, false)) {
        write_tails(&tails, text);
    }
}
