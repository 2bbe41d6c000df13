/* A checkpoint, as --resume takes it up.
 *
 * Two things would stop nearly every input at the door, and are set right first: the checksum in the file, and the hash
 * of the run that the file belongs to. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/engine.h"
#include "input.h"
#include "run/checkpoint.h"
#include "run/language.h"

enum { DIGITS = 16 };

static sn_error error;

/* corpus/checkpoint/trained is the checkpoint of this run. */
static const char experiment_text[] =
    "{\"data\": {\"kind\": \"spirals\"}, \"network\": {\"depth\": 2, \"width\": 2, \"norm\": \"batch\"}, "
    "\"train\": {\"optimizer\": {\"kind\": \"sgd\", \"momentum\": 0.5}, \"batch_size\": 4, \"steps\": 8}}";

static sn_experiment *make_experiment(void) {
    static sn_config *config;
    static sn_experiment experiment;
    sn_error_clear(&error);
    sn_status status =
        sn_config_parse(&config, &sn_language, experiment_text, sizeof experiment_text - 1, "fuzz", "", &error);
    if (!status) status = sn_experiment_open(&experiment, config, 1, &error);
    if (!status) status = sn_experiment_start(&experiment, &error);
    fuzz_require(status == SN_OK, "no experiment", error.text);
    return &experiment;
}

/* Where the digits of the checksum stand; NULL: nowhere. */
static char *find_digits(char *content, size_t size) {
    static const char key[] = "\"checksum\":\"";
    char *at = memmem(content, size, key, sizeof key - 1);
    if (!at || (size_t)(at - content) + sizeof key - 1 + DIGITS > size) return NULL;
    return at + sizeof key - 1;
}

/* A copy with a checksum that fits (free()). */
static char *seal(const uint8_t *data, size_t size) {
    char *content = malloc(size + 1), text[DIGITS + 1];
    fuzz_require(content != NULL, "no memory", "");
    if (!content) return NULL;
    memcpy(content, data, size);
    char *digits = find_digits(content, size);
    if (digits) {
        memset(digits, '0', DIGITS);
        snprintf(text, sizeof text, "%016" PRIx64, sn_hash(content, size, 0));
        memcpy(digits, text, DIGITS);
    }
    return content;
}

/* The run that the file says it is of. */
static uint64_t hash_but_length_of(const char *path) {
    sn_safetensors *file = NULL;
    sn_error ignored;
    sn_error_clear(&ignored);
    if (sn_safetensors_read(&file, path, &ignored)) return 0;
    const char *hash_but_length = sn_safetensors_metadata(file, "config_hash_but_length");
    uint64_t hash = hash_but_length ? strtoull(hash_but_length, NULL, 16) : 0;
    sn_safetensors_free(file);
    return hash;
}

static sn_status take_up(const sn_experiment *x, const char *path) {
    sn_checkpoint checkpoint;
    sn_safetensors *file = NULL;
    sn_status status = sn_checkpoint_init(&checkpoint, x->graph.n_hidden, &error);
    if (!status) status = sn_checkpoint_read(&checkpoint, &file, path, x, &error);
    if (!status) {
        int64_t step = checkpoint.marks[0].step;
        fuzz_require(step >= 0 && step <= checkpoint.steps, "a step that is none of the run", "");
        sn_checkpoint_fits(file, path, x, &error);
        sn_error_clear(&error); /* made elsewhere, perhaps: what else is in it counts here all the same */
        status = sn_engine_restore(x->engine, file, path, &error);
    }
    sn_safetensors_free(file);
    sn_checkpoint_reset(&checkpoint);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sn_experiment *experiment;
    if (!experiment) experiment = make_experiment();
    char *content = seal(data, size);
    const char *path = fuzz_file(0, content, size);
    free(content);
    experiment->hash_but_length = hash_but_length_of(path);
    sn_error_clear(&error);
    sn_status status = take_up(experiment, path);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    return 0;
}
