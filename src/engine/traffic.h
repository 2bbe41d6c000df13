/* The traffic of a step: bytes that its passes read and write, as a model.
 *
 * Every pass of the plan reads each of its operands once and writes its result once, as if nothing stayed in a cache;
 * parameters are read once per group of row tiles.  What lies in place (inputs of a concat, gradients passed on) is not
 * moved. The gathered samples count by their width in the network's precision.  It is what the caches see, not the
 * memory: a tile's signals stay near the core between its passes. */
#ifndef SN_ENGINE_TRAFFIC_H
#define SN_ENGINE_TRAFFIC_H

#include "engine/plan.h"

typedef struct sn_traffic {
    double forward, loss, backward, param_gradient,
        update; /* bytes of a step over a batch of `rows`, by `threads` threads */
} sn_traffic;

sn_traffic sn_plan_traffic(const sn_plan *plan, size_t rows, int threads, size_t real_size);

#endif
