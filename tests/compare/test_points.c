/* Grid points, differences between skip kinds, and expectations, over made-up runs whose figures are known. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "compare/compare.h"
#include "compare/expectations.h"
#include "run/language.h"

static sn_error error;
enum { MAX_RUNS = 16, TRAIN_LOSS = 1 };

typedef struct made_run {
    const char *network; /* JSON */
    int seed;
    const char *status;
    double train_loss; /* NAN: not measured */
} made_run;

/* A comparison of runs that have no directories. */
typedef struct made {
    sn_comparison comparison;
    sn_sample samples[MAX_RUNS];
    sn_measure figures[MAX_RUNS][SN_N_RUN_FIGURES];
} made;

static void add_run(made *m, const made_run *run) {
    size_t i = m->comparison.varied.n_runs;
    sn_config *config = NULL;
    char text[400];
    assert_true(i < MAX_RUNS);
    snprintf(text, sizeof text, "{\"seed\": %d, \"network\": %s}", run->seed, run->network);
    sn_error_clear(&error);
    if (sn_config_parse(&config, &sn_language, text, strlen(text), "text", "", &error)) fail_msg("%s", error.text);
    assert_int_equal(sn_varied_add(&m->comparison.varied, config, &error), SN_OK);
    sn_config_free(config);
    if (!isnan(run->train_loss)) m->figures[i][TRAIN_LOSS] = sn_measured(run->train_loss);
    bool is_diverged = strcmp(run->status, "diverged") == 0;
    m->samples[i] = (sn_sample){.run = i,
                                .is_finished = is_diverged || strcmp(run->status, "done") == 0,
                                .is_diverged = is_diverged,
                                .figures = m->figures[i]};
}

static made *make(const made_run *runs, size_t n) {
    made *m = calloc(1, sizeof *m);
    assert_non_null(m);
    assert_string_equal(sn_run_figures[TRAIN_LOSS].column.name, "train_loss");
    for (size_t i = 0; i < n; i++)
        add_run(m, &runs[i]);
    sn_varied *varied = &m->comparison.varied;
    assert_int_equal(sn_varied_select(varied, false, &error), SN_OK);
    for (size_t i = 0; i < n; i++)
        m->samples[i].cells = sn_varied_cells(varied, i);
    assert_int_equal(sn_points_build(&m->comparison.points, varied, m->samples, n, &error), SN_OK);
    assert_int_equal(sn_differences_build(&m->comparison.differences, varied, m->samples, n, &error), SN_OK);
    return m;
}

static void drop(made *m) {
    sn_comparison_reset(&m->comparison);
    free(m);
}

#define MAKE(...) make((const made_run[]){__VA_ARGS__}, sizeof(const made_run[]){__VA_ARGS__} / sizeof(made_run))

static const sn_figure *loss_of(const sn_points *points, size_t i) {
    assert_true(i < points->n);
    return &points->items[i].figures[TRAIN_LOSS];
}

static void assert_name(const made *m, const sn_points *points, size_t i, const char *expected) {
    sn_text text = SN_TEXT_EMPTY;
    assert_true(i < points->n);
    sn_point_name(&points->items[i], &m->comparison.varied, &text);
    assert_string_equal(sn_text_string(&text), expected);
    sn_text_free(&text);
}

#define NONE(depth)        "{\"depth\": " depth ", \"skip\": \"none\"}"
#define ADD(depth)         "{\"depth\": " depth ", \"skip\": \"add\"}"
#define CONCAT(depth, new) "{\"depth\": " depth ", \"skip\": {\"kind\": \"concat\", \"growth\": " new "}}"

static void test_points(void **state) {
    (void)state;
    made *m = MAKE({ADD("20"), 1, "done", 5}, {NONE("20"), 1, "done", 1}, {NONE("3"), 2, "done", 2},
                   {NONE("20"), 2, "done", 2}, {NONE("20"), 3, "running", NAN}, {ADD("20"), 2, "diverged", 7},
                   {NONE("3"), 1, "done", 6});
    const sn_points *points = &m->comparison.points;
    assert_int_equal(points->n, 3);
    assert_name(m, points, 0, "network.depth=3, network.skip.kind=none");
    assert_name(m, points, 1, "network.depth=20, network.skip.kind=none");
    assert_name(m, points, 2, "network.depth=20, network.skip.kind=add");
    assert_true(loss_of(points, 0)->mean.is_measured && loss_of(points, 0)->mean.value == 4);
    assert_true(loss_of(points, 1)->mean.is_measured && loss_of(points, 1)->mean.value == 1.5);
    assert_int_equal(points->items[1].n_samples, 3);
    assert_int_equal(points->items[1].n_runs, 2);
    assert_false(loss_of(points, 2)->mean.is_measured);
    assert_true(loss_of(points, 2)->median.value == 6);
    assert_int_equal(loss_of(points, 2)->n_diverged, 1);
    drop(m);
}

/* Seeds 1 and 2 have partners, 3 and 4 have not; the mean difference is ((7 - 1) + (9 - 2)) / 2. */
static void test_differences_are_paired_by_seed(void **state) {
    (void)state;
    made *m = MAKE({NONE("3"), 1, "done", 1}, {NONE("3"), 2, "done", 2}, {NONE("3"), 3, "done", 100},
                   {ADD("3"), 2, "done", 9}, {ADD("3"), 1, "done", 7}, {ADD("3"), 4, "done", 1000});
    const sn_points *differences = &m->comparison.differences;
    assert_int_equal(differences->n, 1);
    assert_name(m, differences, 0, "network.skip.kind=add - none");
    const sn_figure *figure = loss_of(differences, 0);
    assert_int_equal(figure->n_runs, 2);
    assert_true(figure->mean.value == 6.5 && figure->min.value == 6 && figure->max.value == 7);
    assert_true(fabs(figure->sd.value - sqrt(0.5)) < 1e-15);
    drop(m);
}

/* All other keys agree; those that only one kind has do not matter for the pairing and name points. */
static void test_differences_agree_in_all_other_keys(void **state) {
    (void)state;
    made *m = MAKE({NONE("3"), 1, "done", 1}, {NONE("5"), 1, "done", 2}, {CONCAT("3", "4"), 1, "done", 11},
                   {CONCAT("3", "6"), 1, "done", 21}, {CONCAT("5", "6"), 1, "done", 32}, {ADD("3"), 1, "diverged", 4},
                   {ADD("5"), 1, "running", NAN});
    const sn_points *differences = &m->comparison.differences;
    const struct {
        const char *name;
        double median;
    } expected[] = {{"network.depth=3, network.skip.kind=add - none", 3},
                    {"network.depth=3, network.skip.kind=concat - none, network.skip.growth=4", 10},
                    {"network.depth=3, network.skip.kind=concat - none, network.skip.growth=6", 20},
                    {"network.depth=3, network.skip.kind=concat - add, network.skip.growth=4", 7},
                    {"network.depth=3, network.skip.kind=concat - add, network.skip.growth=6", 17},
                    {"network.depth=5, network.skip.kind=concat - none, network.skip.growth=6", 30}};
    size_t n = sizeof expected / sizeof *expected;
    assert_int_equal(differences->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_name(m, differences, i, expected[i].name);
        assert_true(loss_of(differences, i)->median.value == expected[i].median);
    }
    assert_int_equal(loss_of(differences, 0)->n_diverged, 1);
    assert_int_equal(loss_of(differences, 1)->n_diverged, 0);
    drop(m);
}

static void test_no_differences(void **state) {
    (void)state;
    made *m = MAKE({NONE("3"), 1, "done", 1}, {NONE("3"), 2, "done", 3});
    assert_int_equal(m->comparison.differences.n, 0);
    assert_int_equal(m->comparison.points.n, 1);
    assert_name(m, &m->comparison.points, 0, "all runs");
    assert_true(loss_of(&m->comparison.points, 0)->mean.value == 2);
    drop(m);
    m = MAKE({NONE("3"), 1, "running", 1}, {ADD("3"), 1, "done", 3}); /* two kinds, and no pair */
    assert_int_equal(m->comparison.differences.n, 0);
    assert_int_equal(m->comparison.points.n, 2);
    drop(m);
}

/* ---- expectations ---- */

static sn_status expect(const made *m, const char *text, size_t *n_compared) {
    char path[] = "/tmp/sn_expect.XXXXXX";
    sn_expectations expectations = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    sn_error_clear(&error);
    assert_int_equal(sn_file_write_atomic(path, text, strlen(text), &error), SN_OK);
    sn_status status = sn_expectations_read(&expectations, path, &error);
    if (!status) status = sn_expectations_check(&expectations, &m->comparison, &error);
    *n_compared = expectations.n_compared;
    sn_expectations_reset(&expectations);
    assert_int_equal(unlink(path), 0);
    return status;
}

static made *make_small(void) {
    return MAKE({NONE("3"), 1, "done", 1}, {NONE("3"), 2, "done", 3}, {ADD("3"), 1, "done", 4},
                {ADD("3"), 2, "done", 8}, {NONE("5"), 1, "diverged", 1}, {NONE("5"), 2, "done", 3},
                {ADD("5"), 1, "done", INFINITY}, {ADD("5"), 2, "interrupted", 9});
}

#define HEAD "network.depth,network.skip.kind,metric,statistic,op,value\n"

static void holds(const made *m, const char *row, size_t n) {
    char text[400];
    size_t n_compared = 0;
    snprintf(text, sizeof text, HEAD "%s\n", row);
    if (expect(m, text, &n_compared)) fail_msg("%s: %s", row, error.text);
    assert_int_equal(n_compared, n);
}

static void fails(const made *m, const char *row, const char *message) {
    char text[400];
    size_t n_compared = 0;
    snprintf(text, sizeof text, HEAD "%s\n", row);
    assert_int_equal(expect(m, text, &n_compared), SN_FAILED);
    const char *line = strstr(error.text, ":2: ");
    assert_non_null(line);
    assert_string_equal(line + 4, message);
}

static void test_expectations_hold(void **state) {
    (void)state;
    made *m = make_small();
    holds(m, "3,none,train_loss,mean,==,2", 1);
    holds(m, "3.0,none,train_loss,mean,<=,2", 1);
    holds(m, "3,none,train_loss,mean,>=,2", 1);
    holds(m, "3,none,train_loss,mean,<,2.0001", 1);
    holds(m, "3,none,train_loss,mean,>,1.9999", 1);
    holds(m, "3,none,train_loss,mean,!=,3", 1);
    holds(m, ",none,train_loss,n_runs,==,2", 2);
    holds(m, ",,train_loss,min,>=,1", 4);
    holds(m, "5,none,train_loss,n_diverged,==,1", 1);
    holds(m, "5,add,train_loss,max,==,inf", 1);
    holds(m, "3,add - none,train_loss,mean,==,4", 1);
    holds(m, ",add - none,train_loss,n_runs,>=,1", 2);
    drop(m);
}

static void test_expectations_fail(void **state) {
    (void)state;
    made *m = make_small();
    fails(m, "3,none,train_loss,mean,<,2",
          "network.depth=3, network.skip.kind=none: mean of train_loss is 2, expected < 2");
    fails(m, "3,none,train_loss,mean,==,2.5",
          "network.depth=3, network.skip.kind=none: mean of train_loss is 2, expected == 2.5");
    fails(m, "3,add - none,train_loss,max,!=,5",
          "network.depth=3, network.skip.kind=add - none: max of train_loss is 5, expected != 5");
    fails(m, "5,none,train_loss,mean,>,0",
          "network.depth=5, network.skip.kind=none: mean of train_loss is empty (1 of 2 runs diverged), expected > 0");
    fails(m, "5,add,train_loss,sd,!=,0",
          "network.depth=5, network.skip.kind=add: sd of train_loss is empty (there is one run), expected != 0");
    fails(m, "3,add,test_loss,median,>,0",
          "network.depth=3, network.skip.kind=add: median of test_loss is empty (0 of 2 runs have it), expected > 0");
    fails(m, "5,add - none,train_loss,mean,>,0",
          "network.depth=5, network.skip.kind=add - none: mean of train_loss is empty (1 of 1 pairs diverged), "
          "expected > 0");
    drop(m);
}

/* All failures are told, and only those. */
static void test_all_failures_are_told(void **state) {
    (void)state;
    made *m = make_small();
    size_t n_compared = 0;
    const char *text = HEAD "3,,train_loss,mean,>,3\n3,,train_loss,mean,>,0\n3,,train_loss,min,<,0\n";
    assert_int_equal(expect(m, text, &n_compared), SN_FAILED);
    assert_int_equal(n_compared, 6);
    int n_lines = 1;
    for (const char *p = error.text; *p; p++)
        n_lines += *p == '\n';
    assert_int_equal(n_lines, 3);
    drop(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_differences_are_paired_by_seed),
        cmocka_unit_test(test_differences_agree_in_all_other_keys),
        cmocka_unit_test(test_no_differences),
        cmocka_unit_test(test_expectations_hold),
        cmocka_unit_test(test_expectations_fail),
        cmocka_unit_test(test_all_failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
