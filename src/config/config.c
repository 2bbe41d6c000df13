/* Owns configs: reading from end to end, and faults found later in a config that was read.
 *
 * text -> raw tree with places (document.c) -> --set applied (set.c) -> resolved tree (reader.c, scalar.c, kind.c),
 * or the raw tree made portable (portable.c).
 * The raw tree is needed until the faults are told; the places serve the resolved tree too. */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/document.h"
#include "config/portable.h"
#include "config/reader.h"
#include "config/set.h"
#include "config/tree.h"

typedef struct input {
    const char *text;
    size_t length;
    const char *name, *base_dir;
    const char *const *sets, *const *origins;
    size_t n_sets;
    bool is_portable; /* the raw tree, made portable, is the config */
} input;

/* NULL when out of memory. */
static const char **copy_strings(sn_pool *pool, const char *const *strings, size_t n) {
    const char **copies = sn_pool_alloc(pool, (n + 1) * sizeof *copies);
    for (size_t i = 0; copies && i < n; i++) {
        copies[i] = sn_pool_string(pool, strings[i]);
        if (!copies[i]) copies = NULL;
    }
    return copies;
}

/* A config without values, with copies of what messages need of the input; NULL when out of memory. */
static sn_config *new_config(const input *in) {
    sn_config *config = calloc(1, sizeof *config);
    if (!config) return NULL;
    sn_places *places = &config->places;
    places->name = sn_pool_string(&config->pool, in->name);
    places->sets = copy_strings(&config->pool, in->sets, in->n_sets);
    if (in->origins) places->origins = copy_strings(&config->pool, in->origins, in->n_sets);
    if (places->name && places->sets && (places->origins || !in->origins)) return config;
    sn_config_free(config);
    return NULL;
}

static sn_status read_raw(cJSON **raw, sn_config *config, sn_faults *faults, const input *in, sn_error *error) {
    if (in->length > SN_CONFIG_MAX_BYTES)
        return sn_error_set(error, SN_INVALID, "%s: larger than the limit of %zu bytes", in->name, SN_CONFIG_MAX_BYTES);
    sn_document document = {.text = in->text,
                            .length = in->length,
                            .name = in->name,
                            .at = {.parent = -1, .index = -1, .set = -1, .line = 1, .column = 1}};
    return sn_document_read(raw, &config->places, faults, &document, error);
}

static sn_status resolve(sn_config *config, const sn_schema *schema, cJSON *raw, sn_faults *faults, const input *in) {
    sn_setter setter = {.schema = schema, .places = &config->places, .faults = faults, .root = raw};
    for (size_t i = 0; i < in->n_sets && cJSON_IsObject(raw); i++)
        sn_set_apply(&setter, (int)i);
    sn_reader reader = {.places = &config->places,
                        .faults = faults,
                        .schema = schema,
                        .root = raw,
                        .base_dir = in->base_dir,
                        .pool = &config->pool,
                        .idles = &config->idles};
    if (in->is_portable) return setter.failed || !sn_make_portable(&reader, raw, schema->keys) ? SN_FAILED : SN_OK;
    config->root = sn_resolve_root(&reader, raw, schema->keys);
    return reader.failed || setter.failed ? SN_FAILED : SN_OK;
}

/* `schema` NULL: the raw tree is the config. */
static sn_status read_input(sn_config **config, const sn_schema *schema, const input *in, sn_error *error) {
    sn_config *fresh = *config = new_config(in);
    if (!fresh) return sn_error_memory(error, in->length, "a config");
    cJSON *raw = NULL;
    sn_faults faults = {.places = &fresh->places};
    sn_status status = read_raw(&raw, fresh, &faults, in, error);
    if (status == SN_OK && schema) {
        status = resolve(fresh, schema, raw, &faults, in);
        if (status != SN_OK) sn_error_memory(error, in->length, "a config");
    }
    if (status == SN_OK && !fresh->root && (!schema || in->is_portable)) {
        fresh->root = raw;
        raw = NULL;
    }
    if (status == SN_OK) status = sn_faults_tell(&faults, error);
    sn_faults_free(&faults);
    cJSON_Delete(raw);
    if (status != SN_OK) {
        sn_config_free(fresh);
        *config = NULL;
    }
    return status;
}

/* NOLINTNEXTLINE(readability-function-size): seven parameters; a record would be filled in at each call for one use */
sn_status sn_config_parse(sn_config **config, const sn_schema *schema, const char *text, size_t length,
                          const char *name, const char *base_dir, sn_error *error) {
    input in = {.text = text, .length = length, .name = name, .base_dir = base_dir};
    return read_input(config, schema, &in, error);
}

sn_status sn_config_parse_free(sn_config **config, const char *text, size_t length, const char *name, sn_error *error) {
    input in = {.text = text, .length = length, .name = name, .base_dir = ""};
    return read_input(config, NULL, &in, error);
}

static sn_status read_source(sn_config **config, const sn_schema *schema, const sn_config_source *source, input *in,
                             sn_error *error) {
    bool is_stdin = !source->text && strcmp(source->path, "-") == 0;
    char *data = NULL, *base_dir = NULL;
    in->name = is_stdin ? "<stdin>" : source->path;
    in->sets = source->sets;
    in->origins = source->origins;
    in->n_sets = source->n_sets;
    *config = NULL;
    sn_status status = SN_OK;
    if (source->text) {
        in->text = source->text;
        in->length = strlen(source->text);
        in->base_dir = source->base_dir ? source->base_dir : "";
    } else {
        in->base_dir = base_dir = is_stdin ? sn_string_copy("") : sn_path_dir(source->path);
        status = base_dir ? SN_OK : sn_error_memory(error, strlen(source->path), "a path");
        if (!status && source->is_regular) status = sn_file_check_regular(source->path, error);
        if (!status) status = sn_file_read(source->path, SN_CONFIG_MAX_BYTES, &data, &in->length, error);
        in->text = data;
    }
    if (status == SN_OK) status = read_input(config, schema, in, error);
    free(data);
    free(base_dir);
    return status;
}

sn_status sn_config_read(sn_config **config, const sn_schema *schema, const sn_config_source *source, sn_error *error) {
    input in = {.is_portable = false};
    return read_source(config, schema, source, &in, error);
}

sn_status sn_config_read_portable(sn_config **config, const sn_schema *schema, const sn_config_source *source,
                                  sn_error *error) {
    input in = {.is_portable = true};
    return read_source(config, schema, source, &in, error);
}

void sn_config_free(sn_config *config) {
    if (!config) return;
    cJSON_Delete(config->root);
    sn_places_free(&config->places);
    sn_pool_free(&config->pool);
    free(config);
}

const sn_value *sn_config_root(const sn_config *config) {
    return config->root;
}

bool sn_config_is_given(const sn_config *config, const sn_value *value) {
    if (!value) return false;
    const sn_place *places = config->places.items;
    int place = value->valueint;
    while (place >= 0 && !places[place].is_default) /* what stands in a default is one */
        place = places[place].parent;
    return place < 0;
}

sn_status sn_config_fault(const sn_config *config, const sn_value *value, sn_error *error, const char *format, ...) {
    const sn_places *places = &config->places;
    const sn_value *at = value ? value : config->root;
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    sn_text where = SN_TEXT_EMPTY;
    sn_place_write(places, sn_place_of(places, at), &where);
    size_t n = where.length;
    sn_places_path(places, at->valueint, &where);
    sn_error_add(error, SN_INVALID, "%s%s%s", sn_text_string(&where), where.length > n ? ": " : "", message);
    if (where.failed) sn_error_memory(error, where.length, "a message");
    sn_text_free(&where);
    return error->status;
}
