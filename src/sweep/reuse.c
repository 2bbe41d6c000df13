/* Owns the search for runs that are there already. */
#include "sweep/reuse.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "run/directory.h"
#include "run/language.h"
#include "run/manifest.h"

/* ---- identities ---- */

typedef struct hasher {
    uint64_t sum; /* over the leaves: their order has no effect */
    const sn_identity_rule *rule;
    sn_text text;
} hasher;

/* Whether the key, or one above it, varies. */
static bool is_varied(const sn_identity_rule *rule, const char *path) {
    bool is = false;
    for (size_t k = 0; k < rule->n_keys; k++) {
        size_t n = strcspn(rule->sets[k], "=");
        is = is || (strncmp(rule->sets[k], path, n) == 0 && (path[n] == '.' || path[n] == '\0'));
    }
    return is;
}

static bool is_length(const char *path) {
    return strcmp(path, "train.epochs") == 0 || strcmp(path, "train.steps") == 0;
}

static bool take_leaf(void *context, const sn_leaf *leaf) {
    hasher *h = context;
    bool is_data = strncmp(leaf->path, "data.", 5) == 0 && strcmp(leaf->path, "data.comment") != 0;
    bool counts =
        leaf->has_meaning || is_data || strcmp(leaf->path, "network.weights") == 0 || is_varied(h->rule, leaf->path);
    if (!counts || strcmp(leaf->path, "seed") == 0 || (h->rule->but_length && is_length(leaf->path))) return true;
    sn_text_clear(&h->text);
    sn_text_addf(&h->text, "%s=", leaf->path);
    sn_value_text_compact(leaf->value, &h->text);
    h->sum += sn_hash(sn_text_string(&h->text), h->text.length, 0);
    return !h->text.failed;
}

uint64_t sn_identity(const sn_config *config, const sn_identity_rule *rule) {
    hasher h = {.rule = rule, .text = SN_TEXT_EMPTY};
    bool ok = sn_config_leaves(config, take_leaf, &h);
    sn_text_free(&h.text);
    return ok ? h.sum : 0;
}

uint64_t sn_identity_with_seed(uint64_t identity, int64_t seed) {
    return sn_hash(&seed, sizeof seed, identity);
}

/* ---- runs ---- */

static int by_identity(const void *left, const void *right) {
    const sn_reusable *a = left, *b = right;
    if (a->identity != b->identity) return a->identity < b->identity ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool is_finished(const char *run) {
    char *file = sn_path_join(run, SN_FILE_MANIFEST);
    sn_manifest_state state = {0};
    sn_error ignored;
    sn_error_clear(&ignored);
    bool is = file && sn_path_exists(file) && sn_manifest_read_state(&state, file, &ignored) == SN_OK;
    free(file);
    return is && state.is_finished;
}

static sn_status add(sn_reuse *reuse, const char *name, uint64_t identity, sn_error *error) {
    if (reuse->n == reuse->capacity) {
        size_t capacity = reuse->capacity ? 2 * reuse->capacity : 64;
        sn_reusable *runs = realloc(reuse->runs, capacity * sizeof *runs);
        if (!runs) return sn_error_memory(error, capacity * sizeof *runs, "the runs");
        reuse->runs = runs;
        reuse->capacity = capacity;
    }
    const char *copy = sn_pool_string(&reuse->pool, name);
    if (!copy) return sn_error_memory(error, strlen(name), "the name of a run");
    reuse->runs[reuse->n++] = (sn_reusable){identity, copy};
    return SN_OK;
}

/* What cannot be read is not reused. */
static sn_status look_at(sn_reuse *reuse, const char *run, const char *name, const sn_identity_rule *rule,
                         sn_error *error) {
    if (!is_finished(run)) return SN_OK;
    char *file = sn_path_join(run, SN_FILE_CONFIG);
    if (!file) return sn_error_memory(error, strlen(run), "a path");
    sn_config *config = NULL;
    sn_config_source source = {.path = file, .is_regular = true};
    sn_error ignored;
    sn_error_clear(&ignored);
    sn_status status = SN_OK;
    if (sn_config_read(&config, &sn_language, &source, &ignored) == SN_OK) {
        int64_t seed = sn_value_integer(sn_config_root(config), "seed");
        uint64_t identity = sn_identity(config, rule);
        if (identity != 0) status = add(reuse, name, sn_identity_with_seed(identity, seed), error);
    }
    sn_config_free(config);
    free(file);
    return status;
}

sn_status sn_reuse_collect(sn_reuse *reuse, const char *directory, const sn_identity_rule *rule, sn_error *error) {
    DIR *dir = opendir(directory);
    sn_status status = SN_OK;
    for (struct dirent *entry; dir && !status && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        char *run = sn_path_join(directory, entry->d_name);
        status =
            run ? look_at(reuse, run, entry->d_name, rule, error) : sn_error_memory(error, strlen(directory), "a path");
        free(run);
    }
    if (dir) closedir(dir);
    if (reuse->n > 0) qsort(reuse->runs, reuse->n, sizeof *reuse->runs, by_identity);
    return status;
}

const char *sn_reuse_find(const sn_reuse *reuse, uint64_t identity) {
    size_t low = 0, high = reuse->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reuse->runs[middle].identity < identity) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < reuse->n && reuse->runs[low].identity == identity ? reuse->runs[low].name : NULL;
}

void sn_reuse_reset(sn_reuse *reuse) {
    free(reuse->runs);
    sn_pool_free(&reuse->pool);
    *reuse = (sn_reuse){0};
}
