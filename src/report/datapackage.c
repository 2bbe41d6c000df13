/* Owns the description of the columns: datapackage.json (https://specs.frictionlessdata.io/data-package/, version 1,
 * profile tabular-data-package) and the table of `skipnet list metrics`. */
#include <string.h>

#include "report/metrics.h"

/* What both kinds of metric say about their column. */
typedef struct column {
    const char *file, *name, *type, *unit, *help;
} column;

static column loss_column(const sn_loss_metric *metric) {
    return (column){"loss.csv", metric->name, metric->type, metric->unit, metric->help};
}

static column layer_column(const sn_layer_metric *metric) {
    return (column){"gradients.csv", metric->name, metric->type, metric->unit, metric->help};
}

/* ---- datapackage.json ---- */

static void add_member(sn_text *text, const char *indent, const char *key, const char *value) {
    sn_text_addf(text, "%s\"%s\": ", indent, key);
    sn_text_add_json(text, value);
}

static void add_field(sn_text *text, const column *c, bool is_first) {
    sn_text_add(text, is_first ? "\n          {" : ",\n          {");
    add_member(text, "", "name", c->name);
    add_member(text, ", ", "type", c->type);
    add_member(text, ", ", "unit", c->unit);
    add_member(text, ",\n           ", "description", c->help);
    sn_text_add(text, "}");
}

/* A package's name is lower-case letters, digits, dot, hyphen and underscore; the run's own name is its title. */
static void add_package_name(sn_text *text, const char *run_name) {
    sn_text_add(text, "  \"name\": \"");
    for (const char *p = run_name; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
        char letter = is_plain ? c : '-';
        sn_text_add_bytes(text, &letter, 1);
    }
    if (!*run_name) sn_text_add(text, "run");
    sn_text_add(text, "\",\n");
}

static void open_resource(sn_text *text, const char *name, const char *description) {
    sn_text_addf(text, "    {\n      \"name\": \"%s\",\n      \"path\": \"%s.csv\",\n", name, name);
    add_member(text, "      ", "description", description);
    sn_text_add(text, ",\n      \"profile\": \"tabular-data-resource\",\n"
                      "      \"format\": \"csv\",\n"
                      "      \"mediatype\": \"text/csv\",\n"
                      "      \"encoding\": \"utf-8\",\n"
                      "      \"dialect\": {\"delimiter\": \",\", \"lineTerminator\": \"\\n\", \"quoteChar\": \"\\\"\", "
                      "\"doubleQuote\": true, \"header\": true},\n"
                      "      \"schema\": {\n        \"fields\": [");
}

static void close_resource(sn_text *text, const char *primary_key) {
    sn_text_addf(text, "\n        ],\n        \"missingValues\": [\"\"],\n        \"primaryKey\": [%s]\n      }\n    }",
                 primary_key);
}

void sn_datapackage(sn_text *text, const char *run_name) {
    sn_text_add(text, "{\n  \"profile\": \"tabular-data-package\",\n");
    add_package_name(text, run_name);
    add_member(text, "  ", "title", run_name);
    add_member(
        text, ",\n  ", "description",
        "Loss and per-layer gradients of one skipnet run. An empty cell was not measured; nan, inf and -inf in a "
        "number column were measured and are not finite (Table Schema reads them as NaN, INF and -INF). Unit 1 "
        "is a pure number.");
    sn_text_add(text, ",\n  \"resources\": [\n");
    open_resource(text, "loss", "One row per reported step.");
    for (const sn_loss_metric *metric = sn_loss_metrics; metric->name; metric++) {
        column c = loss_column(metric);
        add_field(text, &c, metric == sn_loss_metrics);
    }
    close_resource(text, "\"step\"");
    sn_text_add(text, ",\n");
    open_resource(text, "gradients", "One row per reported step and node with parameters, in topological order.");
    for (const sn_layer_metric *metric = sn_layer_metrics; metric->name; metric++) {
        column c = layer_column(metric);
        add_field(text, &c, metric == sn_layer_metrics);
    }
    close_resource(text, "\"step\", \"label\"");
    sn_text_add(text, "\n  ]\n}\n");
}

/* ---- the table for people ---- */

typedef struct widths {
    int file, name, type, unit;
} widths;

static void widen(int *width, const char *cell) {
    if ((int)strlen(cell) > *width) *width = (int)strlen(cell);
}

static void widen_all(widths *w, const column *c) {
    widen(&w->file, c->file);
    widen(&w->name, c->name);
    widen(&w->type, c->type);
    widen(&w->unit, c->unit);
}

static void add_line(sn_text *text, const widths *w, const column *c) {
    sn_text_addf(text, "%-*s  %-*s  %-*s  %-*s  %s\n", w->file, c->file, w->name, c->name, w->type, c->type, w->unit,
                 *c->unit ? c->unit : "-", c->help);
}

/* Measures a column or, where there is a text, writes it. */
static void visit(sn_text *text, widths *w, const column *c) {
    if (text) {
        add_line(text, w, c);
    } else {
        widen_all(w, c);
    }
}

static void visit_all(sn_text *text, widths *w) {
    visit(text, w, &(column){"file", "column", "type", "unit", "meaning"});
    for (const sn_loss_metric *metric = sn_loss_metrics; metric->name; metric++) {
        column c = loss_column(metric);
        visit(text, w, &c);
    }
    for (const sn_layer_metric *metric = sn_layer_metrics; metric->name; metric++) {
        column c = layer_column(metric);
        visit(text, w, &c);
    }
}

void sn_metrics_list(sn_text *text) {
    widths w = {0};
    visit_all(NULL, &w);
    visit_all(text, &w);
}
