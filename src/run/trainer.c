/* Owns the training loop: steps, evaluation passes, rows, the summary, the files of a run. */
#include "run/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "report/figures.h"
#include "report/metrics.h"
#include "run/checkpoint.h"
#include "run/manifest.h"
#include "run/schedule.h"
#include "run/sink.h"

/* The passes over samples of both splits, with the weights of one step; not measured at most steps. */
typedef struct evaluation {
    sn_measure train_loss, train_accuracy, test_loss, test_accuracy;
} evaluation;

typedef struct trainer {
    sn_experiment *x;
    const sn_run_directory *directory;
    const sn_trainer_options *options;
    sn_outcome *outcome;
    sn_error *error;
    size_t train_eval;
    sn_observation observation;
    sn_records records;
    evaluation evaluated;
    sn_warmup warmup;
    sn_sink sink;
    sn_timings timings;
    sn_checkpoint saved; /* the last one, or the one under way */
    int64_t saved_step;  /* the step before which the newest checkpoint stands; -1: there is none */
    bool has_begun;      /* run.json says that it is running */
    double start, before, last_progress, last_saved, last_cost; /* `before`: seconds of the processes before this one */
    int64_t step;
    sn_step_result result;
} trainer;

void sn_outcome_reset(sn_outcome *outcome) {
    free(outcome->layers);
    sn_config_free(outcome->manifest);
    *outcome = (sn_outcome){0};
}

static sn_status write_text(const trainer *t, const char *name, sn_text *text) {
    char *path = sn_run_directory_file(t->directory, name);
    sn_status status = !path || text->failed ? sn_error_memory(t->error, text->length, name)
                                             : sn_file_write_atomic(path, sn_text_string(text), text->length, t->error);
    free(path);
    sn_text_free(text);
    return status;
}

static sn_status save_weights(const trainer *t, const char *name) {
    char *path = sn_run_directory_file(t->directory, name);
    sn_status status =
        path ? sn_engine_save_weights(t->x->engine, path, t->error) : sn_error_memory(t->error, strlen(name), "a path");
    free(path);
    return status;
}

static sn_status write_manifest(trainer *t, const char *status, bool is_over) {
    sn_manifest manifest = {.experiment = t->x, .status = status, .timings = t->timings};
    if (is_over) {
        manifest.summary = &t->outcome->summary;
        manifest.has_weights = true;
        manifest.weights_hash = sn_engine_weights_hash(t->x->engine);
    }
    char *path = sn_run_directory_file(t->directory, SN_FILE_MANIFEST);
    sn_status result =
        path ? sn_manifest_write(&manifest, path, t->error) : sn_error_memory(t->error, strlen(status), "a path");
    free(path);
    return result;
}

static sn_sink_options sink_options(const trainer *t) {
    return (sn_sink_options){.digits = t->x->backend->dtype == SN_F64 ? 17 : 9,
                             .has_exponents = t->x->settings.counts_exponents};
}

/* All files are opened or written before the first step, so that a full disk or a wrong place shows at once.  run.json
 * comes first: what it says of a run that is made longer has to hold before anything of the shorter one goes. */
static sn_status open_files(trainer *t, bool is_resumed) {
    sn_text config = SN_TEXT_EMPTY, package = SN_TEXT_EMPTY;
    sn_status status = write_manifest(t, "running", false);
    if (status) return status;
    t->has_begun = true;
    sn_config_text(t->x->config, &config);
    status = write_text(t, SN_FILE_CONFIG, &config);
    if (status) return status;
    sn_sink_options options = sink_options(t);
    const sn_sheet *sheets[SN_SINK_FILES + 1];
    sn_sink_sheets(&options, sheets);
    sn_datapackage(&package, t->x->settings.name, sheets);
    status = write_text(t, SN_FILE_PACKAGE, &package);
    if (status) return status;
    if (t->x->settings.saves_initial) status = save_weights(t, SN_FILE_INITIAL);
    if (status) return status;
    if (!is_resumed) return sn_sink_open(&t->sink, t->directory, &options, t->error);
    status = sn_sink_cut(&t->sink, t->error);
    return status ? status : sn_run_directory_remove(t->directory, SN_FILE_FINAL, t->error);
}

/* Takes up where the checkpoint stands. */
static sn_status take_up(trainer *t, const sn_resumption *from) {
    sn_status status = open_files(t, true);
    if (!status) status = sn_engine_restore(t->x->engine, from->file, from->path, t->error);
    if (status) return status;
    t->step = t->saved_step = from->checkpoint.marks[0].step;
    t->timings = from->checkpoint.timings;
    t->before = t->timings.total;
    t->warmup = from->checkpoint.warmup;
    sn_mark_recall(from->mark, &t->outcome->summary);
    sn_tell(&t->options->listener, false, "%s: resumed at step %lld of %lld%s", t->directory->path, (long long)t->step,
            (long long)t->x->steps, from->checkpoint.steps < t->x->steps ? ", made longer" : "");
    return SN_OK;
}

static sn_status resume(trainer *t) {
    sn_sink_options options = sink_options(t);
    sn_resume_request request = {
        .experiment = t->x, .directory = t->directory, .listener = &t->options->listener, .sink = &options};
    sn_resumption from;
    sn_status status = sn_resume_find(&from, &request, &t->sink, t->error);
    if (!status && from.is_found) status = take_up(t, &from);
    if (!status && !from.is_found) {
        status = sn_run_directory_clear(t->directory, t->error);
        if (!status) status = open_files(t, false);
    }
    sn_resumption_reset(&from);
    return status;
}

static sn_status prepare(trainer *t) {
    const sn_experiment *x = t->x;
    sn_summary *s = &t->outcome->summary;
    sn_warmup_init(&t->warmup, &x->lr_schedule);
    *s = (sn_summary){.name = x->settings.name, .status = "failed"};
    sn_run_figures_clear(s);
    t->outcome->layers = calloc((size_t)x->graph.n_hidden + 1, sizeof *t->outcome->layers);
    if (!t->outcome->layers) return sn_error_memory(t->error, sizeof *t->outcome->layers, "the summary");
    s->layers = t->outcome->layers;
    s->n_hidden = x->graph.n_hidden;
    for (int i = 0; i < s->n_hidden; i++)
        t->outcome->layers[i].layer = i + 1;
    t->train_eval = x->settings.train_eval < x->data.train.n ? x->settings.train_eval : x->data.train.n;
    sn_status status = sn_observation_new(&t->observation, &x->graph, t->error);
    if (!status) status = sn_checkpoint_init(&t->saved, s->n_hidden, t->error);
    if (!status) status = sn_records_new(&t->records, &x->graph, t->error);
    return status;
}

static void evaluate(trainer *t) {
    double start = sn_clock_seconds();
    const sn_dataset *data = &t->x->data;
    sn_step_result result;
    if (t->train_eval > 0) {
        sn_engine_evaluate(t->x->engine, data, &data->train, t->train_eval, &result);
        t->evaluated.train_loss = sn_measured(result.loss);
        if (data->is_classes) t->evaluated.train_accuracy = sn_measured(result.accuracy);
    }
    if (data->test.n > 0) {
        sn_engine_evaluate(t->x->engine, data, &data->test, data->test.n, &result);
        t->evaluated.test_loss = sn_measured(result.loss);
        if (data->is_classes) t->evaluated.test_accuracy = sn_measured(result.accuracy);
    }
    t->timings.evaluate += sn_clock_seconds() - start;
}

/* Keeps what the summary shows: the last evaluation, and the layers of the last update that was observed (of the
 * initialisation where there are no updates). */
static void remember(trainer *t, bool updated) {
    sn_summary *s = &t->outcome->summary;
    bool is_profile = updated || t->x->steps == 0;
    sn_run_figures_take(s, &t->records.loss, is_profile);
    if (!is_profile) return;
    s->profile_step = t->records.loss.step;
    sn_summary_layer *hidden = t->outcome->layers;
    for (int k = 0; k < t->records.n_layers; k++) {
        const sn_layer_record *layer = &t->records.layers[k];
        if (layer->node->role != SN_ROLE_HIDDEN) continue;
        *hidden++ = (sn_summary_layer){.layer = layer->node->layer,
                                       .delta_rms = layer->delta_rms,
                                       .grad_rms = layer->grad_rms,
                                       .stalled_frac = layer->stalled_frac,
                                       .is_frozen = layer->is_frozen};
    }
}

/* Derives, keeps and writes the rows of the step under way.  `with_layers`: the observation is that of this step. */
static sn_status report(trainer *t, double lr, bool updated, bool with_layers) {
    double start = sn_clock_seconds();
    sn_loss_record *row = &t->records.loss;
    if (with_layers) {
        sn_records_derive(&t->records, &t->x->graph, &t->observation, t->step, lr, updated);
    } else {
        *row = (sn_loss_record){.step = t->step, .nonfinite = sn_measured(t->result.nonfinite)};
    }
    row->epoch = (double)t->step / (double)t->x->steps_per_epoch;
    row->train_loss = t->evaluated.train_loss;
    row->train_accuracy = t->evaluated.train_accuracy;
    row->test_loss = t->evaluated.test_loss;
    row->test_accuracy = t->evaluated.test_accuracy;
    row->batch_loss = sn_measured(t->result.loss);
    if (t->x->data.is_classes) row->batch_accuracy = sn_measured(t->result.accuracy);
    if (t->step < t->x->steps) row->lr = sn_measured(lr);
    if (with_layers) remember(t, updated);
    sn_status status = sn_sink_rows(&t->sink, &t->records, with_layers, t->error);
    t->timings.format += sn_clock_seconds() - start;
    return status;
}

static void tell_progress(trainer *t, double now) {
    if (!t->options->progress || now - t->last_progress < 0.1) return;
    t->last_progress = now;
    const sn_timings *spent = &t->timings;
    double done = (double)t->step + 1, seconds = spent->first + spent->plain + spent->observed + spent->format;
    sn_progress progress = {.epoch = (double)t->step / (double)t->x->steps_per_epoch,
                            .epochs = (double)t->x->epochs,
                            .step = t->step + 1,
                            .steps = t->x->steps,
                            .steps_per_second = done / seconds,
                            .eta_seconds = seconds / done * ((double)t->x->steps - done),
                            .loss = sn_measured(t->result.loss),
                            .log10_delta_ratio = t->outcome->summary.log10_delta_ratio};
    if (t->x->data.is_classes) progress.accuracy = sn_measured(t->result.accuracy);
    t->options->progress(t->options->context, &progress);
}

static void count_time(trainer *t, double seconds, bool observed) {
    if (t->step == t->x->steps) {
        t->timings.last = seconds;
    } else if (t->step == 0) {
        t->timings.first = seconds;
    } else if (observed) {
        t->timings.observed += seconds;
        t->timings.n_observed++;
    } else {
        t->timings.plain += seconds;
        t->timings.n_plain++;
    }
}

static sn_status diverge(trainer *t, double lr, bool observed) {
    char text[SN_FAULT_TEXT];
    const sn_fault *fault = &t->result.fault;
    bool in_walk = fault->kind <= SN_FAULT_SIGNAL_GRADIENT;
    const char *scale = t->x->data.target_scale;
    snprintf(t->outcome->fault, sizeof t->outcome->fault, "%s is not finite in step %lld%s%s%s",
             sn_fault_text(fault, &t->x->graph, text), (long long)t->step,
             scale ? " (regression targets far from mean 0, sd 1: " : "", scale ? scale : "", scale ? ")" : "");
    t->outcome->summary.fault = t->outcome->fault;
    sn_status status = report(t, lr, observed && !in_walk, observed || in_walk);
    return status ? status : SN_DIVERGED;
}

/* What the step tells of the warm-up by result. */
static void note_warmup(trainer *t) {
    bool was_on = t->warmup.end < 0;
    sn_warmup_note(&t->warmup, &t->x->lr_schedule, t->step, t->result.accuracy);
    if (was_on && t->warmup.end >= 0) {
        sn_tell(&t->options->listener, false, "%s: the warm-up of the learning rate ends before step %lld",
                t->directory->path, (long long)t->warmup.end);
    }
}

/* At the end of a run: that it never had train.lr is what nobody would look for. */
static void tell_warmup(const trainer *t) {
    const sn_lr_schedule *schedule = &t->x->lr_schedule;
    char reason[128];
    if (t->warmup.end >= 0 || t->x->steps == 0) return;
    if (t->x->steps < SN_WARMUP_WINDOW) {
        snprintf(reason, sizeof reason, "it takes %d steps at least", SN_WARMUP_WINDOW);
    } else {
        snprintf(reason, sizeof reason, "the mean error of the last %d steps is %.3g, not below %g", SN_WARMUP_WINDOW,
                 sn_warmup_error(&t->warmup), schedule->warmup_until_error);
    }
    sn_tell(&t->options->listener, true,
            "%s: all steps had train.lr_schedule.warmup_lr, %g: the warm-up has not ended (%s)", t->directory->path,
            schedule->warmup_lr, reason);
}

/* One step: evaluation, update, rows.  The last "step" N measures and updates nothing. */
static sn_status take_step(trainer *t) {
    bool is_last = t->step == t->x->steps, observed = sn_report_is_due(&t->x->report_schedule, t->step);
    double lr = sn_learning_rate(&t->x->lr_schedule, t->warmup.end, t->step);
    t->evaluated = (evaluation){0};
    if (sn_report_evaluates(&t->x->report_schedule, t->step)) evaluate(t);
    sn_step step = {.number = (uint64_t)t->step,
                    .lr = lr,
                    .applies = !is_last,
                    .observation = observed ? &t->observation : NULL,
                    .on_fault = &t->observation};
    sn_experiment_set_batch(t->x, step.number, &step);
    double start = sn_clock_seconds();
    sn_status status = sn_engine_step(t->x->engine, &step, &t->result);
    double now = sn_clock_seconds();
    count_time(t, now - start, observed);
    if (status == SN_DIVERGED) return diverge(t, lr, observed);
    if (observed) status = report(t, lr, !is_last, true);
    if (!is_last) note_warmup(t);
    if (!is_last) tell_progress(t, now);
    return status;
}

static double total_seconds(const trainer *t) {
    return t->before + sn_clock_seconds() - t->start;
}

/* Writes the checkpoint of marks[0].  The rows so far are on the disk before the file that counts on them. */
static sn_status write_checkpoint(trainer *t) {
    sn_checkpoint *c = &t->saved;
    int64_t step = c->marks[0].step;
    if (t->saved_step == step) return SN_OK;
    double start = sn_clock_seconds();
    c->steps = t->x->steps;
    c->warmup = t->warmup;
    c->n_marks = step > 0 && step == c->steps && c->marks[1].step == step - 1 ? 2 : 1;
    c->timings = t->timings;
    c->timings.total = total_seconds(t);
    sn_status status = sn_sink_sync(&t->sink, t->error);
    if (!status) status = sn_checkpoint_write(c, t->x, t->directory, t->error);
    if (!status) t->saved_step = step;
    t->last_saved = sn_clock_seconds();
    t->last_cost = t->last_saved - start;
    t->timings.checkpoint += t->last_cost;
    t->timings.n_checkpoints++;
    return status;
}

static void mark(trainer *t, int which) {
    sn_mark_take(&t->saved.marks[which], t->step, &t->sink, &t->outcome->summary);
}

static bool wants_checkpoint(trainer *t) {
    volatile sig_atomic_t *asked = t->options->save;
    if (asked && *asked) {
        *asked = 0;
        return true;
    }
    return t->step > 0 &&
           sn_checkpoint_is_due(&t->x->checkpoint_schedule, t->step, sn_clock_seconds() - t->last_saved, t->last_cost);
}

/* At the end the state before the last "step", which is the one to make the run longer from, is written when that has
 * been taken: see close_run. */
static sn_status run_steps(trainer *t) {
    int64_t end = t->x->steps;
    for (; t->step <= end; t->step++) {
        bool stops = t->options->stop && *t->options->stop, saves = stops || wants_checkpoint(t);
        if (saves || t->step == end) mark(t, 0);
        if (t->step == end - 1) mark(t, 1);
        sn_status status = saves ? write_checkpoint(t) : SN_OK;
        if (status) return status;
        if (stops) return SN_INTERRUPTED;
        status = take_step(t);
        if (status) return status;
    }
    return SN_OK;
}

static const char *status_word(sn_status status) {
    switch (status) {
    case SN_OK:
        return "done";
    case SN_DIVERGED:
        return "diverged";
    case SN_INTERRUPTED:
        return "interrupted";
    default:
        return "failed";
    }
}

/* What was measured has to be on the disk before run.json says that the run is over.  A finished run keeps its newest
 * checkpoint, from which it can be made longer. */
static sn_status secure(trainer *t, sn_status status) {
    bool is_over = status == SN_OK || status == SN_DIVERGED;
    sn_status result = status == SN_OK ? write_checkpoint(t) : SN_OK;
    if (!result && is_over) result = sn_sink_sync(&t->sink, t->error);
    if (!result && status == SN_OK) result = sn_run_directory_remove(t->directory, SN_FILE_PREVIOUS, t->error);
    return result;
}

/* Nothing goes on from a run that diverged; but only run.json can tell that it did. */
static sn_status drop_checkpoints(const trainer *t) {
    sn_status status = sn_run_directory_remove(t->directory, SN_FILE_CHECKPOINT, t->error);
    return status ? status : sn_run_directory_remove(t->directory, SN_FILE_PREVIOUS, t->error);
}

/* Closes the files and writes how the run ended.  A failure of its own counts only if there was none before. */
static sn_status close_run(trainer *t, sn_status status) {
    sn_error later;
    sn_error_clear(&later);
    sn_error *error = t->error;
    if (status != SN_OK && status != SN_DIVERGED && status != SN_INTERRUPTED) t->error = &later;
    sn_status secured = secure(t, status), closing = sn_sink_close(&t->sink, t->error);
    if (secured) closing = secured;
    bool keeps_weights = status == SN_OK || status == SN_DIVERGED;
    if (!closing && keeps_weights) closing = save_weights(t, SN_FILE_FINAL);
    sn_summary *s = &t->outcome->summary;
    s->status = status_word(closing ? closing : status);
    s->steps = t->step < t->x->steps ? t->step : t->x->steps;
    t->timings.total = s->wall_seconds = total_seconds(t);
    sn_status manifest = write_manifest(t, s->status, true);
    if (!closing && !manifest && status == SN_DIVERGED) closing = drop_checkpoints(t);
    t->error = error;
    if (later.status) return status;
    return closing ? closing : manifest ? manifest : status;
}

sn_status sn_train(sn_experiment *experiment, const sn_run_directory *directory, const sn_trainer_options *options,
                   sn_outcome *outcome, sn_error *error) {
    *outcome = (sn_outcome){0};
    trainer t = {.x = experiment, .directory = directory, .options = options, .outcome = outcome, .error = error};
    t.start = t.last_progress = t.last_saved = sn_clock_seconds();
    t.saved_step = -1;
    sn_status status = prepare(&t);
    if (!status) status = directory->is_unfinished ? resume(&t) : open_files(&t, false);
    if (!status) status = run_steps(&t);
    if (!status) tell_warmup(&t);
    if (t.has_begun) {
        status = close_run(&t, status);
    } else {
        sn_error ignored; /* what went wrong before is told already */
        sn_error_clear(&ignored);
        sn_sink_close(&t.sink, &ignored);
    }
    sn_records_reset(&t.records);
    sn_observation_reset(&t.observation);
    sn_checkpoint_reset(&t.saved);
    return status;
}
