/* The ops that look at height and width against a twin that says, element by element, which elements of the input an
 * element of the output is made of, and by which factors: values, gradients and pushes, for every option, odd and even
 * images, images of one position, 1 to 17 channels, batches with and without idle lanes, in both precisions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/check.h"
#include "support/image_op.h"
#include "support/net.h"

enum { OUT = 3 };

/* An image of the naive kind: element (row, column, channel) of a sample at values[(row width + column) channels + c].
 */
typedef struct image {
    const double *values;
    int height, width, channels;
} image;

/* A place of the output. */
typedef struct place {
    int row, col, c;
} place;

/* Elements of the input that make one of the output, and their factors. */
typedef struct taps {
    int at[64];
    double factor[64];
    int n;
} taps;

/* A case of an op: its entry without label and inputs, its size, and what it does. */
typedef struct twin {
    const char *op, *keys;
    int kernel, stride, padding;
    int more; /* channels */
    void (*find)(taps *t, const struct twin *twin, image x, place y);
} twin;

static void add_tap(taps *t, image x, int row, int col, int c, double factor) {
    assert_true(t->n < 64);
    t->at[t->n] = (row * x.width + col) * x.channels + c;
    t->factor[t->n++] = factor;
}

static bool is_inside(image x, int row, int col) {
    return row >= 0 && row < x.height && col >= 0 && col < x.width;
}

/* The places of the window that makes y, all with one factor. */
static void find_window(taps *t, const twin *w, image x, place y, double factor) {
    for (int k = 0; k < w->kernel * w->kernel; k++) {
        int row = y.row * w->stride - w->padding + k / w->kernel, col = y.col * w->stride - w->padding + k % w->kernel;
        if (is_inside(x, row, col)) add_tap(t, x, row, col, y.c, factor);
    }
}

static void find_mean(taps *t, const twin *w, image x, place y) {
    find_window(t, w, x, y, 1.0 / (w->kernel * w->kernel));
}

static void find_mean_inside(taps *t, const twin *w, image x, place y) {
    find_window(t, w, x, y, 1);
    for (int k = 0; k < t->n; k++)
        t->factor[k] = 1.0 / t->n;
}

static void find_greatest(taps *t, const twin *w, image x, place y) {
    find_window(t, w, x, y, 1);
    int best = 0;
    for (int k = 1; k < t->n; k++) {
        if (x.values[t->at[k]] > x.values[t->at[best]]) best = k;
    }
    t->at[0] = t->at[best];
    t->n = 1;
}

static void find_global(taps *t, const twin *w, image x, place y) {
    (void)w;
    for (int p = 0; p < x.height * x.width; p++)
        add_tap(t, x, p / x.width, p % x.width, y.c, 1.0 / (x.height * x.width));
}

static void find_flat(taps *t, const twin *w, image x, place y) {
    (void)w;
    int positions = x.height * x.width, p = y.c % positions;
    add_tap(t, x, p / x.width, p % x.width, y.c / positions, 1);
}

static void find_taken(taps *t, const twin *w, image x, place y, int before) {
    int c = y.c - before;
    if (c >= 0 && c < x.channels) add_tap(t, x, y.row * w->stride, y.col * w->stride, c, 1);
}

static void find_around(taps *t, const twin *w, image x, place y) {
    find_taken(t, w, x, y, w->more / 2);
}

static void find_after(taps *t, const twin *w, image x, place y) {
    find_taken(t, w, x, y, 0);
}

static void find_nearest(taps *t, const twin *w, image x, place y) {
    add_tap(t, x, y.row / w->stride, y.col / w->stride, y.c, 1);
}

#define WINDOW(op, kernel, stride, padding, more_keys, find)                                                           \
    {                                                                                                                  \
        op, ", \"kernel\": " #kernel ", \"stride\": " #stride ", \"padding\": " #padding more_keys, kernel, stride,    \
            padding, 0, find                                                                                           \
    }
#define INSIDE ", \"count_include_pad\": false"

static const twin twins[] = {
    {"avg_pool", "", 2, 2, 0, 0, find_mean},
    WINDOW("avg_pool", 1, 1, 0, "", find_mean),
    WINDOW("avg_pool", 1, 3, 0, "", find_mean),
    WINDOW("avg_pool", 3, 2, 1, "", find_mean),
    WINDOW("avg_pool", 3, 1, 1, INSIDE, find_mean_inside),
    WINDOW("avg_pool", 2, 3, 1, INSIDE, find_mean_inside),
    WINDOW("avg_pool", 5, 2, 2, INSIDE, find_mean_inside),
    {"max_pool", "", 2, 2, 0, 0, find_greatest},
    WINDOW("max_pool", 1, 1, 0, "", find_greatest),
    WINDOW("max_pool", 1, 2, 0, "", find_greatest),
    WINDOW("max_pool", 3, 2, 1, "", find_greatest),
    WINDOW("max_pool", 3, 1, 1, "", find_greatest),
    WINDOW("max_pool", 2, 3, 1, "", find_greatest),
    WINDOW("max_pool", 5, 1, 2, "", find_greatest),
    {"global_avg_pool", "", 0, 0, 0, 0, find_global},
    {"flatten", "", 0, 0, 0, 0, find_flat},
    {"subsample", "", 1, 2, 0, 0, find_around},
    {"subsample", ", \"stride\": 1", 1, 1, 0, 5, find_around},
    {"subsample", ", \"stride\": 2", 1, 2, 0, 4, find_around},
    {"subsample", ", \"stride\": 3, \"zeros\": \"after\"", 1, 3, 0, 3, find_after},
    {"upsample", "", 0, 2, 0, 0, find_nearest},
    {"upsample", ", \"factor\": 1", 0, 1, 0, 0, find_nearest},
    {"upsample", ", \"factor\": 3", 0, 3, 0, 0, find_nearest},
};

static const sn_shape shapes[] = {
    {3, {1, 1, 1}},  {3, {1, 1, 12}}, {3, {2, 2, 3}}, {3, {4, 4, 1}}, {3, {5, 5, 3}},
    {3, {4, 7, 17}}, {3, {7, 3, 12}}, {3, {1, 6, 3}}, {3, {5, 1, 1}},
};
static const size_t batches[] = {1, 2, 16, 19, 33};
enum { N_TWINS = sizeof twins / sizeof *twins, N_SHAPES = sizeof shapes / sizeof *shapes, N_BATCHES = 5 };

/* Normal values, some of them equal so that maxima are ties. */
static double *draw_values(size_t n, uint64_t seed) {
    double *x = malloc(n * sizeof *x);
    assert_non_null(x);
    sn_rng rng = sn_rng_stream(seed, "test", "image", 0);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(float)(seed % 2 ? round(2 * sn_rng_normal(rng, i)) / 2 : sn_rng_normal(rng, i));
    return x;
}

/* y = J x, and dx = J^T u, of one sample. */
static void apply_twin(const twin *w, image x, const sn_shape *out, const double *u, double *y, double *dx) {
    int width = out->rank == 3 ? (int)out->dim[1] : 1, channels = (int)sn_shape_features(out);
    for (int i = 0; i < (int)sn_shape_size(out); i++) {
        taps t = {.n = 0};
        w->find(&t, w, x, (place){i / channels / width, i / channels % width, i % channels});
        y[i] = 0;
        for (int k = 0; k < t.n; k++) {
            y[i] += t.factor[k] * x.values[t.at[k]];
            dx[t.at[k]] += t.factor[k] * u[i];
        }
    }
}

static double worst_of(const double *a, const double *b, size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    return worst;
}

static double greatest[2];
static int n_checked;

static void note(const char *what, const test_net *net, double deviation) {
    bool is_float = net->backend->dtype == SN_F32;
    if (!(deviation <= (is_float ? 4e-6 : 1e-14))) {
        char text[SN_SHAPE_TEXT];
        const sn_node *node = &net->graph.nodes[1];
        fail_msg("%s of %s of %s, batch %d: %g", what, node->op->kind.name,
                 sn_shape_text(&net->graph.nodes[0].shape, text), (int)net->batch, deviation);
    }
    greatest[is_float] = fmax(greatest[is_float], deviation);
    n_checked++;
}

/* Node 1 of a probe, which has run, against the twin. */
static void check_node(const test_net *net, sn_probe *probe, const twin *w, const double *x) {
    const sn_shape *in = &net->graph.nodes[0].shape, *out = &net->graph.nodes[1].shape;
    size_t n_in = sn_shape_size(in), n_out = sn_shape_size(out), batch = net->batch;
    double *u = draw_values(batch * n_out, 8), *y = calloc(batch * n_out, sizeof *y);
    double *dx = calloc(batch * n_in, sizeof *dx), *pulled = malloc(batch * n_in * sizeof *pulled);
    double *pushed = malloc(batch * n_out * sizeof *pushed), *value = net_signal(probe, 1);
    assert_true(y && dx && pulled && pushed);
    for (size_t s = 0; s < batch; s++) {
        image one = {x + s * n_in, (int)in->dim[0], (int)in->dim[1], (int)in->dim[2]};
        apply_twin(w, one, out, u + s * n_out, y + s * n_out, dx + s * n_in);
    }
    note("value", net, worst_of(value, y, batch * n_out));
    sn_probe_pull(probe, 1, u, &pulled);
    note("gradient", net, worst_of(pulled, dx, batch * n_in));
    sn_probe_push(probe, 1, (const double *const *)&x,
                  pushed); /* of the input itself: these ops are linear, or as good as that */
    note("push", net, worst_of(pushed, y, batch * n_out));
    free(u), free(y), free(dx), free(pulled), free(pushed), free(value);
}

static bool fits(const twin *w, const sn_shape *shape) {
    return shape->dim[0] + 2 * w->padding >= w->kernel && shape->dim[1] + 2 * w->padding >= w->kernel;
}

static void check_twin(const twin *w, const sn_shape *shape, size_t batch, sn_dtype dtype) {
    sn_dataset data = toy_images(batch, *shape, OUT, 1);
    double *x = draw_values(batch * sn_shape_size(shape), batch + (uint64_t)shape->dim[0]);
    data.train.values = x;
    char network[512], channels[64] = "";
    if (w->more) snprintf(channels, sizeof channels, ", \"channels\": %d", (int)shape->dim[2] + w->more);
    snprintf(network, sizeof network,
             "{\"layers\": [{\"op\": \"%s\"%s%s}, {\"op\": \"flatten\"}, {\"op\": \"linear\", \"units\": 3}]}", w->op,
             w->keys, channels);
    test_net net;
    net_open(&net, network, &data, dtype, NULL);
    net_randomize(&net, 1);
    sn_probe *probe = net_probe(&net);
    net_run(&net, probe, 0, batch);
    check_node(&net, probe, w, x);
    sn_probe_free(probe);
    net_close(&net);
    free(x);
    data.train.values = NULL;
    sn_dataset_reset(&data);
}

static void test_twins(void **state) {
    (void)state;
    for (int i = 0; i < N_TWINS; i++) {
        for (int k = 0; k < N_SHAPES; k++) {
            for (int b = 0; b < N_BATCHES && fits(&twins[i], &shapes[k]); b++)
                check_twin(&twins[i], &shapes[k], batches[b], b % 2 ? SN_F32 : SN_F64);
        }
    }
    print_message("%d signals; greatest deviations %.2g and, in float, %.2g\n", n_checked, greatest[0], greatest[1]);
    assert_true(n_checked > 2000);
}

/* What does not fit is told, with the remedy. */
static void test_faults(void **state) {
    (void)state;
    static const struct {
        const char *entry, *message;
    } cases[] = {
        {"{\"op\": \"max_pool\", \"kernel\": 5}",
         "max_pool1: a kernel of 5 does not fit into \"input\", 4x3 with a padding of 0"},
        {"{\"op\": \"avg_pool\", \"kernel\": 3, \"padding\": 2}",
         "avg_pool1: a padding of 2 is more than half of the kernel, 3"},
        {"{\"op\": \"subsample\", \"channels\": 1}",
         "subsample1: channels 1 are fewer than the 2 of \"input\": zeros can only be added"},
    };
    sn_dataset data = toy_images(3, (sn_shape){3, {4, 3, 2}}, OUT, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char network[256];
        sn_config *config;
        sn_graph graph;
        sn_error error;
        snprintf(network, sizeof network, "{\"layers\": [%s, {\"op\": \"linear\", \"units\": 3}]}", cases[i].entry);
        assert_int_equal(net_build(&config, &graph, network, &data, &error), SN_INVALID);
        if (!strstr(error.text, cases[i].message)) fail_msg("%s\nnot: %s", error.text, cases[i].message);
        sn_graph_reset(&graph);
        sn_config_free(config);
    }
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_twins), cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
