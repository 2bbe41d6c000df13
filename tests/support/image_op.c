/* Owns the op of the tests that looks at images. */
#include "support/image_op.h"

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
    sn_node_add_param(node, "bias", 0, input->width, NULL)->kind = SN_PARAM_BIAS;
    sn_node_add_param(node, "damping", 0, input->width, NULL);
    for (int p = 0; p < N_PARAMS; p++)
        node->params[p].in_parts = true;
    sn_node_set_shape(node, &input->shape);
    return SN_OK;
}

/* The block of position p + t - 1 of the panel whose position p is `block`, in a ring of `n`. */
static size_t neighbour(size_t n, size_t block, size_t t) {
    return block / n * n + (block % n + n + t - 1) % n;
}

/* An element of a signal: a feature of a block, in one lane. */
typedef struct place {
    size_t block, feature, lane;
} place;

/* The i-th of those that a call computes; a block is a position of a panel. */
static place place_of(const sn_op_call *call, size_t i) {
    size_t width = call->node->width;
    return (place){i / call->lanes / width, i / call->lanes % width, i % call->lanes};
}

static double *element(sn_view view, place p) {
    return (double *)view.data + p.block * view.ld + p.feature * SN_PANEL + p.lane;
}

static double at(sn_view view, place p) {
    return *element(view, p);
}

/* sum_t w_t from_{p+t-1} - d from_p; is_reversed: the taps the other way round */
static double mix(const sn_op_call *call, sn_view from, place p, bool is_reversed) {
    const double *w = call->params[WEIGHT], *d = call->params[DAMPING];
    double sum = -d[p.feature] * at(from, p);
    for (size_t t = 0; t < TAPS; t++) {
        size_t tap = is_reversed ? TAPS - 1 - t : t;
        place next = {neighbour(in_positions(call->node), p.block, t), p.feature, p.lane};
        sum += w[tap * call->node->width + p.feature] * at(from, next);
    }
    return sum;
}

/* The mean over the positions of the panel `p.block`. */
static double pool(const sn_op_call *call, sn_view from, place p) {
    size_t n = in_positions(call->node);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += at(from, (place){p.block * n + i, p.feature, p.lane});
    return sum / (double)n;
}

/* to = what one of the functions above says of `from`, in every lane that is to be computed */
static void apply(const sn_op_call *call, sn_view from, sn_view to, const double *bias) {
    for (size_t i = 0; i < call->blocks * call->node->width * call->lanes; i++) {
        place p = place_of(call, i);
        double y = pools(call->node) ? pool(call, from, p) : mix(call, from, p, false);
        *element(to, p) = bias ? y + bias[p.feature] : y;
    }
}

static void image_forward(const sn_op_call *call) {
    apply(call, call->x[0], call->y, pools(call->node) ? NULL : call->params[BIAS]);
}

/* What is linear in the input: all but the bias. */
static void image_push(const sn_push_call *call) {
    apply(call->at, call->tx[0], call->ty, NULL);
}

/* dx at a place: the mix of dy by the weights in reverse; the n-th part of dy. */
static double back(const sn_op_call *call, place p) {
    size_t n = in_positions(call->node);
    if (!pools(call->node)) return mix(call, call->dy, p, true);
    return at(call->dy, (place){p.block / n, p.feature, p.lane}) / (double)n;
}

static void image_backward(const sn_op_call *call) {
    if (call->flow[0] == SN_FLOW_NONE) return;
    size_t blocks = pools(call->node) ? call->blocks * in_positions(call->node) : call->blocks;
    bool adds = call->flow[0] == SN_FLOW_ADD;
    for (size_t i = 0; i < blocks * call->node->width * call->lanes; i++) {
        place p = place_of(call, i);
        *element(call->dx[0], p) = adds ? at(call->base[0], p) + back(call, p) : back(call, p);
    }
}

static double gradient_at(const sn_gradient_call *call, size_t t, size_t c) {
    size_t n = call->node->positions;
    double sum = 0;
    for (size_t r = 0; r < call->samples * n; r++) {
        size_t sample = r / n;
        place p = {sample / SN_PANEL * n + r % n, c, sample % SN_PANEL};
        double dy = at(call->dy, p);
        if (call->param == WEIGHT) sum += dy * at(call->x, (place){neighbour(n, p.block, t), c, p.lane});
        if (call->param == BIAS) sum += dy;
        if (call->param == DAMPING) sum -= dy * at(call->x, p);
    }
    return sum;
}

static bool image_param_gradient(const sn_gradient_call *call) {
    bool is_finite = true;
    for (size_t t = 0; t < call->rows; t++) {
        for (size_t c = 0; c < call->cols; c++) {
            double g = gradient_at(call, call->row + t, call->col + c);
            ((double *)call->gradient.data)[t * call->gradient.ld + c] = g;
            is_finite = is_finite && g - g == 0;
        }
    }
    return is_finite;
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
