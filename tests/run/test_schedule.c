/* Learning-rate and report schedules and warm-ups against values worked out by hand. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "config/config.h"
#include "run/language.h"
#include "run/schedule.h"
#include "run/warmup.h"

enum { STEPS_PER_EPOCH = 3 };

static sn_error error;

static sn_config *parse(const char *text) {
    sn_config *config = NULL;
    sn_error_clear(&error);
    if (sn_config_parse(&config, &sn_language, text, strlen(text), "text", "", &error)) fail_msg("%s", error.text);
    return config;
}

static sn_lr_schedule lr_schedule_of(const char *text, int64_t steps) {
    sn_config *config = parse(text);
    const sn_value *train = sn_value_get(sn_config_root(config), "train");
    assert_non_null(train);
    sn_lr_schedule schedule;
    assert_int_equal(sn_lr_schedule_init(&schedule, train, steps, STEPS_PER_EPOCH, &error), SN_OK);
    sn_config_free(config); /* a schedule needs it no more */
    return schedule;
}

static void is_close(double a, double b) {
    assert_true(fabs(a - b) <= 1e-15 + 1e-12 * fabs(b));
}

static void rates_are(const char *train, int64_t steps, const double *expected, int64_t n) {
    sn_lr_schedule schedule = lr_schedule_of(train, steps);
    sn_warmup warmup;
    sn_warmup_init(&warmup, &schedule);
    for (int64_t s = 0; s < n; s++)
        is_close(sn_learning_rate(&schedule, warmup.end, s), expected[s]);
    sn_lr_schedule_reset(&schedule);
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

/* A straight line over four steps; a final share lifts it, a warm-up shortens it. */
static void test_linear_rate(void **state) {
    (void)state;
    rates_are("{\"train\": {\"lr\": 1, \"lr_schedule\": \"linear\"}}", 4, (double[]){1, 0.75, 0.5, 0.25}, 4);
    rates_are("{\"train\": {\"lr\": 2, \"lr_schedule\": {\"kind\": \"linear\", \"final\": 0.5, \"warmup_steps\": 2}}}",
              6, (double[]){1, 2, 2, 1.75, 1.5, 1.25}, 6);
    rates_are("{\"train\": {\"lr\": 2, \"lr_schedule\": {\"kind\": \"linear\", \"warmup_steps\": 4}}}", 4,
              (double[]){0.5, 1, 1.5, 2, 2}, 5); /* nothing is left for the line */
}

/* Steps and epochs (of 3 steps) of the run, warm-up included; one within the warm-up counts at its end. */
static void test_milestones(void **state) {
    (void)state;
    rates_are(
        "{\"train\": {\"lr\": 8, \"lr_schedule\": {\"kind\": \"milestones\", \"at\": [2, 3, 6], \"factor\": 0.5}}}", 9,
        (double[]){8, 8, 4, 2, 2, 2, 1, 1, 1}, 9);
    rates_are(
        "{\"train\": {\"lr\": 8, \"lr_schedule\": {\"kind\": \"milestones\", \"at\": [1, 3], \"unit\": \"epochs\"}}}",
        11, (double[]){8, 8, 8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.08, 0.08}, 11);
    rates_are("{\"train\": {\"lr\": 8, \"lr_schedule\": {\"kind\": \"milestones\", \"at\": [2, 5], \"factor\": 0.5, "
              "\"warmup_steps\": 4}}}",
              7, (double[]){2, 4, 6, 8, 4, 2, 2}, 7);
    rates_are("{\"train\": {\"lr\": 8, \"lr_schedule\": {\"kind\": \"milestones\", \"at\": [1000000000000], \"unit\": "
              "\"epochs\"}}}",
              3, (double[]){8, 8, 8}, 3); /* further than steps can be counted */
}

/* ---- warm-ups by result ---- */

static const char by_result[] = "{\"train\": {\"lr\": 1, \"lr_schedule\": {\"kind\": \"milestones\", \"at\": [150], "
                                "\"warmup_lr\": 0.1, \"warmup_until_error\": 0.5}}}";

/* Accuracies of 0 in the first steps, of 1 from step `right` on: the mean error of the last 100 steps before step
 * right + 51 is 49 wrong ones in 100. */
static int64_t end_of_warmup(const sn_lr_schedule *schedule, int64_t right, int64_t steps) {
    sn_warmup warmup;
    sn_warmup_init(&warmup, schedule);
    for (int64_t s = 0; s < steps; s++) {
        assert_true(sn_learning_rate(schedule, warmup.end, s) == (warmup.end < 0 ? 0.1 : s < 150 ? 1 : 0.1));
        sn_warmup_note(&warmup, schedule, s, s < right ? 0 : 1);
    }
    return warmup.end;
}

static void test_by_result(void **state) {
    (void)state;
    sn_lr_schedule schedule = lr_schedule_of(by_result, 1000);
    assert_true(sn_lr_schedule_by_result(&schedule));
    assert_int_equal(end_of_warmup(&schedule, 0, 99), -1); /* no mean before there are 100 steps */
    assert_int_equal(end_of_warmup(&schedule, 0, 300), 100);
    assert_int_equal(end_of_warmup(&schedule, 49, 300), 100);
    assert_int_equal(end_of_warmup(&schedule, 50, 300), 101); /* 0.5 is not below 0.5 */
    assert_int_equal(end_of_warmup(&schedule, 70, 300), 121);
    assert_int_equal(end_of_warmup(&schedule, 170, 300), 221);
    assert_int_equal(end_of_warmup(&schedule, 1000, 1000), -1);
    sn_lr_schedule_reset(&schedule);
}

/* Written and read between any two steps, what a warm-up does stays the same; the same step again changes nothing. */
static void test_warmup_file(void **state) {
    (void)state;
    sn_lr_schedule schedule = lr_schedule_of(by_result, 1000);
    sn_warmup whole, read;
    double doubles[SN_WARMUP_DOUBLES];
    sn_warmup_init(&whole, &schedule);
    sn_warmup_init(&read, &schedule);
    for (int64_t s = 0; s < 200; s++) {
        double accuracy = s < 90 ? 0.3 : 0.3 + 0.01 * (double)(s - 90);
        sn_warmup_note(&whole, &schedule, s, accuracy);
        sn_warmup_note(&read, &schedule, s, accuracy);
        sn_warmup_note(&read, &schedule, s, accuracy);
        sn_warmup_encode(&read, doubles);
        sn_warmup_init(&read, &schedule);
        assert_true(sn_warmup_decode(&read, doubles, s + 1));
        assert_memory_equal(&whole, &read, sizeof whole);
    }
    assert_in_range(whole.end, 130, 170);
    static const struct {
        int at;
        double value;
    } faults[] = {{0, 99}, {0, 201}, {0, -2}, {0, (double)NAN}, {1, -0.1}, {100, 1.1}, {50, (double)NAN}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sn_warmup_encode(&whole, doubles);
        doubles[faults[i].at] = faults[i].value;
        assert_false(sn_warmup_decode(&read, doubles, 200));
    }
    assert_memory_equal(&whole, &read, sizeof whole);
    sn_lr_schedule_reset(&schedule);
}

/* ---- rows ---- */

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
        cmocka_unit_test(test_constant),  cmocka_unit_test(test_warmup),      cmocka_unit_test(test_step),
        cmocka_unit_test(test_cosine),    cmocka_unit_test(test_linear_rate), cmocka_unit_test(test_milestones),
        cmocka_unit_test(test_by_result), cmocka_unit_test(test_warmup_file), cmocka_unit_test(test_log),
        cmocka_unit_test(test_linear),    cmocka_unit_test(test_no_steps),    cmocka_unit_test(test_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
