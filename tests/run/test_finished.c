/* Opening a run that has been trained: which weights it stands at, what is told of them, and what becomes of it while
 * it is opened.  Damaged directories are tests/cli/cli_eval_unfinished_test.sh's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "run/finished.h"
#include "run/language.h"
#include "run/trainer.h"
#include "support/check.h"

static sn_error error;
static char dir[64];
static sn_finished_run run;

static const char text[] =
    "{\"name\": \"small\", \"seed\": 3, \"network\": {\"depth\": 3, \"width\": 6, \"norm\": \"batch\"},"
    "\"data\": {\"kind\": \"spirals\", \"samples\": 40, \"test_samples\": 10},"
    "\"train\": {\"batch_size\": 8, \"optimizer\": {\"momentum\": 0.9}}}";

/* An experiment of so many steps, and its directory. */
typedef struct trained {
    sn_config *config;
    sn_experiment experiment;
    sn_run_directory directory;
} trained;

static void begin(trained *t, int steps, sn_run_entry entry) {
    char set[64];
    snprintf(set, sizeof set, "train.steps=%d", steps);
    const char *const sets[] = {set};
    sn_config_source source = {.path = "small.json", .text = text, .sets = sets, .n_sets = 1};
    if (sn_config_read(&t->config, &sn_language, &source, &error)) fail_msg("%s", error.text);
    if (sn_experiment_open(&t->experiment, t->config, 1, &error)) fail_msg("%s", error.text);
    if (sn_run_directory_open(&t->directory, dir, &t->experiment, entry, &error)) fail_msg("%s", error.text);
}

static void end(trained *t) {
    sn_run_directory_close(&t->directory);
    sn_experiment_reset(&t->experiment);
    sn_config_free(t->config);
}

/* Trains to `steps`, or, where it `stops`, no step more than there are; the hash of the weights. */
static uint64_t train(int steps, sn_run_entry entry, bool stops) {
    trained t;
    begin(&t, steps, entry);
    volatile sig_atomic_t stop = stops;
    sn_trainer_options options = {.stop = &stop};
    sn_outcome outcome;
    if (sn_experiment_start(&t.experiment, &error)) fail_msg("%s", error.text);
    sn_status status = sn_train(&t.experiment, &t.directory, &options, &outcome, &error);
    assert_int_equal(status, stops ? SN_INTERRUPTED : SN_OK);
    uint64_t hash = sn_engine_weights_hash(t.experiment.engine);
    sn_outcome_reset(&outcome);
    end(&t);
    return hash;
}

static void remove_file(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(unlink(path), 0);
}

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "test_finished.XXXXXX");
    sn_error_clear(&error);
    return mkdtemp(dir) ? 0 : -1;
}

/* That the directory can be removed says that nothing was left in it but files of a run. */
static int tear_down(void **state) {
    (void)state;
    sn_finished_reset(&run);
    trained t;
    sn_error_clear(&error);
    begin(&t, 1, SN_ENTRY_FORCE);
    sn_status status = sn_run_directory_clear(&t.directory, &error);
    end(&t);
    return status ? -1 : rmdir(dir);
}

static void open_run(const char *weights) {
    sn_finished_request request = {.run = dir, .weights = weights, .threads = 1};
    if (sn_finished_open(&run, &request, &error)) fail_msg("%s", error.text);
}

static void start_run(void) {
    if (sn_finished_start(&run, &error)) fail_msg("%s", error.text);
}

static void want_weights(sn_weights_source source, int step, uint64_t hash, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(run.source, source);
    assert_int_equal(run.step, step);
    assert_string_equal(run.weights, path);
    assert_true(sn_engine_weights_hash(run.experiment.engine) == hash);
}

/* ---- which weights ---- */

static void test_done(void **state) {
    (void)state;
    uint64_t hash = train(10, SN_ENTRY_NEW, false);
    open_run(NULL);
    assert_string_equal(run.state.status, "done");
    assert_int_equal(run.state.steps, 10);
    assert_int_equal(sn_value_integer(sn_config_root(run.config), "network.depth"), 3);
    assert_int_equal(run.experiment.data.train.n, 0); /* nothing is read or built before it is asked for */
    assert_null(run.experiment.engine);
    start_run();
    assert_int_equal(run.experiment.data.train.n, 40);
    assert_true(run.experiment.graph.n_nodes > 3);
    assert_string_equal(sn_text_string(&run.experiment.notes.text), "");
    want_weights(SN_WEIGHTS_FINAL, 10, hash, SN_FILE_FINAL);
}

/* At the checkpoint: as the run of ten steps ended, though the run is meant to have twenty. */
static void test_interrupted(void **state) {
    (void)state;
    uint64_t hash = train(10, SN_ENTRY_NEW, false);
    train(20, SN_ENTRY_RESUME, true);
    open_run(NULL);
    start_run();
    assert_string_equal(run.state.status, "interrupted");
    assert_int_equal(run.experiment.steps, 20);
    want_weights(SN_WEIGHTS_CHECKPOINT, 10, hash, SN_FILE_CHECKPOINT);
    assert_true(hash != train(20, SN_ENTRY_RESUME, false)); /* it can go on, and does not stand still */
}

static void test_given(void **state) {
    (void)state;
    uint64_t hash = train(10, SN_ENTRY_NEW, false);
    char path[128], other[128];
    snprintf(path, sizeof path, "%s/" SN_FILE_FINAL, dir);
    snprintf(other, sizeof other, "%s.other", dir);
    assert_int_equal(rename(path, other), 0);
    train(20, SN_ENTRY_RESUME, false);
    open_run(other);
    start_run();
    assert_int_equal(run.source, SN_WEIGHTS_GIVEN);
    assert_int_equal(run.step, -1);
    assert_string_equal(run.weights, other);
    assert_true(sn_engine_weights_hash(run.experiment.engine) == hash && hash != run.state.weights_hash);
    assert_int_equal(unlink(other), 0);
}

/* ---- a run that is at work ---- */

/* The lock says what run.json cannot. */
static void test_status(void **state) {
    (void)state;
    train(10, SN_ENTRY_NEW, false);
    train(20, SN_ENTRY_RESUME, true);
    trained t;
    begin(&t, 20, SN_ENTRY_RESUME);
    open_run(NULL);
    assert_string_equal(run.state.status, "running");
    sn_finished_reset(&run);
    sn_manifest manifest = {.experiment = &t.experiment, .status = "running"};
    char *path = sn_run_directory_file(&t.directory, SN_FILE_MANIFEST);
    assert_int_equal(sn_manifest_write(&manifest, path, &error), SN_OK);
    free(path);
    end(&t);
    open_run(NULL);
    assert_string_equal(run.state.status, "interrupted");
}

/* Between the two calls, while the data are read, the run ends and its checkpoint goes, as it does when it diverges. */
static void test_ends_meanwhile(void **state) {
    (void)state;
    train(10, SN_ENTRY_NEW, false);
    train(20, SN_ENTRY_RESUME, true);
    open_run(NULL);
    uint64_t hash = train(20, SN_ENTRY_RESUME, false);
    remove_file(SN_FILE_CHECKPOINT);
    start_run();
    assert_string_equal(run.state.status, "done");
    want_weights(SN_WEIGHTS_FINAL, 20, hash, SN_FILE_FINAL);
}

static void test_loses_checkpoint(void **state) {
    (void)state;
    train(10, SN_ENTRY_NEW, false);
    train(20, SN_ENTRY_RESUME, true);
    open_run(NULL);
    remove_file(SN_FILE_CHECKPOINT);
    assert_int_equal(sn_finished_start(&run, &error), SN_INVALID);
    char expected[256];
    snprintf(
        expected, sizeof expected,
        "%s: the run is not finished (status interrupted) and has no checkpoint any more (train --resume brings it "
        "to its end; --weights FILE takes other weights)",
        dir);
    assert_string_equal(error.text, expected);
}

/* A run that is done has its final weights; that they are gone is told once they are wanted. */
static void test_loses_final(void **state) {
    (void)state;
    train(10, SN_ENTRY_NEW, false);
    remove_file(SN_FILE_FINAL);
    open_run(NULL);
    assert_int_equal(sn_finished_start(&run, &error), SN_IO);
    assert_non_null(strstr(error.text, SN_FILE_FINAL));
}

/* ---- another version ---- */

/* Makes the checkpoint one of skipnet 0.1.0, with a checksum that fits. */
static void make_older(void) {
    enum { DIGITS = 16 };
    static const char older[] = "0.1.0", program[] = "\"program\":\"skipnet ", checksum[] = "\"checksum\":\"";
    char path[128], sum[DIGITS + 1], *content = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", dir, SN_FILE_CHECKPOINT);
    if (sn_file_read_regular(path, SIZE_MAX / 2, &content, &size, &error)) fail_msg("%s", error.text);
    assert_non_null(content);
    char *version = memmem(content, size, program, sizeof program - 1);
    char *digits = memmem(content, size, checksum, sizeof checksum - 1);
    assert_true(version && digits);
    if (!version || !digits) return; /* never, but clang-tidy does not know it */
    assert_true(strlen(SN_VERSION) == strlen(older) && strcmp(SN_VERSION, older) != 0);
    version += sizeof program - 1;
    digits += sizeof checksum - 1;
    memcpy(version, older, strlen(older));
    memset(digits, '0', DIGITS);
    snprintf(sum, sizeof sum, "%016" PRIx64, sn_hash(content, size, 0));
    memcpy(digits, sum, DIGITS);
    if (sn_file_write_atomic(path, content, size, &error)) fail_msg("%s", error.text);
    free(content);
}

/* Its products have other bits, so its run is not gone on with; its weights are what they are. */
static void test_older(void **state) {
    (void)state;
    train(10, SN_ENTRY_NEW, false);
    uint64_t hash = train(20, SN_ENTRY_RESUME, true);
    make_older();
    open_run(NULL);
    start_run();
    want_weights(SN_WEIGHTS_CHECKPOINT, 10, hash, SN_FILE_CHECKPOINT);
    trained t;
    begin(&t, 20, SN_ENTRY_RESUME);
    sn_outcome outcome;
    sn_trainer_options options = {0};
    if (sn_experiment_start(&t.experiment, &error)) fail_msg("%s", error.text);
    assert_int_equal(sn_train(&t.experiment, &t.directory, &options, &outcome, &error), SN_INVALID);
    char expected[512];
    snprintf(expected, sizeof expected,
             "%s/%s was saved with program skipnet 0.1.0, here it is skipnet %s: the run would not go on to the same "
             "bytes (take that version, or --force to train anew)",
             dir, SN_FILE_CHECKPOINT, SN_VERSION);
    assert_string_equal(error.text, expected);
    sn_outcome_reset(&outcome);
    end(&t);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_done),           TEST(test_interrupted),      TEST(test_given),       TEST(test_status),
        TEST(test_ends_meanwhile), TEST(test_loses_checkpoint), TEST(test_loses_final), TEST(test_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
