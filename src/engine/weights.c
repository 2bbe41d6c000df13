/* Owns the weights: initial values, files, hash. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/internal.h"
#include "network/init.h"

static const sn_param *param_of(const sn_engine *engine, size_t p) {
    const sn_plan_param *entry = &engine->plan.params[p];
    return &engine->graph->nodes[entry->node].params[entry->index];
}

static void refresh_transposed(sn_engine *engine, size_t p) {
    const sn_param *param = param_of(engine, p);
    if (!param->wants_transpose) return;
    sn_view from = {engine->param_pointers[p], param->cols}, to = {engine->transposed_pointers[p], param->rows};
    engine->backend->transpose(to, from, param->rows, param->cols);
}

void sn_engine_refresh_transposed(sn_engine *engine) {
    for (size_t p = 0; p < (size_t)engine->plan.n_params; p++)
        refresh_transposed(engine, p);
}

size_t sn_engine_tensor_count(const sn_engine *engine) {
    return (size_t)engine->plan.n_params;
}

void sn_engine_tensor(const sn_engine *engine, size_t i, sn_tensor *tensor) {
    const sn_param *param = param_of(engine, i);
    *tensor = (sn_tensor){.name = engine->tensor_names[i],
                          .dtype = engine->backend->dtype,
                          .rank = param->rank,
                          .data = engine->param_pointers[i]};
    for (int d = 0; d < param->rank; d++)
        tensor->shape[d] = param->dim[d];
}

void sn_engine_set_tensor(sn_engine *engine, size_t i, const double *values) {
    engine->backend->from_double(engine->param_pointers[i], values, param_of(engine, i)->count);
    refresh_transposed(engine, i);
}

const void *sn_engine_gradient(const sn_engine *engine, size_t i) {
    return engine->gradients.base + engine->plan.params[i].offset * engine->real_size;
}

static bool is_finite(const sn_engine *engine, size_t p) {
    size_t count = param_of(engine, p)->count;
    return engine->backend->all_finite((sn_view){engine->param_pointers[p], count}, 1, count);
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
        if (!is_finite(engine, p)) {
            status = sn_error_set(error, SN_INVALID, "%s: its init gives values that are not finite in %s",
                                  engine->tensor_names[p], engine->real_size == 4 ? "float32" : "float64");
        }
    }
    free(values);
    if (!status) sn_engine_refresh_transposed(engine);
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

static sn_status load_tensor(sn_engine *engine, size_t p, const sn_safetensors *file, const char *path,
                             sn_error *error) {
    sn_tensor wanted;
    sn_engine_tensor(engine, p, &wanted);
    const sn_tensor *found = sn_safetensors_find(file, wanted.name);
    char a[SN_SHAPE_TEXT], b[SN_SHAPE_TEXT];
    if (!found) {
        return sn_error_add(error, SN_INVALID, "%s: no tensor \"%s\" of shape %s", path, wanted.name,
                            shape_text(&wanted, a));
    }
    if (!same_shape(&wanted, found)) {
        return sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" has shape %s, the network needs %s", path,
                            wanted.name, shape_text(found, a), shape_text(&wanted, b));
    }
    size_t count = param_of(engine, p)->count;
    if (found->dtype == wanted.dtype) {
        memcpy(engine->param_pointers[p], found->data, count * engine->real_size);
        return SN_OK;
    }
    double *values = malloc(count * sizeof *values);
    if (!values) return sn_error_memory(error, count * sizeof *values, "weights");
    for (size_t i = 0; i < count; i++) {
        float single;
        memcpy(&single, (const char *)found->data + i * sizeof single, sizeof single);
        values[i] = (double)single;
        if (found->dtype == SN_F64) memcpy(&values[i], (const char *)found->data + i * sizeof(double), sizeof(double));
    }
    engine->backend->from_double(engine->param_pointers[p], values, count);
    free(values);
    return SN_OK;
}

static void report_strangers(const sn_engine *engine, const sn_safetensors *file, const char *path, sn_error *error) {
    for (size_t i = 0; i < sn_safetensors_count(file); i++) {
        const char *name = sn_safetensors_at(file, i)->name;
        size_t p = 0, n = sn_engine_tensor_count(engine);
        while (p < n && strcmp(engine->tensor_names[p], name) != 0)
            p++;
        if (p == n) sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" is not in the network", path, name);
    }
}

sn_status sn_engine_load_weights(sn_engine *engine, const char *path, sn_error *error) {
    sn_safetensors *file = NULL;
    sn_status status = sn_safetensors_read(&file, path, error);
    if (status) return status;
    for (size_t p = 0; p < sn_engine_tensor_count(engine); p++) {
        if (load_tensor(engine, p, file, path, error) == SN_OK && !is_finite(engine, p)) {
            sn_error_add(error, SN_INVALID, "%s: tensor \"%s\" holds values that are not finite", path,
                         engine->tensor_names[p]);
        }
    }
    if (error->status || sn_safetensors_count(file) != sn_engine_tensor_count(engine)) {
        report_strangers(engine, file, path, error);
    }
    sn_safetensors_free(file);
    if (error->status) return error->status;
    sn_engine_refresh_transposed(engine);
    return SN_OK;
}

sn_status sn_engine_save_weights(const sn_engine *engine, const char *path, sn_error *error) {
    size_t n = sn_engine_tensor_count(engine);
    sn_tensor *tensors = malloc(n * sizeof *tensors);
    if (!tensors) return sn_error_memory(error, n * sizeof *tensors, "the list of tensors");
    for (size_t p = 0; p < n; p++)
        sn_engine_tensor(engine, p, &tensors[p]);
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
    return hash;
}
