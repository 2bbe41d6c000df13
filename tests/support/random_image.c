/* Owns the drawing of random graphs of images. */
#include <stdarg.h>
#include <stdio.h>

#include "support/check.h"
#include "support/random_graph.h"

typedef struct image {
    int height, width, channels;
} image;

/* A graph under construction. */
typedef struct growth {
    const random_limits *limits;
    sn_text text;
    random_draws draws;
    int n; /* node 0 is the input, node i has the label "n<i>" */
    image images[RANDOM_MOST_NODES];
    bool is_read[RANDOM_MOST_NODES];
} growth;

static int draw(growth *g, int n) {
    return random_below(&g->draws, n);
}

static void add_input(growth *g, int i, const char *before) {
    if (i == 0) {
        sn_text_addf(&g->text, "%s\"input\"", before);
    } else {
        sn_text_addf(&g->text, "%s\"n%d\"", before, i);
    }
    g->is_read[i] = true;
}

static void open_entry(growth *g, const char *op) {
    sn_text_addf(&g->text, "%s{\"op\": \"%s\", \"label\": \"n%d\", \"inputs\": [", g->n > 1 ? ",\n" : "", op, g->n);
}

static void close_entry(growth *g, image size, const char *keys) {
    sn_text_addf(&g->text, "]%s}", keys);
    g->images[g->n++] = size;
}

/* An entry of one input. */
static void grow(growth *g, const char *op, int from, image size, const char *keys) {
    open_entry(g, op);
    add_input(g, from, "");
    close_entry(g, size, keys);
}

static int smaller(image size) {
    return size.height < size.width ? size.height : size.width;
}

static int windows(int length, int kernel, int stride, int padding) {
    return (length + 2 * padding - kernel) / stride + 1;
}

static void grow_conv(growth *g, int from) {
    static const int kernels[] = {1, 2, 3, 3, 5};
    image size = g->images[from];
    int kernel = kernels[draw(g, 5)], stride = 1 + draw(g, 3) / 2, padding = draw(g, 2) ? (kernel - 1) / 2 : kernel - 1;
    if (smaller(size) + 2 * padding < kernel) padding = kernel - 1;
    char keys[160];
    size.channels = 1 + draw(g, g->limits->most_units);
    snprintf(keys, sizeof keys, ", \"channels\": %d, \"kernel\": %d, \"stride\": %d, \"padding\": %d%s%s",
             size.channels, kernel, stride, padding, draw(g, 3) ? "" : ", \"bias\": false",
             draw(g, 2) ? "" : ", \"conv\": \"direct\"");
    size.height = windows(size.height, kernel, stride, padding);
    size.width = windows(size.width, kernel, stride, padding);
    grow(g, "conv2d", from, size, keys);
}

static void grow_transposed(growth *g, int from) {
    image size = g->images[from];
    int kernel = 2 + draw(g, 2), stride = 1 + draw(g, 2);
    if (size.height * size.width > 40) return;
    char keys[96];
    size = (image){(size.height - 1) * stride + kernel, (size.width - 1) * stride + kernel,
                   1 + draw(g, g->limits->most_units)};
    snprintf(keys, sizeof keys, ", \"channels\": %d, \"kernel\": %d, \"stride\": %d", size.channels, kernel, stride);
    grow(g, "conv_transpose2d", from, size, keys);
}

static void grow_pool(growth *g, int from) {
    image size = g->images[from];
    int kernel = 2 + draw(g, 2), stride = 1 + draw(g, 3), padding = draw(g, 2);
    bool is_max = !g->limits->is_smooth && draw(g, 2);
    if (smaller(size) + 2 * padding < kernel) return;
    char keys[128];
    snprintf(keys, sizeof keys, ", \"kernel\": %d, \"stride\": %d, \"padding\": %d%s", kernel, stride, padding,
             !is_max && draw(g, 2) ? ", \"count_include_pad\": false" : "");
    size.height = windows(size.height, kernel, stride, padding);
    size.width = windows(size.width, kernel, stride, padding);
    grow(g, is_max ? "max_pool" : "avg_pool", from, size, keys);
}

static void grow_subsample(growth *g, int from) {
    image size = g->images[from];
    int stride = 1 + draw(g, 2);
    char keys[96];
    size = (image){(size.height + stride - 1) / stride, (size.width + stride - 1) / stride, size.channels + draw(g, 4)};
    snprintf(keys, sizeof keys, ", \"stride\": %d, \"channels\": %d, \"zeros\": \"%s\"", stride, size.channels,
             draw(g, 3) ? "around" : "after");
    grow(g, "subsample", from, size, keys);
}

static void grow_upsample(growth *g, int from) {
    image size = g->images[from];
    if (size.height * size.width > 20) return;
    grow(g, "upsample", from, (image){2 * size.height, 2 * size.width, size.channels}, ", \"factor\": 2");
}

/* One input, its own shape. */
static void grow_same(growth *g, int from) {
    static const struct {
        const char *op, *keys;
    } kinds[] = {{"batch_norm", ", \"eps\": 0.1"},
                 {"batch_norm", ", \"eps\": 0.1, \"affine\": false"},
                 {"group_norm", ", \"eps\": 0.1, \"groups\": 1"},
                 {"group_norm", ", \"eps\": 0.1, \"groups\": 1, \"affine\": false"},

                 {"dropout", ", \"rate\": 0.3, \"per\": \"channel\""},
                 {"dropout", ", \"rate\": 0.2"},
                 {"drop_path", ", \"rate\": 0.3"},
                 {"drop_path", ", \"rate\": 0.2, \"per\": \"batch\""},
                 {"scale", ", \"factor\": {\"learned\": 0.8}"}};
    int kind = draw(g, sizeof kinds / sizeof *kinds);
    image size = g->images[from];
    bool is_grouped = kind == 2 || kind == 3;
    if (is_grouped && size.channels < 2) return; /* a bias before it would not count */
    if (is_grouped && size.channels > 2 && size.channels % 2 == 0) {
        grow(g, "group_norm", from, size, ", \"eps\": 0.1, \"groups\": 2");
    } else {
        grow(g, kinds[kind].op, from, size, kinds[kind].keys);
    }
}

static void grow_activation(growth *g, int from) {
    const function *f = random_function(&g->draws, g->limits->is_smooth);
    char keys[FUNCTION_KEYS];
    function_keys(f, keys);
    grow(g, f->op, from, g->images[from], keys);
}

static void grow_linear(growth *g, int from) {
    image size = g->images[from];
    char keys[48];
    size.channels = 1 + draw(g, g->limits->most_units);
    snprintf(keys, sizeof keys, ", \"units\": %d", size.channels);
    grow(g, "linear", from, size, keys);
}

/* y = x + W * x, where W may be 1 x 1 or 3 x 3. */
static void grow_residual(growth *g, int from) {
    image size = g->images[from];
    char keys[64];
    snprintf(keys, sizeof keys, ", \"channels\": %d, \"kernel\": %d", size.channels, draw(g, 2) ? 1 : 3);
    grow(g, "conv2d", from, size, keys);
    open_entry(g, "add");
    add_input(g, from, "");
    add_input(g, g->n - 1, ", ");
    close_entry(g, size, draw(g, 2) ? "" : ", \"factors\": [1, 0.5]");
}

/* With the first other image of that size, itself where there is none. */
static void grow_concat(growth *g, int from) {
    int other = 0;
    while (other < g->n - 1 && (other == from || g->images[other].height != g->images[from].height ||
                                g->images[other].width != g->images[from].width))
        other++;
    image size = g->images[from];
    if (g->images[other].height != size.height || g->images[other].width != size.width) return;
    size.channels += g->images[other].channels;
    if (size.channels > 40) return;
    open_entry(g, "concat");
    add_input(g, from, "");
    add_input(g, other, ", ");
    close_entry(g, size, "");
}

/* What nothing reads becomes vectors, joined before the last layer. */
static void finish(growth *g) {
    int vectors[RANDOM_MOST_NODES], n = 0, end = g->n;
    char keys[48];
    for (int i = 1; i < end; i++) {
        if (g->is_read[i]) continue;
        image size = g->images[i], vector = {1, 1, size.channels};
        bool is_flat = draw(g, 2) && size.height * size.width * size.channels < 60;
        if (is_flat) vector.channels = size.height * size.width * size.channels;
        vectors[n++] = g->n;
        grow(g, is_flat ? "flatten" : "global_avg_pool", i, vector, "");
    }
    int from = g->n - 1;
    if (n > 1) {
        open_entry(g, "concat");
        for (int k = 0; k < n; k++)
            add_input(g, vectors[k], k ? ", " : "");
        from = g->n;
        close_entry(g, (image){1, 1, 1}, "");
    }
    snprintf(keys, sizeof keys, ", \"units\": %d", g->limits->out);
    grow(g, "linear", from, (image){1, 1, g->limits->out}, keys);
}

sn_text random_image_graph(uint64_t seed, const random_limits *limits, const sn_shape *shape) {
    static void (*const kinds[])(growth *, int) = {grow_conv,       grow_conv,       grow_conv,   grow_pool,
                                                   grow_activation, grow_activation, grow_same,   grow_same,
                                                   grow_residual,   grow_residual,   grow_concat, grow_subsample,
                                                   grow_transposed, grow_upsample,   grow_linear};
    growth g = {.limits = limits, .draws = random_begin(seed, "image graph"), .n = 1};
    enum { MOST = RANDOM_MOST_NODES / 2 - 3 };
    g.images[0] = (image){(int)shape->dim[0], (int)shape->dim[1], (int)shape->dim[2]};
    sn_text_add(&g.text, "{\"layers\": [");
    grow_conv(&g, 0);
    for (int n = 4 + draw(&g, MOST - 4); g.n < n;) {
        int from = draw(&g, 2) ? draw(&g, g.n) : g.n - 1;
        kinds[draw(&g, sizeof kinds / sizeof *kinds)](&g, from);
    }
    finish(&g);
    sn_text_add(&g.text, "]}");
    assert_false(g.text.failed);
    return g.text;
}
