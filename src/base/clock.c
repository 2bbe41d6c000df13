/* Owns the reading of the clock. */
#include "base/clock.h"

#include <time.h>

uint64_t sn_clock_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

double sn_clock_seconds(void) {
    return 1e-9 * (double)sn_clock_nanoseconds();
}
