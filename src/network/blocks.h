/* What skips over what: for every join of a graph its shortcut, its branch and where the branch begins.  All of it
 * follows from the edges and from what ops are; labels say nothing.
 *
 * Words.  A node *dominates* another if every way from the network's input to the other leads through it; the nearest
 * of those is the other's *fork* (its immediate dominator: Lengauer & Tarjan 1979).  Weight layers are here nodes
 * with parameters whose op has the role hidden, those that compute a gate among them (roles and layer numbers leave
 * these out).  A node *passes on* its one input unless it is an activation (the identity does); a join passes on the
 * start of its block if it has a shortcut and no other ways cross it (see is_closed).
 *
 * The block of a join (add, concat; of a gate the inputs a and b) is the first that applies:
 *
 * 1. *Grown*: three inputs or more, one of which, f, comes after all others, and the others are, in their order, the
 *    inputs of an earlier join of the same op and factors, the first join that reads the last of them, and it dominates
 *    f.  That join is the start, f the branch, the others are passed on.  This is how a dense net looks where each
 * layer reads all before it: [x0, f1, ..., fk] is [start, fk].
 * 2. *Identity*: one input is an ancestor of all others.  It is shortcut and start, the others are branches.  Other
 * ways may come into the branches from before the start (crossing skips): then the block is not closed.  The same node
 *    may be the shortcut twice.
 * 3. *Passed on*: the start is the join's fork, and one input alone comes from there by nodes that pass on, without
 *    weight layers (a scale, a dropout, a norm, an earlier join).  It is the shortcut.
 * 4. *Projected* (not for concat, whose inputs need no equal shape): as 3, but with exactly one weight layer on the
 * way, the projection, and every other input has at least two on its longest way from the start.
 * 5. *No shortcut*: none of them.  The start is the fork, all inputs are branches.
 *
 * A network without joins is a chain.  There a block is a hidden layer whose input and output have one shape: from what
 * its weights read (the start) to what the next weight layer reads (the end).  All of it is branch. */
#ifndef SN_NETWORK_BLOCKS_H
#define SN_NETWORK_BLOCKS_H

#include "network/graph.h"

typedef struct sn_block {
    int end;        /* the join; of a plain net the last node of the layer */
    int start;      /* see above; start < end */
    int named_by;   /* the node whose label the block goes by: the join, of a plain net the weight layer */
    int shortcut;   /* number of the first of the join's inputs that is passed on; -1: none */
    int grown_by;   /* number of the input that is the branch, where all others are passed on (1); else -1 */
    int projection; /* the weight layer on the shortcut (4); -1: none */
    bool is_closed; /* every way from before the start to a branch or a gate leads through the start */
} sn_block;

/* What an input of a block's end is to the block. */
typedef enum sn_way { SN_WAY_SHORTCUT, SN_WAY_BRANCH, SN_WAY_GATE } sn_way;

/* Fills graph->blocks, ascending by end: one for each join, or those of a plain net.  Wants readers; called by
 * sn_graph_annotate.  Time and memory are linear in the edges but for logarithms, and but for crossing skips: a pass
 * over the nodes between for every 64 joins that may be such. */
sn_status sn_blocks_find(sn_graph *graph, sn_error *error);

/* The block that ends at a node; NULL: none does. */
const sn_block *sn_block_ending_at(const sn_graph *graph, int node);

/* What input k of the block's end is. */
sn_way sn_block_way(const sn_graph *graph, const sn_block *block, int k);

/* The nodes on the ways from the start, which is not among them, to the inputs of that kind, these included (of a plain
 * net to the end, itself included), in the order of the graph.  `nodes` has room for end - start of them.  Returns how
 * many there are: none for an identity, and for what a grown join passes on.  A node may be on ways of several kinds;
 * nodes of other blocks that lie within are on them too. */
int sn_block_nodes(const sn_graph *graph, const sn_block *block, sn_way way, int *nodes);

#endif
