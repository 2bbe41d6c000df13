/* Owns the networks under test. */
#include "support/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/backend.h"
#include "network/families.h"
#include "ops/objective.h"
#include "ops/table.h"
#include "support/check.h"

static const sn_key network_keys[] = {
    {.name = "network",
     .types = SN_KIND,
     .fallback = "\"" SN_DEFAULT_FAMILY "\"",
     .choice = &sn_network_choice,
     .help = "the network"},
    {0},
};
static const sn_schema network_schema = {.title = "test", .keys = network_keys};

static const sn_key loss_keys[] = {
    {.name = "loss", .types = SN_KIND, .flags = SN_REQUIRED, .choice = &sn_loss_choice, .help = "the loss"},
    {0},
};
static const sn_schema loss_schema = {.title = "test", .keys = loss_keys};

static sn_status build(sn_config **config, sn_graph *graph, const char *network, const sn_dataset *data,
                       const sn_op *const *ops, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "{\"network\": %s}", network);
    assert_false(text.failed);
    sn_error_clear(error);
    *graph = (sn_graph){0};
    sn_status status =
        sn_config_parse(config, &network_schema, sn_text_string(&text), text.length, "test.json", "", error);
    sn_text_free(&text);
    if (status) return status;
    sn_graph_request request = {.config = *config,
                                .network = sn_value_get(sn_config_root(*config), "network"),
                                .input = data->shape.rank ? data->shape : sn_shape_vector((int64_t)data->in_dim),
                                .ops = ops,
                                .out_dim = data->out_dim};
    return sn_graph_build(graph, &request, error);
}

sn_status net_build(sn_config **config, sn_graph *graph, const char *network, const sn_dataset *data, sn_error *error) {
    return build(config, graph, network, data, sn_ops, error);
}

test_graph graph_open(const char *network) {
    static const sn_dataset dimensions = {.in_dim = 6, .out_dim = 3};
    static sn_error error;
    test_graph g = {NULL, {0}};
    if (net_build(&g.config, &g.graph, network, &dimensions, &error)) fail_msg("%s\n%s", error.text, network);
    return g;
}

void graph_close(test_graph *graph) {
    sn_graph_reset(&graph->graph);
    sn_config_free(graph->config);
}

test_loss loss_open(const char *loss, const sn_dataset *data) {
    static sn_error error;
    test_loss made = {0};
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "{\"loss\": %s}", loss);
    sn_error_clear(&error);
    sn_status status =
        sn_config_parse(&made.config, &loss_schema, sn_text_string(&text), text.length, "test.json", "", &error);
    sn_text_free(&text);
    if (status) fail_msg("%s\n%s", error.text, loss);
    sn_loss_request request = {.config = made.config,
                               .loss = sn_value_get(sn_config_root(made.config), "loss"),
                               .data = data,
                               .pool = &made.pool};
    if (sn_objective_build(&made.objective, &request, &error)) fail_msg("%s\n%s", error.text, loss);
    return made;
}

void loss_close(test_loss *loss) {
    sn_pool_free(&loss->pool);
    sn_config_free(loss->config);
}

static void succeed(sn_status status, const sn_error *error, const char *network) {
    if (status) fail_msg("%s\n%s", error->text, network);
}

void net_open(test_net *net, const char *network, const sn_dataset *data, sn_dtype dtype,
              const sn_engine_options *options) {
    static sn_error error;
    test_tables tables = {.ops = sn_ops};
    succeed(sn_backend_select(&tables.backend, dtype, &error), &error, network);
    net_open_with(net, network, data, &tables, options);
}

void net_open_with(test_net *net, const char *network, const sn_dataset *data, const test_tables *tables,
                   const sn_engine_options *options) {
    static sn_error error;
    *net = (test_net){.data = data, .backend = tables->backend};
    succeed(build(&net->config, &net->graph, network, data, tables->ops, &error), &error, network);
    sn_engine_options own = options ? *options : (sn_engine_options){.keeps_gradients = true};
    if (own.batch == 0) own.batch = data->train.n;
    if (own.threads == 0) own.threads = 1;
    if (!own.objective.loss)
        own.objective.loss = sn_loss_find(data->is_classes ? "softmax_cross_entropy" : "mean_squared_error");
    succeed(sn_engine_new(&net->engine, &net->graph, net->backend, &own, &error), &error, network);
    net->options = own;
    net->batch = own.batch;
    net->indices = malloc(data->train.n * sizeof *net->indices);
    assert_non_null(net->indices);
    for (size_t i = 0; i < data->train.n; i++)
        net->indices[i] = (uint32_t)i;
}

void net_close(test_net *net) {
    sn_engine_free(net->engine);
    sn_graph_reset(&net->graph);
    sn_config_free(net->config);
    free(net->indices);
    *net = (test_net){0};
}

sn_probe *net_probe(const test_net *net) {
    static sn_error error;
    sn_probe *probe;
    sn_probe_options options = {net->batch, net->options.objective, net->options.seed};
    if (sn_probe_new(&probe, &net->graph, net->backend, &options, &error)) fail_msg("%s", error.text);
    assert_int_equal(sn_probe_take_weights(probe, net->engine, &error), SN_OK);
    return probe;
}

sn_step_result net_run(const test_net *net, sn_probe *probe, size_t begin, size_t rows) {
    sn_step_result result;
    sn_batch batch = {net->data, &net->data->train, net->indices + begin, rows};
    char text[SN_FAULT_TEXT];
    if (sn_probe_run(probe, &batch, net->number, &result))
        fail_msg("not finite: %s", sn_fault_text(&result.fault, &net->graph, text));
    return result;
}

double *net_signal(const sn_probe *probe, int node) {
    double *values = malloc(sn_probe_size(probe, node) * sizeof *values);
    assert_non_null(values);
    sn_probe_value(probe, node, values);
    return values;
}

size_t net_count(const test_net *net, size_t i) {
    sn_tensor tensor;
    sn_engine_tensor(net->engine, i, &tensor);
    size_t count = 1;
    for (int d = 0; d < tensor.rank; d++)
        count *= (size_t)tensor.shape[d];
    return count;
}

double *net_doubles(const test_net *net, const void *data, size_t count) {
    double *values = malloc((count ? count : 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        bool is_float = net->backend->dtype == SN_F32;
        values[i] = is_float ? (double)((const float *)data)[i] : ((const double *)data)[i];
    }
    return values;
}

double *net_values(const test_net *net, size_t i) {
    sn_tensor tensor;
    sn_engine_tensor(net->engine, i, &tensor);
    return net_doubles(net, tensor.data, net_count(net, i));
}

double *net_gradient(const test_net *net, size_t i) {
    return net_doubles(net, sn_engine_gradient(net->engine, i), net_count(net, i));
}

size_t net_find(const test_net *net, const char *name) {
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(net->engine, i, &tensor);
        if (strcmp(tensor.name, name) == 0) return i;
    }
    fail_msg("no tensor %s", name);
    return 0;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

void net_randomize(test_net *net, uint64_t seed) {
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(net->engine, i, &tensor);
        double *values = net_values(net, i), std = tensor.rank > 1 ? 1.3 / sqrt((double)tensor.shape[1]) : 0.3;
        sn_rng rng = sn_rng_stream(seed, "test", tensor.name, 0);
        bool is_gain = tensor.rank == 1 && ends_with(tensor.name, ".weight");
        for (size_t k = 0; k < net_count(net, i); k++) {
            values[k] = is_gain ? 0.8 + 0.4 * sn_rng_uniform(rng, k) : std * sn_rng_normal(rng, k);
        }
        sn_engine_set_tensor(net->engine, i, values);
        free(values);
    }
}

void net_copy_weights(test_net *to, const test_net *from) {
    assert_int_equal(sn_engine_tensor_count(to->engine), sn_engine_tensor_count(from->engine));
    for (size_t i = 0; i < sn_engine_tensor_count(to->engine); i++) {
        double *values = net_values(from, i);
        assert_int_equal(net_count(to, i), net_count(from, i));
        sn_engine_set_tensor(to->engine, i, values);
        free(values);
    }
}

static sn_step_result run_step(test_net *net, const sn_step *step) {
    sn_step_result result;
    sn_status status = sn_engine_step(net->engine, step, &result);
    char text[SN_FAULT_TEXT];
    if (status) fail_msg("not finite: %s", sn_fault_text(&result.fault, &net->graph, text));
    return result;
}

sn_step_result net_step_at(test_net *net, size_t begin, size_t rows, double lr, sn_observation *observation) {
    assert_true(rows <= net->batch && begin + rows <= net->data->train.n);
    return run_step(net, &(sn_step){.batch = {net->data, &net->data->train, net->indices + begin, rows},
                                    .number = net->number++,
                                    .lr = lr,
                                    .applies = true,
                                    .observation = observation});
}

sn_step_result net_step(test_net *net, double lr, sn_observation *observation) {
    return net_step_at(net, 0, net->batch, lr, observation);
}

sn_step_result net_measure(test_net *net, sn_observation *observation) {
    return run_step(net, &(sn_step){.batch = {net->data, &net->data->train, net->indices, net->batch},
                                    .number = net->number,
                                    .observation = observation});
}

double net_loss(test_net *net) {
    sn_step_result result;
    sn_engine_evaluate(net->engine, net->data, &net->data->train, net->data->train.n, &result);
    return result.loss;
}

/* The loss where value k of a tensor is moved by `shift`. */
static double loss_at(test_net *net, size_t tensor, double *values, size_t k, double shift) {
    double kept = values[k];
    values[k] = kept + shift;
    sn_engine_set_tensor(net->engine, tensor, values);
    values[k] = kept;
    return net_measure(net, NULL).loss;
}

void net_differences(test_net *net, size_t i, double h, double *gradient) {
    double *values = net_values(net, i);
    for (size_t k = 0; k < net_count(net, i); k++) {
        double near = loss_at(net, i, values, k, h) - loss_at(net, i, values, k, -h);
        double far = loss_at(net, i, values, k, 2 * h) - loss_at(net, i, values, k, -2 * h);
        gradient[k] = (8 * near - far) / (12 * h);
    }
    sn_engine_set_tensor(net->engine, i, values);
    free(values);
}

double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

double norm_of(const double *x, size_t n) {
    return sqrt(dot(x, x, n));
}

double distance_of(const double *a, const double *b, size_t n) {
    double sum = 0, x = norm_of(a, n), y = norm_of(b, n), larger = x > y ? x : y;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum == 0 ? 0 : sqrt(sum) / larger;
}

static bool is_one_of(const sn_node *node, const char *const *names) {
    while (*names && strcmp(node->op->kind.name, *names) != 0)
        names++;
    return *names;
}

/* Whether a shift that is equal at all positions is that behind the node, too: what sees beyond an edge does not leave
 * it so. */
static bool keeps_positions(const sn_node *node) {
    static const char *const other[] = {"conv_transpose2d", NULL}, *const padded[] = {"conv2d", "avg_pool", NULL};
    if (!is_one_of(node, padded)) return !is_one_of(node, other);
    const sn_value *padding = sn_value_get(node->config, "padding");
    if (!padding) return sn_value_integer(node->config, "kernel") < 3;
    return sn_value_integer(padding, "") == 0;
}

/* A shift of all samples by the same stays one in a linear map of them, and in a maximum; a norm that takes its mean
 * over all of them removes it, if its positions have one mean only where all are shifted equally. */
static bool loses_shift(const sn_graph *graph, int i, bool is_equal) {
    static const char *const linear[] = {
        "linear",  "add",      "concat",          "scale",     "identity",         "conv2d", "avg_pool",
        "flatten", "upsample", "global_avg_pool", "subsample", "conv_transpose2d", NULL};
    static const char *const greatest[] = {"max_pool", NULL}, *const batch[] = {"batch_norm", NULL};
    static const char *const group[] = {"group_norm", NULL};
    for (int k = 0; k < graph->nodes[i].n_readers; k++) {
        const sn_node *node = &graph->nodes[graph->nodes[i].readers[k]];
        bool is_even = is_equal || node->positions == 1, goes_on = is_one_of(node, linear);
        if (is_one_of(node, greatest)) goes_on = is_equal;
        bool is_lost = is_one_of(node, batch) && is_even;
        if (is_one_of(node, group))
            is_lost = is_equal && (size_t)sn_value_integer(node->config, "groups") == node->width;
        if (goes_on) is_lost = loses_shift(graph, graph->nodes[i].readers[k], is_even && keeps_positions(node));
        if (!is_lost) return false;
    }
    return graph->nodes[i].n_readers > 0;
}

bool net_is_cancelled(const test_net *net, size_t i) {
    const sn_plan_param *param = &sn_engine_plan(net->engine)->params[i];
    return param->index == 1 && loses_shift(&net->graph, param->node, true);
}

double net_gradient_distance(const test_net *a, const test_net *b) {
    double worst = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(a->engine); i++) {
        double *x = net_gradient(a, i), *y = net_gradient(b, i);
        double distance = distance_of(x, y, net_count(a, i));
        if (net_is_cancelled(a, i)) {
            double *weights = net_gradient(a, i - 1), scale = norm_of(weights, net_count(a, i - 1));
            distance = (norm_of(x, net_count(a, i)) + norm_of(y, net_count(a, i))) / scale;
            free(weights);
        }
        free(x);
        free(y);
        if (isnan(distance)) return distance;
        if (distance > worst) worst = distance;
    }
    return worst;
}
