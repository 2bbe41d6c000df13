/* How large the cache of decoded images may become. */
#ifndef SN_DATA_CACHE_ROOM_H
#define SN_DATA_CACHE_ROOM_H

#include <stdint.h>

#define SN_CACHE_SUFFIX    ".images"
#define SN_CACHE_MAX_BYTES ((uint64_t)1 << 30) /* of all files together */

/* Removes the oldest files beside `path`, until all fit, and what killed processes left unfinished.  `path` stays; a
 * process that has a file mapped keeps it. */
void sn_cache_make_room(const char *path);

#endif
