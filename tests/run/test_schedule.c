/* Learning-rate and report schedules against values worked out by hand. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "config/config.h"
#include "run/language.h"
#include "run/schedule.h"

static sn_config *parse(const char *text) {
    static sn_error error;
    sn_config *config = NULL;
    sn_error_clear(&error);
    if (sn_config_parse(&config, &sn_language, text, strlen(text), "text", "", &error)) fail_msg("%s", error.text);
    return config;
}

static void rates_are(const char *train, int64_t steps, const double *expected, int64_t n) {
    sn_config *config = parse(train);
    const sn_value *object = sn_value_get(sn_config_root(config), "train");
    assert_non_null(object);
    sn_lr_schedule schedule;
    sn_lr_schedule_init(&schedule, object, steps);
    for (int64_t s = 0; s < n; s++) {
        assert_true(fabs(sn_learning_rate(&schedule, s) - expected[s]) <= 1e-15 + 1e-12 * fabs(expected[s]));
    }
    sn_config_free(config);
}

static void test_constant(void **state) {
    (void)state;
    rates_are("{\"train\": {\"lr\": 0.5}}", 4, (double[]){0.5, 0.5, 0.5, 0.5}, 4);
    rates_are("{\"train\": {\"lr\": 0}}", 4, (double[]){0, 0}, 2);
}

static void test_warmup(void **state) {
    (void)state;
    rates_are("{\"train\": {\"lr\": 1, \"lr_schedule\": {\"kind\": \"constant\", \"warmup_steps\": 4}}}", 10,
              (double[]){0.25, 0.5, 0.75, 1, 1, 1}, 6);
}

static void test_step(void **state) {
    (void)state;
    rates_are("{\"train\": {\"lr\": 1, \"lr_schedule\": {\"kind\": \"step\", \"every\": 2, \"factor\": 0.5}}}", 10,
              (double[]){1, 1, 0.5, 0.5, 0.25, 0.25}, 6);
}

/* Half a cosine over four steps: 1, (1 + cos(pi/4))/2, 1/2, ...; a final share lifts it. */
static void test_cosine(void **state) {
    (void)state;
    double quarter = 0.5 * (1 + sqrt(0.5));
    rates_are("{\"train\": {\"lr\": 1, \"lr_schedule\": \"cosine\"}}", 4, (double[]){1, quarter, 0.5, 1 - quarter}, 4);
    rates_are("{\"train\": {\"lr\": 2, \"lr_schedule\": {\"kind\": \"cosine\", \"final\": 0.1, \"warmup_steps\": 2}}}",
              6, (double[]){1, 2, 2, 2 * (0.1 + 0.9 * quarter), 2 * 0.55}, 5);
}

static sn_report_schedule schedule_of(const char *text, int64_t steps, int64_t per_epoch) {
    sn_config *config = parse(text);
    sn_report_schedule schedule;
    sn_report_schedule_init(&schedule, sn_value_get(sn_config_root(config), "report"), steps, per_epoch);
    sn_config_free(config);
    return schedule;
}

static void due_are(const sn_report_schedule *schedule, const int64_t *expected, size_t n) {
    size_t found = 0;
    for (int64_t s = 0; s <= schedule->steps; s++) {
        if (!sn_report_is_due(schedule, s)) continue;
        assert_true(found < n);
        assert_int_equal(s, expected[found++]);
    }
    assert_int_equal(found, n);
}

/* Two rows per decade: 1, 3.16, 10, 31.6, 100; always 0, 1, 2, N-1, N; an epoch ends at 60. */
static void test_log(void **state) {
    (void)state;
    sn_report_schedule schedule =
        schedule_of("{\"report\": {\"schedule\": {\"kind\": \"log\", \"per_decade\": 2}}}", 119, 60);
    due_are(&schedule, (int64_t[]){0, 1, 2, 3, 10, 32, 60, 100, 118, 119}, 10);
}

static void test_linear(void **state) {
    (void)state;
    sn_report_schedule schedule =
        schedule_of("{\"report\": {\"schedule\": {\"kind\": \"linear\", \"every\": 5}}}", 13, 100);
    due_are(&schedule, (int64_t[]){0, 1, 2, 5, 10, 12, 13}, 7);
}

static void test_no_steps(void **state) {
    (void)state;
    sn_report_schedule schedule = schedule_of("{}", 0, 10);
    assert_true(sn_report_is_due(&schedule, 0));
    assert_true(sn_report_evaluates(&schedule, 0));
}

static void test_evaluation(void **state) {
    (void)state;
    sn_report_schedule schedule = schedule_of("{}", 25, 10);
    int count = 0;
    for (int64_t s = 0; s <= 25; s++)
        count += sn_report_evaluates(&schedule, s);
    assert_int_equal(count, 4); /* 0, 10, 20, 25 */
    assert_true(sn_report_evaluates(&schedule, 10) && sn_report_evaluates(&schedule, 25));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant), cmocka_unit_test(test_warmup),     cmocka_unit_test(test_step),
        cmocka_unit_test(test_cosine),   cmocka_unit_test(test_log),        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_no_steps), cmocka_unit_test(test_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
