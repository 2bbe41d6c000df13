/* conv2d against sums written out: its value, its pull and its weight gradient, for every way that windows can lie. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "support/image_op.h"
#include "support/net.h"
#include "support/toy.h"

typedef struct geometry {
    int height, width, in, out, kernel, stride, padding;
    size_t batch;
} geometry;

/* One convolution, rows of samples and positions as the probe has them. */
typedef struct sums {
    geometry g;
    int out_height, out_width;
    const double *w, *b, *x, *dy;
    double *y, *dx, *dw, *db; /* what is expected */
} sums;

/* Element (row, column, feature) of sample n of an image; -1: outside. */
static ptrdiff_t element(size_t n, int height, int width, int features, int row, int column, int f) {
    if (row < 0 || row >= height || column < 0 || column >= width) return -1;
    return (((ptrdiff_t)n * height + row) * width + column) * features + f;
}

/* All that one window of one output has to do with. */
static void add_window(sums *s, size_t n, int row, int column, int i) {
    geometry g = s->g;
    ptrdiff_t at = element(n, s->out_height, s->out_width, g.out, row, column, i);
    s->y[at] = s->b[i];
    s->db[i] += s->dy[at];
    for (int j = 0; j < g.in; j++) {
        for (int t = 0; t < g.kernel; t++) {
            for (int u = 0; u < g.kernel; u++) {
                ptrdiff_t from = element(n, g.height, g.width, g.in, row * g.stride - g.padding + t,
                                         column * g.stride - g.padding + u, j);
                int tap = ((i * g.in + j) * g.kernel + t) * g.kernel + u;
                if (from < 0) continue;
                s->y[at] += s->w[tap] * s->x[from];
                s->dx[from] += s->w[tap] * s->dy[at];
                s->dw[tap] += s->dy[at] * s->x[from];
            }
        }
    }
}

static void add_windows(sums *s) {
    for (size_t n = 0; n < s->g.batch; n++) {
        for (int row = 0; row < s->out_height; row++) {
            for (int column = 0; column < s->out_width; column++) {
                for (int i = 0; i < s->g.out; i++)
                    add_window(s, n, row, column, i);
            }
        }
    }
}

static void assert_close(const char *what, const geometry *g, const double *is, const double *wanted, size_t n,
                         double limit) {
    double distance = distance_of(is, wanted, n);
    if (distance > limit || norm_of(wanted, n) == 0)
        fail_msg("%s of %dx%dx%d -> %d, kernel %d, stride %d, padding %d, batch %zu: off by %g of %g", what, g->height,
                 g->width, g->in, g->out, g->kernel, g->stride, g->padding, g->batch, distance, norm_of(wanted, n));
}

static void compare(const geometry *g, sn_dtype dtype) {
    char network[512];
    double limit = dtype == SN_F64 ? 1e-13 : 1e-5;
    sn_dataset data = toy_images(g->batch, (sn_shape){3, {g->height, g->width, g->in}}, 3, 5);
    snprintf(network, sizeof network,
             "{\"layers\": [{\"op\": \"conv2d\", \"label\": \"c\", \"channels\": %d, \"kernel\": %d, \"stride\": %d, "
             "\"padding\": %d}, {\"op\": \"flatten\"}, {\"op\": \"linear\", \"units\": 3}]}",
             g->out, g->kernel, g->stride, g->padding);
    test_net net;
    net_open(&net, network, &data, dtype, NULL);
    net_randomize(&net, 7);
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, g->batch);
    const sn_node *node = &net.graph.nodes[1];
    size_t n_x = sn_probe_size(probe, 0), n_y = sn_probe_size(probe, 1), n_w = net_count(&net, 0);
    size_t n_b = (size_t)g->out;
    double *x = net_signal(probe, 0), *y = net_signal(probe, 1), *w = net_values(&net, 0), *b = net_values(&net, 1);
    double *u = calloc(n_y, sizeof *u), *dx = calloc(n_x, sizeof *dx), *dw = calloc(n_w, sizeof *dw);
    double *db = calloc(n_b, sizeof *db);
    for (size_t k = 0; k < n_y; k++)
        u[k] = (double)(float)sn_rng_normal(sn_rng_stream(3, "cotangent", "", 0), k);
    sums s = {*g,
              (int)node->shape.dim[0],
              (int)node->shape.dim[1],
              w,
              b,
              x,
              u,
              calloc(n_y, sizeof *y),
              calloc(n_x, sizeof *dx),
              calloc(n_w, sizeof *dw),
              calloc(n_b, sizeof *db)};
    add_windows(&s);
    assert_close("value", g, y, s.y, n_y, limit);
    sn_probe_pull(probe, 1, u, (double *[]){dx});
    assert_close("pull", g, dx, s.dx, n_x, limit);
    sn_probe_backward_from(probe, 1, u);
    sn_probe_weight_gradient(probe, 0, dw);
    assert_close("weight gradient", g, dw, s.dw, n_w, limit);
    sn_probe_weight_gradient(probe, 1, db);
    assert_close("bias gradient", g, db, s.db, n_b, limit);
    double *all[] = {x, y, w, b, u, dx, dw, db, s.y, s.dx, s.dw, s.db};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        free(all[k]);
    sn_probe_free(probe);
    net_close(&net);
    sn_dataset_reset(&data);
}

/* height, width, in, out, kernel, stride, padding, batch */
static const geometry named[] = {
    {1, 1, 1, 1, 1, 1, 0, 1},      {1, 1, 3, 5, 3, 1, 1, 2},   {5, 7, 1, 3, 3, 1, 1, 16},
    {5, 7, 3, 12, 3, 2, 1, 17},    {8, 8, 12, 17, 3, 1, 1, 3}, {9, 6, 17, 1, 5, 1, 2, 33},
    {9, 9, 2, 16, 7, 2, 3, 5},     {7, 7, 3, 4, 1, 2, 0, 18},  {6, 5, 4, 20, 1, 1, 0, 16},
    {4, 4, 3, 5, 4, 1, 0, 9},      {5, 5, 2, 3, 2, 2, 1, 20},  {12, 3, 2, 3, 3, 3, 0, 4},
    {3, 13, 1, 70, 11, 5, 10, 2},  {4, 90, 70, 2, 3, 1, 1, 3}, {13, 11, 3, 6, 5, 4, 4, 31},
    {16, 16, 16, 16, 3, 1, 1, 32},
};

static void test_named(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof named / sizeof *named; k++) {
        compare(&named[k], SN_F64);
        compare(&named[k], SN_F32);
    }
}

static int draw(uint64_t *at, int low, int high) {
    return low + (int)(sn_rng_uniform(sn_rng_stream(11, "geometries", "", 0), (*at)++) * (high - low + 1));
}

static void test_random(void **state) {
    (void)state;
    int compared = 0;
    for (uint64_t at = 0; compared < 60;) {
        geometry g = {.height = draw(&at, 1, 9), .width = draw(&at, 1, 9), .in = draw(&at, 1, 18)};
        g.out = draw(&at, 1, 18);
        g.kernel = draw(&at, 1, 7);
        g.stride = draw(&at, 1, 4);
        g.padding = draw(&at, 0, g.kernel - 1);
        g.batch = (size_t)draw(&at, 1, 34);
        if (g.kernel > g.height + 2 * g.padding || g.kernel > g.width + 2 * g.padding) continue;
        compare(&g, compared++ % 4 == 0 ? SN_F32 : SN_F64);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_named), cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
