/* A layer list made flat: repeats copied, labels given, references resolved to numbers. */
#ifndef SN_NETWORK_LAYERS_H
#define SN_NETWORK_LAYERS_H

#include "base/error.h"
#include "base/pool.h"
#include "config/config.h"

typedef struct sn_layer {
    const sn_value *config; /* the resolved entry */
    const char *label;
    int n_inputs;
    int *inputs; /* numbers: 0 is the network's input, entry i of the flat list is i + 1 */
} sn_layer;

typedef struct sn_layer_list {
    sn_layer *items;
    int n, capacity;
    sn_pool pool; /* owns labels and inputs */
} sn_layer_list;

/* The longest label, in bytes, with the numbers that repeats append. */
enum { SN_MAX_LABEL = 255 };

/* Flattens `list` (the resolved value of "layers").  Faults are added to `error`, all of them.  What the copies will
 * take is counted before any is made: SN_INVALID for too many, SN_FAILED where the memory is not there. */
sn_status sn_layers_flatten(sn_layer_list *flat, const sn_config *config, const sn_value *list, sn_error *error);

void sn_layers_reset(sn_layer_list *flat);

/* The table row for an entry of a layer list, and the kind "repeat", for the op choice. */
extern const sn_key sn_layer_element;
extern const sn_kind sn_repeat_kind;

/* Keys that every entry has: label, inputs. */
extern const sn_key sn_layer_common_keys[];

#endif
