/* A forest over numbered nodes in which every parent has a smaller number than its children, such as the dominators of
 * a graph: ancestors are found in O(log n) steps by jump pointers (Myers 1983, An applicative random-access stack). */
#ifndef SN_NETWORK_FOREST_H
#define SN_NETWORK_FOREST_H

#include <stdbool.h>

#include "base/error.h"

typedef struct sn_forest {
    int *parent, *depth, *jump; /* one block of memory, at `parent` */
} sn_forest;

/* Room for nodes 0 .. n - 1; SN_FAILED when out of memory. */
sn_status sn_forest_init(sn_forest *forest, int n, sn_error *error);

void sn_forest_reset(sn_forest *forest);

/* Puts a node below `parent`, which is there already; -1: the node is a root. */
void sn_forest_add(sn_forest *forest, int node, int parent);

/* Whether a is v or an ancestor of it. */
bool sn_forest_is_above(const sn_forest *forest, int a, int v);

/* The nearest common ancestor of two nodes of one tree; either may be it. */
int sn_forest_common(const sn_forest *forest, int a, int b);

/* The last of v, its parent, its parent's parent ... that is greater than `bound`; v > bound. */
int sn_forest_last_beyond(const sn_forest *forest, int v, int bound);

#endif
