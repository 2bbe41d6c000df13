/* Owns the advice of the gradient check: what could be changed in this config so that more can be verified.  It names
 * no key that the config does not have. */
#include <string.h>

#include "study/gradcheck.h"

/* Remedies of one trouble, as "a, b or c". */
typedef struct remedies {
    const char *items[4];
    int n;
} remedies;

static void offer(remedies *r, bool is_there, const char *remedy) {
    if (is_there) r->items[r->n++] = remedy;
}

static void write_remedies(const remedies *r, const char *trouble, sn_text *text) {
    if (r->n == 0) return;
    sn_text_addf(text, "\n%s\n", trouble);
    for (int i = 0; i < r->n; i++) {
        const char *gap = i == 0 ? "  " : i + 1 < r->n ? ",\n  " : " or\n  ";
        sn_text_addf(text, "%s%s", gap, r->items[i]);
    }
    sn_text_add(text, ".\n");
}

static void advise_on_small(const sn_value *network, sn_text *text) {
    bool is_family = !sn_value_get(network, "layers"), has_weights = sn_value_get(network, "weights");
    const char *skip = sn_value_text(network, "skip.kind");
    bool is_deep = sn_value_integer(network, "depth") > 1;
    remedies r = {.n = 0};
    offer(&r, has_weights, "other weights than those of network.weights");
    offer(&r, is_deep, "fewer layers (--set network.depth=)");
    offer(&r, !has_weights && sn_value_get(network, "init.gain"), "a larger gain (--set network.init.gain=)");
    offer(&r, is_deep && !has_weights && skip && strcmp(skip, "none") == 0, "skips (--set network.skip=add)");
    offer(&r, !is_family && !has_weights, "larger initial weights (init) of the entries of network.layers");
    write_remedies(&r, "Some gradients are too small for differences of this loss.  What makes them larger:", text);
}

static bool has_norm(const sn_graph *graph) {
    bool found = false;
    for (int i = 1; i < graph->n_nodes; i++)
        found |= graph->nodes[i].role == SN_ROLE_NORM;
    return found;
}

static void advise_on_rounding(const sn_value *network, const sn_graph *graph, sn_text *text) {
    bool is_family = !sn_value_get(network, "layers"), is_normed = has_norm(graph);
    remedies r = {.n = 0};
    offer(&r, is_normed && sn_value_get(network, "norm"), "no norms (--set network.norm=none)");
    offer(&r, sn_value_integer(network, "depth") > 1, "fewer layers (--set network.depth=)");
    offer(&r, !is_family && is_normed, "a larger eps of the norms in network.layers, or fewer of them");
    offer(&r, !is_family && !is_normed, "smaller weights or fewer entries in network.layers");
    write_remedies(&r,
                   is_normed ? "The network is ill-conditioned, as with norms over features that hardly differ.  What "
                               "helps:"
                             : "The network is ill-conditioned.  What helps:",
                   text);
}

static void advise_on_kinks(const sn_gradcheck *check, const sn_value *network, const sn_graph *graph, sn_text *text) {
    bool is_family = !sn_value_get(network, "layers"), has_bends = sn_gradcheck_bends(graph);
    remedies r = {.n = 0};
    offer(&r, check->request.batch.rows > 1, "a smaller batch (--set train.batch_size=)");
    offer(&r, has_bends && sn_value_get(network, "activation"), "a smooth activation (--set network.activation=tanh)");
    offer(&r, has_bends && !is_family, "smooth activations in network.layers");
    offer(&r, check->request.loss->bends, "a smooth loss (--set train.loss=softmax_cross_entropy)");
    write_remedies(&r, "Some differences are taken across kinks of the loss.  Fewer of them:", text);
}

void sn_gradcheck_advise(const sn_gradcheck *check, const sn_gradcheck_totals *totals, const sn_config *config,
                         const sn_graph *graph, sn_text *text) {
    const sn_value *network = sn_value_get(sn_config_root(config), "network");
    bool is_noisy = sn_gradcheck_is_noisy(check), has_kinks = totals->kinks > totals->unsure;
    if (totals->below > 0 && !is_noisy) advise_on_small(network, text);
    if (totals->unsure > 0 || (totals->below > 0 && is_noisy) || (has_kinks && !check->has_bends)) {
        advise_on_rounding(network, graph, text);
    }
    if (has_kinks && check->has_bends) advise_on_kinks(check, network, graph, text);
}
