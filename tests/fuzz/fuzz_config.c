/* A config text and, after NUL bytes, its --set arguments: read, resolved, written and read again, then its network
 * expanded to a graph, written as a list of layers and built again, and its memory planned.
 *
 * Held: a resolved config reads back as itself; an expanded network is the same network; nothing faulty is silent. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "engine/backend.h"
#include "input.h"
#include "network/graph.h"
#include "ops/table.h"
#include "plan/plan.h"
#include "run/language.h"

enum { MOST_SETS = 8, MOST_ENTRIES = 300, IN_DIM = 4, OUT_DIM = 3 };

static sn_error error;

/* Entries that a list of layers becomes, as far as it matters: large networks are slow, and no other code. */
static double count_entries(const sn_value *list) {
    double count = 0;
    for (const sn_value *v = sn_value_first(list); v; v = sn_value_next(v)) {
        const sn_value *inner = sn_value_get(v, "repeat");
        count += inner ? sn_value_number(inner, "") * count_entries(sn_value_get(v, "layers")) : 1;
    }
    return count;
}

static bool is_small(const sn_value *network) {
    const sn_value *list = sn_value_get(network, "layers");
    return list ? count_entries(list) <= MOST_ENTRIES : sn_value_integer(network, "depth") <= MOST_ENTRIES / 4;
}

static sn_status build(sn_graph *graph, const sn_config *config) {
    const sn_backend *backend = NULL;
    fuzz_require(sn_backend_select(&backend, SN_F64, &error) == SN_OK, "no backend", error.text);
    sn_graph_request request = {.config = config,
                                .network = sn_value_get(sn_config_root(config), "network"),
                                .ops = sn_ops,
                                .input = {.rank = 1, .dim = {IN_DIM}},
                                .out_dim = OUT_DIM};
    sn_status status = sn_graph_build(graph, &request, &error);
    fuzz_require(status == SN_OK || error.length > 0, "a fault without a message", "");
    return status;
}

static void check_plan(const sn_graph *graph, const sn_config *config) {
    sn_plan plan;
    sn_plan_options options = {.batch = (size_t)sn_value_integer(sn_config_root(config), "train.batch_size"),
                               .n_slots = 1};
    if (sn_plan_build(&plan, graph, &options, &error) != SN_OK) return;
    sn_plan_bytes(&plan, 2, sizeof(double));
    sn_plan_reset(&plan);
}

/* The expanded list in a config of its own is the same network. */
static void check_expansion(const sn_graph *graph) {
    sn_text text = SN_TEXT_EMPTY;
    sn_text_add(&text, "{\"network\": ");
    sn_graph_expand(graph, &text);
    sn_text_add(&text, "}");
    sn_config *config = NULL;
    sn_graph again = {0};
    sn_status status =
        sn_config_parse(&config, &sn_language, sn_text_string(&text), text.length, "expanded", "", &error);
    if (status == SN_OK) status = build(&again, config);
    fuzz_require(status == SN_OK, "an expanded network is refused", error.text);
    fuzz_require(again.n_nodes == graph->n_nodes && again.n_params == graph->n_params, "another network",
                 sn_text_string(&text));
    sn_graph_reset(&again);
    sn_config_free(config);
    sn_text_free(&text);
}

static void check_network(const sn_config *config) {
    sn_graph graph;
    sn_error_clear(&error);
    if (!is_small(sn_value_get(sn_config_root(config), "network")) || build(&graph, config) != SN_OK) return;
    check_expansion(&graph);
    check_plan(&graph, config);
    sn_graph_reset(&graph);
}

static void check_repeats(const sn_config *config) {
    sn_text text = SN_TEXT_EMPTY;
    sn_config *again = NULL;
    sn_config_text(config, &text);
    sn_status status =
        sn_config_parse(&again, &sn_language, sn_text_string(&text), text.length, "resolved", "", &error);
    fuzz_require(status == SN_OK, "a resolved config is refused", error.text);
    fuzz_require(sn_config_hash(again) == sn_config_hash(config), "a resolved config reads as another",
                 sn_text_string(&text));
    sn_config_free(again);
    sn_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_bytes rest = {data, size};
    char *text = fuzz_string(fuzz_cut(&rest, 0)), *sets[MOST_SETS];
    sn_config_source source = {.path = "fuzz.json", .text = text, .sets = (const char *const *)sets};
    while (rest.size > 0 && source.n_sets < MOST_SETS)
        sets[source.n_sets++] = fuzz_string(fuzz_cut(&rest, 0));
    sn_config *config = NULL;
    sn_error_clear(&error);
    sn_status status = sn_config_read(&config, &sn_language, &source, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    if (status == SN_OK) {
        check_repeats(config);
        check_network(config);
    }
    sn_config_free(config);
    for (size_t i = 0; i < source.n_sets; i++)
        free(sets[i]);
    free(text);
    return 0;
}
