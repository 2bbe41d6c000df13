/* The benchmark: what it says adds up and agrees with hand calculations.  Times themselves are not tested. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "run/language.h"
#include "study/bench.h"

/* 20 features, 3 classes, batches of 16; the last batch of an epoch has 4 samples and must not be measured. */
static const char tiny[] = "{\"data\": {\"kind\": \"gaussian\", \"in_dim\": 20, \"classes\": 3, \"samples\": 52},"
                           " \"network\": {\"depth\": 3, \"width\": 8, \"skip\": \"add\"},"
                           " \"train\": {\"batch_size\": 16}}";
typedef struct lab {
    sn_config *config;
    sn_experiment experiment;
} lab;

static sn_error error;

static void open_lab(lab *l, const char *text, int threads) {
    sn_error_clear(&error);
    sn_status status = sn_config_parse(&l->config, &sn_language, text, strlen(text), "test", "", &error);
    if (!status) status = sn_experiment_open(&l->experiment, l->config, threads, &error);
    if (!status) status = sn_experiment_start(&l->experiment, &error);
    if (status) fail_msg("%s", error.text);
}

static void close_lab(lab *l) {
    sn_experiment_reset(&l->experiment);
    sn_config_free(l->config);
}

static void run_bench(sn_bench *bench, lab *l) {
    sn_bench_options options = {.steps = 25};
    sn_status status = sn_bench_run(bench, &l->experiment, &options, &error);
    if (status) fail_msg("%s", error.text);
}

static double ops_sum(const sn_bench *bench) {
    double sum = 0;
    for (int i = 0; i < bench->n_ops; i++) {
        const sn_bench_op *op = &bench->ops[i];
        assert_true(op->forward >= 0 && op->backward >= 0 && op->param_gradient >= 0 && op->update >= 0);
        sum += op->forward + op->backward + op->param_gradient + op->update;
    }
    return sum;
}

static const sn_bench_op *find_op(const sn_bench *bench, const char *name) {
    for (int i = 0; i < bench->n_ops; i++) {
        if (strcmp(bench->ops[i].name, name) == 0) return &bench->ops[i];
    }
    fail_msg("no op %s", name);
    return NULL;
}

static void the_parts_add_up(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        lab l;
        sn_bench b;
        open_lab(&l, tiny, threads);
        run_bench(&b, &l);
        const sn_bench_segments *s = &b.segments;
        double busy = s->forward + s->loss + s->backward + s->work;
        assert_true(s->forward > 0 && s->loss > 0 && s->backward > 0 && s->work > 0 && s->waiting >= 0);
        assert_true(b.profiled_step > 0 && busy <= 1.000001 * threads * b.profiled_step);
        assert_true(fabs(busy + s->waiting - threads * b.profiled_step) <= 1e-9 * busy);
        assert_true(fabs(ops_sum(&b) - busy) <= 1e-9 * busy);
        const sn_bench_op *linear = find_op(&b, "linear");
        assert_true(linear->forward > 0 && linear->backward > 0 && linear->param_gradient > 0 && linear->update > 0);
        assert_true(find_op(&b, "tanh")->backward > 0 && find_op(&b, "add")->forward > 0);
        assert_true(find_op(&b, "input")->forward > 0 && find_op(&b, "softmax_cross_entropy")->forward > 0);
        sn_bench_reset(&b);
        close_lab(&l);
    }
}

static void figures_agree_with_each_other(void **state) {
    (void)state;
    lab l;
    sn_bench b;
    open_lab(&l, tiny, 2);
    run_bench(&b, &l);
    double best = 0, best_own = 0;
    for (int i = 0; i < SN_BENCH_RATES; i++) {
        assert_true(b.rates[i].gflops.openblas > 0 && b.rates[i].gflops.backend > 0);
        best = fmax(best, b.rates[i].gflops.openblas);
        best_own = fmax(best_own, b.rates[i].gflops.backend);
    }
    assert_true(b.core_gflops.openblas == best && b.peak_gflops == 2 * best);
    assert_true(b.core_gflops.backend == best_own && b.products_gflops == 2 * best_own);
    assert_true(b.rates[0].n == 64 && b.rates[SN_BENCH_RATES - 1].n == 1024);
    assert_int_equal(b.n_steps, 25);
    assert_int_equal(b.n_blocks, 13); /* of 2, the last of 1 */
    assert_true(b.step_min > 0 && b.step_min <= b.step_median);
    assert_true(isfinite(b.observed_step) && b.observed_step > 0 && b.derive >= 0 && b.format > 0);
    /* Four rows of 27 cells, one of 16. */
    assert_true(b.row_bytes > 100);
    /* By inputs, by weights, forward; hidden1 has no gradient by its inputs. */
    assert_true(b.flops == 16 * 2.0 * (2 * 20 * 8 + 3 * (2 * 8 * 8 + 8 * 3)));
    double regions = 0;
    for (int i = 0; i < b.n_regions; i++)
        regions += (double)b.regions[i].bytes;
    double planned = (double)sn_plan_bytes(sn_engine_plan(l.experiment.engine), 2, sizeof(float));
    assert_true(regions >= planned && regions <= planned + 64.0 * b.n_regions);
    sn_bench_reset(&b);
    close_lab(&l);
}

static void json_says_the_same(void **state) {
    (void)state;
    lab l;
    sn_bench b;
    sn_text text = SN_TEXT_EMPTY;
    sn_config *json = NULL;
    open_lab(&l, tiny, 1);
    run_bench(&b, &l);
    sn_bench_json(&b, &text);
    if (sn_config_parse_free(&json, text.data, text.length, "bench", &error)) fail_msg("%s", error.text);
    const sn_value *root = sn_config_root(json);
    assert_true(sn_value_number(root, "step.min_s") == b.step_min);
    assert_true(sn_value_number(root, "step.flops") == b.flops);
    assert_true(sn_value_number(root, "peak.gflops") == b.peak_gflops);
    assert_true(sn_value_number(root, "products.gflops") == b.products_gflops);
    double limit = sn_value_number(root, "products.limit_gflops"), rate = sn_value_number(root, "step.gflops");
    assert_true(limit == fmax(b.peak_gflops, b.products_gflops));
    assert_true(sn_value_number(root, "step.peak_share") == rate / b.peak_gflops);
    assert_true(sn_value_number(root, "step.limit_share") == rate / limit);
    bool has_own = l.experiment.backend->has_fma;
    assert_string_equal(sn_value_text(root, "products.kernel"), has_own ? "own kernel" : "OpenBLAS");
    assert_true(sn_value_number(root, "observed.format_s") == b.format);
    assert_true(sn_value_number(root, "memory_bytes.regions.scratch") > 0);
    assert_int_equal(sn_value_count(sn_value_get(root, "peak.products")), SN_BENCH_RATES);
    assert_int_equal(sn_value_count(sn_value_get(root, "products.products")), SN_BENCH_RATES);
    assert_int_equal(sn_value_count(sn_value_get(root, "ops_thread_s")), b.n_ops);
    assert_string_equal(sn_value_text(root, "network.precision"), "float32");
    double sum = 0;
    for (const sn_value *v = sn_value_first(sn_value_get(root, "segments_thread_s")); v; v = sn_value_next(v))
        sum += sn_value_number(v, "");
    assert_true(fabs(sum - sn_value_number(root, "step.profiled_s")) <= 1e-9 * sum);
    sn_config_free(json);
    sn_text_free(&text);
    sn_bench_reset(&b);
    close_lab(&l);
}

/* A profile is only watched: the weights are the same bits. */
static void a_profile_changes_no_bits(void **state) {
    (void)state;
    uint64_t hashes[3];
    for (int run = 0; run < 3; run++) {
        lab l;
        sn_profile profile;
        open_lab(&l, tiny, 2);
        assert_int_equal(sn_profile_new(&profile, l.experiment.engine, &error), SN_OK);
        if (run == 1) sn_engine_set_profile(l.experiment.engine, &profile);
        for (uint64_t i = 0; i < 12 && run < 2; i++) {
            sn_step step = {.batch = {.dataset = &l.experiment.data, .samples = &l.experiment.data.train},
                            .lr = 0.1,
                            .applies = true};
            sn_step_result result;
            step.batch.indices = sn_order_batch(&l.experiment.order, i, &step.batch.rows);
            assert_int_equal(sn_engine_step(l.experiment.engine, &step, &result), SN_OK);
        }
        if (run < 2) assert_true((run == 1) == (sn_profile_walk(&profile, 1) > 0));
        hashes[run] = sn_engine_weights_hash(l.experiment.engine);
        sn_profile_reset(&profile);
        close_lab(&l);
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

static void a_step_that_diverges_is_told(void **state) {
    (void)state;
    lab l;
    sn_bench b;
    open_lab(&l, tiny, 1);
    for (size_t i = 0; i < 2; i++) {
        double huge[160];
        for (size_t j = 0; j < 160; j++)
            huge[j] = 1e38;
        sn_engine_set_tensor(l.experiment.engine, i, huge);
    }
    sn_bench_options options = {.steps = 20};
    assert_int_equal(sn_bench_run(&b, &l.experiment, &options, &error), SN_DIVERGED);
    assert_non_null(strstr(error.text, "diverged: the activation (output) of hidden1 is not finite"));
    sn_bench_reset(&b);
    close_lab(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_add_up),
        cmocka_unit_test(figures_agree_with_each_other),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(a_profile_changes_no_bits),
        cmocka_unit_test(a_step_that_diverges_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
