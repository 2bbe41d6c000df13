/* What a config is inside src/config. */
#ifndef SN_CONFIG_TREE_H
#define SN_CONFIG_TREE_H

#include <cjson/cJSON.h>

#include "base/pool.h"
#include "config/idle.h"
#include "config/place.h"

struct sn_config {
    cJSON *root;
    sn_places places;
    sn_idles idles;
    sn_pool pool; /* owns the names in `places`, and `idles` */
};

#endif
