/* Owns Hessian-vector products by differences.
 *
 * With D(h) = (g(w + h v) - g(w - h v)) / 2h, D(h) = H v + c h^2 + O(h^4), so (4 D(h) - D(2h)) / 3 = H v + O(h^4). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/probe_state.h"

/* |h v|, the smaller distance: roundings, some 1e-16 of the gradient, are divided by it, the rest grows with its fourth
 * power. */
static const double DISTANCE = 1.0 / 1024;

typedef struct hessian {
    sn_probe *probe;
    const double *direction;
    size_t n;
    double *kept, *moved, *gradient; /* the weights, those of a run, and its gradient: n each */
} hessian;

static size_t tensor_size(const hessian *h, size_t i) {
    sn_tensor tensor;
    sn_engine_tensor(h->probe->engine, i, &tensor);
    return sn_tensor_count(&tensor);
}

static void read_weights(const hessian *h) {
    double *at = h->kept;
    for (size_t i = 0; i < sn_engine_tensor_count(h->probe->engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(h->probe->engine, i, &tensor);
        sn_doubles_from(at, tensor.dtype, tensor.data, sn_tensor_count(&tensor));
        at += sn_tensor_count(&tensor);
    }
}

static void set_weights(const hessian *h, const double *values) {
    for (size_t i = 0; i < sn_engine_tensor_count(h->probe->engine); i++) {
        sn_engine_set_tensor(h->probe->engine, i, values);
        values += tensor_size(h, i);
    }
}

/* sum += weight * gradient at w + shift v */
static void add_gradient(const hessian *h, double shift, double weight, double *sum) {
    sn_step_result result;
    for (size_t i = 0; i < h->n; i++)
        h->moved[i] = h->kept[i] + shift * h->direction[i];
    set_weights(h, h->moved);
    sn_batch batch = h->probe->step.batch;
    sn_probe_run(h->probe, &batch, h->probe->step.number, &result);
    double *at = h->gradient;
    for (size_t i = 0; i < sn_engine_tensor_count(h->probe->engine); i++) {
        sn_probe_weight_gradient(h->probe, i, at);
        at += tensor_size(h, i);
    }
    for (size_t i = 0; i < h->n; i++)
        sum[i] += weight * h->gradient[i];
}

static void difference(const hessian *h, double step, double *product) {
    memset(product, 0, h->n * sizeof *product);
    add_gradient(h, step, 1 / (2 * step), product);
    add_gradient(h, -step, -1 / (2 * step), product);
}

static double norm(const double *x, size_t n) {
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += x[i] * x[i];
    return sqrt(squares);
}

/* `far`, of the larger distance, becomes what was added to `product`, of the smaller one: its norm. */
static double extrapolate(double *product, double *far, size_t n) {
    for (size_t i = 0; i < n; i++) {
        far[i] = (product[i] - far[i]) / 3;
        product[i] += far[i];
    }
    return norm(far, n);
}

sn_status sn_probe_hessian_product(sn_probe *probe, const double *direction, double *product, double *deviation,
                                   sn_error *error) {
    size_t n = probe->graph.n_params;
    double length = norm(direction, n), step = DISTANCE / length;
    *deviation = 0;
    memset(product, 0, n * sizeof *product);
    if (probe->engine->backend->dtype != SN_F64) {
        return sn_error_set(error, SN_INVALID,
                            "Hessian-vector products need float64: differences of float32 gradients are noise (set "
                            "\"precision\": \"float64\")");
    }
    if (length == 0) return SN_OK;
    double *room = malloc(4 * n * sizeof *room);
    if (!room) return sn_error_memory(error, 4 * n * sizeof *room, "differences of gradients");
    hessian h = {probe, direction, n, room, room + n, room + 2 * n};
    read_weights(&h);
    difference(&h, 2 * step, room + 3 * n);
    difference(&h, step, product);
    *deviation = extrapolate(product, room + 3 * n, n);
    set_weights(&h, h.kept);
    free(room);
    return SN_OK;
}
