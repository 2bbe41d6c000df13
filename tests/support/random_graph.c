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
    int width[RANDOM_MOST_NODES];
    bool is_read[RANDOM_MOST_NODES];
} growth;

static int draw(growth *g, int n) {
    return random_below(&g->draws, n);
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

static void open_entry(growth *g, const char *op, int width) {
    sn_text_addf(&g->text, "%s{\"op\": \"%s\", \"label\": \"n%d\", \"inputs\": [", g->n > 1 ? ",\n" : "", op, g->n);
    g->width[g->n] = width;
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
    open_entry(g, kind->op, g->width[from]);
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
    bool is_narrow = g->limits->is_smooth && g->width[from] < 3;
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
    open_entry(g, "linear", units);
    add_input(g, from, "");
    snprintf(keys, sizeof keys, ", \"units\": %d, \"bias\": %s", units, draw(g, 4) ? "true" : "false");
    close_entry(g, keys);
}

/* A node of the width of `from`: itself where no other is met. */
static int draw_equal(growth *g, int from) {
    for (int tries = 0; tries < 20; tries++) {
        int other = draw_node(g);
        if (g->width[other] == g->width[from]) return other;
    }
    return from;
}

/* Two to four nodes of the width of `from`, the same one again where no other is met; half of the time one of them is a
 * linear layer made for the purpose, so that concats get into sums too. */
static void grow_add(growth *g, int from) {
    if (draw(g, 2)) grow_linear(g, draw_node(g), g->width[from]);
    char factors[128] = ", \"factors\": [1";
    int n_inputs = 2 + draw(g, 3), plain = draw(g, 2);
    open_entry(g, "add", g->width[from]);
    add_input(g, from, "");
    for (int k = 1; k < n_inputs; k++) {
        add_input(g, draw_equal(g, from), ", ");
        strcat(factors, draw(g, 2) ? ", 1" : ", 0.7");
    }
    strcat(factors, "]");
    close_entry(g, plain ? "" : factors);
}

static void grow_gate(growth *g, int from) {
    if (draw(g, 2)) grow_linear(g, draw_node(g), g->width[from]);
    open_entry(g, "gate", g->width[from]);
    add_input(g, draw_equal(g, from), "");
    add_input(g, from, ", ");
    add_input(g, draw_equal(g, from), ", ");
    close_entry(g, "");
}

static void grow_concat(growth *g, int from) {
    int inputs[4] = {from}, n = 1, width = g->width[from];
    for (int tries = 0; tries < 6 && n < 4; tries++) {
        int other = draw_node(g);
        if (width + g->width[other] > g->limits->most_width || (n >= 2 && draw(g, 2))) continue;
        inputs[n++] = other;
        width += g->width[other];
    }
    if (n == 1) return;
    open_entry(g, "concat", width);
    for (int k = 0; k < n; k++)
        add_input(g, inputs[k], k ? ", " : "");
    close_entry(g, "");
}

/* x = [x, W phi(x)] again and again, and phi of the last: most of the time one phi, so that the features before keep
 * what it makes of them. */
static void grow_dense(growth *g) {
    const function *f = random_function(&g->draws, g->limits->is_smooth);
    int stages = 2 + draw(g, 3), x = 1;
    char keys[FUNCTION_KEYS];
    function_keys(f, keys);
    grow_linear(g, 0, 1 + draw(g, 4));
    for (int k = 0; k <= stages; k++) {
        if (draw(g, 8)) {
            grow_one(g, x, &(unary){f->op, keys});
        } else {
            grow_activation(g, x);
        }
        if (k == stages) return;
        grow_linear(g, g->n - 1, 1 + draw(g, 4));
        int width = g->width[x] + g->width[g->n - 1];
        open_entry(g, "concat", width);
        add_input(g, x, "");
        add_input(g, g->n - 1, ", ");
        close_entry(g, "");
        x = g->n - 1;
    }
}

/* Joins what nothing reads, and ends in a linear layer, a sum of two, or a concat. */
static void finish(growth *g) {
    int unread[RANDOM_MOST_NODES], n = 0, width = 0;
    for (int i = 1; i < g->n; i++) {
        if (!g->is_read[i]) unread[n++] = i, width += g->width[i];
    }
    if (n > 1) {
        open_entry(g, "concat", width);
        for (int k = 0; k < n; k++)
            add_input(g, unread[k], k ? ", " : "");
        close_entry(g, "");
    }
    int from = g->n - 1, out = g->limits->out, ending = draw(g, out > 1 ? 3 : 2);
    grow_linear(g, from, ending == 2 ? 1 : out);
    if (ending == 0) return;
    grow_linear(g, from, ending == 2 ? out - 1 : out);
    open_entry(g, ending == 2 ? "concat" : "add", out);
    add_input(g, g->n - 2, "");
    add_input(g, g->n - 1, ", ");
    close_entry(g, "");
}

sn_text random_graph(uint64_t seed, const random_limits *limits) {
    growth g = {.limits = limits, .draws = random_begin(seed, "graph"), .n = 1, .width = {limits->in}};
    sn_text_add(&g.text, "{\"layers\": [");
    int n = 4 + draw(&g, RANDOM_MOST_NODES - 16);
    if (limits->is_dense) grow_dense(&g);
    while (g.n < n) {
        int from = draw_node(&g), kind = draw(&g, 12);
        if (limits->is_ill && draw(&g, 4) == 0) grow_norms(&g, from);
        if (kind < 2) {
            grow_unary(&g, from);
        } else if (kind == 10) {
            grow_normal(&g, from);
        } else if (kind == 11) {
            grow_gate(&g, from);
        } else if (kind < 4) {
            grow_linear(&g, from, 1 + draw(&g, draw(&g, 2) ? 5 : limits->most_units));
        } else if (kind < 7) {
            grow_add(&g, from);
        } else {
            grow_concat(&g, from);
        }
    }
    finish(&g);
    sn_text_add(&g.text, "]}");
    assert_false(g.text.failed);
    return g.text;
}
