/* Owns what all ops share: the helpers for `build`, look-up in an op table. */
#include "network/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

const char *const sn_conv_words[] = {"auto", "direct", NULL};

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
    node->positions = sn_shape_positions(shape);
    node->width = (size_t)sn_shape_features(shape);
}

static void set_tensor(sn_param *param, const char *name, size_t rows, size_t cols, const sn_value *init) {
    *param = (sn_param){.name = name, .init = init, .cols = cols, .unit = 1};
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
    param->lr_factor = 1;
    return param;
}

void sn_node_add_state(sn_node *node, const char *name, size_t n, double start) {
    sn_param *state = &node->states[node->n_states++];
    set_tensor(state, name, 0, n, NULL);
    state->start = start;
}

int sn_node_param(const sn_node *node, sn_param_kind kind) {
    for (int p = 0; p < node->n_params; p++) {
        if (node->params[p].kind == kind) return p;
    }
    return -1;
}
