/* What a config says to an experiment outside its data and its layers, typed: every key is looked up once, here, and no
 * step looks one up. */
#ifndef SN_RUN_SETTINGS_H
#define SN_RUN_SETTINGS_H

#include "base/safetensors.h"
#include "config/config.h"
#include "engine/engine.h"

/* What config and run.json call those who compute the matrix products. */
#define SN_PRODUCTS_OWN_NAME      "own"
#define SN_PRODUCTS_OPENBLAS_NAME "openblas"

typedef struct sn_settings {
    const char *name;    /* of the run; owned by the config, as `weights` is */
    const char *weights; /* the file of initial weights; NULL: they are drawn */
    uint64_t seed;
    sn_dtype precision;
    sn_update_rule rule;
    double clip_norm; /* 0: gradients are not clipped */
    sn_products products;
    size_t batch_size; /* as wanted; there may be fewer samples */
    bool shuffles;
    int64_t epochs, steps; /* steps is -1 where epochs rule */
    size_t train_eval;     /* training samples of an evaluation pass, as wanted */
    bool saves_initial, counts_exponents;
} sn_settings;

/* Fills the settings from a resolved config, which must outlive them.  Reading has checked the values one by one, so
 * there is no error. */
void sn_settings_fill(sn_settings *settings, const sn_config *config);

#endif
