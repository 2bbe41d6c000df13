/* Numbers as text, to the byte what printf writes, without its cost. */
#ifndef SN_BASE_NUMBER_H
#define SN_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { SN_NUMBER_TEXT = 40 };

/* Writes what snprintf("%.*g", digits, value) writes in the C locale, for digits 1 to 17 and a finite value; the length
 * without the NUL. */
size_t sn_number_write(char out[SN_NUMBER_TEXT], double value, int digits);

/* Writes an integer in decimal; the length without the NUL. */
size_t sn_integer_write(char out[SN_NUMBER_TEXT], int64_t value);

#endif
