/* Products of a linear layer with signals in panels, on every backend that this CPU runs, in both precisions, by its
 * kernel and by OpenBLAS: against sums in long double, and the kernel's where it has multiply-adds bit by bit against
 * the sum in its order.
 *
 * Signals are columns of a wider buffer, everything else of which is NaN: it may not be read, nor written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ops/table.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/reals.h"

/* A signal in memory: `width` features of `blocks` blocks, behind `gap` others and before as many. */
typedef struct signal {
    sn_dtype dtype;
    size_t blocks, width, gap, samples;
    unsigned char *memory, *before; /* `before`: a copy */
    size_t bytes;
    double *values; /* (blocks, SN_PANEL, width) */
    sn_view view;
} signal;

/* What is to be computed; `lanes` of the last panel, where there is one panel only, else all. */
typedef struct problem {
    const sn_backend *backend;
    sn_node node;
    sn_param params[2];
    size_t in, out, positions, panels, lanes, samples;
    bool by_openblas;
    uint64_t number;
    double *weight, *bias;
    void *tensors[2];
    signal x, dy; /* of what goes into the product */
} problem;

static int n_elements; /* that were compared, so that no test passes without any */

/* ---- signals ---- */

static signal make_signal(const problem *p, size_t width, size_t gap) {
    size_t size = sn_dtype_size(p->backend->dtype), ld = (width + 2 * gap) * SN_PANEL;
    signal s = {p->backend->dtype, p->panels * p->positions, width, gap, p->samples, .bytes = 0};
    s.bytes = s.blocks * ld * size;
    s.memory = malloc(s.bytes);
    s.before = malloc(s.bytes);
    assert_true(s.memory && s.before);
    memset(s.memory, 0xFF, s.bytes); /* NaN, in both precisions */
    s.view = (sn_view){s.memory + gap * SN_PANEL * size, ld};
    memcpy(s.before, s.memory, s.bytes);
    return s;
}

static void drop_signal(signal *s) {
    free(s->memory);
    free(s->before);
    free(s->values);
}

static size_t place_in(const signal *s, size_t block, size_t feature, size_t lane) {
    return block * s->view.ld + feature * SN_PANEL + lane;
}

static double value_at(const signal *s, size_t block, size_t feature, size_t lane) {
    return s->values[(block * SN_PANEL + lane) * s->width + feature];
}

typedef enum idle_lanes { REPEATED, ZERO } idle_lanes;

/* Random numbers in the lanes that are computed: in idle ones, too, but beside a single sample, of which vectors need
 * not run along the lanes. */
static signal draw_signal(const problem *p, const char *label, size_t width, size_t gap, idle_lanes idle) {
    signal s = make_signal(p, width, gap);
    s.values = real_draw(s.dtype, label, p->number, s.blocks * SN_PANEL * width);
    bool is_single = s.blocks == 1 && p->samples == 1;
    for (size_t i = width; i < SN_PANEL * width && is_single; i++)
        s.values[i] = idle == ZERO ? 0 : s.values[i % width];
    for (size_t i = 0; i < s.blocks * SN_PANEL * width; i++) {
        size_t block = i / width / SN_PANEL, lane = i / width % SN_PANEL;
        if (lane < p->lanes) real_set(s.dtype, s.view.data, place_in(&s, block, i % width, lane), s.values[i]);
    }
    memcpy(s.before, s.memory, s.bytes);
    return s;
}

/* Nothing but the lanes of the signal was written. */
static void check_rest(const problem *p, const signal *s, const char *what) {
    size_t size = sn_dtype_size(s->dtype);
    for (size_t i = 0; i < s->bytes / size; i++) {
        size_t column = i / SN_PANEL % (s->view.ld / SN_PANEL), lane = i % SN_PANEL;
        if (column >= s->gap && column < s->gap + s->width && lane < p->lanes) continue;
        if (memcmp(s->memory + i * size, s->before + i * size, size) != 0) fail_msg("%s: wrote element %zu", what, i);
    }
}

/* ---- a layer ---- */

static void open_problem(problem *p) {
    sn_dtype dtype = p->backend->dtype;
    size_t n = p->in * p->out;
    p->params[0] = (sn_param){.rank = 2, .count = n, .rows = p->out, .cols = p->in};
    p->params[1] = (sn_param){.rank = 1, .count = p->out, .rows = 1, .cols = p->out};
    p->node = (sn_node){.op = sn_op_find(sn_ops, "linear"), .positions = p->positions, .width = p->out, .n_params = 2};
    p->node.params = p->params;
    p->weight = real_draw(dtype, "weight", p->number, n);
    p->bias = real_draw(dtype, "bias", p->number, p->out);
    for (int k = 0; k < 2; k++) {
        size_t count = k ? p->out : n;
        p->tensors[k] = malloc(count * sizeof(double));
        assert_non_null(p->tensors[k]);
        p->backend->from_double(p->tensors[k], k ? p->bias : p->weight, count);
    }
    p->x = draw_signal(p, "x", p->in, p->number % 3, REPEATED);
    p->dy = draw_signal(p, "dy", p->out, p->number % 2, ZERO);
}

static void close_problem(problem *p) {
    drop_signal(&p->x);
    drop_signal(&p->dy);
    free(p->weight);
    free(p->bias);
    free(p->tensors[0]);
    free(p->tensors[1]);
}

static const sn_op_kernels *kernels_of(const problem *p) {
    return p->backend->ops[sn_op_index(p->node.op)];
}

static void describe(const problem *p, const char *pass, char out[200]) {
    snprintf(out, 200, "%s %s%s of %zu from %zu, %zu panels of %zu positions, %zu samples", p->backend->simd,
             p->by_openblas ? "OpenBLAS " : "", pass, p->out, p->in, p->panels, p->positions, p->samples);
}

/* An element as it should be: a sum that begins somewhere and goes on term by term. */
typedef struct sum {
    long double exact, magnitude;
    double in_order;
    size_t terms;
} sum;

static sum begin_sum(double start) {
    return (sum){start, fabsl((long double)start), start, 1};
}

static void add_term(sum *s, sn_dtype dtype, double a, double b) {
    s->exact += (long double)a * b;
    s->magnitude += fabsl((long double)a * b);
    s->in_order = real_fma(dtype, a, b, s->in_order);
    s->terms++;
}

static void check_element(const problem *p, const sum *s, double value, const char *what) {
    sn_dtype dtype = p->backend->dtype;
    double bound = (double)s->terms * real_epsilon(dtype) * (double)s->magnitude;
    if (!(fabs((double)((long double)value - s->exact)) <= bound))
        fail_msg("%s: %.17g, should be %.17g", what, value, (double)s->exact);
    if (p->backend->has_fma && !p->by_openblas && value != s->in_order)
        fail_msg("%s: %.17g, in order it is %.17g", what, value, s->in_order);
    n_elements++;
}

/* ---- forward ---- */

static void check_forward(problem *p) {
    char what[200];
    describe(p, "forward", what);
    signal y = make_signal(p, p->out, p->number % 2);
    bool is_finite = false;
    p->node.n_params = p->number % 5 ? 2 : 1;
    sn_op_call call = {.node = &p->node,
                       .samples = p->samples,
                       .blocks = y.blocks,
                       .lanes = p->lanes,
                       .width = p->out,
                       .widths = &p->in,
                       .x = &p->x.view,
                       .y = y.view,
                       .params = p->tensors,
                       .is_finite = &is_finite,
                       .by_openblas = p->by_openblas};
    kernels_of(p)->forward(&call);
    if (!is_finite) fail_msg("%s: said not to be finite", what);
    for (size_t i = 0; i < y.blocks * p->out * p->lanes; i++) {
        size_t block = i / p->lanes / p->out, o = i / p->lanes % p->out, lane = i % p->lanes;
        sum s = begin_sum(p->node.n_params > 1 ? p->bias[o] : 0);
        for (size_t c = 0; c < p->in; c++)
            add_term(&s, y.dtype, p->weight[o * p->in + c], value_at(&p->x, block, c, lane));
        check_element(p, &s, real_get(y.dtype, y.view.data, place_in(&y, block, o, lane)), what);
    }
    check_rest(p, &y, what);
    drop_signal(&y);
}

/* ---- backward ---- */

typedef enum base_mode { BASE_NONE, BASE_APART, BASE_ITSELF, BASE_MODES } base_mode;

static void check_backward(problem *p, base_mode mode) {
    char what[200];
    describe(p, "backward", what);
    signal base = draw_signal(p, "base", p->in, 1, ZERO);
    signal dx = mode == BASE_ITSELF ? draw_signal(p, "base", p->in, 2, ZERO) : make_signal(p, p->in, 2);
    sn_flow flow = mode == BASE_NONE ? SN_FLOW_WRITE : SN_FLOW_ADD;
    sn_op_call call = {.node = &p->node,
                       .samples = p->samples,
                       .blocks = dx.blocks,
                       .lanes = p->lanes,
                       .width = p->out,
                       .widths = &p->in,
                       .x = &p->x.view,
                       .dy = p->dy.view,
                       .dx = &dx.view,
                       .base = mode == BASE_ITSELF ? &dx.view : &base.view,
                       .flow = &flow,
                       .params = p->tensors,
                       .by_openblas = p->by_openblas};
    kernels_of(p)->backward(&call);
    for (size_t i = 0; i < dx.blocks * p->in * p->lanes; i++) {
        size_t block = i / p->lanes / p->in, c = i / p->lanes % p->in, lane = i % p->lanes;
        sum s = begin_sum(mode == BASE_NONE ? 0 : value_at(&base, block, c, lane));
        for (size_t o = 0; o < p->out; o++)
            add_term(&s, dx.dtype, p->weight[o * p->in + c], value_at(&p->dy, block, o, lane));
        check_element(p, &s, real_get(dx.dtype, dx.view.data, place_in(&dx, block, c, lane)), what);
    }
    check_rest(p, &dx, what);
    drop_signal(&dx);
    drop_signal(&base);
}

/* ---- the weight's gradient ---- */

/* A tile of the gradient with NaN around it, and what a thread has for it. */
typedef struct tile {
    size_t row, col, rows, cols, ld;
    double *gradient; /* (rows, ld), of the precision */
    sn_stripe stripe;
    void *by_sample; /* (samples, in + a gap) */
    size_t by_sample_ld;
} tile;

static tile make_tile(const problem *p) {
    sn_rng rng = sn_rng_stream(1, "test", "tile", p->number);
    tile t = {.row = sn_rng_below(rng, 0, p->out), .col = sn_rng_below(rng, 1, p->in)};
    t.rows = 1 + sn_rng_below(rng, 2, p->out - t.row);
    t.cols = 1 + sn_rng_below(rng, 3, p->in - t.col);
    if (t.cols > SN_STRIPE_COLS) t.cols = SN_STRIPE_COLS;
    t.ld = t.cols + p->number % 4;
    t.gradient = malloc(t.rows * t.ld * sizeof *t.gradient);
    t.stripe = (sn_stripe){.data = malloc(SN_STRIPE_ROWS * SN_STRIPE_COLS * sizeof(double) + 64)};
    t.by_sample_ld = p->in + p->number % 3;
    t.by_sample = malloc(p->samples * t.by_sample_ld * sizeof(double) + 64);
    assert_true(t.gradient && t.stripe.data && t.by_sample);
    memset(t.by_sample, 0xFF, p->samples * t.by_sample_ld * sizeof(double) + 64);
    for (size_t i = 0; i < p->samples * p->in && p->positions == 1; i++) {
        size_t sample = i / p->in, c = i % p->in;
        double x = value_at(&p->x, sample / SN_PANEL, c, sample % SN_PANEL);
        real_set(p->backend->dtype, t.by_sample, sample * t.by_sample_ld + c, x);
    }
    return t;
}

static void drop_tile(tile *t) {
    free(t->gradient);
    free(t->stripe.data);
    free(t->by_sample);
}

/* The lanes of block `b` that are samples. */
static size_t samples_of(const problem *p, size_t block) {
    return sn_panel_samples(p->samples, block / p->positions);
}

static void check_tile(const problem *p, const tile *t, const char *what) {
    sn_dtype dtype = p->backend->dtype;
    for (size_t i = 0; i < t->rows * t->ld; i++) {
        size_t r = i / t->ld, c = i % t->ld;
        double value = real_get(dtype, t->gradient, i);
        if (c >= t->cols && r + 1 < t->rows && !isnan(value)) fail_msg("%s: wrote behind row %zu", what, r);
        if (c >= t->cols) continue;
        sum s = begin_sum(0);
        for (size_t b = 0; b < p->x.blocks; b++) {
            for (size_t l = 0; l < samples_of(p, b); l++)
                add_term(&s, dtype, value_at(&p->dy, b, t->row + r, l), value_at(&p->x, b, t->col + c, l));
        }
        check_element(p, &s, value, what);
    }
}

/* From the signal; again from the stripe that the thread has then; from rows of samples. */
static void check_gradient(problem *p) {
    char what[200];
    describe(p, "gradient", what);
    tile t = make_tile(p);
    sn_gradient_call call = {.node = &p->node,
                             .samples = p->samples,
                             .x = p->x.view,
                             .dy = p->dy.view,
                             .row = t.row,
                             .col = t.col,
                             .rows = t.rows,
                             .cols = t.cols,
                             .gradient = {t.gradient, t.ld},
                             .stripe = &t.stripe,
                             .by_openblas = p->by_openblas};
    for (int round = 0; round < (p->positions == 1 ? 3 : 2); round++) {
        if (round == 2) call.by_sample = (sn_view){t.by_sample, t.by_sample_ld};
        memset(t.gradient, 0xFF, t.rows * t.ld * sizeof *t.gradient);
        if (!kernels_of(p)->param_gradient(&call)) fail_msg("%s: said not to be finite", what);
        check_tile(p, &t, what);
    }
    drop_tile(&t);
}

/* The sum of dy, in double. */
static void check_bias(problem *p) {
    char what[200];
    describe(p, "bias", what);
    double *gradient = malloc(p->out * sizeof *gradient);
    assert_non_null(gradient);
    sn_gradient_call call = {.node = &p->node,
                             .param = 1,
                             .samples = p->samples,
                             .dy = p->dy.view,
                             .rows = 1,
                             .cols = p->out,
                             .gradient = {gradient, p->out}};
    assert_true(kernels_of(p)->param_gradient(&call));
    for (size_t o = 0; o < p->out; o++) {
        long double exact = 0;
        for (size_t b = 0; b < p->dy.blocks; b++) {
            for (size_t l = 0; l < samples_of(p, b); l++)
                exact += (long double)value_at(&p->dy, b, o, l);
        }
        double value = real_get(p->backend->dtype, gradient, o), off = fabs((double)((long double)value - exact));
        double bound = real_epsilon(p->backend->dtype) * fabs((double)exact) + 1e-13;
        if (!(off <= bound)) fail_msg("%s: %zu is off by %g", what, o, off);
        n_elements++;
    }
    free(gradient);
}

/* ---- all of it ---- */

/* Lanes that a call of the last panel has, for so many samples. */
static size_t lanes_for(const sn_backend *backend, size_t samples) {
    size_t lanes = (samples + backend->lane_step - 1) / backend->lane_step * backend->lane_step;
    return lanes < SN_PANEL ? lanes : SN_PANEL;
}

typedef struct sizes {
    size_t in, out, positions, samples;
} sizes;

static void check_problem(const sn_backend *backend, const sizes *s, uint64_t number, bool by_openblas) {
    problem p = {.backend = backend, .in = s->in, .out = s->out, .positions = s->positions, .number = number};
    p.samples = s->samples;
    p.panels = sn_panels(s->samples);
    p.lanes = p.panels > 1 ? SN_PANEL : lanes_for(backend, s->samples);
    p.by_openblas = by_openblas;
    open_problem(&p);
    check_forward(&p);
    check_backward(&p, (base_mode)(number % BASE_MODES));
    check_gradient(&p);
    check_bias(&p);
    close_problem(&p);
}

static void check_everywhere(const sizes *s, uint64_t number) {
    for (int d = 0; d < 2; d++) {
        const sn_backend *backends[MOST_BACKENDS];
        size_t n = runnable_backends(backends, d ? SN_F64 : SN_F32);
        for (size_t i = 0; i < 2 * n; i++)
            check_problem(backends[i / 2], s, number, i % 2);
    }
}

/* Every number of rows up to two whole tiles and more, in the forward product and in the backward one. */
static void test_rows(void **state) {
    (void)state;
    n_elements = 0;
    for (size_t i = 0; i < 30 * 3; i++) {
        sizes s = {.in = 1 + i * 7 % 31, .out = 1 + i % 30, .positions = 1, .samples = 1 + i * 5 % 53};
        check_everywhere(&s, i);
    }
    assert_true(n_elements > 100000);
}

/* Every number of samples up to three panels, so of lanes of the last one. */
static void test_lanes(void **state) {
    (void)state;
    n_elements = 0;
    for (size_t i = 0; i < 48; i++) {
        sizes s = {.in = 5 + i % 3, .out = 7 + i % 6, .positions = 1 + i % 2 * 2, .samples = 1 + i};
        check_everywhere(&s, i);
    }
    assert_true(n_elements > 100000);
}

static void test_random(void **state) {
    (void)state;
    n_elements = 0;
    for (uint64_t i = 0; i < 40; i++) {
        sn_rng rng = sn_rng_stream(1, "test", "sizes", i);
        sizes s = {.in = 1 + sn_rng_below(rng, 0, 90),
                   .out = 1 + sn_rng_below(rng, 1, 90),
                   .positions = 1 + sn_rng_below(rng, 2, 6) / 3 * sn_rng_below(rng, 3, 4),
                   .samples = 1 + sn_rng_below(rng, 4, 70)};
        check_everywhere(&s, i);
    }
    assert_true(n_elements > 100000);
}

/* One sample, with as many rows as groups of vectors, single ones and one that reaches back have. */
static void test_single(void **state) {
    (void)state;
    n_elements = 0;
    for (size_t i = 0; i < 120; i++) {
        sizes s = {.in = 1 + i * 11 % 75, .out = 1 + i * 7 % 67, .positions = 1, .samples = 1};
        check_everywhere(&s, i);
    }
    assert_true(n_elements > 100000);
}

/* Inner dimensions of more than one pass of the kernel, and gradients over more rows than a stripe has. */
static void test_long_sums(void **state) {
    (void)state;
    static const sizes cases[] = {{255, 3, 1, 20},   {256, 14, 1, 40},  {257, 9, 1, 16}, {13, 256, 1, 33},
                                  {7, 513, 1, 5},    {600, 6, 1, 3},    {5, 7, 1, 1024}, {5, 7, 1, 1025},
                                  {70, 30, 1, 1100}, {17, 13, 1, 3000}, {5, 4, 20, 100}, {18, 3, 7, 300}};
    n_elements = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_everywhere(&cases[i], i);
    assert_true(n_elements > 100000);
}

/* A sample that is not finite is told.  Lanes that are not computed are NaN in all tests above, where nothing is. */
static void test_what_is_not_finite(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++) {
        const sn_backend *backends[MOST_BACKENDS];
        size_t n = runnable_backends(backends, d ? SN_F64 : SN_F32);
        for (size_t i = 0; i < 2 * n; i++) {
            problem p = {.backend = backends[i / 2], .in = 3, .out = 14, .positions = 1, .panels = 1, .samples = 1};
            bool is_finite = true;
            signal y;
            p.lanes = lanes_for(p.backend, 1);
            p.by_openblas = i % 2;
            open_problem(&p);
            y = make_signal(&p, p.out, 0);
            real_set(p.backend->dtype, p.x.view.data, 2 * SN_PANEL, (double)INFINITY);
            kernels_of(&p)->forward(&(sn_op_call){.node = &p.node,
                                                  .samples = 1,
                                                  .blocks = 1,
                                                  .lanes = p.lanes,
                                                  .width = p.out,
                                                  .widths = &p.in,
                                                  .x = &p.x.view,
                                                  .y = y.view,
                                                  .params = p.tensors,
                                                  .is_finite = &is_finite,
                                                  .by_openblas = p.by_openblas});
            assert_false(is_finite);
            drop_signal(&y);
            close_problem(&p);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_lanes),     cmocka_unit_test(test_random),
        cmocka_unit_test(test_single), cmocka_unit_test(test_long_sums), cmocka_unit_test(test_what_is_not_finite),
    };
    return cmocka_run_group_tests(tests, pin_blas, NULL);
}
