/* Owns the verb eval. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "run/directory.h"
#include "study/evaluate.h"

typedef struct eval_options {
    bool on_train, json, force; /* on the training split, else the test split */
    int64_t limit, threads;
    const char *weights, *predictions;
} eval_options;

static bool read_split(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    (void)option;
    *(bool *)member = strcmp(value, "train") == 0;
    if (strcmp(value, "train") == 0 || strcmp(value, "test") == 0) return true;
    sn_text_add(wanted, "train or test");
    return false;
}

static const sn_option option_rows[] = {
    {.name = "split",
     .argument = "SPLIT",
     .help = "train or test; default test",
     .read = read_split,
     SN_OPTION_AT(eval_options, on_train, bool)},
    {.name = "limit",
     .argument = "N",
     .help = "only the first N samples of the split",
     SN_OPTION_COUNT(eval_options, limit, 0)},
    {.name = "weights",
     .argument = "FILE",
     .help = "other weights than the run's own",
     SN_OPTION_PATH(eval_options, weights)},
    {.name = "predictions",
     .argument = "FILE",
     .help = "write a CSV row for each sample: label, prediction, outputs",
     SN_OPTION_PATH(eval_options, predictions)},
    {.name = "force", .help = "replace a file that holds no predictions", SN_OPTION_FLAG(eval_options, force)},
    SN_OPTION_JSON(eval_options),
    SN_OPTION_THREADS(eval_options, SN_THREADS_AVAILABLE),
};

static void add_share(sn_text *text, size_t part, size_t whole) {
    if (whole > 0) {
        sn_text_addf(text, "  %9.4f", (double)part / (double)whole);
    } else {
        sn_text_addf(text, "  %9s", "-");
    }
}

enum { LONGEST_NAME = 40 }; /* characters of a class's name in the table; what is longer is cut */

/* Appends the name of a class as a terminal may have it; how many characters that are. */
static int add_name(const sn_evaluation *e, size_t class, sn_text *text) {
    sn_text name = SN_TEXT_EMPTY;
    sn_evaluation_add_class(e, class, &name);
    int n = 0;
    const char *p = sn_text_string(&name);
    for (; *p && n < LONGEST_NAME; n++) {
        bool is_visible = false;
        size_t length = sn_text_step(p, &is_visible);
        is_visible &= *p != '\n' && *p != '\t';
        sn_text_add_bytes(text, is_visible ? p : "?", is_visible ? length : 1);
        p += length;
    }
    if (*p) sn_text_add(text, "...");
    n += *p ? 3 : 0;
    text->failed |= name.failed;
    sn_text_free(&name);
    return n;
}

/* `text` fails where there is no memory for a name: its columns would stand elsewhere. */
static int widest_name(const sn_evaluation *e, sn_text *text) {
    int width = (int)strlen("class");
    sn_text name = SN_TEXT_EMPTY;
    for (size_t c = 0; c < e->run.experiment.data.out_dim; c++) {
        sn_text_clear(&name);
        int n = add_name(e, c, &name);
        width = n > width ? n : width;
    }
    text->failed |= name.failed;
    sn_text_free(&name);
    return width;
}

static void add_classes(const sn_evaluation *e, sn_text *text) {
    int width = widest_name(e, text);
    sn_text name = SN_TEXT_EMPTY;
    sn_text_addf(text, "\n%*s  samples  correct   accuracy  precision  most often taken for\n", width, "class");
    for (size_t c = 0; c < e->run.experiment.data.out_dim; c++) {
        const sn_class_tally *tally = &e->tallies[c];
        sn_text_clear(&name);
        int n = add_name(e, c, &name);
        sn_text_addf(text, "%*s%s  %7zu  %7zu", width - n, "", sn_text_string(&name), tally->samples, tally->correct);
        add_share(text, tally->correct, tally->samples);
        add_share(text, tally->correct, tally->predicted);
        if (tally->rival == SN_NO_CLASS) {
            sn_text_add(text, "  -\n");
        } else {
            sn_text_add(text, "  ");
            add_name(e, tally->rival, text);
            sn_text_addf(text, " (%zu)\n", tally->rival_count);
        }
    }
    text->failed |= name.failed;
    sn_text_free(&name);
}

static void add_outputs(const sn_evaluation *e, sn_text *text) {
    sn_text_add(text, "\noutput  rmse\n");
    for (size_t j = 0; j < e->run.experiment.data.out_dim; j++) {
        sn_text_addf(text, "%6zu  ", j);
        sn_text_add_number(text, e->rmse[j], sn_evaluation_digits(e));
        sn_text_add(text, "\n");
    }
}

/* The run, and the step that its weights are of, where they are its own. */
static void add_run(const sn_finished_run *run, sn_text *text) {
    sn_text_addf(text, "run       %s (%s", run->request.run, run->state.status);
    if (run->step >= 0) sn_text_addf(text, ", step %" PRId64 " of %" PRId64, run->step, run->experiment.steps);
    sn_text_addf(text, ")\nweights   %s\n", run->weights);
}

static void add_text(const sn_evaluation *e, const sn_evaluation_request *request, sn_text *text) {
    int digits = sn_evaluation_digits(e);
    add_run(&e->run, text);
    sn_text_addf(text, "split     %s, %zu of %zu samples\nloss      ", request->on_train ? "train" : "test", e->n,
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

/* The name of a class, null where it has none. */
static void add_json_name(const sn_evaluation *e, const char *key, uint32_t class, sn_text *text) {
    sn_text_addf(text, ", \"%s\": ", key);
    if (e->run.classes && class != SN_NO_CLASS) {
        sn_text_add_json(text, e->run.classes[class]);
    } else {
        sn_text_add(text, "null");
    }
}

static void add_json_class(const sn_evaluation *e, size_t c, sn_text *text) {
    const sn_class_tally *tally = &e->tallies[c];
    sn_text_addf(text, "{\"class\": %zu", c);
    add_json_name(e, "name", (uint32_t)c, text);
    sn_text_addf(text, ", \"samples\": %zu, \"correct\": %zu, \"predicted\": %zu", tally->samples, tally->correct,
                 tally->predicted);
    add_json_share(text, "accuracy", tally->correct, tally->samples);
    add_json_share(text, "precision", tally->correct, tally->predicted);
    if (tally->rival == SN_NO_CLASS) {
        sn_text_add(text, ", \"confused_with\": null, \"confused\": 0");
    } else {
        sn_text_addf(text, ", \"confused_with\": %u, \"confused\": %zu", tally->rival, tally->rival_count);
    }
    add_json_name(e, "confused_with_name", tally->rival, text);
    sn_text_add(text, "}");
}

static void add_json_run(const sn_finished_run *run, sn_text *text) {
    sn_text_add(text, "{\n  \"run\": ");
    sn_text_add_json(text, run->request.run);
    sn_text_addf(text, ",\n  \"status\": \"%s\",\n  \"step\": ", run->state.status);
    if (run->step >= 0) {
        sn_text_addf(text, "%" PRId64, run->step);
    } else {
        sn_text_add(text, "null");
    }
    sn_text_addf(text, ",\n  \"planned_steps\": %" PRId64 ",\n  \"weights\": ", run->experiment.steps);
    sn_text_add_json(text, run->weights);
}

static void add_json(const sn_evaluation *e, const sn_evaluation_request *request, sn_text *text) {
    int digits = sn_evaluation_digits(e);
    add_json_run(&e->run, text);
    sn_text_addf(
        text, ",\n  \"split\": \"%s\",\n  \"samples\": %zu,\n  \"loss\": ", request->on_train ? "train" : "test", e->n);
    sn_text_add_json_number(text, e->result.loss, digits);
    if (e->tallies) {
        sn_text_add(text, ",\n  \"accuracy\": ");
        sn_text_add_json_number(text, e->result.accuracy, digits);
    }
    sn_text_addf(text, ",\n  \"%s\": [", e->tallies ? "classes" : "outputs");
    for (size_t c = 0; c < e->run.experiment.data.out_dim; c++) {
        sn_text_addf(text, "%s\n    ", c ? "," : "");
        if (e->tallies) {
            add_json_class(e, c, text);
        } else {
            sn_text_addf(text, "{\"output\": %zu, \"rmse\": ", c);
            sn_text_add_json_number(text, e->rmse[c], digits);
            sn_text_add(text, "}");
        }
    }
    sn_text_add(text, "\n  ]\n}\n");
}

/* Earlier predictions are replaced, other files are not. */
static sn_status check_replaced(const char *path, sn_error *error) {
    static const char *const headers[] = {"index,label,predicted,", "index,t0,"};
    sn_file_mark mark = SN_MARK_NO_FILE;
    sn_status status = SN_OK;
    for (size_t i = 0; i < sizeof headers / sizeof *headers && !status && mark != SN_MARK_FOUND; i++)
        status = sn_file_check_mark(path, headers[i], &mark, error);
    if (status || mark != SN_MARK_MISSING) return status;
    return sn_error_set(error, SN_INVALID,
                        "skipnet eval: %s is there and holds no predictions (take another name for --predictions, or "
                        "--force to replace it)",
                        path);
}

/* Before any work: a run's own files are not for other things. */
static sn_status check_predictions(const eval_options *chosen, const char *run, sn_error *error) {
    const char *path = chosen->predictions;
    if (path && strcmp(path, "-") == 0) {
        return sn_error_set(error, SN_INVALID, "skipnet eval: --predictions writes a file, not a stream (name one)");
    }
    if (path && sn_run_directory_owns(run, path)) {
        return sn_error_set(error, SN_INVALID,
                            "skipnet eval: %s belongs to the run (take another name for --predictions)", path);
    }
    return path && !chosen->force ? check_replaced(path, error) : SN_OK;
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
    const eval_options *chosen = arguments->record;
    sn_evaluation_request request = {
        .run = {.run = arguments->operands[0], .weights = chosen->weights, .threads = sn_threads(chosen->threads)},
        .on_train = chosen->on_train,
        .limit = (size_t)chosen->limit};
    sn_evaluation evaluation;
    sn_status status = check_predictions(chosen, request.run.run, error);
    if (status) return status;
    status = sn_evaluation_open(&evaluation, &request, error);
    sn_tell_notes(&evaluation.run.experiment.notes);
    if (!status && chosen->predictions) status = write_predictions(&evaluation, chosen->predictions, error);
    if (!status) {
        sn_text text = SN_TEXT_EMPTY;
        if (chosen->json) {
            add_json(&evaluation, &request, &text);
        } else {
            add_text(&evaluation, &request, &text);
        }
        status = sn_print(&text, error);
    }
    sn_evaluation_reset(&evaluation);
    return status;
}

const sn_verb sn_verb_eval = {
    .name = "eval",
    .operands = "RUN",
    .min_operands = 1,
    .max_operands = 1,
    SN_VERB_OPTIONS(option_rows, eval_options),
    .help = "loss, accuracy and predictions of a run's weights on a split of its data",
    .details =
        "RUN is a run's directory.  A run that is done or diverged is evaluated at its final weights, any other\n"
        "(interrupted, killed, failed, running this moment) at its newest sound checkpoint, and a line on stderr "
        "says\n"
        "so.  Step: the updates that the weights have had, of those that are planned (--json: step, null with\n"
        "--weights, and planned_steps).\n"
        "\n"
        "Classes: for each its samples, how many were right (accuracy: of its samples, precision: of those taken for\n"
        "it), what it was most often taken for; called as the labels of the CSV file call them, which run.json keeps\n"
        "in their order (classes).  Regression: the root mean squared error of each output.\n"
        "\n"
        "--predictions: index (of the sample in its split, from 0), label, predicted, p0, p1, ... (probabilities, "
        "where\n"
        "the loss takes the outputs for such: softmax, with binary_cross_entropy sigmoids; else y0, ..., the outputs), "
        "or\n"
        "index, t0, ... (targets), y0, ... (outputs); at the end, for data of a CSV file, row: that of the file\n"
        "(data.test_path where it is given) in which the sample stands, from 1 and with the header.",
    .run = run_eval};
