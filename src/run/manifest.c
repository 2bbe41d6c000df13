/* Owns run.json. */
#include "run/manifest.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/file.h"
#include "engine/backend.h"
#include "report/figures.h"
#include "run/machine.h"

#define MANIFEST_MAX_BYTES ((size_t)64 << 20)

static bool keeps_denormals(void) {
    volatile double smallest = DBL_MIN;
    return smallest / 2 > 0;
}

static void add_string(sn_text *text, const char *key, const char *value) {
    sn_text_addf(text, "  \"%s\": ", key);
    sn_text_add_json(text, value);
    sn_text_add(text, ",\n");
}

static void add_hash(sn_text *text, const char *key, uint64_t hash) {
    sn_text_addf(text, "  \"%s\": \"%016" PRIx64 "\",\n", key, hash);
}

static void add_machine(sn_text *text, const sn_manifest *manifest) {
    add_string(text, "program", "skipnet " SN_VERSION);
    add_string(text, "commit", sn_build_commit());
    char cpu[SN_CPU_NAME];
    add_string(text, "cpu", sn_machine_cpu(cpu));
    add_string(text, "compiler", sn_machine_compiler());
    add_string(text, "simd", manifest->experiment->backend->simd);
    bool is_own = !sn_uses_openblas(manifest->experiment->options.products, manifest->experiment->backend);
    add_string(text, "products", is_own ? SN_PRODUCTS_OWN_NAME : SN_PRODUCTS_OPENBLAS_NAME);
    add_string(text, "openblas", sn_blas_config());
    add_string(text, "openblas_core", sn_blas_core());
    add_string(text, "openblas_threading", sn_blas_threading());
    sn_text_addf(text, "  \"openblas_threads\": 1,\n  \"threads\": %d,\n", manifest->experiment->options.threads);
    add_string(text, "threads_origin", manifest->experiment->chose_threads ? "chosen" : "given");
    add_string(text, "denormals", keeps_denormals() ? "kept" : "flushed");
}

/* What the statistics took: observed steps beyond the mean of the plain ones, and the last step; NAN without plain
 * steps to compare with. */
static double statistics_seconds(const sn_timings *t) {
    if (t->n_observed == 0) return t->last;
    if (t->n_plain == 0) return (double)NAN;
    double extra = t->observed - t->plain / (double)t->n_plain * (double)t->n_observed;
    return fmax(extra, 0) + t->last;
}

static double share(double part, double whole) {
    return whole > 0 ? part / whole : (double)NAN;
}

static void add_timings(sn_text *text, const sn_manifest *manifest) {
    const sn_timings *t = &manifest->timings;
    double statistics = statistics_seconds(t), steps = t->first + t->plain + t->observed + t->last;
    const struct {
        const char *name;
        double value;
    } rows[] = {{"load_data_s", manifest->experiment->load_seconds},
                {"build_s", manifest->experiment->build_seconds},
                {"train_s", t->total},
                {"evaluate_s", t->evaluate},
                {"first_step_s", t->first},
                {"plain_steps_s", t->plain},
                {"plain_steps", (double)t->n_plain},
                {"observed_steps_s", t->observed},
                {"observed_steps", (double)t->n_observed},
                {"last_step_s", t->last},
                {"statistics_s", statistics},
                {"format_s", t->format},
                {"checkpoint_s", t->checkpoint},
                {"checkpoints", (double)t->n_checkpoints},
                {"statistics_share", share(statistics, steps)},
                {"reporting_share", share(statistics + t->format, t->total)},
                {"evaluate_share", share(t->evaluate, t->total)},
                {"checkpoint_share", share(t->checkpoint, t->total)}};
    sn_text_add(text, "  \"timings\": {");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_text_addf(text, "%s\n    \"%s\": ", i ? "," : "", rows[i].name);
        sn_text_add_json_number(text, rows[i].value, 9);
    }
    sn_text_add(text, "\n  },\n");
}

/* What the classes are called, in their order, where the data say so. */
static void add_classes(sn_text *text, const sn_dataset *data) {
    if (!data->class_names) return;
    sn_text_add(text, "  \"classes\": [");
    for (size_t c = 0; c < data->out_dim; c++) {
        if (c > 0) sn_text_add(text, ", ");
        sn_text_add_json(text, data->class_names[c]);
    }
    sn_text_add(text, "],\n");
}

static void add_notes(sn_text *text, const sn_notes *notes) {
    sn_text_add(text, "  \"notes\": ");
    sn_notes_json(notes, text);
    sn_text_add(text, ",\n");
}

/* Indents what the report room wrote, so that the object stands where it belongs. */
static void add_summary(sn_text *text, const sn_summary *summary) {
    sn_text inner = SN_TEXT_EMPTY;
    sn_summary_json(summary, &inner);
    sn_text_add(text, "  \"summary\": ");
    for (const char *p = sn_text_string(&inner); *p; p++) {
        if (*p == '\n' && !p[1]) break;
        sn_text_add_bytes(text, p, 1);
        if (*p == '\n') sn_text_add(text, "  ");
    }
    sn_text_add(text, "\n");
    text->failed |= inner.failed;
    sn_text_free(&inner);
}

sn_status sn_manifest_write(const sn_manifest *manifest, const char *path, sn_error *error) {
    const sn_experiment *x = manifest->experiment;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "{\n  \"format_version\": %d,\n", SN_MANIFEST_VERSION);
    add_string(&text, "status", manifest->status);
    add_string(&text, "name", x->settings.name);
    add_hash(&text, "config_hash", x->hash);
    add_hash(&text, "config_hash_but_length", x->hash_but_length);
    sn_text_addf(&text, "  \"planned_steps\": %" PRId64 ",\n", x->steps);
    sn_text_addf(&text, "  \"seed\": %" PRIu64 ",\n", x->settings.seed);
    add_string(&text, "precision", x->backend->dtype == SN_F64 ? "float64" : "float32");
    add_machine(&text, manifest);
    add_string(&text, "data_origin", x->data.origin ? x->data.origin : "");
    add_hash(&text, "data_checksum", x->data.checksum);
    add_classes(&text, &x->data);
    add_notes(&text, &x->notes);
    if (manifest->has_weights) add_hash(&text, "weights_hash", manifest->weights_hash);
    if (manifest->summary) {
        add_timings(&text, manifest);
        add_summary(&text, manifest->summary);
    } else {
        sn_text_add(&text, "  \"summary\": null\n");
    }
    sn_text_add(&text, "}\n");
    sn_status status = text.failed ? sn_error_memory(error, text.length, "run.json")
                                   : sn_file_write_atomic(path, sn_text_string(&text), text.length, error);
    sn_text_free(&text);
    return status;
}

sn_status sn_manifest_parse(sn_config **manifest, const char *path, sn_error *error) {
    char *content = NULL;
    size_t size = 0;
    sn_status status = sn_file_read_regular(path, MANIFEST_MAX_BYTES, &content, &size, error);
    if (!status) status = sn_config_parse_free(manifest, content, size, path, error);
    free(content);
    return status;
}

static uint64_t hash_of(const sn_value *root, const char *key) {
    const char *hash = sn_value_text(root, key);
    return hash ? strtoull(hash, NULL, 16) : 0;
}

sn_status sn_manifest_state_of(sn_manifest_state *state, const sn_config *manifest, const char *path, sn_error *error) {
    const sn_value *root = sn_config_root(manifest);
    const char *word = sn_value_text(root, "status"), *hash = sn_value_text(root, "config_hash");
    if (!word || !hash || sn_value_integer(root, "format_version") != SN_MANIFEST_VERSION) {
        return sn_error_set(error, SN_INVALID, "%s: not a run.json of format version %d", path, SN_MANIFEST_VERSION);
    }
    snprintf(state->status, sizeof state->status, "%s", word);
    state->config_hash = strtoull(hash, NULL, 16);
    state->hash_but_length = hash_of(root, "config_hash_but_length");
    state->steps = sn_value_get(root, "planned_steps") ? sn_value_integer(root, "planned_steps") : -1;
    state->data_checksum = hash_of(root, "data_checksum");
    state->weights_hash = hash_of(root, "weights_hash");
    state->is_finished = strcmp(word, "done") == 0 || strcmp(word, "diverged") == 0;
    return SN_OK;
}

sn_status sn_manifest_read_state(sn_manifest_state *state, const char *path, sn_error *error) {
    sn_config *manifest = NULL;
    sn_status status = sn_manifest_parse(&manifest, path, error);
    sn_error broken;
    sn_error_clear(&broken);
    if (!status && sn_manifest_state_of(state, manifest, path, &broken)) {
        status = sn_error_set(error, broken.status, "%s (take another --out, or --force)", broken.text);
    }
    sn_config_free(manifest);
    return status;
}

static sn_measure measure_of(const sn_value *object, const char *key) {
    const sn_value *value = sn_value_get(object, key);
    if (!value) return SN_NOT_MEASURED;
    if (sn_value_is_number(value)) return sn_measured(sn_value_number(value, ""));
    return sn_value_is_text(value) ? sn_measured(strtod(sn_value_text(value, ""), NULL)) : SN_NOT_MEASURED;
}

static bool is_rms(sn_measure measure) {
    return !measure.is_measured || isnan(measure.value) || measure.value >= 0;
}

/* Whether the figures can be those of a run: sentences and charts rely on it. */
static bool is_sound(const sn_summary *s) {
    enum { MOST_SECONDS = 1000000000 };
    bool sound = s->name && s->status && s->wall_seconds >= 0 && s->wall_seconds <= MOST_SECONDS && s->steps >= 0 &&
                 s->profile_step >= 0;
    const sn_run_figure *count = NULL;
    while ((count = sn_run_figure_next(count, SN_FIGURE_COUNT)) && sound)
        sound = !(sn_run_figure_of(count, s).value > s->n_hidden);
    for (int i = 0; i < s->n_hidden && sound; i++)
        sound = is_rms(s->layers[i].delta_rms) && is_rms(s->layers[i].grad_rms);
    return sound;
}

static sn_status read_layers(sn_summary *summary, const sn_value *list, sn_summary_layer **layers, sn_error *error) {
    size_t n = sn_value_count(list);
    *layers = calloc(n + 1, sizeof **layers);
    if (!*layers) return sn_error_memory(error, n * sizeof **layers, "a summary");
    sn_summary_layer *layer = *layers;
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v), layer++) {
        *layer = (sn_summary_layer){.layer = (int)sn_value_integer(v, "layer"),
                                    .delta_rms = measure_of(v, "delta_rms"),
                                    .grad_rms = measure_of(v, "grad_rms"),
                                    .stalled_frac = measure_of(v, "stalled_frac"),
                                    .is_frozen = sn_value_bool(v, "frozen")};
    }
    summary->layers = *layers;
    summary->n_hidden = (int)n;
    return SN_OK;
}

static int read_count(const sn_value *object, const char *key) {
    return sn_value_get(object, key) ? (int)sn_value_integer(object, key) : -1;
}

static void read_figures(sn_summary *summary, const sn_value *object) {
    const sn_run_figure *figure = NULL;
    while ((figure = sn_run_figure_next(figure, SN_FIGURE_MEASURE)))
        *(sn_measure *)sn_run_figure_at(figure, summary) = measure_of(object, figure->key);
    while ((figure = sn_run_figure_next(figure, SN_FIGURE_COUNT)))
        *(int *)sn_run_figure_at(figure, summary) = read_count(object, figure->key);
}

sn_status sn_summary_from_manifest(sn_summary *summary, const sn_config *manifest, sn_summary_layer **layers,
                                   sn_error *error) {
    const sn_value *s = sn_value_get(sn_config_root(manifest), "summary");
    if (!s) return sn_error_set(error, SN_INVALID, "run.json has no summary");
    *summary = (sn_summary){.name = sn_value_text(s, "name"),
                            .status = sn_value_text(s, "status"),
                            .fault = sn_value_text(s, "fault"),
                            .steps = sn_value_integer(s, "steps"),
                            .wall_seconds = sn_value_number(s, "wall_seconds"),
                            .profile_step = sn_value_integer(s, "profile_step")};
    read_figures(summary, s);
    sn_status status = read_layers(summary, sn_value_get(s, "layers"), layers, error);
    if (status || is_sound(summary)) return status;
    return sn_error_set(error, SN_INVALID, "the summary of run.json is broken");
}

sn_status sn_manifest_read_summary(sn_summary *summary, sn_config **config, sn_summary_layer **layers, const char *path,
                                   sn_error *error) {
    *layers = NULL;
    sn_status status = sn_manifest_parse(config, path, error);
    if (!status) status = sn_summary_from_manifest(summary, *config, layers, error);
    return status;
}
