/* Blocks of graphs worked out by hand, and what has to hold of every block, over random graphs. */
#include "network/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/forest.h"
#include "support/check.h"
#include "support/net.h"
#include "support/random_graph.h"

static const sn_dataset dimensions = {.in_dim = 6, .out_dim = 3};
static sn_error error;

typedef struct built {
    sn_config *config;
    sn_graph graph;
} built;

static built build(const char *network) {
    built b = {NULL, {0}};
    if (net_build(&b.config, &b.graph, network, &dimensions, SN_F32, &error)) fail_msg("%s\n%s", error.text, network);
    return b;
}

static void release(built *b) {
    sn_graph_reset(&b->graph);
    sn_config_free(b->config);
}

static void add_way(sn_text *text, const sn_graph *graph, const sn_block *block, sn_way way, const char *name) {
    int *nodes = calloc((size_t)(block->end - block->start), sizeof *nodes);
    assert_non_null(nodes);
    int n = sn_block_nodes(graph, block, way, nodes);
    if (n > 0) sn_text_addf(text, "; %s", name);
    for (int i = 0; i < n; i++)
        sn_text_addf(text, " %s", graph->nodes[nodes[i]].label);
    free(nodes);
}

/* "NAME START>END sb; branch NODES": a letter for each input of the end (shortcut, branch, gate), then the nodes on
 * the ways of each kind, and what else is said of the block. */
static void add_block(sn_text *text, const sn_graph *graph, const sn_block *block) {
    const sn_node *end = &graph->nodes[block->end];
    sn_text_addf(text, "%s %s>%s ", graph->nodes[block->named_by].label, graph->nodes[block->start].label, end->label);
    for (int k = 0; k < end->n_inputs; k++)
        sn_text_addf(text, "%c", "sbg"[sn_block_way(graph, block, k)]);
    add_way(text, graph, block, SN_WAY_SHORTCUT, "shortcut");
    add_way(text, graph, block, SN_WAY_BRANCH, "branch");
    add_way(text, graph, block, SN_WAY_GATE, "gate");
    if (block->projection >= 0) sn_text_addf(text, "; projection %s", graph->nodes[block->projection].label);
    if (block->grown_by >= 0) sn_text_add(text, "; grown");
    if (!block->is_closed) sn_text_add(text, "; open");
    sn_text_add(text, "\n");
}

typedef struct block_case {
    const char *network, *expected;
} block_case;

#define MLP(depth, rest) "{\"depth\": " #depth ", \"width\": 5, " rest "}"
#define ADD(n)           "\"skip\": {\"kind\": \"add\", \"layers_per_block\": " #n "}"
#define CONCAT(n)        "\"skip\": {\"kind\": \"concat\", \"growth\": 2, \"layers_per_block\": " #n "}"
#define HIGHWAY(n)       "\"skip\": {\"kind\": \"highway\", \"layers_per_block\": " #n "}"

static const block_case family_cases[] = {
    {MLP(3, ADD(1)), "block1 hidden1>block1 sb; branch hidden2.act hidden2\n"
                     "block2 block1>block2 sb; branch hidden3.act hidden3\n"},
    {MLP(4, ADD(2)), "block1 hidden1>block1 sb; branch hidden2.act hidden2 hidden3.act hidden3\n"
                     "block2 block1>block2 sb; branch hidden4.act hidden4\n"},
    {MLP(4, ADD(3)), "block1 hidden1>block1 sb; branch hidden2.act hidden2 hidden3.act hidden3 hidden4.act hidden4\n"},
    {MLP(2, "\"order\": \"inside\", \"norm\": \"layer\", " ADD(1)),
     "block1 hidden1.act>block1 sb; branch hidden2 hidden2.norm hidden2.act\n"},
    {MLP(3, "\"order\": \"post\", \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0}}"),
     "block1 hidden1.act>block1 sb; branch hidden2 block1.scale\n"
     "block2 block1.act>block2 sb; branch hidden3 block2.scale\n"},
    {MLP(3, CONCAT(1)), "block1 hidden1>block1 sb; branch hidden2.act hidden2\n"
                        "block2 block1>block2 sb; branch hidden3.act hidden3\n"},
    {MLP(4, CONCAT(2)), "block1 hidden1>block1 sb; branch hidden2.act hidden2 hidden3.act hidden3\n"
                        "block2 block1>block2 sb; branch hidden4.act hidden4\n"},
    {MLP(4, CONCAT(3)),
     "block1 hidden1>block1 sb; branch hidden2.act hidden2 hidden3.act hidden3 hidden4.act hidden4\n"},
    {MLP(2, HIGHWAY(1)), "block1 hidden1>block1 gbs; branch hidden2.act hidden2; gate hidden2.gate hidden2.gate.act\n"},
    {MLP(3, HIGHWAY(2)), "block1 hidden1>block1 gbs; branch hidden2.act hidden2 hidden3.act hidden3; gate hidden3.gate "
                         "hidden3.gate.act\n"},
    {MLP(4, "\"norm\": \"batch\", " HIGHWAY(3)),
     "block1 hidden1>block1 gbs; branch hidden2.norm hidden2.act hidden2 hidden3.norm hidden3.act hidden3 hidden4.norm "
     "hidden4.act hidden4; gate hidden4.gate hidden4.gate.act\n"},
    /* A plain net, from what weights read to what the next ones read: the same whatever the order says. */
    {MLP(3, "\"norm\": \"layer\""), "hidden2 hidden2.act>hidden3.act b; branch hidden2 hidden3.norm hidden3.act\n"
                                    "hidden3 hidden3.act>output.act b; branch hidden3 output.norm output.act\n"},
    {MLP(3, "\"norm\": \"layer\", \"order\": \"inside\""),
     "hidden2 hidden1.act>hidden2.act b; branch hidden2 hidden2.norm hidden2.act\n"
     "hidden3 hidden2.act>hidden3.act b; branch hidden3 hidden3.norm hidden3.act\n"},
    {"{\"depth\": 1}", ""},
    {"{\"depth\": 1, \"width\": 6}", "hidden1 input>output.act b; branch hidden1 output.act\n"},
};

/* Entries of layer lists with labels that say nothing, or the wrong thing. */
#define LIST(entries)            "{\"layers\": [" entries "]}"
#define INPUTS(label, inputs)    "\"label\": \"" label "\", \"inputs\": [" inputs "]}"
#define LINEAR(label, units, of) "{\"op\": \"linear\", \"units\": " #units ", " INPUTS(label, "\"" of "\"")
#define TANH(label, of)          "{\"op\": \"tanh\", " INPUTS(label, "\"" of "\"")
#define DROP(label, of)          "{\"op\": \"dropout\", " INPUTS(label, "\"" of "\"")
#define JOIN(op, label, inputs)  "{\"op\": \"" op "\", " INPUTS(label, inputs)
#define FACTORS(label, inputs, factors)                                                                                \
    "{\"op\": \"add\", \"factors\": [" factors "], \"label\": \"" label "\", \"inputs\": [" inputs "]}"
#define OUT(of) LINEAR("output", 3, of)

static const block_case list_cases[] = {
    /* The branch is called as a projection would be, and comes first among the inputs. */
    {LIST(LINEAR("branch", 4, "input") "," TANH("skip", "branch") "," LINEAR("shortcut", 4, "skip") "," JOIN(
         "add", "hidden1", "\"shortcut\", \"branch\"") "," OUT("hidden1")),
     "hidden1 branch>hidden1 bs; branch skip shortcut\n"},
    /* A long skip over blocks, which lie in its branch. */
    {LIST(LINEAR("a", 4, "input") "," TANH("t", "a") "," LINEAR("b", 4, "t") "," JOIN(
         "add", "c",
         "\"a\", \"b\"") "," TANH("u",
                                  "c") "," LINEAR("d", 4,
                                                  "u") "," JOIN("add", "e",
                                                                "\"d\", \"c\"") "," JOIN("add", "f",
                                                                                         "\"e\", \"a\"") "," OUT("f")),
     "c a>c sb; branch t b\n"
     "e c>e bs; branch u d\n"
     "f a>f bs; branch t b c u d e\n"},
    /* The identity reaches the outer sum through the inner one. */
    {LIST(LINEAR("a", 4, "input") "," TANH("t", "a") "," LINEAR("b", 4, "t") "," JOIN(
         "add", "c", "\"a\", \"b\"") "," TANH("u", "a") "," LINEAR("d", 4, "u") "," JOIN("add", "e",
                                                                                         "\"d\", \"c\"") "," OUT("e")),
     "c a>c sb; branch t b\n"
     "e a>e bs; shortcut t b c; branch u d\n"},
    /* Projections: one weight layer, and no activation, against two. */
    {LIST(LINEAR("x", 5, "input") "," LINEAR("f", 4, "x") "," TANH("t", "f") "," LINEAR("g", 4, "t") "," LINEAR(
         "hidden9", 4, "x") "," JOIN("add", "s", "\"g\", \"hidden9\"") "," OUT("s")),
     "s x>s bs; shortcut hidden9; branch f t g; projection hidden9\n"},
    {LIST(LINEAR("x", 5, "input") "," DROP("d", "x") "," LINEAR("p", 4, "d") "," DROP("q", "p") "," LINEAR(
         "f", 4, "x") "," TANH("t", "f") "," LINEAR("g", 4, "t") "," JOIN("gate", "s",
                                                                          "\"g\", \"g\", \"q\"") "," OUT("s")),
     "s x>s gbs; shortcut d p q; branch f t g; gate f t g; projection p\n"},
    {LIST(LINEAR("x", 5, "input") "," LINEAR("f", 4, "x") "," TANH("t", "f") "," LINEAR("g", 4, "t") "," LINEAR(
         "p", 4, "x") "," JOIN("concat", "s", "\"g\", \"p\"") "," OUT("s")),
     "s x>s bb; branch f t g p\n"},
    /* A projected block is passed over as an identity is, with its weight layer. */
    {LIST(LINEAR("x", 5, "input") "," LINEAR("f", 4, "x") "," TANH("t", "f") "," LINEAR("g", 4, "t") "," LINEAR(
         "p", 4,
         "x") "," JOIN("add", "s",
                       "\"g\", \"p\"") "," TANH("u",
                                                "x") "," LINEAR("h", 5,
                                                                "u") "," TANH("v",
                                                                              "h") "," LINEAR("i", 4,
                                                                                              "v") "," JOIN("add", "r",
                                                                                                            "\"i\", "
                                                                                                            "\"s\"") "," OUT("r")),
     "s x>s bs; shortcut p; branch f t g; projection p\n"
     "r x>r bs; shortcut f t g p s; branch u h v i; projection p\n"},
    /* A dropout on the shortcut. */
    {LIST(LINEAR("x", 4, "input") "," DROP("d", "x") "," TANH("t", "x") "," LINEAR("f", 4, "t") "," JOIN(
         "add", "s", "\"f\", \"d\"") "," OUT("s")),
     "s x>s bs; shortcut d; branch t f\n"},
    /* Two branches and no shortcut: of equal depth, of unequal depth behind an activation, and of two dropouts. */
    {LIST(LINEAR("x", 5, "input") "," LINEAR("f", 4, "x") "," LINEAR("g", 4, "x") "," JOIN(
         "add", "s", "\"f\", \"g\"") "," OUT("s")),
     "s x>s bb; branch f g\n"},
    {LIST(LINEAR("x", 4, "input") "," TANH("t", "x") "," LINEAR("f", 4, "t") "," TANH("u", "f") "," LINEAR(
         "g", 4, "u") "," TANH("v", "x") "," LINEAR("h", 4, "v") "," JOIN("add", "s", "\"g\", \"h\"") "," OUT("s")),
     "s x>s bb; branch t f u g v h\n"},
    {LIST(LINEAR("x", 4, "input") "," DROP("d", "x") "," DROP("e", "x") "," JOIN("add", "s",
                                                                                 "\"d\", \"e\"") "," OUT("s")),
     "s x>s bb; branch d e\n"},
    /* More than two inputs: a shortcut with two branches; the shortcut twice; nothing but the shortcut. */
    {LIST(LINEAR("x", 4, "input") "," TANH("t", "x") "," LINEAR("f", 4, "t") "," TANH("u", "x") "," LINEAR(
         "g", 4, "u") "," JOIN("add", "s", "\"f\", \"x\", \"g\"") "," OUT("s")),
     "s x>s bsb; branch t f u g\n"},
    {LIST(LINEAR("x", 4, "input") "," TANH("t", "x") "," JOIN("add", "s", "\"x\", \"t\", \"x\"") "," OUT("s")),
     "s x>s sbs; branch t\n"},
    {LIST(LINEAR("x", 4, "input") "," JOIN("add", "s", "\"x\", \"x\"") "," OUT("s")), "s x>s ss\n"},
    /* Crossing skips: b is passed on, but a comes into the branch too; then two towers that cross, and no shortcut. */
    {LIST(LINEAR("a", 4, "input") "," TANH("t", "a") "," LINEAR("b", 4, "t") "," JOIN(
         "add", "c", "\"a\", \"b\"") "," TANH("u", "c") "," LINEAR("d", 4, "u") "," JOIN("add", "e",
                                                                                         "\"d\", \"b\"") "," OUT("e")),
     "c a>c sb; branch t b\n"
     "e b>e bs; branch c u d; open\n"},
    {LIST(LINEAR("a", 4, "input") "," LINEAR("b", 4, "input") "," TANH("t", "a") "," TANH("u", "b") "," JOIN(
         "add", "c", "\"a\", \"u\"") "," JOIN("add", "d", "\"t\", \"b\"") "," JOIN("add", "e",
                                                                                   "\"c\", \"d\"") "," OUT("e")),
     "c input>c bb; branch a b u\n"
     "d input>d bb; branch a b t\n"
     "e input>e bb; branch a b t u c d\n"},
    /* A dense net in which each layer reads all before it; with another order of inputs, and other factors. */
    {LIST(LINEAR("x", 4, "input") "," TANH("s", "x") "," LINEAR("f", 2, "s") "," JOIN("concat", "c", "\"x\", \"f\"") "," TANH(
         "t", "c") "," LINEAR("g", 2,
                              "t") "," JOIN("concat", "d",
                                            "\"x\", \"f\", \"g\"") "," TANH("u",
                                                                            "d") "," LINEAR("h", 2,
                                                                                            "u") "," JOIN("concat", "e",
                                                                                                          "\"h\", "
                                                                                                          "\"x\", "
                                                                                                          "\"f\", "
                                                                                                          "\"g\"") "," OUT("e")),
     "c x>c sb; branch s f\n"
     "d c>d ssb; branch t g; grown\n"
     "e d>e bsss; branch u h; grown\n"},
    {LIST(LINEAR("x", 4, "input") "," TANH("s", "x") "," LINEAR("f", 4, "s") "," JOIN("add", "c", "\"x\", \"f\"") "," TANH(
         "t",
         "c") "," LINEAR("g",
                         4, "t") "," JOIN("add", "d",
                                          "\"x\", \"f\", \"g\"") "," TANH("u",
                                                                          "d") "," LINEAR("h", 4,
                                                                                          "u") "," FACTORS("e",
                                                                                                           "\"x\", "
                                                                                                           "\"f\", "
                                                                                                           "\"g\", "
                                                                                                           "\"h\"",
                                                                                                           "1, 1, 0.5, "
                                                                                                           "1") "," OUT("e")),
     "c x>c sb; branch s f\n"
     "d c>d ssb; branch t g; grown\n"
     "e x>e sbbb; branch s f c t g d u h\n"},
    {LIST(LINEAR("x", 4, "input") "," TANH("s", "x") "," LINEAR("f", 2, "s") "," JOIN(
         "concat", "c",
         "\"f\", \"x\"") "," TANH("t", "c") "," LINEAR("g", 2, "t") "," JOIN("concat", "d",
                                                                             "\"x\", \"f\", \"g\"") "," OUT("d")),
     "c x>c bs; branch s f\n"
     "d x>d sbb; branch s f c t g\n"},
    /* A gate whose carry is its second input; one without any. */
    {LIST(LINEAR("x", 4, "input") "," TANH("t", "x") "," LINEAR("f", 4, "t") "," JOIN(
         "gate", "s", "\"t\", \"x\", \"f\"") "," OUT("s")),
     "s x>s gsb; branch t f; gate t\n"},
    {LIST(LINEAR("x", 4, "input") "," TANH("t", "x") "," TANH("u", "x") "," JOIN("gate", "s",
                                                                                 "\"x\", \"t\", \"u\"") "," OUT("s")),
     "s x>s gbb; branch t u\n"},
    /* The gate looks at what comes before the block. */
    {LIST(LINEAR("w", 4, "input") "," TANH("x", "w") "," TANH("t", "x") "," LINEAR("f", 4, "t") "," JOIN(
         "gate", "s", "\"w\", \"f\", \"x\"") "," OUT("s")),
     "s x>s gbs; branch t f; open\n"},
    /* A join is the last node; a plain net whose last layer has an activation. */
    {LIST(LINEAR("x", 3, "input") "," TANH("t", "x") "," JOIN("add", "s", "\"x\", \"t\"")), "s x>s sb; branch t\n"},
    {LIST(LINEAR("x", 6, "input") "," TANH("t", "x") "," DROP("d", "t") "," LINEAR("y", 3, "d") "," TANH("z", "y")),
     "x input>d b; branch x t d\n"},
};

static void expect_blocks(const block_case *c) {
    built b = build(c->network);
    sn_text text = SN_TEXT_EMPTY;
    for (int i = 0; i < b.graph.n_blocks; i++)
        add_block(&text, &b.graph, &b.graph.blocks[i]);
    if (strcmp(sn_text_string(&text), c->expected) != 0)
        fail_msg("%s\n%sexpected\n%s", c->network, sn_text_string(&text), c->expected);
    sn_text_free(&text);
    release(&b);
}

static void test_families(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof family_cases / sizeof *family_cases; i++)
        expect_blocks(&family_cases[i]);
}

static void test_lists(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof list_cases / sizeof *list_cases; i++)
        expect_blocks(&list_cases[i]);
}

/* More crossing skips than are settled at once: every layer after the second adds what the one before the last was. */
static void test_many_crossings(void **state) {
    (void)state;
    enum { LAYERS = 200 };
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "{\"layers\": [" LINEAR("y0", 3, "input") "," LINEAR("y1", 3, "y0"));
    for (int i = 2; i < LAYERS; i++) {
        sn_text_addf(&text, ",{\"op\": \"tanh\", \"label\": \"t%d\", \"inputs\": [\"y%d\"]}", i, i - 1);
        sn_text_addf(&text, ",{\"op\": \"add\", \"label\": \"y%d\", \"inputs\": [\"t%d\", \"y%d\"]}", i, i, i - 2);
    }
    sn_text_add(&text, "]}");
    built b = build(sn_text_string(&text));
    assert_int_equal(b.graph.n_blocks, LAYERS - 2);
    for (int i = 2; i < LAYERS; i++) {
        char start[16];
        const sn_block *block = &b.graph.blocks[i - 2];
        snprintf(start, sizeof start, "y%d", i - 2);
        assert_string_equal(b.graph.nodes[block->start].label, start);
        assert_int_equal(block->shortcut, 1);
        assert_int_equal(block->is_closed, i == 2);
    }
    release(&b);
    sn_text_free(&text);
}

/* ---- what has to hold of every block ---- */

enum { MOST = RANDOM_MOST_NODES + 8 };

/* By trying: reach[a][b], whether a way leads from a to b, or a is b. */
typedef struct oracle {
    bool reach[MOST][MOST];
} oracle;

static void look(oracle *o, const sn_graph *graph) {
    *o = (oracle){0};
    for (int b = 0; b < graph->n_nodes; b++) {
        o->reach[b][b] = true;
        for (int k = 0; k < graph->nodes[b].n_inputs; k++) {
            for (int a = 0; a < b; a++)
                o->reach[a][b] |= o->reach[a][graph->nodes[b].inputs[k]];
        }
    }
}

/* Whether b can be reached from the input where `without` is taken away. */
static bool is_reached_without(const sn_graph *graph, int b, int without) {
    bool reached[MOST] = {true};
    reached[0] = without != 0;
    for (int i = 1; i <= b; i++) {
        for (int k = 0; k < graph->nodes[i].n_inputs; k++)
            reached[i] |= i != without && reached[graph->nodes[i].inputs[k]];
    }
    return reached[b];
}

typedef struct seen {
    int identities, passed, projected, grown, none, open, gates;
} seen;

static void count(seen *s, const sn_graph *graph, const sn_block *block) {
    bool is_direct = block->shortcut >= 0 && graph->nodes[block->end].inputs[block->shortcut] == block->start;
    s->grown += block->grown_by >= 0;
    s->projected += block->projection >= 0;
    s->identities += is_direct;
    s->passed += block->shortcut >= 0 && !is_direct && block->projection < 0 && block->grown_by < 0;
    s->none += block->shortcut < 0;
    s->open += !block->is_closed;
    s->gates += graph->nodes[block->end].op->join == SN_JOIN_GATE;
}

/* The nodes are those between, by what reaches what. */
static void check_nodes(const sn_graph *graph, const oracle *o, const sn_block *block, sn_way way) {
    int nodes[MOST], n = sn_block_nodes(graph, block, way, nodes), found = 0;
    const sn_node *end = &graph->nodes[block->end];
    for (int i = block->start + 1; i < block->end; i++) {
        bool leads = false;
        for (int k = 0; k < end->n_inputs; k++)
            leads |= sn_block_way(graph, block, k) == way && o->reach[i][end->inputs[k]];
        if (!leads || !o->reach[block->start][i]) continue;
        assert_true(found < n);
        assert_int_equal(nodes[found++], i);
    }
    assert_int_equal(found, n);
}

/* Nothing comes into a closed block but through its start: every way into its branches and gates, by trying. */
static void check_closed(const sn_graph *graph, const sn_block *block) {
    const sn_node *end = &graph->nodes[block->end];
    bool is_closed = true;
    for (int k = 0; k < end->n_inputs; k++) {
        bool is_free = sn_block_way(graph, block, k) != SN_WAY_SHORTCUT && end->inputs[k] != block->start;
        is_closed &= !(is_free && is_reached_without(graph, end->inputs[k], block->start));
    }
    assert_int_equal(block->is_closed, is_closed);
}

/* No edge leads from before the start into the nodes of a closed block. */
static void check_edges(const sn_graph *graph, const sn_block *block) {
    bool is_in[MOST] = {false};
    is_in[block->start] = true;
    for (sn_way way = SN_WAY_SHORTCUT; way <= SN_WAY_GATE; way++) {
        int nodes[MOST], n = sn_block_nodes(graph, block, way, nodes);
        for (int i = 0; i < n; i++)
            is_in[nodes[i]] = true;
    }
    for (int i = block->start + 1; i < block->end && block->is_closed; i++) {
        for (int k = 0; is_in[i] && k < graph->nodes[i].n_inputs; k++)
            assert_true(is_in[graph->nodes[i].inputs[k]]);
    }
}

/* The start is the nearest there is: an ancestor of all that is mixed, and without a shortcut no later node is on every
 * way to the end. */
static void check_start(const sn_graph *graph, const oracle *o, const sn_block *block) {
    const sn_node *end = &graph->nodes[block->end];
    for (int k = 0; k < end->n_inputs; k++) {
        if (sn_block_way(graph, block, k) != SN_WAY_BRANCH) continue;
        assert_true(o->reach[block->start][end->inputs[k]]);
    }
    bool is_direct = block->shortcut >= 0 && end->inputs[block->shortcut] == block->start;
    if (is_direct || block->grown_by >= 0) return;
    assert_false(is_reached_without(graph, block->end, block->start));
    for (int i = block->start + 1; i < block->end; i++)
        assert_true(is_reached_without(graph, block->end, i));
}

/* Where an input is an ancestor of all others, that is passed on. */
static void check_identity(const sn_graph *graph, const oracle *o, const sn_block *block) {
    const sn_node *end = &graph->nodes[block->end];
    int first = end->op->join == SN_JOIN_GATE ? 1 : 0, ancestor = -1;
    for (int a = first; a < end->n_inputs; a++) {
        bool all = true;
        for (int k = first; k < end->n_inputs; k++)
            all &= o->reach[end->inputs[a]][end->inputs[k]];
        if (all && ancestor < 0) ancestor = end->inputs[a];
    }
    if (block->grown_by >= 0) return;
    bool is_direct = block->shortcut >= 0 && end->inputs[block->shortcut] == block->start;
    assert_int_equal(is_direct, ancestor >= 0);
    if (is_direct) assert_int_equal(block->start, ancestor);
}

static void check_graph(const sn_graph *graph, seen *s) {
    static oracle o;
    assert_true(graph->n_nodes <= MOST);
    look(&o, graph);
    int joins = 0;
    for (int i = 1; i < graph->n_nodes; i++)
        joins += graph->nodes[i].op->join != SN_JOIN_NONE;
    if (joins == 0) return;
    assert_int_equal(graph->n_blocks, joins);
    for (int i = 0; i < joins; i++) {
        const sn_block *block = &graph->blocks[i];
        assert_ptr_equal(sn_block_ending_at(graph, block->end), block);
        assert_true(block->start < block->end && graph->nodes[block->end].op->join != SN_JOIN_NONE);
        count(s, graph, block);
        check_closed(graph, block);
        check_edges(graph, block);
        check_start(graph, &o, block);
        check_identity(graph, &o, block);
        for (sn_way way = SN_WAY_SHORTCUT; way <= SN_WAY_GATE; way++)
            check_nodes(graph, &o, block, way);
    }
}

static void test_random_graphs(void **state) {
    (void)state;
    const random_limits limits = {.in = 6, .out = 3, .most_units = 6, .most_width = 40};
    seen s = {0};
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        sn_text text = random_graph(seed, &limits);
        built b = build(sn_text_string(&text));
        check_graph(&b.graph, &s);
        release(&b);
        sn_text_free(&text);
    }
    print_message("%d identities, %d passed on, %d projected, %d grown, %d without shortcut; %d open, %d gates\n",
                  s.identities, s.passed, s.projected, s.grown, s.none, s.open, s.gates);
    assert_true(s.identities > 100 && s.passed > 10 && s.projected > 10 && s.none > 100 && s.open > 100 &&
                s.gates > 100);
}

/* ---- forests ---- */

/* Against walks from parent to parent. */
static void test_forest(void **state) {
    (void)state;
    enum { N = 300 };
    sn_forest forest;
    random_draws draws = random_begin(1, "forest");
    assert_int_equal(sn_forest_init(&forest, N, &error), SN_OK);
    sn_forest_add(&forest, 0, -1);
    for (int i = 1; i < N; i++)
        sn_forest_add(&forest, i, random_below(&draws, 3) ? i - 1 : random_below(&draws, i));
    for (int tries = 0; tries < 20000; tries++) {
        int a = random_below(&draws, N), b = random_below(&draws, N), v = b;
        while (v > a)
            v = forest.parent[v];
        assert_int_equal(sn_forest_is_above(&forest, a, b), v == a);
        for (int w = a; v != w;) {
            if (v > w) {
                v = forest.parent[v];
            } else {
                w = forest.parent[w];
            }
        }
        assert_int_equal(sn_forest_common(&forest, a, b), v);
        int beyond = b;
        if (b <= a) continue;
        while (forest.parent[beyond] > a)
            beyond = forest.parent[beyond];
        assert_int_equal(sn_forest_last_beyond(&forest, b, a), beyond);
    }
    sn_forest_reset(&forest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),      cmocka_unit_test(test_lists),  cmocka_unit_test(test_many_crossings),
        cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_forest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
