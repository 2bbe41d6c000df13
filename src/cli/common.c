/* Owns what several verbs do alike. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "engine/team.h"
#include "run/language.h"
#include "run/shipped.h"

sn_status sn_print_styled(sn_text *text, sn_error *error) {
    sn_status status = text->failed ? sn_error_memory(error, text->length, "output") : SN_OK;
    if (!status && fwrite(sn_text_string(text), 1, text->length, stdout) < text->length && errno != EPIPE) {
        status = sn_error_io(error, "write", "standard output");
    }
    sn_text_free(text);
    return status;
}

sn_status sn_print(sn_text *text, sn_error *error) {
    sn_text visible = SN_TEXT_EMPTY;
    sn_text_add_visible(&visible, sn_text_string(text));
    visible.failed |= text->failed;
    sn_text_free(text);
    return sn_print_styled(&visible, error);
}

/* Takes no memory: it may be what tells that there is none. */
static void put_visible(const char *lines) {
    for (const char *p = lines; *p;) {
        bool is_visible = false;
        size_t n = sn_text_step(p, &is_visible);
        if (is_visible) fwrite(p, 1, n, stderr);
        for (size_t i = 0; i < n && !is_visible; i++)
            fprintf(stderr, "\\x%02x", (unsigned char)p[i]);
        p += n;
    }
}

/* Where there is no memory for the whole only its beginning is told. */
void sn_say(const char *format, ...) {
    char *lines = NULL, beginning[1024];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    if (vasprintf(&lines, format, args) < 0) lines = NULL;
    vsnprintf(beginning, sizeof beginning, format, again);
    put_visible(lines ? lines : beginning);
    free(lines);
    va_end(again);
    va_end(args);
}

sn_status sn_flush(sn_error *error) {
    return fflush(stdout) == 0 || errno == EPIPE ? SN_OK : sn_error_io(error, "write", "standard output");
}

sn_status sn_find_config(char **path, const char *operand, bool is_quiet, sn_error *error) {
    bool is_shipped = false;
    sn_status status = sn_shipped_find(operand, path, &is_shipped, error);
    if (!status && is_shipped && !is_quiet) sn_say("config %s: %s\n", operand, *path);
    return status;
}

sn_status sn_read_config(sn_config **config, const char *operand, const sn_words *sets, sn_error *error) {
    char *path = NULL;
    sn_status status = sn_find_config(&path, operand, false, error);
    sn_config_source source = {.path = path, .sets = sets->items, .n_sets = sets->n};
    if (!status) status = sn_config_read(config, &sn_language, &source, error);
    free(path);
    return status;
}

int sn_threads(int64_t asked) {
    return asked ? (int)asked : sn_team_available();
}

int sn_threads_of_training(int64_t asked) {
    return asked ? (int)asked : SN_THREADS_FASTEST;
}

void sn_tell_notes(const sn_notes *notes) {
    sn_text text = SN_TEXT_EMPTY;
    sn_notes_write(notes, &text);
    sn_say("%s", sn_text_string(&text));
    sn_text_free(&text);
}

sn_status sn_open_experiment(sn_experiment *experiment, const sn_config *config, int threads, sn_error *error) {
    sn_status status = sn_experiment_open(experiment, config, threads, error);
    sn_config_note_idle(config, &experiment->notes);
    if (!status) sn_experiment_note_misfits(experiment);
    sn_tell_notes(&experiment->notes);
    if (status) sn_experiment_reset(experiment);
    return status;
}
