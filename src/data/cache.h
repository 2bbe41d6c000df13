/* Decoded image sets, kept for the next process, not for other rooms: unpacked once on a machine, then mapped by all
 * processes at once.  sn_image_cache_decode is what sources call.
 *
 * The files lie in $SKIPNET_CACHE (empty: there is no cache), else $XDG_CACHE_HOME/skipnet, else ~/.cache/skipnet.  The
 * name of each has a hash over all bytes of its source files, which are read for it each time: another source has
 * another name, whatever its size and dates are.  A file that was found is believed if the checksum of the data is the
 * one that they had when they were decoded.
 *
 * No run fails because of a cache, and none has another result: what cannot be read or written is passed over. */
#ifndef SN_DATA_CACHE_H
#define SN_DATA_CACHE_H

#include <stdbool.h>

#include "data/data.h"

typedef struct sn_image_cache {
    const char *const *files; /* (n_files) of the source, the caller's */
    size_t n_files;
    char *path; /* of the file in the cache, owned; NULL: there is no cache */
    uint64_t source;
    bool is_asked_for; /* by SKIPNET_CACHE: then it is told why nothing can be written */
    bool is_unsound;   /* what lies at `path` is to be replaced */
    sn_notes *notes;
} sn_image_cache;

/* Finds the place of the set `name` whose source are `files`.  `notes` gets asides alone. */
void sn_image_cache_open(sn_image_cache *cache, const char *name, const char *const *files, size_t n_files,
                         sn_notes *notes);

/* Whether the set was there: then `dataset`, whose out_dim says how many classes there are, has the samples, their
 * shape, the checksum and the sums of pixels. */
bool sn_image_cache_load(sn_image_cache *cache, sn_dataset *dataset);

/* Keeps a set that was decoded from the files, checksum and sums included; of several processes one does. */
void sn_image_cache_store(sn_image_cache *cache, const sn_dataset *dataset);

void sn_image_cache_reset(sn_image_cache *cache);

/* A set of images as a source decodes it. */
typedef struct sn_image_files {
    const char *name;
    const char *const *files; /* (n_files) the caller's */
    size_t n_files;
    sn_status (*decode)(sn_dataset *dataset, const struct sn_image_files *files, sn_error *error);
    const void *context; /* of the source */
} sn_image_files;

/* Takes a set of images with labels of n_classes from the cache, else decodes and keeps it. */
sn_status sn_image_cache_decode(sn_dataset *dataset, const sn_image_files *files, size_t n_classes, sn_error *error);

#endif
