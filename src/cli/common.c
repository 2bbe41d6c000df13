/* Owns what several verbs do alike. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "engine/team.h"
#include "run/language.h"
#include "run/shipped.h"

sn_status sn_print(sn_text *text, sn_error *error) {
    sn_status status = text->failed ? sn_error_memory(error, text->length, "output") : SN_OK;
    if (!status && fwrite(sn_text_string(text), 1, text->length, stdout) < text->length && errno != EPIPE) {
        status = sn_error_io(error, "write", "standard output");
    }
    sn_text_free(text);
    return status;
}

sn_status sn_find_config(char **path, const char *operand, bool is_quiet, sn_error *error) {
    bool is_shipped = false;
    sn_status status = sn_shipped_find(operand, path, &is_shipped, error);
    if (!status && is_shipped && !is_quiet) fprintf(stderr, "config %s: %s\n", operand, *path);
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

void sn_tell_notes(const sn_notes *notes) {
    sn_text text = SN_TEXT_EMPTY;
    sn_notes_write(notes, &text);
    fputs(sn_text_string(&text), stderr);
    sn_text_free(&text);
}

sn_status sn_open_experiment(sn_experiment *experiment, const sn_config *config, int64_t threads, sn_error *error) {
    sn_status status = sn_experiment_open(experiment, config, sn_threads(threads), error);
    sn_tell_notes(&experiment->notes);
    if (status) sn_experiment_reset(experiment);
    return status;
}
