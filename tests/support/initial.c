#include "support/initial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/language.h"
#include "support/check.h"

static sn_error error;

static void read_config(initial *m, const char *path, const char *const *sets, int seed) {
    char seed_set[32];
    const char *all[INITIAL_MAX_SETS + 1];
    size_t n = 0;
    while (n < INITIAL_MAX_SETS && sets[n]) {
        all[n] = sets[n];
        n++;
    }
    snprintf(seed_set, sizeof seed_set, "seed=%d", seed);
    all[n++] = seed_set;
    sn_error_clear(&error);
    sn_config_source source = {.path = path, .sets = all, .n_sets = n};
    if (sn_config_read(&m->config, &sn_language, &source, &error)) fail_msg("%s", error.text);
}

static void measure(initial *m) {
    sn_experiment *x = &m->experiment;
    sn_step step = {.batch = {.dataset = &x->data, .samples = &x->data.train}, .observation = &m->seen};
    sn_step_result result;
    step.batch.indices = sn_order_batch(&x->order, 0, &step.batch.rows);
    assert_int_equal(sn_engine_step(x->engine, &step, &result), SN_OK);
    sn_records_derive(&m->records, &x->graph, &m->seen, 0, 0, false);
}

void initial_open(initial *m, const char *path, const char *const *sets, int seed) {
    *m = (initial){0};
    read_config(m, path, sets, seed);
    sn_experiment *x = &m->experiment;
    if (sn_experiment_open(x, m->config, 1, &error) || sn_experiment_start(x, &error) ||
        sn_observation_new(&m->seen, &x->graph, &error) || sn_records_new(&m->records, &x->graph, &error)) {
        fail_msg("%s: %s", path, error.text);
    }
    measure(m);
}

void initial_close(initial *m) {
    sn_records_reset(&m->records);
    sn_observation_reset(&m->seen);
    sn_experiment_reset(&m->experiment);
    sn_config_free(m->config);
}

const sn_layer_record *initial_layer(const initial *m, const char *label) {
    for (int i = 0; i < m->records.n_layers; i++) {
        if (strcmp(m->records.layers[i].node->label, label) == 0) return &m->records.layers[i];
    }
    fail_msg("no layer %s", label);
    return NULL;
}

const sn_layer_record *initial_hidden(const initial *m, int layer) {
    for (int i = 0; i < m->records.n_layers; i++) {
        const sn_node *node = m->records.layers[i].node;
        if (node->role == SN_ROLE_HIDDEN && node->layer == layer) return &m->records.layers[i];
    }
    fail_msg("no hidden layer %d", layer);
    return NULL;
}

spread spread_of(const double *values, int n) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    for (int i = 0; i < n; i++)
        squares += (values[i] - sum / n) * (values[i] - sum / n);
    return (spread){n, sum / n, sqrt(squares / (n - 1))};
}
