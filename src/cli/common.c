/* Owns what several verbs do alike. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "cli/cli.h"
#include "engine/team.h"
#include "run/language.h"
#include "run/shipped.h"

sn_status sn_print(sn_text *text, sn_error *error) {
    sn_text visible = SN_TEXT_EMPTY;
    sn_text_add_visible(&visible, sn_text_string(text));
    bool failed = text->failed || visible.failed;
    sn_status status = failed ? sn_error_memory(error, text->length, "output") : SN_OK;
    if (!status && fwrite(sn_text_string(&visible), 1, visible.length, stdout) < visible.length && errno != EPIPE) {
        status = sn_error_io(error, "write", "standard output");
    }
    sn_text_free(&visible);
    sn_text_free(text);
    return status;
}

/* Where there is no memory for it the line is lost: there is nobody to tell. */
void sn_say(const char *format, ...) {
    char *lines = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&lines, format, args);
    va_end(args);
    if (length < 0) return;
    sn_text visible = SN_TEXT_EMPTY;
    sn_text_add_visible(&visible, lines);
    fputs(sn_text_string(&visible), stderr);
    sn_text_free(&visible);
    free(lines);
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

int sn_terminal_columns(int fd) {
    enum { LEAST = 20, MOST = 10000, DEFAULT = 80 };
    struct winsize size;
    const char *variable = getenv("COLUMNS");
    long columns = variable ? strtol(variable, NULL, 10) : 0;
    if (columns > LEAST && columns < MOST) return (int)columns;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > LEAST ? size.ws_col : DEFAULT;
}

void sn_tell_notes(const sn_notes *notes) {
    sn_text text = SN_TEXT_EMPTY;
    sn_notes_write(notes, &text);
    sn_say("%s", sn_text_string(&text));
    sn_text_free(&text);
}

sn_status sn_open_experiment(sn_experiment *experiment, const sn_config *config, int64_t threads, sn_error *error) {
    sn_status status = sn_experiment_open(experiment, config, sn_threads(threads), error);
    sn_tell_notes(&experiment->notes);
    if (status) sn_experiment_reset(experiment);
    return status;
}
