/* Owns the order of the training samples.  Nothing is carried from epoch to epoch, so a run can resume anywhere. */
#include "data/order.h"

#include <stdlib.h>

#include "base/rng.h"

sn_status sn_order_init(sn_order *order, uint64_t seed, bool shuffle, uint32_t n, uint32_t batch_size,
                        sn_error *error) {
    *order = (sn_order){.seed = seed, .shuffle = shuffle, .n = n, .batch_size = batch_size, .epoch = UINT64_MAX};
    if (n == 0 || batch_size == 0) {
        return sn_error_set(error, SN_FAILED, "no order of %u samples in batches of %u", n, batch_size);
    }
    order->items = malloc(n * sizeof *order->items);
    if (!order->items) return sn_error_memory(error, n * sizeof *order->items, "the order of the samples");
    for (uint32_t i = 0; i < n; i++)
        order->items[i] = i;
    return SN_OK;
}

void sn_order_reset(sn_order *order) {
    free(order->items);
    *order = (sn_order){.epoch = UINT64_MAX};
}

uint64_t sn_order_steps_per_epoch(const sn_order *order) {
    return ((uint64_t)order->n + order->batch_size - 1) / order->batch_size;
}

const uint32_t *sn_order_batch(sn_order *order, uint64_t step, size_t *rows) {
    uint64_t steps = sn_order_steps_per_epoch(order);
    uint64_t epoch = step / steps;
    if (order->shuffle && epoch != order->epoch) {
        sn_rng_permutation(sn_rng_stream(order->seed, "order", "", epoch), order->items, order->n);
    }
    order->epoch = epoch;
    size_t start = (size_t)(step % steps) * order->batch_size;
    size_t left = order->n - start;
    *rows = left < order->batch_size ? left : order->batch_size;
    return order->items + start;
}
