/* How much memory there is, so that what does not fit is refused before it is taken: the kernel ends a process that
 * takes too much without a word. */
#ifndef SN_BASE_MEMORY_H
#define SN_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Bytes that this process can still take: the least of what the machine has (memory that is available, and swap), what
 * the cgroups of the process leave it (versions 1 and 2) and its RLIMIT_AS.  SIZE_MAX where nothing tells. */
size_t sn_memory_available(void);

/* The same without RLIMIT_AS, with the files of /proc and /sys below the directory `root`, for tests. */
size_t sn_memory_available_in(const char *root);

/* SN_FAILED where `bytes` for `what` are more than there are: "WHAT needs 3.2 GiB of memory, 1.1 GiB are free here".
 * Up to 16 MiB it is not worth a look. */
sn_status sn_memory_check(size_t bytes, const char *what, sn_error *error);

/* Appends "3.2 GiB" or the like, four digits at most. */
void sn_memory_text(sn_text *text, double bytes);

#endif
