/* Looking for files that belong together, directory by directory: data sets, shipped configs. */
#ifndef SN_BASE_SEARCH_H
#define SN_BASE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"
#include "base/text.h"

typedef struct sn_search {
    const char *const *names; /* (n): the files that one directory has to hold */
    size_t n;
    const char *const *suffixes; /* what may follow a name, in the order of preference; NULL-terminated */
    sn_pool *pool;               /* owns dir and files */
    char *dir;                   /* absolute: the first directory that holds all files; NULL: not found (yet) */
    char **files;                /* (n): their paths, once dir is set */
    sn_text absent;              /* "NAME in DIR; NAME in DIR": what was looked for in vain */
    bool failed;                 /* out of memory */
} sn_search;

/* Looks into one directory; nothing happens where the files are found already. */
void sn_search_dir(sn_search *search, const char *dir);

/* Looks into every directory of a path (separated by colons), before each into its subdirectories `subs`
 * (NULL-terminated). */
void sn_search_path(sn_search *search, const char *dirs, const char *const *subs);

/* Releases what the search itself holds; dir and files stay in the pool. */
void sn_search_reset(sn_search *search);

#endif
