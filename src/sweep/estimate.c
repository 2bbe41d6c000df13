/* Owns the estimate of time and disk, and the order of cells by their work.  See estimate.h for how they are made. */
#include "sweep/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "run/experiment.h"
#include "run/schedule.h"
#include "study/bench.h"

enum { MAX_POINTS = 500, MAX_TIMED = 16 };
static const double BENCH_SECONDS = 0.1;
static const double RUN_BYTES = 16e3;          /* config, run.json, datapackage.json */
static const double ROW_BYTES[2] = {265, 425}; /* of a row of either CSV file, about: float32, float64 */
static const double EXPONENT_BYTES = 2900;     /* of what a layer has in exponents.csv for a step, about */

/* What a point's run consists of. */
typedef struct work {
    size_t point;
    size_t data;        /* which of the data sets */
    uint64_t group;     /* over the values that are no numbers, and the data */
    double step_flops;  /* of a batch */
    double eval_flops;  /* of all evaluation passes */
    double steps, rows; /* rows: steps with statistics */
    double layers;      /* nodes with parameters: rows of gradients.csv a step */
    double weight_bytes, row_bytes;
    double layer_bytes; /* of a layer's rows */
} work;

/* A cell that was timed. */
typedef struct timing {
    uint64_t group;
    double step_flops, step, row; /* row: what a step with rows takes beyond */
} timing;

/* Data that are loaded once for all points that have them. */
typedef struct loaded {
    uint64_t hash;
    sn_config *config;
    sn_experiment experiment;
} loaded;

typedef struct estimator {
    const sn_cells *cells;
    sn_error *error;
    work *works;
    size_t n_works;
    loaded *data;
    size_t n_data;
    timing timings[MAX_TIMED];
    size_t n_timings;
} estimator;

/* ---- the points ---- */

static uint64_t hash_of_data(const sn_config *config, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    sn_value_text_compact(sn_value_get(sn_config_root(config), "data"), &text);
    uint64_t hash = sn_hash(sn_text_string(&text), text.length, 0);
    if (text.failed) sn_error_memory(error, text.length, "a config");
    sn_text_free(&text);
    return hash;
}

/* Opens a point's experiment with data that may be there already; `config` goes to the data's owner or to the caller.
 */
static sn_status open_point(estimator *e, size_t point, sn_experiment *experiment, sn_config **config, size_t *data) {
    sn_status status = sn_cells_config(e->cells, point, config, e->error);
    if (status) return status;
    uint64_t hash = hash_of_data(*config, e->error);
    for (*data = 0; *data < e->n_data && e->data[*data].hash != hash;)
        ++*data;
    if (*data == e->n_data) {
        loaded *fresh = &e->data[e->n_data];
        status = sn_cells_config(e->cells, point, &fresh->config, e->error);
        if (!status) status = sn_experiment_open(&fresh->experiment, fresh->config, 1, e->error);
        fresh->hash = hash;
        e->n_data++; /* also where it failed: its config is freed with the others */
    }
    if (!status) status = sn_experiment_open_like(experiment, *config, &e->data[*data].experiment, e->error);
    return status;
}

/* Numbers do not part groups. */
static uint64_t group_of(const sn_cells_point *point, size_t n_keys, uint64_t data) {
    uint64_t hash = data;
    for (size_t k = 0; k < n_keys; k++) {
        const char *value = strchr(point->sets[k], '=') + 1;
        char *end = NULL;
        strtod(value, &end);
        if (*end) hash = sn_hash(value, strlen(value), hash + k);
    }
    return hash;
}

static void count_rows(work *w, const sn_experiment *x) {
    const int64_t looked_at = x->steps < 1000000 ? x->steps : 1000000; /* of a longer run the start is taken for all */
    double passes = 0;
    for (int64_t step = 0; step <= looked_at; step++) {
        w->rows += sn_report_is_due(&x->report_schedule, step);
        passes += sn_report_evaluates(&x->report_schedule, step);
    }
    double share = looked_at > 0 ? (double)x->steps / (double)looked_at : 1;
    double train = fmin((double)x->settings.train_eval, (double)x->data.train.n);
    w->rows *= share;
    w->eval_flops = passes * share * (train + (double)x->data.test.n) * x->graph.forward_flops;
}

/* Of the final weights, the checkpoint that a finished run keeps (weights, and as much for each slot) and, where they
 * are saved, the initial weights. */
static double weight_bytes(const sn_experiment *x) {
    int n_copies = 2 + sn_slot_count(x->options.rule.slots) + x->settings.saves_initial;
    return (double)n_copies * (double)x->graph.n_params * (double)sn_dtype_size(x->backend->dtype);
}

static void fill_work(work *w, const sn_experiment *x) {
    w->step_flops = x->graph.step_flops * (double)x->batch_size;
    w->steps = (double)x->steps;
    w->row_bytes = ROW_BYTES[x->backend->dtype == SN_F64];
    w->layer_bytes = w->row_bytes + (x->settings.counts_exponents ? EXPONENT_BYTES : 0);
    w->weight_bytes = weight_bytes(x);
    for (int i = 1; i < x->graph.n_nodes; i++)
        w->layers += x->graph.nodes[i].n_params > 0;
    count_rows(w, x);
}

static sn_status look_at_points(estimator *e) {
    size_t n = e->cells->n_points, every = (n + MAX_POINTS - 1) / MAX_POINTS;
    sn_status status = SN_OK;
    for (size_t p = 0; p < n && !status; p += every) {
        sn_experiment experiment = {0};
        sn_config *config = NULL;
        work *w = &e->works[e->n_works];
        w->point = p;
        status = open_point(e, p, &experiment, &config, &w->data);
        if (!status) {
            w->group = group_of(&e->cells->points[p], e->cells->n_keys, e->data[w->data].hash);
            fill_work(w, &experiment);
            e->n_works++;
        }
        sn_experiment_reset(&experiment);
        sn_config_free(config);
    }
    return status;
}

/* ---- the timings ---- */

static sn_status time_point(estimator *e, const work *w) {
    sn_experiment experiment = {0};
    sn_config *config = NULL;
    size_t data = 0;
    sn_bench bench = {0};
    sn_bench_options options = {.seconds = BENCH_SECONDS, .steps_only = true};
    sn_status status = open_point(e, w->point, &experiment, &config, &data);
    if (!status) status = sn_experiment_start(&experiment, e->error);
    if (!status) status = sn_bench_run(&bench, &experiment, &options, e->error);
    if (!status) {
        double row = fmax(0, bench.observed_step - bench.step_min) + bench.derive + bench.format;
        e->timings[e->n_timings++] = (timing){w->group, w->step_flops, bench.step_median, row};
    }
    sn_bench_reset(&bench);
    sn_experiment_reset(&experiment);
    sn_config_free(config);
    return status;
}

/* The works of a group with the fewest and the most FLOPs a step. */
static void find_ends(const estimator *e, uint64_t group, const work *ends[2]) {
    ends[0] = ends[1] = NULL;
    for (size_t i = 0; i < e->n_works; i++) {
        const work *w = &e->works[i];
        if (w->group != group) continue;
        if (!ends[0] || w->step_flops < ends[0]->step_flops) ends[0] = w;
        if (!ends[1] || w->step_flops > ends[1]->step_flops) ends[1] = w;
    }
}

static bool is_first_of_group(const estimator *e, size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (e->works[j].group == e->works[i].group) return false;
    }
    return true;
}

/* A cell whose values overflow at once cannot be timed; others speak for it. */
static sn_status time_groups(estimator *e) {
    sn_status status = SN_OK;
    size_t n_tried = 0;
    for (size_t i = 0; i < e->n_works && n_tried + 1 < MAX_TIMED; i++) {
        const work *ends[2];
        if (!is_first_of_group(e, i)) continue;
        find_ends(e, e->works[i].group, ends);
        int n = ends[1]->step_flops > ends[0]->step_flops ? 2 : 1;
        for (int k = 0; k < n; k++, n_tried++) {
            status = time_point(e, ends[k]);
            if (status && status != SN_DIVERGED) return status;
        }
    }
    if (e->n_timings == 0) return status;
    sn_error_clear(e->error);
    return SN_OK;
}

/* ---- the sum ---- */

/* Seconds of a step and of a row: on the line between the group's ends, else in proportion to FLOPs. */
static void predict(const estimator *e, const work *w, timing *out) {
    const timing *ends[2] = {NULL, NULL};
    timing sum = {0};
    for (size_t i = 0; i < e->n_timings; i++) {
        const timing *t = &e->timings[i];
        if (t->group == w->group) ends[ends[0] != NULL] = t;
        sum.step_flops += t->step_flops;
        sum.step += t->step;
        sum.row += t->row;
    }
    *out = ends[0] ? *ends[0] : sum;
    double factor = out->step_flops > 0 ? w->step_flops / out->step_flops : 1;
    if (ends[1]) {
        double span = ends[1]->step_flops - ends[0]->step_flops, at = (w->step_flops - ends[0]->step_flops) / span;
        out->step += at * (ends[1]->step - ends[0]->step);
        out->row += at * (ends[1]->row - ends[0]->row);
    } else {
        out->step *= factor;
        out->row *= factor;
    }
}

static void sum_up(const estimator *e, sn_estimate *estimate) {
    double weight = (double)sn_cells_count(e->cells) / (double)e->n_works;
    for (size_t i = 0; i < e->n_works; i++) {
        const work *w = &e->works[i];
        timing t;
        predict(e, w, &t);
        double evaluation = w->step_flops > 0 ? t.step * w->eval_flops / w->step_flops : 0;
        double seconds = e->data[w->data].experiment.load_seconds + w->steps * t.step + w->rows * t.row + evaluation;
        estimate->core_seconds += weight * seconds;
        estimate->longest = fmax(estimate->longest, seconds);
        estimate->bytes +=
            weight * (RUN_BYTES + w->weight_bytes + w->rows * (w->row_bytes + w->layers * w->layer_bytes));
    }
    estimate->n_timed = e->n_timings;
    estimate->n_looked_at = e->n_works;
}

/* ---- both ---- */

static sn_status begin(estimator *e, const sn_cells *cells, sn_error *error) {
    size_t most = cells->n_points < MAX_POINTS ? cells->n_points : MAX_POINTS;
    *e = (estimator){.cells = cells, .error = error};
    e->works = calloc(most + 1, sizeof *e->works);
    e->data = calloc(most + 1, sizeof *e->data);
    if (!e->works || !e->data) return sn_error_memory(error, most * sizeof *e->data, "the estimate");
    return look_at_points(e);
}

static void end(estimator *e) {
    for (size_t i = 0; i < e->n_data; i++) {
        sn_experiment_reset(&e->data[i].experiment);
        sn_config_free(e->data[i].config);
    }
    free(e->works);
    free(e->data);
}

sn_status sn_cells_estimate(const sn_cells *cells, sn_estimate *estimate, sn_error *error) {
    *estimate = (sn_estimate){0};
    estimator e;
    sn_status status = begin(&e, cells, error);
    if (!status) status = time_groups(&e);
    if (!status) sum_up(&e, estimate);
    end(&e);
    return status;
}

/* Descending; of equal work in the order that they have. */
static int compare_work(const void *a, const void *b) {
    const work *first = a, *second = b;
    double left = first->step_flops * first->steps + first->eval_flops;
    double right = second->step_flops * second->steps + second->eval_flops;
    if (left != right) return left < right ? 1 : -1;
    return first->point < second->point ? -1 : first->point > second->point;
}

void sn_cells_longest_first(sn_cells *cells) {
    sn_error ignored;
    estimator e;
    if (cells->n_points > MAX_POINTS) return;
    sn_error_clear(&ignored);
    size_t *order = sn_pool_alloc(&cells->pool, cells->n_points * sizeof *order);
    if (order && begin(&e, cells, &ignored) == SN_OK && e.works) {
        qsort(e.works, e.n_works, sizeof *e.works, compare_work);
        for (size_t i = 0; i < e.n_works; i++)
            order[i] = e.works[i].point;
        cells->order = order;
    }
    if (order) end(&e);
}
