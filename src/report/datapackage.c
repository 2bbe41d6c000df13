/* Owns the description of a run's columns: its datapackage.json and the table of `skipnet list metrics`. */
#include <stdio.h>
#include <string.h>

#include "report/metrics.h"
#include "report/package.h"

void sn_datapackage(sn_text *text, const char *run_name, const sn_sheet *const *sheets) {
    sn_package_open(
        text, run_name,
        "Loss and per-layer gradients of one skipnet run. An empty cell was not measured; nan, inf and -inf in a "
        "number column were measured and are not finite (Table Schema reads them as NaN, INF and -INF). Unit 1 "
        "is a pure number.");
    for (const sn_sheet *const *sheet = sheets; *sheet; sheet++)
        sn_package_sheet(text, *sheet, sheet == sheets);
    sn_package_close(text, "");
}

/* ---- the table for people ---- */

static const sn_column titles = {.name = "column", .type = "type", .unit = "unit", .help = "meaning"};

typedef struct widths {
    int file, name, type, unit;
} widths;

static void widen(int *width, const char *cell) {
    if ((int)strlen(cell) > *width) *width = (int)strlen(cell);
}

/* Measures a column or, where there is a text, writes it. */
static void visit_column(sn_text *text, widths *w, const char *file, const sn_column *c) {
    if (text) {
        sn_text_addf(text, "%-*s  %-*s  %-*s  %-*s  %s\n", w->file, file, w->name, c->name, w->type, c->type, w->unit,
                     *c->unit ? c->unit : "-", c->help);
    } else {
        widen(&w->file, file);
        widen(&w->name, c->name);
        widen(&w->type, c->type);
        widen(&w->unit, c->unit);
    }
}

static void visit_all(sn_text *text, widths *w) {
    visit_column(text, w, "file", &titles);
    for (const sn_sheet *const *sheet = sn_run_sheets; *sheet; sheet++) {
        char file[32];
        snprintf(file, sizeof file, "%s.csv", (*sheet)->name);
        for (const sn_column *column = (*sheet)->columns; column->name; column++)
            visit_column(text, w, file, column);
    }
}

void sn_metrics_list(sn_text *text) {
    widths w = {0};
    visit_all(NULL, &w);
    visit_all(text, &w);
}
