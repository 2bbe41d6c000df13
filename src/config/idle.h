/* Idle keys: given, checked, and without effect, since another kind was chosen or another key rules over them. */
#ifndef SN_CONFIG_IDLE_H
#define SN_CONFIG_IDLE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/pool.h"
#include "config/place.h"

typedef struct sn_idle sn_idle;

typedef struct sn_idles {
    sn_idle *first, *last; /* of the pool */
    size_t n;
    size_t n_told; /* of the text, up to the limit; the others are only counted */
} sn_idles;

/* Adds the raw member `idle`, with the reason: "network.skip.kind is none".  False when out of memory. */
bool sn_idles_add(sn_idles *idles, sn_pool *pool, const sn_places *places, const cJSON *idle, const char *reason);

#endif
