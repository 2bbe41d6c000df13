/* Owns the verb gradcheck: a row for each tensor as it comes, and what the rows come to. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "run/experiment.h"
#include "study/gradcheck.h"

typedef struct gradcheck_options {
    sn_words set;
    int64_t samples; /* coordinates of a tensor; INT64_MAX: all */
    int64_t threads;
    bool json;
} gradcheck_options;

static bool read_samples(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    *(int64_t *)member = INT64_MAX;
    if (strcmp(value, "all") == 0 || sn_option_count(option, value, member, wanted)) return true;
    sn_text_add(wanted, ", or all");
    return false;
}

static const sn_option option_rows[] = {
    SN_OPTION_SET(gradcheck_options),
    {.name = "samples",
     .argument = "N",
     .help = "coordinates of each tensor, or all; default 20: half of largest gradient, half drawn",
     .read = read_samples,
     SN_OPTION_AT(gradcheck_options, samples, int64_t)},
    SN_OPTION_THREADS(gradcheck_options, SN_THREADS_AVAILABLE),
    SN_OPTION_JSON(gradcheck_options),
};

static const char *const verdicts[] = {"pass", "FAIL", "not verified"};

static void add_place(sn_text *text, const sn_tensor *tensor, size_t element) {
    size_t below = 1;
    for (int d = 1; d < tensor->rank; d++)
        below *= (size_t)tensor->shape[d];
    sn_text_add(text, "[");
    for (int d = 0; d < tensor->rank; d++) {
        sn_text_addf(text, "%s%zu", d ? "," : "", element / below);
        element %= below;
        if (d + 1 < tensor->rank) below /= (size_t)tensor->shape[d + 1];
    }
    sn_text_add(text, "]");
}

/* `text` fails where there is no memory for a name: its columns would stand elsewhere. */
static int widest_name(const sn_engine *engine, sn_text *text) {
    size_t width = strlen("tensor");
    sn_text name = SN_TEXT_EMPTY;
    for (size_t i = 0; i < sn_engine_tensor_count(engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(engine, i, &tensor);
        sn_text_clear(&name);
        sn_text_add_visible_line(&name, tensor.name);
        size_t columns = sn_text_columns(sn_text_string(&name), name.length);
        if (columns > width) width = columns;
    }
    text->failed |= name.failed;
    sn_text_free(&name);
    return (int)width;
}

static void add_header(const sn_gradcheck *check, int width, sn_text *text) {
    sn_text_addf(text, "float64, first batch of %zu samples, training mode\n", check->request.batch.rows);
    sn_text_addf(text, "loss %.9g, its noise %.2g, limit of relative error %g\n\n", check->loss, check->noise,
                 SN_GRADCHECK_LIMIT);
    sn_text_addf(text, "%-*s  %8s  %7s  %6s  %6s  %5s  %5s  %-11s  %-12s  %s\n", width, "tensor", "elements", "checked",
                 "agree", "differ", "kinks", "below", "worst error", "verdict", "worst at");
}

static void add_row(const sn_gradcheck *check, const sn_gradcheck_row *row, int width, sn_text *text) {
    char worst[32] = "-";
    if (!isnan(row->worst)) snprintf(worst, sizeof worst, "%.2g", row->worst);
    sn_text_add_padded(text, row->tensor.name, width);
    sn_text_addf(text, "  %8zu  %7zu  %6zu  %6zu  %5zu  %5zu  %-11s  %-12s  ", row->elements, row->checked,
                 row->agreeing, row->disagreeing, row->kinks, row->below, worst, verdicts[sn_gradcheck_judge(row)]);
    if (isnan(row->worst)) {
        sn_text_add(text, sn_gradcheck_reason(check, row));
    } else {
        add_place(text, &row->tensor, row->worst_at);
        if (row->disagreeing > 0) {
            sn_text_addf(text, " gradient %.9g, differences %.9g", row->worst_gradient, row->worst_difference);
        }
    }
    sn_text_add(text, "\n");
}

static void add_totals(const sn_gradcheck_totals *t, sn_text *text) {
    sn_text_addf(text,
                 "\n%zu coordinates: %zu agree, %zu differ, %zu at kinks, %zu below the resolution of differences\n",
                 t->checked, t->agreeing, t->disagreeing, t->kinks, t->below);
    sn_text_addf(text, "%zu tensors: %zu pass, %zu fail", t->tensors, t->passing, t->failing);
    if (t->unverified > 0) sn_text_addf(text, ", %zu could not be verified, which is no pass", t->unverified);
    sn_text_add(text, "\n");
}

static void add_json_row(const sn_gradcheck *check, const sn_gradcheck_row *row, sn_text *text) {
    static const char *const words[] = {"pass", "fail", "unverified"};
    sn_text_add(text, "    {\"tensor\": ");
    sn_text_add_json(text, row->tensor.name);
    sn_text_addf(text,
                 ", \"elements\": %zu, \"checked\": %zu, \"agree\": %zu, \"differ\": %zu, \"kinks\": %zu, "
                 "\"below\": %zu, \"verdict\": \"%s\", \"worst_error\": ",
                 row->elements, row->checked, row->agreeing, row->disagreeing, row->kinks, row->below,
                 words[sn_gradcheck_judge(row)]);
    sn_text_add_json_number(text, row->worst, 17);
    sn_text_add(text, ", \"worst_at\": ");
    if (isnan(row->worst)) {
        sn_text_add(text, "null");
    } else {
        add_place(text, &row->tensor, row->worst_at);
    }
    sn_text_add(text, ", \"reason\": ");
    if (sn_gradcheck_judge(row) == SN_GRADCHECK_UNVERIFIED) {
        sn_text_add_json(text, sn_gradcheck_reason(check, row));
    } else {
        sn_text_add(text, "null");
    }
    sn_text_add(text, "}");
}

static void add_json_header(const sn_gradcheck *check, sn_text *text) {
    sn_text_addf(text,
                 "{\n  \"precision\": \"float64\",\n  \"samples\": %zu,\n  \"loss\": ", check->request.batch.rows);
    sn_text_add_json_number(text, check->loss, 17);
    sn_text_add(text, ",\n  \"noise\": ");
    sn_text_add_json_number(text, check->noise, 17);
    sn_text_addf(text, ",\n  \"limit\": %g,\n  \"tensors\": [\n", SN_GRADCHECK_LIMIT);
}

static void add_json_totals(const sn_gradcheck_totals *t, sn_text *text) {
    sn_text_addf(text, "  ],\n  \"pass\": %zu,\n  \"fail\": %zu,\n  \"unverified\": %zu\n}\n", t->passing, t->failing,
                 t->unverified);
}

/* The line on the terminal. */
typedef struct progress {
    size_t tensor, n_tensors; /* the tensor counts from 1 */
    double shown;             /* seconds on the clock when the line was last drawn */
} progress;

static void show_progress(void *context, const sn_gradcheck_row *row, size_t wanted) {
    progress *p = context;
    if (sn_clock_seconds() < p->shown + 0.1) return;
    char line[80];
    snprintf(line, sizeof line, "tensor %zu/%zu  coordinate %zu/%zu", p->tensor, p->n_tensors, row->checked, wanted);
    int columns = sn_terminal_columns(STDERR_FILENO) - 1;
    if ((size_t)columns < sizeof line) line[columns] = '\0';
    sn_terminal_show(line);
    p->shown = sn_clock_seconds();
}

/* Rows are shown as they come: each costs many passes over the batch. */
static sn_status show(sn_text *text, sn_error *error) {
    sn_status status = sn_print(text, error);
    return status ? status : sn_flush(error);
}

static sn_status check_tensors(bool is_json, const sn_gradcheck *check, sn_gradcheck_totals *totals, sn_error *error) {
    progress *line = check->request.context;
    size_t n = sn_engine_tensor_count(check->request.engine);
    sn_text text = SN_TEXT_EMPTY;
    int width = widest_name(check->request.engine, &text);
    if (is_json) {
        add_json_header(check, &text);
    } else {
        add_header(check, width, &text);
    }
    sn_status status = show(&text, error);
    for (size_t i = 0; i < n && !status; i++) {
        sn_gradcheck_row row;
        line->tensor = i + 1;
        line->n_tensors = n;
        status = sn_gradcheck_tensor(check, i, &row, error);
        if (line->shown > 0) sn_terminal_wipe();
        if (status) break;
        sn_gradcheck_count(totals, &row);
        if (is_json) {
            add_json_row(check, &row, &text);
            sn_text_add(&text, i + 1 < n ? ",\n" : "\n");
        } else {
            add_row(check, &row, width, &text);
        }
        status = show(&text, error);
    }
    return status;
}

static sn_status check_experiment(const gradcheck_options *chosen, sn_experiment *x, sn_error *error) {
    x->options.keeps_gradients = true;
    x->options.clip_norm = 0; /* not part of the gradient, nor is weight decay */
    sn_status status = sn_experiment_start(x, error);
    if (status) return status;
    progress line = {0};
    sn_gradcheck_request request = {.engine = x->engine,
                                    .loss = x->options.objective.loss,
                                    .batch = {.dataset = &x->data, .samples = &x->data.train},
                                    .seed = x->settings.seed,
                                    .samples = chosen->samples ? (size_t)chosen->samples : SN_GRADCHECK_SAMPLES,
                                    .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
                                    .context = &line};
    request.batch.indices = sn_order_batch(&x->order, 0, &request.batch.rows);
    sn_gradcheck check;
    sn_gradcheck_totals totals = {0};
    status = sn_gradcheck_open(&check, &request, &x->graph, error);
    if (!status) status = check_tensors(chosen->json, &check, &totals, error);
    if (status) return status;
    sn_text text = SN_TEXT_EMPTY;
    if (chosen->json) {
        add_json_totals(&totals, &text);
    } else {
        sn_gradcheck_advise(&check, &totals, x->config, &x->graph, &text);
        add_totals(&totals, &text);
    }
    status = show(&text, error);
    return status ? status : sn_gradcheck_conclude(&totals, error);
}

static sn_status run_gradcheck(const sn_arguments *arguments, sn_error *error) {
    const gradcheck_options *chosen = arguments->record;
    sn_words sets = chosen->set;
    sets.items[sets.n++] = "precision=float64"; /* there is room for as many as argv has words */
    sn_config *config = NULL;
    sn_experiment experiment;
    sn_status status = sn_read_config(&config, arguments->operands[0], &sets, error);
    if (!status && !(status = sn_open_experiment(&experiment, config, sn_threads(chosen->threads), error))) {
        status = check_experiment(chosen, &experiment, error);
        sn_experiment_reset(&experiment);
    }
    sn_config_free(config);
    return status;
}

const sn_verb sn_verb_gradcheck = {
    .name = "gradcheck",
    .operands = "CONFIG",
    .min_operands = 1,
    .max_operands = 1,
    SN_VERB_OPTIONS(option_rows, gradcheck_options),
    .help = "check the gradient of a network against differences of its loss, in float64",
    .details =
        "At the initial weights (or network.weights) and on the first batch.  A coordinate counts as checked by what\n"
        "it shows: agree (an exact 0 where nothing moves the loss, too), differ (relative error above 1e-5, and\n"
        "differences of several steps converge), kinks (they do not, as beside the bend of a relu, or the gradient\n"
        "itself is not steady about the weights), below (too small a gradient for the loss to show).  A tensor passes\n"
        "if some of its coordinates agree and none differs; one of which nothing can be verified does not pass, and\n"
        "its row tells why.  Exit status 1 if a tensor fails, or none passes.",
    .run = run_gradcheck};
