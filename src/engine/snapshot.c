/* Owns snapshots: all that later steps depend on, as tensors that lie in the engine, and back. */
#include <string.h>

#include "engine/internal.h"

static bool has_slot(const sn_engine *engine, int k) {
    return sn_rule_has_slot(&engine->options.rule, k);
}

size_t sn_engine_snapshot_count(const sn_engine *engine) {
    size_t slots = (size_t)sn_slot_count(engine->options.rule.slots);
    return (1 + slots) * sn_engine_tensor_count(engine) + sn_engine_state_count(engine);
}

static void *slot_data(const sn_engine *engine, int k, size_t p) {
    return engine->slots[k].base + engine->plan.params[p].offset * engine->real_size;
}

/* Slots lie as the weights do. */
static void slot_of(const sn_engine *engine, int k, size_t p, sn_tensor *tensor) {
    sn_engine_tensor(engine, p, tensor);
    tensor->name = engine->slot_names[k][p];
    tensor->data = slot_data(engine, k, p);
}

void sn_engine_snapshot(const sn_engine *engine, sn_tensor *tensors) {
    for (size_t p = 0; p < sn_engine_tensor_count(engine); p++)
        sn_engine_tensor(engine, p, tensors++);
    for (size_t i = 0; i < sn_engine_state_count(engine); i++)
        sn_engine_state(engine, i, tensors++);
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        for (size_t p = 0; p < sn_engine_tensor_count(engine) && has_slot(engine, k); p++)
            slot_of(engine, k, p, tensors++);
    }
}

static bool is_like(const sn_tensor *a, const sn_tensor *b) {
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

static sn_status restore_tensor(const sn_tensor *wanted, void *to, const sn_safetensors *file, const char *path,
                                sn_error *error) {
    const sn_tensor *found = sn_safetensors_find(file, wanted->name);
    if (!found || !is_like(wanted, found))
        return sn_error_set(error, SN_INVALID, "%s: no tensor \"%s\" as the network has it", path, wanted->name);
    memcpy(to, found->data, sn_tensor_count(wanted) * sn_dtype_size(wanted->dtype));
    return SN_OK;
}

sn_status sn_engine_restore(sn_engine *engine, const sn_safetensors *file, const char *path, sn_error *error) {
    sn_status status = SN_OK;
    sn_tensor wanted;
    for (size_t p = 0; p < sn_engine_tensor_count(engine) && !status; p++) {
        sn_engine_tensor(engine, p, &wanted);
        status = restore_tensor(&wanted, engine->param_pointers[p], file, path, error);
    }
    for (size_t i = 0; i < sn_engine_state_count(engine) && !status; i++) {
        sn_engine_state(engine, i, &wanted);
        status = restore_tensor(&wanted, engine->state_pointers[i], file, path, error);
    }
    for (int k = 0; k < SN_MAX_SLOTS; k++) {
        for (size_t p = 0; p < sn_engine_tensor_count(engine) && has_slot(engine, k) && !status; p++) {
            slot_of(engine, k, p, &wanted);
            status = restore_tensor(&wanted, slot_data(engine, k, p), file, path, error);
        }
    }
    return status;
}
