/* Owns the description of a run's columns: its datapackage.json and the table of `skipnet list metrics`. */
#include <string.h>

#include "report/metrics.h"
#include "report/package.h"

void sn_datapackage(sn_text *text, const char *run_name) {
    sn_package_open(
        text, run_name,
        "Loss and per-layer gradients of one skipnet run. An empty cell was not measured; nan, inf and -inf in a "
        "number column were measured and are not finite (Table Schema reads them as NaN, INF and -INF). Unit 1 "
        "is a pure number.");
    sn_package_resource_open(text, "loss", "One row per reported step.", true);
    for (const sn_loss_metric *metric = sn_loss_metrics; metric->name; metric++)
        sn_package_field(text, &(sn_package_column){metric->name, metric->type, metric->unit, metric->help},
                         metric == sn_loss_metrics);
    sn_package_resource_close(text, "\"step\"");
    sn_package_resource_open(text, "gradients",
                             "One row per reported step and node with parameters, in topological order.", false);
    for (const sn_layer_metric *metric = sn_layer_metrics; metric->name; metric++)
        sn_package_field(text, &(sn_package_column){metric->name, metric->type, metric->unit, metric->help},
                         metric == sn_layer_metrics);
    sn_package_resource_close(text, "\"step\", \"label\"");
    sn_package_close(text);
}

/* ---- the table for people ---- */

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
static void visit_column(sn_text *text, widths *w, const column *c) {
    if (text) {
        add_line(text, w, c);
    } else {
        widen_all(w, c);
    }
}

static void visit_all(sn_text *text, widths *w) {
    visit_column(text, w, &(column){"file", "column", "type", "unit", "meaning"});
    for (const sn_loss_metric *metric = sn_loss_metrics; metric->name; metric++) {
        column c = loss_column(metric);
        visit_column(text, w, &c);
    }
    for (const sn_layer_metric *metric = sn_layer_metrics; metric->name; metric++) {
        column c = layer_column(metric);
        visit_column(text, w, &c);
    }
}

void sn_metrics_list(sn_text *text) {
    widths w = {0};
    visit_all(NULL, &w);
    visit_all(text, &w);
}
