/* Every family of the table: it is a choice of the config, and what it writes is a layer list that a user could have
 * written, from which the same graph is built. */
#include "network/families.h"

#include <string.h>

#include "support/check.h"
#include "support/net.h"

static sn_error error;

/* Networks of each family, with what they read and give. */
typedef struct family_case {
    const char *family, *network; /* members of the object */
    sn_dataset dimensions;
} family_case;

#define DIMENSIONS(in, out)                                                                                            \
    { .in_dim = (in), .out_dim = (out) }

#define IMAGES(size, channels, out)                                                                                    \
    { .shape = {3, {(size), (size), (channels)}}, .in_dim = (size) * (size) * (channels), .out_dim = (out) }

static const family_case cases[] = {
    {"mlp", "\"depth\": 1", DIMENSIONS(1, 1)},
    {"mlp", "\"depth\": 5, \"width\": 3, \"norm\": \"layer\", \"activation\": {\"kind\": \"elu\", \"alpha\": 2}",
     DIMENSIONS(6, 3)},
    {"mlp",
     "\"depth\": 6, \"order\": \"post\", \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0}, "
     "\"layers_per_block\": 2}",
     DIMENSIONS(6, 3)},
    {"mlp", "\"depth\": 4, \"order\": \"inside\", \"skip\": \"concat\", \"bias_init\": \"zeros\"", DIMENSIONS(784, 10)},
    {"mlp", "\"depth\": 4, \"skip\": \"highway\", \"output_init\": \"zeros\"", DIMENSIONS(6, 2)},
    {"resnet", "\"depth\": 20", IMAGES(32, 3, 10)},
    {"resnet", "\"depth\": 8, \"skip\": \"none\", \"shortcut\": \"C\"", IMAGES(7, 1, 3)},
    {"resnet",
     "\"depth\": 14, \"order\": \"pre\", \"shortcut\": \"C\", \"widths\": [3, 5], \"block\": \"bottleneck\", \"norm\": "
     "\"layer\", \"skip\": {\"kind\": \"add\", \"branch_scale\": {\"learned\": 0}}",
     IMAGES(5, 2, 3)},
    {"resnet", "\"depth\": 8, \"shortcut\": \"B\", \"drop_path\": {\"rate\": 0.5}", IMAGES(9, 1, 2)},
    {"densenet", "\"depth\": 10, \"bottleneck\": true, \"compression\": 0.5, \"dropout\": 0.2", IMAGES(8, 1, 10)},
    {"densenet", "\"depth\": 7, \"growth\": 3, \"conv\": \"direct\"", IMAGES(4, 3, 2)},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static void expect_equal(const sn_graph *a, const sn_graph *b) {
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->n_params, b->n_params);
    for (int i = 1; i < a->n_nodes; i++) {
        const sn_node *x = &a->nodes[i], *y = &b->nodes[i];
        assert_string_equal(x->label, y->label);
        assert_ptr_equal(x->op, y->op);
        assert_int_equal(x->n_inputs, y->n_inputs);
        assert_memory_equal(x->inputs, y->inputs, (size_t)x->n_inputs * sizeof *x->inputs);
        assert_true(sn_shape_equal(&x->shape, &y->shape));
        assert_int_equal(x->role, y->role);
    }
}

static void build(sn_config **config, sn_graph *graph, const sn_text *network, const sn_dataset *dimensions) {
    const char *text = sn_text_string(network);
    if (net_build(config, graph, text, dimensions, &error)) fail_msg("%s\n%s", error.text, text);
}

static void expect_expansion(const family_case *c) {
    sn_config *config, *list_config;
    sn_graph graph, list_graph;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "{\"family\": \"%s\", %s}", c->family, c->network);
    build(&config, &graph, &text, &c->dimensions);
    const sn_family *family = sn_family_of(sn_value_get(sn_config_root(config), "network"));
    assert_non_null(family);
    assert_string_equal(family->kind.name, c->family);
    sn_text_clear(&text);
    sn_graph_expand(&graph, &text);
    build(&list_config, &list_graph, &text, &c->dimensions);
    assert_null(sn_family_of(sn_value_get(sn_config_root(list_config), "network")));
    expect_equal(&graph, &list_graph);
    sn_text_free(&text);
    sn_graph_reset(&graph);
    sn_graph_reset(&list_graph);
    sn_config_free(config);
    sn_config_free(list_config);
}

static void test_expansion(void **state) {
    (void)state;
    for (int i = 0; i < N_CASES; i++)
        expect_expansion(&cases[i]);
}

/* Networks as their papers count them: He et al. 2015, table 6, and Huang et al. 2016, table 2, to the last
 * parameter. */
static const struct {
    const char *network;
    size_t n_params;
    int n_layers;
} published[] = {
    {"{\"family\": \"resnet\"}", 269722, 20},
    {"{\"family\": \"resnet\", \"depth\": 32}", 464154, 32},
    {"{\"family\": \"resnet\", \"depth\": 44}", 658586, 44},
    {"{\"family\": \"resnet\", \"depth\": 56}", 853018, 56},
    {"{\"family\": \"resnet\", \"depth\": 110}", 1727962, 110},
    {"{\"family\": \"resnet\", \"depth\": 110, \"skip\": \"none\"}", 1727962, 110},
    {"{\"family\": \"densenet\"}", 1019722, 40},
    {"{\"family\": \"densenet\", \"depth\": 100, \"bottleneck\": true, \"compression\": 0.5}", 769162, 100},
};

static void test_published(void **state) {
    (void)state;
    const sn_dataset cifar = IMAGES(32, 3, 10);
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        sn_config *config;
        sn_graph graph;
        if (net_build(&config, &graph, published[i].network, &cifar, &error)) fail_msg("%s", error.text);
        assert_int_equal(graph.n_params, published[i].n_params);
        assert_int_equal(graph.n_layers, published[i].n_layers);
        sn_graph_reset(&graph);
        sn_config_free(config);
    }
}

static void test_table(void **state) {
    (void)state;
    assert_string_equal(sn_families[0]->kind.name, SN_DEFAULT_FAMILY);
    for (int f = 0; sn_families[f]; f++) {
        const char *name = sn_families[f]->kind.name;
        int n_cases = 0;
        for (int i = 0; i < N_CASES; i++)
            n_cases += strcmp(cases[i].family, name) == 0;
        if (n_cases == 0) fail_msg("the family %s has no case here", name);
        assert_ptr_equal(sn_network_choice.kinds[f], &sn_families[f]->kind);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
