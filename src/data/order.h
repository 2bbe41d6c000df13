/* The order of the training samples: a fresh permutation per epoch, a pure function of (seed, epoch). */
#ifndef SN_DATA_ORDER_H
#define SN_DATA_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sn_order {
    uint64_t seed;
    bool shuffle;
    uint32_t n;          /* samples */
    uint32_t batch_size; /* the last batch of an epoch is short where n is no multiple */
    uint64_t epoch;      /* the one that `items` holds; UINT64_MAX before the first */
    uint32_t *items;     /* (n) */
} sn_order;

sn_status sn_order_init(sn_order *order, uint64_t seed, bool shuffle, uint32_t n, uint32_t batch_size, sn_error *error);
void sn_order_reset(sn_order *order);

/* Batches in an epoch: ceil(n / batch_size). */
uint64_t sn_order_steps_per_epoch(const sn_order *order);

/* The sample indices of the batch of a step (counted from 0 over all epochs); *rows is its size.  The pointer holds
 * until the next call. */
const uint32_t *sn_order_batch(sn_order *order, uint64_t step, size_t *rows);

#endif
