/* What memory there is, told from files like those of /proc and /sys. */
#include "support/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define MIB ((size_t)1 << 20)

static char root[256];

static int make_root(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/skipnet-memory-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static int remove_root(void **state) {
    (void)state;
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *content) {
    static sn_error error;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    char *dir = sn_path_dir(path);
    assert_int_equal(sn_dir_make(dir, &error), SN_OK);
    assert_int_equal(sn_file_write_atomic(path, content, strlen(content), &error), SN_OK);
    free(dir);
}

static void put_machine(void) {
    put("proc/meminfo",
        "MemTotal:       16777216 kB\nMemFree:  1024 kB\nMemAvailable:    8192 kB\nSwapFree: 2048 kB\n");
}

static void test_nothing_known(void **state) {
    (void)state;
    assert_true(sn_memory_available_in(root) == SIZE_MAX);
    put("proc/meminfo", "nonsense\nMemAvailableNot: 3 kB\n");
    assert_true(sn_memory_available_in(root) == SIZE_MAX);
}

static void test_machine(void **state) {
    (void)state;
    put_machine();
    assert_int_equal(sn_memory_available_in(root), 10 * MIB);
    put("proc/self/cgroup", "12:cpu:/a\n0::/\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    assert_int_equal(sn_memory_available_in(root), 10 * MIB);
}

/* The group has room for 6 MiB, of which 1 is cache that gives way; the one around it for 2. */
static void test_cgroup_2(void **state) {
    (void)state;
    put_machine();
    put("proc/self/cgroup", "0::/jobs/one\n");
    put("sys/fs/cgroup/jobs/one/memory.max", "8388608\n");
    put("sys/fs/cgroup/jobs/one/memory.current", "3145728\n");
    put("sys/fs/cgroup/jobs/one/memory.stat", "anon 2097152\ninactive_file 524288\nactive_file 524288\n");
    assert_int_equal(sn_memory_available_in(root), 6 * MIB);
    put("sys/fs/cgroup/jobs/memory.max", "10485760\n");
    put("sys/fs/cgroup/jobs/memory.current", "8388608\n");
    assert_int_equal(sn_memory_available_in(root), 2 * MIB);
    put("sys/fs/cgroup/jobs/memory.current", "18388608\n");
    assert_int_equal(sn_memory_available_in(root), 0);
}

/* Version 1; in a container the path is the host's and only the mount is there. */
static void test_cgroup_1(void **state) {
    (void)state;
    put_machine();
    put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:cpuset,memory:/docker/0123\n0::/init\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "5242880\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "2097152\n");
    put("sys/fs/cgroup/memory/memory.stat", "inactive_file 3\ntotal_inactive_file 1048576\n");
    assert_int_equal(sn_memory_available_in(root), 4 * MIB);
    put("sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "1048576\n");
    assert_int_equal(sn_memory_available_in(root), 1 * MIB);
}

static void test_check(void **state) {
    (void)state;
    static sn_error error;
    sn_error_clear(&error);
    assert_int_equal(sn_memory_check(1, "a test", &error), SN_OK);
    size_t all = sn_memory_available();
    assert_true(all > 16 * MIB);
    if (all == SIZE_MAX) skip();
    assert_int_equal(sn_memory_check(SIZE_MAX, "a test", &error), SN_FAILED);
    const char *expected = "a test needs 1.678e+07 TiB of memory, ";
    assert_memory_equal(error.text, expected, strlen(expected));
    assert_non_null(strstr(error.text, " are free here"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_known, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_machine, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_cgroup_2, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_cgroup_1, make_root, remove_root),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
