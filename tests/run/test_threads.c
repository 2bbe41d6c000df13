/* The number of threads that a training takes by itself: by its work, its panels and its barriers, never more than
 * there are.  Which number is fastest is measured elsewhere (docs/engine.md); here stands what the model promises. */
#include <stdio.h>
#include <string.h>

#include "run/experiment.h"
#include "run/language.h"
#include "run/threads.h"
#include "support/check.h"

static sn_error error;

/* What a network of so many layers of `width` on 784 features takes for batches of `batch`. */
static int fastest(const char *more, int width, int batch, int available) {
    char text[512];
    snprintf(text, sizeof text,
             "{\"data\": {\"kind\": \"gaussian\", \"in_dim\": 784, \"classes\": 10, \"samples\": 200},"
             " \"network\": {\"depth\": 50, \"width\": %d, \"skip\": \"add\"%s}, \"train\": {\"batch_size\": %d}}",
             width, more, batch);
    sn_config *config = NULL;
    sn_experiment x = {0};
    sn_error_clear(&error);
    sn_status status = sn_config_parse(&config, &sn_language, text, strlen(text), "test", "", &error);
    if (!status) status = sn_experiment_open(&x, config, 1, &error);
    if (status) fail_msg("%s", error.text);
    int threads = sn_threads_fastest(&x.graph, x.batch_size, available);
    sn_experiment_reset(&x);
    sn_config_free(config);
    return threads;
}

static void test_work(void **state) {
    (void)state;
    assert_int_equal(fastest("", 16, 32, 2), 1);
    assert_int_equal(fastest("", 16, 32, 64), 1);
    assert_int_equal(fastest("", 32, 64, 2), 2);
    assert_int_equal(fastest("", 64, 128, 2), 2);
    assert_int_equal(fastest("", 256, 128, 4), 4);
    int middle = fastest("", 32, 128, 64); /* as many as have enough to do, not all that have a panel */
    assert_in_range(middle, 2, 7);
}

/* A thread without a panel of samples has nothing to walk. */
static void test_panels(void **state) {
    (void)state;
    assert_int_equal(fastest("", 512, 16, 8), 1);
    assert_int_equal(fastest("", 512, 17, 8), 2);
    assert_int_equal(fastest("", 512, 128, 64), 8);
    assert_int_equal(fastest("", 512, 100, 64), 7);
}

/* 100 barriers more, where there is work for two between them, and where there is not. */
static void test_barriers(void **state) {
    (void)state;
    assert_int_equal(fastest(", \"norm\": \"layer\"", 32, 64, 2), 2);
    assert_int_equal(fastest(", \"norm\": \"batch\"", 32, 64, 2), 1);
    assert_int_equal(fastest(", \"norm\": \"batch\"", 256, 128, 2), 2);
}

static void test_available(void **state) {
    (void)state;
    for (int available = 1; available <= 8; available++) {
        int threads = fastest("", 512, 128, available);
        assert_int_equal(threads, available);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_work), cmocka_unit_test(test_panels),
                                       cmocka_unit_test(test_barriers), cmocka_unit_test(test_available)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
