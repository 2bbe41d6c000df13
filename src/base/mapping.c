/* Owns the mapping of files. */
#include "base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static sn_status check_file(const struct stat *info, const char *path, sn_error *error) {
    if (!S_ISREG(info->st_mode)) return sn_error_set(error, SN_INVALID, "%s: not a regular file", path);
    if (info->st_uid != geteuid()) return sn_error_set(error, SN_INVALID, "%s: a file of another user", path);
    if (info->st_size <= 0) return sn_error_set(error, SN_INVALID, "%s: the file is empty", path);
    return SN_OK;
}

static sn_status map(sn_mapping *mapping, int fd, const char *path, sn_error *error) {
    struct stat info;
    if (fstat(fd, &info) != 0) return sn_error_io(error, "look at", path);
    sn_status status = check_file(&info, path, error);
    if (status != SN_OK) return status;
    void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) return sn_error_io(error, "map", path);
    *mapping = (sn_mapping){data, (size_t)info.st_size};
    return SN_OK;
}

sn_status sn_mapping_open(sn_mapping *mapping, const char *path, sn_error *error) {
    *mapping = (sn_mapping){0};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP) return sn_error_set(error, SN_INVALID, "%s: a link, which is not followed", path);
    if (fd < 0) return sn_error_io(error, "open", path);
    sn_status status = map(mapping, fd, path, error);
    close(fd); /* the mapping keeps the file */
    return status;
}

void sn_mapping_reset(sn_mapping *mapping) {
    if (mapping->data) munmap(mapping->data, mapping->size);
    *mapping = (sn_mapping){0};
}
