/* Owns the big blocks of memory. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

sn_status sn_arena_init(sn_arena *arena, size_t size, const char *what, sn_error *error) {
    *arena = (sn_arena){NULL, 0};
    size_t rounded = sn_align(size ? size : 1), whole = rounded + SN_ALIGNMENT;
    arena->base = whole < size ? NULL : aligned_alloc(SN_ALIGNMENT, whole);
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
