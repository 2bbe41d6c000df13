#include "support/backends.h"

#include <stdlib.h>
#include <string.h>

#include "ops/table.h"
#include "support/check.h"

size_t runnable_backends(const sn_backend *backends[MOST_BACKENDS], sn_dtype dtype) {
    static const char *const names[MOST_BACKENDS] = {"generic", "avx2", "avx512"};
    const char *environment = getenv("SKIPNET_SIMD");
    char *kept = environment ? strdup(environment) : NULL;
    size_t n = 0;
    for (size_t i = 0; i < MOST_BACKENDS; i++) {
        static sn_error error;
        setenv("SKIPNET_SIMD", names[i], 1);
        if (sn_backend_select(&backends[n], dtype, &error)) continue;
        assert_string_equal(backends[n]->simd, names[i]);
        n++;
    }
    if (kept) {
        setenv("SKIPNET_SIMD", kept, 1);
    } else {
        unsetenv("SKIPNET_SIMD");
    }
    free(kept);
    assert_true(n >= 1);
    return n;
}

void make_loose(loose_backend *loose, sn_dtype dtype) {
    sn_error error;
    assert_int_equal(sn_backend_select(&loose->sound, dtype, &error), SN_OK);
    loose->backend = *loose->sound;
    for (size_t i = 0; sn_ops[i]; i++) {
        assert_true(i < MOST_OPS);
        loose->kernels[i] = *loose->sound->ops[i];
        loose->table[i] = &loose->kernels[i];
    }
    loose->backend.ops = loose->table;
}

int pin_blas(void **state) {
    sn_error error;
    (void)state;
    return sn_blas_pin(&error) != SN_OK;
}
