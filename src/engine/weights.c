/* Owns the weights: initial values, files, hash. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/internal.h"
#include "network/init.h"

static const sn_param *state_of(const sn_engine *engine, size_t i) {
    const sn_plan_state *entry = &engine->plan.states[i];
    return &engine->graph->nodes[entry->node].states[entry->index];
}

static const sn_param *param_of(const sn_engine *engine, size_t p) {
    const sn_plan_param *entry = &engine->plan.params[p];
    return &engine->graph->nodes[entry->node].params[entry->index];
}

size_t sn_engine_tensor_count(const sn_engine *engine) {
    return (size_t)engine->plan.n_params;
}

static sn_tensor tensor_of(const sn_engine *engine, const char *name, const sn_param *param, const void *data) {
    sn_tensor tensor = {.name = name, .dtype = engine->backend->dtype, .rank = param->rank, .data = data};
    for (int d = 0; d < param->rank; d++)
        tensor.shape[d] = param->dim[d];
    return tensor;
}

void sn_engine_tensor(const sn_engine *engine, size_t i, sn_tensor *tensor) {
    *tensor = tensor_of(engine, engine->tensor_names[i], param_of(engine, i), engine->param_pointers[i]);
}

void sn_engine_set_tensor(sn_engine *engine, size_t i, const double *values) {
    engine->backend->from_double(engine->param_pointers[i], values, param_of(engine, i)->count);
}

size_t sn_engine_state_count(const sn_engine *engine) {
    return (size_t)engine->plan.n_states;
}

void sn_engine_state(const sn_engine *engine, size_t i, sn_tensor *tensor) {
    *tensor = tensor_of(engine, engine->state_names[i], state_of(engine, i), engine->state_pointers[i]);
}

void sn_engine_set_state(sn_engine *engine, size_t i, const double *values) {
    engine->backend->from_double(engine->state_pointers[i], values, state_of(engine, i)->count);
}

void sn_engine_start_states(sn_engine *engine) {
    for (size_t i = 0; i < sn_engine_state_count(engine); i++) {
        const sn_param *state = state_of(engine, i);
        size_t size = engine->real_size;
        unsigned char *to = engine->state_pointers[i];
        for (size_t k = 0; k < state->count; k++)
            engine->backend->from_double(to + k * size, &state->start, 1);
    }
}

const void *sn_engine_gradient(const sn_engine *engine, size_t i) {
    return engine->gradients.base + engine->plan.params[i].offset * engine->real_size;
}

static bool is_finite(const sn_engine *engine, void *values, size_t count) {
    return engine->backend->all_finite((sn_view){values, count}, 1, count);
}

static size_t largest_param(const sn_engine *engine) {
    size_t most = 0;
    for (size_t p = 0; p < (size_t)engine->plan.n_params; p++) {
        if (param_of(engine, p)->count > most) most = param_of(engine, p)->count;
    }
    return most;
}

sn_status sn_engine_init_weights(sn_engine *engine, uint64_t seed, sn_error *error) {
    size_t bytes = largest_param(engine) * sizeof(double);
    double *values = malloc(bytes);
    sn_status status = values ? SN_OK : sn_error_memory(error, bytes, "initial weights");
    for (size_t p = 0; p < (size_t)engine->plan.n_params && !status; p++) {
        const sn_param *param = param_of(engine, p);
        status = sn_init_fill(values, &engine->graph->nodes[engine->plan.params[p].node], param, seed, error);
        if (status) break;
        engine->backend->from_double(engine->param_pointers[p], values, param->count);
        if (!is_finite(engine, engine->param_pointers[p], param->count)) {
            status = sn_error_set(error, SN_INVALID, "%s: its init gives values that are not finite in %s",
                                  engine->tensor_names[p],
                                  engine->real_size == 4 ? "float32 (take smaller ones, or precision float64)"
                                                         : "float64 (take smaller ones)");
        }
    }
    free(values);
    sn_engine_start_states(engine);
    return status;
}

static const char *shape_text(const sn_tensor *tensor, char out[SN_SHAPE_TEXT]) {
    int n = snprintf(out, SN_SHAPE_TEXT, "[");
    for (int d = 0; d < tensor->rank; d++) {
        n += snprintf(out + n, SN_SHAPE_TEXT - (size_t)n, d ? ", %" PRId64 : "%" PRId64, tensor->shape[d]);
    }
    snprintf(out + n, SN_SHAPE_TEXT - (size_t)n, "]");
    return out;
}

static bool same_shape(const sn_tensor *a, const sn_tensor *b) {
    return a->rank == b->rank && memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

/* Files may have them at any address. */
void sn_doubles_from(double *to, sn_dtype dtype, const void *from, size_t n) {
    if (dtype == SN_F64) memcpy(to, from, n * sizeof *to);
    for (size_t i = 0; i < n && dtype == SN_F32; i++) {
        float single;
        memcpy(&single, (const char *)from + i * sizeof single, sizeof single);
        to[i] = (double)single;
    }
}

/* The values of a tensor of floats as doubles (free()); NULL when out of memory. */
static double *as_doubles(const sn_tensor *tensor) {
    size_t count = sn_tensor_count(tensor);
    double *values = malloc((count + 1) * sizeof *values);
    if (values) sn_doubles_from(values, tensor->dtype, tensor->data, count);
    return values;
}

/* Brings the tensor of the file that is called like `wanted` to `to`, the memory of `wanted`. */
static sn_status load_tensor(sn_engine *engine, const sn_tensor *wanted, void *to, const sn_safetensors *file,
                             const char *path, sn_error *error) {
    const sn_tensor *found = sn_safetensors_find(file, wanted->name);
    char a[SN_SHAPE_TEXT], b[SN_SHAPE_TEXT];
    if (!found) {
        return sn_error_add(error, SN_INVALID, "%s: no tensor \"%s\" of shape %s", path, wanted->name,
                            shape_text(wanted, a));
    }
    if (!same_shape(wanted, found)) {
        return sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" has shape %s, the network needs %s", path,
                            wanted->name, shape_text(found, a), shape_text(wanted, b));
    }
    if (found->dtype == SN_I64) {
        return sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" holds whole numbers, the network needs F32 or F64",
                            path, wanted->name);
    }
    size_t count = sn_tensor_count(wanted);
    if (found->dtype == wanted->dtype) {
        memcpy(to, found->data, count * engine->real_size);
    } else {
        double *values = as_doubles(found);
        if (!values) return sn_error_memory(error, count * sizeof *values, "weights");
        engine->backend->from_double(to, values, count);
        free(values);
    }
    if (is_finite(engine, to, count)) return SN_OK;
    return sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" holds values that are not finite", path, wanted->name);
}

static bool is_known(const sn_engine *engine, const char *name) {
    for (size_t p = 0; p < sn_engine_tensor_count(engine); p++) {
        if (strcmp(engine->tensor_names[p], name) == 0) return true;
    }
    for (size_t i = 0; i < sn_engine_state_count(engine); i++) {
        if (strcmp(engine->state_names[i], name) == 0) return true;
    }
    return false;
}

/* PyTorch counts the updates of running averages, for averages over all of them; nothing here reads the count. */
static bool is_counter(const sn_engine *engine, const char *name) {
    static const char suffix[] = ".num_batches_tracked";
    size_t length = strlen(name), end = sizeof suffix - 1;
    if (length <= end || strcmp(name + length - end, suffix) != 0) return false;
    for (size_t i = 0; i < sn_engine_state_count(engine); i++) {
        const char *label = engine->graph->nodes[engine->plan.states[i].node].label;
        if (strlen(label) == length - end && strncmp(label, name, length - end) == 0) return true;
    }
    return false;
}

static void report_strangers(const sn_engine *engine, const sn_safetensors *file, const char *path, sn_error *error) {
    for (size_t i = 0; i < sn_safetensors_count(file); i++) {
        const char *name = sn_safetensors_at(file, i)->name;
        if (is_known(engine, name) || is_counter(engine, name)) continue;
        sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" is not in the network", path, name);
    }
}

sn_status sn_engine_load_weights(sn_engine *engine, const char *path, sn_error *error) {
    sn_safetensors *file = NULL;
    sn_status status = sn_safetensors_read(&file, path, error);
    if (status) return status;
    sn_tensor wanted;
    size_t n_params = sn_engine_tensor_count(engine), n_states = sn_engine_state_count(engine);
    for (size_t p = 0; p < n_params; p++) {
        sn_engine_tensor(engine, p, &wanted);
        load_tensor(engine, &wanted, engine->param_pointers[p], file, path, error);
    }
    for (size_t i = 0; i < n_states; i++) {
        sn_engine_state(engine, i, &wanted);
        load_tensor(engine, &wanted, engine->state_pointers[i], file, path, error);
    }
    if (error->status || sn_safetensors_count(file) != n_params + n_states) {
        report_strangers(engine, file, path, error);
    }
    sn_safetensors_free(file);
    return error->status;
}

sn_status sn_engine_save_weights(const sn_engine *engine, const char *path, sn_error *error) {
    size_t n_params = sn_engine_tensor_count(engine), n = n_params + sn_engine_state_count(engine);
    sn_tensor *tensors = malloc(n * sizeof *tensors);
    if (!tensors) return sn_error_memory(error, n * sizeof *tensors, "the list of tensors");
    for (size_t p = 0; p < n_params; p++)
        sn_engine_tensor(engine, p, &tensors[p]);
    for (size_t i = n_params; i < n; i++)
        sn_engine_state(engine, i - n_params, &tensors[i]);
    sn_metadata metadata = {"format", "pt"};
    sn_status status = sn_safetensors_write(path, tensors, n, &metadata, 1, error);
    free(tensors);
    return status;
}

uint64_t sn_engine_weights_hash(const sn_engine *engine) {
    uint64_t hash = 0;
    for (size_t p = 0; p < sn_engine_tensor_count(engine); p++) {
        hash = sn_hash(engine->param_pointers[p], param_of(engine, p)->count * engine->real_size, hash);
    }
    for (size_t i = 0; i < sn_engine_state_count(engine); i++) {
        hash = sn_hash(engine->state_pointers[i], state_of(engine, i)->count * engine->real_size, hash);
    }
    return hash;
}
