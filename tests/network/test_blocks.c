/* Blocks of graphs worked out by hand, and what has to hold of every block, over random graphs. */
#include "network/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/forest.h"
#include "support/check.h"
#include "support/net.h"
#include "support/random_graph.h"

static sn_error error;

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

/* Graphs as "LABEL=OP(INPUTS)" with the units behind linear and, in brackets, factors behind add.  The labels say
 * nothing, or the wrong thing. */
static const block_case list_cases[] = {
    /* The branch is called as a projection would be, and comes first among the inputs. */
    {"branch=linear4(input) skip=tanh(branch) shortcut=linear4(skip) hidden1=add(shortcut,branch) out=linear3(hidden1)",
     "hidden1 branch>hidden1 bs; branch skip shortcut\n"},
    /* A long skip over blocks, which lie in its branch. */
    {"a=linear4(input) t=tanh(a) b=linear4(t) c=add(a,b) u=tanh(c) d=linear4(u) e=add(d,c) f=add(e,a) out=linear3(f)",
     "c a>c sb; branch t b\n"
     "e c>e bs; branch u d\n"
     "f a>f bs; branch t b c u d e\n"},
    /* The identity reaches the outer sum through the inner one. */
    {"a=linear4(input) t=tanh(a) b=linear4(t) c=add(a,b) u=tanh(a) d=linear4(u) e=add(d,c) out=linear3(e)",
     "c a>c sb; branch t b\n"
     "e a>e bs; shortcut t b c; branch u d\n"},
    /* Projections: one weight layer, and no activation, against two; not where nothing needs equal shapes. */
    {"x=linear5(input) f=linear4(x) t=tanh(f) g=linear4(t) hidden9=linear4(x) s=add(g,hidden9) out=linear3(s)",
     "s x>s bs; shortcut hidden9; branch f t g; projection hidden9\n"},
    {"x=linear5(input) d=dropout(x) p=linear4(d) q=dropout(p) f=linear4(x) t=tanh(f) g=linear4(t) s=gate(g,g,q) "
     "out=linear3(s)",
     "s x>s gbs; shortcut d p q; branch f t g; gate f t g; projection p\n"},
    {"x=linear5(input) f=linear4(x) t=tanh(f) g=linear4(t) p=linear4(x) s=concat(g,p) out=linear3(s)",
     "s x>s bb; branch f t g p\n"},
    /* A projected block is passed over as an identity is, with its weight layer. */
    {"x=linear5(input) f=linear4(x) t=tanh(f) g=linear4(t) p=linear4(x) s=add(g,p) u=tanh(x) h=linear5(u) v=tanh(h) "
     "i=linear4(v) r=add(i,s) out=linear3(r)",
     "s x>s bs; shortcut p; branch f t g; projection p\n"
     "r x>r bs; shortcut f t g p s; branch u h v i; projection p\n"},
    /* A dropout on the shortcut. */
    {"x=linear4(input) d=dropout(x) t=tanh(x) f=linear4(t) s=add(f,d) out=linear3(s)",
     "s x>s bs; shortcut d; branch t f\n"},
    /* Such a block is passed over, too, whether its branch is a chain or has a sum within that its shortcut might
     * cross.
     */
    {"x=linear4(input) p=dropout(x) a=tanh(x) f=linear4(a) b=tanh(f) g=linear4(b) s=add(p,g) u=tanh(x) h=linear4(u) "
     "r=add(s,h) out=linear3(r)",
     "s x>s sb; shortcut p; branch a f b g\n"
     "r x>r sb; shortcut p a f b g s; branch u h\n"},
    {"x=linear4(input) p=dropout(x) a=tanh(x) f=linear4(a) b=tanh(x) g=linear4(b) m=add(f,g) s=add(p,m) u=tanh(x) "
     "h=linear4(u) r=add(s,h) out=linear3(r)",
     "m x>m bb; branch a f b g\n"
     "s x>s sb; shortcut p; branch a f b g m\n"
     "r x>r sb; shortcut p a f b g m s; branch u h\n"},
    /* No shortcut: branches of equal depth, of unequal depth behind an activation, of two dropouts. */
    {"x=linear5(input) f=linear4(x) g=linear4(x) s=add(f,g) out=linear3(s)", "s x>s bb; branch f g\n"},
    {"x=linear4(input) t=tanh(x) f=linear4(t) u=tanh(f) g=linear4(u) v=tanh(x) h=linear4(v) s=add(g,h) out=linear3(s)",
     "s x>s bb; branch t f u g v h\n"},
    {"x=linear4(input) d=dropout(x) e=dropout(x) s=add(d,e) out=linear3(s)", "s x>s bb; branch d e\n"},
    /* More than two inputs: a shortcut with two branches; the shortcut twice; nothing but the shortcut. */
    {"x=linear4(input) t=tanh(x) f=linear4(t) u=tanh(x) g=linear4(u) s=add(f,x,g) out=linear3(s)",
     "s x>s bsb; branch t f u g\n"},
    {"x=linear4(input) t=tanh(x) s=add(x,t,x) out=linear3(s)", "s x>s sbs; branch t\n"},
    {"x=linear4(input) s=add(x,x) out=linear3(s)", "s x>s ss\n"},
    /* Crossing skips: b is passed on, but a comes into the branch too; then two towers that cross, and no shortcut. */
    {"a=linear4(input) t=tanh(a) b=linear4(t) c=add(a,b) u=tanh(c) d=linear4(u) e=add(d,b) out=linear3(e)",
     "c a>c sb; branch t b\n"
     "e b>e bs; branch c u d; open\n"},
    {"a=linear4(input) b=linear4(input) t=tanh(a) u=tanh(b) c=add(a,u) d=add(t,b) e=add(c,d) out=linear3(e)",
     "c input>c bb; branch a b u\n"
     "d input>d bb; branch a b t\n"
     "e input>e bb; branch a b t u c d\n"},
    /* A dense net in which each layer reads all before it; the same by sums; other factors; another order. */
    {"x=linear4(input) s=tanh(x) f=linear2(s) c=concat(x,f) t=tanh(c) g=linear2(t) d=concat(x,f,g) u=tanh(d) "
     "h=linear2(u) e=concat(h,x,f,g) out=linear3(e)",
     "c x>c sb; branch s f\n"
     "d c>d ssb; branch t g; grown\n"
     "e d>e bsss; branch u h; grown\n"},
    {"x=linear4(input) s=tanh(x) f=linear4(s) c=add(x,f) t=tanh(c) g=linear4(t) d=add(x,f,g) u=tanh(d) h=linear4(u) "
     "e=add(x,f,g,h)[1,1,0.5,1] out=linear3(e)",
     "c x>c sb; branch s f\n"
     "d c>d ssb; branch t g; grown\n"
     "e x>e sbbb; branch s f c t g d u h\n"},
    {"x=linear4(input) s=tanh(x) f=linear2(s) c=concat(f,x) t=tanh(c) g=linear2(t) d=concat(x,f,g) out=linear3(d)",
     "c x>c bs; branch s f\n"
     "d x>d sbb; branch s f c t g\n"},
    /* What would grow another join, did the branch only come from there. */
    {"x=linear4(input) s=tanh(x) f=linear2(s) c=concat(x,f) t=tanh(x) g=linear2(t) d=concat(x,f,g) e=concat(c,d) "
     "out=linear3(e)",
     "c x>c sb; branch s f\n"
     "d x>d sbb; branch s f t g\n"
     "e x>e bb; branch s f c t g d\n"},
    /* A gate whose carry is its second input; one without any; one that looks at what comes before the block. */
    {"x=linear4(input) t=tanh(x) f=linear4(t) s=gate(t,x,f) out=linear3(s)", "s x>s gsb; branch t f; gate t\n"},
    {"x=linear4(input) t=tanh(x) u=tanh(x) s=gate(x,t,u) out=linear3(s)", "s x>s gbb; branch t u\n"},
    {"w=linear4(input) x=tanh(w) t=tanh(x) f=linear4(t) s=gate(w,f,x) out=linear3(s)", "s x>s gbs; branch t f; open\n"},
    /* Such a block passes nothing on. */
    {"w=linear4(input) x=dropout(w) t=tanh(x) f=linear4(t) s=gate(w,f,x) u=tanh(x) g=linear4(u) e=add(s,g) "
     "out=linear3(e)",
     "s x>s gbs; branch t f; open\n"
     "e w>e bb; branch x t f s u g\n"},
    /* A join is the last node; a plain net whose last layer has an activation. */
    {"x=linear3(input) t=tanh(x) s=add(x,t)", "s x>s sb; branch t\n"},
    {"x=linear6(input) t=tanh(x) d=dropout(t) y=linear3(d) z=tanh(y)", "x input>d b; branch x t d\n"},
};

/* Appends the pieces of `list` between commas, each in quotes. */
static void add_inputs(sn_text *text, const char *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn(list + i, ",)");
        sn_text_addf(text, "%s\"%.*s\"", i > 0 ? ", " : "", (int)length, list + i);
        i += length;
    }
}

static void add_entry(sn_text *text, const char *word) {
    size_t label = strcspn(word, "="), end = strcspn(word, ")");
    const char *op = word + label + 1;
    size_t name = strcspn(op, "0123456789("), open = strcspn(op, "(");
    sn_text_addf(text, "{\"label\": \"%.*s\", \"op\": \"%.*s\"", (int)label, word, (int)name, op);
    if (name < open) sn_text_addf(text, ", \"units\": %.*s", (int)(open - name), op + name);
    sn_text_add(text, ", \"inputs\": [");
    add_inputs(text, op + open + 1, (size_t)(word + end - op) - open - 1);
    sn_text_add(text, "]");
    if (word[end + 1] == '[')
        sn_text_addf(text, ", \"factors\": %.*s", (int)strcspn(word + end + 1, " "), word + end + 1);
    sn_text_add(text, "}");
}

/* The layer list of a graph in words. */
static sn_text list_of(const char *words) {
    sn_text text = SN_TEXT_EMPTY;
    const char *before = "{\"layers\": [";
    for (const char *word = words; *word; word += strspn(word, " ")) {
        sn_text_add(&text, before);
        before = ", ";
        add_entry(&text, word);
        word += strcspn(word, " ");
    }
    sn_text_add(&text, "]}");
    return text;
}

static void expect_blocks(const char *network, const char *expected) {
    test_graph b = graph_open(network);
    sn_text text = SN_TEXT_EMPTY;
    for (int i = 0; i < b.graph.n_blocks; i++)
        add_block(&text, &b.graph, &b.graph.blocks[i]);
    if (strcmp(sn_text_string(&text), expected) != 0)
        fail_msg("%s\n%sexpected\n%s", network, sn_text_string(&text), expected);
    sn_text_free(&text);
    graph_close(&b);
}

static void test_families(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof family_cases / sizeof *family_cases; i++)
        expect_blocks(family_cases[i].network, family_cases[i].expected);
}

static void test_lists(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof list_cases / sizeof *list_cases; i++) {
        sn_text network = list_of(list_cases[i].network);
        expect_blocks(sn_text_string(&network), list_cases[i].expected);
        sn_text_free(&network);
    }
}

/* More crossing skips than are settled at once: every layer after the second adds what the one before the last was. */
static void test_many_crossings(void **state) {
    (void)state;
    enum { LAYERS = 200 };
    sn_text words = SN_TEXT_EMPTY;
    sn_text_add(&words, "y0=linear3(input) y1=linear3(y0)");
    for (int i = 2; i < LAYERS; i++)
        sn_text_addf(&words, " t%d=tanh(y%d) y%d=add(t%d,y%d)", i, i - 1, i, i, i - 2);
    sn_text network = list_of(sn_text_string(&words));
    test_graph b = graph_open(sn_text_string(&network));
    assert_int_equal(b.graph.n_blocks, LAYERS - 2);
    for (int i = 2; i < LAYERS; i++) {
        char start[16];
        const sn_block *block = &b.graph.blocks[i - 2];
        snprintf(start, sizeof start, "y%d", i - 2);
        assert_string_equal(b.graph.nodes[block->start].label, start);
        assert_int_equal(block->shortcut, 1);
        assert_int_equal(block->is_closed, i == 2);
    }
    graph_close(&b);
    sn_text_free(&words);
    sn_text_free(&network);
}

/* As many that are none: a tower reads another at every height, and no node of that is an ancestor of it. */
static void test_many_towers(void **state) {
    (void)state;
    enum { LAYERS = 200 };
    sn_text words = SN_TEXT_EMPTY;
    sn_text_add(&words, "a0=linear3(input) b0=linear3(input)");
    for (int i = 1; i < LAYERS; i++)
        sn_text_addf(&words, " a%d=tanh(a%d)", i, i - 1);
    for (int i = 1; i < LAYERS; i++)
        sn_text_addf(&words, " t%d=tanh(b%d) b%d=add(t%d,a%d)", i, i - 1, i, i, i);
    sn_text network = list_of(sn_text_string(&words));
    test_graph b = graph_open(sn_text_string(&network));
    assert_int_equal(b.graph.n_blocks, LAYERS - 1);
    for (int i = 0; i < b.graph.n_blocks; i++) {
        assert_int_equal(b.graph.blocks[i].start, 0);
        assert_int_equal(b.graph.blocks[i].shortcut, -1);
    }
    graph_close(&b);
    sn_text_free(&words);
    sn_text_free(&network);
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
    int over; /* shortcuts that lead over a join which itself passes on by rule 3 or 4 */
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

enum { NO_WAY = 9 };

/* Weight layers on the way by which node i passes on what `start` gives, by a walk over nodes and whole blocks. */
static int walk_back(const sn_graph *graph, int start, int i, bool *is_over) {
    int weights = 0;
    while (i > start) {
        const sn_node *node = &graph->nodes[i];
        const sn_block *block = sn_block_ending_at(graph, i);
        if (block && (block->shortcut < 0 || !block->is_closed)) return NO_WAY;
        if (!block && node->op->is_activation && strcmp(node->op->kind.name, "identity") != 0) return NO_WAY;
        weights += block ? block->projection >= 0 : node->n_params > 0 && node->op->role == SN_ROLE_HIDDEN;
        *is_over |= block && block->grown_by < 0 && node->inputs[block->shortcut] != block->start;
        i = block ? block->start : node->inputs[0];
    }
    return i == start ? weights : NO_WAY;
}

/* Most weight layers on a way from the start to node i. */
static int most_weights(const sn_graph *graph, int start, int i) {
    int most[MOST];
    for (int v = start; v <= i; v++) {
        most[v] = v == start ? 0 : -MOST;
        for (int k = 0; v > start && k < graph->nodes[v].n_inputs; k++) {
            int input = graph->nodes[v].inputs[k];
            if (input >= start && most[input] > most[v]) most[v] = most[input];
        }
        if (v > start) most[v] += graph->nodes[v].n_params > 0 && graph->nodes[v].op->role == SN_ROLE_HIDDEN;
    }
    return most[i];
}

/* Where neither of the first two rules holds, the shortcut is the one input that passes on the start with the fewest
 * weight layers, none or one; with one all others have more, and the join is no concat. */
static void check_passed(const sn_graph *graph, const sn_block *block, seen *s) {
    const sn_node *end = &graph->nodes[block->end];
    if (block->grown_by >= 0 || (block->shortcut >= 0 && end->inputs[block->shortcut] == block->start)) return;
    int fewest = 2, found = -1, first = end->op->join == SN_JOIN_GATE ? 1 : 0;
    bool is_over = false;
    for (int k = first; k < end->n_inputs; k++) {
        bool over = false;
        int n = walk_back(graph, block->start, end->inputs[k], &over);
        if (n > fewest || n >= 2) continue;
        found = n < fewest ? k : -1;
        fewest = n;
        is_over = over;
    }
    for (int k = first; k < end->n_inputs && fewest == 1; k++) {
        if (k != found && most_weights(graph, block->start, end->inputs[k]) < 2) found = -1;
    }
    if (fewest == 1 && end->op->join == SN_JOIN_CONCAT) found = -1;
    assert_int_equal(block->shortcut, found);
    assert_int_equal(block->projection >= 0, found >= 0 && fewest == 1);
    s->over += found >= 0 && is_over;
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
        check_passed(graph, block, s);
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
        test_graph b = graph_open(sn_text_string(&text));
        check_graph(&b.graph, &s);
        graph_close(&b);
        sn_text_free(&text);
    }
    print_message("%d identities, %d passed on, %d projected, %d over such, %d grown, %d without shortcut; %d open, %d "
                  "gates\n",
                  s.identities, s.passed, s.projected, s.over, s.grown, s.none, s.open, s.gates);
    assert_true(s.identities > 100 && s.passed > 10 && s.projected > 10 && s.none > 100 && s.open > 100 &&
                s.gates > 100 && s.over > 50);
}

/* ---- forests ---- */

/* By walks from parent to parent. */
static int walk_beyond(const sn_forest *forest, int v, int bound) {
    while (v > bound)
        v = forest->parent[v];
    return v;
}

static int walk_to_common(const sn_forest *forest, int a, int b) {
    while (a != b) {
        int later = a > b ? a : b;
        if (later == a) a = forest->parent[a];
        if (later == b) b = forest->parent[b];
    }
    return a;
}

static void expect_walks(const sn_forest *forest, int a, int b) {
    assert_int_equal(sn_forest_is_above(forest, a, b), walk_beyond(forest, b, a) == a);
    assert_int_equal(sn_forest_common(forest, a, b), walk_to_common(forest, a, b));
    if (b > a) {
        int last = sn_forest_last_beyond(forest, b, a);
        assert_true(last > a && sn_forest_is_above(forest, last, b) && forest->parent[last] <= a);
    }
}

static void test_forest(void **state) {
    (void)state;
    enum { N = 300, TRIES = 20000 };
    sn_forest forest;
    random_draws draws = random_begin(1, "forest");
    assert_int_equal(sn_forest_init(&forest, N, &error), SN_OK);
    sn_forest_add(&forest, 0, -1);
    for (int i = 1; i < N; i++)
        sn_forest_add(&forest, i, random_below(&draws, 3) ? i - 1 : random_below(&draws, i));
    for (int i = 0; i < TRIES; i++) {
        int a = random_below(&draws, N);
        expect_walks(&forest, a, random_below(&draws, N));
    }
    sn_forest_reset(&forest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),    cmocka_unit_test(test_lists),         cmocka_unit_test(test_many_crossings),
        cmocka_unit_test(test_many_towers), cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_forest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
