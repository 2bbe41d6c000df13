/* Graphs from configs: labels, references, repeats, roles, layer numbers, carried gradients, counts, errors by their
 * exact text, and the blocks of the family mlp. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/check.h"
#include "support/net.h"

static const sn_dataset dimensions = {.in_dim = 6, .out_dim = 3};
static sn_error error;

/* "label(input,input) label(input) ..." of all nodes but the network's input. */
static void expect_nodes(const sn_graph *graph, const char *expected) {
    sn_text text = SN_TEXT_EMPTY;
    for (int i = 1; i < graph->n_nodes; i++) {
        const sn_node *node = &graph->nodes[i];
        sn_text_addf(&text, "%s%s(", i > 1 ? " " : "", node->label);
        for (int k = 0; k < node->n_inputs; k++)
            sn_text_addf(&text, "%s%s", k ? "," : "", graph->nodes[node->inputs[k]].label);
        sn_text_add(&text, ")");
    }
    assert_string_equal(sn_text_string(&text), expected);
    sn_text_free(&text);
}

typedef struct graph_case {
    const char *network, *expected;
} graph_case;

#define LINEAR "\"op\": \"linear\", \"units\": 3"

static const graph_case label_cases[] = {
    {"{\"layers\": [{" LINEAR "}, {\"op\": \"tanh\"}, {" LINEAR "}, {\"op\": \"tanh\"}]}",
     "linear1(input) tanh1(linear1) linear2(tanh1) tanh2(linear2)"},
    {"{\"layers\": [{" LINEAR ", \"label\": \"tanh1\"}, {\"op\": \"tanh\"}]}", "tanh1(input) tanh2(tanh1)"},
    {"{\"layers\": [{" LINEAR ", \"label\": \"a\"}, {\"repeat\": 2, \"layers\": [{\"op\": \"tanh\", \"label\": \"t\"}, "
     "{\"op\": \"add\", \"label\": \"s\", \"inputs\": [\"a\", \"t\"]}]}]}",
     "a(input) t.1(a) s.1(a,t.1) t.2(s.1) s.2(a,t.2)"},
    {"{\"layers\": [{" LINEAR
     ", \"label\": \"a\"}, {\"repeat\": 2, \"layers\": [{\"op\": \"identity\", \"label\": \"o\"}, "
     "{\"repeat\": 2, \"layers\": [{\"op\": \"tanh\", \"label\": \"t\"}, {\"op\": \"add\", \"label\": \"s\", "
     "\"inputs\": [\"a\", "
     "\"o\", \"t\"]}]}, {\"op\": \"tanh\", \"label\": \"e\"}]}]}",
     "a(input) o.1(a) t.1.1(o.1) s.1.1(a,o.1,t.1.1) t.1.2(s.1.1) s.1.2(a,o.1,t.1.2) e.1(s.1.2) "
     "o.2(e.1) t.2.1(o.2) s.2.1(a,o.2,t.2.1) t.2.2(s.2.1) s.2.2(a,o.2,t.2.2) e.2(s.2.2)"},
    {"{\"layers\": [{" LINEAR
     ", \"label\": \"t.1\"}, {\"repeat\": 1, \"layers\": [{\"op\": \"tanh\", \"label\": \"u\"}, {\"op\": "
     "\"add\", \"label\": \"s\", \"inputs\": [\"u.1\", \"t\"]}]}]}",
     "t.1(input) u.1(t.1) s.1(u.1,t.1)"},
};

static void test_labels(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof label_cases / sizeof *label_cases; i++) {
        test_graph b = graph_open(label_cases[i].network);
        expect_nodes(&b.graph, label_cases[i].expected);
        for (int k = 0; k < b.graph.n_nodes; k++)
            assert_int_equal(sn_graph_find(&b.graph, b.graph.nodes[k].label), k);
        assert_int_equal(sn_graph_find(&b.graph, "none"), -1);
        graph_close(&b);
    }
}

#define E4  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define E32 E4 E4 E4 E4 E4 E4 E4 E4

static const graph_case error_cases[] = {
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 4, \"label\": \"a\"}, {\"op\": \"linear\", \"units\": 5, "
     "\"label\": \"b\"}, {\"op\": \"add\", \"inputs\": [\"a\", \"b\"]}]}",
     "test.json:1:113: network.layers[2]: add1: cannot add \"a\" (4) and \"b\" (5): all inputs need the same shape"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 4, \"label\": \"a\"}, {\"op\": \"tanh\", \"inputs\": [\"input\"]}, "
     "{\"op\": \"linear\", \"units\": 3, \"inputs\": [\"a\"]}]}",
     "test.json:1:69: network.layers[1]: tanh1: nothing reads this entry (name it in the inputs of a later one, or "
     "take it out)"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 4}]}",
     "test.json:1:25: network.layers[0]: linear1: the last entry feeds the loss and has shape 4, the data need 3"},
    {"{\"layers\": [{\"op\": \"tanh\"}]}",
     "test.json:1:25: network.layers[0]: tanh1: the last entry feeds the loss and has shape 6, the data need 3"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"inputs\": [\"b\"]}]}",
     "test.json:1:65: network.layers[0].inputs[0]: linear1: no earlier entry has the label \"b\" (inputs name earlier "
     "entries, or \"input\")"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\"}, {\"op\": \"linear\", \"units\": 3, "
     "\"label\": \"a\"}]}",
     "test.json:1:69: network.layers[1]: the label \"a\" is taken by an earlier entry"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"input\"}]}",
     "test.json:1:25: network.layers[0]: the label \"input\" stands for the network's input; choose another"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\"}, {\"op\": \"add\"}]}",
     "test.json:1:69: network.layers[1]: add1: add reads at least 2 inputs, got 1 (name them in \"inputs\")"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\"}, {\"op\": \"tanh\", \"inputs\": [\"a\", "
     "\"a\"]}]}",
     "test.json:1:69: network.layers[1]: tanh1: tanh reads 1 input, got 2"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\"}, {\"op\": \"add\", \"inputs\": [\"a\", "
     "\"a\"], \"factors\": [1]}]}",
     "test.json:1:69: network.layers[1]: add1: 1 factors for 2 inputs (give one per input)"},
    {"{\"layers\": [{\"repeat\": 2, \"label\": \"x\", \"layers\": [{\"op\": \"linear\", \"units\": 3}]}]}",
     "test.json:1:25: network.layers[0]: a repeat has no label and no inputs: its entries have"},
    /* Told before any of them is made. */
    {"{\"layers\": [{\"repeat\": 1048576, \"layers\": [{\"repeat\": 2, \"layers\": [{\"op\": \"tanh\"}]}]}]}",
     "test.json:1:24: network.layers: 2097152 layers with all copies, at most 1048576 are possible"},
    {"{\"order\": \"post\", \"skip\": \"concat\"}", "test.json:1:23: network.order: order post needs skip add or none: "
                                                    "after a concat no sum stands to be activated (use pre or inside)"},
    {"{\"order\": \"post\", \"skip\": \"highway\"}",
     "test.json:1:23: network.order: order post needs skip add or none: "
     "after a gate no sum stands to be activated (use pre or inside)"},
    {"{\"layers\": [{" LINEAR
     ", \"label\": \"a\"}, {\"op\": \"linear\", \"units\": 4, \"label\": \"b\"}, {\"op\": \"gate\", "
     "\"inputs\": [\"a\", \"b\", \"input\"]}]}",
     "test.json:1:113: network.layers[2]: gate1: t is \"a\" (3) and a is \"b\" (4): all three inputs need the same "
     "shape\ntest.json:1:113: network.layers[2]: gate1: t is \"a\" (3) and b is \"input\" (6): all three inputs need "
     "the same shape"},
    {"{\"layers\": [{" LINEAR ", \"label\": \"a\"}, {\"op\": \"gate\", \"inputs\": [\"a\", \"a\"]}]}",
     "test.json:1:69: network.layers[1]: gate1: gate reads 3 inputs, got 2"},
    {"{\"layers\": [{\"op\": \"dropout\", \"rate\": 1}, {" LINEAR "}]}",
     "test.json:1:51: network.layers[0].rate: 1 is too large (a number, at least 0 and below 1)"},
    {"{\"layers\": []}", "test.json:1:24: network.layers: the list is empty, expected at least one element"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 3, \"label\": \"a\", \"inputs\": [\"c\", \"d\"]}, {\"op\": "
     "\"linear\", \"units\": 3, \"inputs\": [\"e\"]}]}",
     "test.json:1:79: network.layers[0].inputs[0]: a: no earlier entry has the label \"c\" (inputs name earlier "
     "entries, or \"input\")\ntest.json:1:84: network.layers[0].inputs[1]: a: no earlier entry has the label \"d\" "
     "(inputs name earlier entries, or \"input\")\ntest.json:1:131: network.layers[1].inputs[0]: linear1: no earlier "
     "entry has the label \"e\" (inputs name earlier entries, or \"input\")"},
    {"{\"layers\": [{\"op\":\"scale\"},{\"op\": \"linear\", \"units\": 3}]}",
     "test.json:1:25: network.layers[0].factor: missing, expected a number or {\"learned\": ...}"},
    {"{\"layers\": [{\"op\": \"linear\", \"units\": 0}]}",
     "test.json:1:51: network.layers[0].units: 0 is too small (a whole number from 1 to 1000000)"},
    /* Cut, but not inside a character. */
    {"{\"layers\": [{" LINEAR ", \"label\": \"a" E32 E32 E32 E32 "\"}]}",
     "test.json:1:63: network.layers[0].label: a label of 257 bytes (\"a" E4 E4
     "\xc3\xa9\xc3\xa9\xc3\xa9...\"), at most 255 are possible"},
};

static void test_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof error_cases / sizeof *error_cases; i++) {
        test_graph b = {NULL, {0}};
        sn_status status = net_build(&b.config, &b.graph, error_cases[i].network, &dimensions, &error);
        assert_int_equal(status, SN_INVALID);
        assert_string_equal(error.text, error_cases[i].expected);
        assert_int_equal(b.graph.n_nodes, 0);
        graph_close(&b);
    }
}

static const sn_node *node_of(const sn_graph *graph, const char *label) {
    int i = sn_graph_find(graph, label);
    if (i < 0) fail_msg("no node %s", label);
    return &graph->nodes[i];
}

static void expect_role(const sn_graph *graph, const char *label, sn_role role, int layer, const char *carried_at) {
    const sn_node *node = node_of(graph, label);
    if (node->role != role || node->layer != layer || strcmp(graph->nodes[node->carried_at].label, carried_at) != 0) {
        fail_msg("%s: role %s, layer %d, carried at %s", label, sn_role_name(node->role), node->layer,
                 graph->nodes[node->carried_at].label);
    }
}

static void test_roles(void **state) {
    (void)state;
    test_graph b = graph_open("{\"depth\": 4, \"width\": 5, \"norm\": \"layer\", \"skip\": {\"kind\": \"add\", "
                              "\"layers_per_block\": 2, \"branch_scale\": {\"learned\": 0.5}}}");
    const sn_graph *g = &b.graph;
    expect_role(g, "hidden1", SN_ROLE_HIDDEN, 1, "hidden1");
    expect_role(g, "hidden2.norm", SN_ROLE_NORM, 2, "hidden2.act");
    expect_role(g, "hidden2", SN_ROLE_HIDDEN, 2, "hidden2");
    expect_role(g, "hidden3.norm", SN_ROLE_NORM, 3, "hidden3.act");
    expect_role(g, "hidden3", SN_ROLE_HIDDEN, 3, "hidden3");
    expect_role(g, "block1.scale", SN_ROLE_SCALE, 3, "block1");
    expect_role(g, "hidden4", SN_ROLE_HIDDEN, 4, "hidden4");
    expect_role(g, "block2.scale", SN_ROLE_SCALE, 4, "block2");
    expect_role(g, "output.norm", SN_ROLE_NORM, 5, "output.act");
    expect_role(g, "output", SN_ROLE_OUTPUT, 5, "output");
    assert_true(g->n_hidden == 4 && g->n_layers == 5);
    assert_false(g->nodes[0].needs_gradient);
    assert_int_equal(node_of(g, "hidden1")->n_readers, 2);
    graph_close(&b);
    b = graph_open("{\"depth\": 3, \"width\": 5, \"order\": \"inside\", \"skip\": \"concat\"}");
    expect_role(&b.graph, "hidden1", SN_ROLE_HIDDEN, 1, "hidden1.act");
    expect_role(&b.graph, "hidden2", SN_ROLE_HIDDEN, 2, "block1");
    expect_role(&b.graph, "hidden3", SN_ROLE_HIDDEN, 3, "block2");
    graph_close(&b);
    b = graph_open("{\"depth\": 4, \"width\": 5, \"norm\": \"batch\", \"skip\": {\"kind\": \"highway\", "
                   "\"layers_per_block\": 2}}");
    expect_role(&b.graph, "hidden2.norm", SN_ROLE_NORM, 2, "hidden2.act");
    expect_role(&b.graph, "hidden3", SN_ROLE_HIDDEN, 3, "block1");
    expect_role(&b.graph, "hidden3.gate", SN_ROLE_GATE, 3, "block1");
    expect_role(&b.graph, "hidden4.gate", SN_ROLE_GATE, 4, "block2");
    expect_role(&b.graph, "output", SN_ROLE_OUTPUT, 5, "output");
    assert_true(b.graph.n_hidden == 4 && b.graph.n_layers == 5);
    graph_close(&b);
    b = graph_open("{\"layers\": [{" LINEAR ", \"label\": \"a\"}, {" LINEAR
                   ", \"label\": \"b\"}, {\"op\": \"sigmoid\"}, {\"op\": "
                   "\"gate\", \"inputs\": [\"a\", \"sigmoid1\", \"a\"]}]}");
    expect_role(&b.graph, "a", SN_ROLE_HIDDEN, 1, "a");     /* no sigmoid between */
    expect_role(&b.graph, "b", SN_ROLE_OUTPUT, 2, "gate1"); /* not as t */
    graph_close(&b);
    b = graph_open("{\"layers\": [{\"op\": \"layer_norm\", \"label\": \"n\"}, {\"op\": \"tanh\"}, {" LINEAR
                   ", \"label\": \"a\"}, "
                   "{\"op\": \"tanh\"}, {\"op\": \"add\", \"inputs\": [\"tanh2\", \"a\"], \"label\": \"s\"}]}");
    expect_role(&b.graph, "n", SN_ROLE_NORM, 0, "tanh1");
    expect_role(&b.graph, "a", SN_ROLE_OUTPUT, 1, "a");
    graph_close(&b);
}

static const graph_case block_cases[] = {
    {"{\"depth\": 1}", "hidden1(input) output.act(hidden1) output(output.act)"},
    {"{\"depth\": 3}",
     "hidden1(input) hidden2.act(hidden1) hidden2(hidden2.act) hidden3.act(hidden2) hidden3(hidden3.act) "
     "output.act(hidden3) output(output.act)"},
    {"{\"depth\": 2, \"order\": \"inside\"}",
     "hidden1(input) hidden1.act(hidden1) hidden2(hidden1.act) hidden2.act(hidden2) "
     "output(hidden2.act)"},
    {"{\"depth\": 2, \"order\": \"post\", \"norm\": \"layer\"}",
     "hidden1(input) hidden1.norm(hidden1) hidden1.act(hidden1.norm) hidden2(hidden1.act) hidden2.norm(hidden2) "
     "hidden2.act(hidden2.norm) output(hidden2.act)"},
    {"{\"depth\": 1, \"skip\": \"add\"}", "hidden1(input) output.act(hidden1) output(output.act)"},
    {"{\"depth\": 4, \"skip\": {\"kind\": \"add\", \"layers_per_block\": 2}}",
     "hidden1(input) hidden2.act(hidden1) hidden2(hidden2.act) hidden3.act(hidden2) hidden3(hidden3.act) "
     "block1(hidden1,hidden3) hidden4.act(block1) hidden4(hidden4.act) block2(block1,hidden4) output.act(block2) "
     "output(output.act)"},
    {"{\"depth\": 3, \"order\": \"inside\", \"skip\": \"add\"}",
     "hidden1(input) hidden1.act(hidden1) hidden2(hidden1.act) hidden2.act(hidden2) block1(hidden1.act,hidden2.act) "
     "hidden3(block1) hidden3.act(hidden3) block2(block1,hidden3.act) output(block2)"},
    {"{\"depth\": 3, \"order\": \"post\", \"norm\": \"layer\", \"skip\": {\"kind\": \"add\", \"layers_per_block\": 2, "
     "\"branch_scale\": {\"learned\": 0}}}",
     "hidden1(input) hidden1.norm(hidden1) hidden1.act(hidden1.norm) hidden2(hidden1.act) hidden2.norm(hidden2) "
     "hidden2.act(hidden2.norm) hidden3(hidden2.act) hidden3.norm(hidden3) block1.scale(hidden3.norm) "
     "block1(hidden1.act,block1.scale) block1.act(block1) output(block1.act)"},
    {"{\"depth\": 4, \"skip\": {\"kind\": \"concat\", \"layers_per_block\": 2}}",
     "hidden1(input) hidden2.act(hidden1) hidden2(hidden2.act) hidden3.act(hidden2) hidden3(hidden3.act) "
     "block1(hidden1,hidden3) hidden4.act(block1) hidden4(hidden4.act) block2(block1,hidden4) output.act(block2) "
     "output(output.act)"},
    {"{\"depth\": 4, \"norm\": \"batch\", \"skip\": {\"kind\": \"highway\", \"layers_per_block\": 2}}",
     "hidden1(input) hidden2.norm(hidden1) hidden2.act(hidden2.norm) hidden2(hidden2.act) hidden3.norm(hidden2) "
     "hidden3.act(hidden3.norm) hidden3(hidden3.act) hidden3.gate(hidden1) hidden3.gate.act(hidden3.gate) "
     "block1(hidden3.gate.act,hidden3,hidden1) hidden4.norm(block1) hidden4.act(hidden4.norm) hidden4(hidden4.act) "
     "hidden4.gate(block1) hidden4.gate.act(hidden4.gate) block2(hidden4.gate.act,hidden4,block1) output.norm(block2) "
     "output.act(output.norm) output(output.act)"},
    {"{\"depth\": 2, \"order\": \"inside\", \"skip\": \"highway\"}",
     "hidden1(input) hidden1.act(hidden1) hidden2(hidden1.act) hidden2.act(hidden2) hidden2.gate(hidden1.act) "
     "hidden2.gate.act(hidden2.gate) block1(hidden2.gate.act,hidden2.act,hidden1.act) output(block1)"},
};

/* A graph has up to a million entries: norms, scales and gates look for the weight layer behind them, but not one by
 * one. */
static void test_many_scales(void **state) {
    (void)state;
    enum { SCALES = 200000 };
    sn_text network = SN_TEXT_EMPTY;
    sn_text_addf(&network,
                 "{\"layers\": [{\"op\": \"scale\", \"factor\": {\"learned\": 1}, \"label\": \"end.scale\"}, "
                 "{\"repeat\": %d, \"layers\": [{\"op\": \"scale\", \"factor\": {\"learned\": 1}}]}, "
                 "{\"op\": \"linear\", \"units\": 3, \"label\": \"end\"}]}",
                 SCALES);
    clock_t start = clock();
    test_graph b = graph_open(sn_text_string(&network));
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("%d scales in %.3f s\n", SCALES, seconds);
    assert_int_equal(b.graph.n_nodes, SCALES + 3);
    assert_int_equal(b.graph.nodes[1].layer, 1);
    assert_int_equal(b.graph.nodes[SCALES + 1].layer, 0);
    assert_int_equal(b.graph.nodes[SCALES + 2].layer, 1);
    assert_true(seconds < 20); /* room for sanitizers and valgrind; a search for each takes minutes */
    graph_close(&b);
    sn_text_free(&network);
}

static void test_blocks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof block_cases / sizeof *block_cases; i++) {
        test_graph b = graph_open(block_cases[i].network);
        expect_nodes(&b.graph, block_cases[i].expected);
        graph_close(&b);
    }
}

/* Blocks by number for every depth: ceil((depth - 1) / layers_per_block), the last one short. */
static void test_block_counts(void **state) {
    (void)state;
    for (int depth = 1; depth <= 9; depth++) {
        for (int per_block = 1; per_block <= 5; per_block++) {
            char network[128], label[32];
            snprintf(network, sizeof network,
                     "{\"depth\": %d, \"width\": 5, \"skip\": {\"kind\": \"concat\", \"growth\": 2, "
                     "\"layers_per_block\": %d}}",
                     depth, per_block);
            test_graph b = graph_open(network);
            int blocks = (depth - 1 + per_block - 1) / per_block;
            snprintf(label, sizeof label, "block%d", blocks);
            assert_int_equal(sn_graph_find(&b.graph, label) >= 0, blocks > 0);
            snprintf(label, sizeof label, "block%d", blocks + 1);
            assert_int_equal(sn_graph_find(&b.graph, label), -1);
            assert_int_equal(b.graph.n_hidden, depth);
            assert_int_equal(b.graph.nodes[b.graph.n_nodes - 2].width, 5 + 2 * blocks);
            graph_close(&b);
        }
    }
}

/* Widths of dense blocks: inner layers have `width`, the last has `growth`; factors of residual ones. */
static void test_block_details(void **state) {
    (void)state;
    test_graph b = graph_open(
        "{\"depth\": 4, \"width\": 5, \"skip\": {\"kind\": \"concat\", \"growth\": 2, \"layers_per_block\": 2}}");
    assert_int_equal(node_of(&b.graph, "hidden2")->width, 5);
    assert_int_equal(node_of(&b.graph, "hidden3")->width, 2);
    assert_int_equal(node_of(&b.graph, "hidden4")->width, 2);
    assert_int_equal(node_of(&b.graph, "hidden4")->params[0].cols, 7);
    assert_int_equal(node_of(&b.graph, "output")->params[0].cols, 9);
    graph_close(&b);
    b = graph_open(
        "{\"depth\": 10, \"width\": 5, \"skip\": {\"kind\": \"add\", \"branch_scale\": \"inverse_sqrt_blocks\", "
        "\"shortcut_scale\": 0.25}}");
    const sn_node *block = node_of(&b.graph, "block9");
    assert_true(block->op->pass_factor(block, 0) == 0.25 && block->op->pass_factor(block, 1) == 1.0 / 3);
    assert_int_equal(sn_graph_find(&b.graph, "block10"), -1);
    graph_close(&b);
    b = graph_open("{\"depth\": 10, \"width\": 5, \"norm\": \"rms\", \"skip\": {\"kind\": \"add\", \"branch_scale\": "
                   "\"inverse_blocks\", \"layers_per_block\": 2}}");
    block = node_of(&b.graph, "block5"); /* the last is short */
    assert_true(block->op->pass_factor(block, 0) == 1 && block->op->pass_factor(block, 1) == 0.2);
    assert_string_equal(node_of(&b.graph, "hidden2.norm")->op->kind.name, "rms_norm");
    graph_close(&b);
    b = graph_open(
        "{\"depth\": 3, \"width\": 5, \"norm\": \"batch\", \"init\": \"orthogonal\", \"bias_init\": \"zeros\", "
        "\"skip\": "
        "{\"kind\": \"highway\", \"gate_bias\": -1.5}}");
    const sn_node *gate = node_of(&b.graph, "hidden2.gate");
    assert_string_equal(sn_value_text(gate->params[0].init, "kind"), "orthogonal");
    assert_string_equal(sn_value_text(gate->params[1].init, "kind"), "constant");
    assert_true(sn_value_number(gate->params[1].init, "value") == -1.5);
    assert_string_equal(node_of(&b.graph, "hidden2.norm")->op->kind.name, "batch_norm");
    graph_close(&b);
    b = graph_open(
        "{\"depth\": 3, \"width\": 5, \"activation\": {\"kind\": \"leaky_relu\", \"slope\": 0.2}, \"init\": {\"kind\": "
        "\"normal\", \"std\": 0.5}, \"output_init\": \"zeros\", \"bias_init\": {\"kind\": \"constant\", \"value\": "
        "1}}");
    assert_true(sn_value_number(node_of(&b.graph, "hidden2.act")->config, "slope") == 0.2);
    assert_true(sn_value_number(node_of(&b.graph, "hidden2")->params[0].init, "std") == 0.5);
    assert_string_equal(sn_value_text(node_of(&b.graph, "output")->params[0].init, "kind"), "zeros");
    assert_true(sn_value_number(node_of(&b.graph, "output")->params[1].init, "value") == 1);
    graph_close(&b);
}

/* By hand: 30 + 5 * 25 + 15 weights, 33 biases, 6 norms of 10.  Forward: two per weight.  A step: the products
 * three times, those of the first layer twice. */
static void test_counts(void **state) {
    (void)state;
    test_graph b = graph_open(
        "{\"depth\": 6, \"width\": 5, \"norm\": \"layer\", \"skip\": {\"kind\": \"add\", \"layers_per_block\": 2}}");
    assert_int_equal(b.graph.n_params, 170 + 33 + 60);
    assert_true(b.graph.forward_flops == 340);
    assert_true(b.graph.step_flops == 2 * 60 + 3 * 280);
    graph_close(&b);
    b = graph_open("{\"depth\": 50}");
    assert_int_equal(b.graph.n_params, 64 * 6 + 49 * 64 * 64 + 3 * 64 + 50 * 64 + 3);
    graph_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels), cmocka_unit_test(test_errors),       cmocka_unit_test(test_roles),
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_block_counts), cmocka_unit_test(test_block_details),
        cmocka_unit_test(test_counts), cmocka_unit_test(test_many_scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
