/* The profile of an engine: nanoseconds of its threads by time of the walk and by parameter.
 *
 * An engine without a profile pays one predictable branch per node.  One with a profile reads the clock once per node
 * and group of panels, so step times are taken without. */
#ifndef SN_ENGINE_PROFILE_H
#define SN_ENGINE_PROFILE_H

#include <stdint.h>

#include "base/clock.h"
#include "engine/engine.h"

/* What one thread spent; nobody else writes there during a step. */
typedef struct sn_profile_lane {
    uint64_t *walk;              /* per time of the walk (see plan.h): the input, forward, the loss, backward */
    uint64_t *gradient, *update; /* per parameter of the plan */
} sn_profile_lane;

typedef struct sn_profile {
    int n_lanes, n_times, n_params;
    sn_profile_lane *lanes; /* per thread */
} sn_profile;

sn_status sn_profile_new(sn_profile *profile, const sn_engine *engine, sn_error *error);
void sn_profile_reset(sn_profile *profile);

/* From the next step on the engine adds what its threads spend to `profile`; NULL ends that.  Not owned. */
void sn_engine_set_profile(sn_engine *engine, sn_profile *profile);

/* Sums over the threads, in nanoseconds. */
uint64_t sn_profile_walk(const sn_profile *profile, int time);
uint64_t sn_profile_gradient(const sn_profile *profile, int param);
uint64_t sn_profile_update(const sn_profile *profile, int param);

/* Adds the time since *mark to *spent and moves the mark on. */
static inline void sn_profile_lap(uint64_t *mark, uint64_t *spent) {
    uint64_t now = sn_clock_nanoseconds();
    *spent += now - *mark;
    *mark = now;
}

/* A block of the engine's memory. */
typedef struct sn_region {
    const char *name; /* "signals", "parameters", ... */
    size_t bytes;
} sn_region;

enum { SN_MAX_REGIONS = 16 };

/* The blocks that the engine holds; their number. */
int sn_engine_regions(const sn_engine *engine, sn_region regions[SN_MAX_REGIONS]);

#endif
