/* The backends of this CPU. */
#ifndef SN_TESTS_SUPPORT_BACKENDS_H
#define SN_TESTS_SUPPORT_BACKENDS_H

#include "engine/backend.h"

enum { MOST_BACKENDS = 3 };

/* All that this CPU can run of one precision, generic first; how many there are, at least 1. */
size_t runnable_backends(const sn_backend *backends[MOST_BACKENDS], sn_dtype dtype);

/* The backend of a precision for this CPU, and a copy of it whose kernels of ops can be replaced one by one, those of
 * sn_ops in `kernels`. */
enum { MOST_OPS = 100 };
typedef struct loose_backend {
    const sn_backend *sound;
    sn_backend backend;
    sn_op_kernels kernels[MOST_OPS];
    const sn_op_kernels *table[MOST_OPS];
} loose_backend;

void make_loose(loose_backend *loose, sn_dtype dtype);

/* A group set-up: OpenBLAS on one thread, where tests call it by themselves. */
int pin_blas(void **state);

#endif
