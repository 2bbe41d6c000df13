/* Owns the evaluation of a finished run. */
#include "study/evaluate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/metrics.h"
#include "run/directory.h"
#include "run/language.h"

static sn_status join(char **path, const char *base, const char *name, sn_error *error) {
    *path = sn_path_join(base, name);
    return *path ? SN_OK : sn_error_memory(error, strlen(base), "a path");
}

/* What run.json says; a run that has no final weights is refused where they are wanted. */
static sn_status read_state(sn_evaluation *e, const sn_evaluation_request *request, sn_error *error) {
    if (!sn_path_is_dir(request->run)) {
        errno = sn_path_exists(request->run) ? ENOTDIR : ENOENT;
        return sn_error_io(error, "read directory", request->run);
    }
    char *path = NULL;
    sn_status status = join(&path, request->run, SN_FILE_MANIFEST, error);
    if (!status && !sn_path_exists(path)) {
        status = sn_error_set(error, SN_INVALID, "%s: no run here (a run directory holds a run.json)", request->run);
    }
    sn_error broken;
    sn_error_clear(&broken);
    if (!status) {
        status = sn_manifest_parse(&e->manifest, path, &broken);
        if (!status) status = sn_manifest_state_of(&e->state, e->manifest, path, &broken);
        if (status == SN_INVALID) {
            sn_error_set(error, SN_INVALID, "%s: its run.json is broken or of another format version (train it anew)",
                         request->run);
        } else if (status) {
            sn_error_set(error, status, "%s", broken.text);
        }
    }
    free(path);
    if (!status && !request->weights && !e->state.is_finished) {
        status = sn_error_set(error, SN_INVALID,
                              "%s: the run is not finished (status %s) and has no final weights (train it to its end; "
                              "--weights FILE evaluates others)",
                              request->run, e->state.status);
    }
    return status;
}

/* Reads config.json with network.weights set to `weights`, so that the experiment starts from them. */
static sn_status read_config(sn_config **config, const char *run, const char *weights, sn_error *error) {
    char *path = NULL, *absolute = weights ? sn_path_absolute(weights) : NULL;
    sn_text set = SN_TEXT_EMPTY;
    sn_status status = join(&path, run, SN_FILE_CONFIG, error);
    if (absolute) sn_text_addf(&set, "network.weights=%s", absolute);
    if (!status && (set.failed || (weights && !absolute))) status = sn_error_memory(error, strlen(run), "a path");
    const char *const sets[] = {sn_text_string(&set)};
    sn_config_source source = {.path = path, .sets = sets, .n_sets = weights ? 1 : 0, .is_regular = true};
    if (!status) status = sn_config_read(config, &sn_language, &source, error);
    sn_text_free(&set);
    free(absolute);
    free(path);
    return status;
}

/* Whether config and data are still those that the run had.  A config whose run began with a file of weights is not
 * compared: the file need not be there any more. */
static sn_status check_same(const sn_evaluation *e, const char *run, sn_error *error) {
    const sn_dataset *data = &e->experiment.data;
    if (data->checksum != e->state.data_checksum) {
        return sn_error_set(error, SN_INVALID,
                            "%s: the data (%s) are not those of the run: their checksum is %016llx, run.json has "
                            "%016llx (SKIPNET_DATA and data.path in its config.json say where data are looked for)",
                            run, data->origin ? data->origin : "its config", (unsigned long long)data->checksum,
                            (unsigned long long)e->state.data_checksum);
    }
    sn_config *own = NULL;
    sn_status status = read_config(&own, run, NULL, error);
    if (status) return status;
    bool is_comparable = !sn_value_text(sn_config_root(own), "network.weights");
    if (is_comparable && sn_experiment_meaning(own, data->checksum) != e->state.config_hash) {
        status = sn_error_set(error, SN_INVALID,
                              "%s: its config.json is not the one of the run any more (its hash is not config_hash of "
                              "run.json; train from it anew)",
                              run);
    }
    sn_config_free(own);
    return status;
}

static sn_status check_weights(const sn_evaluation *e, const sn_evaluation_request *request, sn_error *error) {
    if (request->weights || sn_engine_weights_hash(e->experiment.engine) == e->state.weights_hash) return SN_OK;
    return sn_error_set(error, SN_INVALID,
                        "%s: not the weights that the run ended with (their hash is not weights_hash of run.json; "
                        "--weights FILE evaluates any file)",
                        e->weights);
}

/* What the run was told: its config.json has no keys without effect any more.  Runs of older versions have no list. */
static void take_notes(sn_evaluation *e) {
    const sn_value *list = sn_value_get(sn_config_root(e->manifest), "notes");
    if (!list || !sn_value_is_list(list)) return;
    sn_notes_reset(&e->experiment.notes);
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v)) {
        if (sn_value_is_text(v)) sn_note_always(&e->experiment.notes, "%s", sn_value_text(v, ""));
    }
}

/* Whether run.json names all classes, as runs of older versions do not. */
static bool names_all(const sn_value *list, size_t n) {
    if (!list || !sn_value_is_list(list) || sn_value_count(list) != n) return false;
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v)) {
        if (!sn_value_is_text(v)) return false;
    }
    return true;
}

/* Another name than the run's for the same class: the weights stand for those of the run. */
static void note_new_name(sn_evaluation *e) {
    const sn_dataset *data = &e->experiment.data;
    for (size_t c = 0; data->class_names && c < data->out_dim; c++) {
        if (strcmp(e->classes[c], data->class_names[c]) == 0) continue;
        sn_note_always(&e->experiment.notes, "%s: its class \"%s\" is called \"%s\" in the run, and here", data->origin,
                       data->class_names[c], e->classes[c]);
        return;
    }
}

static sn_status name_classes(sn_evaluation *e, sn_error *error) {
    const sn_dataset *data = &e->experiment.data;
    const sn_value *list = sn_value_get(sn_config_root(e->manifest), "classes");
    bool is_named = data->is_classes && names_all(list, data->out_dim);
    if (!is_named && !data->class_names) return SN_OK;
    size_t size = data->out_dim * sizeof *e->classes;
    e->classes = calloc(data->out_dim, sizeof *e->classes);
    if (!e->classes) return sn_error_memory(error, size, "the names of classes");
    if (!is_named) {
        memcpy(e->classes, data->class_names, size);
        return SN_OK;
    }
    const sn_value *v = sn_value_first(list);
    for (size_t c = 0; c < data->out_dim; c++, v = sn_value_next(v))
        e->classes[c] = sn_value_text(v, "");
    note_new_name(e);
    return SN_OK;
}

static sn_status start(sn_evaluation *e, const sn_evaluation_request *request, sn_error *error) {
    sn_status status = read_state(e, request, error);
    if (status) return status;
    status = request->weights ? join(&e->weights, "", request->weights, error)
                              : join(&e->weights, request->run, SN_FILE_FINAL, error);
    if (!status) status = read_config(&e->config, request->run, e->weights, error);
    if (!status) status = sn_experiment_open(&e->experiment, e->config, request->threads, error);
    take_notes(e);
    if (!status) status = name_classes(e, error);
    if (!status) status = check_same(e, request->run, error);
    if (!status) status = sn_experiment_start(&e->experiment, error);
    if (!status) status = check_weights(e, request, error);
    return status;
}

static sn_status choose_samples(sn_evaluation *e, const sn_evaluation_request *request, sn_error *error) {
    const sn_dataset *data = &e->experiment.data;
    e->samples = request->on_train ? &data->train : &data->test;
    e->n = request->limit > 0 && request->limit < e->samples->n ? request->limit : e->samples->n;
    if (e->n > 0) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: its data have no test samples (--split train)", request->run);
}

static sn_status take_memory(sn_evaluation *e, sn_error *error) {
    size_t out_dim = e->experiment.data.out_dim;
    bool is_classes = e->experiment.data.is_classes;
    sn_status status = sn_memory_check(e->n * out_dim * sizeof *e->outputs, "the outputs of all samples", error);
    if (status) return status;
    e->outputs = calloc(e->n * out_dim, sizeof *e->outputs);
    if (is_classes) {
        e->predicted = calloc(e->n, sizeof *e->predicted);
        e->tallies = calloc(out_dim, sizeof *e->tallies);
    } else {
        e->rmse = calloc(out_dim, sizeof *e->rmse);
    }
    bool ok = e->outputs && (is_classes ? e->predicted && e->tallies : e->rmse != NULL);
    return ok ? SN_OK : sn_error_memory(error, e->n * out_dim * sizeof *e->outputs, "outputs");
}

static sn_status predict(sn_evaluation *e, sn_error *error) {
    const sn_experiment *x = &e->experiment;
    size_t most = x->options.batch;
    uint32_t *indices = malloc(most * sizeof *indices);
    if (!indices) return sn_error_memory(error, most * sizeof *indices, "a batch");
    for (size_t begin = 0; begin < e->n; begin += most) {
        sn_batch batch = {&x->data, e->samples, indices, e->n - begin < most ? e->n - begin : most};
        for (size_t r = 0; r < batch.rows; r++)
            indices[r] = (uint32_t)(begin + r);
        sn_engine_predict(x->engine, &batch, e->outputs + begin * x->data.out_dim);
    }
    free(indices);
    return SN_OK;
}

static uint32_t largest(const double *outputs, size_t n) {
    size_t best = 0;
    for (size_t j = 0; j < n; j++) {
        if (isnan(outputs[j])) return SN_NO_CLASS;
        if (outputs[j] > outputs[best]) best = j;
    }
    return (uint32_t)best;
}

static int by_value(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The rivals, from the sorted list of mistakes: label in the upper half of each, what was predicted in the lower. */
static void count_mistakes(sn_class_tally *tallies, uint64_t *mistakes, size_t n) {
    qsort(mistakes, n, sizeof *mistakes, by_value);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && mistakes[end] == mistakes[begin])
            end++;
        sn_class_tally *tally = &tallies[mistakes[begin] >> 32];
        if (end - begin <= tally->rival_count) continue;
        tally->rival_count = end - begin;
        tally->rival = (uint32_t)mistakes[begin];
    }
}

static sn_status tally_classes(sn_evaluation *e, sn_error *error) {
    size_t out_dim = e->experiment.data.out_dim, n_mistakes = 0;
    uint64_t *mistakes = malloc(e->n * sizeof *mistakes);
    if (!mistakes) return sn_error_memory(error, e->n * sizeof *mistakes, "mistakes");
    for (size_t c = 0; c < out_dim; c++)
        e->tallies[c].rival = SN_NO_CLASS;
    for (size_t i = 0; i < e->n; i++) {
        uint32_t label = e->samples->labels[i], found = largest(e->outputs + i * out_dim, out_dim);
        e->predicted[i] = found;
        e->tallies[label].samples++;
        e->tallies[label].correct += found == label;
        if (found == SN_NO_CLASS) continue;
        e->tallies[found].predicted++;
        if (found != label) mistakes[n_mistakes++] = (uint64_t)label << 32 | found;
    }
    count_mistakes(e->tallies, mistakes, n_mistakes);
    free(mistakes);
    return SN_OK;
}

static void measure_outputs(sn_evaluation *e) {
    size_t out_dim = e->experiment.data.out_dim;
    for (size_t i = 0; i < e->n * out_dim; i++) {
        double difference = e->outputs[i] - e->samples->targets[i];
        e->rmse[i % out_dim] += difference * difference;
    }
    for (size_t j = 0; j < out_dim; j++)
        e->rmse[j] = sqrt(e->rmse[j] / (double)e->n);
}

sn_status sn_evaluation_open(sn_evaluation *evaluation, const sn_evaluation_request *request, sn_error *error) {
    sn_evaluation *e = evaluation;
    *e = (sn_evaluation){0};
    sn_status status = start(e, request, error);
    if (!status) status = choose_samples(e, request, error);
    if (!status) status = take_memory(e, error);
    if (status) return status;
    sn_engine_evaluate(e->experiment.engine, &e->experiment.data, e->samples, e->n, &e->result);
    status = predict(e, error);
    if (!status && e->predicted) status = tally_classes(e, error);
    if (!status && e->rmse) measure_outputs(e);
    return status;
}

void sn_evaluation_reset(sn_evaluation *evaluation) {
    sn_experiment_reset(&evaluation->experiment);
    sn_config_free(evaluation->config);
    sn_config_free(evaluation->manifest);
    free(evaluation->classes);
    free(evaluation->weights);
    free(evaluation->outputs);
    free(evaluation->predicted);
    free(evaluation->tallies);
    free(evaluation->rmse);
    *evaluation = (sn_evaluation){0};
}

int sn_evaluation_digits(const sn_evaluation *evaluation) {
    return evaluation->experiment.backend->dtype == SN_F64 ? 17 : 9;
}

static void add_names(sn_text *text, const char *letter, size_t n) {
    for (size_t j = 0; j < n; j++)
        sn_text_addf(text, ",%s%zu", letter, j);
}

static void add_numbers(sn_text *text, const double *values, size_t n, int digits) {
    for (size_t j = 0; j < n; j++) {
        sn_text_add(text, ",");
        sn_text_add_number(text, values[j], digits);
    }
}

/* exp(z_j) over their sum, from differences to the largest output, so that nothing overflows. */
static void add_probabilities(sn_text *text, const double *z, size_t n, int digits) {
    double most = z[0], sum = 0;
    for (size_t j = 1; j < n; j++)
        most = fmax(most, z[j]);
    for (size_t j = 0; j < n; j++)
        sum += exp(z[j] - most);
    for (size_t j = 0; j < n; j++) {
        sn_text_add(text, ",");
        sn_text_add_number(text, exp(z[j] - most) / sum, digits);
    }
}

void sn_evaluation_add_class(const sn_evaluation *evaluation, size_t class, sn_text *text) {
    if (evaluation->classes) {
        sn_text_add(text, evaluation->classes[class]);
    } else {
        sn_text_addf(text, "%zu", class);
    }
}

/* Quoted where RFC 4180 wants it. */
static void add_class_cell(const sn_evaluation *e, size_t class, sn_text *text) {
    sn_text name = SN_TEXT_EMPTY;
    sn_evaluation_add_class(e, class, &name);
    sn_csv_cell(text, &(sn_metric_cell){.kind = SN_CELL_TEXT, .text = sn_text_string(&name)}, sn_evaluation_digits(e));
    text->failed |= name.failed;
    sn_text_free(&name);
}

static void add_sample(const sn_evaluation *e, size_t i, sn_text *text) {
    size_t out_dim = e->experiment.data.out_dim;
    const double *outputs = e->outputs + i * out_dim;
    int digits = sn_evaluation_digits(e);
    sn_text_addf(text, "%zu", i);
    if (e->predicted) {
        sn_text_add(text, ",");
        add_class_cell(e, e->samples->labels[i], text);
        sn_text_add(text, ",");
        if (e->predicted[i] != SN_NO_CLASS) add_class_cell(e, e->predicted[i], text);
        add_probabilities(text, outputs, out_dim, digits);
    } else {
        add_numbers(text, e->samples->targets + i * out_dim, out_dim, digits);
        add_numbers(text, outputs, out_dim, digits);
    }
    if (e->samples->rows) sn_text_addf(text, ",%u", e->samples->rows[i]);
    sn_text_add(text, "\n");
}

void sn_evaluation_csv(const sn_evaluation *evaluation, sn_text *text) {
    const sn_evaluation *e = evaluation;
    size_t out_dim = e->experiment.data.out_dim;
    sn_text_add(text, e->predicted ? "index,label,predicted" : "index");
    add_names(text, e->predicted ? "p" : "t", out_dim);
    if (!e->predicted) add_names(text, "y", out_dim);
    sn_text_add(text, e->samples->rows ? ",row\n" : "\n");
    for (size_t i = 0; i < e->n; i++)
        add_sample(e, i, text);
}
