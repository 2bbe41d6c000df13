/* How many threads train a network fastest.  Bits do not depend on it, so it may be chosen anew with every call. */
#ifndef SN_RUN_THREADS_H
#define SN_RUN_THREADS_H

#include "network/graph.h"

/* At least 1, at most `available`, for steps of `batch` samples: the work of a step is held against what it costs that
 * threads wait for each other and read what others have written. */
int sn_threads_fastest(const sn_graph *graph, size_t batch, int available);

#endif
