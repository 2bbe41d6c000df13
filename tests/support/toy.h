/* Small data sets in memory: normal features, random labels or targets.  They are functions of their seed. */
#ifndef SN_TESTS_SUPPORT_TOY_H
#define SN_TESTS_SUPPORT_TOY_H

#include "data/data.h"

/* `n` training samples of `in` features for `out` classes; sn_dataset_reset() releases it. */
sn_dataset toy_classes(size_t n, size_t in, size_t out, uint64_t seed);

/* The same with `out` targets, normal. */
sn_dataset toy_targets(size_t n, size_t in, size_t out, uint64_t seed);

#endif
