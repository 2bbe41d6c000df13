/* Owns what a loss is made ready by: the choice of the row, and the weights of classes. */
#include "ops/objective.h"

#include <math.h>
#include <string.h>

#include "ops/table.h"

enum { MOST_SHOWN = 12 }; /* classes that a message names */

/* A weight may not be so small or large that a batch's sum of them has no reciprocal. */
#define LEAST_WEIGHT 1e-100

/* ---- the loss ---- */

static const char *samples_of(unsigned kind) {
    return kind == SN_LABELS ? "class labels" : "regression targets";
}

/* "a, b or c": the losses that go with such data. */
static void add_losses(unsigned kind, sn_text *text) {
    size_t n = 0, i = 0;
    for (const sn_loss *const *loss = sn_losses; *loss; loss++)
        n += ((*loss)->accepts & kind) != 0;
    for (const sn_loss *const *loss = sn_losses; *loss; loss++) {
        if (!((*loss)->accepts & kind)) continue;
        sn_text_addf(text, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", (*loss)->kind.name);
        i++;
    }
}

static sn_status check_data(const sn_loss *loss, const sn_loss_request *request, sn_error *error) {
    unsigned kind = request->data->is_classes ? SN_LABELS : SN_TARGETS;
    if (loss->accepts & kind) return SN_OK;
    sn_text others = SN_TEXT_EMPTY;
    add_losses(kind, &others);
    sn_status status =
        sn_config_fault(request->config, request->loss, error, "%s needs %s, these data have %s (take %s)",
                        loss->kind.name, samples_of(loss->accepts), samples_of(kind), sn_text_string(&others));
    sn_text_free(&others);
    return status;
}

/* The targets of all labels, each a part of it. */
static sn_status make_one_hot(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    size_t width = request->data->out_dim, size = (2 * width - 1) * sizeof(double);
    double *values = sn_pool_alloc(request->pool, size);
    if (!values) return sn_error_memory(error, size, "targets");
    values[width - 1] = 1;
    objective->one_hot = values;
    return SN_OK;
}

sn_status sn_objective_build(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    const sn_loss *loss = sn_loss_find(sn_value_text(request->loss, "kind"));
    *objective = (sn_objective){.loss = loss};
    sn_status status = check_data(loss, request, error);
    if (!status && request->data->is_classes && (loss->accepts & SN_TARGETS))
        status = make_one_hot(objective, request, error);
    return status || !loss->build ? status : loss->build(objective, request, error);
}

double sn_objective_weight(const sn_objective *objective, const sn_samples *samples, const uint32_t *indices,
                           size_t n) {
    if (!objective->class_weights) return (double)n;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += objective->class_weights[samples->labels[indices[i]]];
    return sum;
}

/* ---- weights of classes ---- */

const char *const sn_class_weight_words[] = {"balanced", NULL};
const sn_key sn_class_weight_element = {
    .name = "class_weight", .types = SN_NUMBER, .min = 0, .max = 1 / LEAST_WEIGHT, .help = "weight of a class"};

/* Its name, or its number where it has none. */
static void add_class(const sn_dataset *data, size_t class, sn_text *text) {
    if (data->class_names) {
        sn_text_add_visible_line(text, data->class_names[class]);
    } else {
        sn_text_addf(text, "%zu", class);
    }
}

/* "setosa, versicolor, ...", each with its weight where there are some. */
static void add_classes(const sn_dataset *data, const double *weights, sn_text *text) {
    size_t n = data->out_dim < MOST_SHOWN ? data->out_dim : MOST_SHOWN;
    for (size_t c = 0; c < n; c++) {
        if (c > 0) sn_text_add(text, ", ");
        add_class(data, c, text);
        if (!weights) continue;
        sn_text_add(text, ": ");
        sn_text_add_number(text, weights[c], 6);
    }
    if (n < data->out_dim) sn_text_addf(text, " and %zu more", data->out_dim - n);
}

static sn_status refuse_count(const sn_value *given, const sn_loss_request *request, sn_error *error) {
    size_t n = sn_value_count(given), n_classes = request->data->out_dim;
    sn_text names = SN_TEXT_EMPTY;
    add_classes(request->data, NULL, &names);
    sn_status status = sn_config_fault(request->config, given, error,
                                       "%zu weight%s for %zu classes: one for each is needed, in the order %s", n,
                                       n == 1 ? "" : "s", n_classes, sn_text_string(&names));
    sn_text_free(&names);
    return status;
}

/* As given, one by one. */
static sn_status take_numbers(double *weights, const sn_value *given, const sn_loss_request *request, sn_error *error) {
    if (sn_value_count(given) != request->data->out_dim) return refuse_count(given, request, error);
    size_t c = 0;
    for (const sn_value *v = sn_value_first(given); v; v = sn_value_next(v), c++) {
        weights[c] = sn_value_number(v, "");
        if (weights[c] != 0 && weights[c] < LEAST_WEIGHT)
            return sn_config_fault(request->config, v, error, "a weight is 0 or %g and more", LEAST_WEIGHT);
    }
    return SN_OK;
}

static void count_classes(double *counts, const sn_samples *samples) {
    for (size_t i = 0; i < samples->n; i++)
        counts[samples->labels[i]]++;
}

static void tell_balanced(const double *weights, const sn_loss_request *request) {
    sn_text list = SN_TEXT_EMPTY;
    add_classes(request->data, weights, &list);
    sn_note_always(request->notes, "train.loss.class_weights: balanced comes to %s", sn_text_string(&list));
    sn_text_free(&list);
}

static sn_status refuse_absent(size_t class, const sn_value *given, const sn_loss_request *request, sn_error *error) {
    sn_text name = SN_TEXT_EMPTY;
    add_class(request->data, class, &name);
    sn_status status = sn_config_fault(request->config, given, error,
                                       "no training sample is of class %s, so balanced has no weight for it (take more "
                                       "training samples, or give a weight for each class)",
                                       sn_text_string(&name));
    sn_text_free(&name);
    return status;
}

static sn_status balance(double *weights, const sn_value *given, const sn_loss_request *request, sn_error *error) {
    const sn_dataset *data = request->data;
    count_classes(weights, &data->train);
    for (size_t c = 0; c < data->out_dim; c++) {
        if (weights[c] == 0) return refuse_absent(c, given, request, error);
        weights[c] = (double)data->train.n / ((double)data->out_dim * weights[c]);
    }
    tell_balanced(weights, request);
    return SN_OK;
}

static sn_status check_weighs(const double *weights, const sn_value *given, const sn_loss_request *request,
                              sn_error *error) {
    const sn_samples *train = &request->data->train;
    for (size_t i = 0; i < train->n; i++) {
        if (weights[train->labels[i]] > 0) return SN_OK;
    }
    return sn_config_fault(request->config, given, error,
                           "no training sample has a weight above 0, so nothing can be learned");
}

sn_status sn_class_weights(const double **weights, const sn_loss_request *request, sn_error *error) {
    const sn_value *given = sn_value_get(request->loss, "class_weights");
    *weights = NULL;
    if (!given) return SN_OK;
    size_t size = request->data->out_dim * sizeof(double);
    double *own = sn_pool_alloc(request->pool, size);
    if (!own) return sn_error_memory(error, size, "the weights of classes");
    sn_status status =
        sn_value_is_list(given) ? take_numbers(own, given, request, error) : balance(own, given, request, error);
    if (!status) status = check_weighs(own, given, request, error);
    *weights = own;
    return status;
}
