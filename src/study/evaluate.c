/* Owns the evaluation of a run. */
#include "study/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/metrics.h"

/* What the numbers stand for, where it is not the run as it ended. */
static void tell_step(sn_evaluation *e) {
    sn_finished_run *run = &e->run;
    if (run->source != SN_WEIGHTS_CHECKPOINT) return;
    sn_note_always(&run->experiment.notes,
                   "%s: evaluating the checkpoint of step %" PRId64 " of %" PRId64 " (run is %s)", run->request.run,
                   run->step, run->experiment.steps, run->state.status);
}

static sn_status choose_samples(sn_evaluation *e, const sn_evaluation_request *request, sn_error *error) {
    const sn_dataset *data = &e->run.experiment.data;
    e->samples = request->on_train ? &data->train : &data->test;
    e->n = request->limit > 0 && request->limit < e->samples->n ? request->limit : e->samples->n;
    if (e->n > 0) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: its data have no test samples (--split train)", request->run.run);
}

static sn_status take_memory(sn_evaluation *e, sn_error *error) {
    size_t out_dim = e->run.experiment.data.out_dim;
    bool is_classes = e->run.experiment.data.is_classes;
    sn_status status = sn_memory_check(e->n * out_dim * sizeof *e->outputs, "the outputs of all samples", error);
    if (status) return status;
    e->outputs = calloc(e->n * out_dim, sizeof *e->outputs);
    if (e->run.experiment.options.objective.loss->probabilities) {
        e->probabilities = calloc(out_dim, sizeof *e->probabilities);
        if (!e->probabilities) return sn_error_memory(error, out_dim * sizeof *e->probabilities, "probabilities");
    }
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
    const sn_experiment *x = &e->run.experiment;
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
    size_t out_dim = e->run.experiment.data.out_dim, n_mistakes = 0;
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
    size_t out_dim = e->run.experiment.data.out_dim;
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
    sn_status status = sn_finished_open(&e->run, &request->run, error);
    if (!status) status = sn_finished_start(&e->run, error);
    if (!status) tell_step(e);
    if (!status) status = choose_samples(e, request, error);
    if (!status) status = take_memory(e, error);
    if (status) return status;
    sn_engine_evaluate(e->run.experiment.engine, &e->run.experiment.data, e->samples, e->n, &e->result);
    status = predict(e, error);
    if (!status && e->predicted) status = tally_classes(e, error);
    if (!status && e->rmse) measure_outputs(e);
    return status;
}

void sn_evaluation_reset(sn_evaluation *evaluation) {
    sn_finished_reset(&evaluation->run);
    free(evaluation->outputs);
    free(evaluation->probabilities);
    free(evaluation->predicted);
    free(evaluation->tallies);
    free(evaluation->rmse);
    *evaluation = (sn_evaluation){0};
}

int sn_evaluation_digits(const sn_evaluation *evaluation) {
    return evaluation->run.experiment.backend->dtype == SN_F64 ? 17 : 9;
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

void sn_evaluation_add_class(const sn_evaluation *evaluation, size_t class, sn_text *text) {
    if (evaluation->run.classes) {
        sn_text_add(text, evaluation->run.classes[class]);
    } else {
        sn_text_addf(text, "%zu", class);
    }
}

/* Quoted where RFC 4180 wants it. */
static void add_class_cell(const sn_evaluation *e, size_t class, sn_text *text) {
    sn_text name = SN_TEXT_EMPTY;
    sn_evaluation_add_class(e, class, &name);
    sn_cell_value cell = sn_cell_text(sn_text_string(&name));
    sn_csv_cell(text, &cell, sn_evaluation_digits(e));
    text->failed |= name.failed;
    sn_text_free(&name);
}

static void add_sample(const sn_evaluation *e, size_t i, sn_text *text) {
    size_t out_dim = e->run.experiment.data.out_dim;
    const double *outputs = e->outputs + i * out_dim;
    int digits = sn_evaluation_digits(e);
    sn_text_addf(text, "%zu", i);
    if (e->predicted) {
        sn_text_add(text, ",");
        add_class_cell(e, e->samples->labels[i], text);
        sn_text_add(text, ",");
        if (e->predicted[i] != SN_NO_CLASS) add_class_cell(e, e->predicted[i], text);
        if (e->probabilities)
            e->run.experiment.options.objective.loss->probabilities(e->probabilities, outputs, out_dim);
        add_numbers(text, e->probabilities ? e->probabilities : outputs, out_dim, digits);
    } else {
        add_numbers(text, e->samples->targets + i * out_dim, out_dim, digits);
        add_numbers(text, outputs, out_dim, digits);
    }
    if (e->samples->rows) sn_text_addf(text, ",%u", e->samples->rows[i]);
    sn_text_add(text, "\n");
}

void sn_evaluation_csv(const sn_evaluation *evaluation, sn_text *text) {
    const sn_evaluation *e = evaluation;
    size_t out_dim = e->run.experiment.data.out_dim;
    sn_text_add(text, e->predicted ? "index,label,predicted" : "index");
    if (!e->predicted) add_names(text, "t", out_dim);
    add_names(text, e->predicted && e->probabilities ? "p" : "y", out_dim);
    sn_text_add(text, e->samples->rows ? ",row\n" : "\n");
    for (size_t i = 0; i < e->n; i++)
        add_sample(e, i, text);
}
