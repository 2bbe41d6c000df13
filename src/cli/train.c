/* Owns the verb train: signals, messages, progress, summary. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "run/manifest.h"
#include "run/trainer.h"

typedef struct train_options {
    sn_words set;
    const char *out;
    int64_t threads;
    bool resume, force, quiet, json;
} train_options;

static const sn_option option_rows[] = {
    SN_OPTION_SET(train_options),
    SN_OPTION_OUT(train_options),
    SN_OPTION_THREADS(train_options, SN_THREADS_TRAINING),
    {.name = "resume",
     .help = "go on with an unfinished run, or make a finished one longer; begin where there is none",
     SN_OPTION_FLAG(train_options, resume)},
    {.name = "force",
     .help = "replace a run that is there (only files that skipnet writes)",
     SN_OPTION_FLAG(train_options, force)},
    {.name = "quiet", .letter = 'q', .help = "no progress, no summary", SN_OPTION_FLAG(train_options, quiet)},
    SN_OPTION_JSON(train_options),
};

static volatile sig_atomic_t caught_signal, save_requested;
static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_SIGNALS = sizeof ending_signals / sizeof *ending_signals };

/* The first signal ends the run in order, the second, whichever it is, ends the process at once. */
static void on_end(int number) {
    if (caught_signal) {
        signal(number, SIG_DFL);
        raise(number);
    }
    caught_signal = number;
}

static void on_save(int number) {
    (void)number;
    save_requested = 1;
}

/* A signal that was ignored at the start (nohup) stays ignored. */
static void catch_signal(int number, void (*handler)(int)) {
    struct sigaction before, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(number, &action, NULL);
}

static void show_progress(void *context, const sn_progress *progress) {
    sn_text *line = context;
    sn_text_clear(line);
    sn_progress_line(progress, sn_terminal_columns(STDERR_FILENO) - 1, line);
    sn_terminal_show(sn_text_string(line));
}

/* Where messages go to. */
typedef struct screen {
    bool is_quiet, has_progress;
} screen;

static void show_message(void *context, bool is_warning, const char *message) {
    const screen *to = context;
    if (to->is_quiet && !is_warning) return;
    if (to->has_progress) sn_terminal_wipe();
    sn_say("%s%s\n", is_warning ? "warning: " : "", message);
}

static bool wants_unicode(void) {
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8");
    }
    return false;
}

static sn_status print_outcome(const train_options *chosen, const sn_outcome *outcome, const char *directory,
                               sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    const char *no_color = getenv("NO_COLOR");
    sn_summary_style style = {.columns = isatty(STDOUT_FILENO) ? sn_terminal_columns(STDOUT_FILENO) : 80,
                              .colour = isatty(STDOUT_FILENO) && !(no_color && *no_color),
                              .unicode = wants_unicode()};
    if (chosen->json) {
        sn_summary_json(&outcome->summary, &text);
    } else if (!chosen->quiet) {
        sn_summary_text(&outcome->summary, &style, &text);
        sn_text_add(&text, "\nresults: ");
        sn_text_add_visible(&text, directory);
        sn_text_add(&text, "\n");
    }
    return sn_print_styled(&text, error);
}

static sn_status print_finished(const train_options *chosen, const sn_run_directory *directory, sn_error *error) {
    sn_outcome outcome = {0};
    char *path = sn_run_directory_file(directory, SN_FILE_MANIFEST);
    sn_status status = path
                           ? sn_manifest_read_summary(&outcome.summary, &outcome.manifest, &outcome.layers, path, error)
                           : sn_error_memory(error, 0, "a path");
    if (!status && !chosen->quiet) sn_say("%s holds this run, finished\n", directory->path);
    if (!status) status = print_outcome(chosen, &outcome, directory->path, error);
    if (!status && strcmp(outcome.summary.status, "diverged") == 0)
        status = sn_error_set(error, SN_DIVERGED, "diverged: %s",
                              outcome.summary.fault ? outcome.summary.fault : "its run.json does not say where");
    free(path);
    sn_outcome_reset(&outcome);
    return status;
}

static sn_status train_in(const train_options *chosen, sn_experiment *experiment, const sn_run_directory *directory,
                          sn_error *error) {
    if (directory->has_no_locks) sn_say("warning: no locks in %s: keep other processes out\n", directory->path);
    sn_status status = sn_experiment_start(experiment, error);
    if (!status && chosen->force) status = sn_run_directory_clear(directory, error);
    if (status) return status;
    for (int i = 0; i < N_SIGNALS; i++)
        catch_signal(ending_signals[i], on_end);
    sn_text line = SN_TEXT_EMPTY;
    bool shows = isatty(STDERR_FILENO) && !chosen->quiet;
    screen to = {chosen->quiet, shows};
    sn_trainer_options options = {.stop = &caught_signal,
                                  .save = &save_requested,
                                  .listener = {show_message, &to},
                                  .progress = shows ? show_progress : NULL,
                                  .context = &line};
    sn_outcome outcome;
    status = sn_train(experiment, directory, &options, &outcome, error);
    if (shows) sn_terminal_wipe();
    sn_text_free(&line);
    bool has_outcome = status == SN_OK || status == SN_DIVERGED || status == SN_INTERRUPTED;
    if (has_outcome) {
        sn_status printed = print_outcome(chosen, &outcome, directory->path, error);
        if (!status) status = printed;
    }
    if (status == SN_DIVERGED) sn_error_set(error, SN_DIVERGED, "diverged: %s", outcome.fault);
    sn_outcome_reset(&outcome);
    return status;
}

static bool sets_length(const char *set) {
    static const char *const keys[] = {"train.epochs=", "train.steps="};
    return strncmp(set, keys[0], strlen(keys[0])) == 0 || strncmp(set, keys[1], strlen(keys[1])) == 0;
}

/* Where the run lives (free()); NULL when out of memory.  --resume finds a run that is to become longer by --set under
 * the name it has without that. */
static char *choose_directory(const train_options *chosen, const sn_config *config) {
    if (chosen->out) return sn_string_copy(chosen->out);
    char *path = sn_run_directory_default(config, chosen->set.items, chosen->set.n);
    if (!path || !chosen->resume || sn_run_directory_holds_run(path)) return path;
    const char **sets = malloc((chosen->set.n + 1) * sizeof *sets);
    size_t n_sets = 0;
    for (size_t i = 0; i < chosen->set.n && sets; i++) {
        if (!sets_length(chosen->set.items[i])) sets[n_sets++] = chosen->set.items[i];
    }
    char *shorter = sets ? sn_run_directory_default(config, sets, n_sets) : NULL;
    free(sets);
    bool is_there = shorter && sn_run_directory_holds_run(shorter);
    free(is_there ? path : shorter);
    return is_there ? shorter : path;
}

static sn_status run_with(const train_options *chosen, const sn_config *config, sn_error *error) {
    sn_experiment experiment;
    sn_run_directory directory = {.lock = SN_LOCK_NONE};
    sn_status status = sn_open_experiment(&experiment, config, sn_threads_of_training(chosen->threads), error);
    if (status) return status;
    char *path = choose_directory(chosen, config);
    sn_run_entry entry = chosen->force ? SN_ENTRY_FORCE : chosen->resume ? SN_ENTRY_RESUME : SN_ENTRY_NEW;
    status =
        path ? sn_run_directory_open(&directory, path, &experiment, entry, error) : sn_error_memory(error, 0, "a path");
    if (!status) {
        status = directory.is_finished ? print_finished(chosen, &directory, error)
                                       : train_in(chosen, &experiment, &directory, error);
    }
    sn_run_directory_close(&directory);
    sn_experiment_reset(&experiment);
    free(path);
    return status;
}

/* Raised again with its default action, so that a shell's loop stops. */
static void raise_caught(void) {
    fflush(stdout);
    signal(caught_signal, SIG_DFL);
    raise(caught_signal);
}

static sn_status run_train(const sn_arguments *arguments, sn_error *error) {
    const train_options *chosen = arguments->record;
    if (chosen->resume && chosen->force) {
        return sn_error_set(error, SN_INVALID,
                            "skipnet train: --resume continues a run, --force replaces it: give one of them");
    }
    catch_signal(SIGUSR1, on_save); /* from here on: it would end a process that still reads its data */
    char *path = NULL;
    sn_config *config = NULL;
    sn_status status = sn_find_config(&path, arguments->operands[0], chosen->quiet, error);
    if (!status) status = sn_read_config(&config, path, &chosen->set, error);
    if (!status) status = run_with(chosen, config, error);
    sn_config_free(config);
    free(path);
    /* Also a signal that came after the last step.  A run that diverged says so all the same. */
    bool has_ended = status == SN_OK || status == SN_INTERRUPTED;
    if (has_ended && caught_signal) raise_caught();
    return status;
}

const sn_verb sn_verb_train = {
    .name = "train",
    .operands = "CONFIG",
    .min_operands = 1,
    .max_operands = 1,
    SN_VERB_OPTIONS(option_rows, train_options),
    .help = "train a network and write its loss and gradients as CSV",
    .details =
        "CONFIG is a JSON file, - for standard input, or where there is no such file the name of a config that comes\n"
        "with skipnet (skipnet list configs).  The run lives in --out DIR, else in runs/NAME, with --set in\n"
        "runs/NAME,KEY=VALUE.  A finished run of the same config is not repeated: its summary is printed.",
    .run = run_train};
