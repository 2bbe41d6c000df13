/* Owns the assembly of an experiment from a config. */
#include "run/experiment.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "engine/backend.h"
#include "engine/team.h"
#include "network/families.h"
#include "ops/objective.h"
#include "ops/table.h"
#include "run/selection.h"
#include "run/threads.h"

enum { SMALLEST_PASS = 32 }; /* rows that evaluation passes have at least, however small the batches are */
#define WEIGHTS_MAX_BYTES ((size_t)1 << 40)

static sn_status set_options(sn_experiment *x, int threads, sn_error *error) {
    const sn_settings *s = &x->settings;
    sn_status status = sn_backend_select(&x->backend, s->precision, error);
    if (status) return status;
    x->options = (sn_engine_options){
        .threads = threads,
        .seed = s->seed,
        .rule = s->rule,
        .clip_norm = s->clip_norm,
        .products = s->products,
        .counts_exponents = s->counts_exponents,
    };
    x->batch_size = s->batch_size < x->data.train.n ? s->batch_size : x->data.train.n;
    x->options.batch = x->batch_size > SMALLEST_PASS ? x->batch_size : SMALLEST_PASS;
    return SN_OK;
}

static sn_status check_optimizer(const sn_experiment *x, sn_error *error) {
    const sn_optimizer *optimizer = x->options.rule.optimizer;
    if (!optimizer->check) return SN_OK;
    return optimizer->check(x->config, sn_value_get(sn_config_root(x->config), "train.optimizer"), error);
}

static sn_status build_objective(sn_experiment *x, sn_error *error) {
    sn_loss_request request = {.config = x->config,
                               .loss = sn_value_get(sn_config_root(x->config), "train.loss"),
                               .data = &x->data,
                               .pool = &x->pool,
                               .notes = &x->notes};
    return sn_objective_build(&x->options.objective, &request, error);
}

static sn_status build_graph(sn_experiment *x, sn_error *error) {
    sn_graph_request request = {.config = x->config,
                                .network = sn_value_get(sn_config_root(x->config), "network"),
                                .ops = sn_ops,
                                .input = x->data.shape,
                                .out_dim = x->data.out_dim};
    return sn_graph_build(&x->graph, &request, error);
}

/* A single row has no spread: all that is normalized over the batch would become a constant, and nothing before it
 * learn. */
static sn_status check_batch(const sn_experiment *x, sn_error *error) {
    const sn_value *value = sn_value_get(sn_config_root(x->config), "train.batch_size");
    for (int i = 1; i < x->graph.n_nodes && x->batch_size == 1; i++) {
        const sn_node *node = &x->graph.nodes[i];
        if (node->op->forward_reduction.part_size == 0 || node->positions > 1) continue;
        if (x->data.train.n == 1) value = sn_value_get(sn_config_root(x->config), "data");
        return sn_config_fault(x->config, value, error, "%s normalizes over the batch, which needs 2 rows or more%s",
                               node->label, x->data.train.n == 1 ? " (the data have 1 training sample)" : "");
    }
    return SN_OK;
}

/* All faults that the key tables cannot see, at once. */
static sn_status check_and_build(sn_experiment *x, sn_error *error) {
    sn_status built = build_graph(x, error);
    if (!built) check_batch(x, error);
    if (!built) sn_selection_apply(&x->graph, x->config, &x->notes, error);
    build_objective(x, error);
    check_optimizer(x, error);
    sn_lr_schedule_check(x->config, x->data.is_classes, error);
    return error->status ? error->status : built;
}

static void set_length(sn_experiment *x) {
    bool by_steps = x->settings.steps >= 0;
    x->steps_per_epoch = (int64_t)sn_order_steps_per_epoch(&x->order);
    x->epochs = by_steps ? 0 : x->settings.epochs;
    x->steps = by_steps ? x->settings.steps : x->epochs * x->steps_per_epoch;
}

static sn_status set_schedules(sn_experiment *x, sn_error *error) {
    const sn_value *root = sn_config_root(x->config), *train = sn_value_get(root, "train");
    sn_report_schedule_init(&x->report_schedule, sn_value_get(root, "report"), x->steps, x->steps_per_epoch);
    sn_checkpoint_schedule_init(&x->checkpoint_schedule, train, x->steps_per_epoch);
    return sn_lr_schedule_init(&x->lr_schedule, train, x->steps, x->steps_per_epoch, error);
}

uint64_t sn_experiment_meaning(const sn_config *config, uint64_t data_checksum) {
    return sn_hash(&data_checksum, sizeof data_checksum, sn_config_hash(config));
}

/* The data enter the hashes by their checksum and a file of initial weights by its content, not by their paths. */
static sn_status set_hashes(sn_experiment *x, sn_error *error) {
    uint64_t checksum = x->data.checksum;
    x->hash = sn_experiment_meaning(x->config, checksum);
    x->hash_but_length = sn_hash(&checksum, sizeof checksum, sn_config_hash_but_length(x->config));
    const char *weights = x->settings.weights;
    if (!weights) return SN_OK;
    char *content = NULL;
    size_t size = 0;
    sn_status status = sn_file_read_regular(weights, WEIGHTS_MAX_BYTES, &content, &size, error);
    if (status) return status;
    x->hash = sn_hash(content, size, x->hash);
    x->hash_but_length = sn_hash(content, size, x->hash_but_length);
    free(content);
    return SN_OK;
}

static void begin(sn_experiment *x, const sn_config *config) {
    *x = (sn_experiment){.config = config};
    sn_settings_fill(&x->settings, config);
}

static void keep_notes_only(sn_experiment *x) {
    sn_notes notes = x->notes;
    x->notes = SN_NOTES_EMPTY;
    sn_experiment_reset(x);
    x->notes = notes;
}

/* All but the data. */
static sn_status assemble(sn_experiment *x, int threads, sn_error *error) {
    double start = sn_clock_seconds();
    sn_status status = set_options(x, threads, error);
    if (!status) status = check_and_build(x, error);
    if (!status && threads == SN_THREADS_FASTEST) {
        x->options.threads = sn_threads_fastest(&x->graph, x->batch_size, sn_team_available());
        x->chose_threads = true;
    }
    if (!status) {
        const sn_settings *s = &x->settings;
        status =
            sn_order_init(&x->order, s->seed, s->shuffles, (uint32_t)x->data.train.n, (uint32_t)x->batch_size, error);
    }
    if (!status) status = set_hashes(x, error);
    if (!status) {
        set_length(x);
        status = set_schedules(x, error);
    }
    if (status) {
        keep_notes_only(x);
        return status;
    }
    x->build_seconds = sn_clock_seconds() - start;
    return SN_OK;
}

sn_status sn_experiment_open(sn_experiment *experiment, const sn_config *config, int threads, sn_error *error) {
    begin(experiment, config);
    double start = sn_clock_seconds();
    const sn_value *data = sn_value_get(sn_config_root(config), "data");
    sn_status status = sn_dataset_load(&experiment->data, config, data, &experiment->notes, error);
    experiment->load_seconds = sn_clock_seconds() - start;
    return status ? status : assemble(experiment, threads, error);
}

void sn_experiment_note_misfits(sn_experiment *x) {
    const sn_value *network = sn_value_get(sn_config_root(x->config), "network");
    const sn_family *family = sn_family_of(network);
    if (x->settings.batch_size > x->data.train.n) {
        sn_note_always(&x->notes, "train.batch_size is %zu, the data have %zu training sample%s: every step takes all",
                       x->settings.batch_size, x->data.train.n, x->data.train.n == 1 ? "" : "s");
    }
    if (family && family->note_misfits) family->note_misfits(network, &x->notes);
}

sn_status sn_experiment_open_like(sn_experiment *experiment, const sn_config *config, const sn_experiment *like,
                                  sn_error *error) {
    begin(experiment, config);
    experiment->data = like->data;
    experiment->shares_data = true;
    return assemble(experiment, like->options.threads, error);
}

/* Parameters alone where they are too many: a plan of them takes memory too. */
static sn_status estimate(const sn_experiment *x, size_t available, size_t *bytes, sn_error *error) {
    size_t real_size = sn_dtype_size(x->backend->dtype);
    *bytes = x->graph.n_params * real_size;
    if (*bytes > available) return SN_OK;
    sn_plan plan;
    sn_plan_options options;
    sn_engine_plan_options(&options, &x->options);
    sn_status status = sn_plan_build(&plan, &x->graph, &options, error);
    if (status) return status;
    *bytes = sn_plan_bytes(&plan, x->options.threads, real_size);
    sn_plan_reset(&plan);
    return SN_OK;
}

sn_status sn_experiment_check_memory(const sn_experiment *experiment, sn_error *error) {
    const sn_experiment *x = experiment;
    size_t available = sn_memory_available(), bytes = 0;
    sn_status status = estimate(x, available, &bytes, error);
    if (status || bytes <= available) return status;
    sn_text needed = SN_TEXT_EMPTY, there = SN_TEXT_EMPTY;
    sn_memory_text(&needed, (double)bytes);
    sn_memory_text(&there, (double)available);
    sn_config_fault(x->config, sn_value_get(sn_config_root(x->config), "network"), error,
                    "%zu parameters and passes of %zu samples need at least %s of memory, %s are free here (take fewer "
                    "or narrower layers, or a smaller train.batch_size)",
                    x->graph.n_params, x->options.batch, sn_text_string(&needed), sn_text_string(&there));
    error->status = SN_FAILED; /* there is nothing wrong with the config: this machine is too small */
    sn_text_free(&needed);
    sn_text_free(&there);
    return SN_FAILED;
}

sn_status sn_experiment_start_empty(sn_experiment *experiment, sn_error *error) {
    sn_experiment *x = experiment;
    sn_status status = sn_experiment_check_memory(x, error);
    return status ? status : sn_engine_new(&x->engine, &x->graph, x->backend, &x->options, error);
}

sn_status sn_experiment_start(sn_experiment *experiment, sn_error *error) {
    sn_experiment *x = experiment;
    double start = sn_clock_seconds();
    sn_status status = sn_experiment_start_empty(x, error);
    if (!status) {
        const char *weights = x->settings.weights;
        status = weights ? sn_engine_load_weights(x->engine, weights, error)
                         : sn_engine_init_weights(x->engine, x->settings.seed, error);
    }
    x->build_seconds += sn_clock_seconds() - start;
    return status;
}

void sn_experiment_set_batch(sn_experiment *experiment, uint64_t number, sn_step *step) {
    sn_experiment *x = experiment;
    step->batch = (sn_batch){.dataset = &x->data, .samples = &x->data.train};
    step->batch.indices = sn_order_batch(&x->order, number, &step->batch.rows);
    step->augment = sn_augment_at(&x->data.augment, x->order.seed, x->order.epoch);
}

void sn_experiment_reset(sn_experiment *experiment) {
    sn_engine_free(experiment->engine);
    sn_lr_schedule_reset(&experiment->lr_schedule);
    sn_order_reset(&experiment->order);
    sn_graph_reset(&experiment->graph);
    sn_notes_reset(&experiment->notes);
    sn_pool_free(&experiment->pool);
    if (!experiment->shares_data) sn_dataset_reset(&experiment->data);
    *experiment = (sn_experiment){0};
}
