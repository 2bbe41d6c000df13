/* Owns profiles, and what an engine says of its memory. */
#include "engine/profile.h"

#include <stdlib.h>

#include "engine/internal.h"

/* A lane is a block of its own, so that threads do not write to one cache line. */
static bool make_lane(sn_profile_lane *lane, size_t n_times, size_t n_params) {
    lane->walk = calloc(n_times + 2 * n_params, sizeof *lane->walk);
    if (!lane->walk) return false;
    lane->gradient = lane->walk + n_times;
    lane->update = lane->gradient + n_params;
    return true;
}

sn_status sn_profile_new(sn_profile *profile, const sn_engine *engine, sn_error *error) {
    const sn_plan *plan = sn_engine_plan(engine);
    *profile = (sn_profile){.n_times = sn_time_walk_end(plan), .n_params = plan->n_params};
    size_t threads = (size_t)engine->options.threads, n_times = (size_t)profile->n_times;
    profile->lanes = calloc(threads, sizeof *profile->lanes);
    for (size_t t = 0; t < threads && profile->lanes; t++) {
        if (!make_lane(&profile->lanes[t], n_times, (size_t)plan->n_params)) break;
        profile->n_lanes++;
    }
    if ((size_t)profile->n_lanes == threads) return SN_OK;
    sn_profile_reset(profile);
    return sn_error_memory(error, threads * n_times * sizeof(uint64_t), "a profile");
}

void sn_profile_reset(sn_profile *profile) {
    for (int t = 0; t < profile->n_lanes && profile->lanes; t++)
        free(profile->lanes[t].walk);
    free(profile->lanes);
    *profile = (sn_profile){0};
}

void sn_engine_set_profile(sn_engine *engine, sn_profile *profile) {
    engine->profile = profile;
}

uint64_t sn_profile_walk(const sn_profile *profile, int time) {
    uint64_t sum = 0;
    for (int t = 0; t < profile->n_lanes; t++)
        sum += profile->lanes[t].walk[time];
    return sum;
}

uint64_t sn_profile_gradient(const sn_profile *profile, int param) {
    uint64_t sum = 0;
    for (int t = 0; t < profile->n_lanes; t++)
        sum += profile->lanes[t].gradient[param];
    return sum;
}

uint64_t sn_profile_update(const sn_profile *profile, int param) {
    uint64_t sum = 0;
    for (int t = 0; t < profile->n_lanes; t++)
        sum += profile->lanes[t].update[param];
    return sum;
}

int sn_engine_regions(const sn_engine *engine, sn_region regions[SN_MAX_REGIONS]) {
    size_t slots = 0;
    for (int k = 0; k < SN_MAX_SLOTS; k++)
        slots += sn_rule_has_slot(&engine->options.rule, k) ? engine->slots[k].size : 0;
    const struct {
        const char *name;
        size_t bytes;
        bool is_used;
    } rows[] = {
        {"signals", engine->batch.size, true},
        {"parameters", engine->params.size, true},
        {"states", engine->states.size, engine->plan.state_elements > 0},
        {"optimizer state", slots, slots > 0},
        {"gradients", engine->gradients.size, engine->plan.gradient_elements > 0},
        {"parts of gradients", engine->parts.size, engine->plan.part_elements > 0},
        {"partial sums", engine->partials.size, engine->plan.partial_doubles > 0},
        {"sums", engine->totals.size, engine->plan.total_doubles > 0},
        {"scratch", engine->scratch.size, true},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].is_used) regions[n++] = (sn_region){rows[i].name, rows[i].bytes};
    }
    return n;
}
