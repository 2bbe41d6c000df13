/* Faults: everything that is wrong with a config, collected while it is read and told in the order of the file. */
#ifndef SN_CONFIG_FAULT_H
#define SN_CONFIG_FAULT_H

#include "base/error.h"
#include "config/place.h"

typedef struct sn_reader_fault sn_reader_fault;

typedef struct sn_faults {
    const sn_places *places;
    sn_reader_fault *items;
    size_t n, capacity;
    size_t dropped; /* found after the limit: counted only */
    bool failed;    /* out of memory */
} sn_faults;

/* A fault of the value at `place`: "FILE:LINE:COL: PATH: message", or "--set KEY=VALUE: PATH: message" (the
 * origin of the set instead of --set where it has one). */
void sn_fault_value(sn_faults *faults, int place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A fault of its key: the same, but with the position of the key. */
void sn_fault_key(sn_faults *faults, int place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A fault of the member `name` that the object at `place` lacks. */
void sn_fault_missing(sn_faults *faults, int place, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A fault of a --set that could not be applied: "--set KEY=VALUE: message". */
void sn_fault_set(sn_faults *faults, int set, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* How many there are, and back to as many as there were. */
size_t sn_faults_count(const sn_faults *faults);
void sn_faults_truncate(sn_faults *faults, size_t count);

/* Writes them to `error`, those of the text first, in its order, then those of each --set.  SN_OK where there are
 * none. */
sn_status sn_faults_tell(sn_faults *faults, sn_error *error);

void sn_faults_free(sn_faults *faults);

/* Appends "FILE:LINE:COL: " or "--set KEY=VALUE: " for a value. */
void sn_place_write(const sn_places *places, const sn_place *place, sn_text *text);

#endif
