/* Owns the making and writing of cells.  See cells.h for the contract. */
#include "sweep/cells.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/shell.h"
#include "base/utf8.h"
#include "run/directory.h"
#include "run/language.h"
#include "sweep/axes.h"
#include "sweep/growth.h"

/* ---- the config ---- */

static sn_status read_file(sn_cells *cells, sn_error *error) {
    const char *path = cells->request->config;
    bool is_stdin = strcmp(path, "-") == 0;
    size_t size = 0;
    cells->path = is_stdin ? "<stdin>" : path;
    cells->base_dir = is_stdin ? sn_string_copy("") : sn_path_dir(path);
    if (!cells->base_dir) return sn_error_memory(error, strlen(path), "a path");
    return sn_file_read(path, SN_CONFIG_MAX_BYTES, &cells->text, &size, error);
}

static sn_config_source shared_source(const sn_cells *cells) {
    return (sn_config_source){.path = cells->path,
                              .text = cells->text,
                              .base_dir = cells->base_dir,
                              .sets = cells->request->sets,
                              .n_sets = cells->request->n_sets};
}

/* Reads `text` (of the config, or of a portable one that lies there) with the shared sets and those of a point. */
static sn_status read_point(const sn_cells *cells, const sn_config_source *shared, size_t point, sn_config **config,
                            sn_error *error) {
    size_t n = shared->n_sets + cells->n_keys;
    const char **sets = calloc(2 * n + 1, sizeof *sets);
    if (!sets) return sn_error_memory(error, n, "the keys of a cell");
    for (size_t i = 0; i < n; i++) {
        bool is_shared = i < shared->n_sets;
        sets[i] = is_shared ? shared->sets[i] : cells->points[point].sets[i - shared->n_sets];
        sets[n + i] = is_shared ? "--set" : cells->points[point].origins[i - shared->n_sets];
    }
    sn_config_source source = *shared;
    source.sets = sets;
    source.origins = sets + n;
    source.n_sets = n;
    sn_status status = sn_config_read(config, &sn_language, &source, error);
    free(sets);
    return status;
}

sn_status sn_cells_config(const sn_cells *cells, size_t point, sn_config **config, sn_error *error) {
    sn_config_source source = shared_source(cells);
    return read_point(cells, &source, point, config, error);
}

/* ---- the points ---- */

static sn_status multiply(sn_cells *cells, const sn_axis *axes, size_t n_axes, sn_error *error) {
    size_t n = 1;
    for (size_t a = 0; a < n_axes; a++) {
        n *= axes[a].n_values;
        cells->n_keys += axes[a].n_keys;
        if (n > SN_MAX_CELLS) break;
    }
    if (n * cells->n_seeds > SN_MAX_CELLS)
        return sn_error_set(error, SN_INVALID, "skipnet cells: more than %d cells (take shorter grids, or several)",
                            SN_MAX_CELLS);
    size_t n_keys = cells->n_keys;
    const char **strings = sn_pool_alloc(&cells->pool, 3 * n * n_keys * sizeof *strings + 1);
    cells->points = sn_pool_alloc(&cells->pool, n * sizeof *cells->points);
    if (!strings || !cells->points) return sn_error_memory(error, 3 * n * n_keys * sizeof *strings, "the cells");
    for (size_t p = 0; p < n; p++, strings += 3 * n_keys)
        cells->points[p] =
            (sn_cells_point){.sets = strings, .origins = strings + n_keys, .words = strings + 2 * n_keys};
    cells->n_points = n;
    return SN_OK;
}

/* Whether relative paths stand under a key: then one that is tried comes back absolute. */
static bool takes_path(const char *portable, const char *key, sn_error *error) {
    sn_text trial = SN_TEXT_EMPTY;
    sn_text_addf(&trial, "%s=x", key);
    char *set = trial.failed ? NULL : sn_config_portable_set(&sn_language, portable, sn_text_string(&trial));
    bool does = set && strcmp(set, sn_text_string(&trial)) != 0;
    if (!set) sn_error_memory(error, strlen(key), "a key");
    sn_text_free(&trial);
    free(set);
    return does;
}

/* Makes the words of one key of an axis: what a command line says for each value, wherever it is run. */
static void make_words(sn_pool *pool, const char *portable, sn_axis *axis, size_t k, sn_error *error) {
    sn_text word = SN_TEXT_EMPTY;
    bool is_path = takes_path(portable, axis->keys[k], error);
    for (size_t i = k; i < axis->n_values * axis->n_keys && !error->status; i += axis->n_keys) {
        const char *value = strchr(axis->sets[i], '=') + 1;
        bool may_change = is_path || *value == '{' || *value == '[' || *value == '"';
        char *set = may_change ? sn_config_portable_set(&sn_language, portable, axis->sets[i]) : NULL;
        sn_text_clear(&word);
        sn_text_add_shell(&word, set ? set : axis->sets[i]);
        axis->words[i] = word.failed || (may_change && !set) ? NULL : sn_pool_string(pool, sn_text_string(&word));
        if (!axis->words[i]) sn_error_memory(error, strlen(value), "the values of an axis");
        free(set);
    }
    sn_text_free(&word);
}

static sn_status make_all_words(sn_cells *cells, sn_axis *axes, size_t n_axes, sn_error *error) {
    sn_text portable = SN_TEXT_EMPTY;
    sn_config_text(cells->portable, &portable);
    if (portable.failed) sn_error_memory(error, portable.length, "a config");
    for (size_t a = 0; a < n_axes && !error->status; a++) {
        size_t size = axes[a].n_values * axes[a].n_keys * sizeof *axes[a].words;
        axes[a].words = sn_pool_alloc(&cells->pool, size);
        if (!axes[a].words) sn_error_memory(error, size, "the values of an axis");
        for (size_t k = 0; k < axes[a].n_keys && !error->status; k++)
            make_words(&cells->pool, sn_text_string(&portable), &axes[a], k, error);
    }
    sn_text_free(&portable);
    return error->status;
}

/* Fills the columns of one axis: its values change every `stride` points. */
static void fill_axis(sn_cells *cells, const sn_axis *axis, size_t first_key, size_t stride) {
    for (size_t p = 0; p < cells->n_points; p++) {
        size_t value = p / stride % axis->n_values;
        for (size_t k = 0; k < axis->n_keys; k++) {
            cells->points[p].sets[first_key + k] = axis->sets[value * axis->n_keys + k];
            cells->points[p].words[first_key + k] = axis->words[value * axis->n_keys + k];
            cells->points[p].origins[first_key + k] = axis->origins[value];
        }
    }
}

static void fill_points(sn_cells *cells, const sn_axis *axes, size_t n_axes) {
    size_t stride = 1, first_key = cells->n_keys;
    for (size_t a = n_axes; a-- > 0;) {
        first_key -= axes[a].n_keys;
        fill_axis(cells, &axes[a], first_key, stride);
        stride *= axes[a].n_values;
    }
}

static sn_status check_axes(const sn_cells *cells, const sn_axis *axes, size_t n_axes, sn_error *error) {
    const sn_cells_request *request = cells->request;
    if (n_axes == 0 && request->seeds == 0)
        return sn_error_set(
            error, SN_INVALID,
            "skipnet cells: nothing varies: give --grid KEY=VALUE,VALUE..., --points FILE or --seeds N");
    for (size_t a = 0; a < n_axes && request->seeds > 0; a++) {
        for (size_t k = 0; k < axes[a].n_keys; k++) {
            if (strcmp(axes[a].keys[k], "seed") == 0)
                return sn_error_set(error, SN_INVALID, "--seeds: seed is also given by %.8s: give one of them",
                                    axes[a].origins[0]);
        }
    }
    return sn_axes_check(axes, n_axes, request->sets, request->n_sets, error);
}

static sn_status make_points(sn_cells *cells, sn_error *error) {
    const sn_cells_request *request = cells->request;
    sn_axis *axes = sn_pool_alloc(&cells->pool, (request->n_grids + 1) * sizeof *axes);
    if (!axes) return sn_error_memory(error, request->n_grids, "the grids");
    size_t n = 0;
    sn_status status = SN_OK;
    if (request->points) status = sn_axis_points(&axes[n++], &cells->pool, request->points, error);
    for (size_t i = 0; i < request->n_grids && !status; i++)
        status = sn_axis_grid(&axes[n++], &cells->pool, request->grids[i], error);
    if (!status) status = check_axes(cells, axes, n, error);
    if (!status) status = multiply(cells, axes, n, error);
    if (!status) status = make_all_words(cells, axes, n, error);
    if (!status) fill_points(cells, axes, n);
    return status;
}

/* ---- names ---- */

/* Length of the whole name: a file system takes 255 bytes, and the seed wants its own. */
enum { MAX_NAME = 220, HASH_DIGITS = 17 };

static bool is_safe(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
           (c && strchr("._+-@", c));
}

/* Whether the key of a set is `tail` or ends in it after a dot. */
static bool key_ends_in(const char *set, const char *tail) {
    size_t n = strcspn(set, "="), n_tail = strlen(tail);
    return n >= n_tail && memcmp(set + n - n_tail, tail, n_tail) == 0 && (n == n_tail || set[n - n_tail - 1] == '.');
}

/* The tail of a key that tells it from the others that vary, and from the rest of the config. */
static const char *tail_of(const sn_cells_point *point, size_t n_keys, size_t k, const sn_config *config,
                           const char *key) {
    const char *tail = sn_run_directory_tail(config, key);
    for (size_t other = 0; other < n_keys; other++) {
        while (other != k && tail > key && key_ends_in(point->sets[other], tail)) {
            tail--; /* on the dot */
            while (tail > key && tail[-1] != '.')
                tail--;
        }
    }
    return tail;
}

static void add_safe(sn_text *name, const char *value, bool *is_changed) {
    for (const char *p = value; *p; p++) {
        *is_changed |= !is_safe(*p);
        sn_text_add_bytes(name, is_safe(*p) ? p : "_", 1);
    }
}

/* What was changed or cut ends in a hash of what stood there, so that other values have another name. */
static void add_hash(sn_text *name, const sn_cells_point *point, size_t n_keys) {
    uint64_t hash = 0;
    for (size_t k = 0; k < n_keys; k++)
        hash = sn_hash(point->sets[k], strlen(point->sets[k]) + 1, hash);
    if (name->length > MAX_NAME - HASH_DIGITS) {
        name->length = sn_utf8_cut(name->data, MAX_NAME - HASH_DIGITS);
        name->data[name->length] = '\0';
    }
    sn_text_addf(name, "~%016" PRIx64, hash);
}

static const char **make_tails(sn_cells *cells, const sn_config *config) {
    const char **tails = sn_pool_alloc(&cells->pool, (cells->n_keys + 1) * sizeof *tails);
    for (size_t k = 0; k < cells->n_keys && tails; k++) {
        char *key = sn_pool_string(&cells->pool, cells->points[0].sets[k]);
        if (!key) return NULL;
        key[strcspn(key, "=")] = '\0';
        tails[k] = tail_of(&cells->points[0], cells->n_keys, k, config, key);
    }
    return tails;
}

static sn_status name_points(sn_cells *cells, const sn_config *config, sn_error *error) {
    const char **tails = make_tails(cells, config);
    sn_text name = SN_TEXT_EMPTY;
    bool failed = !tails;
    for (size_t p = 0; p < cells->n_points && !failed; p++) {
        sn_cells_point *point = &cells->points[p];
        bool is_changed = false;
        sn_text_clear(&name);
        for (size_t k = 0; k < cells->n_keys; k++) {
            sn_text_addf(&name, "%s%s=", k ? "," : "", tails[k]);
            add_safe(&name, strchr(point->sets[k], '=') + 1, &is_changed);
        }
        if (is_changed || name.length > MAX_NAME) add_hash(&name, point, cells->n_keys);
        point->name = sn_pool_string(&cells->pool, sn_text_string(&name));
        failed = name.failed || !point->name;
    }
    sn_text_free(&name);
    return failed ? sn_error_memory(error, MAX_NAME, "the names of runs") : SN_OK;
}

/* ---- checks of all points ---- */

typedef struct identity {
    uint64_t hash; /* over the resolved config */
    size_t point;
} identity;

static int by_identity(const void *left, const void *right) {
    const identity *a = left, *b = right;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return a->point < b->point ? -1 : a->point > b->point;
}

/* Adds the lines of `found` that `error` has not yet: one wrong value is at fault in many points. */
static void add_new_lines(sn_error *error, const sn_error *found) {
    char line[sizeof found->text];
    for (const char *p = found->text; *p;) {
        size_t n = strcspn(p, "\n");
        memcpy(line, p, n);
        line[n] = '\0';
        if (!strstr(error->text, line)) sn_error_add(error, found->status, "%s", line);
        p += n + (p[n] == '\n');
    }
}

/* Reads every point as train will.  *first: the config of the first, its keys without effect those of all. */
static sn_status identify(const sn_cells *cells, identity *identities, sn_config **first, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    sn_error found;
    for (size_t p = 0; p < cells->n_points && error->dropped == 0; p++) {
        sn_config *config = NULL;
        sn_error_clear(&found);
        if (sn_cells_config(cells, p, &config, &found)) {
            add_new_lines(error, &found);
            continue;
        }
        sn_text_clear(&text);
        sn_value_text_compact(sn_config_root(config), &text);
        identities[p] = (identity){sn_hash(sn_text_string(&text), text.length, 0), p};
        if (!*first) {
            *first = config;
        } else {
            sn_config_keep_idle(*first, config, error);
            sn_config_free(config);
        }
    }
    if (text.failed) sn_error_memory(error, text.length, "a config");
    sn_text_free(&text);
    return error->status;
}

static void drop_repeated(sn_cells *cells, identity *identities) {
    qsort(identities, cells->n_points, sizeof *identities, by_identity);
    for (size_t i = 1; i < cells->n_points; i++) {
        if (identities[i].hash == identities[i - 1].hash) cells->points[identities[i].point].name = NULL;
    }
    size_t n = 0;
    for (size_t p = 0; p < cells->n_points; p++) {
        if (cells->points[p].name) cells->points[n++] = cells->points[p];
    }
    cells->n_repeated = cells->n_points - n;
    cells->n_points = n;
}

static sn_status set_seeds(sn_cells *cells, const sn_config *config, sn_error *error) {
    const int64_t most = (int64_t)1 << 53;
    cells->first_seed = sn_value_integer(sn_config_root(config), "seed");
    if (cells->request->seeds == 0 || cells->first_seed <= most - (cells->request->seeds - 1)) return SN_OK;
    return sn_error_set(error, SN_INVALID, "--seeds %" PRId64 ": from seed %" PRId64 " on they pass 2^53, the largest",
                        cells->request->seeds, cells->first_seed);
}

static sn_status check_points(sn_cells *cells, sn_error *error) {
    identity *identities = calloc(cells->n_points, sizeof *identities);
    if (!identities) return sn_error_memory(error, cells->n_points * sizeof *identities, "the cells");
    sn_config *first = NULL;
    sn_status status = identify(cells, identities, &first, error);
    if (!status) sn_config_note_idle(first, &cells->notes);
    if (!status) status = set_seeds(cells, first, error);
    if (!status) status = name_points(cells, first, error);
    if (!status) drop_repeated(cells, identities);
    sn_config_free(first);
    free(identities);
    return status;
}

/* ---- what lies in the directory ---- */

static sn_status compare_points(const sn_cells *cells, const char *file, sn_error *error) {
    sn_config_source there = {.path = file, .is_regular = true};
    const sn_growth growth = {file, cells->out, cells->request->resume};
    sn_status status = SN_OK;
    for (size_t p = 0; p < cells->n_points && !status; p++) {
        sn_config *old = NULL, *fresh = NULL;
        status = read_point(cells, &there, p, &old, error);
        if (status == SN_INVALID)
            sn_error_add(error, SN_INVALID, "%s cannot be read as a config of these cells (take another --out)", file);
        if (!status) status = sn_cells_config(cells, p, &fresh, error);
        if (!status) status = sn_growth_check(&growth, old, fresh, error);
        sn_config_free(old);
        sn_config_free(fresh);
    }
    return status;
}

static sn_status compare_texts(const sn_cells *cells, const char *file, bool *is_equal, sn_error *error) {
    char *there = NULL;
    size_t size = 0;
    sn_text text = SN_TEXT_EMPTY;
    sn_config_text(cells->portable, &text);
    sn_status status = sn_file_read_regular(file, SN_CONFIG_MAX_BYTES, &there, &size, error);
    *is_equal = !status && !text.failed && size == text.length && memcmp(there, text.data, size) == 0;
    sn_text_free(&text);
    free(there);
    return status;
}

/* Without the config.json of cells a cells.txt is somebody else's. */
static sn_status check_strangers(const sn_cells *cells, sn_error *error) {
    char *path = sn_path_join(cells->out, SN_FILE_CELLS);
    if (!path) return sn_error_memory(error, strlen(cells->out), "a path");
    sn_status status = SN_OK;
    if (sn_path_exists(path))
        status = sn_error_set(error, SN_INVALID, "%s is not of a sweep (take another --out)", path);
    free(path);
    return status;
}

static sn_status check_out(sn_cells *cells, sn_error *error) {
    cells->out = sn_path_absolute(cells->request->out);
    if (!cells->out && errno == ENOENT) return sn_error_io(error, "make the directory", cells->request->out);
    if (!cells->out) return sn_error_memory(error, strlen(cells->request->out), "a path");
    char *file = sn_path_join(cells->out, SN_FILE_CONFIG), *run = sn_path_join(cells->out, SN_FILE_MANIFEST);
    sn_status status = file && run ? SN_OK : sn_error_memory(error, strlen(cells->out), "a path");
    bool is_equal = false;
    if (!status && sn_path_exists(run)) {
        status = sn_error_set(error, SN_INVALID, "%s holds a run: cells need a directory of their own", cells->out);
    } else if (!status && !sn_path_exists(file)) {
        status = check_strangers(cells, error);
    } else if (!status) {
        status = compare_texts(cells, file, &is_equal, error);
        if (!status && !is_equal) status = compare_points(cells, file, error);
    }
    free(file);
    free(run);
    return status;
}

/* ---- runs that are there under another name ---- */

/* The name of a cell's own directory. */
static void add_name(const sn_cells *cells, const sn_cells_point *point, size_t seed, sn_text *name) {
    sn_text_clear(name);
    sn_text_add(name, point->name);
    if (cells->request->seeds == 0) return;
    sn_text_addf(name, "%sseed=%" PRId64, *point->name ? "," : "", cells->first_seed + (int64_t)seed);
}

static bool has_run(const sn_cells *cells, const char *name) {
    char *path = sn_path_join(cells->out, name);
    bool has = path && sn_run_directory_holds_run(path);
    free(path);
    return has;
}

/* The name of the directory whose run the cell can take; NULL: its own. */
static const char *find_twin(const sn_cells *cells, const sn_cells_point *point, size_t seed, const char *own) {
    int64_t value = cells->request->seeds > 0 ? cells->first_seed + (int64_t)seed : point->seed;
    if (cells->reuse.n == 0 || has_run(cells, own)) return NULL;
    return sn_reuse_find(&cells->reuse, sn_identity_with_seed(point->identity, value));
}

/* Only where a cell has no run are the others looked at: that takes a while where there are many. */
static bool lacks_runs(const sn_cells *cells) {
    bool lacks = false;
    sn_text name = SN_TEXT_EMPTY;
    for (size_t p = 0; p < cells->n_points && !lacks; p++) {
        for (size_t seed = 0; seed < cells->n_seeds && !lacks; seed++) {
            add_name(cells, &cells->points[p], seed, &name);
            lacks = !has_run(cells, sn_text_string(&name));
        }
    }
    sn_text_free(&name);
    return lacks;
}

/* Whether runs of a twin's name may differ from their cell in length: not where that is what the cells vary. */
static bool may_grow(const sn_cells *cells) {
    bool varies = false;
    for (size_t k = 0; k < cells->n_keys; k++)
        varies = varies || key_ends_in(cells->points[0].sets[k], "epochs") ||
                 key_ends_in(cells->points[0].sets[k], "steps") || key_ends_in(cells->points[0].sets[k], "train");
    return cells->request->resume && !varies;
}

/* Only where there are runs: it reads every config once more. */
static sn_status identify_points(sn_cells *cells, const sn_identity_rule *rule, sn_error *error) {
    sn_status status = SN_OK;
    for (size_t p = 0; p < cells->n_points && !status; p++) {
        sn_config *config = NULL;
        status = sn_cells_config(cells, p, &config, error);
        if (!status) cells->points[p].seed = sn_value_integer(sn_config_root(config), "seed");
        if (!status) cells->points[p].identity = sn_identity(config, rule);
        sn_config_free(config);
    }
    return status;
}

static sn_status find_twins(sn_cells *cells, sn_error *error) {
    if (!sn_path_is_dir(cells->out) || !lacks_runs(cells)) return SN_OK;
    const sn_identity_rule rule = {cells->points[0].sets, cells->n_keys, may_grow(cells)};
    sn_status status = sn_reuse_collect(&cells->reuse, cells->out, &rule, error);
    if (!status && cells->reuse.n > 0) status = identify_points(cells, &rule, error);
    sn_text name = SN_TEXT_EMPTY;
    for (size_t p = 0; p < cells->n_points && !status && cells->reuse.n > 0; p++) {
        for (size_t seed = 0; seed < cells->n_seeds; seed++) {
            add_name(cells, &cells->points[p], seed, &name);
            cells->n_reused += find_twin(cells, &cells->points[p], seed, sn_text_string(&name)) != NULL;
        }
    }
    sn_text_free(&name);
    return status;
}

sn_status sn_cells_make(sn_cells *cells, const sn_cells_request *request, sn_error *error) {
    *cells = (sn_cells){.request = request, .n_seeds = request->seeds > 0 ? (size_t)request->seeds : 1};
    sn_status status = read_file(cells, error);
    sn_config_source source = shared_source(cells);
    if (!status) status = sn_config_read_portable(&cells->portable, &sn_language, &source, error);
    if (!status) status = make_points(cells, error);
    if (!status) status = check_points(cells, error);
    if (!status) status = check_out(cells, error);
    if (!status) status = find_twins(cells, error);
    if (status) sn_cells_reset(cells);
    return status;
}

void sn_cells_reset(sn_cells *cells) {
    free(cells->text);
    free(cells->base_dir);
    free(cells->out);
    sn_config_free(cells->portable);
    sn_pool_free(&cells->pool);
    sn_reuse_reset(&cells->reuse);
    sn_notes_reset(&cells->notes);
    *cells = (sn_cells){0};
}

size_t sn_cells_count(const sn_cells *cells) {
    return cells->n_points * cells->n_seeds;
}

/* ---- writing ---- */

typedef struct line_parts {
    const sn_cells *cells;
    const char *program, *config; /* as shell words */
    int threads;
} line_parts;

static bool add_shell_path(const char *directory, const char *name, sn_text *line) {
    char *path = sn_path_join(directory, name);
    if (path) sn_text_add_shell(line, path);
    free(path);
    return path;
}

static void add_line(const line_parts *parts, const sn_cells_point *point, size_t seed, sn_text *line, sn_text *text) {
    const sn_cells *cells = parts->cells;
    sn_text name = SN_TEXT_EMPTY;
    sn_text_clear(line);
    sn_text_addf(line, "%s train %s", parts->program, parts->config);
    for (size_t k = 0; k < cells->n_keys; k++)
        sn_text_addf(line, " --set %s", point->words[k]);
    if (cells->request->seeds > 0) sn_text_addf(line, " --set seed=%" PRId64, cells->first_seed + (int64_t)seed);
    sn_text_addf(line, " --resume --threads %d --out ", parts->threads);
    add_name(cells, point, seed, &name);
    const char *own = sn_text_string(&name), *twin = find_twin(cells, point, seed, own);
    if (!add_shell_path(cells->out, twin ? twin : own, line)) line->failed = true;
    if (strstr(sn_text_string(line), "\"$n\"")) sn_text_add(text, SN_SHELL_NEWLINE);
    sn_text_add(text, sn_text_string(line));
    sn_text_add(text, "\n");
    text->failed |= line->failed || name.failed;
    sn_text_free(&name);
}

void sn_cells_text(const sn_cells *cells, const char *program, int threads, sn_text *text) {
    sn_text word = SN_TEXT_EMPTY, config = SN_TEXT_EMPTY, line = SN_TEXT_EMPTY;
    sn_text_add_shell(&word, program);
    text->failed |= !add_shell_path(cells->out, SN_FILE_CONFIG, &config) || word.failed || config.failed;
    line_parts parts = {cells, sn_text_string(&word), sn_text_string(&config), threads};
    for (size_t p = 0; p < cells->n_points && !text->failed; p++) {
        const sn_cells_point *point = &cells->points[cells->order ? cells->order[p] : p];
        for (size_t seed = 0; seed < cells->n_seeds; seed++)
            add_line(&parts, point, seed, &line, text);
    }
    sn_text_free(&word);
    sn_text_free(&config);
    sn_text_free(&line);
}

static sn_status write_text(const sn_cells *cells, const char *name, const sn_text *text, sn_error *error) {
    if (text->failed) return sn_error_memory(error, text->length, name);
    char *path = sn_path_join(cells->out, name);
    if (!path) return sn_error_memory(error, strlen(cells->out), "a path");
    sn_status status = sn_file_write_atomic(path, sn_text_string(text), text->length, error);
    free(path);
    return status;
}

sn_status sn_cells_write(const sn_cells *cells, const char *program, int threads, sn_error *error) {
    sn_text config = SN_TEXT_EMPTY, lines = SN_TEXT_EMPTY;
    sn_config_text(cells->portable, &config);
    sn_cells_text(cells, program, threads, &lines);
    sn_status status = sn_dir_make(cells->out, error);
    if (!status) status = write_text(cells, SN_FILE_CONFIG, &config, error);
    if (!status) status = write_text(cells, SN_FILE_CELLS, &lines, error);
    sn_text_free(&config);
    sn_text_free(&lines);
    return status;
}
