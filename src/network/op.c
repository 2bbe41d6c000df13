/* Owns what all ops share: shapes as text, the helpers for `build`, look-up in an op table. */
#include "network/op.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t sn_shape_size(const sn_shape *shape) {
    size_t size = 1;
    for (int i = 0; i < shape->rank; i++)
        size *= (size_t)shape->dim[i];
    return size;
}

bool sn_shape_equal(const sn_shape *a, const sn_shape *b) {
    bool equal = a->rank == b->rank;
    for (int i = 0; i < a->rank && equal; i++)
        equal = a->dim[i] == b->dim[i];
    return equal;
}

const char *sn_shape_text(const sn_shape *shape, char out[SN_SHAPE_TEXT]) {
    int n = snprintf(out, SN_SHAPE_TEXT, "%" PRId64, shape->dim[0]);
    for (int i = 1; i < shape->rank; i++)
        n += snprintf(out + n, SN_SHAPE_TEXT - (size_t)n, "x%" PRId64, shape->dim[i]);
    return out;
}

const char *sn_role_name(sn_role role) {
    static const char *const names[] = {"none", "hidden", "output", "gate", "projection", "norm", "scale"};
    return names[role];
}

const sn_op *sn_op_find(const sn_op *const *ops, const char *name) {
    for (; *ops; ops++) {
        if (strcmp((*ops)->kind.name, name) == 0) return *ops;
    }
    return NULL;
}

sn_status sn_node_fault(const sn_node *node, sn_error *error, const char *format, ...) {
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return sn_config_fault(node->origin, node->config, error, "%s: %s", node->label, message);
}

void sn_node_set_shape(sn_node *node, const sn_shape *shape) {
    node->shape = *shape;
    node->width = sn_shape_size(shape);
}

static void set_tensor(sn_param *param, const char *name, size_t rows, size_t cols, const sn_value *init) {
    *param = (sn_param){.name = name, .init = init, .cols = cols};
    if (rows > 0) {
        param->rank = 2;
        param->dim[0] = (int64_t)rows;
        param->dim[1] = (int64_t)cols;
        param->rows = rows;
    } else {
        param->rank = 1;
        param->dim[0] = (int64_t)cols;
        param->rows = 1;
    }
    param->count = param->rows * cols;
    param->fan_in = (int64_t)cols;
    param->fan_out = (int64_t)param->rows;
}

sn_param *sn_node_add_param(sn_node *node, const char *name, size_t rows, size_t cols, const sn_value *init) {
    sn_param *param = &node->params[node->n_params++];
    set_tensor(param, name, rows, cols, init);
    return param;
}

void sn_node_add_state(sn_node *node, const char *name, size_t n, double start) {
    sn_param *state = &node->states[node->n_states++];
    set_tensor(state, name, 0, n, NULL);
    state->start = start;
}
