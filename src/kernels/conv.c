/* Owns the direct convolution, as products of gemm.c.
 *
 * Positions of a row that meet the same taps are bands of one product: its steps are those taps, each with all features
 * of the input's position there, and are read where they lie.  What is outside the image is not computed.  The weight
 * gradient sums over samples, which are inside a vector; so rows of the input are turned around first, each once, and
 * then serve all taps. */
#include "kernels/conv.h"

#include <string.h>

#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "kernels/lanes.h"

/* ---- forward and backward ---- */

/* Positions of `to` along an axis, `step` apart, that meet the same taps: from `tap` on, `taps` of them, `tap_step`
 * apart.  The first of them reads position `from` with its first tap; from_step is the way to what the next one reads,
 * from_tap to what the next tap reads. */
typedef struct stretch {
    size_t first, n, step;
    size_t tap, taps, tap_step;
    ptrdiff_t from, from_step, from_tap;
} stretch;

/* The taps that position `at` of the output meets. */
static stretch taps_forward(const sn_conv_axis *a, size_t at) {
    size_t begin = at * a->stride, outside = a->padding > begin ? a->padding - begin : 0;
    size_t end = a->in + a->padding > begin ? a->in + a->padding - begin : 0;
    if (end > a->kernel) end = a->kernel;
    return (stretch){.first = at,
                     .n = 1,
                     .step = 1,
                     .tap = outside,
                     .taps = end > outside ? end - outside : 0,
                     .tap_step = 1,
                     .from = (ptrdiff_t)(begin + outside) - (ptrdiff_t)a->padding,
                     .from_step = (ptrdiff_t)a->stride,
                     .from_tap = 1};
}

/* The taps by which position `at` of the input comes into the output: of those with a whole number of strides in
 * between the ones that lead to a position of the output. */
static stretch taps_transposed(const sn_conv_axis *a, size_t at) {
    size_t end = at + a->padding, tap = end % a->stride;
    if (end / a->stride >= a->out) tap += (end / a->stride - a->out + 1) * a->stride;
    size_t last =
        end < a->kernel - 1 ? end : a->kernel - 1; /* a tap beyond it would lead to what is before the first */
    return (stretch){.first = at,
                     .n = 1,
                     .step = a->stride,
                     .tap = tap,
                     .taps = tap <= last ? (last - tap) / a->stride + 1 : 0,
                     .tap_step = a->stride,
                     .from = ((ptrdiff_t)end - (ptrdiff_t)tap) / (ptrdiff_t)a->stride,
                     .from_step = 1,
                     .from_tap = -1};
}

static stretch taps_at(const sn_convolution *c, const sn_conv_axis *a, size_t at) {
    return c->is_transposed ? taps_transposed(a, at) : taps_forward(a, at);
}

static size_t length_of(const sn_convolution *c, const sn_conv_axis *a) {
    return c->is_transposed ? a->in : a->out;
}

/* From `at` on as far as the taps are the same. */
static stretch stretch_at(const sn_convolution *c, const sn_conv_axis *a, size_t at) {
    stretch s = taps_at(c, a, at);
    for (size_t next = at + s.step; next < length_of(c, a); next += s.step, s.n++) {
        stretch other = taps_at(c, a, next);
        if (other.tap != s.tap || other.taps != s.taps) break;
    }
    return s;
}

/* Positions of `from` in a row. */
static size_t row_of(const sn_convolution *c) {
    return c->is_transposed ? c->x.out : c->x.in;
}

enum { MOST_RUNS = SN_CONV_MOST_KERNEL * SN_CONV_MOST_KERNEL };

/* The steps of a product.  Either a run has the features of one tap, or where there are fewer features than taps in a
 * row the taps of one feature. */
typedef struct steps {
    sn_run runs[MOST_RUNS];
    int n;
    size_t a_step, b_step; /* from a step of a run to the next */
} steps;

static bool runs_along_taps(const sn_convolution *c, const stretch *x) {
    return !c->is_transposed && c->from_features < x->taps;
}

static void set_steps(const sn_convolution *c, const stretch *y, const stretch *x, steps *s) {
    bool along_taps = runs_along_taps(c, x);
    ptrdiff_t ld = (ptrdiff_t)c->from.ld, row = (ptrdiff_t)row_of(c) * y->from_tap * ld, next = x->from_tap * ld;
    size_t runs = along_taps ? c->from_features : x->taps;
    s->n = 0;
    s->a_step = along_taps ? 1 : c->from_step;
    s->b_step = along_taps ? c->from.ld : SN_PANEL;
    for (size_t t = 0; t < y->taps; t++) {
        for (size_t u = 0; u < runs; u++) {
            size_t first = (y->tap + t * y->tap_step) * c->x.kernel + x->tap;
            sn_run *run = &s->runs[s->n++];
            run->a = first + u * (along_taps ? c->from_step : x->tap_step);
            run->b = (ptrdiff_t)t * row + (ptrdiff_t)u * (along_taps ? SN_PANEL : next);
            run->steps = along_taps ? x->taps : c->from_features;
        }
    }
}

/* What a block of `to` is where it meets no tap. */
static void start_block(const sn_convolution *c, size_t block) {
    for (size_t i = 0; i < c->to_features; i++) {
        real *to = sn_lanes_of(c->to, block, i);
        const real *base = c->base.data ? sn_lanes_of(c->base, block, i) : NULL;
        for (size_t l = 0; l < c->lanes; l++)
            to[l] = base ? base[l] : c->bias ? c->bias[i] : 0;
    }
}

/* Where a stretch of a row of a panel is: blocks of `to` and of `from`. */
typedef struct site {
    size_t to, from;
} site;

static site site_of(const sn_convolution *c, size_t panel, const stretch *y, size_t row, const stretch *x) {
    size_t to_row = length_of(c, &c->x), to_rows = length_of(c, &c->y);
    size_t from_rows = c->is_transposed ? c->y.out : c->y.in;
    ptrdiff_t from_y = y->from + (ptrdiff_t)row * y->from_step;
    return (site){.to = (panel * to_rows + y->first + row * y->step) * to_row + x->first,
                  .from = (panel * from_rows + (size_t)from_y) * row_of(c) + (size_t)x->from};
}

/* Positions of a stretch that meet no tap. */
static bool start_stretch(const sn_convolution *c, site at, const stretch *x) {
    for (size_t p = 0; p < x->n; p++)
        start_block(c, at.to + p * x->step);
    return true;
}

/* (to_features, lanes) at every position of a stretch. */
static bool convolve_stretch(const sn_convolution *c, site at, const stretch *y, const stretch *x) {
    steps s;
    if (y->taps == 0 || x->taps == 0) return start_stretch(c, at, x);
    set_steps(c, y, x, &s);
    sn_product product = {.m = c->to_features,
                          .k = y->taps * x->taps * c->from_features,
                          .bands = x->n,
                          .cols = c->lanes,
                          .last_cols = c->lanes,
                          .a = c->weight,
                          .a_row = c->to_step,
                          .a_step = s.a_step,
                          .runs = s.runs,
                          .b = sn_lanes_of(c->from, at.from, 0),
                          .b_ld = s.b_step,
                          .b_band = (size_t)x->from_step * c->from.ld,
                          .c = sn_lanes_of(c->to, at.to, 0),
                          .c_ld = SN_PANEL,
                          .c_band = x->step * c->to.ld,
                          .bias = c->bias};
    if (c->base.data) {
        product.start = sn_lanes_of(c->base, at.to, 0);
        product.start_ld = SN_PANEL;
        product.start_band = x->step * c->base.ld;
    }
    return SN_V(sn_gemm)(&product);
}

/* Row `row` of a stretch of rows: positions that are a stride apart in a backward pass meet like taps. */
static bool convolve_row(const sn_convolution *c, size_t panel, const stretch *y, size_t row) {
    size_t classes = c->is_transposed ? c->x.stride : 1;
    bool is_finite = true;
    for (size_t k = 0; k < classes; k++) {
        stretch x;
        for (size_t at = k; at < length_of(c, &c->x); at += x.n * x.step) {
            x = stretch_at(c, &c->x, at);
            is_finite = convolve_stretch(c, site_of(c, panel, y, row, &x), y, &x) && is_finite;
        }
    }
    return is_finite;
}

static bool convolve_panel(const sn_convolution *c, size_t panel) {
    size_t classes = c->is_transposed ? c->y.stride : 1;
    bool is_finite = true;
    for (size_t k = 0; k < classes; k++) {
        stretch y;
        for (size_t at = k; at < length_of(c, &c->y); at += y.n * y.step) {
            y = stretch_at(c, &c->y, at);
            for (size_t row = 0; row < y.n; row++)
                is_finite = convolve_row(c, panel, &y, row) && is_finite;
        }
    }
    return is_finite;
}

bool SN_V(sn_convolve)(const sn_convolution *c) {
    bool is_finite = true;
    for (size_t panel = 0; panel < c->panels; panel++)
        is_finite = convolve_panel(c, panel) && is_finite;
    return is_finite;
}

/* ---- the gradient by the weights ---- */

/* A row of the input turned around: (position, lane) by features; and sums by tap: (output, feature). */
typedef struct turned {
    const sn_conv_gradient *g;
    size_t ld;           /* features, in whole vectors of SN_PANEL */
    real *rows, *sums;   /* (y.kernel, x.in * SN_PANEL, ld), (taps, rows, ld) */
    size_t panel, lanes; /* the panel, and its samples */
    size_t next;         /* the next row of the input that is to be turned around */
} turned;

/* The row of the ring where row `y` of the input lies. */
static real *row_at(const turned *t, size_t y) {
    return t->rows + y % t->g->y.kernel * t->g->x.in * SN_PANEL * t->ld;
}

/* Turns around what is missing of the rows up to, not with, `end`. */
static void turn_rows(turned *t, size_t end) {
    const sn_conv_gradient *g = t->g;
    if (end > t->next + g->y.kernel) t->next = end - g->y.kernel;
    for (; t->next < end; t->next++) {
        for (size_t x = 0; x < g->x.in; x++) {
            const real *from = sn_lanes_of(g->in, (t->panel * g->y.in + t->next) * g->x.in + x, 0);
            sn_view to = {row_at(t, t->next) + x * SN_PANEL * t->ld, t->ld};
            SN_V(sn_transpose)(to, (sn_view){(real *)from, SN_PANEL}, g->cols, SN_PANEL);
        }
    }
}

/* Positions of a row of the output that one product sums over. */
enum { MOST_POSITIONS = 64 };

/* sums of a tap += dy (output, samples) in (samples, feature) over positions of a row: from `begin` up to `end`. */
static void add_positions(const turned *t, size_t tap, const real *dy, const real *in, size_t n) {
    const sn_conv_gradient *g = t->g;
    sn_run runs[MOST_POSITIONS];
    for (size_t k = 0; k < n; k++)
        runs[k] = (sn_run){k * g->dy.ld, (ptrdiff_t)(k * g->x.stride * SN_PANEL * t->ld), t->lanes};
    size_t last = g->cols % SN_PANEL;
    real *sums = t->sums + tap * g->rows * t->ld;
    sn_product product = {.m = g->rows,
                          .k = n * t->lanes,
                          .bands = t->ld / SN_PANEL,
                          .cols = SN_PANEL,
                          .last_cols = last ? last : SN_PANEL,
                          .a = dy,
                          .a_row = SN_PANEL,
                          .a_step = 1,
                          .runs = runs,
                          .b = in,
                          .b_ld = t->ld,
                          .b_band = SN_PANEL,
                          .c = sums,
                          .c_ld = t->ld,
                          .c_band = SN_PANEL,
                          .start = sums,
                          .start_ld = t->ld,
                          .start_band = SN_PANEL};
    SN_V(sn_gemm)(&product);
}

/* A tap of row `out` of the output: the positions whose tap is inside the input's row `y`. */
static void add_tap(const turned *t, size_t out, size_t y, size_t tap) {
    const sn_conv_gradient *g = t->g;
    size_t u = tap % g->x.kernel;
    size_t begin = u < g->x.padding ? (g->x.padding - u + g->x.stride - 1) / g->x.stride : 0;
    size_t reach = g->x.in + g->x.padding, end = reach > u ? (reach - u - 1) / g->x.stride + 1 : 0;
    if (end > g->x.out) end = g->x.out;
    for (size_t n; begin < end; begin += n) {
        n = end - begin < MOST_POSITIONS ? end - begin : MOST_POSITIONS;
        const real *dy = sn_lanes_of(g->dy, (t->panel * g->y.out + out) * g->x.out + begin, 0);
        size_t x = begin * g->x.stride + u - g->x.padding;
        add_positions(t, tap, dy, row_at(t, y) + x * SN_PANEL * t->ld, n);
    }
}

static void add_row(turned *t, size_t out) {
    const sn_conv_gradient *g = t->g;
    size_t begin = out * g->y.stride, reach = g->y.in + g->y.padding;
    size_t end = begin + g->y.kernel < reach ? begin + g->y.kernel : reach;
    if (end > g->y.padding) turn_rows(t, end - g->y.padding);
    for (size_t k = 0; k < g->y.kernel; k++) {
        if (begin + k < g->y.padding || begin + k >= reach) continue;
        for (size_t u = 0; u < g->x.kernel; u++)
            add_tap(t, out, begin + k - g->y.padding, k * g->x.kernel + u);
    }
}

/* From sums by tap to the weights' layout. */
static void put_sums(const turned *t) {
    const sn_conv_gradient *g = t->g;
    size_t taps = g->y.kernel * g->x.kernel;
    for (size_t i = 0; i < g->rows; i++) {
        real *to = sn_row(g->gradient, i);
        for (size_t k = 0; k < taps; k++) {
            const real *sums = t->sums + (k * g->rows + i) * t->ld;
            for (size_t c = 0; c < g->cols; c++)
                to[c * taps + k] = sums[c];
        }
    }
}

bool SN_V(sn_conv_gradient_of)(const sn_conv_gradient *g) {
    turned t = {.g = g, .ld = sn_panels(g->cols) * SN_PANEL, .rows = g->room};
    size_t taps = g->y.kernel * g->x.kernel;
    t.sums = t.rows + g->y.kernel * g->x.in * SN_PANEL * t.ld;
    memset(t.sums, 0, taps * g->rows * t.ld * sizeof(real));
    for (t.panel = 0; t.panel < sn_panels(g->samples); t.panel++) {
        t.lanes = sn_panel_samples(g->samples, t.panel);
        t.next = 0;
        for (size_t out = 0; out < g->y.out; out++)
            add_row(&t, out);
    }
    put_sums(&t);
    return SN_V(sn_all_finite)(g->gradient, g->rows, g->cols * taps);
}
