/* Portable configs: a raw tree that means the same wherever it is read. */
#ifndef SN_CONFIG_PORTABLE_H
#define SN_CONFIG_PORTABLE_H

#include <stdbool.h>

#include "config/reader.h"

/* Makes the paths of a raw tree absolute, those of kinds that are not chosen too, and writes down a text that would be
 * the stem of the file.  Paths that cannot be made absolute are faults; false when out of memory. */
bool sn_make_portable(sn_reader *reader, cJSON *root, const sn_key *keys);

#endif
