/* Owns the verb eval. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "engine/team.h"
#include "run/directory.h"
#include "study/evaluate.h"

static void add_share(sn_text *text, size_t part, size_t whole) {
    if (whole > 0) {
        sn_text_addf(text, "  %9.4f", (double)part / (double)whole);
    } else {
        sn_text_addf(text, "  %9s", "-");
    }
}

static void add_classes(const sn_evaluation *e, sn_text *text) {
    sn_text_add(text, "\nclass  samples  correct   accuracy  precision  most often taken for\n");
    for (size_t c = 0; c < e->experiment.data.out_dim; c++) {
        const sn_class_tally *tally = &e->tallies[c];
        sn_text_addf(text, "%5zu  %7zu  %7zu", c, tally->samples, tally->correct);
        add_share(text, tally->correct, tally->samples);
        add_share(text, tally->correct, tally->predicted);
        if (tally->rival == SN_NO_CLASS) {
            sn_text_add(text, "  -\n");
        } else {
            sn_text_addf(text, "  %u (%zu)\n", tally->rival, tally->rival_count);
        }
    }
}

static void add_outputs(const sn_evaluation *e, sn_text *text) {
    sn_text_add(text, "\noutput  rmse\n");
    for (size_t j = 0; j < e->experiment.data.out_dim; j++) {
        sn_text_addf(text, "%6zu  ", j);
        sn_text_add_number(text, e->rmse[j], sn_evaluation_digits(e));
        sn_text_add(text, "\n");
    }
}

static void add_text(const sn_evaluation *e, const sn_arguments *arguments, sn_text *text) {
    int digits = sn_evaluation_digits(e);
    sn_text_addf(text, "run       %s (%s)\n", arguments->operands[0], e->state.status);
    sn_text_addf(text, "weights   %s\n", e->weights);
    sn_text_addf(text, "split     %s, %zu of %zu samples\nloss      ", arguments->on_train ? "train" : "test", e->n,
                 e->samples->n);
    sn_text_add_number(text, e->result.loss, digits);
    sn_text_add(text, "\n");
    if (e->rmse) {
        add_outputs(e, text);
        return;
    }
    sn_text_add(text, "accuracy  ");
    sn_text_add_number(text, e->result.accuracy, digits);
    sn_text_add(text, "\n");
    add_classes(e, text);
}

static void add_json_share(sn_text *text, const char *key, size_t part, size_t whole) {
    sn_text_addf(text, ", \"%s\": ", key);
    sn_text_add_json_number(text, whole > 0 ? (double)part / (double)whole : (double)NAN, 17);
}

static void add_json_class(const sn_class_tally *tally, size_t c, sn_text *text) {
    sn_text_addf(text, "{\"class\": %zu, \"samples\": %zu, \"correct\": %zu, \"predicted\": %zu", c, tally->samples,
                 tally->correct, tally->predicted);
    add_json_share(text, "accuracy", tally->correct, tally->samples);
    add_json_share(text, "precision", tally->correct, tally->predicted);
    if (tally->rival == SN_NO_CLASS) {
        sn_text_add(text, ", \"confused_with\": null, \"confused\": 0}");
    } else {
        sn_text_addf(text, ", \"confused_with\": %u, \"confused\": %zu}", tally->rival, tally->rival_count);
    }
}

static void add_json(const sn_evaluation *e, const sn_arguments *arguments, sn_text *text) {
    int digits = sn_evaluation_digits(e);
    sn_text_add(text, "{\n  \"run\": ");
    sn_text_add_json(text, arguments->operands[0]);
    sn_text_addf(text, ",\n  \"status\": \"%s\",\n  \"weights\": ", e->state.status);
    sn_text_add_json(text, e->weights);
    sn_text_addf(text,
                 ",\n  \"split\": \"%s\",\n  \"samples\": %zu,\n  \"loss\": ", arguments->on_train ? "train" : "test",
                 e->n);
    sn_text_add_json_number(text, e->result.loss, digits);
    if (e->tallies) {
        sn_text_add(text, ",\n  \"accuracy\": ");
        sn_text_add_json_number(text, e->result.accuracy, digits);
    }
    sn_text_addf(text, ",\n  \"%s\": [", e->tallies ? "classes" : "outputs");
    for (size_t c = 0; c < e->experiment.data.out_dim; c++) {
        sn_text_addf(text, "%s\n    ", c ? "," : "");
        if (e->tallies) {
            add_json_class(&e->tallies[c], c, text);
        } else {
            sn_text_addf(text, "{\"output\": %zu, \"rmse\": ", c);
            sn_text_add_json_number(text, e->rmse[c], digits);
            sn_text_add(text, "}");
        }
    }
    sn_text_add(text, "\n  ]\n}\n");
}

/* Before any work: a run's own files are not for other things. */
static sn_status check_predictions(const sn_arguments *arguments, sn_error *error) {
    const char *path = arguments->predictions;
    if (path && strcmp(path, "-") == 0) {
        return sn_error_set(error, SN_INVALID, "skipnet eval: --predictions writes a file, not a stream (name one)");
    }
    if (!path || !sn_run_directory_owns(arguments->operands[0], path)) return SN_OK;
    return sn_error_set(error, SN_INVALID, "skipnet eval: %s belongs to the run (take another name for --predictions)",
                        path);
}

static sn_status write_predictions(const sn_evaluation *e, const char *path, sn_error *error) {
    sn_text csv = SN_TEXT_EMPTY;
    sn_evaluation_csv(e, &csv);
    sn_status status = csv.failed ? sn_error_memory(error, csv.length, "predictions")
                                  : sn_file_write_atomic(path, sn_text_string(&csv), csv.length, error);
    sn_text_free(&csv);
    return status;
}

static sn_status run_eval(const sn_arguments *arguments, sn_error *error) {
    sn_evaluation_request request = {.run = arguments->operands[0],
                                     .weights = arguments->weights,
                                     .on_train = arguments->on_train,
                                     .limit = arguments->limit,
                                     .threads = arguments->threads ? arguments->threads : sn_team_available()};
    sn_evaluation evaluation;
    sn_status status = check_predictions(arguments, error);
    if (status) return status;
    status = sn_evaluation_open(&evaluation, &request, error);
    sn_tell_notes(&evaluation.experiment.notes);
    if (!status && arguments->predictions) status = write_predictions(&evaluation, arguments->predictions, error);
    if (!status) {
        sn_text text = SN_TEXT_EMPTY;
        if (arguments->json) {
            add_json(&evaluation, arguments, &text);
        } else {
            add_text(&evaluation, arguments, &text);
        }
        status = sn_print(&text, error);
    }
    sn_evaluation_reset(&evaluation);
    return status;
}

static const char *const options[] = {"split", "limit", "weights", "predictions", "json", "threads", NULL};

const sn_verb sn_verb_eval = {
    .name = "eval",
    .operands = "RUN",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .help = "loss, accuracy and predictions of a run's weights on a split of its data",
    .details =
        "RUN is the directory of a finished run.  Classes: for each its samples, how many were right (accuracy: of\n"
        "its samples, precision: of those taken for it), what it was most often taken for.  Regression: the root mean\n"
        "squared error of each output.  --predictions: index, label, predicted, p0, p1, ... (probabilities), or\n"
        "index, t0, ... (targets), y0, ... (outputs).",
    .run = run_eval};
