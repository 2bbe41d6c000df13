/* The gradient by hidden layer of all runs, at step 0 and at the last update: what layers.csv is made of. */
#ifndef SN_COMPARE_PROFILES_H
#define SN_COMPARE_PROFILES_H

#include "compare/run_profile.h"

/* One layer of one run.  Small: there are as many as rows in profiles.csv. */
typedef struct sn_profile_value {
    uint32_t run, layer;
    bool is_last;
    double depth_frac, log10_delta;
} sn_profile_value;

typedef struct sn_profiles {
    sn_profile_value *values;
    size_t n, capacity;
    bool failed; /* out of memory */
} sn_profiles;

/* Adds the hidden layers of the run that was just read; those that were not measured are left out.  SN_FAILED: out of
 * memory. */
sn_status sn_profiles_take(sn_profiles *profiles, size_t run, const sn_run_profile_reader *reader, sn_error *error);

void sn_profiles_reset(sn_profiles *profiles);

#endif
