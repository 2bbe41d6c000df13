/* Owns the memory of a dataset and the making of its splits.  Big arrays are single blocks, freed with the set. */
#include "data/source.h"

#include <stdlib.h>

#include "base/memory.h"

enum { N_BLOCKS = sizeof((sn_dataset *)0)->blocks / sizeof(void *) };

void sn_dataset_adopt(sn_dataset *dataset, void *memory) {
    size_t i = 0;
    while (i + 1 < N_BLOCKS && dataset->blocks[i])
        i++;
    dataset->blocks[i] = memory;
}

void *sn_dataset_block(sn_dataset *dataset, size_t count, size_t size, const char *what, sn_error *error) {
    if (count == 0) count = 1; /* an empty split has arrays too */
    if (count <= SIZE_MAX / size && sn_memory_check(count * size, what, error)) return NULL;
    void *memory = count <= SIZE_MAX / size ? malloc(count * size) : NULL;
    if (!memory) {
        sn_error_memory(error, count <= SIZE_MAX / size ? count * size : SIZE_MAX, what);
        return NULL;
    }
    sn_dataset_adopt(dataset, memory);
    return memory;
}

sn_status sn_dataset_make_room(sn_dataset *dataset, sn_samples *samples, size_t n, sn_new_split *room,
                               sn_error *error) {
    bool is_image = dataset->shape.rank == 3;
    *room = (sn_new_split){.n = n};
    void *features = sn_dataset_block(dataset, n * dataset->in_dim, is_image ? 1 : sizeof(double), "samples", error);
    if (!features) return SN_FAILED;
    room->bytes = is_image ? features : NULL;
    room->values = is_image ? NULL : features;
    if (dataset->is_classes) {
        room->labels = sn_dataset_block(dataset, n, sizeof(uint32_t), "labels", error);
        if (!room->labels) return SN_FAILED;
    } else {
        room->targets = sn_dataset_block(dataset, n * dataset->out_dim, sizeof(double), "targets", error);
        if (!room->targets) return SN_FAILED;
    }
    *samples = (sn_samples){
        .n = n, .bytes = room->bytes, .values = room->values, .labels = room->labels, .targets = room->targets};
    return SN_OK;
}

sn_status sn_dataset_make_generated(sn_dataset *dataset, const sn_config *config, const sn_value *data,
                                    sn_new_split room[2], sn_error *error) {
    const sn_value *wanted[2] = {sn_value_get(data, "samples"), sn_value_get(data, "test_samples")};
    sn_samples *splits[2] = {&dataset->train, &dataset->test};
    size_t n_targets = dataset->is_classes ? 1 : dataset->out_dim, size = dataset->shape.rank == 3 ? 1 : sizeof(double);
    bool has_more_targets = n_targets * sizeof(double) > dataset->in_dim * size;
    size_t widest = has_more_targets ? n_targets : dataset->in_dim;
    if (has_more_targets) size = sizeof(double);
    for (int split = 0; split < 2; split++) {
        size_t n = (size_t)sn_value_integer(wanted[split], "");
        if (n > SN_DATA_MAX_BYTES / size / widest) {
            return sn_config_fault(config, wanted[split], error,
                                   "%zu samples of %zu value%s of %zu byte%s are more than the limit of %llu bytes", n,
                                   widest, widest == 1 ? "" : "s", size, size == 1 ? "" : "s",
                                   (unsigned long long)SN_DATA_MAX_BYTES);
        }
        sn_status status = sn_dataset_make_room(dataset, splits[split], n, &room[split], error);
        if (status != SN_OK) return status;
    }
    return SN_OK;
}
