/* A run.json: its state, its summary, and the summary as text and JSON again. */
#include <stdlib.h>

#include "config/config.h"
#include "input.h"
#include "run/manifest.h"

static sn_error error;

static void show(const sn_summary *summary, const sn_summary_style *style) {
    sn_text text = SN_TEXT_EMPTY;
    sn_summary_text(summary, style, &text);
    fuzz_require(text.length > 0, "a summary without words", "");
    sn_text_free(&text);
}

static void check_json(const sn_summary *summary) {
    sn_text text = SN_TEXT_EMPTY;
    sn_config *config = NULL;
    sn_summary_json(summary, &text);
    sn_status status = sn_config_parse_free(&config, text.data, text.length, "summary", &error);
    fuzz_require(status == SN_OK, "a summary that is no JSON", error.text);
    sn_config_free(config);
    sn_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(0, data, size);
    sn_manifest_state state = {0};
    sn_summary summary = {0};
    sn_config *config = NULL;
    sn_summary_layer *layers = NULL;
    sn_error_clear(&error);
    sn_status status = sn_manifest_read_state(&state, path, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    sn_error_clear(&error);
    status = sn_manifest_read_summary(&summary, &config, &layers, path, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    if (status == SN_OK) {
        show(&summary, &(sn_summary_style){.columns = 100, .unicode = true});
        show(&summary, &(sn_summary_style){.columns = 70, .colour = true});
        check_json(&summary);
    }
    free(layers);
    sn_config_free(config);
    return 0;
}
