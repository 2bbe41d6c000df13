/* Owns the drawing of random graphs. */
#include "support/random_graph.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"

random_draws random_begin(uint64_t seed, const char *label) {
    return (random_draws){.rng = sn_rng_stream(seed, "test", label, 0)};
}

int random_below(random_draws *draws, int n) {
    return (int)sn_rng_below(draws->rng, draws->drawn++, (uint64_t)n);
}

const function *random_function(random_draws *draws, bool is_smooth) {
    const function *f;
    int n = 0;
    while (function_at((size_t)n))
        n++;
    do {
        f = function_at((size_t)random_below(draws, n));
    } while (is_smooth && f->bends);
    return f;
}

/* A graph under construction. */
typedef struct growth {
    const random_limits *limits;
    sn_text text;
    random_draws draws;
    int n; /* node 0 is the input, node i has the label "n<i>" */
    sn_shape shape[RANDOM_MOST_NODES];
    bool is_read[RANDOM_MOST_NODES];
} growth;

static int draw(growth *g, int n) {
    return random_below(&g->draws, n);
}

static int width_of(const growth *g, int i) {
    return (int)sn_shape_features(&g->shape[i]);
}

/* Any node; recent ones more often. */
static int draw_node(growth *g) {
    int i = draw(g, g->n);
    return draw(g, 2) ? i : g->n - 1 - draw(g, g->n < 4 ? g->n : 4);
}

static void add_input(growth *g, int i, const char *before) {
    if (i == 0) {
        sn_text_addf(&g->text, "%s\"input\"", before);
    } else {
        sn_text_addf(&g->text, "%s\"n%d\"", before, i);
    }
    g->is_read[i] = true;
}

static void open_shaped(growth *g, const char *op, sn_shape shape) {
    sn_text_addf(&g->text, "%s{\"op\": \"%s\", \"label\": \"n%d\", \"inputs\": [", g->n > 1 ? ",\n" : "", op, g->n);
    g->shape[g->n] = shape;
}

/* With `width` features at every position of node `from`. */
static void open_entry(growth *g, const char *op, int from, int width) {
    open_shaped(g, op, sn_shape_with_features(&g->shape[from], width));
}

static void close_entry(growth *g, const char *keys) {
    sn_text_addf(&g->text, "]%s}", keys);
    g->n++;
}

/* One input, no weight matrix, and its keys. */
typedef struct unary {
    const char *op, *keys;
} unary;

static void grow_one(growth *g, int from, const unary *kind) {
    open_shaped(g, kind->op, g->shape[from]);
    add_input(g, from, "");
    close_entry(g, kind->keys);
}

static void grow_activation(growth *g, int from) {
    const function *f = random_function(&g->draws, g->limits->is_smooth);
    char keys[FUNCTION_KEYS];
    function_keys(f, keys);
    grow_one(g, from, &(unary){f->op, keys});
}

static void grow_scale(growth *g, int from) {
    static const unary kinds[] = {
        {"scale", ", \"factor\": 1"}, {"scale", ", \"factor\": -0.5"}, {"scale", ", \"factor\": {\"learned\": 0.8}"}};
    grow_one(g, from, &kinds[draw(g, sizeof kinds / sizeof *kinds)]);
}

static void grow_unary(growth *g, int from) {
    if (draw(g, 4)) {
        grow_activation(g, from);
    } else {
        grow_scale(g, from);
    }
}

/* What depends on the pass, or on other features of the sample: that last. */
static void grow_normal(growth *g, int from) {
    static const unary kinds[] = {{"batch_norm", ", \"eps\": 0.1"},
                                  {"batch_norm", ", \"eps\": 0.1, \"affine\": false"},
                                  {"dropout", ""},
                                  {"dropout", ", \"rate\": 0"},
                                  {"dropout", ", \"rate\": 0.1"},
                                  {"layer_norm", ", \"eps\": 0.1"},
                                  {"layer_norm", ", \"eps\": 0.1, \"affine\": false"},
                                  {"rms_norm", ", \"eps\": 0.1"},
                                  {"rms_norm", ", \"eps\": 0.1, \"affine\": false"}};
    enum { ALL = sizeof kinds / sizeof *kinds, ANY_WIDTH = ALL - 4 };
    bool is_narrow = g->limits->is_smooth && width_of(g, from) < 3;
    grow_one(g, from, &kinds[draw(g, is_narrow ? ANY_WIDTH : ALL)]);
}

/* Norms one upon the other, each of an eps of its own: over features that hardly differ they are ill-conditioned. */
static void grow_norms(growth *g, int from) {
    static const char *const norms[] = {"layer_norm", "batch_norm", "rms_norm"};
    static const char *const eps[] = {"0.1", "1e-5", "1e-8", "1e-11", "1e-14"};
    int n = 1 + draw(g, 3);
    for (int k = 0; k < n && g->n < RANDOM_MOST_NODES - 6; k++) {
        char keys[64];
        snprintf(keys, sizeof keys, ", \"eps\": %s", eps[draw(g, 5)]);
        grow_one(g, k == 0 ? from : g->n - 1, &(unary){norms[draw(g, 3)], keys});
    }
}

static void grow_linear(growth *g, int from, int units) {
    char keys[64];
    open_entry(g, "linear", from, units);
    add_input(g, from, "");
    snprintf(keys, sizeof keys, ", \"units\": %d, \"bias\": %s", units, draw(g, 4) ? "true" : "false");
    close_entry(g, keys);
}

/* A node of the shape of `from`: itself where no other is met. */
static int draw_equal(growth *g, int from) {
    for (int tries = 0; tries < 20; tries++) {
        int other = draw_node(g);
        if (sn_shape_equal(&g->shape[other], &g->shape[from])) return other;
    }
    return from;
}

/* A linear layer of the shape of `from`, if the node that is drawn for it has its positions. */
static void grow_equal(growth *g, int from) {
    int by = draw_node(g);
    if (sn_shape_same_positions(&g->shape[by], &g->shape[from])) grow_linear(g, by, width_of(g, from));
}

/* Two to four nodes of the shape of `from`, the same one again where no other is met; half of the time one of them is a
 * linear layer made for the purpose, so that concats get into sums too. */
static void grow_add(growth *g, int from) {
    if (draw(g, 2)) grow_equal(g, from);
    char factors[128] = ", \"factors\": [1";
    int n_inputs = 2 + draw(g, 3), plain = draw(g, 2);
    open_shaped(g, "add", g->shape[from]);
    add_input(g, from, "");
    for (int k = 1; k < n_inputs; k++) {
        add_input(g, draw_equal(g, from), ", ");
        strcat(factors, draw(g, 2) ? ", 1" : ", 0.7");
    }
    strcat(factors, "]");
    close_entry(g, plain ? "" : factors);
}

static void grow_gate(growth *g, int from) {
    if (draw(g, 2)) grow_equal(g, from);
    open_shaped(g, "gate", g->shape[from]);
    add_input(g, draw_equal(g, from), "");
    add_input(g, from, ", ");
    add_input(g, draw_equal(g, from), ", ");
    close_entry(g, "");
}

static void grow_concat(growth *g, int from) {
    int inputs[4] = {from}, n = 1, width = width_of(g, from);
    for (int tries = 0; tries < 6 && n < 4; tries++) {
        int other = draw_node(g);
        if (!sn_shape_same_positions(&g->shape[other], &g->shape[from])) continue;
        if (width + width_of(g, other) > g->limits->most_width || (n >= 2 && draw(g, 2))) continue;
        inputs[n++] = other;
        width += width_of(g, other);
    }
    if (n == 1) return;
    open_entry(g, "concat", from, width);
    for (int k = 0; k < n; k++)
        add_input(g, inputs[k], k ? ", " : "");
    close_entry(g, "");
}

/* x = [x, W phi(x)] again and again, and phi of the last: most of the time one phi, so that the features before keep
 * what it makes of them. */
static void grow_dense(growth *g) {
    const function *f = random_function(&g->draws, g->limits->is_smooth);
    int stages = 2 + draw(g, 3), x = g->n;
    char keys[FUNCTION_KEYS];
    function_keys(f, keys);
    grow_linear(g, x - 1, 1 + draw(g, 4));
    for (int k = 0; k <= stages; k++) {
        if (draw(g, 8)) {
            grow_one(g, x, &(unary){f->op, keys});
        } else {
            grow_activation(g, x);
        }
        if (k == stages) return;
        grow_linear(g, g->n - 1, 1 + draw(g, 4));
        open_entry(g, "concat", x, width_of(g, x) + width_of(g, g->n - 1));
        add_input(g, x, "");
        add_input(g, g->n - 1, ", ");
        close_entry(g, "");
        x = g->n - 1;
    }
}

/* ---- images ---- */

/* An op of images, with keys, and what it makes of the shape: windows that fit, or an image that is `factor` times as
 * large; or a vector. */
typedef struct image_op {
    const char *op, *keys;
    int kernel, stride, padding, factor;
    const char *channels; /* the key that says how many the output has; NULL: those of the input */
    const char *groups;   /* the key that is set to half of the channels of the input, 1 where they are odd: of a group
                           * of one channel the mean over all positions would be nothing but rounding */
    bool needs_channels;  /* two or more */
    bool only_adds;       /* no fewer channels than the input has */
    bool needs_image;     /* a vector will not do */
    bool bends;           /* or is a norm of too few elements */
    enum { AN_IMAGE, ITS_CHANNELS, ALL_OF_IT } makes;
} image_op;

/* What leaves height and width as they are, and moves a window over them. */
#define SAME            .kernel = 1, .stride = 1
#define WINDOW(k, s, p) .kernel = (k), .stride = (s), .padding = (p)
#define CONVOLUTION     .channels = "channels", .needs_image = true

static const image_op image_ops[] = {
    {"avg_pool", "", .kernel = 2, .stride = 2},
    {"avg_pool", ", \"kernel\": 3, \"stride\": 1, \"padding\": 1", .kernel = 3, .stride = 1, .padding = 1},
    {"avg_pool", ", \"kernel\": 3, \"stride\": 2, \"padding\": 1, \"count_include_pad\": false", .kernel = 3,
     .stride = 2, .padding = 1},
    {"max_pool", "", .kernel = 2, .stride = 2, .bends = true},
    {"max_pool", ", \"kernel\": 3, \"stride\": 2, \"padding\": 1", .kernel = 3, .stride = 2, .padding = 1,
     .bends = true},
    {"max_pool", ", \"kernel\": 1, \"stride\": 2", .kernel = 1, .stride = 2, .bends = true},
    {"subsample", "", .kernel = 1, .stride = 2},
    {"subsample", "", .kernel = 1, .stride = 2, .channels = "channels", .only_adds = true},
    {"subsample", ", \"stride\": 1, \"zeros\": \"after\"", .kernel = 1, .stride = 1, .channels = "channels",
     .only_adds = true},
    {"upsample", "", .factor = 2},
    {"upsample", ", \"factor\": 3", .factor = 3},
    {"global_avg_pool", "", .makes = ITS_CHANNELS},
    {"flatten", "", .makes = ALL_OF_IT},
    {"conv2d", "", WINDOW(3, 1, 1), CONVOLUTION},
    {"conv2d", ", \"kernel\": 1, \"bias\": false", SAME, CONVOLUTION},
    {"conv2d", ", \"stride\": 2", WINDOW(3, 2, 1), CONVOLUTION},
    {"conv2d", ", \"kernel\": 2", WINDOW(2, 1, 0), CONVOLUTION},
    {"conv2d", ", \"kernel\": 5, \"padding\": 1, \"conv\": \"direct\"", WINDOW(5, 1, 1), CONVOLUTION},
    {"conv_transpose2d", "", .factor = 2, CONVOLUTION},
    {"conv_transpose2d", ", \"kernel\": 3, \"stride\": 1, \"padding\": 1", SAME, CONVOLUTION},
    {"group_norm", ", \"groups\": 1, \"eps\": 0.1", SAME, .needs_image = true, .needs_channels = true},
    {"group_norm", ", \"affine\": false, \"eps\": 0.1", SAME, .groups = "groups", .needs_channels = true,
     .bends = true},
    {"drop_path", ", \"rate\": 0.3", SAME},
    {"drop_path", ", \"rate\": 0.1, \"per\": \"batch\"", SAME},
    {"drop_path", ", \"rate\": 0", SAME},
    {"dropout", ", \"rate\": 0.3, \"per\": \"channel\"", SAME},
};
enum { N_IMAGE_OPS = sizeof image_ops / sizeof *image_ops, MOST_POSITIONS = 64 };

/* The shape of the output but for its channels; rank 0: the op does not fit. */
static sn_shape shape_of(const growth *g, const image_op *op, sn_shape in) {
    bool is_vector = in.rank == 1;
    if (is_vector && op->needs_image) return (sn_shape){0};
    if (op->needs_channels && sn_shape_features(&in) < 2) return (sn_shape){0};
    sn_shape out = {3, {is_vector ? 1 : in.dim[0], is_vector ? 1 : in.dim[1], sn_shape_features(&in)}};
    if (op->makes == ITS_CHANNELS) return sn_shape_vector(out.dim[2]);
    if (op->makes == ALL_OF_IT) out = sn_shape_vector((int64_t)sn_shape_size(&in));
    for (int k = 0; k < 2 && op->makes == AN_IMAGE; k++) {
        int64_t room = out.dim[k] + 2 * op->padding - op->kernel;
        out.dim[k] = op->factor ? out.dim[k] * op->factor : room < 0 ? MOST_POSITIONS + 1 : room / op->stride + 1;
    }
    if (is_vector && sn_shape_positions(&out) == 1) out = sn_shape_vector(sn_shape_features(&out));
    bool fits = sn_shape_positions(&out) <= MOST_POSITIONS && sn_shape_features(&out) <= g->limits->most_width;
    return fits && !(op->bends && g->limits->is_smooth) ? out : (sn_shape){0};
}

static void grow_image_op(growth *g, int from, const image_op *op) {
    sn_shape shape = shape_of(g, op, g->shape[from]);
    if (shape.rank == 0) return;
    int least = op->only_adds ? width_of(g, from) : 1, channels = least + draw(g, 5);
    open_shaped(g, op->op, op->channels ? sn_shape_with_features(&shape, channels) : shape);
    add_input(g, from, "");
    sn_text_addf(&g->text, "]%s", op->keys);
    if (op->channels) sn_text_addf(&g->text, ", \"%s\": %d", op->channels, channels);
    if (op->groups)
        sn_text_addf(&g->text, ", \"%s\": %d", op->groups, width_of(g, from) % 2 ? 1 : width_of(g, from) / 2);
    sn_text_add(&g->text, "}");
    g->n++;
}

static const image_op *draw_image_op(growth *g) {
    return &image_ops[draw(g, N_IMAGE_OPS)];
}

/* A vector of some features as an image, whose positions the convolution makes different ones. */
static void begin_images(growth *g) {
    static const image_op grows[] = {{"upsample", "", .factor = 2}, {"upsample", ", \"factor\": 3", .factor = 3}};
    static const image_op convolution = {"conv2d", "", WINDOW(3, 1, 1), CONVOLUTION};
    grow_linear(g, 0, 1 + draw(g, 5));
    grow_image_op(g, g->n - 1, &grows[draw(g, 2)]);
    grow_image_op(g, g->n - 1, &convolution);
}

/* Makes a vector of every image that nothing reads. */
static void end_images(growth *g) {
    static const image_op pool = {"global_avg_pool", "", .makes = ITS_CHANNELS};
    static const image_op flatten = {"flatten", "", .makes = ALL_OF_IT};
    for (int i = 1, n = g->n; i < n; i++) {
        if (g->is_read[i] || g->shape[i].rank == 1) continue;
        bool is_small = sn_shape_size(&g->shape[i]) <= 40 && draw(g, 2);
        grow_image_op(g, i, is_small && shape_of(g, &flatten, g->shape[i]).rank ? &flatten : &pool);
    }
}

/* ---- whole graphs ---- */

/* Joins what nothing reads, and ends in a linear layer, a sum of two, or a concat. */
static void finish(growth *g) {
    int unread[RANDOM_MOST_NODES], n = 0, width = 0;
    for (int i = 1; i < g->n; i++) {
        if (!g->is_read[i]) unread[n++] = i, width += width_of(g, i);
    }
    if (n > 1) {
        open_entry(g, "concat", unread[0], width);
        for (int k = 0; k < n; k++)
            add_input(g, unread[k], k ? ", " : "");
        close_entry(g, "");
    }
    int from = g->n - 1, out = g->limits->out, ending = draw(g, out > 1 ? 3 : 2);
    grow_linear(g, from, ending == 2 ? 1 : out);
    if (ending == 0) return;
    grow_linear(g, from, ending == 2 ? out - 1 : out);
    open_entry(g, ending == 2 ? "concat" : "add", from, out);
    add_input(g, g->n - 2, "");
    add_input(g, g->n - 1, ", ");
    close_entry(g, "");
}

/* Any node but one of images. */
static void grow_any(growth *g, int from, int kind) {
    if (kind < 2) {
        grow_unary(g, from);
    } else if (kind == 10) {
        grow_normal(g, from);
    } else if (kind == 11) {
        grow_gate(g, from);
    } else if (kind < 4) {
        grow_linear(g, from, 1 + draw(g, draw(g, 2) ? 5 : g->limits->most_units));
    } else if (kind < 7) {
        grow_add(g, from);
    } else {
        grow_concat(g, from);
    }
}

/* Images have fewer nodes: one more may be needed for each of them. */
sn_text random_graph(uint64_t seed, const random_limits *limits) {
    bool has_images = limits->images != RANDOM_NO_IMAGES;
    growth g = {.limits = limits, .draws = random_begin(seed, "graph"), .n = 1};
    g.shape[0] = limits->images == RANDOM_OF_INPUT ? limits->image : sn_shape_vector(limits->in);
    sn_text_add(&g.text, "{\"layers\": [");
    int n = 4 + draw(&g, has_images ? 8 : RANDOM_MOST_NODES - 16);
    if (limits->images == RANDOM_MADE) begin_images(&g);
    if (limits->is_dense) grow_dense(&g);
    if (limits->images == RANDOM_OF_INPUT) grow_image_op(&g, draw_node(&g), draw_image_op(&g));
    while (g.n < n) {
        int from = draw_node(&g), kind = draw(&g, 12);
        if (limits->is_ill && draw(&g, 4) == 0) grow_norms(&g, from);
        if (has_images && draw(&g, 3) == 0) {
            grow_image_op(&g, from, draw_image_op(&g));
        } else {
            grow_any(&g, from, kind);
        }
    }
    if (has_images) end_images(&g);
    finish(&g);
    sn_text_add(&g.text, "]}");
    assert_false(g.text.failed);
    return g.text;
}
