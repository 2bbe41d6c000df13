/* Owns the op of the tests that looks at images. */
#include "support/image_op.h"

#include <string.h>

#include "engine/backend.h"
#include "ops/table.h"
#include "support/check.h"
#include "support/toy.h"

enum { TAPS = 3, MOST_OPS = 100 };
enum { WEIGHT, BIAS, DAMPING, N_PARAMS };

/* The node's attributes: positions of its input. */
static size_t in_positions(const sn_node *node) {
    return *(const size_t *)node->attributes;
}

static bool pools(const sn_node *node) {
    return node->n_params == 0;
}

static sn_status image_build(sn_node *node, const sn_node *nodes, sn_pool *pool, sn_error *error) {
    (void)error;
    const sn_node *input = &nodes[node->inputs[0]];
    size_t *positions = sn_pool_alloc(pool, sizeof *positions);
    assert_non_null(positions);
    *positions = input->positions;
    node->attributes = positions;
    if (sn_value_number(node->config, "alpha") == 2) {
        sn_shape vector = sn_shape_vector(sn_shape_features(&input->shape));
        sn_node_set_shape(node, &vector);
        return SN_OK;
    }
    sn_param *weight = sn_node_add_param(node, "weight", TAPS, input->width, NULL);
    weight->kind = SN_PARAM_WEIGHT;
    weight->copy_size = weight->count;
    weight->derives_whole = true;
    sn_node_add_param(node, "bias", 0, input->width, NULL)->kind = SN_PARAM_BIAS;
    sn_node_add_param(node, "damping", 0, input->width, NULL);
    for (int p = 0; p < N_PARAMS; p++)
        node->params[p].in_parts = true;
    sn_node_set_shape(node, &input->shape);
    return SN_OK;
}

static double *row_of(sn_view view, size_t r) {
    return (double *)view.data + r * view.ld;
}

/* Row of position p + t - 1 of the sample whose position p is row r, in a ring of `n`. */
static double *neighbour(sn_view view, size_t n, size_t r, size_t t) {
    return row_of(view, r / n * n + (r % n + n + t - 1) % n);
}

/* to = sum_t w_t from_{p+t-1} - d from_p */
static void mix_row(const sn_op_call *call, const double *w, sn_view from, size_t r, double *to) {
    const double *d = call->params[DAMPING];
    size_t width = call->node->width;
    for (size_t c = 0; c < width; c++) {
        to[c] = -d[c] * row_of(from, r)[c];
        for (size_t t = 0; t < TAPS; t++)
            to[c] += w[t * width + c] * neighbour(from, in_positions(call->node), r, t)[c];
    }
}

/* The mean over the `n` rows of sample s. */
static void pool_sample(const sn_node *node, sn_view from, size_t s, double *to) {
    size_t n = in_positions(node);
    for (size_t c = 0; c < node->width; c++) {
        double sum = 0;
        for (size_t p = 0; p < n; p++)
            sum += row_of(from, s * n + p)[c];
        to[c] = sum / (double)n;
    }
}

/* What is linear in the input: all but the bias. */
static void apply(const sn_op_call *call, sn_view from, sn_view to) {
    for (size_t r = 0; r < call->rows; r++) {
        if (pools(call->node)) pool_sample(call->node, from, r, row_of(to, r));
        if (!pools(call->node)) mix_row(call, call->params[WEIGHT], from, r, row_of(to, r));
    }
}

static void image_forward(const sn_op_call *call) {
    apply(call, call->x[0], call->y);
    for (size_t r = 0; r < call->rows && !pools(call->node); r++) {
        const double *b = call->params[BIAS];
        for (size_t c = 0; c < call->node->width; c++)
            row_of(call->y, r)[c] += b[c];
    }
}

static void image_push(const sn_push_call *call) {
    apply(call->at, call->tx[0], call->ty);
}

/* dx: the mix of dy by the weights in reverse; the n-th part of dy. */
static void image_backward(const sn_op_call *call) {
    size_t n = in_positions(call->node), width = call->node->width;
    double own[64];
    assert_true(width <= 64);
    for (size_t r = 0; r < call->samples * n && call->flow[0] != SN_FLOW_NONE; r++) {
        if (!pools(call->node)) mix_row(call, call->copies[WEIGHT], call->dy, r, own);
        for (size_t c = 0; c < width; c++) {
            double d = pools(call->node) ? row_of(call->dy, r / n)[c] / (double)n : own[c];
            bool adds = call->flow[0] == SN_FLOW_ADD;
            row_of(call->dx[0], r)[c] = adds ? row_of(call->base[0], r)[c] + d : d;
        }
    }
}

static double gradient_at(const sn_gradient_call *call, size_t t, size_t c) {
    size_t n = call->node->positions;
    double sum = 0;
    for (size_t r = 0; r < call->samples * n; r++) {
        double dy = row_of(call->dy, r)[c];
        if (call->param == WEIGHT) sum += dy * neighbour(call->x, n, r, t)[c];
        if (call->param == BIAS) sum += dy;
        if (call->param == DAMPING) sum -= dy * row_of(call->x, r)[c];
    }
    return sum;
}

static bool image_param_gradient(const sn_gradient_call *call) {
    bool is_finite = true;
    for (size_t t = 0; t < call->rows; t++) {
        for (size_t c = 0; c < call->cols; c++) {
            double g = gradient_at(call, call->row + t, call->col + c);
            row_of(call->gradient, t)[c] = g;
            is_finite = is_finite && g - g == 0;
        }
    }
    return is_finite;
}

static void image_derive(const sn_derive_call *call) {
    double *copy = call->copy;
    assert_true(call->row == 0 && call->col == 0 && call->rows == TAPS); /* the whole tensor */
    for (size_t t = 0; t < TAPS; t++)
        memcpy(copy + t * call->cols, row_of(call->tensor, TAPS - 1 - t), call->cols * sizeof *copy);
}

static const sn_op image_op = {
    .kind = {.name = "elu"},
    .min_inputs = 1,
    .max_inputs = 1,
    .most_params = N_PARAMS,
    .role = SN_ROLE_HIDDEN,
    .reads_image = true,
    .build = image_build,
};

static const sn_op_kernels image_kernels = {
    .forward = image_forward,
    .backward = image_backward,
    .push = image_push,
    .param_gradient = image_param_gradient,
    .derive = image_derive,
};

/* The op stands first in its table, so that it is found by the name, and behind all in that of the kernels, which is
 * where sn_op_index puts an op that is in no table. */
void net_open_image(test_net *net, const char *network, const sn_dataset *data, const sn_engine_options *options) {
    static const sn_op *ops[MOST_OPS] = {&image_op};
    static const sn_op_kernels *kernels[MOST_OPS];
    static sn_backend backend;
    const sn_backend *own;
    sn_error error;
    assert_int_equal(sn_backend_select(&own, SN_F64, &error), SN_OK);
    size_t n = 0;
    for (; sn_ops[n]; n++) {
        assert_true(n + 2 < MOST_OPS);
        ops[n + 1] = sn_ops[n];
        kernels[n] = own->ops[n];
    }
    kernels[n] = &image_kernels;
    backend = *own;
    backend.ops = kernels;
    net_open_with(net, network, data, &(test_tables){ops, &backend}, options);
}

sn_dataset toy_images(size_t n, sn_shape shape, size_t out, uint64_t seed) {
    sn_dataset data = toy_classes(n, sn_shape_size(&shape), out, seed);
    data.shape = shape;
    return data;
}
