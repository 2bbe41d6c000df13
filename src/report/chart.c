/* Owns the bar chart by layer: delta_rms and grad_rms side by side on one log axis.
 *
 * Bars say nothing that is not so: what is not zero has a bar, however short; exact zeros, frozen layers, nan and
 * "not measured" each have a mark of their own, also where only some layers of a row are concerned. */
#include "report/chart.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/prose.h"

enum { MAX_ROWS = 25, DELTA = 0, GRADIENT = 1, N_BARS = 2, VALUE_WIDTH = 8, LABEL_TEXT = 32 };
enum { MIN_BAR = 13, MAX_BAR = 60 }; /* characters; the least holds both ends of any axis */

typedef struct bar {
    bool is_measured, has_zero;
    double value; /* of the layers that are not zero; 0 where all are */
    double level; /* log10 of it, where it has a bar */
} bar;

typedef struct row {
    const sn_summary_layer *layers;
    int n, n_frozen;
    bar bars[N_BARS];
    sn_measure stalled;
} row;

typedef struct chart {
    const sn_summary_style *style;
    row rows[MAX_ROWS];
    int n_rows;
    int label_width, bar_width;
    int low, high; /* powers of ten at the ends of the axis; low == high: there is nothing to draw */
} chart;

static bool has_bar(const bar *b) {
    return b->is_measured && b->value != 0 && isfinite(b->value);
}

static bar gather_bar(const row *r, int which) {
    bar b = {0};
    double levels = 0, bad = 0;
    int n = 0;
    for (int i = 0; i < r->n; i++) {
        sn_measure m = which == DELTA ? r->layers[i].delta_rms : r->layers[i].grad_rms;
        if (!m.is_measured) continue;
        b.is_measured = true;
        if (m.value == 0) {
            b.has_zero = true;
        } else if (!isfinite(m.value)) {
            bad += m.value;
        } else {
            levels += log10(m.value);
            b.value = m.value;
            n++;
        }
    }
    if (n > 0) b.level = levels / n;
    if (n > 1) b.value = pow(10, b.level);
    if (bad != 0) b.value = bad;
    return b;
}

static row gather_row(const sn_summary_layer *layers, int n) {
    row r = {.layers = layers, .n = n};
    int measured = 0;
    for (int i = 0; i < n; i++) {
        r.n_frozen += layers[i].is_frozen;
        if (!layers[i].stalled_frac.is_measured) continue;
        r.stalled.value += layers[i].stalled_frac.value;
        measured++;
    }
    if (measured > 0) r.stalled = sn_measured(r.stalled.value / measured);
    for (int which = 0; which < N_BARS; which++)
        r.bars[which] = gather_bar(&r, which);
    return r;
}

static int label_of(const row *r, char out[LABEL_TEXT]) {
    int first = r->layers[0].layer, last = r->layers[r->n - 1].layer;
    return r->n == 1 ? snprintf(out, LABEL_TEXT, "%d", first) : snprintf(out, LABEL_TEXT, "%d-%d", first, last);
}

/* The ends lie beyond all values, the lower one strictly, so that every bar has a length. */
static void set_axis(chart *c) {
    c->low = INT_MAX;
    c->high = INT_MIN;
    for (int i = 0; i < c->n_rows * N_BARS; i++) {
        const bar *b = &c->rows[i / N_BARS].bars[i % N_BARS];
        if (!has_bar(b)) continue;
        int below = (int)ceil(b->level) - 1, above = (int)ceil(b->level);
        if (below < c->low) c->low = below;
        if (above > c->high) c->high = above;
    }
    if (c->low > c->high) c->low = c->high = 0;
}

static void set_layout(chart *c) {
    char label[LABEL_TEXT];
    c->label_width = (int)strlen("layer");
    for (int i = 0; i < c->n_rows; i++) {
        int width = label_of(&c->rows[i], label);
        if (width > c->label_width) c->label_width = width;
    }
    int fixed = c->label_width + 3 + 2 * (1 + VALUE_WIDTH) + 4 + (int)strlen("stalled");
    c->bar_width = (c->style->columns - fixed) / N_BARS;
    if (c->bar_width < MIN_BAR) c->bar_width = MIN_BAR;
    if (c->bar_width > MAX_BAR) c->bar_width = MAX_BAR;
}

static void add_repeated(sn_text *text, const char *piece, int n) {
    for (int i = 0; i < n; i++)
        sn_text_add(text, piece);
}

static void add_axis(const chart *c, sn_text *text) {
    char low[SN_SHORT_TEXT], high[SN_SHORT_TEXT];
    int ends = snprintf(low, sizeof low, "1e%d", c->low) + snprintf(high, sizeof high, "1e%d", c->high);
    for (int which = 0; which < N_BARS; which++) {
        add_repeated(text, " ", which == 0 ? c->label_width + 3 : 1 + VALUE_WIDTH + 2);
        sn_text_addf(text, "%s ", low);
        add_repeated(text, c->style->unicode ? "\u2500" : "-", c->bar_width - ends - 2);
        sn_text_addf(text, " %s", high);
    }
    sn_text_add(text, "\n");
}

static void add_head(const chart *c, sn_text *text) {
    int bar_column = c->bar_width + 1 + VALUE_WIDTH + 2;
    sn_text_addf(text, "%*s   %-*s%-*sstalled\n", c->label_width, "layer", bar_column, "delta_rms", bar_column,
                 "grad_rms");
    if (c->low < c->high) add_axis(c, text);
}

/* Appends the bar in blocks of an eighth of a character, or in whole ones; returns its width in characters. */
static int add_blocks(const chart *c, const bar *b, sn_text *text) {
    static const char *const blocks[] = {"\u2588", "\u258f", "\u258e", "\u258d",
                                         "\u258c", "\u258b", "\u258a", "\u2589"};
    int parts = c->style->unicode ? 8 : 1;
    double share = (b->level - c->low) / (c->high - c->low);
    int length = (int)lround(share * c->bar_width * parts);
    if (length < 1) length = 1;
    int width = (length + parts - 1) / parts;
    for (int i = b->has_zero; i < width; i++) {
        bool is_partial = i == width - 1 && length % parts != 0;
        sn_text_add(text, parts == 1 ? "#" : blocks[is_partial ? length % parts : 0]);
    }
    return width;
}

static void add_colour(const chart *c, const char *code, sn_text *text) {
    if (c->style->colour) sn_text_addf(text, "\033[%sm", code);
}

static void add_bar(const chart *c, const bar *b, int which, sn_text *text) {
    char value[SN_SHORT_TEXT] = "-";
    bool marks_zero = b->is_measured && b->has_zero;
    int width = marks_zero;
    add_colour(c, which == DELTA ? "34" : "33", text); /* blue and yellow: apart for every kind of eyes */
    if (marks_zero) sn_text_add(text, "0");
    if (has_bar(b)) width = add_blocks(c, b, text);
    add_colour(c, "0", text);
    if (b->is_measured) sn_prose_number(b->value, value);
    sn_text_addf(text, "%*s %-*s  ", c->bar_width - width, "", VALUE_WIDTH, value);
}

static void add_row(const chart *c, const row *r, sn_text *text) {
    char label[LABEL_TEXT], share[SN_SHORT_TEXT] = "-";
    label_of(r, label);
    sn_text_addf(text, "%*s ", c->label_width, label);
    if (r->n_frozen > 0) add_colour(c, "31", text);
    sn_text_add(text, r->n_frozen == 0 ? " " : r->n_frozen == r->n ? "*" : "+");
    if (r->n_frozen > 0) add_colour(c, "0", text);
    sn_text_add(text, " ");
    for (int which = 0; which < N_BARS; which++)
        add_bar(c, &r->bars[which], which, text);
    if (r->stalled.is_measured) sn_prose_share(r->stalled.value, SN_ROUND_NEAREST, share);
    sn_text_addf(text, "%7s\n", share);
}

/* Only the marks that the chart has. */
static void add_key(const chart *c, sn_text *text) {
    bool has_all = false, has_some = false, has_zero = false, has_means = false;
    for (int i = 0; i < c->n_rows; i++) {
        const row *r = &c->rows[i];
        has_all |= r->n_frozen == r->n;
        has_some |= r->n_frozen > 0 && r->n_frozen < r->n;
        has_zero |= r->bars[DELTA].has_zero || r->bars[GRADIENT].has_zero;
        has_means |= r->n > 1;
    }
    sn_text key = SN_TEXT_EMPTY;
    if (has_all) sn_text_add(&key, "* frozen; ");
    if (has_some) sn_text_add(&key, "+ some layers of the row frozen; ");
    if (has_zero)
        sn_text_add(&key,
                    has_means ? "0 exactly zero (before a bar: in some layers of the row); " : "0 exactly zero; ");
    if (has_means)
        sn_text_add(&key, "rows of several layers: geometric mean of what is not zero, mean stalled share; ");
    if (key.length > 2) {
        key.data[key.length - 2] = '\0';
        sn_prose_wrap(text, key.data, c->style->columns);
    }
    text->failed |= key.failed;
    sn_text_free(&key);
}

void sn_chart_layers(const sn_summary *summary, const sn_summary_style *style, sn_text *text) {
    chart c = {.style = style, .n_rows = summary->n_hidden < MAX_ROWS ? summary->n_hidden : MAX_ROWS};
    for (int i = 0; i < c.n_rows; i++) {
        int64_t n = summary->n_hidden, first = i * n / c.n_rows, end = (i + 1) * n / c.n_rows;
        c.rows[i] = gather_row(&summary->layers[first], (int)(end - first));
    }
    set_axis(&c);
    set_layout(&c);
    add_head(&c, text);
    for (int i = 0; i < c.n_rows; i++)
        add_row(&c, &c.rows[i], text);
    add_key(&c, text);
}
