/* Owns the marks that the config puts on parameters. */
#include "run/selection.h"

#include <fnmatch.h>
#include <string.h>

#include "config/suggest.h"

static const sn_key lr_scale_keys[] = {
    {.name = "labels",
     .types = SN_TEXT,
     .flags = SN_REQUIRED | SN_NOT_EMPTY,
     .help = "a pattern of labels (*, ?, [...]), or with the parameter's name: \"*.bias\""},
    {.name = "factor",
     .types = SN_NUMBER,
     .flags = SN_REQUIRED | SN_ABOVE_MIN,
     .min = 0,
     .max = 1e300,
     .help = "of the learning rate of these parameters"},
    {0},
};
const sn_key sn_lr_scale_key = {.types = SN_OBJECT, .keys = lr_scale_keys};

/* What a pattern has done to a parameter. */
typedef void mark(sn_param *param, double factor);

static void hold(sn_param *param, double factor) {
    (void)factor;
    param->is_held = true;
}

static void scale(sn_param *param, double factor) {
    param->lr_factor = factor;
}

static bool matches(const char *pattern, const sn_node *node, const sn_param *param, sn_text *name) {
    sn_text_clear(name);
    sn_text_addf(name, "%s.%s", node->label, param->name);
    return fnmatch(pattern, node->label, 0) == 0 || fnmatch(pattern, sn_text_string(name), 0) == 0;
}

/* Whether a pattern that matches nothing is a label, or begins with one and a dot: then the label has characters that
 * mean something else in a pattern. */
static bool spells(const char *pattern, const char *label) {
    size_t length = strlen(label);
    return strpbrk(label, "[\\") && strncmp(pattern, label, length) == 0 &&
           (pattern[length] == '.' || pattern[length] == '\0');
}

/* Appends how a pattern is written that means its characters. */
static void add_escaped(const char *pattern, sn_text *hint) {
    sn_text_add(hint, ": [ and \\ mean no characters there (write \"");
    for (const char *c = pattern; *c; c++) {
        if (*c == '[') {
            sn_text_add(hint, "[[]");
        } else {
            sn_text_addf(hint, "%s%c", *c == '\\' ? "\\" : "", *c);
        }
    }
    sn_text_add(hint, "\")");
}

static sn_status fault_unmatched(const sn_graph *graph, const sn_config *config, const sn_value *pattern,
                                 sn_error *error) {
    const char *pattern_text = sn_value_text(pattern, ""), *first = NULL;
    sn_suggestion nearest = sn_suggestion_for(pattern_text, NULL);
    bool spelt = false;
    for (int i = 0; i < graph->n_nodes; i++) {
        const char *label = graph->nodes[i].label;
        if (graph->nodes[i].n_params == 0) continue;
        if (!first) first = label;
        spelt = spelt || spells(pattern_text, label);
        sn_suggestion_offer(&nearest, label);
    }
    sn_text hint = SN_TEXT_EMPTY;
    if (spelt) {
        add_escaped(pattern_text, &hint);
    } else if (nearest.best) {
        sn_suggestion_write(&nearest, &hint);
    } else {
        sn_text_addf(&hint, " (skipnet check lists them, the first is \"%s\")", first);
    }
    sn_config_fault(config, pattern, error, "\"%s\" matches no label of a node with parameters%s", pattern_text,
                    sn_text_string(&hint));
    sn_text_free(&hint);
    return SN_INVALID;
}

static sn_status apply(sn_graph *graph, const sn_config *config, const sn_value *pattern, mark *set, double factor,
                       sn_error *error) {
    const char *text = sn_value_text(pattern, "");
    sn_text name = SN_TEXT_EMPTY;
    bool is_matched = false;
    for (int i = 0; i < graph->n_nodes; i++) {
        sn_node *node = &graph->nodes[i];
        for (int p = 0; p < node->n_params; p++) {
            if (!matches(text, node, &node->params[p], &name)) continue;
            set(&node->params[p], factor);
            is_matched = true;
        }
    }
    sn_status status = name.failed ? sn_error_memory(error, name.length, "a label") : SN_OK;
    sn_text_free(&name);
    return status || is_matched ? status : fault_unmatched(graph, config, pattern, error);
}

/* Whether an entry of lr_scale is the last of them to match a parameter. */
static bool is_last_match(const sn_value *entry, const sn_node *node, const sn_param *param, sn_text *name) {
    const sn_value *last = NULL;
    for (const sn_value *v = entry; v; v = sn_value_next(v)) {
        if (matches(sn_value_text(v, "labels"), node, param, name)) last = v;
    }
    return last == entry;
}

/* Whether it decides the rate of any parameter that moves. */
static bool decides(const sn_graph *graph, const sn_value *entry, sn_text *name) {
    for (int i = 0; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        for (int p = 0; p < node->n_params; p++) {
            if (!node->params[p].is_held && is_last_match(entry, node, &node->params[p], name)) return true;
        }
    }
    return false;
}

static sn_status note_idle(const sn_graph *graph, const sn_value *lr_scale, sn_notes *notes, sn_error *error) {
    sn_text name = SN_TEXT_EMPTY;
    int i = 0;
    for (const sn_value *v = sn_value_first(lr_scale); v; v = sn_value_next(v), i++) {
        if (decides(graph, v, &name)) continue;
        sn_note_always(notes,
                       "train.lr_scale[%d] has no effect: all that \"%s\" matches is held by train.freeze, or matched "
                       "by a later pattern",
                       i, sn_value_text(v, "labels"));
    }
    sn_status status = name.failed ? sn_error_memory(error, name.length, "a label") : SN_OK;
    sn_text_free(&name);
    return status;
}

sn_status sn_selection_apply(sn_graph *graph, const sn_config *config, sn_notes *notes, sn_error *error) {
    const sn_value *train = sn_value_get(sn_config_root(config), "train");
    sn_status status = SN_OK, own = SN_OK;
    for (const sn_value *v = sn_value_first(sn_value_get(train, "freeze")); v; v = sn_value_next(v)) {
        own = apply(graph, config, v, hold, 0, error);
        if (own) status = own;
    }
    for (const sn_value *v = sn_value_first(sn_value_get(train, "lr_scale")); v; v = sn_value_next(v)) {
        own = apply(graph, config, sn_value_get(v, "labels"), scale, sn_value_number(v, "factor"), error);
        if (own) status = own;
    }
    if (!status && sn_selection_held(graph) == graph->n_params)
        sn_note_always(notes, "train.freeze holds every parameter: none will move");
    return status ? status : note_idle(graph, sn_value_get(train, "lr_scale"), notes, error);
}

size_t sn_selection_held(const sn_graph *graph) {
    size_t n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        for (int p = 0; p < node->n_params; p++)
            n += node->params[p].is_held ? node->params[p].count : 0;
    }
    return n;
}
