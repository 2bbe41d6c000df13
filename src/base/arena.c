/* Owns the big blocks of memory. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 1 << 21, LEAST_FOR_HUGE = 4 * HUGE_PAGE };

/* Large blocks ask for huge pages: deep networks walk through hundreds of megabytes in every step. */
static unsigned char *take(size_t bytes) {
    void *block = NULL;
    bool is_large = bytes >= LEAST_FOR_HUGE;
    if (posix_memalign(&block, is_large ? HUGE_PAGE : SN_ALIGNMENT, bytes)) return NULL;
    if (is_large) madvise(block, bytes, MADV_HUGEPAGE); /* a wish: small pages do as well */
    return block;
}

sn_status sn_arena_init(sn_arena *arena, size_t size, const char *what, sn_error *error) {
    *arena = (sn_arena){NULL, 0};
    size_t rounded = sn_align(size ? size : 1), whole = rounded + SN_ALIGNMENT;
    arena->base = whole < size ? NULL : take(whole);
    if (!arena->base) return sn_error_memory(error, size, what);
#ifdef SN_CHECKED
    memset(arena->base, 0xFF, whole);
#else
    memset(arena->base, 0, whole);
#endif
    arena->size = rounded;
    return SN_OK;
}

void sn_arena_reset(sn_arena *arena) {
    free(arena->base);
    *arena = (sn_arena){NULL, 0};
}
