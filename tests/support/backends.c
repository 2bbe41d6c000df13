#include "support/backends.h"

#include <stdlib.h>
#include <string.h>

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
