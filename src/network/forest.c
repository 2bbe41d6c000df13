/* Owns forests.  The jump of a node leads to an ancestor, and nodes of one depth jump to one depth: as far as two equal
 * jumps of its parent taken together, else to the parent. */
#include "network/forest.h"

#include <stdlib.h>

sn_status sn_forest_init(sn_forest *forest, int n, sn_error *error) {
    size_t bytes = 3 * (size_t)n * sizeof(int);
    *forest = (sn_forest){.parent = malloc(bytes)};
    if (!forest->parent) return sn_error_memory(error, bytes, "the ways through the graph");
    forest->depth = forest->parent + n;
    forest->jump = forest->depth + n;
    return SN_OK;
}

void sn_forest_reset(sn_forest *forest) {
    free(forest->parent);
    *forest = (sn_forest){0};
}

void sn_forest_add(sn_forest *forest, int node, int parent) {
    const int *depth = forest->depth, *jump = forest->jump;
    forest->parent[node] = parent;
    if (parent < 0) {
        forest->depth[node] = 0;
        forest->jump[node] = node;
        return;
    }
    int over = jump[parent], next = jump[over];
    forest->depth[node] = depth[parent] + 1;
    forest->jump[node] = depth[parent] - depth[over] == depth[over] - depth[next] ? next : parent;
}

/* The ancestor of v of a depth that is at most its own. */
static int at_depth(const sn_forest *forest, int v, int depth) {
    while (forest->depth[v] > depth)
        v = forest->depth[forest->jump[v]] >= depth ? forest->jump[v] : forest->parent[v];
    return v;
}

bool sn_forest_is_above(const sn_forest *forest, int a, int v) {
    return at_depth(forest, v, forest->depth[a]) == a;
}

int sn_forest_common(const sn_forest *forest, int a, int b) {
    a = at_depth(forest, a, forest->depth[b]);
    b = at_depth(forest, b, forest->depth[a]);
    while (a != b) {
        bool differ = forest->jump[a] != forest->jump[b];
        a = differ ? forest->jump[a] : forest->parent[a];
        b = differ ? forest->jump[b] : forest->parent[b];
    }
    return a;
}

int sn_forest_last_beyond(const sn_forest *forest, int v, int bound) {
    while (forest->parent[v] > bound)
        v = forest->jump[v] > bound ? forest->jump[v] : forest->parent[v];
    return v;
}
