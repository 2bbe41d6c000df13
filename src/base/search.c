/* Owns the search for files in directories. */
#include "base/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static char *keep(sn_search *s, const char *string) {
    char *copy = sn_pool_string(s->pool, string);
    if (!copy) s->failed = true;
    return copy;
}

/* Whether DIR/NAME with one of the suffixes exists; its path is then in `path`. */
static bool is_there(const sn_search *s, const char *dir, const char *name, sn_text *path) {
    for (const char *const *suffix = s->suffixes; *suffix; suffix++) {
        sn_text_clear(path);
        sn_text_addf(path, "%s/%s%s", dir, name, *suffix);
        if (sn_path_exists(sn_text_string(path))) return true;
    }
    return false;
}

/* Whether all files are there; s->files then holds their paths. */
static bool find_all(sn_search *s, const char *dir, sn_text *path) {
    if (!s->files) s->files = sn_pool_alloc(s->pool, s->n * sizeof *s->files);
    if (!s->files) s->failed = true;
    for (size_t i = 0; i < s->n && !s->failed; i++) {
        if (!is_there(s, dir, s->names[i], path)) {
            sn_text_addf(&s->absent, "%s%s in %s", s->absent.length > 0 ? "; " : "", s->names[i], dir);
            return false;
        }
        s->files[i] = keep(s, sn_text_string(path));
    }
    return !s->failed;
}

void sn_search_dir(sn_search *search, const char *dir) {
    if (search->dir) return;
    sn_text path = SN_TEXT_EMPTY;
    if (find_all(search, dir, &path)) {
        char *absolute = sn_path_absolute(dir);
        search->dir = keep(search, absolute ? absolute : dir);
        free(absolute);
    }
    search->failed |= path.failed || search->absent.failed;
    sn_text_free(&path);
}

void sn_search_path(sn_search *search, const char *dirs, const char *const *subs) {
    sn_text dir = SN_TEXT_EMPTY;
    while (*dirs) {
        size_t n = strcspn(dirs, ":");
        for (size_t i = 0; n > 0 && subs[i]; i++) {
            sn_text_clear(&dir);
            sn_text_addf(&dir, "%.*s/%s", (int)n, dirs, subs[i]);
            sn_search_dir(search, sn_text_string(&dir));
        }
        if (n > 0) {
            sn_text_clear(&dir);
            sn_text_add_bytes(&dir, dirs, n);
            sn_search_dir(search, sn_text_string(&dir));
        }
        dirs += n + (dirs[n] == ':');
    }
    search->failed |= dir.failed;
    sn_text_free(&dir);
}

void sn_search_reset(sn_search *search) {
    sn_text_free(&search->absent);
}
