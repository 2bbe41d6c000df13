/* The backends of this CPU. */
#ifndef SN_TESTS_SUPPORT_BACKENDS_H
#define SN_TESTS_SUPPORT_BACKENDS_H

#include "engine/backend.h"

enum { MOST_BACKENDS = 3 };

/* All that this CPU can run of one precision, generic first; how many there are, at least 1. */
size_t runnable_backends(const sn_backend *backends[MOST_BACKENDS], sn_dtype dtype);

#endif
