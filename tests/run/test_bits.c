/* Bits of random networks do not depend on the number of threads, on where segments end, on what is observed, nor on
 * the width of the vectors: the paths AVX2 and AVX-512 give the same.  The generic path is compared with itself alone,
 * since it has no multiply-add of one rounding.
 *
 *   test_bits SEED       prints the config that a seed draws, for scripts/dev/bits.sh, which checks the whole program
 *   test_bits FIRST LAST checks the configs of these seeds, instead of a sample
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "run/experiment.h"
#include "run/language.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/random_graph.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SAMPLE = 10 };
#else
enum { SAMPLE = 40 };
#endif

/* What is observed of a run. */
typedef enum watching { NOTHING, EVERYTHING, NOW_AND_THEN } watching;

typedef struct variation {
    int threads, cut_every;
    watching looks;
    const char *simd; /* NULL: the path of the environment */
} variation;

/* What must be the same. */
typedef struct outcome {
    uint64_t weights; /* hash of all that is trained, and of the states */
    uint64_t results; /* losses, accuracies, faults, evaluations */
    uint64_t seen;    /* all observations */
    int steps;        /* applied */
    bool diverged;
} outcome;

/* A NaN is one whatever its bits are: that is what files show of it. */
static void add(uint64_t *hash, double value) {
    if (isnan(value)) value = (double)NAN;
    *hash = sn_hash(&value, sizeof value, *hash);
}

static void add_squares(uint64_t *hash, sn_sumsq squares) {
    add(hash, squares.sum);
    add(hash, squares.exponent);
}

static void add_sums(uint64_t *hash, const sn_tensor_sums *sums) {
    const double values[] = {sums->n, sums->sum_abs, sums->max_abs, sums->zeros, sums->denormals};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        add(hash, values[i]);
    add_squares(hash, sums->squares);
}

static void add_signal(uint64_t *hash, const sn_signal_sums *sums) {
    add(hash, sums->n);
    add(hash, sums->sum);
    add_squares(hash, sums->squares);
}

static void add_change(uint64_t *hash, const sn_change_sums *sums) {
    const double values[] = {sums->n,         sums->sum_abs_change, sums->sum_abs_intended,
                             sums->unchanged, sums->intended,       sums->stalled};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        add(hash, values[i]);
    add_squares(hash, sums->change);
}

static void add_observation(uint64_t *hash, const sn_observation *seen) {
    for (int k = 0; k < seen->n_nodes; k++) {
        const sn_node_sums *node = &seen->nodes[k];
        const sn_signal_sums *signals[] = {&node->output, &node->delta, &node->carried, &node->input};
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            add_signal(hash, signals[i]);
        add_squares(hash, node->weight);
        add_sums(hash, &node->gradient);
        add_sums(hash, &node->bias_gradient);
        add_change(hash, &node->change);
        add(hash, node->saturated);
        add(hash, node->units.n);
        add(hash, node->units.silent);
    }
    add_squares(hash, seen->gradient);
    add_change(hash, &seen->change);
    add(hash, seen->nonfinite);
}

static void add_result(uint64_t *hash, const sn_step_result *result) {
    const double values[] = {result->loss,       result->accuracy,    result->fault.kind,
                             result->fault.node, result->fault.param, result->nonfinite};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        add(hash, values[i]);
}

static void evaluate(const sn_experiment *x, outcome *end) {
    const sn_samples *splits[] = {&x->data.train, &x->data.test};
    for (int s = 0; s < 2; s++) {
        sn_step_result result = {0};
        if (splits[s]->n > 0) sn_engine_evaluate(x->engine, &x->data, splits[s], splits[s]->n, &result);
        add_result(&end->results, &result);
    }
}

static void take_steps(sn_experiment *x, watching when, outcome *end) {
    sn_observation seen;
    sn_error error;
    assert_int_equal(sn_observation_new(&seen, &x->graph, &error), SN_OK);
    double lr = sn_value_number(sn_config_root(x->config), "train.lr");
    for (int64_t step = 0; step < x->steps && !end->diverged; step++) {
        sn_step_result result;
        bool looks = when == EVERYTHING || (when == NOW_AND_THEN && step % 3 == 1);
        sn_step call = {.number = (uint64_t)step, .lr = lr, .applies = true, .observation = looks ? &seen : NULL};
        call.batch = (sn_batch){.dataset = &x->data, .samples = &x->data.train};
        call.batch.indices = sn_order_batch(&x->order, (uint64_t)step, &call.batch.rows);
        end->diverged = sn_engine_step(x->engine, &call, &result) == SN_DIVERGED;
        end->steps += !end->diverged;
        add_result(&end->results, &result);
        if (looks) add_observation(&end->seen, &seen);
    }
    sn_observation_reset(&seen);
}

/* The path that this program was called for, and others whose bits must be the same. */
static const char *own_path, *other_paths[MOST_BACKENDS];
static size_t n_other_paths;

static outcome run(const sn_config *config, const variation *v) {
    sn_experiment x;
    sn_error error;
    outcome end = {0};
    sn_error_clear(&error);
    setenv("SKIPNET_SIMD", v->simd ? v->simd : own_path, 1);
    if (sn_experiment_open(&x, config, v->threads, &error)) fail_msg("%s", error.text);
    x.options.cut_every = v->cut_every;
    if (sn_experiment_start(&x, &error)) fail_msg("%s", error.text);
    uint64_t before = sn_engine_weights_hash(x.engine);
    evaluate(&x, &end);
    take_steps(&x, v->looks, &end);
    evaluate(&x, &end);
    end.weights = sn_engine_weights_hash(x.engine);
    assert_true(end.steps == 0 || end.weights != before);
    sn_experiment_reset(&x);
    return end;
}

static void compare(const sn_config *config, const outcome *expected, const variation *v) {
    outcome end = run(config, v);
    bool same = end.weights == expected->weights && end.results == expected->results && end.steps == expected->steps;
    if (v->looks == EVERYTHING) same = same && end.seen == expected->seen;
    if (same) return;
    sn_text text = SN_TEXT_EMPTY;
    sn_config_text(config, &text);
    fail_msg("%s, %d threads, cut every %d, watching %d: weights %d, results %d, observations %d\n%s",
             v->simd ? v->simd : own_path, v->threads, v->cut_every, (int)v->looks, end.weights == expected->weights,
             end.results == expected->results, end.seen == expected->seen, sn_text_string(&text));
}

/* Whether training went on to the end; *steps counts. */
static bool check_graph(uint64_t seed, int *steps) {
    static const variation variations[] = {
        {2, 0, EVERYTHING, NULL},   {3, 0, NOTHING, NULL},    {4, 0, EVERYTHING, NULL},
        {7, 0, EVERYTHING, NULL},   {8, 0, NOTHING, NULL},    {16, 0, EVERYTHING, NULL},
        {1, 0, NOW_AND_THEN, NULL}, {2, 3, EVERYTHING, NULL}, {3, 1, NOW_AND_THEN, NULL}};
    static const variation one = {1, 0, EVERYTHING, NULL};
    sn_text text = random_config(seed);
    sn_config *config;
    sn_error error;
    sn_error_clear(&error);
    if (sn_config_parse(&config, &sn_language, sn_text_string(&text), text.length, "random.json", "", &error))
        fail_msg("%s\n%s", error.text, sn_text_string(&text));
    outcome expected = run(config, &one);
    for (size_t i = 0; i < sizeof variations / sizeof *variations; i++)
        compare(config, &expected, &variations[i]);
    for (size_t i = 0; i < n_other_paths; i++)
        compare(config, &expected, &(variation){2, 0, EVERYTHING, other_paths[i]});
    *steps += expected.steps;
    sn_config_free(config);
    sn_text_free(&text);
    return !expected.diverged;
}

static uint64_t first = 1, last = SAMPLE;

static void test_random_configs(void **state) {
    (void)state;
    int steps = 0, finished = 0, n = 0;
    for (uint64_t seed = first; seed <= last; seed++, n++)
        finished += check_graph(seed, &steps);
    print_message("%d configs, %d of them ran to the end; %d steps\n", n, finished, steps);
    assert_true(finished > n / 2 && steps > 2 * n);
}

static void print_config(uint64_t seed) {
    sn_text text = random_config(seed);
    fputs(sn_text_string(&text), stdout);
    sn_text_free(&text);
}

static bool read_seed(const char *argument, uint64_t *seed) {
    char *end;
    errno = 0;
    *seed = strtoull(argument, &end, 10);
    if (errno == 0 && end != argument && !*end) return true;
    fprintf(stderr, "test_bits: not a seed: %s\n", argument);
    return false;
}

static bool is_generic(const char *simd) {
    return strcmp(simd, "generic") == 0;
}

static int find_paths(void **state) {
    (void)state;
    const sn_backend *own, *runnable[MOST_BACKENDS];
    sn_error error;
    if (sn_backend_select(&own, SN_F32, &error)) fail_msg("%s", error.text);
    own_path = own->simd;
    size_t n = is_generic(own_path) ? 0 : runnable_backends(runnable, SN_F32);
    for (size_t i = 0; i < n; i++) {
        const char *simd = runnable[i]->simd;
        if (!is_generic(simd) && simd != own_path) other_paths[n_other_paths++] = simd;
    }
    print_message("%s%s%s\n", own_path, n_other_paths > 0 ? ", compared with " : "",
                  n_other_paths > 0 ? other_paths[0] : "");
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && !read_seed(argv[1], &first)) return 2;
    if (argc > 2 && !read_seed(argv[2], &last)) return 2;
    if (argc == 2) {
        print_config(first);
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_configs)};
    return cmocka_run_group_tests(tests, find_paths, NULL);
}
