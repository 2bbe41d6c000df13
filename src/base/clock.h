/* The clock that all durations are measured on: it only goes forward, whatever is done to the date. */
#ifndef SN_BASE_CLOCK_H
#define SN_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since a moment of the past. */
uint64_t sn_clock_nanoseconds(void);

/* The same in seconds. */
double sn_clock_seconds(void);

#endif
