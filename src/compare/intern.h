/* Interned strings: equal strings have equal numbers, given from 0 on in the order in which they came. */
#ifndef SN_COMPARE_INTERN_H
#define SN_COMPARE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

typedef struct sn_intern {
    const char **strings; /* by number */
    size_t n, capacity;
    uint32_t *slots; /* open addressing from string to number + 1; 0: empty */
    size_t n_slots;  /* a power of two */
    sn_pool pool;    /* owns the strings */
} sn_intern;

#define SN_NO_STRING UINT32_MAX

/* The number of a string, which is copied when it is new; SN_NO_STRING when out of memory. */
uint32_t sn_intern_add(sn_intern *intern, const char *string);

/* The number of a string, SN_NO_STRING where it was never added. */
uint32_t sn_intern_find(const sn_intern *intern, const char *string);

/* Fine on a zeroed record. */
void sn_intern_reset(sn_intern *intern);

#endif
