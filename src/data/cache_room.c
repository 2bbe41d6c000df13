/* Owns the size of the cache of decoded images: what is removed from its directory, known by name. */
#include "data/cache_room.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { ABANDONED_SECONDS = 3600 }; /* no write takes that long */

typedef struct files {
    uint64_t bytes;
    struct timespec written; /* of the oldest */
    char oldest[NAME_MAX + 1];
} files;

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static bool is_older(struct timespec a, struct timespec b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* Counts a set, and remembers the oldest but `kept`. */
static void count_set(files *found, const char *name, const struct stat *info, const char *kept) {
    found->bytes += (uint64_t)info->st_size;
    if (strcmp(name, kept) == 0) return;
    if (found->oldest[0] && !is_older(info->st_mtim, found->written)) return;
    found->written = info->st_mtim;
    snprintf(found->oldest, sizeof found->oldest, "%s", name);
}

static files look_through(DIR *dir, const char *kept) {
    files found = {0};
    struct stat info;
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (fstatat(dirfd(dir), name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) continue;
        bool is_remnant = strstr(name, SN_CACHE_SUFFIX ".") && ends_with(name, ".tmp");
        if (is_remnant && info.st_mtim.tv_sec < time(NULL) - ABANDONED_SECONDS) unlinkat(dirfd(dir), name, 0);
        if (ends_with(name, SN_CACHE_SUFFIX)) count_set(&found, name, &info, kept);
    }
    return found;
}

void sn_cache_make_room(const char *path) {
    char *name = sn_path_dir(path);
    DIR *dir = name ? opendir(name) : NULL;
    const char *kept = strrchr(path, '/') + 1;
    bool is_full = dir != NULL;
    while (is_full) {
        files found = look_through(dir, kept);
        is_full = found.bytes > SN_CACHE_MAX_BYTES && found.oldest[0] && unlinkat(dirfd(dir), found.oldest, 0) == 0;
    }
    if (dir) closedir(dir);
    free(name);
}
