/* Owns the look at the machine's memory.  What cannot be read or makes no sense does not limit. */
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 4096 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t minus(size_t a, size_t b) {
    return a > b ? a - b : 0;
}

/* The number in a file of one number; `otherwise` where there is none ("max"). */
static size_t read_number(const char *dir, const char *name, size_t otherwise) {
    char path[PATH_SIZE], line[64] = "", *end = line;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = n > 0 && n < PATH_SIZE ? fopen(path, "re") : NULL;
    if (!file) return otherwise;
    bool ok = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    unsigned long long value = ok ? strtoull(line, &end, 10) : 0;
    return end == line ? otherwise : (size_t)value;
}

/* The number after `key` and blanks or a colon at the start of a line, 0 where there is none. */
static size_t read_field(const char *dir, const char *name, const char *key) {
    char path[PATH_SIZE], line[LINE_SIZE];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = n > 0 && n < PATH_SIZE ? fopen(path, "re") : NULL;
    size_t value = 0, length = strlen(key);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) == 0 && strchr(": \t", line[length])) {
            value = (size_t)strtoull(line + length + 1, NULL, 10);
        }
    }
    if (file) fclose(file);
    return value;
}

static size_t machine_room(const char *root) {
    size_t kib = read_field(root, "proc/meminfo", "MemAvailable");
    return kib > 0 ? 1024 * (kib + read_field(root, "proc/meminfo", "SwapFree")) : SIZE_MAX;
}

/* How the two versions of cgroups call what matters here. */
typedef struct cgroup_files {
    const char *mount, *limit, *usage;
    const char *cache[2]; /* of memory.stat: pages of files, which the kernel gives up when room is wanted */
} cgroup_files;

static const cgroup_files version_1 = {"sys/fs/cgroup/memory",
                                       "memory.limit_in_bytes",
                                       "memory.usage_in_bytes",
                                       {"total_inactive_file", "total_active_file"}};
static const cgroup_files version_2 = {
    "sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file"}};

/* The room that one group leaves. */
static size_t group_room(const char *dir, const cgroup_files *files) {
    size_t limit = read_number(dir, files->limit, SIZE_MAX);
    if (limit == SIZE_MAX) return SIZE_MAX;
    size_t usage = read_number(dir, files->usage, 0), cache = 0;
    for (int i = 0; i < 2; i++)
        cache += read_field(dir, "memory.stat", files->cache[i]);
    return minus(limit, minus(usage, cache));
}

/* The group of the process and all around it.  In a container the path may be the host's: then only the mount counts.
 */
static size_t groups_room(const char *root, const cgroup_files *files, const char *group) {
    char dir[PATH_SIZE];
    int mount = snprintf(dir, sizeof dir, "%s/%s", root, files->mount);
    int n = snprintf(dir, sizeof dir, "%s/%s%s", root, files->mount, group);
    size_t room = SIZE_MAX;
    if (n <= 0 || n >= PATH_SIZE) return room;
    for (char *end = dir + n; end && end - dir >= mount; end = strrchr(dir, '/')) {
        *end = '\0';
        room = least(room, group_room(dir, files));
    }
    return room;
}

/* Whether a list such as "cpuset,memory" has it. */
static bool lists_memory(const char *controllers) {
    for (const char *at = controllers; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        if (strcspn(at, ",") == strlen("memory") && strncmp(at, "memory", strlen("memory")) == 0) return true;
    }
    return false;
}

static size_t cgroup_room(const char *root) {
    char path[PATH_SIZE], line[LINE_SIZE];
    int n = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = n > 0 && n < PATH_SIZE ? fopen(path, "re") : NULL;
    size_t room = SIZE_MAX;
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) == 0) room = least(room, groups_room(root, &version_2, line + 3));
        char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL; /* "N:CONTROLLERS:/PATH" */
        if (!group) continue;
        *group = '\0';
        if (lists_memory(list + 1)) room = least(room, groups_room(root, &version_1, group + 1));
    }
    if (file) fclose(file);
    return room;
}

/* What RLIMIT_AS leaves of address space. */
static size_t limit_room(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
    size_t pages = read_number("/proc/self", "statm", 0);
    return minus((size_t)limit.rlim_cur, pages * (size_t)sysconf(_SC_PAGESIZE));
}

size_t sn_memory_available_in(const char *root) {
    return least(machine_room(root), cgroup_room(root));
}

size_t sn_memory_available(void) {
    return least(sn_memory_available_in(""), limit_room());
}

sn_status sn_memory_check(size_t bytes, const char *what, sn_error *error) {
    enum { SMALL = 1 << 24 };
    size_t available = bytes > SMALL ? sn_memory_available() : SMALL;
    if (bytes <= available) return SN_OK;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "%s needs ", what);
    sn_memory_text(&text, (double)bytes);
    sn_text_add(&text, " of memory, ");
    sn_memory_text(&text, (double)available);
    sn_error_set(error, SN_FAILED, "%s are free here", sn_text_string(&text));
    sn_text_free(&text);
    return SN_FAILED;
}

void sn_memory_text(sn_text *text, double bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    sn_text_addf(text, "%.4g %s", bytes, units[unit]);
}
