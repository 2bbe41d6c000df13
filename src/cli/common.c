/* Owns what several verbs do alike. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "cli/cli.h"
#include "engine/team.h"
#include "run/language.h"

sn_status sn_print(sn_text *text, sn_error *error) {
    sn_status status = text->failed ? sn_error_memory(error, text->length, "output") : SN_OK;
    if (!status && fwrite(sn_text_string(text), 1, text->length, stdout) < text->length && errno != EPIPE) {
        status = sn_error_io(error, "write", "standard output");
    }
    sn_text_free(text);
    return status;
}

sn_status sn_read_config(sn_config **config, const sn_arguments *arguments, sn_error *error) {
    sn_config_source source = {.path = arguments->operands[0], .sets = arguments->sets, .n_sets = arguments->n_sets};
    return sn_config_read(config, &sn_language, &source, error);
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
    fputs(sn_text_string(&text), stderr);
    sn_text_free(&text);
}

sn_status sn_open_experiment(sn_experiment *experiment, const sn_arguments *arguments, const sn_config *config,
                             sn_error *error) {
    int threads = arguments->threads ? arguments->threads : sn_team_available();
    sn_status status = sn_experiment_open(experiment, config, threads, error);
    sn_tell_notes(&experiment->notes);
    if (status) sn_experiment_reset(experiment);
    return status;
}
