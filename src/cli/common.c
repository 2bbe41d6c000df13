/* Owns what several verbs do alike. */
#include <errno.h>
#include <stdio.h>

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

sn_status sn_read_config(sn_config **config, const char *path, const sn_words *sets, sn_error *error) {
    sn_config_source source = {.path = path, .sets = sets->items, .n_sets = sets->n};
    return sn_config_read(config, &sn_language, &source, error);
}

int sn_threads(int64_t asked) {
    return asked ? (int)asked : sn_team_available();
}
