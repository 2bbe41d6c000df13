/* Two bytes that pick the keys of the data source, then a CSV file and, after a NUL byte, a test file. */
#include <string.h>

#include "base/text.h"
#include "data/data.h"
#include "input.h"

static sn_error error;

/* The "data" object that the two bytes stand for; `test` NULL: no test file. */
static void write_data(sn_text *text, unsigned choice, const char *path, const char *test) {
    static const char *const targets[] = {"-1", "0", "\"y\"", "[\"y\", \"z\"]", "[0, -1]", "[]", "7", "\"\""};
    static const char *const delimiters[] = {",", ";", "\\t", " "};
    static const char *const fractions[] = {"0.2", "0", "0.5", "0.99"};
    static const char *const scalings[] = {"standardize", "unit", "none", "standardize"};
    sn_text_addf(text, "{\"data\": {\"kind\": \"csv\", \"path\": \"%s\"", path);
    sn_text_addf(text, ", \"header\": %s", choice & 1 ? "false" : "true");
    sn_text_addf(text, ", \"task\": \"%s\"", choice & 2 ? "regression" : "classes");
    sn_text_addf(text, ", \"target\": %s", targets[choice >> 2 & 7]);
    sn_text_addf(text, ", \"delimiter\": \"%s\"", delimiters[choice >> 5 & 3]);
    sn_text_addf(text, ", \"test_fraction\": %s", fractions[choice >> 8 & 3]);
    sn_text_addf(text, ", \"scaling\": \"%s\"", scalings[choice >> 10 & 3]);
    if (test) sn_text_addf(text, ", \"test_path\": \"%s\"", test);
    sn_text_add(text, "}}");
}

/* Labels are below the number of classes: what the loss relies on. */
static void check_labels(const sn_dataset *set, const sn_samples *samples) {
    for (size_t i = 0; samples->labels && i < samples->n; i++)
        fuzz_require(samples->labels[i] < set->out_dim, "a label that is no class", "");
}

static void load(const sn_text *text) {
    static const sn_key keys[] = {
        {.name = "data", .types = SN_KIND, .fallback = "{}", .choice = &sn_source_choice, .help = "the data"},
        {0},
    };
    static const sn_schema schema = {.title = "fuzz", .keys = keys};
    sn_config *config = NULL;
    sn_dataset set;
    sn_error_clear(&error);
    if (sn_config_parse(&config, &schema, text->data, text->length, "fuzz", "", &error) != SN_OK) return;
    sn_notes notes = SN_NOTES_EMPTY;
    sn_status status = sn_dataset_load(&set, config, sn_value_get(sn_config_root(config), "data"), &notes, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    check_labels(&set, &set.train);
    check_labels(&set, &set.test);
    sn_notes_reset(&notes);
    sn_dataset_reset(&set);
    sn_config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_bytes rest = {data, size};
    unsigned choice = fuzz_byte(&rest);
    choice |= (unsigned)fuzz_byte(&rest) << 8;
    fuzz_bytes train = rest;
    bool has_test = choice & 1 << 12;
    if (has_test) train = fuzz_cut(&rest, 0);
    const char *path = fuzz_file(0, train.data, train.size);
    const char *test = has_test ? fuzz_file(1, rest.data, rest.size) : NULL;
    sn_text text = SN_TEXT_EMPTY;
    write_data(&text, choice, path, test);
    load(&text);
    sn_text_free(&text);
    return 0;
}
