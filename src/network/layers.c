/* Owns the flattening of layer lists.
 *
 * {"repeat": n, "layers": [...]} copies its entries; a label L in copy i becomes "L.i" (nested: "L.i.j", the outer copy
 * first).  A reference R inside copy ".i.j" means the first of "R.i.j", "R.i", "R" that an earlier entry carries.
 * An entry without a label is called by its op and a number: "tanh1", "tanh2". */
#include "network/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "config/suggest.h"
#include "network/graph.h"

/* What a list comes to when its repeats are copied; in double, since the product of nested repeats knows no bound. */
typedef struct layer_counts {
    double nodes, edges, label_bytes;
} layer_counts;

/* How many entries of an op were labelled so far. */
typedef struct ordinal {
    const char *op;
    int count;
} ordinal;

enum { MAX_OPS = 64, MAX_SUFFIX = SN_MAX_LABEL + 1 };

typedef struct flattener {
    sn_layer_list *flat;
    const sn_config *config;
    sn_error *error;
    int *slots; /* open addressing from label to item number + 1; 0: empty */
    size_t n_slots;
    ordinal ordinals[MAX_OPS];
} flattener;

static int *find_slot(const flattener *f, const char *label) {
    size_t mask = f->n_slots - 1;
    for (size_t i = sn_hash(label, strlen(label), 0) & mask;; i = (i + 1) & mask) {
        int *slot = &f->slots[i];
        if (*slot == 0 || strcmp(f->flat->items[*slot - 1].label, label) == 0) return slot;
    }
}

static sn_status grow(flattener *f) {
    sn_layer_list *flat = f->flat;
    int capacity = flat->capacity ? 2 * flat->capacity : 256;
    sn_layer *items = realloc(flat->items, (size_t)capacity * sizeof *items);
    if (!items) return sn_error_memory(f->error, (size_t)capacity * sizeof *items, "the layer list");
    flat->items = items;
    flat->capacity = capacity;
    free(f->slots);
    f->n_slots = 4 * (size_t)capacity;
    f->slots = calloc(f->n_slots, sizeof *f->slots);
    if (!f->slots) return sn_error_memory(f->error, f->n_slots * sizeof *f->slots, "the labels");
    for (int i = 0; i < flat->n; i++)
        *find_slot(f, items[i].label) = i + 1;
    return SN_OK;
}

static int next_ordinal(flattener *f, const char *op) {
    int i = 0;
    while (i < MAX_OPS - 1 && f->ordinals[i].op && strcmp(f->ordinals[i].op, op) != 0)
        i++;
    f->ordinals[i].op = op;
    return ++f->ordinals[i].count;
}

/* The label of an entry with its suffix, or the op's name with a number that is not taken. */
static char *make_label(flattener *f, const sn_value *entry, const char *suffix) {
    const char *given = sn_value_text(entry, "label"), *op = sn_value_text(entry, "op");
    char number[32] = "";
    sn_text text = SN_TEXT_EMPTY;
    do {
        if (!given) snprintf(number, sizeof number, "%d", next_ordinal(f, op));
        sn_text_clear(&text);
        sn_text_addf(&text, "%s%s", given ? given : op, given ? suffix : number);
    } while (!given && !text.failed && *find_slot(f, sn_text_string(&text)));
    char *label = text.failed ? NULL : sn_pool_string(&f->flat->pool, sn_text_string(&text));
    sn_text_free(&text);
    return label;
}

enum { UNKNOWN = -1, NO_MEMORY = -2 };

/* The number that `reference` means from inside the copy `suffix`; UNKNOWN where no earlier entry carries it. */
static int resolve(const flattener *f, const char *reference, const char *suffix) {
    if (strcmp(reference, "input") == 0) return 0;
    char scope[MAX_SUFFIX];
    snprintf(scope, sizeof scope, "%s", suffix);
    for (;;) {
        sn_text label = SN_TEXT_EMPTY;
        sn_text_addf(&label, "%s%s", reference, scope);
        int found = label.failed ? NO_MEMORY : *find_slot(f, sn_text_string(&label));
        sn_text_free(&label);
        char *dot = strrchr(scope, '.');
        if (found || !dot) return found ? found : UNKNOWN;
        *dot = '\0';
    }
}

/* The label of an earlier entry that `reference` may have meant: one near it, or the last of its copies; NULL: none.
 * Only so many entries before it are looked at: a hostile list may have any number, and as many references. */
static const char *nearest_label(const flattener *f, const char *reference) {
    enum { MOST = 1000 };
    sn_suggestion nearest = sn_suggestion_for(reference, NULL);
    size_t n = strlen(reference);
    const char *copy = NULL;
    for (int i = f->flat->n - 1; i >= 0 && i >= f->flat->n - MOST; i--) {
        const char *label = f->flat->items[i].label;
        sn_suggestion_offer(&nearest, label);
        if (!copy && strncmp(label, reference, n) == 0 && label[n] == '.') copy = label;
    }
    sn_suggestion_offer(&nearest, "input");
    return copy ? copy : nearest.best;
}

static sn_status unknown_reference(flattener *f, const sn_layer *layer, const sn_value *reference) {
    const char *name = sn_value_text(reference, "");
    sn_suggestion found = {.best = f->error->dropped == 0 ? nearest_label(f, name) : NULL};
    sn_text hint = SN_TEXT_EMPTY;
    sn_suggestion_write(&found, &hint);
    sn_config_fault(f->config, reference, f->error,
                    "%s: no earlier entry has the label \"%s\"%s (inputs name earlier entries, or \"input\")",
                    layer->label, name, sn_text_string(&hint));
    sn_text_free(&hint);
    return f->error->status;
}

static sn_status set_inputs(flattener *f, sn_layer *layer, const char *suffix) {
    const sn_value *inputs = sn_value_get(layer->config, "inputs");
    layer->n_inputs = inputs ? (int)sn_value_count(inputs) : 1;
    layer->inputs = sn_pool_alloc(&f->flat->pool, (size_t)layer->n_inputs * sizeof *layer->inputs);
    if (!layer->inputs) return sn_error_memory(f->error, (size_t)layer->n_inputs * sizeof(int), "inputs");
    if (!inputs) layer->inputs[0] = f->flat->n; /* the entry before */
    int k = 0;
    for (const sn_value *v = sn_value_first(inputs); v; v = sn_value_next(v), k++) {
        int number = resolve(f, sn_value_text(v, ""), suffix);
        if (number == NO_MEMORY) return sn_error_memory(f->error, MAX_SUFFIX, "a label");
        if (number == UNKNOWN) unknown_reference(f, layer, v);
        layer->inputs[k] = number < 0 ? 0 : number;
    }
    return SN_OK;
}

static sn_status add_layer(flattener *f, const sn_value *entry, const char *suffix) {
    sn_layer_list *flat = f->flat;
    if (flat->n == flat->capacity) {
        sn_status status = grow(f);
        if (status) return status;
    }
    const char *given = sn_value_text(entry, "label");
    size_t length = given ? strlen(given) + strlen(suffix) : 0;
    if (length > SN_MAX_LABEL) {
        return sn_config_fault(f->config, sn_value_get(entry, "label"), f->error,
                               "a label of %zu bytes (\"%.*s...\"%s), at most %d are possible%s", length,
                               (int)sn_utf8_cut(given, 24), given, *suffix ? ", with the number of its copy" : "",
                               SN_MAX_LABEL, *suffix ? " (a shorter label, or fewer nested repeats)" : "");
    }
    sn_layer layer = {.config = entry, .label = make_label(f, entry, suffix)};
    if (!layer.label) return sn_error_memory(f->error, MAX_SUFFIX, "a label");
    int *slot = find_slot(f, layer.label);
    bool is_input = strcmp(layer.label, "input") == 0;
    if (*slot || is_input) {
        sn_config_fault(f->config, entry, f->error, "the label \"%s\" %s", layer.label,
                        is_input ? "stands for the network's input; choose another" : "is taken by an earlier entry");
    }
    sn_status status = set_inputs(f, &layer, suffix);
    if (status) return status;
    flat->items[flat->n++] = layer;
    if (!*slot) *slot = flat->n;
    return SN_OK;
}

static sn_status add_list(flattener *f, const sn_value *list, const char *suffix);

static sn_status add_repeat(flattener *f, const sn_value *entry, const char *suffix) {
    int64_t n = sn_value_integer(entry, "repeat");
    if (sn_value_get(entry, "label") || sn_value_get(entry, "inputs")) {
        sn_config_fault(f->config, entry, f->error, "a repeat has no label and no inputs: its entries have");
    }
    for (int64_t i = 1; i <= n; i++) {
        char inner[MAX_SUFFIX];
        int length = snprintf(inner, sizeof inner, "%s.%lld", suffix, (long long)i);
        if (length >= MAX_SUFFIX) return sn_config_fault(f->config, entry, f->error, "repeats nest too deep");
        sn_status status = add_list(f, sn_value_get(entry, "layers"), inner);
        if (status) return status;
    }
    return SN_OK;
}

/* Stops at memory and limits only: other faults are collected. */
static sn_status add_list(flattener *f, const sn_value *list, const char *suffix) {
    for (const sn_value *entry = sn_value_first(list); entry; entry = sn_value_next(entry)) {
        sn_status status = sn_value_get(entry, "repeat") ? add_repeat(f, entry, suffix) : add_layer(f, entry, suffix);
        if (status) return status;
    }
    return SN_OK;
}

static void count_list(layer_counts *counts, const sn_value *list, double copies) {
    for (const sn_value *entry = sn_value_first(list); entry; entry = sn_value_next(entry)) {
        const sn_value *inputs = sn_value_get(entry, "inputs");
        const char *label = sn_value_text(entry, "label");
        if (sn_value_get(entry, "repeat")) {
            count_list(counts, sn_value_get(entry, "layers"), copies * sn_value_number(entry, "repeat"));
        } else {
            counts->nodes += copies;
            counts->edges += copies * (double)(inputs ? sn_value_count(inputs) : 1);
            counts->label_bytes += copies * (double)(label ? strlen(label) : 0);
        }
    }
}

/* Before the copies are made: their number, and the memory that they and their nodes will take. */
static sn_status check_counts(const flattener *f, const sn_value *list) {
    enum { SLOTS = 8, NAME_BYTES = 32 }; /* of the table of labels for each; of what an entry without label is called */
    layer_counts counts = {0};
    count_list(&counts, list, 1);
    if (counts.nodes > SN_MAX_NODES) {
        return sn_config_fault(f->config, list, f->error, "%.7g layers with all copies, at most %d are possible",
                               counts.nodes, SN_MAX_NODES);
    }
    if (counts.edges > (double)SN_MAX_EDGES) {
        return sn_config_fault(f->config, list, f->error, "the layers read %.4g inputs, at most %zu are possible",
                               counts.edges, SN_MAX_EDGES);
    }
    double nodes = counts.nodes;
    double labels = counts.label_bytes < nodes * SN_MAX_LABEL ? counts.label_bytes : nodes * SN_MAX_LABEL;
    double each = 2 * sizeof(sn_layer) + SLOTS * sizeof(int) + sizeof(sn_node) + 2.0 * NAME_BYTES;
    double bytes = nodes * each + 2 * labels + 3 * counts.edges * sizeof(int);
    return sn_memory_check((size_t)bytes, "the list of layers", f->error);
}

sn_status sn_layers_flatten(sn_layer_list *flat, const sn_config *config, const sn_value *list, sn_error *error) {
    *flat = (sn_layer_list){0};
    flattener f = {.flat = flat, .config = config, .error = error};
    sn_status status = check_counts(&f, list);
    if (!status) status = grow(&f);
    if (!status) status = add_list(&f, list, "");
    free(f.slots);
    return error->status ? error->status : status;
}

void sn_layers_reset(sn_layer_list *flat) {
    free(flat->items);
    sn_pool_free(&flat->pool);
    *flat = (sn_layer_list){0};
}

static const sn_key reference_key = {.types = SN_TEXT, .flags = SN_NOT_EMPTY, .help = "a label, or input"};

const sn_key sn_layer_common_keys[] = {
    {.name = "label", .types = SN_TEXT, .flags = SN_NOT_EMPTY, .help = "the entry's name; else its op and a number"},
    {.name = "inputs",
     .types = SN_LIST,
     .flags = SN_NOT_EMPTY,
     .element = &reference_key,
     .help = "labels of earlier entries, or input; else the entry before"},
    {0},
};

const sn_key sn_layer_element = {.types = SN_KIND, .choice = &sn_op_choice, .help = "an entry of the layer list"};

static const sn_key repeat_keys[] = {
    {.name = "repeat",
     .types = SN_INTEGER,
     .flags = SN_REQUIRED,
     .min = 1,
     .max = SN_MAX_NODES,
     .help = "how many copies"},
    {.name = "layers",
     .types = SN_LIST,
     .flags = SN_REQUIRED | SN_NOT_EMPTY,
     .element = &sn_layer_element,
     .help = "the entries to copy; labels get .1 ... .n"},
    {0},
};

const sn_kind sn_repeat_kind = {
    .name = "repeat", .help = "copies a list of entries", .keys = repeat_keys, .chosen_by = "repeat"};
