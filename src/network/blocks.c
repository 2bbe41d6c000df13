/* Owns the derivation of blocks.
 *
 * A first pass over the nodes builds the forest of dominators and settles which joins are grown and which have an
 * identity, but for joins that other ways may cross.  Whether an input of these is an ancestor of the others is then
 * asked for 64 joins at once: a bit for each, set at the input and carried on from node to node.  Only then is it known
 * which joins pass on, and a last pass builds the forest of the ways by which nodes do, and settles the rest. */
#include "network/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "network/forest.h"

typedef struct finder {
    sn_graph *graph;
    sn_forest dominators, ways;
    int *height;      /* most weight layers on a way from the network's input, the node itself included */
    int *last_weight; /* the last weight layer on the way by which the node was passed on, itself included; -1: none */
    int *crossed;     /* blocks, by number, that other ways may cross */
    int n_crossed;
    /* Of crossing skips: */
    uint64_t *bits; /* by nodes */
    int *edges;     /* the inputs of all nodes in one row; those of node i begin at starts[i] */
    size_t *starts;
} finder;

static bool is_join(const sn_node *node) {
    return node->op && node->op->join != SN_JOIN_NONE;
}

static bool has_weights(const sn_node *node) {
    return node->n_params > 0 && node->op->role == SN_ROLE_HIDDEN;
}

/* An activation whose backward pass looks at nothing is the identity. */
static bool passes_on(const sn_node *node) {
    return node->n_inputs == 1 && !(node->op->is_activation && node->op->backward_reads);
}

/* The first input that is mixed: t of a gate is none. */
static int first_mixed(const sn_node *join) {
    return join->op->join == SN_JOIN_GATE ? 1 : 0;
}

/* The mixed input that comes first in the graph, the only one that can be an ancestor of the others. */
static int earliest_input(const sn_node *join) {
    int earliest = first_mixed(join);
    for (int k = earliest + 1; k < join->n_inputs; k++) {
        if (join->inputs[k] < join->inputs[earliest]) earliest = k;
    }
    return earliest;
}

/* ---- 1: grown ---- */

/* Whether `earlier` reads what `join` reads but for input `k`, in the same order and with the same factors. */
static bool is_grown_from(const sn_node *join, int k, const sn_node *earlier) {
    if (earlier->op != join->op || earlier->n_inputs != join->n_inputs - 1) return false;
    for (int i = 0; i < earlier->n_inputs; i++) {
        int j = i < k ? i : i + 1;
        if (earlier->inputs[i] != join->inputs[j]) return false;
        if (join->op->pass_factor && join->op->pass_factor(earlier, i) != join->op->pass_factor(join, j)) return false;
    }
    return true;
}

static int first_join_reading(const sn_graph *graph, int node) {
    for (int k = 0; k < graph->nodes[node].n_readers; k++) {
        if (is_join(&graph->nodes[graph->nodes[node].readers[k]])) return graph->nodes[node].readers[k];
    }
    return -1;
}

static bool grows(const finder *f, sn_block *block) {
    const sn_node *join = &f->graph->nodes[block->end];
    if (join->n_inputs < 3 || join->op->join == SN_JOIN_GATE) return false;
    int latest = 0, rest = -1;
    for (int k = 1; k < join->n_inputs; k++) {
        if (join->inputs[k] > join->inputs[latest]) latest = k;
    }
    for (int k = 0; k < join->n_inputs; k++) {
        if (k != latest && join->inputs[k] > rest) rest = join->inputs[k];
    }
    int start = first_join_reading(f->graph, rest);
    if (start >= join->inputs[latest] || !is_grown_from(join, latest, &f->graph->nodes[start])) return false;
    if (!sn_forest_is_above(&f->dominators, start, join->inputs[latest])) return false;
    block->start = start;
    block->grown_by = latest;
    block->shortcut = latest == 0 ? 1 : 0;
    return true;
}

/* ---- 2: identity ---- */

static void set_identity(const finder *f, sn_block *block, int k) {
    block->shortcut = k;
    block->start = f->graph->nodes[block->end].inputs[k];
    block->is_closed = sn_forest_is_above(&f->dominators, block->start, block->end);
}

typedef enum answer { NO, YES, MAYBE } answer;

/* Whether node `a` is an ancestor of node `b` or is b, as far as dominators tell: a later dominator of b may stand for
 * it, and a node with one input has no ancestors but through that. */
static answer is_ancestor(const finder *f, int a, int b) {
    if (a == b) return YES;
    b = sn_forest_last_beyond(&f->dominators, b, a);
    if (f->dominators.parent[b] == a) return YES;
    return f->graph->nodes[b].n_inputs == 1 ? NO : MAYBE;
}

static answer is_identity(const finder *f, const sn_node *join, int k) {
    answer all = YES;
    for (int i = first_mixed(join); i < join->n_inputs; i++) {
        answer one = is_ancestor(f, join->inputs[k], join->inputs[i]);
        if (one == NO) return NO;
        if (one == MAYBE) all = MAYBE;
    }
    return all;
}

/* ---- 3 and 4: passed on, projected ---- */

/* Weight layers on the way by which the start was passed on to a node, and the last of them; 2: more, or not at all. */
static int weights_between(const finder *f, int start, int node, int *last) {
    if (!sn_forest_is_above(&f->ways, start, node)) return 2;
    *last = f->last_weight[node];
    if (*last <= start) return 0;
    int before = f->ways.parent[*last];
    return f->last_weight[before] <= start ? 1 : 2;
}

static bool are_deeper(const finder *f, const sn_block *block, int than) {
    const sn_node *join = &f->graph->nodes[block->end];
    for (int k = first_mixed(join); k < join->n_inputs; k++) {
        if (k != than && f->height[join->inputs[k]] - f->height[block->start] < 2) return false;
    }
    return true;
}

/* The one input with the fewest weight layers on its way from the start; -1 for a draw, or if none is passed on. */
static int find_passed(const finder *f, const sn_block *block, int *fewest, int *projection) {
    const sn_node *join = &f->graph->nodes[block->end];
    int best = -1;
    *fewest = 2;
    for (int k = first_mixed(join); k < join->n_inputs; k++) {
        int last = -1, n = weights_between(f, block->start, join->inputs[k], &last);
        if (n > *fewest || n == 2) continue;
        best = n < *fewest ? k : -1;
        *fewest = n;
        *projection = last;
    }
    return best;
}

static void set_passed(const finder *f, sn_block *block) {
    int fewest, projection, k = find_passed(f, block, &fewest, &projection);
    bool may_project = f->graph->nodes[block->end].op->join != SN_JOIN_CONCAT;
    if (k < 0 || (fewest == 1 && !(may_project && are_deeper(f, block, k)))) return;
    block->shortcut = k;
    if (fewest == 1) block->projection = projection;
}

/* ---- the first pass: forks, and the blocks that they suffice for ---- */

/* As grown or with an identity; noted where other ways may cross it; else without a shortcut. */
static void open_block(finder *f, int end) {
    sn_block *block = &f->graph->blocks[f->graph->n_blocks];
    *block = (sn_block){.end = end,
                        .start = f->dominators.parent[end],
                        .named_by = end,
                        .shortcut = -1,
                        .grown_by = -1,
                        .projection = -1,
                        .is_closed = true};
    if (!grows(f, block)) {
        const sn_node *join = &f->graph->nodes[end];
        int earliest = earliest_input(join);
        answer found = is_identity(f, join, earliest);
        if (found == YES) set_identity(f, block, earliest);
        if (found == MAYBE) f->crossed[f->n_crossed++] = f->graph->n_blocks;
    }
    f->graph->n_blocks++;
}

static void visit(finder *f, int i) {
    const sn_node *node = &f->graph->nodes[i];
    int fork = node->inputs[0], height = 0;
    for (int k = 0; k < node->n_inputs; k++) {
        fork = sn_forest_common(&f->dominators, fork, node->inputs[k]);
        if (f->height[node->inputs[k]] > height) height = f->height[node->inputs[k]];
    }
    f->height[i] = height + has_weights(node);
    sn_forest_add(&f->dominators, i, fork);
    if (is_join(node)) open_block(f, i);
}

/* ---- crossing skips ---- */

typedef struct range {
    int first, last;
} range;

/* Sets the bits of up to 64 crossed blocks at their earliest inputs, and says from where to where they are needed. */
static range plant(finder *f, const int *crossed, int n) {
    const sn_graph *graph = f->graph;
    range needed = {graph->n_nodes, 0};
    for (int q = 0; q < n; q++) {
        const sn_node *join = &graph->nodes[graph->blocks[crossed[q]].end];
        int first = join->inputs[earliest_input(join)];
        if (first < needed.first) needed.first = first;
        for (int k = first_mixed(join); k < join->n_inputs; k++) {
            if (join->inputs[k] > needed.last) needed.last = join->inputs[k];
        }
    }
    memset(f->bits + needed.first, 0, (size_t)(needed.last - needed.first + 1) * sizeof *f->bits);
    for (int q = 0; q < n; q++) {
        const sn_node *join = &graph->nodes[graph->blocks[crossed[q]].end];
        f->bits[join->inputs[earliest_input(join)]] |= UINT64_C(1) << q;
    }
    return needed;
}

static void carry(finder *f, range needed) {
    for (int i = needed.first; i <= needed.last; i++) {
        uint64_t bits = f->bits[i];
        for (size_t e = f->starts[i]; e < f->starts[i + 1]; e++) {
            if (f->edges[e] >= needed.first) bits |= f->bits[f->edges[e]];
        }
        f->bits[i] = bits;
    }
}

static void settle_crossed(finder *f, const int *crossed, int n) {
    carry(f, plant(f, crossed, n));
    for (int q = 0; q < n; q++) {
        sn_block *block = &f->graph->blocks[crossed[q]];
        const sn_node *join = &f->graph->nodes[block->end];
        bool all = true;
        for (int k = first_mixed(join); k < join->n_inputs; k++)
            all &= (f->bits[join->inputs[k]] >> q & 1) != 0;
        if (all) set_identity(f, block, earliest_input(join));
    }
}

/* Copies the inputs next to each other, since nodes are large and there are many passes over them. */
static sn_status gather_edges(finder *f, sn_error *error) {
    const sn_graph *graph = f->graph;
    size_t n = (size_t)graph->n_nodes, n_edges = 0;
    for (size_t i = 1; i < n; i++)
        n_edges += (size_t)graph->nodes[i].n_inputs;
    f->bits = malloc(n * sizeof *f->bits);
    f->starts = malloc((n + 1) * sizeof *f->starts);
    f->edges = calloc(n_edges + 1, sizeof *f->edges);
    if (!f->bits || !f->starts || !f->edges) {
        return sn_error_memory(error, n * (sizeof *f->bits + sizeof *f->starts) + n_edges * sizeof *f->edges,
                               "crossing skips");
    }
    n_edges = 0;
    for (size_t i = 0; i < n; i++) {
        const sn_node *node = &graph->nodes[i];
        f->starts[i] = n_edges;
        for (int k = 0; k < node->n_inputs; k++)
            f->edges[n_edges++] = node->inputs[k];
    }
    f->starts[n] = n_edges;
    return SN_OK;
}

static sn_status settle_all_crossed(finder *f, sn_error *error) {
    enum { AT_ONCE = 64 };
    if (f->n_crossed == 0) return SN_OK;
    sn_status status = gather_edges(f, error);
    for (int first = 0; !status && first < f->n_crossed; first += AT_ONCE) {
        int left = f->n_crossed - first;
        settle_crossed(f, f->crossed + first, left < AT_ONCE ? left : AT_ONCE);
    }
    return status;
}

/* ---- the last pass: what is passed on ---- */

/* Puts a node where what it passes on is; `block` ends there, NULL: none does. */
static void pass_on(finder *f, int i, sn_block *block) {
    const sn_node *node = &f->graph->nodes[i];
    int passed = passes_on(node) ? node->inputs[0] : -1, weight = has_weights(node) ? i : -1;
    if (block) {
        if (block->shortcut < 0) set_passed(f, block);
        if (block->shortcut >= 0 && block->is_closed) passed = block->start;
        weight = block->projection;
    }
    sn_forest_add(&f->ways, i, passed);
    f->last_weight[i] = weight < 0 && passed >= 0 ? f->last_weight[passed] : weight;
}

static void pass_all_on(finder *f) {
    sn_block *block = f->graph->blocks;
    f->last_weight[0] = -1;
    sn_forest_add(&f->ways, 0, -1);
    for (int i = 1; i < f->graph->n_nodes; i++)
        pass_on(f, i, is_join(&f->graph->nodes[i]) ? block++ : NULL);
}

/* ---- plain nets ---- */

/* The hidden layer `layer` of a chain, where `next` is the next weight layer. */
static void add_layer(sn_graph *graph, int layer, int next) {
    int start = graph->nodes[layer].inputs[0], end = graph->nodes[next].inputs[0];
    if (!sn_shape_equal(&graph->nodes[start].shape, &graph->nodes[end].shape)) return;
    graph->blocks[graph->n_blocks++] = (sn_block){.end = end,
                                                  .start = start,
                                                  .named_by = layer,
                                                  .shortcut = -1,
                                                  .grown_by = -1,
                                                  .projection = -1,
                                                  .is_closed = true};
}

static void find_layers(sn_graph *graph) {
    int layer = -1;
    for (int i = 1; i < graph->n_nodes; i++) {
        if (!has_weights(&graph->nodes[i])) continue;
        if (layer >= 0) add_layer(graph, layer, i);
        layer = i;
    }
}

static sn_status find_joins(sn_graph *graph, sn_error *error) {
    size_t n = (size_t)graph->n_nodes, bytes = 3 * n * sizeof(int);
    finder f = {.graph = graph, .height = malloc(bytes)};
    sn_status status = f.height ? SN_OK : sn_error_memory(error, bytes, "blocks");
    if (!status) status = sn_forest_init(&f.dominators, graph->n_nodes, error);
    if (!status) status = sn_forest_init(&f.ways, graph->n_nodes, error);
    if (!status) {
        f.last_weight = f.height + n;
        f.crossed = f.last_weight + n;
        f.height[0] = 0;
        sn_forest_add(&f.dominators, 0, -1);
        for (int i = 1; i < graph->n_nodes; i++)
            visit(&f, i);
        status = settle_all_crossed(&f, error);
    }
    if (!status) pass_all_on(&f);
    free(f.bits);
    free(f.starts);
    free(f.edges);
    free(f.height);
    sn_forest_reset(&f.dominators);
    sn_forest_reset(&f.ways);
    return status;
}

sn_status sn_blocks_find(sn_graph *graph, sn_error *error) {
    int n_joins = 0, n_layers = 0;
    for (int i = 1; i < graph->n_nodes; i++) {
        n_joins += is_join(&graph->nodes[i]);
        n_layers += has_weights(&graph->nodes[i]);
    }
    size_t n = (size_t)(n_joins ? n_joins : n_layers) + 1;
    graph->blocks = sn_pool_alloc(&graph->pool, n * sizeof *graph->blocks);
    if (!graph->blocks) return sn_error_memory(error, n * sizeof *graph->blocks, "blocks");
    if (n_joins) return find_joins(graph, error);
    find_layers(graph);
    return SN_OK;
}

/* ---- what others ask ---- */

const sn_block *sn_block_ending_at(const sn_graph *graph, int node) {
    int low = 0, high = graph->n_blocks;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (graph->blocks[middle].end < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < graph->n_blocks && graph->blocks[low].end == node ? &graph->blocks[low] : NULL;
}

sn_way sn_block_way(const sn_graph *graph, const sn_block *block, int k) {
    const sn_node *end = &graph->nodes[block->end];
    if (is_join(end) && k < first_mixed(end)) return SN_WAY_GATE;
    if (block->grown_by >= 0) return k == block->grown_by ? SN_WAY_BRANCH : SN_WAY_SHORTCUT;
    bool is_passed = block->shortcut >= 0 && end->inputs[k] == end->inputs[block->shortcut];
    return is_passed ? SN_WAY_SHORTCUT : SN_WAY_BRANCH;
}

/* Marks of nodes behind the start, at their distance from it. */
enum { COMES_FROM_START = 1, LEADS_TO_END = 2 };

/* The last nodes of the ways: inputs of the join, or the end of a plain net's layer. */
static void mark_ends(const sn_graph *graph, const sn_block *block, sn_way way, int *marks) {
    const sn_node *end = &graph->nodes[block->end];
    if (!is_join(end)) {
        if (way == SN_WAY_BRANCH) marks[block->end - block->start - 1] |= LEADS_TO_END;
        return;
    }
    for (int k = 0; k < end->n_inputs; k++) {
        bool is_behind = end->inputs[k] > block->start;
        if (is_behind && sn_block_way(graph, block, k) == way) marks[end->inputs[k] - block->start - 1] |= LEADS_TO_END;
    }
}

static void mark_descendants(const sn_graph *graph, const sn_block *block, int *marks) {
    for (int i = block->start + 1; i <= block->end; i++) {
        const sn_node *node = &graph->nodes[i];
        int *mark = &marks[i - block->start - 1];
        *mark = 0;
        for (int k = 0; k < node->n_inputs; k++) {
            int input = node->inputs[k];
            bool comes =
                input == block->start || (input > block->start && marks[input - block->start - 1] & COMES_FROM_START);
            if (comes) *mark |= COMES_FROM_START;
        }
    }
}

static void mark_ancestors(const sn_graph *graph, const sn_block *block, int *marks) {
    for (int i = block->end; i > block->start; i--) {
        if (!(marks[i - block->start - 1] & LEADS_TO_END)) continue;
        const sn_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_inputs; k++) {
            if (node->inputs[k] > block->start) marks[node->inputs[k] - block->start - 1] |= LEADS_TO_END;
        }
    }
}

/* The marks stand where the nodes are to stand: node i is written at or before the place of its own mark. */
int sn_block_nodes(const sn_graph *graph, const sn_block *block, sn_way way, int *nodes) {
    mark_descendants(graph, block, nodes);
    mark_ends(graph, block, way, nodes);
    mark_ancestors(graph, block, nodes);
    int n = 0;
    for (int i = block->start + 1; i <= block->end; i++) {
        if (nodes[i - block->start - 1] == (COMES_FROM_START | LEADS_TO_END)) nodes[n++] = i;
    }
    return n;
}
