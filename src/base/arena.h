/* The arena: one 64-byte aligned block of memory that holds what a plan laid out. */
#ifndef SN_BASE_ARENA_H
#define SN_BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

enum { SN_ALIGNMENT = 64 };

/* The least multiple of `step` that is not below `n`. */
static inline size_t sn_round_up(size_t n, size_t step) {
    return (n + step - 1) / step * step;
}

/* `size` rounded up to the alignment. */
static inline size_t sn_align(size_t size) {
    return sn_round_up(size, SN_ALIGNMENT);
}

typedef struct sn_arena {
    unsigned char *base;
    size_t size;
} sn_arena;

/* Takes `size` bytes (0 is legal), filled with zero; in checked builds (SN_CHECKED) with the bytes of a NaN, so that
 * whatever is read before it was written shows.  SN_ALIGNMENT more bytes may be read behind them: what a vector load
 * of the last element takes in.  `what` names the use in the error. */
sn_status sn_arena_init(sn_arena *arena, size_t size, const char *what, sn_error *error);

/* Gives the memory back. */
void sn_arena_reset(sn_arena *arena);

#endif
