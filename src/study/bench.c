/* Owns the measurements.  Plain, observed and profiled steps alternate in short blocks, so that a neighbour who takes
 * the processor for a while disturbs all of them alike; minima over blocks are what the machine can do. */
#include "study/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ops/table.h"
#include "report/metrics.h"

const char sn_bench_standard[] =
    "{\"name\": \"standard\",\n"
    " \"data\": {\"kind\": \"gaussian\", \"in_dim\": 784, \"classes\": 10, \"samples\": 1024},\n"
    " \"network\": {\"depth\": 51, \"width\": 64, \"activation\": \"tanh\", \"skip\": \"add\"},\n"
    " \"train\": {\"lr\": 0.01, \"batch_size\": 128}}\n";

enum {
    MIN_BLOCKS = 5,
    MAX_BLOCKS = 1000,
    STEP_BLOCKS = 10, /* where the number of steps is given */
    WARM_UP = 3,      /* steps, twice */
    EVERY = 4         /* so many plain blocks to one observed and one profiled */
};
static const double BLOCK_SECONDS = 0.01, DEFAULT_SECONDS = 2;

typedef struct runner {
    sn_bench *bench;
    sn_experiment *x;
    sn_error *error;
    sn_observation observation;
    sn_profile profile;
    sn_records records;
    sn_text rows;
    double lr, seconds;
    bool steps_only;
    int64_t step, n_steps; /* n_steps: plain ones to measure, 0: by time */
    double *blocks;        /* seconds of a plain step, by block */
    double profiled_seconds;
    int64_t n_profiled;
} runner;

/* The next full batch: a short last one of an epoch is less work. */
static void take_batch(runner *r, sn_step *step) {
    do
        sn_experiment_set_batch(r->x, (uint64_t)r->step++, step);
    while (step->batch.rows < r->x->batch_size);
}

static sn_status one_step(runner *r, sn_observation *observation) {
    sn_step step = {.lr = r->lr, .applies = true, .observation = observation};
    sn_step_result result;
    take_batch(r, &step);
    if (sn_engine_step(r->x->engine, &step, &result) == SN_OK) return SN_OK;
    char text[SN_FAULT_TEXT];
    return sn_error_set(r->error, SN_DIVERGED, "diverged: %s is not finite (take a smaller train.lr)",
                        sn_fault_text(&result.fault, &r->x->graph, text));
}

/* `n` steps; their mean time. */
static sn_status run_block(runner *r, int64_t n, sn_observation *observation, double *seconds) {
    sn_status status = SN_OK;
    double start = sn_clock_seconds();
    for (int64_t i = 0; i < n && !status; i++)
        status = one_step(r, observation);
    *seconds = (sn_clock_seconds() - start) / (double)n;
    return status;
}

/* Deriving and formatting the rows of the last observed step, as the trainer does. */
static void time_rows(runner *r) {
    sn_bench *b = r->bench;
    int digits = r->x->backend->dtype == SN_F64 ? 17 : 9;
    double start = sn_clock_seconds();
    sn_records_derive(&r->records, &r->x->graph, &r->observation, r->step, r->lr, true);
    double derived = sn_clock_seconds();
    sn_text_clear(&r->rows);
    sn_csv_row(&r->rows, sn_loss_sheet.columns, &r->records.loss, digits);
    sn_gradients_csv_rows(&r->rows, &r->records, digits);
    sn_exponents_csv_rows(&r->rows, &r->records);
    double formatted = sn_clock_seconds();
    b->derive = fmin(b->derive, derived - start);
    b->format = fmin(b->format, formatted - derived);
    b->row_bytes = r->rows.length;
}

static sn_status run_observed(runner *r) {
    double seconds = 0;
    sn_status status = run_block(r, r->bench->block_steps, &r->observation, &seconds);
    if (status) return status;
    r->bench->observed_step = fmin(r->bench->observed_step, seconds);
    time_rows(r);
    return SN_OK;
}

static sn_status run_profiled(runner *r) {
    double seconds = 0;
    int64_t n = r->bench->block_steps;
    sn_engine_set_profile(r->x->engine, &r->profile);
    sn_status status = run_block(r, n, NULL, &seconds);
    sn_engine_set_profile(r->x->engine, NULL);
    r->profiled_seconds += seconds * (double)n;
    r->n_profiled += n;
    return status;
}

/* Warm-up, and how many steps a block has: enough to be long beside the clock, few enough to have many blocks. */
static sn_status set_block(runner *r) {
    double seconds = 0;
    sn_status status = run_block(r, WARM_UP, NULL, &seconds);
    if (!status) status = run_block(r, WARM_UP, NULL, &seconds);
    int64_t n = r->n_steps ? r->n_steps / STEP_BLOCKS : (int64_t)ceil(BLOCK_SECONDS / seconds);
    r->bench->block_steps = n > 1 ? n : 1;
    return status;
}

static bool is_enough(const runner *r, double start) {
    int64_t n = r->bench->n_blocks;
    if (n == MAX_BLOCKS) return true;
    if (r->n_steps) return r->bench->n_steps == r->n_steps;
    return n >= MIN_BLOCKS && sn_clock_seconds() - start >= r->seconds;
}

static sn_status run_blocks(runner *r) {
    sn_bench *b = r->bench;
    b->observed_step = b->derive = b->format = (double)INFINITY;
    sn_status status = set_block(r);
    for (double start = sn_clock_seconds(); !status && !is_enough(r, start); b->n_blocks++) {
        int64_t n = b->block_steps, left = r->n_steps - b->n_steps;
        if (r->n_steps && left < n) n = left;
        status = run_block(r, n, NULL, &r->blocks[b->n_blocks]);
        b->n_steps += n;
        if (!status && b->n_blocks % EVERY == 0) status = run_observed(r);
        if (!status && b->n_blocks % EVERY == EVERY / 2 && !r->steps_only) status = run_profiled(r);
    }
    if (!status && r->n_profiled == 0 && !r->steps_only) status = run_profiled(r);
    return status;
}

/* Called before and after the steps; the best counts. */
static sn_status measure_peak(runner *r) {
    bool by_openblas = sn_uses_openblas(r->x->options.products, r->x->backend);
    static const size_t sizes[SN_BENCH_RATES] = {64, 128, 256, 512, 1024};
    sn_bench *b = r->bench;
    sn_product_rates *core = &b->core_gflops;
    for (int i = 0; i < SN_BENCH_RATES; i++) {
        sn_product_rates rates, *best = &b->rates[i].gflops;
        sn_status status = sn_backend_rates(&rates, r->x->backend, by_openblas, sizes[i], 0.025 * r->seconds, r->error);
        if (status) return status;
        b->rates[i].n = sizes[i];
        best->openblas = fmax(best->openblas, rates.openblas);
        best->backend = fmax(best->backend, rates.backend);
        core->openblas = fmax(core->openblas, rates.openblas);
        core->backend = fmax(core->backend, rates.backend);
    }
    b->peak_gflops = core->openblas * r->x->options.threads;
    b->products_gflops = core->backend * r->x->options.threads;
    return SN_OK;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void set_step(runner *r) {
    sn_bench *b = r->bench;
    size_t n = (size_t)b->n_blocks;
    qsort(r->blocks, n, sizeof *r->blocks, by_value);
    b->step_min = r->blocks[0];
    b->step_median = (r->blocks[(n - 1) / 2] + r->blocks[n / 2]) / 2;
    b->flops = r->x->graph.step_flops * (double)r->x->batch_size;
}

static sn_bench_op *op_of(sn_bench *bench, const char *name) {
    int i = 0;
    while (i < bench->n_ops && strcmp(bench->ops[i].name, name) != 0)
        i++;
    if (i == bench->n_ops) bench->ops[bench->n_ops++] = (sn_bench_op){.name = name};
    return &bench->ops[i];
}

static double per_step(const runner *r, uint64_t nanoseconds) {
    return 1e-9 * (double)nanoseconds / (double)r->n_profiled;
}

static void add_node(runner *r, int i) {
    sn_bench *b = r->bench;
    const sn_plan *plan = sn_engine_plan(r->x->engine);
    const sn_node *node = &r->x->graph.nodes[i];
    sn_bench_op *op = op_of(b, node->op->kind.name);
    double forward = per_step(r, sn_profile_walk(&r->profile, i));
    double backward = per_step(r, sn_profile_walk(&r->profile, sn_time_backward(plan, i)));
    op->forward += forward;
    op->backward += backward;
    b->segments.forward += forward;
    b->segments.backward += backward;
    for (int p = plan->first_param[i]; p < plan->first_param[i] + node->n_params; p++) {
        double gradient = per_step(r, sn_profile_gradient(&r->profile, p));
        double update = per_step(r, sn_profile_update(&r->profile, p));
        op->param_gradient += gradient;
        op->update += update;
        b->segments.work += gradient + update;
    }
}

/* The last node's backward has the time 2n - (n - 1), so that of the loss, n, is its own. */
static void set_profile(runner *r) {
    sn_bench *b = r->bench;
    const sn_plan *plan = sn_engine_plan(r->x->engine);
    sn_bench_segments *s = &b->segments;
    for (int i = 1; i < r->x->graph.n_nodes; i++)
        add_node(r, i);
    double input = per_step(r, sn_profile_walk(&r->profile, 0));
    op_of(b, "input")->forward = input;
    s->forward += input;
    s->loss = per_step(r, sn_profile_walk(&r->profile, sn_time_loss(plan)));
    op_of(b, r->x->options.objective.loss->kind.name)->forward = s->loss;
    b->profiled_step = r->profiled_seconds / (double)r->n_profiled;
    double all = b->profiled_step * r->x->options.threads;
    s->waiting = fmax(0, all - s->forward - s->loss - s->backward - s->work);
}

static sn_status prepare(runner *r, const sn_bench_options *options) {
    sn_bench *b = r->bench;
    size_t n_ops = 2;
    for (const sn_op *const *op = sn_ops; *op; op++)
        n_ops++;
    r->n_steps = options->steps;
    r->seconds = options->seconds > 0 ? options->seconds : options->steps ? 0.5 : DEFAULT_SECONDS;
    r->lr = options->steps_only ? 0 : r->x->lr_schedule.lr;
    r->steps_only = options->steps_only;
    b->ops = calloc(n_ops, sizeof *b->ops);
    r->blocks = calloc(MAX_BLOCKS, sizeof *r->blocks);
    if (!b->ops || !r->blocks) return sn_error_memory(r->error, MAX_BLOCKS * sizeof *r->blocks, "the benchmark");
    sn_status status = sn_observation_new(&r->observation, &r->x->graph, r->error);
    if (!status) status = sn_records_new(&r->records, &r->x->graph, r->error);
    if (!status) status = sn_profile_new(&r->profile, r->x->engine, r->error);
    return status;
}

static void set_memory(runner *r) {
    sn_bench *b = r->bench;
    b->n_regions = sn_engine_regions(r->x->engine, b->regions);
    b->resident = sn_machine_resident();
}

sn_status sn_bench_run(sn_bench *bench, sn_experiment *experiment, const sn_bench_options *options, sn_error *error) {
    *bench = (sn_bench){.experiment = experiment};
    runner r = {.bench = bench, .x = experiment, .error = error, .rows = SN_TEXT_EMPTY};
    sn_status status = prepare(&r, options);
    if (!status && !r.steps_only) status = measure_peak(&r);
    if (!status) status = run_blocks(&r);
    if (!status) set_memory(&r);
    if (!status && !r.steps_only) status = measure_peak(&r);
    if (!status) {
        set_step(&r);
        if (!r.steps_only) set_profile(&r);
        if (r.rows.failed) status = sn_error_memory(error, r.rows.length, "rows");
    }
    free(r.blocks);
    sn_text_free(&r.rows);
    sn_records_reset(&r.records);
    sn_observation_reset(&r.observation);
    sn_profile_reset(&r.profile);
    return status;
}

void sn_bench_reset(sn_bench *bench) {
    free(bench->ops);
    *bench = (sn_bench){0};
}
