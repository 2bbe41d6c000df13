/* Owns the search for configs by name, and the list of them. */
#include "run/shipped.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/search.h"
#include "config/choice.h"
#include "config/config.h"

static const char suffix[] = ".json";
enum { N_SUFFIX = sizeof suffix - 1 };

static bool has_suffix(const char *name) {
    size_t n = strlen(name);
    return n > N_SUFFIX && strcmp(name + n - N_SUFFIX, suffix) == 0;
}

/* ---- where they are ---- */

/* The directory of the installed program's configs (free()); NULL where the system does not tell where the program is,
 * or when out of memory. */
static char *installed_dir(void) {
    char *program = realpath("/proc/self/exe", NULL);
    char *dir = program ? sn_path_dir(program) : NULL;
    char *joined = dir ? sn_path_join(dir, SN_INSTALLED_CONFIGS) : NULL;
    char *folded = joined ? sn_path_absolute(joined) : NULL;
    free(program);
    free(dir);
    free(joined);
    return folded;
}

/* Calls `visit` for each directory, in the order of the search. */
static sn_status visit_dirs(void (*visit)(void *context, const char *dir), void *context, sn_error *error) {
    const char *listed = getenv("SKIPNET_CONFIGS");
    char *dirs = sn_string_copy(listed ? listed : ""), *rest = NULL;
    if (!dirs) return sn_error_memory(error, 0, "a path");
    for (char *dir = strtok_r(dirs, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest))
        visit(context, dir);
    free(dirs);
    char *installed = installed_dir();
    if (installed) visit(context, installed);
    free(installed);
    visit(context, SN_SOURCE_CONFIGS);
    return SN_OK;
}

/* ---- one by name ---- */

static void look_into(void *search, const char *dir) {
    sn_search_dir(search, dir);
}

/* Whether a name may be one of a shipped config: a path that goes down, and no file's. */
static bool is_name(const char *operand) {
    return *operand && *operand != '/' && *operand != '.' && !strstr(operand, "/.") && !has_suffix(operand);
}

static sn_status find_shipped(const char *name, char **path, sn_error *error) {
    static const char *const suffixes[] = {suffix, NULL};
    sn_pool pool = {NULL};
    sn_search search = {.names = &name, .n = 1, .suffixes = suffixes, .pool = &pool};
    sn_status status = visit_dirs(look_into, &search, error);
    if (!status && !search.failed && search.dir) *path = sn_string_copy(search.files[0]);
    if (!status && (search.failed || (search.dir && !*path))) status = sn_error_memory(error, strlen(name), "a path");
    if (!status && !search.dir)
        sn_error_set(error, status = SN_IO,
                     "cannot read %s: no such file, and no config of that name comes with skipnet (see skipnet list "
                     "configs)",
                     name);
    sn_search_reset(&search);
    sn_pool_free(&pool);
    return status;
}

sn_status sn_shipped_find(const char *operand, char **path, bool *is_shipped, sn_error *error) {
    *path = NULL;
    bool may_be = strcmp(operand, "-") != 0 && is_name(operand);
    *is_shipped = may_be && !sn_path_exists(operand) && (errno == ENOENT || errno == ENOTDIR);
    if (*is_shipped) return find_shipped(operand, path, error);
    *path = sn_string_copy(operand);
    return *path ? SN_OK : sn_error_memory(error, strlen(operand), "a path");
}

/* ---- all of them ---- */

typedef struct lister {
    sn_shipped *shipped;
    size_t n_before; /* found in other directories: their names are taken */
    bool failed;
} lister;

/* Appends the comment, a text or a list of texts, as one line. */
static void add_comment(const sn_value *comment, sn_text *text) {
    if (sn_value_is_text(comment)) sn_text_add(text, sn_value_text(comment, ""));
    if (!sn_value_is_list(comment)) return;
    for (const sn_value *line = sn_value_first(comment); line; line = sn_value_next(line))
        if (sn_value_is_text(line)) sn_text_addf(text, "%s%s", text->length ? " " : "", sn_value_text(line, ""));
}

/* The first sentence of the comment of a config, in the pool; "" where there is none. */
static const char *what_it_shows(sn_pool *pool, const char *path) {
    sn_error ignored;
    sn_error_clear(&ignored);
    char *data = NULL;
    size_t size = 0;
    sn_config *config = NULL;
    sn_text text = SN_TEXT_EMPTY;
    sn_status status = sn_file_read(path, SN_CONFIG_MAX_BYTES, &data, &size, &ignored);
    if (!status) status = sn_config_parse_free(&config, data, size, path, &ignored);
    if (!status) add_comment(sn_value_get(sn_config_root(config), sn_comment_key.name), &text);
    const char *end = strstr(sn_text_string(&text), ". ");
    char *sentence = sn_pool_string(pool, sn_text_string(&text));
    if (sentence && end) sentence[end + 1 - sn_text_string(&text)] = '\0';
    bool failed = text.failed || status == SN_FAILED;
    sn_config_free(config);
    sn_text_free(&text);
    free(data);
    return failed ? NULL : sentence;
}

static bool is_taken(const lister *l, const char *name, size_t n) {
    for (size_t i = 0; i < l->n_before; i++) {
        const char *other = l->shipped->configs[i].name;
        if (strncmp(other, name, n) == 0 && !other[n]) return true;
    }
    return false;
}

/* `name` with its suffix, relative to the directory. */
static void add_config(lister *l, const char *name, const char *path) {
    sn_shipped *s = l->shipped;
    size_t n = strlen(name) - N_SUFFIX;
    if (is_taken(l, name, n)) return;
    if (s->n == s->room) {
        size_t room = 2 * s->room + 16;
        sn_shipped_config *more = realloc(s->configs, room * sizeof *more);
        if (!more) {
            l->failed = true;
            return;
        }
        s->configs = more;
        s->room = room;
    }
    char *short_name = sn_pool_string(&s->pool, name), *copy = sn_pool_string(&s->pool, path);
    const char *shows = what_it_shows(&s->pool, path);
    l->failed |= !short_name || !copy || !shows;
    if (l->failed) return;
    short_name[n] = '\0';
    s->configs[s->n++] = (sn_shipped_config){short_name, copy, shows};
}

/* By name, "deep50.json" before "deep50-add.json", folders behind files. */
static int by_name(const FTSENT **a, const FTSENT **b) {
    int behind = ((*a)->fts_info == FTS_D) - ((*b)->fts_info == FTS_D);
    const char *x = (*a)->fts_name, *y = (*b)->fts_name;
    while (*x && *x == *y)
        x++, y++;
    return behind ? behind : (*x == '.' ? 0 : *x) - (*y == '.' ? 0 : *y);
}

static void list_dir(void *context, const char *dir) {
    lister *l = context;
    l->n_before = l->shipped->n;
    char *path = sn_string_copy(dir);
    FTS *tree = path ? fts_open((char *[]){path, NULL}, FTS_LOGICAL | FTS_NOCHDIR, by_name) : NULL;
    l->failed |= !tree;
    for (FTSENT *entry; tree && !l->failed && (entry = fts_read(tree));) {
        const char *name = entry->fts_path + strlen(dir);
        if (entry->fts_info == FTS_F && has_suffix(entry->fts_name))
            add_config(l, name + strspn(name, "/"), entry->fts_path);
    }
    if (tree) fts_close(tree);
    free(path);
}

sn_status sn_shipped_list(sn_shipped *shipped, sn_error *error) {
    *shipped = (sn_shipped){0};
    lister l = {.shipped = shipped};
    sn_status status = visit_dirs(list_dir, &l, error);
    return status || !l.failed ? status : sn_error_memory(error, shipped->n, "the list of configs");
}

void sn_shipped_reset(sn_shipped *shipped) {
    free(shipped->configs);
    sn_pool_free(&shipped->pool);
    *shipped = (sn_shipped){0};
}
